"""Internal. Answering one request: the same as `script.run` does, but on a connection.

The order of the steps and the error pages are the same; only the bytes are sent elsewhere.
"""

import os

# Modules that most requests use: loaded once, before workers are forked, and so shared by them.
from .. import body, html, multidict, process, querystring  # noqa: F401
from ..debug import answer_error, broke_off
from ..request import Request
from ..response import head

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..debug import OnError
    from ..response import Response
    from .connection import PersistentConnection


class _Request(Request):
    """A request over FastCGI, where the server parses the header whatever the name of the script is."""

    is_nph = False


class Answerer:
    """Answers requests with what `respond(request)` returns, and errors with error pages.

    `options` are those of `Request`, `debug` and `on_error` are those of `run`. CGIKIT_DEBUG
    is read from the environment of this process and not from the request: whoever may send requests
    must not be able to turn on tracebacks.
    """

    def __init__(
        self,
        respond: "Callable[[Request], Response]",
        options: "dict[str, Any]",
        debug: bool | None,
        on_error: "OnError | None" = None,
    ) -> None:
        self._respond = respond
        self._options = options
        self._debug = debug
        self._on_error = on_error

    def __call__(self, variables: dict[str, str], connection: "PersistentConnection") -> None:
        """Answer the request that is open on `connection`; close that if the answer breaks off.

        In a process that the handler forked, this raises the exception that ends that process.
        """
        given = process.request_text(variables)
        request = _Request(given, connection, **self._options)  # type: ignore[arg-type]
        own = os.getpid()
        try:
            self._send(self._respond(request), request, connection)
        except BaseException as error:  # any: it would end the process that others wait for
            if os.getpid() != own:
                raise
            self._answer_error(error, request, connection)
        if os.getpid() != own:  # making the body forked: only the parent answers
            raise SystemExit(0)
        try:
            request.close()
        except Exception as error:  # the answer was sent, and the next request must not be affected
            broke_off(error, request, None, self._on_error)

    def _answer_error(
        self, error: BaseException, request: Request, connection: "PersistentConnection"
    ) -> None:
        debug = self._debug
        if debug is None:
            debug = process.environ().get("CGIKIT_DEBUG") == "1"
        taken_back = connection.take_back()
        page = answer_error(error, request, debug, sent=not taken_back, on_error=self._on_error)
        if not taken_back:
            # After a regular end the client would mistake this part for the whole answer.
            connection.closed = True
            return
        try:
            self._send(page, request, connection)
        except Exception as second:  # the HTTPError has a header that cannot be sent
            self._send(answer_error(second, request, debug), request, connection)

    def _send(
        self, response: "Response", request: Request, connection: "PersistentConnection"
    ) -> None:
        """Send an answer, and its end."""
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
                # The client has received the length announced.
                broke_off(error, request, None, self._on_error)
            connection.finish()
        finally:
            response.close()
