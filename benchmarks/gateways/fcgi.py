"""A FastCGI client without a web server: as many requests as go through, or so many a second.

At a fixed rate a request's latency counts from the moment at which it was due, so that a server that
stops for a while is charged with all that had to wait, and not only with those that were on the way.
"""

import errno
import select
import socket
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import perf_counter

_END_REQUEST = b"\x01\x03\x00\x01\x00\x08\x00\x00"


def _pair(name: str, value: str) -> bytes:
    one, other = name.encode(), value.encode()
    lengths = (
        bytes([n]) if n < 128 else (n | 1 << 31).to_bytes(4, "big") for n in map(len, (one, other))
    )
    return b"".join(lengths) + one + other


def record(kind: int, content: bytes) -> bytes:
    """Return one record of request 1 (FastCGI 1.0 section 3.3), without padding."""
    return bytes((1, kind, 0, 1)) + len(content).to_bytes(2, "big") + b"\0\0" + content


def opening(script: str, query: str, **more: str) -> bytes:
    """Return the records of a request up to its parameters' end: its body comes next."""
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "benchmark",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": script,
        "REQUEST_URI": f"{script}?{query}",
        "QUERY_STRING": query,
        "HTTP_HOST": "127.0.0.1",
        **more,
    }
    content = b"".join(_pair(name, value) for name, value in variables.items())
    return record(1, bytes((0, 1, 0, 0, 0, 0, 0, 0))) + record(4, content) + record(4, b"")


def get(script: str, query: str) -> bytes:
    """Return a whole GET."""
    return opening(script, query) + record(5, b"")


@dataclass
class Outcome:
    """What came of a run: latencies in seconds of the right answers, and how many were not right."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    example: bytes = b""  # one of those that were not right

    @property
    def rate(self) -> float:
        """Right answers a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Return the latency that this share (0 to 1) of the requests did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Client:
    """Sends one request over and over to a UNIX socket, each time over a new connection."""

    def __init__(self, path: Path, request: bytes, expected: bytes) -> None:
        self.path, self.request, self.expected = str(path), request, expected
        self._poll = select.epoll()
        self._open: dict[int, tuple[socket.socket, float, bytearray]] = {}
        self._outcome = Outcome()

    def at_full_load(self, seconds: float, connections: int) -> Outcome:
        """Keep so many requests on the way for a time."""
        return self._load(connections, seconds=seconds)

    def this_many(self, requests: int, connections: int) -> Outcome:
        """Send so many requests in all, some of them at once."""
        return self._load(connections, requests=requests)

    def _load(self, connections: int, seconds: float = inf, requests: float = inf) -> Outcome:
        self._outcome = Outcome()
        start = perf_counter()
        while requests > 0 and perf_counter() < start + seconds:
            while requests > 0 and len(self._open) < connections and self._start(perf_counter()):
                requests -= 1
            self._collect(0.05)
        self._drain()
        self._outcome.seconds = perf_counter() - start
        return self._outcome

    def at_rate(self, seconds: float, rate: float) -> Outcome:
        """Send one every 1/rate seconds, whatever the answers do."""
        self._outcome = Outcome()
        start = perf_counter()
        count, total = 0, int(seconds * rate)
        while count < total:
            due = start + count / rate
            wait = due - perf_counter()
            if wait <= 0 and self._start(due):
                count += 1
            # Where the listener's queue is full a connection is refused: try again soon.
            self._collect(wait if wait > 0 else 0.0002)
        self._drain()
        self._outcome.seconds = perf_counter() - start
        return self._outcome

    def _start(self, due: float) -> bool:
        one = socket.socket(socket.AF_UNIX)
        one.setblocking(False)
        try:
            one.connect(self.path)
        except OSError as error:
            one.close()
            if error.errno != errno.EAGAIN:
                raise
            return False
        one.sendall(self.request)
        self._open[one.fileno()] = one, due, bytearray()
        self._poll.register(one, select.EPOLLIN)
        return True

    def _collect(self, wait: float) -> None:
        # select() on the epoll descriptor: epoll's own timeout is in whole milliseconds.
        select.select([self._poll], [], [], max(0.0, wait))
        for descriptor, _ in self._poll.poll(0):
            one, due, answer = self._open[descriptor]
            try:
                piece = one.recv(65536)
            except ConnectionError:
                piece = b""
            answer += piece
            if _END_REQUEST in answer or not piece:
                self._finish(descriptor, one, due, answer)

    def _finish(self, descriptor: int, one: socket.socket, due: float, answer: bytearray) -> None:
        right = self.expected in answer and _END_REQUEST in answer
        if right:
            self._outcome.latencies.append(perf_counter() - due)
        else:
            self._outcome.failed += 1
            self._outcome.example = bytes(answer[:500])
        del self._open[descriptor]
        self._poll.unregister(one)
        one.close()

    def _drain(self) -> None:
        limit = perf_counter() + 20
        while self._open and perf_counter() < limit:
            self._collect(0.05)
        for descriptor, (one, due, answer) in list(self._open.items()):
            self._finish(descriptor, one, due, answer)
