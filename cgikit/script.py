"""Running a handler, the function that answers a request, as a script.

`run` finds out how the process was started (CGI, NPH, FastCGI or a command line), calls the handler
with the request, sends what it returns, and answers every error with a page. `debug.py` makes error
pages and log entries, `offline.py` reads the command line, `persistent` speaks FastCGI; they are
imported only if they are needed.
"""

import os

from . import process
from .limits import DEFAULT_LIMITS, Limits
from .request import Request
from .response import Response

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .debug import OnError
    from .logfile import LogFile
    from .sessions.store import Store
    from .upload import Upload


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
    on_upload: "Callable[[Upload, bytes], object] | None" = None,
    on_error: "OnError | None" = None,
    log: "str | os.PathLike[str] | None" = None,
) -> None:
    """Answer this process's request with what `handler(request)` returns: a `Response`, or HTML (str).

    A `CGIError` that the handler raises becomes a page with its status. Any other exception becomes a
    500 page with an incident number. The traceback goes to standard error, the log of the server, under
    the same number; it is shown in the page only with `debug=True` (default: CGIKIT_DEBUG=1 in the
    environment). A client that disconnects is not an error. If an answer breaks off, because its body
    fails or cannot be written, that is logged and the process ends with status 70.

    If the process was started with a listening socket on descriptor 0, or by systemd's socket
    activation, it answers one request after another over FastCGI, until SIGTERM
    (docs/reference/persistent.md).

    Without REQUEST_METHOD the script was started by hand: `script.py name=value …` or `script.py post
    /path name=value …` prints the answer (`script.py --help`). With REQUEST_METHOD, argv is ignored
    (RFC 3875 section 4.4). With GATEWAY_INTERFACE alone the answer is an error (500).

    With `sessions`, a store, the handler can use `request.session`. It is saved, and its cookie set,
    after the handler has returned and before anything is sent. If the handler raises an `HTTPError`,
    that is its answer, and the session is also saved. After any other exception nothing is saved.

    A process that the handler forks sends no answer: once the handler returns or raises there, the
    process ends, with `SystemExit` or that exception.

    `on_error(failure)` is called for every error, with a `debug.Failure`; it returns a page of the
    script's own (a `Response` or HTML), or None for the standard one. `log` is a file that gets what
    would go to standard error, in lines with the time and the process; a script that is started by hand
    ignores it. `limits`, `errors`, `charset`, `upload_dir`, `progress` and `on_upload` are those of
    `Request`.
    """
    if charset != "utf-8":
        from .charsets import of_page

        of_page(charset)  # an invalid name is reported now, and not by every request
    options = {
        "limits": limits or DEFAULT_LIMITS,
        "errors": errors,
        "charset": charset,
        "upload_dir": upload_dir,
        "progress": progress,
        "on_upload": on_upload,
        "sessions": sessions,
    }
    environ = stdin = None
    if not process.environ().get("REQUEST_METHOD"):
        from . import persistent

        listener = persistent.inherited_listener()
        if listener is not None:
            with _logged(log):
                persistent.serve(
                    listener, lambda request: respond(handler, request), options, debug, on_error
                )
            return
        from . import offline

        if process.environ().get("GATEWAY_INTERFACE"):
            handler = offline.refused
        else:
            environ, stdin = offline.request(process.arguments())
            log = None
    request = Request(environ, stdin, **options)  # type: ignore[arg-type]
    with _logged(log):
        _answer(handler, request, debug, on_error)


def _answer(
    handler: "Callable[[Request], Response | str]",
    request: Request,
    debug: bool | None,
    on_error: "OnError | None",
) -> None:
    """Answer the request of this process."""
    own = os.getpid()
    with process.GuardedOutput():
        try:
            respond(handler, request).send(request=request)
        except KeyboardInterrupt:  # Ctrl-C at a terminal
            raise
        except BaseException as error:  # SystemExit, CancelledError and others also need an answer
            if os.getpid() != own or (isinstance(error, SystemExit) and process.was_sent()):
                raise
            if debug is None:
                debug = process.environ().get("CGIKIT_DEBUG") == "1"
            _answer_error(error, request, debug, on_error)
        finally:
            if os.getpid() == own:  # in a forked process the request still belongs to the parent
                request.close()


class _NoLog:
    """Leaves standard error as it is."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def _logged(path: "str | os.PathLike[str] | None") -> "_NoLog | LogFile":
    if path is None:
        return _NoLog()
    from .logfile import LogFile

    return LogFile(path)


def _answer_error(
    error: BaseException, request: Request, debug: bool, on_error: "OnError | None"
) -> None:
    """Log an error and send its page; if it is too late for that, end the process with status 70, by
    which a server knows that the answer is cut.
    """
    sent = process.was_sent()
    page = _error_page(error, request, debug, on_error)
    try:
        if not sent:
            _send_page(page, error, request)
            return
    except Exception as second:  # something was also printed, or an HTTPError has an invalid header
        sent = process.was_sent()
        page = _error_page(second, request, debug, None)
        if not sent:
            _send_page(page, second, request)
            return
    # Part of an answer was sent: a second one would appear inside it.
    raise SystemExit(process.CUT)


def _send_page(page: Response | None, error: BaseException, request: Request) -> None:
    """Send an error page, or a short answer if the handler has left no descriptor or memory for it."""
    if page is not None:
        try:
            page.send(request=request)
            return
        except (OSError, MemoryError):
            if process.was_sent():
                raise
            process.clear_frames(error)
    process.answer_exhausted(error)


def _error_page(
    error: BaseException, request: Request, debug: bool, on_error: "OnError | None"
) -> Response | None:
    """Log an error and return its page; None if the handler has left no descriptor or memory for it."""
    for _ in range(2):
        try:
            from .debug import answer_error

            return answer_error(error, request, debug, sent=process.was_sent(), on_error=on_error)
        except (OSError, MemoryError):  # of an import
            process.clear_frames(error)
    return None


def respond(handler: "Callable[[Request], Response | str]", request: Request) -> Response:
    """Call the handler and return its `Response`, or one made of the str that it returned.

    The session is saved before this returns, or raises an `HTTPError` of the script. Before any other
    exception it is released without being saved. In a process that the handler forked, this raises
    `SystemExit` or what the handler raised, and leaves the session to the parent.
    """
    own = os.getpid()
    process.start_directory()  # recorded before the handler can change it
    try:
        response = _called(handler, request)
        if os.getpid() != own:
            raise SystemExit(0)
        response.claim(request)
        request.save_session(response)
    except BaseException as error:
        # Before the error page is sent, so that the visitor's next request need not wait for that.
        if os.getpid() == own:
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
