"""Rule `parse_header` (--unsafe): `cgi.parse_header` becomes cgikit's.

Both give the same for every value that follows RFC 9110. They differ in what does not: of a
parameter that comes twice cgikit takes the first (the old one the last), and a value whose quote is
not closed it leaves out. A program cannot tell what it will be sent, so without `--unsafe` the call
goes to `cgikit.compat`, where nothing differs.
"""

from .bindings import Group, Use
from .spelling import spell
from .work import Rewritten, Work

MEMBERS = ("parse_header",)


def rewrite(work: Work, group: Group, use: Use) -> Rewritten | None:
    """Return what becomes of one use; None without `--unsafe`, or if no name is free."""
    spelling = spell(work.code, group, "cgikit", "parse_header") if work.unsafe else None
    if spelling is None:
        return None
    return Rewritten(spelling.need, [work.code.replace(use.node, spelling.expression)])
