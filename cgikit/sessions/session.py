"""The session as a script holds it: a mapping that is read, locked and saved by itself.

Nothing is read before the first use. From then until it is saved no other request of the same visitor
gets in, so what a script reads, changes and stores is never lost to another. Where it is kept is a
store's business (`store.py`), how it looks there `payload.py`'s.
"""

import os

from .payload import Payload
from .store import LONGEST_LIFE, SKEW, Record, key_of, new_id
from .values import Values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ..environ import MetaVariables
    from ..response import Response
    from .store import Store


class Session(Values):
    """What is remembered of one visitor: str to JSON values (None, bool, int, float, str, list, dict).

    `store` is where, `request` names the visitor by its cookie. A script gets one as `request.session`
    from `run(handler, sessions=store)`, which also saves it; by hand, end with `save(response)`.

    The first use takes the visitor's lock, and waits for other requests that hold it (`LockTimeout`,
    503). With `readonly` none is taken and nothing can be changed (`StateError`); it keeps the session
    alive all the same. A visitor without a session, for whom nothing is stored, costs nothing and gets
    no cookie.

    Right after `rotate` by another request, a request that still has the old id sees the old data;
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
        self._stored = ""  # the key it is stored under, which is not the id's once it is rotated
        self._kept = b""  # the payload that is stored there
        self._seen = b""  # the same without what has expired
        self._saved = b""  # what was in it when it was saved; b"" before that
        self._accessed: float = 0
        self._came_back = False  # whether the visitor has shown the cookie of what is stored
        self._stale = False  # whether the time stamp there must be set, whatever it says
        self._due = ""  # what is to happen to the cookie: "set" or "delete"
        self._marked: Response | None = None  # the response that has it

    def __repr__(self) -> str:
        state = "unused" if self._inside is None else "closed" if self._closed else "open"
        return f"<Session {state}>"  # never the id: a page or a log that shows it gives it away

    # --- what it is ---------------------------------------------------------------------------

    @property
    def id(self) -> str | None:
        """The id (str), None for a session that is not stored. Whoever knows it is the visitor: show
        it to nobody.
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
        """When it was used before this request, in seconds since the epoch, to about a hundredth of
        the store's `idle`; now for a new one.
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

    # --- forms of one's own -------------------------------------------------------------------

    def csrf_token(self) -> str:
        """Return this session's token for its forms (str, 43 characters). It changes with `rotate`.

        Asking for it starts a session; one that gets nothing else ends after the store's `token_idle`
        seconds, unless the visitor comes back before.
        """
        inside = self._read()
        if not inside.csrf or inside.retired is not None:  # no form is sent with an id that ends
            self._write().csrf = new_id()
        return inside.csrf

    def check_csrf(self, token: str | None) -> None:
        """Raise `FormExpired` (403) unless `token` is that of `csrf_token`: the form is not ours."""
        from .forms import check

        check(self._read(), token, self._store.clock(), self._store.grace)

    # --- its life -----------------------------------------------------------------------------

    def rotate(self) -> None:
        """Go on under a new id, and keep the data. Call it wherever a visitor's rights change, as at
        log-in: whoever knew the old id never gets to the new session. The CSRF token changes too.
        """
        from .forms import forget

        inside = self._write()
        forget(inside, self._store.clock())
        if self._stored:
            self._id = new_id()

    def destroy(self) -> None:
        """Delete the session and its cookie, now. What is stored afterwards starts a new one."""
        self._write()
        try:
            if self._stored:
                self._store.delete(self._stored)
                self._due = "delete"
        finally:
            self._release()
        self._forget()

    def log_out_others(self) -> None:
        """End all other sessions of this session's `user`, at once, whatever becomes of this request.
        `StateError` if it has none.
        """
        inside = self._write()
        if not inside.user:
            from ..errors import StateError

            raise StateError("the session is nobody's: set session.user at log-in")
        from .users import renew

        inside.mark = renew(self._store, inside.user)

    def remember(self, seconds: float | None) -> None:
        """Keep this session for so many seconds from now on, used or not, in the browser as well,
        instead of the store's `idle`, `absolute` and `max_age`; None: as these say. 400 days at most.
        """
        if seconds is not None and not 0 < seconds <= LONGEST_LIFE:
            raise ValueError(f"a session is kept for 1 to {LONGEST_LIFE} seconds, not {seconds!r}")
        inside = self._write()
        inside.keep = None if seconds is None else float(seconds)
        inside.kept = self._store.clock()
        self._due = "set"

    def close(self) -> None:
        """Save and let the visitor's next request in, as soon as nothing more will be changed.

        The values can be read on; changing one raises `StateError`. The cookie follows with `save`.
        """
        if self._closed:
            return
        self._closed = True
        if self._inside is None:
            self._readonly = True  # whatever asks for it later comes too late to store anything
            return
        try:
            self._flush(self._inside)
        except BaseException:
            self._due, self._saved = "", b""  # no cookie for what was not stored
            raise
        finally:
            self._release()
        self._sweep()

    def save(self, response: "Response | None" = None) -> None:
        """Save as `close` does, and set the cookie in the response: the last thing before sending it.

        Raises `TypeError` for a value that is not JSON, naming its key, and then saves nothing. An
        answer that was made with the session gets `Cache-Control: private`, if it says nothing else.
        """
        if self._closed:
            self.end()
        self.close()
        if response is not None:
            self.mark(response)

    def end(self) -> None:
        """Raise `StateError` if a list or a dict in it was changed after it was saved: that change is
        lost. `run` calls it last, when a streamed answer has been made, too.
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
                self._saved = b""  # it is said once
                self._refuse(inside)

    def mark(self, response: "Response") -> None:
        """Set the cookie of what is stored in one more response. What is not stored yet gets none."""
        if self._inside is None or not self._closed or self._marked is response:
            return
        from .cookie import send

        due, self._due = self._due, ""  # none in the error page, if one cannot be made
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
        """Let go without saving: nothing that was changed since the first use is kept."""
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
        """Raise the error for changing what cannot be changed (any more)."""
        if inside.retired is not None:
            from ..errors import SessionMoved
            from .forms import AGAIN

            raise SessionMoved(
                503,
                "This was asked for twice, or you have just logged in or out in another window. "
                "The page loads again by itself, for some seconds at most.",
                (("Retry-After", "1"), *AGAIN),
            )
        if self._readonly or self._closed:
            from ..errors import StateError

            how = "is read-only" if self._readonly else "was saved and closed already"
            raise StateError(f"this session {how}; change it before that")

    def _open(self) -> None:
        """Look the visitor's session up, and lock it. A session that begins needs no lock: nobody
        knows its id yet.
        """
        from .cookie import ids, is_former

        for named, name in ids(self._store, self._request):
            if self._find(named):
                if is_former(self._store, name):
                    self._due = "set"  # under the name that it has now
                break
            # An id that was just given up: unless one that lives has come, too.
        if self._inside is None:
            self._forget()
        if self._closed:
            self._saved = self._seen  # it came too late to be changed

    def _find(self, session_id: str) -> bool:
        """Look for a session by its id, and lock it; tell whether it is there and can be changed."""
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
        """Take a record over, and tell whether it can be changed under the lock we hold."""
        if record is None:
            return False
        store, now = self._store, self._store.clock()
        sound = store.clamped(record, now)
        if not store.is_live(sound, now):
            return False
        try:
            inside = Payload.decode(record.payload)
        except ValueError as error:
            if not self._readonly:  # the name could lead to another record by now
                store.set_aside(key, str(error))
                _report(f"session {key} is damaged ({error}) and was set aside")
            return False
        if inside.retired is not None and not -SKEW <= now - inside.retired < store.grace:
            return False
        if inside.created > now + SKEW:
            inside.created = now  # the clock was ahead; else this session would never end
        inside.kept = min(inside.kept, now)
        end = inside.end(store.absolute)
        if now >= end or (inside.user and not self._belongs(key, inside)):
            return False
        same = not inside.drop_expired(now) and sound.expires == record.expires
        if inside.is_token and record.expires < end - 1:
            same = False  # its cookie has come back: it lives on as all others do
        self._inside, self._id, self._stored = inside, session_id, key
        self._came_back = True
        self._kept = record.payload if same else b""
        self._seen = inside.encode()
        self._accessed = sound.accessed
        self._stale = sound.accessed != record.accessed
        self._due = "set" if store.max_age is not None else ""  # it shall live on in the browser
        return inside.retired is None

    def _belongs(self, key: str, inside: Payload) -> bool:
        """Tell whether the session is still its user's; delete it where it is not."""
        from .users import belongs

        if belongs(self._store, inside):
            return True
        if not self._readonly:  # else there is no lock
            self._store.delete(key)
        return False

    def _forget(self) -> None:
        self._accessed = self._store.clock()
        self._inside = Payload(self._accessed)
        self._seen = self._inside.encode()
        self._id, self._stored, self._kept = None, "", b""
        self._came_back = False

    def _flush(self, inside: Payload) -> None:
        """Write what changed, and nothing else."""
        store = self._store
        payload = self._saved = inside.encode()
        if self._readonly or inside.retired is not None:
            if payload != self._seen:
                self._refuse(inside)  # a list or dict inside was changed
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
        """Tell whether the time stamp must be set: a little late is not worth the access."""
        return self._stale or not 0 <= now - self._accessed < self._store.idle / 100

    def _stay(self) -> None:
        """Keep a session alive that is only read. That holds no lock, and must not fail the request."""
        now = self._store.clock()
        if not self._is_due(now):
            return
        from ..errors import CGIError

        try:
            self._store.touch(self._stored, now)
        except CGIError as error:
            _report(f"a session that is only read could not be kept alive: {error}")

    def _sweep(self) -> None:
        """Remove some dead sessions, once in a while. It must not fail the request, which is done."""
        if not self._id or self._readonly:
            return
        if int.from_bytes(os.urandom(4)) >= self._store.sweep_chance * 2**32:
            return
        from ..errors import CGIError

        try:
            self._store.sweep()
        except CGIError as error:
            _report(f"dead sessions could not be removed: {error}")

    def _save_new(self, record: Record) -> None:
        self._store.save(key_of(self._id or ""), record, new=True)
        self._due = "set"

    def _retire(self, now: float) -> None:
        """Leave under the old id what was there before, for requests that are on their way with it."""
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
