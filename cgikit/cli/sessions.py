"""`cgikit sessions list|show|count|delete|purge STORE`: what is kept for visitors, and an end to it.

Only the commands are here; what a session and a store are is in `cgikit.sessions`. All of them are safe
while scripts use the store, and take the same memory for a thousand sessions and for a million.
"""

import argparse
import json
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from cgikit.errors import CGIError, StorageError
from cgikit.sessions.payload import Payload
from cgikit.sessions.store import LONGEST_GAP, Record, Store, is_id, is_key, key_of
from cgikit.sessions.users import is_mark

_SHOWN = 12  # digits of a key that tell a million sessions apart
_SECRET = ("csrf", "key", "pass", "secret", "token")  # in names of values that are masked
_MASK = "(masked; --all shows it)"
_NOTES = {"session": "", "mark": "  mark: ended sessions", "damaged record": "  damaged"}
_STORE = "a directory, an SQLite file, or a URL: redis://, rediss://, unix://, redis+sentinel://"
_KEY = "the key as in the list, or its beginning; or the visitor's cookie"


class _Failure(Exception):
    """What ends a command with one line and the status 1."""


def add_to(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add this command's parser to the sub-parsers of the command line."""
    parser = commands.add_parser(
        "sessions",
        help="look at the sessions in a store, and purge it",
        description="Look at the sessions in a store, and purge it. Safe while scripts use it.",
        epilog="Example: cgikit sessions list data/sessions",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    listing = _add(actions, "list", _list, "list all sessions: key, size, last use, end")
    listing.add_argument("--full", action="store_true", help="show the keys in full")
    showing = _add(actions, "show", _show, "show one session as JSON, secrets masked")
    showing.add_argument("key", metavar="KEY", help=_KEY)
    showing.add_argument("--all", action="store_true", help="mask nothing")
    _add(actions, "count", _count, "count the sessions, live and dead")
    deleting = _add(actions, "delete", _delete, "delete one session: its visitor starts anew")
    deleting.add_argument("key", metavar="KEY", help=_KEY)
    deleting.add_argument(
        "--mark",
        action="store_true",
        help="also the mark of a user who was logged out everywhere: sessions that it ended live again",
    )
    purging = _add(actions, "purge", _purge, "delete the dead sessions")
    purging.add_argument(
        "--idle",
        type=_seconds,
        metavar="SECONDS",
        help="also those that were not used for so long: the idle= of your script's store",
    )
    purging.add_argument(
        "--force", action="store_true", help="even if the clock seems to have jumped"
    )


def words(argv: Sequence[str]) -> list[str]:
    """Return a command line on which no visitor's cookie can be taken for an option: one in 64 begins
    with `-`. The session's key takes its place.
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
        epilog=f"Example: cgikit sessions {name} {words}",
    )
    parser.add_argument("store", metavar="STORE", help=_STORE)
    parser.add_argument("--prefix", help="what the names in Redis begin with, as in your script")
    parser.set_defaults(command=sessions, action=action)
    return parser


def sessions(arguments: argparse.Namespace) -> int:
    """Run one of the actions; return the exit status (int)."""
    try:
        arguments.action(_open(arguments.store, arguments.prefix), arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # `… | head` has seen enough
        # Python flushes at its end, too, and would complain then
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (_Failure, CGIError, ImportError, ValueError) as error:
        if isinstance(error, ImportError) and error.name != "redis":
            raise
        print(f"cgikit sessions: {' '.join(_said(error).split())}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130  # what shells make of SIGINT
    return 0


def _said(error: Exception) -> str:
    """Return what an error says, as a sentence where it begins with a file."""
    if isinstance(error, StorageError) and error.reason.startswith(("is ", "belongs ")):
        return f"{error.path} {error.reason}"
    return str(error)


def _open(where: str, prefix: str | None) -> Store:
    """Return the store. One that no script has made yet is none: its name is probably misspelt."""
    store: Store
    if "://" in where:
        from cgikit.sessions.redis import RedisStore

        store = RedisStore(where) if prefix is None else RedisStore(where, prefix=prefix)
        _check_used(
            store,
            f"{store!r} has no sessions whose names begin with {store.prefix!r}, and had none since the"
            " server began; name the prefix= of your script by --prefix",
        )
        return store
    if prefix is not None:
        raise _Failure(f"--prefix is for Redis, and {where} is not its URL")
    if os.path.isdir(where):
        from cgikit.sessions.file import FileStore

        store = FileStore(where)
        _check_used(
            store,
            f"{where} is not a store: no script has kept a session there; name the directory that"
            f" FileStore(…) is given{_near(where)}",
        )
        return store
    if os.path.isfile(where):
        from cgikit.sessions.sqlite import SQLiteStore

        return SQLiteStore(where)  # which refuses a database that is not ours
    raise _Failure(f"{where} is not a store: {_STORE}")


def _near(where: str) -> str:
    """Return a question that names a store in a directory (str), "" if there is none in it."""
    with os.scandir(where) as entries:
        names = sorted(entry.name for entry in entries if os.path.isfile(f"{entry.path}/purged"))
    return f"; did you mean {os.path.join(where, names[0])}?" if names else ""


def _check_used(store: Store, otherwise: str) -> None:
    """Raise `_Failure` for a place that holds neither a session nor the stamp of a store."""
    if store.purge_stamp() <= 0 and next(store.keys(), None) is None:
        raise _Failure(otherwise)


# --- the actions ------------------------------------------------------------------------------


def _list(store: Store, arguments: argparse.Namespace) -> None:
    width = 64 if arguments.full else _SHOWN
    print(f"{'KEY':{width}}  {'BYTES':>7}  {'LAST USED (UTC)':19}  ENDS (UTC)")
    for key in store.keys():  # noqa: SIM118  # a store is no dict
        record = store.load(key)
        if record is not None:  # it may have ended meanwhile
            used, ends = _time(record.accessed), _time(record.expires)
            what = _NOTES[_kind(key, record)]
            print(f"{key[:width]}  {len(record.payload):7}  {used:19}  {ends}{what}")


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
        if not arguments.mark and not is_id(arguments.key):  # no visitor's id leads to a mark
            _check_session(key, kind)
        store.delete(key)
    print("1 session deleted" if kind == "session" else f"1 {kind} deleted")


def _check_session(key: str, kind: str) -> None:
    """Raise `_Failure` for what ended sessions and must go on doing so, or may be that."""
    if kind == "mark":
        raise _Failure(
            f"{key} is not a session but the mark of a user who was logged out everywhere; without it"
            " the sessions that it ended live again. It goes by itself; --mark deletes it now"
        )
    if kind == "damaged record":
        raise _Failure(
            f"{key} is damaged, and may be the mark of a user who was logged out everywhere; without it"
            " the sessions that it ended live again; --mark deletes it all the same"
        )


def _purge(store: Store, arguments: argparse.Namespace) -> None:
    now = store.clock()
    if not arguments.force:
        _check_clock(store, now)
    # How long a session may be idle is the script's to say, and nothing in the store tells; a guess
    # would delete sessions that live. When one ends at the latest, it has with it.
    store.idle = math.inf if arguments.idle is None else arguments.idle
    store.absolute = math.inf  # each session has its end with it, by the policy of its script
    progress = _Progress() if sys.stderr.isatty() else None
    try:
        deleted = store.purge(now, progress, force=True)
    finally:
        if progress:
            progress.clear()
    print(f"{deleted} session{'' if deleted == 1 else 's'} deleted")


def _check_clock(store: Store, now: float) -> None:
    last = store.purge_stamp()
    if not store.may_purge(now):
        raise _Failure(
            f"nothing deleted: the last purge was at {_time(last)} UTC, more than"
            f" {LONGEST_GAP // 86_400} days ago or in the future, so the clock may be wrong;"
            " if it is right, run this again"
        )


# --- reading ----------------------------------------------------------------------------------


def _find(store: Store, text: str) -> str:
    """Return the one key that a text stands for."""
    if is_id(text):
        return key_of(text)
    if is_key(text):
        return text
    if not text:
        raise _Failure("KEY is empty; 'list' shows the keys")
    found = ""
    for key in store.keys():  # noqa: SIM118  # a store is no dict
        if key.startswith(text):
            if found:
                raise _Failure(f"more than one key begins with {text!r}")
            found = key
    if not found:
        raise _Failure(f"no session's key begins with {text!r}")
    return found


def _kind(key: str, record: Record) -> str:
    """Return what a record is: "session", "mark" or "damaged record"."""
    try:
        return "mark" if is_mark(key, Payload.decode(record.payload)) else "session"
    except ValueError:
        return "damaged record"


def _shown_mark(record: Record, payload: Payload) -> dict[str, object]:
    return {
        "mark": "no session: it ended all sessions of this user that began before it",
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
    """Return a copy without values whose name says that they are secret."""
    if isinstance(value, dict):
        return {name: _MASK if _is_secret(name) else _masked(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_masked(item) for item in value]
    return value


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def _time(seconds: float) -> str:
    """Return a time as people read it (UTC); the bare number if no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"{seconds:g}"


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return seconds


class _Progress:
    """A bar on standard error, for purges that take longer than a moment."""

    def __init__(self) -> None:
        self._next = time.monotonic() + 0.5
        self._is_shown = False

    def __call__(self, done: int, total: int) -> None:
        """Draw the bar, a few times a second at most."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + 0.1
        self._is_shown = True
        share = done / total if total else 1
        bar = "#" * int(30 * share)
        sys.stderr.write(f"\r[{bar:30}] {share:4.0%}  {done:,} of {total:,}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar from its line."""
        if self._is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
