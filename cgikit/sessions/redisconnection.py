"""Connections to a Redis server with limits on the size and the time of an answer. Internal to
`redis.py`.

redis-py accepts an answer of any length, and waits as long as a byte arrives now and then. Its sockets
are wrapped in one that counts bytes and seconds for each command. What an answer means, and what it
must look like, is decided in `redis.py`.
"""

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redis import ConnectionPool, Redis

MAX_REPLY = 2 << 20  # bytes; a session takes at most half of that, a thousand names a tenth
SENTINEL = "+sentinel"  # ends the scheme of a URL that names sentinels
_SENTINEL_PORT = 26379


def connect(url: str, timeout: float) -> "Redis":
    """Return a redis-py client for a URL, not connected yet. An answer may take `timeout` seconds and
    `MAX_REPLY` bytes; beyond that, redis-py raises `TimeoutError` or `ConnectionError`.

    A URL that begins with `redis+sentinel://` or `rediss+sentinel://` names the sentinels that know the
    primary: `HOST:PORT,HOST:PORT/SERVICE/DB`. They are asked again for each new connection.

    Raises `ValueError` if the URL is not valid.
    """
    from redis import Redis

    scheme, _, rest = url.partition("://")
    if scheme.endswith(SENTINEL):
        return _behind_sentinels(scheme.removesuffix(SENTINEL), rest, timeout)
    pool = _pool(url, timeout)
    _check_options(url, pool.connection_class, pool.connection_kwargs)
    pool.connection_class = _bounded(pool.connection_class, timeout)
    return Redis.from_pool(pool)


def disconnect(client: "Redis") -> None:
    """Close the connections that are not in use: the next command opens a new one, and resolves the
    name or asks the sentinels again.
    """
    client.connection_pool.disconnect(inuse_connections=False)


def close(client: "Redis") -> None:
    """Close a client made by `connect`, and its connections to sentinels."""
    manager = getattr(client.connection_pool, "sentinel_manager", None)
    for sentinel in manager.sentinels if manager else ():
        sentinel.close()
    client.close()


def _pool(url: str, timeout: float) -> "ConnectionPool":
    from redis import ConnectionPool

    pool = ConnectionPool.from_url(url, **_patience(timeout))
    # The URL's options override ours, but the store needs bytes, not text.
    pool.connection_kwargs.update(decode_responses=False, encoding="utf-8")
    return pool


def _patience(timeout: float) -> "dict[str, Any]":
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # Only one attempt: if just the answer was lost, the script has run, and its lock is gone.
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
    }


def _behind_sentinels(scheme: str, rest: str, timeout: float) -> "Redis":
    from redis import Redis, sentinel

    library: Any = sentinel  # which has no types
    rest, _, options = rest.partition("?")
    place, _, path = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    service, _, database = path.partition("/")
    sentinels = [_host(host) for host in hosts.split(",")]
    if not service or scheme not in {"redis", "rediss"}:
        raise ValueError("no name of a service")
    url = f"{scheme}://{user}{at}localhost/{database}?{options}"
    found = dict(_pool(url, timeout).connection_kwargs)
    asked = {name: found.pop(f"sentinel_{name}", None) for name in ("username", "password")}
    for name in ("host", "port"):
        found.pop(name, None)
    secure = scheme == "rediss"
    kind = library.SentinelManagedSSLConnection if secure else library.SentinelManagedConnection
    share = timeout / len(sentinels)  # a sentinel that is down must not use up all of the time
    manager = library.Sentinel(
        sentinels, sentinel_kwargs={**_patience(share), **asked, "ssl": secure}
    )
    for each in manager.sentinels:
        pool = each.connection_pool
        pool.connection_class = _bounded(pool.connection_class, share)
    managed = library.SentinelConnectionPool(
        service, manager, connection_class=_bounded(kind, timeout), **found
    )
    _check_options(url, kind, managed.connection_kwargs)
    return Redis.from_pool(managed)


def _host(text: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    address = urlsplit(f"//{text}")
    if not address.hostname:
        raise ValueError("no name of a host")
    return address.hostname, address.port or _SENTINEL_PORT


def _check_options(url: str, kind: "type[Any]", options: "dict[str, Any]") -> None:
    """Raise `UnknownOption` for an option of a URL that redis-py does not know."""
    from urllib.parse import parse_qsl

    try:
        kind(**options)  # this does not connect
    except TypeError as error:
        names = [name for name, _ in parse_qsl(url.partition("?")[2]) if f"'{name}'" in str(error)]
        raise UnknownOption(*names[:1]) from None


class UnknownOption(Exception):
    """A URL has an option that redis-py does not know; `args` has its name, if that is known."""


def _bounded(kind: "type[Any]", timeout: float) -> "type[Any]":
    """Return a subclass of a redis-py connection class that uses `Socket`."""

    def _connect(self: "Any") -> "Socket":
        return Socket(kind._connect(self), timeout)

    return type(kind.__name__, (kind,), {"_connect": _connect})


class Socket:
    """A connected socket that gives up `timeout` seconds, or `MAX_REPLY` bytes, after the last send.
    In all other respects it is the socket that it wraps.
    """

    def __init__(self, socket: "Any", timeout: float) -> None:
        self._socket = socket
        self._timeout = timeout
        self._begin()

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._socket, name)

    def _begin(self) -> None:
        self._deadline = monotonic() + self._timeout
        self._left = MAX_REPLY

    def sendall(self, data: "Any", *flags: int) -> None:
        """Send a command, or a piece of one; this starts the limits of the next answer."""
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
            raise OSError(f"the answer has more than {MAX_REPLY} bytes")


class _Hurry:
    """A `with` block in which a socket waits at most `left` seconds."""

    def __init__(self, socket: "Any", left: float) -> None:
        self._socket = socket
        self._own = socket.gettimeout()
        self._left = left

    def __enter__(self) -> None:
        if self._is_shorter():
            if self._left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(self._left)

    def __exit__(self, *_: object) -> None:
        if self._is_shorter():
            self._socket.settimeout(self._own)

    def _is_shorter(self) -> bool:
        # With a timeout of 0, redis-py checks whether the server has closed the connection.
        return self._own != 0 and (self._own is None or self._own > self._left)
