"""Internal. The debug page of a failure for the site's owner: the exception, where it was raised, what
it came from, the request, and all of it as text.

`debug.py` uses it in debug mode, and decides what may be shown of the environment; `debugframes.py`
makes the frames. This module makes the markup and escapes everything in it.
"""

import sys

from .debugframes import Frames, own_place, related
from .html import escape
from .knownsecrets import Known
from .masking import masked_source
from .request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType
    from typing import Any

    from .environ import MetaVariables

_MAX_DECORATORS = 20
_MAX_SHOWN = 300  # characters of the title, the method, the path, a name
_MAX_FIELDS = 50
_MAX_TEXT = 100_000  # characters of the text


def title_of(error: BaseException) -> str:
    """Return the line that names the error, such as `KeyError: 'a'` (str): the last of a traceback."""
    import traceback

    lines = "".join(traceback.format_exception_only(error)).splitlines()
    # A syntax error begins with the place, indented.
    title = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    title = masked_source(title)
    return title if len(title) <= _MAX_SHOWN else f"{title[:_MAX_SHOWN]}…"


def origin(error: BaseException, request: "MetaVariables") -> list[str]:
    """Return lines for the log that name the request and its handler: an empty list if the traceback
    already shows the script, or if no handler was called. The query is left out: it may contain
    secrets.
    """
    code = None if own_place(error) else _handler_code(request)[0]
    if code is None:
        return []
    return [
        f"The answer of this handler to {_request_line(request)} failed:",
        f'  File "{code.co_filename}", line {code.co_firstlineno}, in {code.co_qualname}',
    ]


def _request_line(request: "MetaVariables") -> str:
    """Return the method and the path, without the query."""
    path = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    return f"{request.method[:_MAX_SHOWN]} {path[:_MAX_SHOWN]}"


def secrets_of(error: BaseException, request: "MetaVariables | None") -> Known:
    """Return the secrets that the page of an error must not show: of the request, and of the variables
    in the frames of the error and of those that it came from.
    """
    known = Known()
    if request is not None:
        known.take_request(request.environ)
        if isinstance(request, Request):
            known.take_fields(request.fields_read())
    known.take_error(error)
    return known


def details(
    error: BaseException,
    traceback: str,
    environ: "Mapping[str, str]",
    request: "MetaVariables | None" = None,
    hide: "Known | None" = None,
) -> str:
    """Return the markup after the title: frames with the source of the script and the variables, the
    errors that it came from, the traceback, the request, the environment, and all of that as text.

    `traceback` is the whole traceback as text, `environ` is what may be shown (`debug.masked`), `hide`
    what `secrets_of` returned. If no frame of the script is in the traceback, the handler of `request`
    is shown.
    """
    known = secrets_of(error, request) if hide is None else hide
    frames = Frames(known.hide)
    own = own_place(error)
    place = ""
    if own is None and request is not None:
        code, names = _handler_code(request)
        place = frames.source(code, code.co_firstlineno, names) if code else ""
    others = "".join(
        f"<h2>{words} {escape(known.hide(title_of(one)))}</h2>\n{frames.of(one)}"
        for words, one in related(error)
    )
    text = known.hide(masked_source(traceback))
    asked = _request_rows(request) if request is not None else []
    return (
        f"{place}{frames.of(error, own)}{others}"
        f"<details{'' if own else ' open'}><summary>Traceback</summary>\n"
        f"<pre>{escape(text)}</pre></details>\n"
        f"{_table('Request', asked)}{_table('Environment', list(environ.items()))}"
        f"{_as_text(text, asked)}"
    )


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    """Return a table that is folded, or "" without rows."""
    markup = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>\n" for name, value in rows
    )
    table = f"<details><summary>{title}</summary>\n<table>{markup}</table></details>\n"
    return table if rows else ""


def _request_rows(request: "MetaVariables") -> list[tuple[str, str]]:
    """Return what is shown of a request: no values of fields. The body is not read for it."""
    environ = request.environ
    rows = [("Request", _request_line(request))]
    query = environ.get("QUERY_STRING", "").split("&", _MAX_FIELDS)[:_MAX_FIELDS]
    names = [one.partition("=")[0][:_MAX_SHOWN] for one in query if "=" in one]
    if names:
        rows.append(("Fields of the query", ", ".join(names)))
    form = request.names_read() if isinstance(request, Request) else ([], [])
    for title, found in zip(("Fields of the form", "Files"), form, strict=True):
        if found:
            rows.append((title, ", ".join([name[:_MAX_SHOWN] for name in found[:_MAX_FIELDS]])))
    kind = environ.get("CONTENT_TYPE", "").partition(";")[0][:_MAX_SHOWN]
    if kind:
        rows.append(("Body", f"{kind}, {environ.get('CONTENT_LENGTH', '')[:20] or '?'} bytes"))
    return rows


def _as_text(traceback: str, asked: list[tuple[str, str]]) -> str:
    """Return the error as text in a field of its own, in which "select all" selects nothing else."""
    from cgikit import __version__

    lines = [f"{name}: {value}" for name, value in asked]
    lines += [f"Python {sys.version.split()[0]}, cgikit {__version__}", "", traceback]
    text = "\n".join(lines)[:_MAX_TEXT]
    return (
        "<details><summary>As text, to copy</summary>\n"
        f'<textarea readonly rows="16" aria-label="The error as text">\n{escape(text)}</textarea>'
        "</details>\n"
    )


def _handler_code(request: "MetaVariables") -> "tuple[CodeType | None, dict[str, Any]]":
    """Return the code of the handler of `request`, without its decorators, and the names of its module;
    None and an empty dict if there is none that is written in Python.
    """
    handler = getattr(request, "handler", None)
    for _ in range(_MAX_DECORATORS):
        inner = getattr(handler, "__wrapped__", None) or getattr(handler, "func", None)
        if inner is None:
            break
        handler = inner
    if not hasattr(handler, "__code__"):
        handler = getattr(type(handler), "__call__", None)  # noqa: B004
    return getattr(handler, "__code__", None), getattr(handler, "__globals__", {})
