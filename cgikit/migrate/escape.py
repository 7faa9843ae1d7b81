"""Rule `escape` (safe): `cgi.escape(x)` becomes `html.escape(x, quote=False)`.

Python 3.8 removed `cgi.escape`. Both replace `&`, `<` and `>`, in this order; a quote argument is
kept. With one, `html.escape` also replaces `'` by `&#x27;`, which every browser shows as the same
character. If `escape` is passed on and not called, its default would change: that use becomes one of
`cgikit.compat`.
"""

import libcst as cst

from .bindings import Group, Use
from .edits import Edit
from .spelling import spell
from .work import Rewritten, Work

MEMBERS = ("escape",)
_KEYWORDS = {"s", "quote"}


def rewrite(work: Work, group: Group, use: Use) -> Rewritten | None:
    """Return what becomes of one use; None if it is not sure."""
    code = work.code
    if use.call is None or not 1 <= len(use.call.args) <= 2:
        return None
    for arg in use.call.args:
        named = arg.keyword is not None and arg.keyword.value not in _KEYWORDS
        if arg.star or named or isinstance(arg.value, cst.GeneratorExp):
            return None
    spelling = spell(code, group, "html", "escape")
    if spelling is None:
        return None
    edits = [code.replace(use.node, spelling.expression)]
    if len(use.call.args) == 1:
        end = code.end(use.call.args[0])
        edits.append(Edit(end, end, ", quote=False"))
    return Rewritten(spelling.need, edits)
