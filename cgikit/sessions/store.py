"""What all session stores share: ids and keys, records, the policy of expiry, the interface.

A visitor's cookie holds an id: 256 random bits. A store never sees it: it keeps each session under
the id's key, its SHA-256, so that a listing, a backup or a leaked database gives no usable ids away.
How a session looks inside is decided in `payload.py`; what it means to a script, in `session.py`.
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


SKEW = 60  # seconds that a time stamp may lie ahead: clocks of several machines differ
LONGEST_LIFE = 400 * 86_400  # of one session; browsers keep no cookie for longer (RFC 6265bis 5.5)
FORMER = "session"  # the cookie's name before stores had names of their own
LONGEST_GAP = 40 * 86_400  # seconds between two purges, see `Store.purge`

_ALPHABET = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_HEX = frozenset("0123456789abcdef")
_LAST = frozenset("AEIMQUYcgkosw048")  # 43 characters are 258 bits: the last two must be zero


def new_id() -> str:
    """Return a new session id (str): 256 bits from the system, 43 characters of base64url."""
    from binascii import b2a_base64

    # From the system each time: a generator's state would be the same on both sides of a fork.
    text = b2a_base64(os.urandom(32), newline=False).decode("ascii")
    return text.translate({43: "-", 47: "_", 61: None})


def is_id(text: str) -> bool:
    """Tell whether a text can be a session id. It asks for nothing but the exact form, and comes
    before any use of what a client has sent.
    """
    return len(text) == 43 and text[-1] in _LAST and _ALPHABET.issuperset(text)


def key_of(session_id: str) -> str:
    """Return the key that the session of an id is kept under (str, 64 hexadecimal digits: SHA-256).

    Raises `ValueError` for what is no id.
    """
    if not is_id(session_id):
        raise ValueError("not a session id")
    return sha256_of(session_id.encode("ascii"))


def is_key(text: str) -> bool:
    """Tell whether a text can be the key of a session: 64 hexadecimal digits in lower case."""
    return len(text) == 64 and _HEX.issuperset(text)


def check_key(key: str) -> None:
    """Raise `ValueError` for what is no key: what a store does first, before any system call."""
    if not is_key(key):
        raise ValueError(
            f"{key[:80]!r} is not a valid key of a session; keys are 64 hexadecimal digits, as "
            "`key_of` returns them"
        )


def sha256_of(data: bytes) -> str:
    """Return the SHA-256 of bytes (str, 64 hexadecimal digits), without loading hashlib."""
    # hashlib loads OpenSSL, which takes longer than all of this package. The standard library's own
    # random takes the same way past it. By version, not by trying: a module that is missing is looked
    # for in every directory, each time.
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256  # type: ignore[import-not-found]  # not in the stubs
    except ImportError:  # not every interpreter has them
        from hashlib import sha256
    digest: str = sha256(data).hexdigest()
    return digest


class Record:
    """One session as a store keeps it.

    `payload` is what `payload.encode` made (bytes, ASCII, at most `MOST_BYTES`). `accessed` is when
    the session was used last, `expires` when it ends whatever happens; both in seconds since the
    epoch (float). The end by being idle is `accessed` plus the store's `idle`.
    """

    __slots__ = ("accessed", "expires", "payload")

    def __init__(self, payload: bytes, accessed: float, expires: float) -> None:
        self.payload = payload
        self.accessed = accessed
        self.expires = expires

    @property
    def life(self) -> float | None:
        """For how many seconds the session is kept although nobody uses it, as `Session.remember` was
        told; None where the store's policy holds. Read from the first bytes of the payload.
        """
        if not self.payload.startswith(KEEP):
            return None
        number = self.payload[len(KEEP) : len(KEEP) + 24].partition(b",")[0]
        try:
            life = float(number)
        except ValueError:
            return None  # damaged, as whoever decodes it will find
        return life if 0 < life < float("inf") else None

    def __repr__(self) -> str:
        return f"<Record {len(self.payload)} bytes accessed={self.accessed} expires={self.expires}>"


class Store(ABC):
    """A place for sessions, and the policy for them. All stores behave the same.

    `idle` seconds without a request end a session, and `absolute` seconds after its start, however
    busy it is. One that holds nothing but the token for forms ends after `token_idle` seconds, unless
    its cookie has come back: robots keep no cookies, and leave one at every page with a form. For
    `grace` seconds after `rotate` the old id still shows the old data. `lock_timeout` is how long a
    request waits for another of the same visitor (`LockTimeout`). One in 1 / `sweep_chance` requests
    that save also removes some dead sessions; 0 leaves all to `purge`.

    The cookie: `cookie` is its name, by default the one that `cookie_name` returns; `secure` None is
    "where the request is" (give True behind a proxy that ends TLS); `max_age` seconds make it outlive
    the browser; `cookie_path` and `samesite` are `set_cookie`'s.

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
                "idle, absolute and token_idle are more than 0 seconds, grace and lock_timeout 0"
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

    # What a store must do. A key is always one of `key_of`; what is no key raises `ValueError`.
    # What the place itself refuses (full, not allowed, gone) raises `StorageError`.

    @abstractmethod
    def load(self, key: str) -> Record | None:
        """Return the record, without waiting for any lock; None if there is none.

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
        """Keep a record, whole or not at all. When it returns, all that come later see it.

        With `new` there must be none under this key (`StorageError` if there is, and it stays);
        without, the caller holds its lock.
        """

    @abstractmethod
    def touch(self, key: str, accessed: float) -> None:
        """Set when a session was used last, and nothing else. An unknown key is left unknown."""

    @abstractmethod
    def delete(self, key: str) -> None:
        """Delete a record; none is fine. The caller holds its lock, if there is a record."""

    @abstractmethod
    def set_aside(self, key: str, reason: str) -> None:
        """Move a record that cannot be understood out of the way, so that the key is unknown, and a
        person can look at it. It is never deleted. None is fine.
        """

    @abstractmethod
    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions, live and dead, in no order and in flat memory."""

    @abstractmethod
    def purge_stamp(self, renew: bool = False) -> float:
        """Return when a purge ran last (seconds since the epoch, by this store's `clock`), after
        `renew` the moment of the call. A store starts with the moment it was made; 0.0 if none is
        known.
        """

    # What stores share, and may do better.

    def sync(self, key: str) -> None:
        """Make what was saved under a key outlive a power failure, too, where that is the store's to
        do. Sessions are not worth the wait; the mark that ends those of a user is. None is fine.
        """
        check_key(key)

    def place(self) -> str:
        """Return what tells these sessions from those of other stores that a host's visitors may meet
        (str); the same wherever they are used, and no secret in it. The cookie's name is made of it; ""
        makes it plain "session".
        """
        return ""

    def cookie_name(self, secure: bool) -> str:
        """Return the name of the cookie (str): `cookie`, or by default "session-" and ten digits that
        stand for `place`, with "__Host-" in front where it is `secure`.
        """
        return self.cookie_names(secure)[0]

    def cookie_names(self, secure: bool) -> tuple[str, ...]:
        """Return the names (str) that the cookie can have: `cookie_name`, and the one before it."""
        if self.cookie is not None:
            return (self.cookie,)
        prefix = "__Host-" if secure and self.cookie_path == "/" else ""
        place = self.place()
        if not place:
            return (prefix + FORMER,)
        # Surrogates stand for bytes of a path that are not UTF-8.
        digits = sha256_of(place.encode("utf-8", "surrogatepass"))[:10]
        return f"{prefix}{FORMER}-{digits}", prefix + FORMER

    def count(self) -> int:
        """Return the number of sessions, live and dead."""
        return sum(1 for _ in self.keys())

    def is_live(self, record: Record, now: float) -> bool:
        """Tell whether a record is neither idle for too long nor at its end."""
        return now < self.end(record)

    def end(self, record: Record) -> float:
        """Return when a record ends if nobody uses it, in seconds since the epoch."""
        if record.life is not None:
            return record.expires
        return min(record.accessed + self.idle, record.expires)

    def clamped(self, record: Record, now: float) -> Record:
        """Return the record with no time stamp further ahead than it can be.

        A clock that was wrong for an hour must leave no session behind that lives for ten years.
        """
        accessed = record.accessed if record.accessed <= now + SKEW else now
        end = now + (self.absolute if record.life is None else record.life)
        expires = record.expires if record.expires <= end + SKEW else end
        if (accessed, expires) == (record.accessed, record.expires):
            return record
        return Record(record.payload, accessed, expires)

    def mended(self, record: Record, inside: Payload, now: float) -> Record:
        """Return the record, with `inside` decoded, without the time stamps that a clock has set which
        was ahead. It lives for as long from now on as it was given then: unlike `clamped` this asks no
        policy, since whoever purges a store need not have that of the script that wrote the record.
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
        """Tell whether `purge_one` must look into a record: it is dead, or a time stamp is ahead."""
        latest = self.latest(now)
        return not (
            record.accessed <= now + SKEW and record.expires <= latest and self.is_live(record, now)
        )

    def latest(self, now: float) -> float:
        """Return the time that nothing outlives which was stored until `now`, by a right clock."""
        return now + max(self.absolute, LONGEST_LIFE + 86_400) + SKEW

    def purge(
        self,
        now: float | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        *,
        force: bool = False,
    ) -> int:
        """Delete all dead sessions; return how many (int). Safe beside requests, flat in memory.

        `progress(done, total)` is called along the way. A purge that finds the last one more than 40
        days (or 10 times `idle`) ago, or in the future, deletes nothing and only notes that it ran:
        the clock may have jumped, and a jump must not wipe out every session. The next one deletes;
        `force` deletes at once. A session that is locked is in use and stays.
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
        """Delete some dead sessions in the course of a request, in bounded time; return how many."""
        return self.purge()

    def may_purge(self, now: float) -> bool:
        """Note that a purge runs, and tell whether it may delete: see `purge`."""
        gap = now - self.purge_stamp()
        self.purge_stamp(renew=True)
        return -SKEW <= gap <= max(LONGEST_GAP, 10 * self.idle)

    def purge_one(self, key: str, now: float) -> bool:
        """Delete one session if it is dead, and tell whether it was; mend its time stamps if not.

        What cannot be read may be the mark of a user, without which ended sessions would live again
        (`users.py`): it stays where it is until the end that stands beside it.
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
