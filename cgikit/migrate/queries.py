"""Rule `queries` (safe): `cgi.parse_qs` and `cgi.parse_qsl` become those of `urllib.parse`.

Until Python 3.8 they were these functions under an old name, with the same arguments. What has
changed since Python 2 is in `urllib.parse` itself: `;` no longer separates fields
(CVE-2021-23336).
"""

from .bindings import Group, Use
from .spelling import spell
from .work import Rewritten, Work

MEMBERS = ("parse_qs", "parse_qsl")


def rewrite(work: Work, group: Group, use: Use) -> Rewritten | None:
    """Return what becomes of one use; None if no name is free."""
    spelling = spell(work.code, group, "urllib.parse", use.member)
    if spelling is None:
        return None
    return Rewritten(spelling.need, [work.code.replace(use.node, spelling.expression)])
