"""Whose session it is, and how all sessions of one user end at once.

A store holds a mark for each user who has ever ended all sessions: one record more, under a key of its
own. A session remembers the mark that was there when it became its user's; once the store has another
one, the session is over. So ending a thousand sessions is one write, without a list of them that could
be incomplete, and a session with a user costs each request one more read.

A mark outlives all sessions that are older: where there is none, none of those is left. So nothing may
take one away before: one that cannot be read stays where it is, and lets nobody in.
"""

from .payload import Payload
from .store import LONGEST_LIFE, Record, Store, new_id, sha256_of

_TRIES = 5  # of two who write the first mark at the same time, one is second


def key_of_user(user: str) -> str:
    """Return the key that a user's mark is kept under (str, 64 hexadecimal digits). No session has it:
    no id has a colon.
    """
    return sha256_of(f"user:{user}".encode("utf-8", "surrogatepass"))


def mark_of(store: Store, user: str) -> str:
    """Return a user's mark (str), "" if there is none. One that is damaged is "?", which no session
    has: better log somebody out than let somebody in. Until a purge deletes it, it counts, whatever a
    clock says.
    """
    record = store.load(key_of_user(user))
    if record is None:
        return ""
    try:
        return Payload.decode(record.payload).mark or "?"
    except ValueError:
        return "?"


def is_mark(key: str, inside: Payload) -> bool:
    """Tell whether what is kept under a key is a user's mark, not a session."""
    return bool(inside.mark) and key == key_of_user(inside.user)


def belongs(store: Store, inside: Payload) -> bool:
    """Tell whether a session is still its user's."""
    mark = mark_of(store, inside.user)
    return mark in {"", inside.mark}


def log_out(store: Store, user: str) -> None:
    """End all sessions in a store whose `Session.user` is `user`, in one step, as after a stolen
    password. `Session.log_out_others` leaves one.
    """
    renew(store, user)


def renew(store: Store, user: str) -> str:
    """Give a user a new mark, and return it (str): all sessions that have another one are over."""
    key, now = key_of_user(user), store.clock()
    inside = Payload(now)
    inside.user, inside.mark = user, new_id()
    inside.keep, inside.kept = max(LONGEST_LIFE, store.absolute) + 86_400, now
    _keep(store, key, Record(inside.encode(), now, inside.end(0)))
    store.sync(key)  # no power failure brings a session back, or damages the mark
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
        except StorageError:  # another process was faster: then there is one to be locked
            if number == _TRIES - 1 or store.load(key) is None:
                raise
