"""How a function is named where it is needed: by an import that is there, or by a new one.

A new import must not take a name that the program uses: `html` is what half of all CGI scripts
call their page.
"""

from typing import NamedTuple

from libcst.metadata import GlobalScope

from .bindings import Group
from .code import Code
from .work import Need


class Spelling(NamedTuple):
    """An expression, and the import that it needs; None if there is one."""

    expression: str
    need: Need | None


def spell(code: Code, group: Group, origin: str, name: str) -> Spelling | None:
    """Return how to write `origin.name` in place of a group's uses; None if no name is free.

    Where the group is a name that was imported by itself, as in `from cgi import escape`, it keeps it.
    """
    if group.member == name:
        alias = group.name if group.name != name else ""
        return Spelling(group.name, Need(origin, name, alias))
    before = code.start(group.uses[0].node)  # they are in the order of the text
    root = origin.partition(".")[0]
    at_module = isinstance(group.scope, GlobalScope)
    if origin in imported_as(code, root, before):
        return Spelling(f"{origin}.{name}", None)
    if imported_as(code, name, before) == {f"{origin}:{name}"}:
        return Spelling(name, None)
    if code.has_star:  # which may bring any name but one that is made up
        return _made_up(code, origin, name)
    if origin != "cgikit" and (code.is_free(root) or (at_module and _is_package(code, root))):
        return Spelling(f"{origin}.{name}", Need(origin))
    if code.is_free(name):
        return Spelling(name, Need(origin, name))
    return _made_up(code, origin, name)


def _made_up(code: Code, origin: str, name: str) -> Spelling | None:
    alias = f"{origin.rpartition('.')[2]}_{name}"
    return Spelling(alias, Need(origin, name, alias)) if code.is_free(alias) else None


def _is_package(code: Code, root: str) -> bool:
    """Whether a name is a package's and nothing else: `import package.part` does no harm."""
    found = imported_as(code, root, len(code.data))
    return bool(found) and all(each.partition(".")[0] == root for each in found)


def imported_as(code: Code, name: str, before: int) -> frozenset[str]:
    """Return what a name stands for in the whole module: modules as "a.b", parts of them as "a:b".

    Empty if it is bound by anything but imports at the top of the module, or not by the byte `before`.
    """
    targets, last = code.meanings.get(name, (frozenset(), 0))
    return targets if last < before else frozenset()
