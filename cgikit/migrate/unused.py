"""Rule `unused` (safe): an import of `cgi` or `cgitb` that nothing uses is removed.

Many were added by an editor. It is removed only if no use can be hidden: the name is nowhere else in
the file, no string or comment mentions it, the program has no `eval`, `exec`, `globals`, `locals`
or `vars`, `__all__` does not list it, the line has no `noqa`, the file is not an `__init__.py`, and
no other file that is given, or lies beside it, imports the name from this one. Otherwise it becomes
an import from `cgikit.compat`, which means the same.
"""

import re

import libcst as cst

from .bindings import Group
from .work import Work


def goes(work: Work, group: Group) -> bool:
    """Whether a group that has no uses can be removed."""
    code = work.code
    word = re.compile(rf"(?<![\w/.@-]){re.escape(group.name)}(?![\w/-])")
    texts = [*code.comments(), *(code.source(node) for node in code.each(cst.SimpleString))]
    texts += [code.source(node) for node in code.each(cst.FormattedString)]
    return not (
        group.uses
        or group.doubt
        or code.reflects
        or any(
            one.alias.asname and one.alias.evaluated_alias == one.module for one in group.imports
        )
        or any(word.search(text) for text in texts)
        or any("noqa" in _comment(work, one.statement).lower() for one in group.imports)
        or work.exported(group.name)
    )


def _comment(work: Work, statement: cst.CSTNode) -> str:
    line = work.code.parent(statement)
    comment = getattr(getattr(line, "trailing_whitespace", None), "comment", None)
    return comment.value if isinstance(comment, cst.Comment) else ""
