"""The import statements of a file, once it is known what each imported name has become.

An alias stays where it is if it can, so that a statement keeps its form; others go, and what they
have become is imported right behind. A statement of which nothing is left is removed with its
line, or becomes `pass` where a block would be empty.
"""

from collections.abc import Iterable, Sequence

import libcst as cst

from .bindings import Imported, ImportStatement
from .code import Code
from .edits import Edit
from .work import Need

Becomes = dict[Imported, list[Need]]


def compat(one: Imported) -> Need:
    """Return the import that means the same as this one, from `cgikit.compat`."""
    own = one.member or one.module
    origin = f"cgikit.compat.{one.module}" if one.member else "cgikit.compat"
    return Need(origin, own, one.name if one.name != own else "")


def rewrite(
    code: Code, statement: ImportStatement, names: list[Imported], becomes: Becomes
) -> tuple[list[Edit], bool]:
    """Return the changes of one statement, and whether it goes as a whole.

    `names` are those of its names that are in `becomes`.
    """
    aliases = list(statement.names) if not isinstance(statement.names, cst.ImportStar) else []
    ours = {id(one.alias): one for one in names}
    # `import cgi, os` cannot become `from cgikit.compat import cgi, os`
    mixed = isinstance(statement, cst.Import) and not all(
        id(alias) in ours and not ours[id(alias)].is_ours for alias in aliases
    )
    stay, new, moved = [], [], False
    for alias in aliases:
        one = ours.get(id(alias))
        needs = list(becomes[one]) if one else []
        if one and compat(one) in needs and (one.is_ours or not mixed):
            needs.remove(compat(one))
            moved = moved or not one.is_ours
            stay.append(alias)
        elif one is None:
            stay.append(alias)
        new += needs
    statements = written(dict.fromkeys(new))
    if not stay:
        text = separator(code, statement).join(statements)
        return ([code.replace(statement, text)], False) if text else ([], True)
    edits = _without(code, aliases, stay)
    if moved:
        edits.append(_head(code, statement, aliases[0]))
    between = separator(code, statement)
    if mixed:
        end = code.end(statement)
        edits += [Edit(end, end, between + text) for text in statements]
    else:  # what stays comes from cgikit.compat, and so comes last
        start = code.start(statement)
        edits += [Edit(start, start, text + between) for text in statements]
    return edits, False


def _head(code: Code, statement: ImportStatement, first: cst.ImportAlias) -> Edit:
    if isinstance(statement, cst.Import):
        return Edit(code.start(statement), code.start(first), "from cgikit.compat import ")
    assert statement.module is not None  # noqa: S101  # `from cgi import` names one
    return code.replace(statement.module, f"cgikit.compat.{code.source(statement.module)}")


def _without(code: Code, all_of: Sequence[cst.CSTNode], stay: Sequence[cst.CSTNode]) -> list[Edit]:
    """Return the changes that remove what does not stay from a row, with the separators between."""
    edits = []
    kept, behind_one = {id(one) for one in stay}, False
    for index, node in enumerate(all_of):
        if id(node) in kept:
            behind_one = True
        elif behind_one:
            edits.append(Edit(code.end(all_of[index - 1]), code.end(node), ""))
        else:
            edits.append(Edit(code.start(node), code.start(all_of[index + 1]), ""))
    return edits


def written(needs: Iterable[Need]) -> list[str]:
    """Return import statements: modules first, then one line for each origin."""
    needs = list(needs)
    needs.sort(key=lambda need: need.origin.startswith("cgikit"))  # what is Python's own first
    lines = [f"import {need.origin}" for need in needs if not need.name]
    origins: dict[str, list[str]] = {}
    for need in needs:
        if need.name:
            origins.setdefault(need.origin, []).append(need.part)
    return [*lines, *(f"from {origin} import {', '.join(p)}" for origin, p in origins.items())]


def separator(code: Code, statement: cst.CSTNode) -> str:
    """Return what separates a statement from a new one before or behind it: a line end, or `; `."""
    line = code.parent(statement)
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) > 1:
        return "; "
    start = code.start(statement)
    return code.module.default_newline + code.between(code.line_start(start), start)


def removals(code: Code, gone: list[cst.CSTNode]) -> list[Edit]:
    """Return the changes that remove whole statements, and lines in which nothing else is."""
    edits = []
    lines: list[cst.CSTNode] = []
    out = {id(one) for one in gone}
    for line in _parents(code, gone):
        assert isinstance(line, cst.SimpleStatementLine | cst.SimpleStatementSuite)  # noqa: S101
        stay = [small for small in line.body if id(small) not in out]
        if stay:
            edits += _without(code, line.body, stay)
        elif isinstance(line, cst.SimpleStatementSuite):
            edits.append(Edit(code.start(line.body[0]), code.end(line.body[-1]), "pass"))
        else:
            lines.append(line)
    out = {id(line) for line in lines}
    for block in _parents(code, lines):
        body = block.body if isinstance(block, cst.Module | cst.IndentedBlock) else ()
        removed = [line for line in body if id(line) in out]
        if isinstance(block, cst.IndentedBlock) and len(removed) == len(body):
            first = removed.pop(0)
            assert isinstance(first, cst.SimpleStatementLine)  # noqa: S101
            edits.append(Edit(code.start(first.body[0]), code.end(first.body[-1]), "pass"))
        edits += [_line_gone(code, line) for line in removed]
    return edits


def _parents(code: Code, nodes: Iterable[cst.CSTNode]) -> list[cst.CSTNode]:
    found = {id(parent): parent for node in nodes if (parent := code.parent(node))}
    return list(found.values())


def _line_gone(code: Code, line: cst.CSTNode) -> Edit:
    assert isinstance(line, cst.SimpleStatementLine)  # noqa: S101
    end = code.end(line.body[-1])
    start = code.line_start(code.start(line.body[0]))
    return Edit(start, code.line_end(end), "")
