"""Rule `unused` (safe): an import of `cgi` or `cgitb` that nothing uses is removed.

Many were added by an editor. It is removed only if no use can be hidden: the name is nowhere else in
the file, not even as an attribute, no string or comment mentions it, the program has no `eval`,
`exec`, `globals`, `locals`, `vars` or `__dict__` and does not look itself up in `sys.modules`,
`__all__` does not list it, the line has no `noqa`, the file is not an `__init__.py`, and no other
file that is given, or lies beside it, imports the name from this one. Otherwise it becomes an import
from `cgikit.compat`, which means the same. If all uses of an import were rewritten, it is removed on
the same conditions, except that `noqa` and comments do not count unless they give a type; otherwise
it stays beside the new import.
"""

import libcst as cst

from .bindings import Group
from .hiding import Hiding
from .work import Work


def goes(work: Work, group: Group) -> bool:
    """Whether the import of a group can be removed, once no use of it that can be seen is left."""
    if work.hiding is None:
        work.hiding = Hiding(work.code)
    hiding = work.hiding
    return not (
        group.doubt
        or hiding.reflects
        or group.name in hiding.words
        or any(
            one.alias.asname and one.alias.evaluated_alias == one.module for one in group.imports
        )
        or (not group.uses and group.name in hiding.comments)
        or (not group.uses and any(_is_meant(work, one.statement) for one in group.imports))
        or work.exported(group.name)
    )


def _is_meant(work: Work, statement: cst.CSTNode) -> bool:
    line = work.code.parent(statement)
    comment = getattr(getattr(line, "trailing_whitespace", None), "comment", None)
    return isinstance(comment, cst.Comment) and "noqa" in comment.value.lower()
