"""Rule `parse_header` (--unsafe): `cgi.parse_header` becomes cgikit's.

Both return the same for every value that follows RFC 9110. For others they differ: of a repeated
parameter cgikit takes the first (the old one the last), and it leaves out a value whose quote is not
closed. A program cannot know what it will be sent, so without `--unsafe` the call goes to
`cgikit.compat`, which behaves as before.
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
