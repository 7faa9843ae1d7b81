"""Internal. Renders a request as HTML for the developer of a script, without secrets.

`Request.inspect` uses it. A secret can have any name, so values of fields are shown only on request,
those of cookies and sessions never, and those of the environment as `maskedenviron` decides. Everything
is escaped. The markup has no class, id or script, and fits into any page.
"""

from .characters import printable
from .html import escape
from .maskedenviron import HIDDEN, masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Protocol

    from .multidict import MultiDict, MultiMap
    from .upload import Upload

    Rows = Iterable[tuple[str, str]]

    class Inspected(Protocol):
        """What is shown of a request, as `Request` has it."""

        environ: Mapping[str, str]

        @property
        def method(self) -> str:
            """The method."""

        @property
        def query(self) -> MultiDict:
            """The fields of the query."""

        @property
        def form(self) -> MultiDict:
            """The fields of the form."""

        @property
        def files(self) -> MultiMap[Upload]:
            """The uploads."""

        @property
        def cookies(self) -> MultiMap[str]:
            """The cookies."""

        def url(self, *, query: bool = True) -> str:
            """Return the URL."""


_MAX_VALUE = 1_000  # characters of a value: a page for people
# In the elements, because a piece of a page cannot have a style sheet of its own
_CAPTION = "font-weight: bold; padding-top: .5em; text-align: left"
_NAME = "font-weight: normal; min-width: 6em; padding-right: 1em; text-align: left"


def markup(
    request: "Inspected", session: "Callable[[], Iterable[str]] | None", values: bool = False
) -> str:
    """Return tables with the parts of a request (str, HTML). A part that cannot be read shows why.

    `values` shows the values of the query, of the form and the names of files. `session` returns the
    keys of the session.
    """

    def shown(value: str) -> str:
        return value if values or not value else f"({_length(value)})"

    def fields(found: "MultiDict") -> "Rows":
        for name, value in found.pairs():
            # A word without a value may be a secret (`?token`), also one that ends with "=" (base64).
            yield name if values or value.strip("=") else HIDDEN, shown(value)

    parts: list[tuple[str, Callable[[], Rows]]] = [
        ("Request", lambda: [("Method", request.method), ("URL", request.url(query=values))]),
        ("Query", lambda: fields(request.query)),
        ("Form", lambda: fields(request.form)),
        ("Files", lambda: _files(request.files, shown)),
        ("Cookies", lambda: [(name, HIDDEN) for name, _ in request.cookies.pairs()]),
    ]
    if session is not None:
        parts.append(("Session", lambda: [(name, HIDDEN) for name in session()]))
    tables = "".join([_table(title, rows) for title, rows in parts])
    environment = _table("Variables", lambda: masked(request.environ).items())
    return (
        f'<div style="overflow-wrap: anywhere">\n{tables}'
        f"<details>\n<summary>Environment</summary>\n{environment}</details>\n</div>\n"
    )


def _files(files: "MultiMap[Upload]", shown: "Callable[[str], str]") -> "Rows":
    for name, file in files.pairs():
        details = (shown(file.filename), file.content_type, f"{file.size:,} bytes")
        yield name, ", ".join(filter(None, details))


def _table(title: str, rows: "Callable[[], Rows]") -> str:
    from .errors import CGIError, StateError

    try:
        lines = [
            f'<tr style="vertical-align: top"><th scope="row" style="{_NAME}">{_text(name)}</th>'
            f"<td>{_text(value)}</td></tr>\n"
            for name, value in rows()
        ]
    except (CGIError, StateError) as error:
        lines = [f"<tr><td>not read: {_text(str(error))}</td></tr>\n"]
    content = "".join(lines) or "<tr><td>none</td></tr>\n"
    return f'<table>\n<caption style="{_CAPTION}">{title}</caption>\n{content}</table>\n'


def _text(value: str) -> str:
    """Return a text as markup: cut, with line breaks, and with escapes for what does not print."""
    text = value[:_MAX_VALUE].replace("\r\n", "\n")
    text = printable(text, keep="\n")
    more = f"… ({_length(value)})" if len(value) > _MAX_VALUE else ""
    return escape(text).replace("\n", "<br>\n") + more


def _length(value: str) -> str:
    return f"{len(value):,} character{'s' * (len(value) != 1)}"
