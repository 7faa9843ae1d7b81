"""What a connection may ask of its request, of the script, and of its keeper."""

import ast
from pathlib import Path

import house
import pytest

from cgikit.warm import connection, connections

MODULES = {module.name: module for module in house.read()}


def members(protocol: str) -> set[str]:
    """What a protocol has."""
    (found,) = (
        node
        for node in ast.walk(MODULES["warm.inhand"].tree)
        if isinstance(node, ast.ClassDef) and node.name == protocol
    )
    named = {node.name for node in found.body if isinstance(node, ast.FunctionDef)}
    return named | {
        node.target.id
        for node in found.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def asked(of: set[str]) -> set[str]:
    """What connections ask of one of these names."""
    trees = [ast.parse(Path(module.__file__).read_text()) for module in (connection, connections)]
    return {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and house.written(node.value) in of
    }


@pytest.mark.parametrize(
    ("protocol", "names"),
    [
        ("InHand", {"exchange", "self.exchange"}),
        ("Source", {"child"}),
        ("Registry", {"self._registry"}),
    ],
)
def test_all_that_is_asked_is_in_the_protocol_and_nothing_else(
    protocol: str, names: set[str]
) -> None:
    assert asked(names) == members(protocol)


def test_connections_do_not_know_what_they_carry() -> None:
    asking = ("warm.connection", "warm.connections", "warm.acceptor")
    targets = {a.target for a in house.arrows(MODULES.values()) if a.source in asking}
    assert not targets & {"warm.worker", "warm.exchange", "warm.reply", "warm.child"}
    found = [a for a in house.arrows(MODULES.values()) if a.target == "warm.inhand"]
    assert all(arrow.for_types for arrow in found)
