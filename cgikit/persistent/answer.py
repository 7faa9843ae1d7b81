"""Internal. One request answered: what `script.run` does for a process, done for a connection.

The same order and the same pages; only where the bytes go is another.
"""

import os

# All that ordinary requests use: loaded once, before workers are forked, and shared by them.
from .. import body, html, multidict, process, querystring  # noqa: F401
from ..debug import answer_error, log, new_incident
from ..request import Request
from ..response import head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..response import Response
    from .connection import PersistentConnection


class _Request(Request):
    """A request over FastCGI, where the server reads a header whatever the script's name is."""

    is_nph = False


class Answerer:
    """Answers requests with what `respond(request)` returns, and errors with their pages.

    `options` are those of `Request`; `debug` as in `run`; CGIKIT_DEBUG is read from this process's
    environment, not from the request: who may connect may not read tracebacks for that.
    """

    def __init__(
        self,
        respond: "Callable[[Request], Response]",
        options: "dict[str, Any]",
        debug: bool | None,
    ) -> None:
        self._respond = respond
        self._options = options
        self._debug = debug

    def __call__(self, variables: dict[str, str], connection: "PersistentConnection") -> None:
        """Answer the request that is open on `connection`; close it where the answer breaks off.

        Raises, in a process that the handler forked, what is to end that process.
        """
        given = process.request_text(variables)
        request = _Request(given, connection, **self._options)  # type: ignore[arg-type]
        own = os.getpid()
        try:
            _send(self._respond(request), request, connection)
        except BaseException as error:  # of any kind: it would end the process for all that wait
            if os.getpid() != own:
                raise
            self._answer_error(error, request, connection)
        if os.getpid() != own:  # what makes the body forked: this one has nobody to answer
            raise SystemExit(0)
        try:
            request.close()
        except Exception as error:  # the answer is out: the next request must not suffer for it
            log(error, new_incident(), None, request)

    def _answer_error(
        self, error: BaseException, request: Request, connection: "PersistentConnection"
    ) -> None:
        debug = self._debug
        if debug is None:
            debug = process.environ().get("CGIKIT_DEBUG") == "1"
        page = answer_error(error, request, debug)
        if not connection.take_back():
            # A regular end would let the client take the part for the whole.
            connection.closed = True
            return
        try:
            _send(page, request, connection)
        except Exception as second:  # a header of an HTTPError's cannot be sent
            _send(answer_error(second, request, debug), request, connection)


def _send(response: "Response", request: Request, connection: "PersistentConnection") -> None:
    """Send an answer and the end of it."""
    try:
        # httpd and Caddy would send an empty page for a local redirect.
        status, fields, chunks = response.answer(request, local_redirects=False)
        start = head(status, fields, request)
        response.mark_sent()
        if isinstance(chunks, tuple):
            connection.finish(start + b"".join(chunks))
            return
        connection.output(start)
        try:
            for chunk in chunks:
                if not connection.is_wanted():
                    break
                connection.output(chunk)
        except BaseException as error:
            if getattr(chunks, "left", 1):
                raise
            # Too late: the client has all that was announced.
            log(error, new_incident(), None, request)
        connection.finish()
    finally:
        response.close()
