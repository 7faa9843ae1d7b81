"""Whose session it is, and how all sessions of one user end at once.

A store holds a mark for each user who has ever ended all sessions: one record more, under a key of its
own. A session remembers the mark that was there when it became its user's; once the store has another
one, the session is over. So ending a thousand sessions is one write, without a list of them that could
be incomplete, and a session with a user costs each request one more read.

A mark outlives all sessions that are older: where there is none, none of those is left.
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
    has: better log somebody out than let somebody in.
    """
    record = store.load(key_of_user(user))
    if record is None or not store.is_live(record, store.clock()):
        return ""
    try:
        return Payload.decode(record.payload).mark or "?"
    except ValueError:
        return "?"


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
    from ..errors import StorageError

    key, now = key_of_user(user), store.clock()
    inside = Payload(now)
    inside.user, inside.mark = user, new_id()
    inside.keep, inside.kept = max(LONGEST_LIFE, store.absolute) + 86_400, now
    record = Record(inside.encode(), now, inside.end(0))
    for number in range(_TRIES):
        with store.lock(key, store.lock_timeout) as present:
            if present is not None:
                store.save(key, record)
                return inside.mark
        try:
            store.save(key, record, new=True)
            return inside.mark
        except StorageError:  # another process was faster: then there is one to be locked
            if number == _TRIES - 1 or store.load(key) is None:
                raise
    raise AssertionError  # the last try returns or raises
