"""Error pages and log entries: what visitors see, and what only the log contains.

A visitor sees the status and, if the request was at fault, the reason. For a bug the page shows an
incident number; the traceback is logged under that number. It is shown in the page only in debug mode,
escaped, with every value of the environment hidden that could be a secret.
"""

import os

from . import process
from .errors import CGIError, HTTPError, MissingFile, SessionMoved
from .html import escape
from .request import Request
from .response import Response
from .status import REASONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TextIO

    from .environ import MetaVariables

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
html {{ background: Canvas; }}
body {{ font: 1rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 8vh auto; padding: 0 1.5rem; }}
h1 {{ font-size: 1.5rem; font-weight: 600; line-height: 1.3; overflow-wrap: anywhere; }}
p {{ overflow-wrap: anywhere; }}
pre, td {{ font: .85rem/1.5 ui-monospace, monospace; overflow-wrap: anywhere; white-space: pre-wrap; }}
pre {{ padding: 1rem; border-radius: .5rem; background: #8882; }}
td {{ vertical-align: top; padding: .1rem 1rem .1rem 0; }}
summary {{ cursor: pointer; font-weight: 600; margin: 1rem 0 .5rem; overflow-wrap: anywhere; }}
mark {{ background: #e113; color: inherit; font-weight: 600; }}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""
# Only the style sheet above has an effect, whatever else gets into the page.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "style-src 'sha256-qhxllEbGdAoRz882REIdYZ2uHbiMEhMv4Frwe9eqUVc='"
)
_FIELDS = (("Content-Security-Policy", _POLICY), ("X-Content-Type-Options", "nosniff"))
_TO_VISITORS = (
    "The script failed. You did nothing wrong; the site's owner can find the cause in the server's log "
    "under this number:"
)


def answer_error(
    error: BaseException,
    request: "MetaVariables",
    details: bool,
    stream: "TextIO | None" = None,
) -> Response:
    """Return the page for an error, and log the error if the server is at fault (500 and higher).

    `details` adds what visitors do not see: for a bug the traceback and the environment, for other
    errors the full message. `stream` is the log (default: standard error).
    """
    incident = new_incident()
    if isinstance(error, CGIError):
        try:
            if details and error.status >= 500 and not isinstance(error, HTTPError):
                page = _owner_page(
                    error, incident, request, error.status, error.message, error.headers
                )
            else:
                page = error_page(
                    error.status,
                    error.message,
                    error.headers,
                    incident if error.status >= 500 else "",
                    str(error) if details else "",
                )
            _mark(page, request)
        except Exception as second:  # its status or headers cannot be sent, which is a bug
            second.__cause__ = error
            error = second
        else:
            if isinstance(error, SessionMoved):  # after a double click; not an error of the script
                _write([f"[incident {incident}] {error.status} SessionMoved: {error}"], stream)
            elif error.status >= 500:
                log(error, incident, stream, request)
            # The script may be at fault, so the log names the file.
            elif isinstance(error, MissingFile):
                _write([f"cgikit: {error.status}: {error}"], stream)
            return page
    log(error, incident, stream, request)
    return _mark(incident_page(error, incident, request, details), request)


def _mark(page: Response, request: "MetaVariables") -> Response:
    """Return the page, with the cookie of the session if that was saved before the error."""
    if isinstance(request, Request):
        request.mark(page)
    return page


def error_page(
    status: int,
    message: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    incident: str = "",
    details: str = "",
) -> Response:
    """Return a plain page for an HTTP status. It shows `message` (escaped), `details`, which is for
    the site's owner, if that differs, and the incident number under which the log has more, if any.
    """
    title = f"{status} {REASONS.get(status, 'Error')}"
    content = f"<p>{escape(message)}</p>" if message else ""
    if details and details != message:
        content += f"\n<p>Not shown to visitors:</p>\n<pre>{escape(details)}</pre>"
    if incident:
        content += f"\n<pre>incident {incident}</pre>"
    return _sealed(Response(_PAGE.format(title=title, content=content), status, headers))


def incident_page(
    error: BaseException, incident: str, request: "MetaVariables", details: bool
) -> Response:
    """Return the page for a bug: its incident number and, with `details`, the traceback."""
    if details:
        return _owner_page(error, incident, request)
    content = f"<p>{_TO_VISITORS}</p>\n<pre>incident {incident}</pre>"
    return _sealed(Response(_PAGE.format(title="500 Internal Server Error", content=content), 500))


def _owner_page(
    error: BaseException,
    incident: str,
    request: "MetaVariables",
    status: int = 500,
    message: str = _TO_VISITORS,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Return the page of a failure for the owner. Visitors see only the message and the number."""
    from . import debugpage

    content = debugpage.details(error, traceback_of(error), masked(request.environ), request)
    kind = f"{status} {REASONS.get(status, 'Error')}"
    content += (
        "\n<p>Visitors see only this:</p>\n"
        f"<pre>{kind}\n{escape(message)}{chr(10) * bool(message)}incident {incident}</pre>"
    )
    title = escape(debugpage.title_of(error))
    return _sealed(Response(_PAGE.format(title=title, content=content), status, headers))


def _sealed(page: Response) -> Response:
    """Return an error page with the header fields that all of them have."""
    for name, value in _FIELDS:
        if name not in page.headers:  # an HTTPError may have set its own
            page.headers[name] = value
    page.cache_control = "no-store"
    return page


def log(
    error: BaseException,
    incident: str,
    stream: "TextIO | None" = None,
    request: "MetaVariables | None" = None,
) -> None:
    """Write the traceback of an error to `stream` (default: standard error), each line preceded by the
    incident number. If no line of the script is in it, the entry names the handler of `request`.

    Control characters are escaped, so a client cannot forge a line of the log. If the log is
    closed, the entry is lost; that is not an error.
    """
    lines = traceback_of(error).splitlines()
    if request is not None:
        from .debugpage import origin

        lines[:0] = origin(error, request)
    _write([f"[incident {incident}] {line}" for line in lines], stream)


def _write(lines: list[str], stream: "TextIO | None") -> None:
    process.write_log("\n".join([_printable(line) for line in lines]) + "\n", stream)


def new_incident() -> str:
    """Return a new incident number, by which an error is found in the log: eight random hex digits."""
    return os.urandom(4).hex()


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error as Python prints it (str)."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip()


def masked(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment as a page may show it: every name, and the values that are not secret.

    Those are CGI's own variables and the header fields that all clients send. Of a query the names of
    the fields are shown. A variable with the prefix REDIRECT_ is treated as the one without it.
    """
    from . import maskedenviron

    return maskedenviron.masked(environ)


def _printable(line: str) -> str:
    return "".join([c if c.isprintable() else c.encode("unicode_escape").decode() for c in line])
