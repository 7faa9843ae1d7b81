"""What is appended to a part of a page whose script has failed, so that its owner sees it wherever the
page broke off: inside of a tag, a comment, a script or a style sheet (the states of the tokenizer in
the HTML standard, section 13.2.5). Internal.

Values in, markup out; everything is escaped.
"""

from .characters import printable
from .html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

#: Ends what a script may have left open. Outside of tags and comments the first part is a comment; in
#: the value of an attribute its quotes end that, and in a comment or a script the arrow does.
CLOSERS = (
    "<!-- '\"> --></script></style></textarea></title></select></template></noscript></iframe></xmp>"
    "</svg></math></button></object></pre></blockquote></table></table></dialog></details>"
    "</a></b></big></code></em></font></i></s></small></strike></strong></tt></u>"
)
_BOX = (
    "all:revert;display:block;clear:both;margin:1rem 0;padding:.75rem 1rem;background:#fff4ec;"
    "color:#1d2330;border-left:4px solid #9a3412;font:1rem/1.5 system-ui,sans-serif;"
    "box-sizing:border-box;max-width:calc(100vw - 1rem);overflow-wrap:anywhere"
)
_LOG = (
    "all:revert;margin:.5rem 0 0;font:.875rem/1.5 ui-monospace,monospace;white-space:pre-wrap;"
    "overflow-wrap:anywhere"
)
_MAX_LINE = 2_000  # characters of a line


def appendix(what: str, kind: str, lines: "Iterable[str]" = ()) -> bytes:
    """Return what is appended to the output of a script that failed, for the person who owns it
    (ASCII): what went wrong, and lines that say more.

    `kind` is the answer's Content-Type; b"" if that is neither HTML nor plain text.
    """
    media = kind.partition(";")[0].strip().lower()
    what, said = printable(what[:_MAX_LINE]), [printable(line[:_MAX_LINE]) for line in lines]
    if media == "text/plain":
        return "\n".join(["\n", what, *said, ""]).encode("ascii", "backslashreplace")
    if media != "text/html":
        return b""
    detail = f'<pre style="{_LOG}">{escape(chr(10).join(said))}</pre>' if said else ""
    return (
        f'{CLOSERS}<section role="alert" style="{_BOX}"><b>{escape(what)}</b>{detail}</section>\n'
    ).encode("ascii", "xmlcharrefreplace")
