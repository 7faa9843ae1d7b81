"""Sessions in Redis or Valkey, for several web servers that share them.

This module decides what is stored under which names, and what the server must do in one step; the
protocol is redis-py's (the extra `cgikit[redis]`). The server expires sessions by itself. It keeps the
locks too: each has a random token and a time limit, so the lock of a machine that dies ends as well. A
request that takes longer than its lock cannot save any more, because saving compares the token.
"""

import os
import sys

from .payload import KEEP
from .redislock import RedisLock, mine
from .redisscripts import (
    CREATE,
    DELETE,
    FIELDS,
    LOAD,
    MAX_NUMBER,
    SAVE,
    SET_ASIDE,
    TIMES,
    TOUCH,
)
from .store import Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Unpack

    from redis import Redis

    from .store import Policy

_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_CLUSTER = (
    "Redis Cluster, which is not supported: use a single server, or sentinels"
    " (redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/0)"
)
_MIN_TTL = 60_000  # ms that the server keeps a record at least: `is_live` checks its end
_MAX_TTL = 10**12  # ms, 31 years: longer than any valid time stamp needs
_SCANNED = 1_000  # keys in one answer
# What redis-py raises for answers that it cannot parse
_NONSENSE = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
)  # fmt: skip


class RedisStore(Store):
    """Sessions in the server at `server`: a URL (`redis://`, `rediss://` or `unix://`, as redis-py
    takes them; `redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/DB` for the primary that sentinels name)
    or a redis-py client, which must not decode its answers.

    All names begin with `prefix`. A lock ends by itself `lock_limit` seconds after it was taken; a
    request that takes longer cannot save (`LockTimeout`). `timeout` is how many seconds the server may
    take for a complete answer; with a client of your own, its setting counts. `policy` is what `Store`
    takes.

    Errors of the server, a server that cannot be reached, and invalid answers raise `StorageError`,
    which shows the address without user name and password. Redis Cluster is not supported. Without
    redis-py, the first use raises `ImportError`.
    """

    def __init__(
        self,
        server: "str | Redis",
        *,
        prefix: str = "cgikit:session:",
        lock_limit: float = 60,
        timeout: float = 5,
        **policy: "Unpack[Policy]",
    ) -> None:
        super().__init__(**policy)
        if not prefix or lock_limit <= 0 or timeout <= 0:
            raise ValueError(
                "prefix must not be empty, and lock_limit and timeout must be more than 0 seconds"
            )
        self.prefix = prefix
        self.lock_limit = lock_limit
        self.timeout = timeout
        self._url = ""
        self._client: Redis | None = None
        if isinstance(server, str):
            _check_scheme(server)
            self._url = server
        elif hasattr(server, "nodes_manager"):
            raise ValueError(f"the client belongs to a {_CLUSTER}")
        elif server.get_connection_kwargs().get("decode_responses"):
            raise ValueError(
                "the client decodes the server's answers: make it with decode_responses=False"
            )
        else:
            self._client = server
        self._scripts: dict[str, Callable[..., Any]] = {}
        # The key has the process and the thread too: the lock of a fork or another thread is not ours.
        self._tokens: dict[tuple[int, int, str], str] = {}

    def __repr__(self) -> str:
        return f"<RedisStore {self._place()}>"

    def __del__(self) -> None:
        # Once Python is finalizing nothing can be imported, and everything is closed anyway.
        if not sys.is_finalizing():
            self.close()

    def close(self) -> None:
        """Close the connections to the server, unless the client is your own. They are reopened when
        they are needed.
        """
        if self.__dict__.get("_url") and self._client is not None:
            from .redisconnection import close

            close(self._client)
            self._client = None
            self._scripts.clear()

    # --- what a store does --------------------------------------------------------------------

    def place(self) -> str:
        """Return the number of the database and the prefix: `Store.place`. Not the server's address,
        which can change, nor its URL, which may hold a password.
        """
        return f"redis {_database(self._url, self._client)} {self.prefix}"

    def load(self, key: str) -> Record | None:
        """Return the record, or None: `Store.load`."""
        state, fields = self._answered(self._run(LOAD, [self._record(key)], FIELDS), 3)
        return None if state == b"none" else self._taken(fields)

    def lock(self, key: str, timeout: float) -> "RedisLock":
        """Lock a session in the server: `Store.lock`."""
        return RedisLock(self, self._record(key), key, timeout)

    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Write the record and its expiry time: `Store.save`. Raises `LockTimeout`, and writes nothing,
        if the lock was held for longer than `lock_limit`.
        """
        from ..errors import StorageError

        now = self.clock()
        left = self.end(record) - now
        keep = int(max(_MIN_TTL, min(_MAX_TTL, left * 1000)))
        values = [record.payload, repr(record.accessed), repr(record.expires), keep]
        keys = [self._record(key), self._lock_name(key)]
        if new:
            if not self._done(self._run(CREATE, [*keys, self._stamp], [*values, repr(now)])):
                raise StorageError(
                    f"{self._place()} {keys[0]}", "there is a session under this key already"
                )
        else:
            self._finish(key, self._run(SAVE, keys, [*values, self._tokens.get(mine(key), "")]))

    def touch(self, key: str, accessed: float) -> None:
        """Set the field `accessed`, and the expiry time of the record: `Store.touch`."""
        times = [repr(accessed), repr(self.idle), repr(self.clock()), _MIN_TTL, _MAX_TTL, KEEP]
        self._nothing(self._run(TOUCH, [self._record(key)], times))

    def delete(self, key: str) -> None:
        """Delete the record: `Store.delete`. Raises `LockTimeout` as `save` does."""
        keys = [self._record(key), self._lock_name(key)]
        self._finish(key, self._run(DELETE, keys, [self._tokens.get(mine(key), "")]))

    def set_aside(self, key: str, reason: str) -> None:
        """Rename the record to `PREFIXcorrupt:KEY:…`, which does not expire: `Store.set_aside`."""
        aside = f"{self.prefix}corrupt:{key}:{os.urandom(4).hex()}"
        self._nothing(self._run(SET_ASIDE, [self._record(key), aside], []))

    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions: `Store.keys`. While the server resizes its table, it may
        return a key twice.
        """
        pattern = "".join(f"\\{c}" if c in "*?[]\\" else c for c in self.prefix) + "[0-9a-f]*"
        start = len(self.prefix.encode())
        cursor = 0
        while True:
            at = cursor
            answer: Any = self._ask(lambda client: client.scan(at, pattern, _SCANNED))  # noqa: B023
            cursor, names = self._scanned(answer, at)
            for name in names:
                key = name[start:].decode("ascii", "replace")
                if is_key(key):
                    yield key
            if cursor == 0:
                return

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the value of `PREFIXpurged`: `Store.purge_stamp`."""
        if renew:
            now = self.clock()
            if self._ask(lambda client: client.set(self._stamp, repr(now))) is not True:
                raise self._senseless("expected OK for the time stamp")
            return now
        stamp = self._ask(lambda client: client.getrange(self._stamp, 0, MAX_NUMBER))
        if not isinstance(stamp, bytes):
            raise self._senseless(f"expected a time stamp, got {type(stamp).__name__}")
        return _number(stamp) or 0.0

    def purge_one(self, key: str, now: float) -> bool:
        """Delete one session if it is dead: `Store.purge_one`. Live sessions are not locked."""
        state, fields = self._answered(self._run(LOAD, [self._record(key)], TIMES), 2)
        if state == b"none":
            return False
        record = self._taken([b"", *fields])
        if not self.is_suspect(record, now):
            return False
        return super().purge_one(key, now)

    def sweep(self) -> int:
        """Do nothing: the server expires sessions. `purge` is needed only after a change of `idle`."""
        return 0

    # --- names --------------------------------------------------------------------------------

    def _record(self, key: str) -> str:
        check_key(key)
        return self.prefix + key

    def _lock_name(self, key: str) -> str:
        return f"{self.prefix}lock:{key}"

    @property
    def _stamp(self) -> str:
        return f"{self.prefix}purged"

    # --- the server ---------------------------------------------------------------------------

    def _answered(self, answer: object, count: int) -> "tuple[bytes, list[bytes | None]]":
        """Check the answer of a script that reads a record; return its state and its fields."""
        if isinstance(answer, list) and answer:
            state, *fields = answer
            proper = all(field is None or isinstance(field, bytes) for field in fields)
            wanted = {b"none": 0, b"taken": 0, b"record": count, b"locked": count}
            if isinstance(state, bytes) and wanted.get(state) == len(fields) and proper:
                return state, fields
        raise self._senseless(f"expected a record, got {type(answer).__name__}")

    def _done(self, answer: object) -> bool:
        """Check the answer of a script that says whether it has succeeded, and return that."""
        if type(answer) is not int or answer not in {0, 1}:
            raise self._senseless(f"expected 0 or 1, got {type(answer).__name__}")
        return answer == 1

    def _nothing(self, answer: object) -> None:
        if answer is not None:
            raise self._senseless(f"expected nothing, got {type(answer).__name__}")

    def _scanned(self, answer: object, at: int) -> "tuple[int, list[bytes]]":
        cursor, names = answer if isinstance(answer, tuple) else (at, None)
        if not isinstance(cursor, int) or cursor == at != 0 or not isinstance(names, list):
            raise self._senseless("expected a list of names")
        if not all(isinstance(name, bytes) for name in names):
            raise self._senseless("names that are not bytes")
        return cursor, names

    def _taken(self, fields: "list[bytes | None]") -> Record:
        """Return the record in these fields. If they are not valid, the record is damaged and not
        dead, so that it will be set aside.
        """
        payload, accessed, expires = fields[0], _number(fields[1]), _number(fields[2])
        if payload is None or accessed is None or expires is None:
            now = self.clock()
            return Record(b"", now, now + self.idle)
        return Record(payload, accessed, expires)

    def _finish(self, key: str, done: object) -> None:
        """Forget the lock after a script that has released it. A lock that has expired is remembered,
        so that a second try fails too.
        """
        if not self._done(done):
            raise self._late(key, self.lock_limit)
        self._tokens.pop(mine(key), None)

    def _run(self, script: str, keys: list[str], values: "list[Any]") -> "Any":
        def run(client: "Redis") -> "Any":
            known = self._scripts.get(script)
            if known is None:
                known = self._scripts[script] = client.register_script(script)
            return known(keys=keys, args=values)

        return self._ask(run)

    def _ask(self, question: "Callable[[Redis], Any]") -> "Any":
        from .redisconnection import disconnect

        redis = _redis()
        if self._client is None:
            self._client = self._connect()
        try:
            try:
                return question(self._client)
            except redis.RedisError as error:
                if not _is_demoted(error):
                    raise
                # After a fail-over, the connection still leads to the former primary. It has done
                # nothing, so asking twice is safe; the name, or a sentinel, leads to the new one.
                disconnect(self._client)
                return question(self._client)
        except redis.RedisError as error:
            raise self._error(error) from error
        except _NONSENSE as error:
            # A connection that failed during its handshake would count as connected.
            disconnect(self._client)
            raise self._senseless(f"{type(error).__name__}: {str(error)[:100]}") from error

    def _connect(self) -> "Redis":
        from .redisconnection import UnknownOption, connect

        try:
            client = connect(self._url, self.timeout)
        except UnknownOption as error:
            name = "".join(error.args)
            raise ValueError(
                f"the URL of the server has the option {name!r}, which redis-py does not know; give"
                " the prefix of a store outside the URL: RedisStore(URL, prefix=…), or --prefix"
            ) from None
        except (_redis().RedisError, *_NONSENSE):
            # redis-py's message is not shown: it can contain parts of a password.
            raise ValueError(
                "the URL of the server is not valid for redis-py; give one such as"
                " redis://USER:PASSWORD@HOST:PORT/0, or with sentinels"
                " redis+sentinel://HOST:PORT,HOST:PORT/SERVICE/0; quote special characters (%40), and"
                " check the options"
            ) from None
        return client

    def _place(self) -> str:
        """Return where the server is, for a log: without user name and password."""
        if not self._url:
            return "redis"
        scheme, _, rest = self._url.partition("://")
        address, _, options = rest.partition("?")
        # If a password has an unquoted "?", the part before it is not an address.
        return f"{scheme}://" + ("…" if "@" in options else address.rpartition("@")[2])

    def _error(self, error: Exception) -> Exception:
        from ..errors import StorageError

        redis = _redis()
        if isinstance(error, redis.sentinel.MasterNotFoundError):
            # redis-py's message is not shown: it contains all settings of the connections.
            return StorageError(
                self._place(),
                "the sentinels know no primary; check that they run, the name of the service, and"
                " sentinel_password if they need one",
            )
        advice = ""
        if isinstance(error, redis.AuthenticationError | redis.exceptions.NoPermissionError):
            advice = "; check the user name and the password"
        elif _is_demoted(error):
            advice = "; this is a replica: use the primary, or the sentinels that know it"
        elif _is_of_cluster(error):
            advice = f"; this server belongs to a {_CLUSTER}"
        elif isinstance(error, redis.ConnectionError | redis.TimeoutError):
            advice = "; check that the server runs, and that this is its address"
        return StorageError(self._place(), f"{error}{advice}")

    def _senseless(self, what: str) -> Exception:
        from ..errors import StorageError

        return StorageError(
            self._place(), f"the answer is not valid ({what}); is this a Redis or Valkey server?"
        )

    def _late(self, key: str, seconds: float) -> Exception:
        from ..errors import LockTimeout

        return LockTimeout(f"{self._place()} {self._lock_name(key)}", seconds)


def _database(url: str, client: "Redis | None") -> str:
    """Return the number of the database, without loading redis-py; 0 if none is given."""
    if not url:
        return str(client.get_connection_kwargs().get("db") or 0) if client else "0"
    scheme, _, rest = url.partition("://")
    address, _, options = rest.partition("?")
    path = "" if scheme == "unix" else address.partition("/")[2]
    if scheme.endswith("+sentinel"):
        path = path.partition("/")[2]  # after the name of the service
    for option in options.split("&"):
        name, _, value = option.partition("=")
        if name == "db":
            path = value
    number = path.replace("/", "")
    return number if number.isdecimal() else "0"


def _number(text: "bytes | None") -> float | None:
    """Return a time stamp; None if it is not valid. That includes "nan", which would never pass."""
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return None if number is None or number - number != 0 else number


def _redis() -> "Any":
    """Return redis-py. It is imported with the first session: that takes longer than most scripts."""
    try:
        import redis
    except ImportError as error:
        if error.name != "redis":
            raise
        raise ImportError(
            "redis-py is not installed: pip install 'redis>=5.2'", name="redis"
        ) from None
    return redis


def _check_scheme(url: str) -> None:
    scheme = url.partition("://")[0]
    if "cluster" in scheme:
        raise ValueError(f"the URL names a {_CLUSTER}")
    if scheme not in _SCHEMES:
        raise ValueError(
            "the URL of a server must begin with redis://, rediss:// or unix://, or with"
            " redis+sentinel:// or rediss+sentinel://"
        )


def _is_demoted(error: BaseException | None) -> bool:
    """Return whether a server refuses because it is a replica. Redis 6 says so in the middle of its
    message; with sentinels, redis-py raises another error.
    """
    found = error is not None and (
        isinstance(error, _redis().ReadOnlyError) or "READONLY" in str(error)
    )
    return found or (error is not None and _is_demoted(error.__context__))


def _is_of_cluster(error: Exception) -> bool:
    """Return whether a server refuses because it is in a cluster. Older versions of redis-py have no
    classes for these errors.
    """
    errors = _redis().exceptions
    kinds = (
        errors.ClusterDownError, errors.ClusterCrossSlotError, errors.MovedError, errors.AskError,
    )  # fmt: skip
    return isinstance(error, kinds) or str(error).startswith(("CLUSTERDOWN ", "CROSSSLOT "))
