"""Connections to a Redis server that limit the size and duration of a reply. Internal to `redis.py`.

redis-py accepts a reply of any length, and keeps waiting while bytes trickle in. Its sockets are
wrapped in one that counts bytes and seconds for each command. `redis.py` decides what a reply must look
like and what it means.
"""

from time import monotonic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from redis import ConnectionPool, Redis

MAX_REPLY = 2 << 20  # bytes; a session takes at most half; a batch of 1,000 keys, a tenth
SENTINEL = "+sentinel"  # ends the scheme of a URL that names sentinels
_SENTINEL_PORT = 26379


def connect(url: str, timeout: float) -> "Redis":
    """Return a redis-py client for a URL, not connected yet. A reply may take `timeout` seconds and
    `MAX_REPLY` bytes; beyond that, redis-py raises `TimeoutError` or `ConnectionError`.

    A URL that begins with `redis+sentinel://` or `rediss+sentinel://` names the sentinels to ask for
    the primary: `HOST:PORT,HOST:PORT/SERVICE/DB`. They are asked again for each new connection.

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

    pool = ConnectionPool.from_url(url, **_retry_options(timeout))
    # The URL's options override ours, but the store needs bytes, not text.
    pool.connection_kwargs.update(decode_responses=False, encoding="utf-8")
    return pool


def _retry_options(timeout: float) -> "dict[str, Any]":
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    # No retry: if only the reply was lost, the Lua script has already run and changed the lock.
    return {
        "socket_timeout": timeout,
        "socket_connect_timeout": timeout,
        "retry": Retry(NoBackoff(), 0),
    }


def _behind_sentinels(scheme: str, rest: str, timeout: float) -> "Redis":
    from redis import Redis, sentinel

    library: Any = sentinel  # untyped
    rest, _, options = rest.partition("?")
    place, _, path = rest.partition("/")
    user, at, hosts = place.rpartition("@")
    service, _, database = path.partition("/")
    sentinels = [_host(host) for host in hosts.split(",")]
    if not service or scheme not in {"redis", "rediss"}:
        raise ValueError("the URL names no service; expected HOST:PORT,.../SERVICE/DB")
    url = f"{scheme}://{user}{at}localhost/{database}?{options}"
    settings = dict(_pool(url, timeout).connection_kwargs)
    credentials = {
        name: settings.pop(f"sentinel_{name}", None) for name in ("username", "password")
    }
    for name in ("host", "port"):
        settings.pop(name, None)
    secure = scheme == "rediss"
    connection_class = (
        library.SentinelManagedSSLConnection if secure else library.SentinelManagedConnection
    )
    share = timeout / len(sentinels)  # a sentinel that is down must not use up all of the time
    manager = library.Sentinel(
        sentinels, sentinel_kwargs={**_retry_options(share), **credentials, "ssl": secure}
    )
    for each in manager.sentinels:
        pool = each.connection_pool
        pool.connection_class = _bounded(pool.connection_class, share)
    managed = library.SentinelConnectionPool(
        service, manager, connection_class=_bounded(connection_class, timeout), **settings
    )
    _check_options(url, connection_class, managed.connection_kwargs)
    return Redis.from_pool(managed)


def _host(text: str) -> tuple[str, int]:
    from urllib.parse import urlsplit

    address = urlsplit(f"//{text}")
    if not address.hostname:
        raise ValueError("a sentinel has no host name; expected HOST:PORT")
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
    """A URL has an option that redis-py does not know; `args[0]` is its name, if known."""


def _bounded(kind: "type[Any]", timeout: float) -> "type[Any]":
    """Return a subclass of a redis-py connection class that uses `BoundedSocket`."""

    def _connect(self: "Any") -> "BoundedSocket":
        return BoundedSocket(kind._connect(self), timeout)

    return type(kind.__name__, (kind,), {"_connect": _connect})


class BoundedSocket:
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
        """Send a command, or a piece of one; this resets the limits for the next reply."""
        self._socket.sendall(data, *flags)
        self._begin()

    def recv(self, size: int, *flags: int) -> bytes:
        """Receive a piece of a reply."""
        with self._until_deadline():
            data: bytes = self._socket.recv(size, *flags)
        self._count(len(data))
        return data

    def recv_into(self, buffer: "Any", *rest: int) -> int:
        """Receive a piece of a reply into a buffer; return its size."""
        with self._until_deadline():
            size: int = self._socket.recv_into(buffer, *rest)
        self._count(size)
        return size

    def _until_deadline(self) -> "_Deadline":
        return _Deadline(self._socket, self._deadline - monotonic())

    def _count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise OSError(f"the reply has more than {MAX_REPLY} bytes")


class _Deadline:
    """A `with` block in which a socket waits at most `left` seconds."""

    def __init__(self, socket: "Any", left: float) -> None:
        self._socket = socket
        self._saved_timeout = socket.gettimeout()
        self._left = left

    def __enter__(self) -> None:
        if self._is_shorter():
            if self._left <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(self._left)

    def __exit__(self, *_: object) -> None:
        if self._is_shorter():
            self._socket.settimeout(self._saved_timeout)

    def _is_shorter(self) -> bool:
        # With a timeout of 0, redis-py checks whether the server has closed the connection.
        return self._saved_timeout != 0 and (
            self._saved_timeout is None or self._saved_timeout > self._left
        )
