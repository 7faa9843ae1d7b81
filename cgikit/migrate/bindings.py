"""What the names of a program mean: the imports of `cgi` and `cgitb`, and every use of what they
bind.

A `Group` is one name in one scope, with all imports that bind it and all places that use it.
`doubt` says why its uses may mean something else; such a group is rewritten at its imports only,
which changes no meaning. `fallback` says why even they are left: the program deals with a missing
module itself.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import ClassScope, GlobalScope, ImportAssignment, Scope

from .code import Code
from .edits import Edit

MODULES = ("cgi", "cgitb")
_OURS = "cgikit.compat"
_VERSION = re.compile(
    r"version_info|hexversion|python_version|sys\.version\b|\b(?:is_?)?py(?:thon)?_?[23]", re.I
)
_MISSING = frozenset({"ImportError", "ModuleNotFoundError"})
_BROAD = frozenset({"Exception", "BaseException"})

ImportStatement = cst.Import | cst.ImportFrom


@dataclass(frozen=True, eq=False)
class Imported:
    """One name that an import statement takes from `cgi` or `cgitb`, or the module itself."""

    statement: ImportStatement
    alias: cst.ImportAlias
    module: str  # "cgi" or "cgitb"
    member: str  # "" for the module
    name: str  # what it is called here
    is_ours: bool  # whether it comes from cgikit.compat already


@dataclass(frozen=True, eq=False)
class Use:
    """One place that uses `cgi.MEMBER`; `member` is "" where the module is used as a value."""

    node: cst.CSTNode
    member: str
    call: cst.Call | None  # where it is called at once


class Group:
    """One name in one scope, as its first import has it."""

    def __init__(self, scope: Scope, first: Imported) -> None:
        self.scope = scope
        self.name, self.module, self.member = first.name, first.module, first.member
        self.imports: list[Imported] = []
        self.uses: list[Use] = []
        self.doubt = ""
        self.fallback = ""


def imported(code: Code) -> Iterator[tuple[ImportStatement, list[Imported]]]:
    """Yield each import statement that takes something from `cgi` or `cgitb`, star imports apart."""
    for node in code.nodes:
        if isinstance(node, cst.Import):
            found = [one for alias in node.names if (one := _whole(node, alias))]
        elif isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
            found = [one for alias in node.names if (one := _part(node, alias))]
        else:
            continue
        if found:
            yield node, found


def stars(code: Code) -> Iterator[tuple[cst.ImportFrom, str]]:
    """Yield each `from cgi import *`, with the name of the module."""
    for node in code.each(cst.ImportFrom):
        source = _origin(node)
        if isinstance(node.names, cst.ImportStar) and source in MODULES:
            yield node, source


def _origin(node: cst.ImportFrom) -> str:
    name = get_full_name_for_node(node.module) if node.module else None
    return "" if node.relative or name is None else name


def _whole(node: cst.Import, alias: cst.ImportAlias) -> Imported | None:
    """`import cgi`, `import cgi as c`, `import cgikit.compat.cgi as c`."""
    dotted = alias.evaluated_name
    name = alias.evaluated_alias
    module = dotted.removeprefix(f"{_OURS}.")
    if module not in MODULES or (module != dotted and name is None):
        return None
    return Imported(node, alias, module, "", name or module, module != dotted)


def _part(node: cst.ImportFrom, alias: cst.ImportAlias) -> Imported | None:
    """`from cgi import escape`, `from cgikit.compat import cgi`."""
    origin, member = _origin(node), alias.evaluated_name
    name = alias.evaluated_alias or member
    if origin == _OURS and member in MODULES:
        return Imported(node, alias, member, "", name, True)
    module = origin.removeprefix(f"{_OURS}.")
    if module in MODULES:
        return Imported(node, alias, module, member, name, module != origin)
    return None


def groups(code: Code, beside: Container[str] = ()) -> list[Group]:
    """Return all groups of a module, in the order of their first imports.

    `beside` has the modules of these names that lie beside the program, which come before Python's.
    """
    found: dict[tuple[int, str], Group] = {}
    for statement, names in imported(code):
        fallback = _fallback(code, statement)
        for one in names:
            scope = code.scope(statement)
            if scope is None:
                continue
            group = found.setdefault((id(scope), one.name), Group(scope, one))
            group.imports.append(one)
            group.fallback = group.fallback or fallback
            if one.module in beside and not one.is_ours:
                group.fallback = (
                    f"takes {one.module}.py beside it; if that is a copy of the old module, delete it"
                    " and run this again"
                )
    for group in found.values():
        _read(code, group)
    _spread(list(found.values()))
    return list(found.values())


def _spread(found: list[Group]) -> None:
    """Leave a statement as a whole: what one of its names is left for holds for the others."""
    together: dict[int, list[Group]] = {}
    for group in found:
        for one in group.imports:
            together.setdefault(id(one.statement), []).append(group)
    waiting = [group for group in found if group.fallback]
    while waiting:
        group = waiting.pop()
        for one in group.imports:
            for other in together.pop(id(one.statement), ()):
                if not other.fallback:
                    other.fallback = group.fallback
                    waiting.append(other)


def _read(code: Code, group: Group) -> None:
    """Fill in the uses of a group, and what makes them doubtful."""
    statements = {id(one.statement) for one in group.imports}
    seen: set[int] = set()
    for assignment in group.scope.assignments[group.name]:
        node = assignment.node if isinstance(assignment, ImportAssignment) else None
        if id(node) not in statements:
            group.doubt = f"{group.name!r} is bound to something else as well"
        for access in assignment.references:
            if id(access.node) not in seen:
                seen.add(id(access.node))
                group.uses.append(_use(code, group, access.node))
    if any((one.module, one.member) != (group.module, group.member) for one in group.imports):
        group.doubt = f"{group.name!r} is bound to something else as well"
    if group.name in code.captured:
        group.doubt = f"{group.name!r} is a name in a pattern as well"
    if isinstance(group.scope, ClassScope):
        group.doubt = f"{group.name!r} is an attribute of a class"
    elif group.name in code.shared and not isinstance(group.scope, GlobalScope):
        group.doubt = f"{group.name!r} is bound by global or nonlocal"
    whole = (Edit(code.start(one.statement), code.end(one.statement), "") for one in group.imports)
    if code.loses_comment(whole):
        group.doubt = "there is a comment inside the import"
    group.uses.sort(key=lambda use: code.start(use.node))


def _use(code: Code, group: Group, node: cst.CSTNode) -> Use:
    member = group.member
    if not member:
        parent = code.parent(node)
        if isinstance(parent, cst.Attribute) and parent.value is node:
            node, member = parent, parent.attr.value
    parent = code.parent(node)
    call = parent if isinstance(parent, cst.Call) and parent.func is node else None
    return Use(node, member, call)


def _fallback(code: Code, statement: ImportStatement) -> str:
    """Return where a program deals with a missing module itself ("" where it does not)."""
    for outer, inner in code.parents(statement):
        if isinstance(outer, cst.FunctionDef | cst.Lambda):
            break
        if isinstance(outer, cst.Try) and inner is outer.body and _is_caught(code, outer):
            return "is in a try statement that handles its absence: look at it yourself"
        if isinstance(outer, cst.ExceptHandler) and _caught(outer) & _MISSING:
            return "is what is tried after another import has failed: look at it yourself"
        if isinstance(outer, cst.If) and _VERSION.search(code.source(outer.test)):
            return "depends on the version of Python: look at it yourself"
    return ""


def _is_caught(code: Code, statement: cst.Try) -> bool:
    names = {name for handler in statement.handlers for name in _caught(handler)}
    if names & _MISSING:
        return True
    # "except:" around a whole program is its error page; around nothing but imports it is a fallback
    imports_only = all(
        isinstance(small, cst.Import | cst.ImportFrom)
        for line in statement.body.body
        for small in (line.body if isinstance(line, cst.SimpleStatementLine) else [line])
    )
    return imports_only and bool(names & _BROAD or "" in names)


def _caught(handler: cst.ExceptHandler) -> set[str]:
    """Return the names of the exceptions that a handler catches; "" for all."""
    if handler.type is None:
        return {""}
    kinds = handler.type.elements if isinstance(handler.type, cst.Tuple) else [handler]
    return {
        get_full_name_for_node(kind.value if isinstance(kind, cst.Element) else handler.type) or "?"
        for kind in kinds
    }
