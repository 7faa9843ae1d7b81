"""The users of sessions, and how all sessions of one user end at the same time.

A store has a mark for each user who has ever ended all sessions: one more record, under a key of its
own. A session remembers the mark that was there when it got its user; when the store has another mark,
the session has ended. So ending a thousand sessions takes one write, and no list of them that could be
incomplete. A session with a user costs one more read in each request.

A mark outlives all sessions that are older than it: if there is no mark, none of them is left. So a
mark must not be removed before. One that cannot be read is kept, and no session is valid with it.
"""

from .payload import Payload
from .store import MAX_LIFE, Record, Store, new_id, sha256_of

_TRIES = 5  # two requests may write the first mark at the same time


def key_of_user(user: str) -> str:
    """Return the key of a user's mark (str, 64 hexadecimal digits). It is never the key of a session,
    because ids have no colon.
    """
    return sha256_of(f"user:{user}".encode("utf-8", "surrogatepass"))


def mark_of(store: Store, user: str) -> str:
    """Return a user's mark (str), or "" if there is none. A damaged mark is "?", which no session has:
    it is better to log somebody out than to let somebody in. A mark counts until a purge deletes it,
    whatever the clock says.
    """
    record = store.load(key_of_user(user))
    if record is None:
        return ""
    try:
        return Payload.decode(record.payload).mark or "?"
    except ValueError:
        return "?"


def is_mark(key: str, inside: Payload) -> bool:
    """Return whether what is kept under a key is a user's mark, not a session."""
    return bool(inside.mark) and key == key_of_user(inside.user)


def belongs(store: Store, inside: Payload) -> bool:
    """Return whether a session is still its user's."""
    mark = mark_of(store, inside.user)
    return mark in {"", inside.mark}


def log_out(store: Store, user: str) -> None:
    """End all sessions in a store whose `Session.user` is `user`, in one step, for instance after a
    password was stolen. `Session.log_out_others` keeps the present one.
    """
    renew(store, user)


def renew(store: Store, user: str) -> str:
    """Give a user a new mark, and return it (str): all sessions with another mark have ended."""
    key, now = key_of_user(user), store.clock()
    inside = Payload(now)
    inside.user, inside.mark = user, new_id()
    inside.keep, inside.kept = max(MAX_LIFE, store.absolute) + 86_400, now
    _keep(store, key, Record(inside.encode(), now, inside.end(0)))
    store.sync(key)  # a power failure must not bring a session back, or damage the mark
    return inside.mark


def _keep(store: Store, key: str, record: Record) -> None:
    from ..errors import StorageError

    for number in range(_TRIES):
        with store.lock(key, store.lock_timeout) as present:
            if present is not None:
                store.save(key, record)
                return
        try:
            store.save(key, record, new=True)
            return
        except StorageError:  # another process was faster: now there is a record to lock
            if number == _TRIES - 1 or store.load(key) is None:
                raise
