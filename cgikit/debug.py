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
    from collections.abc import Callable, Mapping
    from typing import TextIO

    from .environ import MetaVariables
    from .uncaught import Watched

    OnError = Callable[["Failure"], "Response | str | None"]

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
h2 {{ font-size: 1rem; margin: 2rem 0 0; overflow-wrap: anywhere; }}
pre, td, textarea {{ font: .85rem/1.5 ui-monospace, monospace; white-space: pre-wrap; }}
pre, td, summary {{ overflow-wrap: anywhere; }}
pre {{ padding: 1rem; border-radius: .5rem; background: #8882; }}
td {{ vertical-align: top; padding: .1rem 1rem .1rem 0; }}
td:first-child {{ min-width: 5rem; }}
summary {{ cursor: pointer; font-weight: 600; margin: 1rem 0 .5rem; }}
textarea {{ box-sizing: border-box; width: 100%; padding: 1rem; }}
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
    "style-src 'sha256-KHEPdfSmejDPWSXIjO+nxkjiw0DpmfWXpTeycnvTs0E='"
)
_FIELDS = (("Content-Security-Policy", _POLICY), ("X-Content-Type-Options", "nosniff"))
_TO_VISITORS = "The script failed. You did nothing wrong."
_WITH_NUMBER = (
    f"{_TO_VISITORS} The site's owner can find the cause in the server's log under this number:"
)


class Failure:
    """A failed request, as an `on_error` function gets it.

    `.error` is the exception, `.request` the request, `.status` the HTTP status of the answer (int),
    `.message` what visitors are told (str), `.incident` the number under which the log has more (str,
    "" if nothing was logged), and `.sent` whether part of another answer was sent already (bool); then
    no page can follow.
    """

    def __init__(
        self,
        error: BaseException,
        request: "MetaVariables",
        status: int,
        message: str,
        incident: str,
        sent: bool,
    ) -> None:
        self.error = error
        self.request = request
        self.status = status
        self.message = message
        self.incident = incident
        self.sent = sent

    def __repr__(self) -> str:
        return f"<Failure {self.status} {type(self.error).__name__}>"


def answer_error(
    error: BaseException,
    request: "MetaVariables",
    details: bool,
    stream: "TextIO | None" = None,
    *,
    sent: bool = False,
    on_error: "OnError | None" = None,
) -> Response:
    """Return the page for an error, and log the error if the server is at fault (500 and higher), or if
    a part of another answer was `sent`.

    `details` adds what visitors do not see: for a bug the traceback and the environment, for other
    errors the full message. `stream` is the log (default: standard error). `on_error(failure)` may
    return another page: see `run`.
    """
    incident = new_incident()
    page = None
    if isinstance(error, CGIError):
        try:
            page = _with_session_cookie(_page_of(error, incident, request, details), request)
        except Exception as second:  # its status or headers cannot be sent, which is a bug
            second.__cause__ = error
            error = second
    # First the log: what the page shows of the script's objects may fail, or never end.
    logged = _log_failure(error, incident, stream, request, sent)
    if page is None:
        page = _with_session_cookie(incident_page(error, incident, request, details), request)
    if on_error is not None:
        failure = _failure(error, request, incident if logged else "", sent)
        own = _page_of_hook(on_error, failure, stream)
        # In debug mode the page of a bug shows its cause.
        shows_cause = details and failure.status >= 500 and not isinstance(error, HTTPError)
        if own is not None and not shows_cause:
            return _with_session_cookie(own, request)
    return page


def broke_off(
    error: BaseException,
    request: "MetaVariables",
    stream: "TextIO | None" = None,
    on_error: "OnError | None" = None,
) -> str:
    """Log an error that was raised after the answer had begun, and tell `on_error`; return the
    number of the incident.
    """
    incident = new_incident()
    log(error, incident, stream, request)
    if on_error is not None:
        _page_of_hook(on_error, _failure(error, request, incident, True), stream)
    return incident


def _failure(error: BaseException, request: "MetaVariables", incident: str, sent: bool) -> Failure:
    if isinstance(error, CGIError):
        return Failure(error, request, error.status, error.message, incident, sent)
    return Failure(error, request, 500, _TO_VISITORS, incident, sent)


def _page_of(error: CGIError, incident: str, request: "MetaVariables", details: bool) -> Response:
    if details and error.status >= 500 and not isinstance(error, HTTPError):
        return _debug_page(error, incident, request, error.status, error.message, error.headers)
    return error_page(
        error.status,
        error.message,
        error.headers,
        incident if error.status >= 500 else "",
        str(error) if details else "",
    )


def _log_failure(
    error: BaseException,
    incident: str,
    stream: "TextIO | None",
    request: "MetaVariables",
    sent: bool,
) -> bool:
    """Log an error if the server is at fault; return whether it was logged under its number."""
    if isinstance(error, SessionMoved):  # after a double click; not an error of the script
        _write([f"[incident {incident}] {error.status} SessionMoved: {error}"], stream)
    elif sent or not isinstance(error, CGIError) or error.status >= 500:
        log(error, incident, stream, request)
    else:
        # The script may be at fault, so the log names the file.
        if isinstance(error, MissingFile):
            _write([f"cgikit: {error.status}: {error}"], stream)
        return False
    return True


def _with_session_cookie(page: Response, request: "MetaVariables") -> Response:
    """Return the page, with the cookie of the session if that was saved before the error."""
    if isinstance(request, Request):
        request.mark(page)
    return page


def _page_of_hook(hook: "OnError", failure: Failure, stream: "TextIO | None") -> Response | None:
    """Return the page that an `on_error` function makes; None if it makes none, or fails."""
    own = process.pid()
    try:
        made = hook(failure)
        if process.pid() != own:
            raise SystemExit(0)  # it forked: a request has one answer
        if isinstance(made, str):
            made = Response(made)
        elif made is not None and not isinstance(made, Response):
            raise TypeError(
                f"{getattr(hook, '__name__', 'on_error')} returned {type(made).__name__}; "
                "return a Response, a str of HTML, or None"
            )
        if made is not None:
            _complete(made, failure)
        return made
    except BaseException as error:  # CancelledError and others, too
        if process.pid() != own or isinstance(error, KeyboardInterrupt):
            raise
        if error.__context__ is failure.error:
            error.__context__ = None  # it is logged already
        log(error, failure.incident or new_incident(), stream, failure.request)
        return None


def _complete(page: Response, failure: Failure) -> None:
    """Give a script's own page the status and the header fields of the error, unless it has its own.

    With the status 200, search engines and caches would take it for the content of the site.
    """
    page.claim(failure.request)
    if page.status == 200:
        page.status = failure.status
    if isinstance(failure.error, CGIError):
        for name, value in [pair for pair in failure.error.headers if pair[0] not in page.headers]:
            page.headers.add(name, value)
    if "Cache-Control" not in page.headers:
        page.cache_control = "no-store"


def error_page(
    status: int,
    message: str = "",
    headers: tuple[tuple[str, str], ...] = (),
    incident: str = "",
    details: str = "",
) -> Response:
    """Return a plain page for an HTTP status. It shows `message` (escaped), `details`, which are for
    the site's owner, if they differ from it, and the incident number, if there is one.
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
        return _debug_page(error, incident, request)
    content = f"<p>{_WITH_NUMBER}</p>\n<pre>incident {incident}</pre>"
    return _sealed(Response(_PAGE.format(title="500 Internal Server Error", content=content), 500))


def _debug_page(
    error: BaseException,
    incident: str,
    request: "MetaVariables",
    status: int = 500,
    message: str = _WITH_NUMBER,
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    """Return the page of a failure for the owner. Visitors see only the message and the number."""
    from . import debugpage

    own = process.pid()
    try:
        known = debugpage.secrets_of(error, request)
        shown = masked(request.environ)
        content = debugpage.details(error, traceback_of(error), shown, request, known)
        title = escape(known.hide(debugpage.title_of(error)))
    except BaseException as second:  # an object of the script's that does not let itself be shown
        if process.pid() != own or isinstance(second, KeyboardInterrupt):
            raise
        title = escape(type(error).__name__)
        content = (
            "<p>The log has the cause. It cannot be shown here, because looking at the variables "
            f"raised {escape(type(second).__name__)}.</p>"
        )
    kind = f"{status} {REASONS.get(status, 'Error')}"
    content += (
        "\n<p>Visitors see only this:</p>\n"
        f"<pre>{kind}\n{escape(message)}{chr(10) * bool(message)}incident {incident}</pre>"
    )
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

    Control characters are escaped, so a client cannot forge a log line. If the log is
    closed, the entry is lost; that is not an error.
    """
    lines = traceback_of(error).splitlines()
    if request is not None:
        from .debugpage import origin

        lines[:0] = origin(error, request)
    _write(lines, stream, f"[incident {incident}] ")


def _write(lines: list[str], stream: "TextIO | None", start: str = "") -> None:
    from .logfile import bounded

    shown = [start + line.replace("\t", "\\t") for line in bounded(lines)]
    process.write_log("\n".join(shown) + "\n", stream)


def new_incident() -> str:
    """Return a new incident number, by which an error is found in the log: eight random hex digits."""
    return os.urandom(4).hex()


def traceback_of(error: BaseException) -> str:
    """Return the traceback of an error as Python prints it (str)."""
    import traceback

    return "".join(traceback.format_exception(error)).rstrip()


def enable(log: "str | os.PathLike[str] | None" = None) -> None:
    """Show the cause of uncaught errors in the page. It is for the development of scripts that do not
    use `run`.

    It is the same as `import cgikit.guard` with debug mode on. `log` is a file that gets what would go
    to standard error, as with `run`. Outside of CGI nothing is done.
    """
    from . import uncaught

    uncaught.install(answer_crash, True, log)


def answer_crash(error: BaseException, watched: "Watched | None", debug: bool | None) -> None:
    """Answer the request of this CGI process, whose script has failed with an error that nobody caught.
    `watched` says what was sent, `debug` is that of `run`. Raises the `SystemExit`
    that ends the process.
    """
    from .crash import answer

    if debug is None:
        debug = process.environ().get("CGIKIT_DEBUG") == "1"
    answer(error, watched, debug, answer_error)


def masked(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment as a page may show it: every name, and the values that are not secret.

    Those are CGI's own variables and the header fields that all clients send. Of a query the names of
    the fields are shown. A variable with the prefix REDIRECT_ is treated as the one without it.
    """
    from . import maskedenviron

    return maskedenviron.masked(environ)
