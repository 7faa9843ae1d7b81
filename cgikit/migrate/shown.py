"""Rule `shown` (only shown): places where you have to decide, with what to write.

Nothing is changed. A subclass or an `isinstance` depends on the internals of the old class, and
printed headers become part of a `Response` only if the whole script becomes a handler: both changes
are too large for a rule.
"""

import re

import libcst as cst

from .contexts import text_of
from .work import Work

_RULE = "shown"
_CLASSES = ("FieldStorage", "MiniFieldStorage")
#: Headers that scripts print: what a handler says instead.
_INSTEAD = {
    "content-type": "return Response.html(page), or Response(body, content_type=…)",
    "status": "raise HTTPError(404), or Response(…, status=…)",
    "location": "return Response.redirect(url)",
    "set-cookie": "response.set_cookie(name, value)",
    "content-disposition": "response.attachment(name)",
    "expires": "response.expires = …",
}
_HEADER = re.compile(r"\s*([A-Za-z-]+)\s*:")


def look(work: Work) -> None:
    """Report subclasses, `isinstance`, and printed headers in a file that uses `cgi` or `cgitb`."""
    if not work.groups:
        return
    for name in _CLASSES:
        for use in work.uses("cgi", name):
            _look_at_class(work, use.node, name)
    seen: set[str] = set()
    for call in work.code.each(cst.Call):
        header = _printed(work, call)
        if header and header.lower() not in seen:
            seen.add(header.lower())
            work.note(
                work.code.line(call),
                _RULE,
                f"prints {header}; with a handler it is: {_INSTEAD[header.lower()]}",
            )


def _look_at_class(work: Work, node: cst.CSTNode, name: str) -> None:
    code = work.code
    for outer, inner in code.parents(node):
        if isinstance(outer, cst.ClassDef):
            if any(inner is base for base in outer.bases):
                work.note(
                    code.line(outer),
                    _RULE,
                    f"class {outer.name.value} is a {name}; uploads of a Request go where"
                    " Request(upload_dir=…) says, and Upload.save keeps them",
                )
            return
        if isinstance(outer, cst.Call) and code.source(outer.func) == "isinstance":
            text = (
                f"tests whether something is a {name}; a Request has text in .form, files in .files"
            )
            work.note(code.line(outer), _RULE, text)
            return
        if isinstance(outer, cst.BaseSmallStatement | cst.BaseCompoundStatement):
            return


def _printed(work: Work, call: cst.Call) -> str:
    """Return the name of the header that a call prints, "" if none."""
    function = work.code.source(call.func)
    if function not in ("print", "sys.stdout.write", "sys.stdout.buffer.write") or not call.args:
        return ""
    first = call.args[0].value
    while isinstance(first, cst.BinaryOperation):
        first = first.left
    text = text_of(first)
    if isinstance(first, cst.FormattedString) and first.parts:
        head = first.parts[0]
        text = head.value if isinstance(head, cst.FormattedStringText) else None
    if text is None and isinstance(first, cst.SimpleString) and first.prefix.lower() in ("b", "rb"):
        text = first.raw_value
    found = _HEADER.match(text or "")
    return found[1] if found and found[1].lower() in _INSTEAD else ""
