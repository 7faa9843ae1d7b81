"""How a function is named where it is needed: by an import that is there, or by a new one.

A new import must not take a name that the program uses: `html` is what half of all CGI scripts
call their page.
"""

from typing import NamedTuple

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import GlobalScope, ImportAssignment

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
    before = min(code.start(use.node) for use in group.uses)
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


def imported_as(code: Code, name: str, before: int) -> set[str]:
    """Return what a name stands for in the whole module: modules as "a.b", parts of them as "a:b".

    Empty if it is bound by anything but imports at the top of the module, or not by the byte `before`.
    """
    found, statements = set(), []
    for line in code.module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            for bound, target in bindings_of(statement):
                if bound == name and code.start(statement) < before:
                    found.add(target)
                    statements.append(statement)
    for assignment in code.assignments(name):
        node = assignment.node if isinstance(assignment, ImportAssignment) else None
        if not any(node is statement for statement in statements):
            return set()
    return found


def bindings_of(statement: cst.CSTNode) -> list[tuple[str, str]]:
    """Return the names that an import statement binds, each with what it stands for."""
    if isinstance(statement, cst.Import):
        return [
            (alias.evaluated_alias, alias.evaluated_name)
            if alias.evaluated_alias
            else (alias.evaluated_name.partition(".")[0], alias.evaluated_name)
            for alias in statement.names
        ]
    if isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
        dots = "." * len(statement.relative)
        origin = get_full_name_for_node(statement.module) if statement.module else ""
        return [
            (
                alias.evaluated_alias or alias.evaluated_name,
                f"{dots}{origin}:{alias.evaluated_name}",
            )
            for alias in statement.names
        ]
    return []
