"""The parts that all session stores share: ids and keys, records, the rules of expiry, the interface.

A visitor's cookie has an id: 256 random bits. A store never sees it. It keeps each session under the
id's key, its SHA-256, so a listing, a backup or a leaked database reveals no usable ids.
`payload.py` decides what is in a session, `session.py` what it means to a script.
"""

import os
import sys
import time
from abc import ABC, abstractmethod

from .payload import KEEP, Payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from typing import TypedDict

    class Policy(TypedDict, total=False):
        """The arguments that every store takes, see `Store`."""

        idle: float
        absolute: float
        token_idle: float
        grace: float
        lock_timeout: float
        sweep_chance: float
        cookie: str | None
        max_age: int | None
        cookie_path: str
        samesite: str | None
        secure: bool | None
        clock: Callable[[], float]


SKEW = 60  # seconds that a time stamp may be in the future: the clocks of machines differ
MAX_LIFE = 400 * 86_400  # of one session; browsers keep no cookie for longer (RFC 6265bis 5.5)
FORMER = "session"  # the name of the cookie before each store had its own
MAX_GAP = 40 * 86_400  # seconds between two purges: see `Store.purge`

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_HEX = frozenset("0123456789abcdef")
_LAST = frozenset("AEIMQUYcgkosw048")  # 43 characters are 258 bits: the last two must be zero


def new_id() -> str:
    """Return a new session id (str): 256 bits from the system, 43 characters of base64url."""
    from binascii import b2a_base64

    # From the system each time: the state of a generator would be the same in a forked child.
    text = b2a_base64(os.urandom(32), newline=False).decode("ascii")
    return text.translate({43: "-", 47: "_", 61: None})


def is_id(text: str) -> bool:
    """Return whether a text has the exact form of a session id. This is checked before anything that a
    client has sent is used.
    """
    return len(text) == 43 and text[-1] in _LAST and _ALPHABET.issuperset(text)


def key_of(session_id: str) -> str:
    """Return the key that the session of an id is kept under (str, 64 hexadecimal digits: SHA-256).

    Raises `ValueError` if it is not an id.
    """
    if not is_id(session_id):
        raise ValueError("not a session id")
    return sha256_of(session_id.encode("ascii"))


def is_key(text: str) -> bool:
    """Return whether a text can be the key of a session: 64 hexadecimal digits in lower case."""
    return len(text) == 64 and _HEX.issuperset(text)


def check_key(key: str) -> None:
    """Raise `ValueError` if this is not a key. A store does this first, before any system call."""
    if not is_key(key):
        raise ValueError(
            f"{key[:80]!r} is not a valid key of a session; keys are 64 hexadecimal digits, as "
            "`key_of` returns them"
        )


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes (str, 64 hexadecimal digits), without loading hashlib."""
    # hashlib loads OpenSSL, which takes longer than all of this package; the standard library's random
    # avoids it in the same way. The version is asked for, because trying to import a missing module
    # searches every directory, each time.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256  # type: ignore[import-not-found]  # not in the stubs
    except ImportError:  # this interpreter has neither
        from hashlib import sha256
    digest: str = sha256(data).hexdigest()
    return digest


class Record:
    """One session as a store keeps it.

    `payload` is the result of `Payload.encode` (bytes, ASCII, at most `MAX_BYTES`). `accessed` is when
    the session was used last, `expires` when it ends even if it is used; both are seconds since the
    epoch (float). Unused, it ends at `accessed` plus the store's `idle`.
    """

    __slots__ = ("accessed", "expires", "payload")

    def __init__(self, payload: bytes, accessed: float, expires: float) -> None:
        self.payload = payload
        self.accessed = accessed
        self.expires = expires

    @property
    def life(self) -> float | None:
        """The lifetime in seconds that `Session.remember` has set; None if the store's rules apply. It
        is read from the first bytes of the payload.
        """
        if not self.payload.startswith(KEEP):
            return None
        number = self.payload[len(KEEP) : len(KEEP) + 24].partition(b",")[0]
        try:
            life = float(number)
        except ValueError:
            return None  # damaged: decoding the payload will report that
        return life if 0 < life < float("inf") else None

    def __repr__(self) -> str:
        return f"<Record {len(self.payload)} bytes accessed={self.accessed} expires={self.expires}>"


class Store(ABC):
    """A place where sessions are stored, and the rules for them. All stores behave in the same way.

    A session ends after `idle` seconds without a request, and `absolute` seconds after its start even
    if it is used. A session with nothing but the token for forms ends after `token_idle` seconds,
    unless its cookie has come back: robots ignore cookies, and start a session at every page with a
    form. For `grace` seconds after `rotate`, the old id still shows the old data. `lock_timeout` is
    how long a request waits for another request of the same visitor (`LockTimeout`). One in 1 /
    `sweep_chance` requests that save also removes some dead sessions; with 0, only `purge` does.

    The cookie: `cookie` is its name, by default that of `cookie_name`. `secure` None means "if the
    request is" (give True behind a proxy that terminates TLS). With `max_age` seconds it outlives the
    browser. `cookie_path` and `samesite` are those of `set_cookie`.

    `clock` returns seconds since the epoch. All numbers of seconds are int or float.
    """

    def __init__(
        self,
        *,
        idle: float = 7_200,
        absolute: float = 86_400,
        token_idle: float = 1_800,
        grace: float = 10,
        lock_timeout: float = 10,
        sweep_chance: float = 0.01,
        cookie: str | None = None,
        max_age: int | None = None,
        cookie_path: str = "/",
        samesite: str | None = "Lax",
        secure: bool | None = None,
        clock: "Callable[[], float]" = time.time,
    ) -> None:
        if idle <= 0 or absolute <= 0 or token_idle <= 0 or grace < 0 or lock_timeout < 0:
            raise ValueError(
                "idle, absolute and token_idle must be more than 0 seconds, grace and lock_timeout 0 "
                "or more"
            )
        self.idle = idle
        self.absolute = absolute
        self.token_idle = token_idle
        self.grace = grace
        self.lock_timeout = lock_timeout
        self.sweep_chance = sweep_chance
        self.cookie = cookie
        self.max_age = max_age
        self.cookie_path = cookie_path
        self.samesite = samesite
        self.secure = secure
        self.clock = clock

    # What a store must implement. Keys are those of `key_of`; anything else raises `ValueError`. If the
    # place cannot be used (full, forbidden, gone), it raises `StorageError`.

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """Return the record without waiting for a lock; None if there is none.

        Dead ones are returned as well: what is dead is decided by `is_live`, and only `purge` and
        `sweep` delete. An unknown key creates nothing. What the store itself cannot read comes as a
        record whose `expires` is infinite and whose payload is none: its visitor sets it aside, and
        nobody deletes it.
        """

    @abstractmethod
    def lock(self, key: str, timeout: float) -> "AbstractContextManager[Record | None]":
        """Return a context manager for the exclusive lock of one session; it is entered with what
        `load` returns, read under the lock.

        It excludes other locks of that key in all processes, from load to save: the first `save` or
        `delete` by its holder lets the next one in, which then sees what was saved. It ends with the
        `with` block or with the process, however that ends. `load` never waits for it. An unknown key
        is not locked and creates nothing: None. Waiting longer than `timeout` seconds raises
        `LockTimeout`.
        """

    @abstractmethod
    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Store a record, completely or not at all. Once this returns, all later requests see it.

        With `new` there must be no record under this key (otherwise `StorageError`, and it is kept);
        without it, the caller holds the lock.
        """

    @abstractmethod
    def touch(self, key: str, accessed: float) -> None:
        """Set when a session was used last, and nothing else. An unknown key stays unknown."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a record, if there is one. The caller holds its lock then."""

    @abstractmethod
    def set_aside(self, key: str, reason: str) -> None:
        """Move a damaged record out of the way, if there is one: its key becomes unknown, and people
        can look at it. It is never deleted.
        """

    @abstractmethod
    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions, live and dead, in any order, and in little memory."""

    @abstractmethod
    def purge_stamp(self, renew: bool = False) -> float:
        """Return when a purge ran last (seconds since the epoch, by this store's `clock`). `renew` sets
        it to now first. For a new store it is the time when the store was made; 0.0 if unknown.
        """

    # What stores inherit, and may override.

    def sync(self, key: str) -> None:
        """Make sure that what was saved under a key survives a power failure, if the store can do
        that. A session is not worth the wait, but the mark that ends a user's sessions is.
        """
        check_key(key)

    def place(self) -> str:
        """Return what distinguishes this store from others on the same host (str). It is the same
        wherever the store is used, and contains no secret. The name of the cookie is derived from it;
        with "" it is just "session".
        """
        return ""

    def cookie_name(self, secure: bool) -> str:
        """Return the name of the cookie (str): `cookie`, or by default "session-" and ten digits
        derived from `place`, with the prefix "__Host-" if it is `secure`.
        """
        return self.cookie_names(secure)[0]

    def cookie_names(self, secure: bool) -> tuple[str, ...]:
        """Return the names (str) that the cookie can have: `cookie_name`, and the former one."""
        if self.cookie is not None:
            return (self.cookie,)
        prefix = "__Host-" if secure and self.cookie_path == "/" else ""
        place = self.place()
        if not place:
            return (prefix + FORMER,)
        # Surrogates are bytes of a path that are not UTF-8.
        digits = sha256_of(place.encode("utf-8", "surrogatepass"))[:10]
        return f"{prefix}{FORMER}-{digits}", prefix + FORMER

    def records(self) -> "Iterator[tuple[str, Record]]":
        """Yield the keys of all sessions, live and dead, each with what `load` returns; in any order,
        and in little memory.
        """
        for key in self.keys():
            record = self.load(key)
            if record is not None:  # it may have ended meanwhile
                yield key, record

    def count(self) -> int:
        """Return the number of sessions, live and dead."""
        return sum(1 for _ in self.keys())

    def is_live(self, record: Record, now: float) -> bool:
        """Return whether a record has not ended."""
        return now < self.end(record)

    def end(self, record: Record) -> float:
        """Return when a record ends if it is not used, in seconds since the epoch."""
        if record.life is not None:
            return record.expires
        return min(record.accessed + self.idle, record.expires)

    def clamped(self, record: Record, now: float) -> Record:
        """Return the record without time stamps that are impossibly far in the future.

        A clock that was wrong for an hour must not leave a session that lives for ten years.
        """
        accessed = record.accessed if record.accessed <= now + SKEW else now
        end = now + (self.absolute if record.life is None else record.life)
        expires = record.expires if record.expires <= end + SKEW else end
        if (accessed, expires) == (record.accessed, record.expires):
            return record
        return Record(record.payload, accessed, expires)

    def mended(self, record: Record, inside: Payload, now: float) -> Record:
        """Return the record without time stamps from a clock that was ahead; `inside` is its decoded
        payload. It keeps the lifetime that it was given, from now on. Unlike `clamped`, this does not
        use the store's rules: a purge may run with other settings than the script.
        """
        accessed = record.accessed if record.accessed <= now + SKEW else now
        begin = inside.created if inside.keep is None else inside.kept
        if inside.retired is not None:
            begin = inside.retired
        ahead = begin - now
        expires = record.expires - ahead if ahead > SKEW else record.expires
        if (accessed, expires) == (record.accessed, record.expires):
            return record
        return Record(record.payload, accessed, expires)

    def is_suspect(self, record: Record, now: float) -> bool:
        """Return whether `purge_one` must check a record: dead, or with a time stamp in the future."""
        latest = self.latest(now)
        return not (
            record.accessed <= now + SKEW and record.expires <= latest and self.is_live(record, now)
        )

    def latest(self, now: float) -> float:
        """Return the latest end of anything that was stored before `now` by a correct clock."""
        return now + max(self.absolute, MAX_LIFE + 86_400) + SKEW

    def purge(
        self,
        now: float | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        *,
        force: bool = False,
    ) -> int:
        """Delete all dead sessions; return how many (int). It may run beside requests, in little
        memory.

        `progress(done, total)` is called along the way. If the last purge was more than 40 days (or 10
        times `idle`) ago, or in the future, nothing is deleted, and the purge is only noted: the clock
        may have jumped, and that must not delete every session. The next purge deletes; `force` deletes
        at once. A session that is locked is in use, and is kept.
        """
        now = self.clock() if now is None else now
        if not self.may_purge(now) and not force:
            return 0
        total = self.count() if progress else 0
        deleted = 0
        for done, key in enumerate(self.keys(), 1):
            deleted += self.purge_one(key, now)
            if progress:
                progress(min(done, total), total)
        return deleted

    def sweep(self) -> int:
        """Delete some dead sessions during a request, in limited time; return how many (int)."""
        return self.purge()

    def may_purge(self, now: float) -> bool:
        """Note that a purge runs, and return whether it may delete: see `purge`."""
        gap = now - self.purge_stamp()
        self.purge_stamp(renew=True)
        return -SKEW <= gap <= max(MAX_GAP, 10 * self.idle)

    def purge_one(self, key: str, now: float) -> bool:
        """Delete one session if it is dead, and return whether it was; correct its time stamps if not.

        A record that cannot be decoded may be the mark of a user, without which ended sessions would
        become valid again (`users.py`): it is kept until `Record.expires`.
        """
        from ..errors import LockTimeout

        try:
            with self.lock(key, 0) as record:
                if record is None:
                    return False
                try:
                    sound = self.mended(record, Payload.decode(record.payload), now)
                    is_dead = not self.is_live(sound, now)
                except ValueError:
                    sound, is_dead = record, record.expires <= now
                if is_dead:
                    self.delete(key)
                    return True
                if sound is not record:
                    self.save(key, sound)
        except LockTimeout:
            pass  # in use, and so not dead
        return False
