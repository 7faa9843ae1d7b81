"""One file, rewritten: the rules applied to its uses of `cgi` and `cgitb`, and its imports put
right.

`rewrite` takes bytes and returns bytes. The result is parsed again before it is returned, so a rule
can never write an invalid program.
"""

import ast
from collections import Counter
from collections.abc import Callable, Container
from typing import NamedTuple

import libcst as cst

from . import compat, escape, fieldstorage, hidden, parseheader, python2, queries, shown, unused
from .bindings import Group, Imported, Use, groups, stars
from .code import Code
from .edits import Edit, Overlap, apply
from .imports import Becomes, removals
from .imports import compat as from_compat
from .imports import rewrite as rewrite_import
from .source import NotMigrated, Source, mentions
from .work import Need, Note, Rewritten, Work

#: The rules for a use, each with a `rewrite` and the members of `cgi` that it is for.
_RULES = (escape, queries, parseheader, fieldstorage)

_UNSAFE = ("fieldstorage", "parseheader")  # the rules for which `unsafe` is needed


class Outcome(NamedTuple):
    """The result for a file: its content (None: unchanged), the notes, the rules applied, and how
    many places more `unsafe` would rewrite.
    """

    data: bytes | None
    notes: list[Note]
    applied: Counter[str]
    more: int = 0


def rewrite(
    data: bytes,
    *,
    unsafe: bool = False,
    exported: Callable[[str], bool] = lambda name: False,
    beside: Container[str] = (),
) -> Outcome:
    """Rewrite a program; `unsafe` adds the rules that change what a script does in odd cases.

    `exported` tells whether another file uses a variable of this one, and `beside` has the names of
    modules that lie beside it and so come before Python's. Raises `NotMigrated` for what is not
    a program of Python 3, or was generated.
    """
    if not mentions(data):
        return Outcome(None, [], Counter())
    source = Source(data)
    source.check_generated()
    python2.check(source.text)
    code = Code(source.text)
    work = Work(code, groups(code, beside), unsafe, exported)
    applied = _rewrite(work)
    for look in (shown.look, hidden.look):
        look(work)
    work.notes.sort()
    more = 0
    if not unsafe:
        could = _rewrite(Work(code, groups(code, beside), True, exported))
        more = sum(could[rule] - applied[rule] for rule in _UNSAFE)
    if not work.edits:
        return Outcome(None, work.notes, applied, more)
    try:
        text = apply(code.data, work.edits).decode()
        ast.parse(text)
    except (Overlap, SyntaxError) as error:
        raise NotMigrated(
            f"its rewritten form would not be a valid program: {error}; please report it"
        ) from error
    return Outcome(source.encoded(text), work.notes, applied, more)


def _rewrite(work: Work) -> Counter[str]:
    applied: Counter[str] = Counter()
    becomes: Becomes = {}
    for group in work.groups:
        if group.fallback:
            line = work.code.line(group.imports[0].statement)
            work.note(
                line,
                "imports",
                f"the import of {group.module} {group.fallback}",
            )
            continue
        needs = _needs(work, group, applied)
        for one in group.imports:
            own = from_compat(one)
            becomes[one] = [own if need is None else need for need in needs]
            applied["compat"] += own in becomes[one] and not one.is_ours
    statements: dict[int, list[Imported]] = {}
    for one in becomes:
        statements.setdefault(id(one.statement), []).append(one)
    gone: list[cst.CSTNode] = []
    for names in statements.values():
        edits, goes = rewrite_import(work.code, names[0].statement, names, becomes)
        work.edits += edits
        gone += [names[0].statement] if goes else []
    work.edits += removals(work.code, gone)
    for star, _ in stars(work.code):
        edit = compat.star(work.code, star)
        work.edits += edit
        applied["compat"] += len(edit)
    return applied


def _needs(work: Work, group: Group, applied: Counter[str]) -> list[Need | None]:
    """Return the imports that a group's become; None stands for the same name from `cgikit.compat`."""
    if group.doubt:
        line = work.code.line(group.imports[0].statement)
        work.note(line, "imports", f"{group.doubt}: only the import was changed, not its uses")
        return [None]
    goes = unused.goes(work, group)
    if not group.uses:
        applied["unused"] += goes
        return [] if goes else [None]
    rewritten = [(use, *_by_rule(work, group, use)) for use in group.uses]
    if _clash(group, [made for _, _, made in rewritten], goes):
        return [None]
    needs: dict[Need | None, None] = {} if goes else {None: None}
    edits: list[Edit] = []
    for _, rule, made in rewritten:
        if made is None:
            needs[None] = None
        else:
            applied[rule] += 1
            edits += made.edits
            needs.update({made.need: None} if made.need else {})
    work.edits += edits
    # what is new first, as the imports of the standard library stand before others
    return sorted(needs, key=lambda need: need is None)


def _by_rule(work: Work, group: Group, use: Use) -> tuple[str, Rewritten | None]:
    for rule in _RULES if group.module == "cgi" else ():
        if use.member in rule.MEMBERS:
            name = rule.__name__.rpartition(".")[2]
            made = rule.rewrite(work, group, use)
            if made and work.code.is_printed(made.edits):
                say = "an f-string prints this expression as it is written ({x=}): it stays"
                work.note(work.code.line(use.node), name, say)
                return name, None
            return name, None if made and work.code.loses_comment(made.edits) else made
    return "", None


def _clash(group: Group, made: list[Rewritten | None], goes: bool) -> bool:
    """Whether one name would have to be two things: `escape`, called here and passed on there."""
    binding = {one.need.binds for one in made if one and one.need}
    return group.member != "" and (None in made or not goes) and group.name in binding
