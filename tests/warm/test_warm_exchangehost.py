"""What an exchange may ask of its worker: a few members, all of them used, and no others."""

import ast

import house

MODULES = {module.name: module for module in house.read()}
#: Who asks: an exchange, what goes back for it, and its child.
ASKING = ("warm.exchange", "warm.reply", "warm.child")


def members(module: str, protocol: str) -> set[str]:
    """What a protocol has."""
    (found,) = (
        node
        for node in ast.walk(MODULES[module].tree)
        if isinstance(node, ast.ClassDef) and node.name == protocol
    )
    named = {node.name for node in found.body if isinstance(node, ast.FunctionDef)}
    return named | {
        node.target.id
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def asked() -> set[str]:
    """What is asked of `host`, or `self.host`, or `self._host`."""
    return {
        node.attr
        for name in ASKING
        for node in ast.walk(MODULES[name].tree)
        if isinstance(node, ast.Attribute)
        and house.written(node.value) in ("host", "self.host", "self._host")
    }


def test_all_that_is_asked_is_in_the_protocol_and_nothing_else() -> None:
    """An exchange reached for twenty members of the worker."""
    assert asked() == members("warm.exchangehost", "ExchangeHost")
    assert len(asked()) <= 13


def test_none_of_those_who_ask_knows_the_worker() -> None:
    targets = {a.target for a in house.arrows(MODULES.values()) if a.source in ASKING}
    assert not targets & {"warm.worker", "warm.connections", "warm.acceptor", "warm.zygote"}


def test_the_protocol_is_for_type_checkers_alone() -> None:
    found = [a for a in house.arrows(MODULES.values()) if a.target == "warm.exchangehost"]
    assert found
    assert all(arrow.for_types for arrow in found)
