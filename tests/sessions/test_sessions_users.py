"""The user of a session, and the mark that ends all sessions of one; on files. What each store must do
stands in contract.py.
"""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from requirement import need
from sessions.contract import DAY, NOW
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Visitor, put

from cgikit import FileStore, Session, StateError
from cgikit.sessions.payload import Payload
from cgikit.sessions.store import MAX_LIFE, Record, is_key, key_of, new_id
from cgikit.sessions.users import key_of_user, log_out, mark_of, renew


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> FileStore:
    return FileStore(tmp_path / "sessions", clock=clock, sweep_chance=0)


def log_in(store: FileStore, user: str | None = "ada") -> Visitor:
    visitor = Visitor(store)
    visitor.visit(lambda session: setattr(session, "user", user))
    return visitor


def whose(visitor: Visitor) -> str | None:
    user: str | None = visitor.visit(lambda session: session.user)
    return user


# --- whose it is ----------------------------------------------------------------------------------


def test_a_session_is_nobody_s_until_it_is_said(store: FileStore) -> None:
    visitor = Visitor(store)
    assert whose(visitor) is None
    assert store.count() == 0
    visitor.visit(put("a", 1))
    assert whose(visitor) is None
    visitor.visit(lambda session: setattr(session, "user", "ada"))
    assert visitor.visit(lambda session: (session.user, dict(session))) == ("ada", {"a": 1})


def test_another_user_is_another_id(store: FileStore) -> None:
    """S9: whoever planted the id of a visitor is not logged in with him."""
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    ids = [visitor.cookie]
    for user in ("ada", "ada", "eve", None, None):
        visitor.visit(lambda session, user=user: setattr(session, "user", user))
        ids.append(visitor.cookie)
    assert [a == b for a, b in pairwise(ids)] == [False, True, False, False, True]
    assert whose(Visitor(store, ids[0])) is None


@pytest.mark.parametrize("user", [1, b"ada", True, ["ada"]])
def test_a_user_is_a_str(store: FileStore, user: object) -> None:
    session = Visitor(store).session()
    with pytest.raises(TypeError, match="str"):
        session.user = user  # type: ignore[assignment]


@pytest.mark.parametrize("user", ["ü\U0001f600", "\ud800", "a\n/../b", "x" * 5_000, " "])
def test_of_any_text(store: FileStore, user: str) -> None:
    visitor = log_in(store, user)
    assert whose(visitor) == user
    log_out(store, user)
    assert whose(visitor) is None


def test_clearing_a_session_logs_out(store: FileStore) -> None:
    """Many scripts log out by that; it must not leave a user behind."""
    visitor = log_in(store)
    visitor.visit(lambda session: (session.update(a=1), session.clear()))
    assert visitor.cookie == ""
    assert store.count() == 0


def test_readonly_and_closed_sessions_keep_their_user(store: FileStore) -> None:
    visitor = log_in(store)
    for change in (lambda session: setattr(session, "user", None), Session.log_out_others):
        with pytest.raises(StateError):
            visitor.visit(change, readonly=True)
    session = visitor.session()
    session.close()
    assert whose(visitor) == "ada"


# --- the mark -------------------------------------------------------------------------------------


def test_its_key_is_no_session_s(store: FileStore) -> None:
    """No visitor can ask for it by a cookie: no id has a colon."""
    assert is_key(key_of_user("ada"))
    assert key_of_user("ada") != key_of_user("Ada")
    renew(store, new_id())
    session_id = new_id()
    assert key_of_user(session_id) != key_of(session_id)


def test_a_store_without_marks_asks_for_nothing_else(store: FileStore) -> None:
    log_in(store)
    assert store.count() == 1
    assert mark_of(store, "ada") == ""
    log_out(store, "nobody who ever came")
    assert store.count() == 2


def test_who_has_no_user_cannot_log_out_his_others(store: FileStore) -> None:
    with pytest.raises(StateError, match=r"session\.user"):
        Visitor(store).visit(Session.log_out_others)


def test_logging_out_the_others_holds_even_where_the_request_fails(store: FileStore) -> None:
    here, there = log_in(store), log_in(store)
    session = here.session()
    session.log_out_others()
    session.abandon()
    assert whose(there) is None
    assert whose(here) is None  # it does not know the new mark: better out than in


def test_an_ended_session_is_deleted_when_it_is_met(store: FileStore) -> None:
    visitor = log_in(store)
    log_out(store, "ada")
    old = visitor.cookie
    visitor.visit(dict, readonly=True)
    assert store.load(key_of(old)) is not None  # without its lock
    visitor.visit(dict)
    assert store.load(key_of(old)) is None


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"v":1,"created":1.5,"data":{}}', b"\xff"])
def test_a_damaged_mark_lets_nobody_in_and_the_next_log_in_mends_it(
    store: FileStore, payload: bytes
) -> None:
    visitor = log_in(store)
    store.save(key_of_user("ada"), Record(payload, NOW, NOW + DAY), new=True)
    assert whose(visitor) is None
    again = log_in(store)
    assert whose(again) == "ada"
    assert len(mark_of(store, "ada")) == 43


@pytest.mark.parametrize("content", [b"", b"x" * 50, b"cgikit-session 1 9e9\n"])
def test_s9_a_mark_cut_by_a_power_failure_brings_nobody_back(
    store: FileStore, clock: Clock, content: bytes
) -> None:
    """A file without its end counted for `idle` seconds; a purge set it aside, and all lived again."""
    thief = log_in(store)
    thief.visit(lambda session: session.remember(30 * DAY))
    log_out(store, "ada")
    path = Path(store._directory.file_path(key_of_user("ada")))
    path.write_bytes(content)
    os.utime(path, (clock.now, clock.now))
    for _ in range(10):
        assert thief.visit(lambda session: session.user, readonly=True) is None
        store.purge(clock.now, force=True)
        store.sweep()
        clock.pass_(7_201)
    assert path.read_bytes() == content
    assert whose(log_in(store)) == "ada"
    assert len(mark_of(store, "ada")) == 43


def test_s9_a_mark_that_is_over_counts_until_it_is_deleted(store: FileStore, clock: Clock) -> None:
    """A clock that jumps ahead, and back, brings nobody back."""
    thief = log_in(store)
    mark = renew(store, "ada")
    clock.pass_(500 * DAY)
    assert mark_of(store, "ada") == mark
    clock.pass_(-500 * DAY)
    assert whose(thief) is None


LOG_OUT = """
import os, sys
from cgikit import {store}
from cgikit.sessions.users import log_out
store = {store}(sys.argv[1])
log_out(store, "ada")
os.path.exists("/mark/done")
os._exit(0)
"""


@pytest.mark.parametrize("kind", ["FileStore", "SQLiteStore"])
@pytest.mark.parametrize("times", [1, 2])
def test_s9_a_mark_is_on_the_disk_when_log_out_returns(
    tmp_path: Path, kind: str, times: int
) -> None:
    """No power failure may bring sessions back, or leave a mark that cannot be read."""
    where, log = tmp_path / "data" / "sessions", tmp_path / "log"
    for _ in range(times):
        command = [need("strace"), "-qq", "-y", "-o", str(log), "-e", "trace=%file,%desc"]
        script = LOG_OUT.format(store=kind)
        subprocess.run([*command, sys.executable, "-c", script, str(where)], check=True, timeout=60)
    lines = log.read_text().splitlines()
    done = next(n for n, line in enumerate(lines) if "/mark/done" in line)
    key = key_of_user("ada")
    if kind == "FileStore":
        wanted = [f"{where}/{key[:2]}/{key}>", f"{where}/{key[:2]}>", f"{where}>"]
    else:
        wanted = [f"{where}-wal>"]
    for path in wanted:
        written = max(
            n
            for n, line in enumerate(lines[:done])
            if "write" in line.split("(")[0] and (path in line or kind == "FileStore")
        )
        assert any(
            "sync(" in line and path in line and line.endswith("= 0")
            for line in lines[written:done]
        ), path


def test_it_outlives_all_that_it_ends(store: FileStore, clock: Clock) -> None:
    visitor = log_in(store)
    visitor.visit(lambda session: session.remember(MAX_LIFE))
    log_out(store, "ada")
    clock.pass_(MAX_LIFE - 1)
    store.purge(force=True)
    assert mark_of(store, "ada") != ""
    assert whose(visitor) is None


def test_two_who_log_out_at_the_same_time_both_succeed(store: FileStore) -> None:
    def child(line: Line) -> None:
        line.hear()
        for _ in range(20):
            log_out(store, "ada")
        line.tell("done")

    with Forked(child) as first, Forked(child) as second:
        first.tell("go")
        second.tell("go")
        assert (first.hear(), second.hear()) == ("done", "done")
    assert store.count() == 1
    visitor = log_in(store)
    assert whose(visitor) == "ada"


# --- remembering ----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, -1, MAX_LIFE + 1, float("inf"), float("nan")])
def test_a_life_is_some_seconds_and_no_more_than_browsers_keep(
    store: FileStore, seconds: float
) -> None:
    with pytest.raises(ValueError, match="is not valid; give more than 0"):
        Visitor(store).visit(lambda session: session.remember(seconds))


def test_the_cookie_says_how_long_it_is_still_kept(store: FileStore, clock: Clock) -> None:
    visitor = log_in(store)
    visitor.visit(lambda session: session.remember(DAY * 10))
    assert f"Max-Age={DAY * 10};" in visitor.set_cookies[0]
    clock.pass_(DAY)
    visitor.visit(dict)
    assert visitor.set_cookies == []  # the browser has it
    visitor.visit(lambda session: session.rotate())
    assert f"Max-Age={DAY * 9};" in visitor.set_cookies[0]
    visitor.visit(lambda session: session.remember(None))
    assert "Max-Age" not in visitor.set_cookies[0]
    clock.pass_(7_200)
    assert whose(visitor) is None


def test_a_life_can_be_shorter_than_the_store_s(store: FileStore, clock: Clock) -> None:
    visitor = log_in(store)
    visitor.visit(lambda session: session.remember(60))
    clock.pass_(59)
    assert whose(visitor) == "ada"
    clock.pass_(1)
    assert whose(visitor) is None


def test_remembering_nothing_stores_nothing(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(lambda session: session.remember(60))
    assert (visitor.set_cookies, store.count()) == ([], 0)


def test_no_cookie_for_a_life_that_was_not_saved(store: FileStore) -> None:
    visitor = log_in(store)
    session = visitor.session()
    session.remember(60)
    session.abandon()
    assert visitor.visit(lambda session: session.user) == "ada"
    assert visitor.set_cookies == []


# --- what was stored before -----------------------------------------------------------------------


def test_sessions_of_the_version_before_are_read_and_written_on(store: FileStore) -> None:
    session_id = new_id()
    raw = b'{"v":1,"created":%.1f,"data":{"n":1},"flash":{"f":2},"csrf":"x"}' % NOW
    store.save(key_of(session_id), Record(raw, NOW, NOW + DAY), new=True)
    visitor = Visitor(store, session_id, name="session")
    assert visitor.visit(lambda session: session.user, readonly=True) is None
    visitor.name = store.cookie_name(False)
    visitor.visit(lambda session: (session.check_csrf("x"), put("n", 2)(session)))
    record = store.load(key_of(session_id))
    assert record is not None
    # The version before reads it, too: nothing is there that was not asked for.
    assert record.payload == raw.replace(b'"n":1', b'"n":2')


def test_what_says_how_long_it_is_kept_says_so_first() -> None:
    payload = Payload(NOW)
    assert Record(payload.encode(), NOW, NOW).life is None
    payload.keep = MAX_LIFE
    payload.user, payload.mark = "ada", new_id()
    raw = payload.encode()
    assert Record(raw, NOW, NOW).life == MAX_LIFE
    again = Payload.decode(raw)
    assert (again.keep, again.kept, again.user, again.mark) == (
        MAX_LIFE, NOW, "ada", payload.mark,
    )  # fmt: skip


@pytest.mark.parametrize("number", [b"", b"x", b"nan", b"inf", b"1e999", b"-1", b"0", b"9" * 400])
def test_a_life_that_is_none_is_none(number: bytes) -> None:
    record = Record(b'{"v":1,"keep":' + number + b',"created":1.5,"data":{}}', NOW, NOW)
    assert record.life is None or 0 < record.life < 1e30
