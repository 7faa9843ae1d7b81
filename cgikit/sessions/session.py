"""The session that a script uses: a mapping that is read, locked and saved automatically.

Nothing is read before the first use. From then until it is saved, other requests of the same visitor
wait, so none of them overwrites what this one has changed. A store (`store.py`) decides where it is
stored, `payload.py` in which form.
"""

import os

from .payload import Payload
from .store import MAX_LIFE, SKEW, Record, key_of, new_id
from .values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..environ import MetaVariables
    from ..response import Response
    from .store import Store


class Session(Values):
    """The data of one visitor: str to JSON values (None, bool, int, float, str, list, dict).

    It is kept in `store`; the cookie of `request` identifies the visitor. A script gets it as
    `request.session` from `run(handler, sessions=store)`, which also saves it; if you make one
    yourself, end with `save(response)`.

    The first use takes the visitor's lock, and waits for other requests that hold it (`LockTimeout`,
    503). With `readonly` there is no lock, and nothing can be changed (`StateError`); the session is
    kept alive nevertheless. A visitor without a session, for whom nothing is stored, costs nothing and
    gets no cookie.

    Right after `rotate` in another request, a request that still has the old id sees the old data;
    changing it raises `SessionMoved` (503, Retry-After), because the change would be lost.
    """

    def __init__(self, store: "Store", request: "MetaVariables", *, readonly: bool = False) -> None:
        self._store = store
        self._request = request
        self._readonly = readonly
        self._closed = False
        self._inside: Payload | None = None  # None until the first use
        self._lock: AbstractContextManager[Record | None] | None = None
        self._id: str | None = None
        self._stored = ""  # the key that it is stored under; after `rotate` not yet that of the id
        self._kept = b""  # the stored payload
        self._seen = b""  # the same without expired values
        self._saved = b""  # the payload when it was saved; b"" before that
        self._accessed: float = 0
        self._came_back = False  # whether the visitor has sent the cookie of the stored session
        self._stale = False  # whether the stored time stamp must be set in any case
        self._due = ""  # what has to be done with the cookie: "set" or "delete"
        self._marked: Response | None = None  # the response that has the cookie

    def __repr__(self) -> str:
        state = "unused" if self._inside is None else "closed" if self._closed else "open"
        return f"<Session {state}>"  # without the id: a page or a log that showed it would leak it

    # --- what it is ---------------------------------------------------------------------------

    @property
    def id(self) -> str | None:
        """The id (str), or None for a session that is not stored. Anybody who knows it can act as the
        visitor: keep it secret.
        """
        self._read()
        return self._id

    @property
    def is_new(self) -> bool:
        """Whether nothing is stored for this visitor yet."""
        self._read()
        return not self._stored

    @property
    def created(self) -> float:
        """When the session began, in seconds since the epoch."""
        return self._read().created

    @property
    def accessed(self) -> float:
        """When it was used before this request, in seconds since the epoch, exact to about a hundredth
        of the store's `idle`. For a new session this is now.
        """
        self._read()
        return self._accessed

    @property
    def readonly(self) -> bool:
        """Whether it takes no lock and cannot be changed. It can be set until the first use."""
        return self._readonly

    @readonly.setter
    def readonly(self, value: bool) -> None:
        if self._inside is not None or self._closed:
            from ..errors import StateError

            raise StateError("the session was used already; set readonly before the first use")
        self._readonly = value

    # --- forms -------------------------------------------------------------------

    def csrf_token(self) -> str:
        """Return the token for this session's forms (str, 43 characters). `rotate` changes it.

        Asking for it starts a session. A session with nothing else in it ends after the store's
        `token_idle` seconds, unless the visitor comes back before.
        """
        inside = self._read()
        # A form must not depend on an id that ends.
        if not inside.csrf or inside.retired is not None:
            self._write().csrf = new_id()
        return inside.csrf

    def check_csrf(self, token: str | None) -> None:
        """Raise `FormExpired` (403) unless `token` is the one of `csrf_token`."""
        from .forms import check

        check(self._read(), token, self._store.clock(), self._store.grace)

    # --- its life -----------------------------------------------------------------------------

    def rotate(self) -> None:
        """Continue under a new id, with the same data. Call it wherever a visitor's rights change, as
        at login: somebody who knows the old id cannot use the new session. The CSRF token changes too.
        """
        from .forms import forget

        inside = self._write()
        forget(inside, self._store.clock())
        if self._stored:
            self._id = new_id()

    def destroy(self) -> None:
        """Delete the session and its cookie now. Values that are stored afterwards start a new
        session.
        """
        self._write()
        try:
            if self._stored:
                self._store.delete(self._stored)
                self._due = "delete"
        finally:
            self._release()
        self._forget()

    def log_out_others(self) -> None:
        """End all other sessions of this session's `user` now, even if this request fails later.
        `StateError` if the session has no user.
        """
        inside = self._write()
        if not inside.user:
            from ..errors import StateError

            raise StateError("the session has no user: set session.user at login")
        from .users import renew

        inside.mark = renew(self._store, inside.user)

    def remember(self, seconds: float | None) -> None:
        """Keep this session for `seconds` from now, used or not, in the browser too, instead of the
        store's `idle`, `absolute` and `max_age`. None restores these. 400 days at most.
        """
        if seconds is not None and not 0 < seconds <= MAX_LIFE:
            raise ValueError(
                f"seconds={seconds!r} is not valid; give more than 0, and at most {MAX_LIFE}"
            )
        inside = self._write()
        inside.keep = None if seconds is None else float(seconds)
        inside.kept = self._store.clock()
        self._due = "set"

    def close(self) -> None:
        """Save, and release the visitor's lock. Call it as soon as nothing more will be changed.

        The values can still be read; changing one raises `StateError`. `save` sets the cookie.
        """
        if self._closed:
            return
        self._closed = True
        if self._inside is None:
            self._readonly = True  # a later use can only read
            return
        try:
            self._flush(self._inside)
        except BaseException:
            self._due, self._saved = "", b""  # no cookie for a session that was not stored
            raise
        finally:
            self._release()
        self._sweep()

    def save(self, response: "Response | None" = None) -> None:
        """Save as `close` does, and set the cookie in the response, just before it is sent.

        A value that JSON cannot hold raises `TypeError`, which names its key, and nothing is saved. A
        response that was made with the session gets `Cache-Control: private`, unless it has its own.
        """
        if self._closed:
            self.end()
        self.close()
        if response is not None:
            self.mark(response)

    def end(self) -> None:
        """Raise `StateError` if a list or a dict in the session was changed after it was saved: that
        change is lost. `run` calls it last, after a streamed answer.
        """
        inside = self._inside
        if inside is None or not self._saved:
            return
        if any(isinstance(value, list | dict) for value in inside.data.values()):
            try:
                changed = inside.encode() != self._saved
            except (TypeError, ValueError):
                changed = True
            if changed:
                self._saved = b""  # raised only once
                self._refuse(inside)

    def mark(self, response: "Response") -> None:
        """Set the cookie in another response as well. A session that is not stored has no cookie."""
        if self._inside is None or not self._closed or self._marked is response:
            return
        from .cookie import send

        due, self._due = self._due, ""  # if this fails, the error page gets no cookie
        if response.cache_control is None:
            response.cache_control = "private"
        self._marked = response
        if due == "delete" or (due and self._id):
            session_id = "" if due == "delete" else self._id or ""
            max_age = self._store.max_age
            if self._inside.keep is not None:
                left = self._inside.end(0) - self._store.clock()
                max_age = max(1, -int(-left // 1))  # rounded up
            send(response, self._store, self._request, session_id, max_age)
        self._due = due

    def abandon(self) -> None:
        """Release the lock without saving: all changes since the first use are dropped."""
        if not self._closed and self._due == "set":
            self._due = ""
        self._closed = True
        self._release()

    # --- inside -------------------------------------------------------------------------------

    def _read(self) -> Payload:
        if self._inside is None:
            self._open()
        return self._inside  # type: ignore[return-value]  # _open has set it

    def _write(self) -> Payload:
        inside = self._read()
        self._refuse(inside)
        return inside

    def _refuse(self, inside: Payload) -> None:
        """Raise the error for a session that cannot be changed, or not any more."""
        if inside.retired is not None:
            from ..errors import SessionMoved
            from .forms import AGAIN

            raise SessionMoved(
                503,
                "This page was requested twice, or you have just logged in or out in another window. "
                "It will reload by itself in a few seconds.",
                (("Retry-After", "1"), *AGAIN),
            )
        if self._readonly or self._closed:
            from ..errors import StateError

            if self._readonly:
                raise StateError(
                    "this session is read-only; set readonly to False before its first use"
                )
            raise StateError("this session was saved and closed already; change it before that")

    def _open(self) -> None:
        """Look up the visitor's session, and lock it. A new session needs no lock: nobody knows its id
        yet.
        """
        from .cookie import ids, is_former

        for named, name in ids(self._store, self._request):
            if self._find(named):
                if is_former(self._store, name):
                    self._due = "set"  # under its present name
                break
            # The id was just replaced. Another cookie may have one that is valid.
        if self._inside is None:
            self._forget()
        if self._closed:
            self._saved = self._seen  # it is too late to change it

    def _find(self, session_id: str) -> bool:
        """Look up a session by its id, and lock it; return whether it exists and can be changed."""
        key = key_of(session_id)
        if self._readonly:
            usable = self._take(session_id, key, self._store.load(key))
            if usable:
                self._stay()
            return usable
        lock = self._store.lock(key, self._store.lock_timeout)
        record = lock.__enter__()
        self._lock = lock
        usable = False
        try:
            usable = self._take(session_id, key, record)
        finally:
            if not usable:
                self._release()
        return usable

    def _take(self, session_id: str, key: str, record: Record | None) -> bool:
        """Make a record this session, and return whether it can be changed under our lock."""
        if record is None:
            return False
        store, now = self._store, self._store.clock()
        sound = store.clamped(record, now)
        if not store.is_live(sound, now):
            return False
        try:
            inside = Payload.decode(record.payload)
        except ValueError as error:
            if not self._readonly:  # without a lock, the key could lead to another record by now
                store.set_aside(key, str(error))
                _report(f"session {key} is damaged ({error}) and was set aside")
            return False
        if inside.retired is not None and not -SKEW <= now - inside.retired < store.grace:
            return False
        if inside.created > now + SKEW:
            inside.created = now  # the clock was ahead; otherwise this session would never end
        inside.kept = min(inside.kept, now)
        end = inside.end(store.absolute)
        if now >= end or (inside.user and not self._belongs(key, inside)):
            return False
        same = not inside.drop_expired(now) and sound.expires == record.expires
        if inside.is_token and record.expires < end - 1:
            same = False  # its cookie has come back: now it has the lifetime of other sessions
        self._inside, self._id, self._stored = inside, session_id, key
        self._came_back = True
        self._kept = record.payload if same else b""
        self._seen = inside.encode()
        self._accessed = sound.accessed
        self._stale = sound.accessed != record.accessed
        # Renews the cookie's lifetime in the browser
        self._due = "set" if store.max_age is not None else ""
        return inside.retired is None

    def _belongs(self, key: str, inside: Payload) -> bool:
        """Return whether the session is still its user's; delete it if not."""
        from .users import belongs

        if belongs(self._store, inside):
            return True
        if not self._readonly:  # otherwise there is no lock
            self._store.delete(key)
        return False

    def _forget(self) -> None:
        self._accessed = self._store.clock()
        self._inside = Payload(self._accessed)
        self._seen = self._inside.encode()
        self._id, self._stored, self._kept = None, "", b""
        self._came_back = False

    def _flush(self, inside: Payload) -> None:
        """Write what has changed, and nothing else."""
        store = self._store
        payload = self._saved = inside.encode()
        if self._readonly or inside.retired is not None:
            if payload != self._seen:
                self._refuse(inside)  # a list or dict in it was changed
            self._due = ""
            return
        now = store.clock()
        record = Record(payload, now, inside.end(store.absolute))
        if inside.is_token and inside.keep is None and not self._came_back:
            record.expires = min(record.expires, now + store.token_idle)
        if inside.is_empty:
            if self._stored:
                store.delete(self._stored)
                self._forget()
                self._saved = self._seen
                self._due = "delete"
            return
        if not self._stored:
            self._id = self._id or new_id()
            self._save_new(record)
        elif key_of(self._id or "") != self._stored:
            self._save_new(record)
            self._retire(now)
        elif payload != self._kept:
            store.save(self._stored, record)
        elif self._is_due(now):
            store.touch(self._stored, now)

    def _is_due(self, now: float) -> bool:
        """Return whether the time stamp must be set: small differences are not worth a write."""
        return self._stale or not 0 <= now - self._accessed < self._store.idle / 100

    def _stay(self) -> None:
        """Keep a read-only session alive. This takes no lock, and must not fail the request."""
        now = self._store.clock()
        if not self._is_due(now):
            return
        from ..errors import CGIError

        try:
            self._store.touch(self._stored, now)
        except CGIError as error:
            _report(f"cannot renew a read-only session: {error}")

    def _sweep(self) -> None:
        """Remove some dead sessions once in a while. This must not fail the request, which is done."""
        if not self._id or self._readonly:
            return
        if int.from_bytes(os.urandom(4)) >= self._store.sweep_chance * 2**32:
            return
        from ..errors import CGIError

        try:
            self._store.sweep()
        except CGIError as error:
            _report(f"cannot remove dead sessions: {error}")

    def _save_new(self, record: Record) -> None:
        self._store.save(key_of(self._id or ""), record, new=True)
        self._due = "set"

    def _retire(self, now: float) -> None:
        """Keep the old data under the old id for a while, for requests that are on their way."""
        if self._store.grace:
            old = Payload.decode(self._seen)
            old.retired = now
            self._store.save(self._stored, Record(old.encode(), now, now + self._store.grace))
        else:
            self._store.delete(self._stored)

    def _release(self) -> None:
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.__exit__(None, None, None)


def _report(what: str) -> None:
    from ..process import write_log

    write_log(f"cgikit: {what}\n")
