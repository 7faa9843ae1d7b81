"""Connections to a Redis server whose answers are bounded in size and in time. Internal to `redis.py`.

redis-py takes an answer of any length, and waits as long as a byte comes now and then. Its sockets are
put into one that counts bytes and seconds from each command on. What an answer means, and what it must
look like, is decided in `redis.py`.
"""

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redis import Redis

MOST_ANSWER = 2 << 20  # bytes; a session has at most half of that, and a thousand names a tenth


def connect(url: str, timeout: float) -> "Redis":
    """Return a redis-py client for a URL, not connected yet. Each answer takes at most `timeout`
    seconds and `MOST_ANSWER` bytes; more are redis-py's `TimeoutError` and `ConnectionError`.

    Raises `ValueError` for what is no URL of a server.
    """
    from redis import ConnectionPool, Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # Tried once: a script whose answer was lost has run, and would find its lock gone.
    pool = ConnectionPool.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        retry=Retry(NoBackoff(), 0),
    )
    pool.connection_class = _bounded(pool.connection_class, timeout)
    return Redis.from_pool(pool)


def _bounded(kind: "type[Any]", timeout: float) -> "type[Any]":
    """Return a class of redis-py's connections whose sockets are `Socket`."""

    def _connect(self: "Any") -> "Socket":
        return Socket(kind._connect(self), timeout)

    return type(kind.__name__, (kind,), {"_connect": _connect})


class Socket:
    """A connected socket that gives up after `timeout` seconds, or `MOST_ANSWER` bytes, since the last
    time that something was sent. All else is the socket's own.
    """

    def __init__(self, socket: "Any", timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self._begin()

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._socket, name)

    def _begin(self) -> None:
        self._deadline = monotonic() + self._timeout
        self._left = MOST_ANSWER

    def sendall(self, data: "Any", *flags: int) -> None:
        """Send a command, or a piece of one: the next answer begins."""
        self._socket.sendall(data, *flags)
        self._begin()

    def recv(self, size: int, *flags: int) -> bytes:
        """Receive a piece of an answer."""
        with self._hurry():
            data: bytes = self._socket.recv(size, *flags)
        self._count(len(data))
        return data

    def recv_into(self, buffer: "Any", *rest: int) -> int:
        """Receive a piece of an answer into a buffer; return its size."""
        with self._hurry():
            size: int = self._socket.recv_into(buffer, *rest)
        self._count(size)
        return size

    def _hurry(self) -> "_Hurry":
        return _Hurry(self._socket, self._deadline - monotonic())

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise OSError(f"the answer has more than {MOST_ANSWER} bytes")


class _Hurry:
    """A block in which a socket waits at most so many seconds."""

    def __init__(self, socket: "Any", left: float) -> None:
        self._socket = socket
        self._own = socket.gettimeout()
        self._left = left

    def __enter__(self) -> None:
        if self._own is None or self._own > self._left:
            if self._left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(self._left)

    def __exit__(self, *_: object) -> None:
        if self._own is None or self._own > self._left:
            self._socket.settimeout(self._own)
