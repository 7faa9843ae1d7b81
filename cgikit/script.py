"""Running a handler as a script: one way in, one way out, whatever happens between.

`run` tells CGI, NPH, FastCGI and the command line apart by what the process was started with, calls the
handler with the request, sends what it returns, and turns every error into an answer. Error pages and
the log are made in `debug.py`, the command line is read in `offline.py`, FastCGI is spoken in
`persistent`; all are imported only when needed.
"""

import os

from . import process
from .limits import DEFAULT_LIMITS, Limits
from .request import Request
from .response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .sessions.store import Store


def run(
    handler: "Callable[[Request], Response | str]",
    *,
    sessions: "Store | None" = None,
    limits: Limits | None = None,
    debug: bool | None = None,
    errors: str = "replace",
    charset: str = "utf-8",
    upload_dir: str | None = None,
    progress: "Callable[[int, int], object] | None" = None,
) -> None:
    """Answer this process's request with what `handler(request)` returns: a `Response`, or HTML (str).

    A `CGIError` raised by the handler becomes its own page with its status. Any other exception
    becomes a 500 with an incident number; the traceback goes to standard error, the server's log,
    under the same number, and into the page only with `debug=True` (default: CGIKIT_DEBUG=1 in the
    environment). A client that went away is no error. Where an answer breaks off, because its body
    fails or cannot be written, the log says so and the process ends with status 1.

    Started with a listening socket on descriptor 0, or by systemd's socket activation, it answers one
    request after another over FastCGI, until SIGTERM (docs/persistent.md).

    Without REQUEST_METHOD the script was started by hand: `script.py name=value …` or
    `script.py '/path?x=1'` runs it and prints the answer. With it, argv is never looked at
    (RFC 3875 section 4.4).

    With `sessions`, a store, the handler has `request.session`. It is saved, and its cookie set, when
    the handler has returned and before anything is sent. Where it raised an `HTTPError` of its own,
    that is its answer, and the session is saved, too; where it raised anything else, nothing of it is.

    A process that the handler forks answers nothing: whatever the handler does in it, returning
    included, ends that process, by `SystemExit` or the exception that it raised.

    `limits`, `errors`, `charset`, `upload_dir` and `progress` are those of `Request`.
    """
    if charset != "utf-8":
        from .charsets import of_page

        of_page(charset)  # a mistake in it is told now, and not by every request
    options = {
        "limits": limits or DEFAULT_LIMITS,
        "errors": errors,
        "charset": charset,
        "upload_dir": upload_dir,
        "progress": progress,
        "sessions": sessions,
    }
    environ = stdin = None
    if not process.environ().get("REQUEST_METHOD"):
        from . import persistent

        listener = persistent.handed_over()
        if listener is not None:
            persistent.serve(listener, lambda request: respond(handler, request), options, debug)
            return
        from . import offline

        environ, stdin = offline.request(process.arguments())
    request = Request(environ, stdin, **options)  # type: ignore[arg-type]
    own = os.getpid()
    with process.GuardedOutput():
        try:
            respond(handler, request).send(request=request)
        except KeyboardInterrupt:  # somebody wants an end, at a terminal
            raise
        except BaseException as error:  # SystemExit, CancelledError, …: they need an answer too
            if os.getpid() != own or (isinstance(error, SystemExit) and process.was_sent()):
                raise
            if debug is None:
                debug = process.environ().get("CGIKIT_DEBUG") == "1"
            _answer_error(error, request, debug)
        finally:
            if os.getpid() == own:  # uploads, too, are the request's, and that is the parent's
                request.close()


def _answer_error(error: BaseException, request: Request, debug: bool) -> None:
    """Log an error and answer with its page; end the process with status 1 where it is too late."""
    from .debug import answer_error

    page = answer_error(error, request, debug)
    try:
        if not process.was_sent():
            page.send(request=request)
            return
    except Exception as second:  # something was printed as well, or an HTTPError's header is bad
        page = answer_error(second, request, debug)
        if not process.was_sent():
            page.send(request=request)
            return
    # Part of an answer went out: a second one would appear inside of it.
    raise SystemExit(1)


def respond(handler: "Callable[[Request], Response | str]", request: Request) -> Response:
    """Call the handler; return its `Response`, made of the str where it returned one. The session is
    saved by then, also where an `HTTPError` of the script's leaves here, and let go where another does.

    In a process that the handler forked this raises `SystemExit` or what the handler raised, and
    leaves the session to the parent.
    """
    own = os.getpid()
    process.start_directory()  # before the handler can leave it
    try:
        response = _called(handler, request)
        if os.getpid() != own:
            raise SystemExit(0)
        response.claim(request)
        request.save_session(response)
    except BaseException as error:
        if os.getpid() == own:  # now: the next request need not wait until the error page is sent
            if getattr(error, "keeps_session", False):
                request.save_session()
            else:
                request.drop_session()
        raise
    return response


def _called(handler: "Callable[[Request], Response | str]", request: Request) -> Response:
    request.handler = handler
    result = handler(request)
    if isinstance(result, Response):
        return result
    if isinstance(result, str):
        return Response(result)
    raise TypeError(
        f"{getattr(handler, '__name__', 'the handler')} returned {type(result).__name__}; "
        "return a Response or a str of HTML"
    )
