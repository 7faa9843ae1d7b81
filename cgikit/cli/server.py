"""HTTP for `cgikit serve`: waitress, its limits, and what it leaves to be done.

Everything that depends on how waitress works inside is in this file. Its limits are stated in
docs/serve.md.
"""

import contextlib
import logging
import re
import socket
from collections.abc import Callable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import create_server
from waitress.task import ErrorTask, WSGITask

from cgikit.host.text import one_line
from cgikit.host.wsgi import Host, Truncated

THREADS = 16  # scripts that run at once; further requests wait
BODY = 1 << 30  # bytes of a request's body. httpd's LimitRequestBody: 1 GiB
HEADER = 65_536  # bytes of a request's header. nginx: 32 KiB
CONNECTIONS = 100
STALLED = 120  # seconds until a client that neither sends nor takes anything is dropped
HIGH_WATER = 1 << 20  # bytes that wait for a slow client before its script has to wait too
JOIN = 5  # seconds for the threads to end after their scripts were ended


class Server:
    """A waitress server on a listening socket."""

    def __init__(self, server: Any) -> None:
        self._server = server

    def run(self) -> None:
        """Serve until `KeyboardInterrupt`."""
        server = self._server
        # Not server.run(): that swallows the interrupt and waits for threads whose scripts go on
        server.asyncore.loop(timeout=1, map=server._map, use_poll=True)

    def finish(self) -> None:
        """Close every connection and wait for the threads."""
        for channel in list(self._server.active_channels.values()):
            channel.request = None  # that it ends here is not the client's doing
            channel.handle_close()
        self._server.task_dispatcher.shutdown(timeout=JOIN)
        self._server.close()


def create(
    host: Host, listener: socket.socket, *, software: str, log: Callable[[str], None]
) -> Server:
    """Return a server for a host on a listening socket. `log` takes one line an event."""
    _adopt_logger(log)
    server = create_server(
        host,
        sockets=[listener],
        threads=THREADS,
        ident=software,
        server_name=listener.getsockname()[0],
        max_request_body_size=BODY,
        max_request_header_size=HEADER,
        connection_limit=CONNECTIONS,
        channel_timeout=STALLED,
        outbuf_high_watermark=HIGH_WATER,
        channel_request_lookahead=1,  # reads on while a script runs, and so sees the client leave
        clear_untrusted_proxy_headers=True,  # S20
        log_socket_errors=False,  # a client that leaves is not an event
        asyncore_use_poll=True,  # select() fails for descriptors above 1023
    )
    server.channel_class = _Channel
    server.tell = log
    server.maintenance = lambda now: _drop_stalled(server, now)
    return Server(server)


def _drop_stalled(server: Any, now: float) -> None:
    """Close channels without activity, also those whose client does not take its answer (S18).

    Waitress spares channels with a running request; a client that stops reading would hold a thread
    and a script for ever.
    """
    for channel in server.active_channels.values():
        waits = not channel.requests or channel.total_outbufs_len
        if waits and now - channel.last_activity > STALLED:
            channel.will_close = True


class _Task(WSGITask):  # type: ignore[misc]  # waitress has no types
    def finish(self) -> None:
        """End the answer. Waitress would end one to HEAD with a last chunk, which is a body."""
        if self.request.command == "HEAD":
            if not self.wrote_header:
                self.write(b"")
        else:
            super().finish()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    def parse_header(self, header_plus: bytes) -> None:
        """Parse a request's header. Waitress joins Cookie fields by ", ", not by "; " (R37), and
        refuses a target that is not ASCII, which curl sends as it is typed and httpd takes.
        """
        line, end, rest = header_plus.partition(b"\r\n")
        line = re.sub(rb"[\x80-\xff]", lambda byte: b"%%%02X" % byte[0][0], line)
        header_plus = line + end + rest
        super().parse_header(header_plus)
        if "COOKIE" in self.headers:
            lines = (line.partition(b":") for line in header_plus.split(b"\r\n")[1:])
            cookies = [value.strip(b" \t") for name, _, value in lines if name.lower() == b"cookie"]
            if len(cookies) > 1:
                self.headers["COOKIE"] = b"; ".join(cookies).decode("latin-1")


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to what is no request, or too large a one; the host never sees it."""

    def execute(self) -> None:
        """Send the answer; log it first, because the client may leave in the middle of it."""
        error = self.request.error
        if error.code != 500:  # else serving failed, and that has been logged
            # Of a header that is too large waitress keeps nothing
            asked = "(a request)" if error.code == 431 else _asked(self.request)
            self.channel.server.tell(f"{asked} {error.code} ({one_line(error.body)})")
        super().execute()


class _Channel(HTTPChannel):  # type: ignore[misc]
    task_class = _Task
    parser_class = _Parser
    error_task_class = _Refusal
    request: Any  # what has come of the next one; None between two

    def handle_close(self) -> None:
        """Close the connection. A body that ended early is logged, and answered: a client that closed
        only its sending half can read why.
        """
        request, self.request = self.request, None
        if request is not None and request.headers_finished and not request.completed:
            why = "the body ended before its last chunk"
            if not request.chunked:
                received, announced = request.body_bytes_received, request.content_length
                why = f"the body ended after {received} bytes of the {announced} announced"
            self.server.tell(f"{_asked(request)} 400 ({why})")
            if not self.requests:  # else another answer is on its way
                with contextlib.suppress(OSError):
                    self.socket.send(_REFUSED % (len(why) + 1, why.encode()))
        super().handle_close()


_REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b\n"
)


def _asked(request: Any) -> str:
    """Return the method and target of what waitress parsed, as they came, for the log (str)."""
    line: bytes = getattr(request, "first_line", b"")  # not set where even that was not found
    return one_line(" ".join(line.decode("latin-1").split(" ")[:2])) or "(a request)"


class _OneLine(logging.Handler):
    """What waitress itself has to say, one line an event, in the same place as everything else."""

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, Truncated):
            told = f": {type(error).__name__}: {error}" if error else ""
            self._log(one_line(f"server: {record.getMessage()}{told}"))


def _adopt_logger(log: Callable[[str], None]) -> None:
    logger = logging.getLogger("waitress")
    logger.addHandler(_OneLine(log))
    logger.propagate = False
