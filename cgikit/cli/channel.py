"""What waitress does not do for a connection of `cgikit serve`: refusals, HEAD, slow clients.

Refusals are logged, HEAD has no body, and a script whose client is slow gives its thread to another.
Which connections there are is decided in `httpserver.py`.
"""

import contextlib
import socket
import struct
from typing import Any

from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask
from waitress.utilities import Error, RequestEntityTooLarge, RequestHeaderFieldsTooLarge

from cgikit.host.answer import AnswerCut
from cgikit.host.logtext import one_line
from cgikit.host.problem import Problem

from .guarded import Guarded
from .requesthead import HeadRefused, refusal, sound

HIGH_WATER = 1 << 20  # bytes that wait for a slow client before its script must wait too
LOW_WATER = HIGH_WATER // 2  # bytes at which the script goes on
FRAMING = 8_190  # bytes of a chunk's size with its extensions, and of a trailer
HELD = 3_600  # seconds that a script waits for its client: as long as it may run
PATIENCE = 0.05  # seconds that a thread waits before it gets a substitute, if no request waits


class Threads(ThreadedTaskDispatcher):  # type: ignore[misc]  # waitress has no types
    """The threads that run scripts. A thread that waits for a slow client gets a substitute.

    Otherwise, as many slow clients as there are threads would stop the server. There are at most
    `spare` substitutes; beyond that, requests wait.
    """

    def __init__(self, count: int, spare: int) -> None:
        super().__init__()
        self._spare = spare
        self.set_thread_count(count)

    def stand_in(self) -> bool:
        """Start a substitute for the calling thread, which will wait. False if there is none left."""
        with self.lock:
            if not self._spare:
                return False
            number = max(self.threads, default=0) + 1
            try:
                self.start_new_thread(self.handler_thread, number)  # it waits for our lock
            except RuntimeError:  # the system has no more
                return False
            self.threads.add(number)
            self.active_count += 1
            self._spare -= 1
        return True

    def step_back(self) -> None:
        """End a thread as soon as one is free: the calling thread goes on."""
        with self.lock:
            self._spare += 1
            self.stop_count += 1
            self.queue_cv.notify()

    def shutdown(self, cancel_pending: bool = True, timeout: float = 5) -> bool:
        """End all threads. True if they have ended within `timeout` seconds."""
        with self.lock:
            self._spare = 0
        return bool(super().shutdown(cancel_pending, timeout))


class _Task(WSGITask):  # type: ignore[misc]
    def execute(self) -> None:
        """Answer. If the end of the connection is the end of the body, only a reset can show that an
        answer was cut.
        """
        try:
            super().execute()
        except AnswerCut:
            self.channel.reset |= not self.chunked_response and self.content_length is None
            raise

    def write(self, data: bytes) -> None:
        """Queue a piece of the answer. What waits for a slow client may be stored on disk."""
        try:
            super().write(data)
        except OSError as error:  # of the disk: errors of the socket are handled by waitress
            self.channel.server.no_disk(error)
            self.channel.drop()
            raise AnswerCut from error

    def finish(self) -> None:
        """End the answer. Waitress would send a last chunk, which is a body, even for HEAD."""
        if self.request.command == "HEAD":
            if not self.wrote_header:
                self.write(b"")
        else:
            super().finish()
        self.channel.trim()


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    completed: bool

    def __init__(self, adj: Any, server: Any) -> None:
        super().__init__(adj)
        self._server = server

    def received(self, data: bytes) -> int:
        """Parse bytes and return how many. A malformed request, or one that cannot be stored, is
        refused.
        """
        before, taken = self.body_bytes_received, len(data)
        try:
            taken = int(super().received(data))
        except HeadRefused as refused:
            self._refuse(refused.error)
        except ValueError:  # of `urlsplit`: http://[
            self._refuse(refusal(400, "The request's target is not valid."))
        except OSError as error:  # of a file for the body
            self._server.no_disk(error)
            self._refuse(refusal(507, "The server has no room for the request's body."))
        if not self.completed:
            self._limit(self.body_bytes_received - before)
            if b"\n\n" in self.header_plus[-len(data) - 1 :]:
                self._refuse(refusal(400, "The request's lines end in LF, and not in CRLF."))
        if self.error is not None or self.body_rcv is None:
            self.expect_continue = False  # waitress would wait for a body that will not come
        return taken

    def _limit(self, size: int) -> None:
        """Refuse a body for which there is no room, and endless framing."""
        framing, chunk = 0, 0
        if isinstance(self.body_rcv, ChunkedReceiver):
            framing = max(len(self.body_rcv.control_line), len(self.body_rcv.trailer))
            chunk = self.body_rcv.chunk_remainder
        if chunk > self.adj.max_request_body_size:
            self._refuse(RequestEntityTooLarge("a chunk that is too large"))
        elif framing > FRAMING:
            self._refuse(refusal(400, f"A chunk's size or the trailer exceeds {FRAMING} bytes."))
        elif not self._server.has_room(size):
            self._refuse(refusal(503, "Too many large bodies at once; try again later."))

    def _refuse(self, error: Error) -> None:
        self.error = error
        self.headers_finished = self.completed = True

    def parse_header(self, header_plus: bytes) -> None:
        """Parse a request's header. Waitress joins Cookie fields with ", " instead of "; " (R37)."""
        self.first_line = header_plus.partition(b"\r\n")[0]  # for the log, if it is refused
        header_plus = sound(header_plus)
        super().parse_header(header_plus)
        if "COOKIE" in self.headers:
            lines = (line.partition(b":") for line in header_plus.split(b"\r\n")[1:])
            cookies = [value for name, _, value in lines if name.lower() == b"cookie"]
            if len(cookies) > 1:
                self.headers["COOKIE"] = b"; ".join(cookies).decode("latin-1")

    def close(self) -> None:
        """Drop the body."""
        with contextlib.suppress(OSError):  # the disk is full
            super().close()


_WORDS = {
    RequestHeaderFieldsTooLarge: "The request's header is too large (limit 64 KiB).",
    RequestEntityTooLarge: "The request's body is too large (limit 1 GiB).",
}


class _Refusal(ErrorTask):  # type: ignore[misc]
    """The answer to a malformed or too large request, which never reaches the host."""

    def execute(self) -> None:
        """Log the answer, then send it: the client may leave in the middle of it."""
        error = self.request.error
        problem = Problem(error.code, _WORDS.get(type(error), error.body))
        if error.code == 503:
            problem.headers = (("Retry-After", "10"),)
        if error.code != 500:  # an error of the server, which has been logged
            # Waitress drops a header that is too large
            lost = isinstance(error, RequestHeaderFieldsTooLarge)
            asked = "(a request)" if lost else _asked(self.request)
            self.channel.server.log_line(f"{asked} {error.code} ({one_line(problem.what)})")
        page = self.channel.server.page(problem)
        self.status = f"{page.status} {page.reason}"
        self.response_headers.extend(page.headers)
        self.set_close_on_finish()
        self.channel.deaf = True
        head = getattr(self.request, "first_line", b"").startswith(b"HEAD ")
        self.write(b"" if head else page.rest)


class Channel(Guarded, HTTPChannel):  # type: ignore[misc]
    """A connection."""

    task_class = _Task
    error_task_class = _Refusal
    outbufs: list[Any]
    total_outbufs_len: int
    current_outbuf_count: int
    request: Any  # the request that is being received; None between two
    reset = False  # the connection will end with a reset
    deaf = False  # what the client still sends is dropped, so that closing does not lose the answer

    def parser_class(self, adj: Any) -> _Parser:
        """Return the parser of the next request."""
        return _Parser(adj, self.server)

    def _flush_outbufs_below_high_watermark(self) -> None:
        """Wait while too much of the answer waits for the client. Waitress calls this before it buffers
        more; its own method would occupy one of the few threads that run scripts.
        """
        if self.total_outbufs_len <= HIGH_WATER:
            return
        with self.outbuf_lock:
            self._flush_exception(self._flush_some, do_close=False)
            self.server.pull_trigger()  # the loop may not know yet that there are bytes to send
            threads = self.server.task_dispatcher
            if threads.queue or not self._drained(PATIENCE):
                replaced = threads.stand_in()
                self.trim()
                if not self._drained(HELD):
                    self.will_close = True
                    self.server.pull_trigger()
                    self._drained()
                if replaced:
                    threads.step_back()

    def trim(self) -> None:
        """Free the memory of the part of the answer that was sent, while its task still runs.

        Waitress keeps it until it begins a new buffer: 1 MiB for each slow client.
        """
        with self.outbuf_lock:
            for buffer in self.outbufs if self.connected else ():
                if isinstance(buffer, OverflowableBuffer) and buffer.buf and not buffer.overflowed:
                    buffer.prune()
                    buffer.getfile().seek(0)  # it is left at the end of what is still to be sent

    def drop(self) -> None:
        """Reset the connection and drop what waits: a buffer that failed has lost its position."""
        with self.outbuf_lock:
            for buffer in self.outbufs:
                with contextlib.suppress(OSError):
                    buffer.close()
            self.outbufs = [OverflowableBuffer(self.adj.outbuf_overflow)]
            self.total_outbufs_len = self.current_outbuf_count = 0
            self.will_close = self.reset = True

    def _drained(self, seconds: float | None = None) -> bool:
        """Wait until the client has taken enough, or has left. False if that takes longer."""

        def drained() -> bool:
            return not self.connected or self.total_outbufs_len <= LOW_WATER

        return bool(self.outbuf_lock.wait_for(drained, seconds))

    def handle_close(self) -> None:
        """Close the connection. If the body ended early, that is logged and answered: a client that
        closed only its sending half can read the reason.
        """
        request, self.request = self.request, None
        if request is not None and request.headers_finished and not request.completed:
            why = "the body ended before its last chunk"
            if not request.chunked:
                received, announced = request.body_bytes_received, request.content_length
                why = f"the body ended after {received} bytes of the {announced} announced"
            self.server.log_line(f"{_asked(request)} 400 ({why})")
            if not self.requests:  # otherwise another answer is being sent
                with contextlib.suppress(OSError):
                    self.socket.send(_REFUSED % (len(why) + 1, why.encode()))
        if self.reset:
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        elif self.deaf and self.connected:
            self.server.linger(self.socket)
        super().handle_close()


_AT_ONCE = struct.pack("ii", 1, 0)  # no lingering: closing resets the connection

_REFUSED = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    b"Connection: close\r\n\r\n%b\n"
)


def _asked(request: Any) -> str:
    """Return the method and target of what waitress parsed, as they came, for the log (str)."""
    line: bytes = getattr(request, "first_line", b"")  # not set if there was none
    return one_line(" ".join(line.decode("latin-1").split(" ")[:2])) or "(a request)"
