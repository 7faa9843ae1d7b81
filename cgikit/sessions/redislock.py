"""The lock of one session in a Redis server. Internal to `redis.py`.

This module decides how a lock is taken and released; what the server does is in `redisscripts.py`.
"""

import os

from .redisscripts import EXTEND, FIELDS, LOCK, RELEASE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Protocol

    from .store import Record

    class Locking(Protocol):
        """What a lock needs of its store."""

        timeout: float
        lock_limit: float
        _tokens: dict[tuple[int, int, str], str]

        def _lock_name(self, key: str) -> str: ...
        def _run(self, script: str, keys: list[str], values: list[Any]) -> Any: ...
        def _answered(self, answer: object, count: int) -> tuple[bytes, list[bytes | None]]: ...
        def _taken(self, fields: list[bytes | None]) -> Record: ...
        def _done(self, answer: object) -> bool: ...
        def _nothing(self, answer: object) -> None: ...
        def _late(self, key: str, seconds: float) -> Exception: ...


class RedisLock:
    """The lock of one session: a token under `PREFIXlock:KEY`. Entering it returns the record, read in
    the same step.
    """

    def __init__(self, store: "Locking", name: str, key: str, timeout: float) -> None:
        self._store = store
        self._names = [name, store._lock_name(key)]
        self._key = key
        self._timeout = timeout
        self._token = ""

    def __enter__(self) -> "Record | None":
        from time import monotonic

        store = self._store
        token = os.urandom(16).hex()
        limit = max(1, int(store.lock_limit * 1000))
        # A server that stalls may take the lock after we have given up, and nobody would release it. So
        # it is brief until the answer has arrived.
        brief = min(limit, max(1, int(store.timeout * 1000)))

        def attempt() -> "tuple[Record | None] | None":
            answer = store._run(LOCK, self._names, [token, brief, *FIELDS])
            state, fields = store._answered(answer, 3)
            if state == b"none":
                return (None,)
            if state == b"locked" and self._extended(token, brief, limit):
                self._token = store._tokens[mine(self._key)] = token
                return (store._taken(fields),)
            return None

        deadline = monotonic() + self._timeout
        found = attempt()
        if found is None:
            from ..waiting import wait_for

            found = wait_for(attempt, deadline)
            if found is None:
                raise store._late(self._key, self._timeout)
        return found[0]

    def _extended(self, token: str, brief: int, limit: int) -> bool:
        """Extend a brief lock to its full time; return whether it still existed."""
        store = self._store
        return brief == limit or store._done(store._run(EXTEND, self._names[1:], [token, limit]))

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        tokens, me = self._store._tokens, mine(self._key)
        if self._token and tokens.get(me) == self._token:  # not saved yet, and not a forked child
            del tokens[me]
            self._store._nothing(self._store._run(RELEASE, self._names[1:], [self._token]))


def mine(key: str) -> tuple[int, int, str]:
    """Return the owner of a lock on a session: this process and thread."""
    from _thread import get_ident

    return os.getpid(), get_ident(), key
