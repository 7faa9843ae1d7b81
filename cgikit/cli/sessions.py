"""`cgikit sessions list|show|count|delete|purge STORE`: shows and deletes visitors' sessions.

This module has only the commands; sessions and stores are in `cgikit.sessions`. All commands are safe
while scripts use the store, and need the same memory for a thousand sessions as for a million.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from cgikit.errors import CGIError, StorageError
from cgikit.sessions.payload import Payload
from cgikit.sessions.store import MAX_GAP, Record, Store, is_id, is_key, key_of
from cgikit.sessions.users import is_mark

from .commandline import complain
from .terminal import Progress

_SHOWN = 12  # digits of a key, enough to distinguish a million sessions
_SECRET = ("csrf", "key", "pass", "secret", "token")  # in names of values that are masked
_MASK = "(masked; --all shows it)"
_NOTES = {"session": "", "mark": "  mark: ended sessions", "damaged record": "  damaged"}
_PAGE = "Documentation: page reference/sessions-command"
_STORE = "a directory, an SQLite file, or a URL: redis://, rediss://, unix://, redis+sentinel://"
_KEY = "the session's key as listed, or its beginning, or the visitor's cookie"


class _Failure(Exception):
    """Ends a command with one line and exit status 1."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "sessions",
        help="list, show and delete the sessions in a store",
        description="List, show and delete the sessions in a store. Safe while scripts use it.",
        epilog=f"Example: cgikit sessions list data/sessions\n{_PAGE}",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = _add(actions, "list", _list, "list all sessions: key, size, last use, expiry")
    listing.add_argument("--full", action="store_true", help="show the keys in full")
    showing = _add(actions, "show", _show, "show one session as JSON, with secrets masked")
    showing.add_argument("key", metavar="KEY", help=_KEY)
    showing.add_argument("--all", action="store_true", help="mask nothing")
    _add(actions, "count", _count, "count the sessions, expired ones too")
    deleting = _add(actions, "delete", _delete, "delete one session: its visitor gets a new one")
    deleting.add_argument("key", metavar="KEY", help=_KEY)
    deleting.add_argument(
        "--mark",
        action="store_true",
        help="also delete the mark of a user who was logged out everywhere; revives those sessions",
    )
    purging = _add(actions, "purge", _purge, "delete the expired sessions")
    purging.add_argument(
        "--idle",
        type=_seconds,
        metavar="SECONDS",
        help="also delete sessions unused for so long: the idle= of your script's store",
    )
    purging.add_argument(
        "--force", action="store_true", help="purge even if the clock seems to have jumped"
    )


def without_ids(argv: Sequence[str]) -> list[str]:
    """Return a command line with keys in place of session ids that look like options: one id in 64
    begins with `-`.
    """
    return [key_of(word) if word[:1] == "-" and is_id(word) else word for word in argv]


def _add(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    action: Callable[[Store, argparse.Namespace], None],
    what: str,
) -> argparse.ArgumentParser:
    words = "data/sessions 0f3a" if name in ("show", "delete") else "data/sessions"
    parser = actions.add_parser(
        name,
        help=what,
        description=what[0].upper() + what[1:] + ".",
        epilog=f"Example: cgikit sessions {name} {words}\n{_PAGE}",
    )
    parser.add_argument("store", metavar="STORE", help=_STORE)
    parser.add_argument("--prefix", help="beginning of the names in Redis, as in your script")
    parser.set_defaults(command=sessions, action=action)
    return parser


def sessions(arguments: argparse.Namespace) -> int:
    """Run one of the actions; return the exit status (int)."""
    try:
        arguments.action(_open(arguments.store, arguments.prefix), arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has ended, as in `… | head`
        # Python flushes again at exit, and would complain then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (_Failure, CGIError, ImportError, ValueError) as error:
        if isinstance(error, ImportError) and error.name != "redis":
            raise
        complain("sessions", " ".join(_message(error).split()))
        return 1
    except KeyboardInterrupt:
        return 130  # what shells make of SIGINT
    return 0


def _message(error: Exception) -> str:
    """Return the message of an error (str), with the path in front if it speaks of a file."""
    if isinstance(error, StorageError) and error.reason.startswith(("is ", "belongs ")):
        return f"{error.path} {error.reason}"
    return str(error)


def _open(where: str, prefix: str | None) -> Store:
    """Return the store. `_Failure` if no script has used it: its name is probably misspelt."""
    store: Store
    if "://" in where:
        from cgikit.sessions.redis import RedisStore

        store = RedisStore(where) if prefix is None else RedisStore(where, prefix=prefix)
        _check_used(
            store,
            f"{store!r} has no sessions with names that begin with {store.prefix!r}, and had none since"
            " the server started; give the prefix= of your script with --prefix",
        )
        return store
    if prefix is not None:
        raise _Failure(f"--prefix is for Redis, and {where!r} is not a URL of Redis: omit it")
    if os.path.isdir(where):
        from cgikit.sessions.file import FileStore

        store = FileStore(where)
        _check_used(
            store,
            f"{where} is not a store: no script has stored a session there; give the directory that"
            f" your script passes to FileStore(…){_near(where)}",
        )
        return store
    if os.path.isfile(where):
        from cgikit.sessions.sqlite import SQLiteStore

        # It refuses a database that is not a store
        return SQLiteStore(where)
    raise _Failure(f"{where} is not a store: give {_STORE}")


def _near(where: str) -> str:
    """Return a question that names a store inside a directory (str), "" if there is none."""
    with os.scandir(where) as entries:
        names = sorted(entry.name for entry in entries if os.path.isfile(f"{entry.path}/purged"))
    return f"; did you mean {os.path.join(where, names[0])}?" if names else ""


def _check_used(store: Store, otherwise: str) -> None:
    """Raise `_Failure` if there is neither a session nor the time stamp of a purge."""
    if store.purge_stamp() <= 0 and next(store.keys(), None) is None:
        raise _Failure(otherwise)


# --- the actions ------------------------------------------------------------------------------


def _list(store: Store, arguments: argparse.Namespace) -> None:
    width = 64 if arguments.full else _SHOWN
    print(f"{'KEY':{width}}  {'BYTES':>7}  {'LAST USED (UTC)':19}  EXPIRES (UTC)")
    for key, record in store.records():
        used, ends = _time(record.accessed), _time(record.expires)
        what = _NOTES[_kind(key, record)]
        sys.stdout.write(f"{key[:width]}  {len(record.payload):7}  {used:19}  {ends}{what}\n")


def _show(store: Store, arguments: argparse.Namespace) -> None:
    key = _find(store, arguments.key)
    record = store.load(key)
    if record is None:
        raise _Failure(f"there is no session {key}")
    try:
        payload = Payload.decode(record.payload)
    except ValueError as error:
        raise _Failure(f"the session {key} is damaged: {error}") from error
    shown = _shown_mark(record, payload) if is_mark(key, payload) else _shown(record, payload)
    # Escapes for all that is not ASCII: a visitor's text must not steer the terminal
    print(json.dumps({"key": key, **(shown if arguments.all else _masked(shown))}, indent=2))


def _count(store: Store, arguments: argparse.Namespace) -> None:
    print(store.count())


def _delete(store: Store, arguments: argparse.Namespace) -> None:
    key = _find(store, arguments.key)
    with store.lock(key, store.lock_timeout) as record:
        if record is None:
            raise _Failure(f"there is no session {key}")
        kind = _kind(key, record)
        # The id of a visitor is never that of a mark
        if not arguments.mark and not is_id(arguments.key):
            _check_session(key, kind)
        store.delete(key)
    print("1 session deleted" if kind == "session" else f"1 {kind} deleted")


def _check_session(key: str, kind: str) -> None:
    """Raise `_Failure` for a mark, which must go on ending sessions, and for what may be one."""
    if kind == "mark":
        raise _Failure(
            f"{key} is not a session but the mark of a user who was logged out everywhere; deleting it"
            " revives the sessions that it ended. It expires by itself; --mark deletes it now"
        )
    if kind == "damaged record":
        raise _Failure(
            f"{key} is damaged, and may be the mark of a user who was logged out everywhere; deleting"
            " it revives the sessions that it ended; --mark deletes it nevertheless"
        )


def _purge(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    if not arguments.force:
        _check_clock(store, now)
    # How long a session may be idle is known to the script only, and a guess would delete live
    # sessions. When it expires at the latest is stored with each session.
    store.idle = math.inf if arguments.idle is None else arguments.idle
    store.absolute = math.inf
    with Progress(0.5) as progress:
        deleted = store.purge(now, progress, force=True)
    print(f"{deleted} session{'' if deleted == 1 else 's'} deleted")


def _check_clock(store: Store, now: float) -> None:
    last = store.purge_stamp()
    if not store.may_purge(now):
        raise _Failure(
            f"nothing was deleted: the last purge was at {_time(last)} UTC, more than"
            f" {MAX_GAP // 86_400} days ago or in the future, so the clock may be wrong;"
            " if it is right, run this again"
        )


# --- reading ----------------------------------------------------------------------------------


def _find(store: Store, text: str) -> str:
    """Return the one key that a text names. `_Failure` if it names none, or more than one."""
    if is_id(text):
        return key_of(text)
    if is_key(text):
        return text
    if not text:
        raise _Failure("KEY is empty: give a key that 'list' shows")
    found = ""
    for key in store.keys():  # noqa: SIM118  # a store is not a dict
        if key.startswith(text):
            if found:
                raise _Failure(f"more than one key begins with {text!r}: give more of it")
            found = key
    if not found:
        raise _Failure(f"no session's key begins with {text!r}: give one that 'list' shows")
    return found


def _kind(key: str, record: Record) -> str:
    """Return what a record is: "session", "mark" or "damaged record"."""
    try:
        return "mark" if is_mark(key, Payload.decode(record.payload)) else "session"
    except ValueError:
        return "damaged record"


def _shown_mark(record: Record, payload: Payload) -> dict[str, object]:
    return {
        "mark": "not a session: it ended all sessions of this user that began before it",
        "user": payload.user,
        "created": _time(payload.created),
        "expires": _time(record.expires),
    }


def _shown(record: Record, payload: Payload) -> dict[str, object]:
    shown: dict[str, object] = {
        "created": _time(payload.created),
        "accessed": _time(record.accessed),
        "expires": _time(record.expires),
        "data": payload.data,
    }
    if payload.user:
        shown["user"] = payload.user
    if payload.until:
        shown["until"] = {name: _time(end) for name, end in payload.until.items()}
    if payload.flash:
        shown["flash"] = payload.flash
    if payload.csrf:
        shown["csrf"] = payload.csrf
    if payload.retired is not None:
        shown["retired"] = _time(payload.retired)
    return shown


def _masked(value: Any) -> Any:
    """Return a copy in which values whose names sound secret are masked."""
    if isinstance(value, dict):
        return {name: _MASK if _is_secret(name) else _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def _time(seconds: float) -> str:
    """Return a time in readable form (UTC), or the bare number if it is out of range (str)."""
    try:
        return _moment(int(seconds // 1))
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


@lru_cache(maxsize=10_000)  # sessions end in the same hours
def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ")[:19]


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return seconds
