"""Session: what a script sees of it. On files; what each store must do stands in contract.py."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sessions.contract import DAY, NOW, TEN_YEARS
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Visitor, put

from cgikit import (
    FileStore,
    HTTPError,
    LockTimeout,
    Request,
    Response,
    Session,
    StateError,
    StorageError,
)
from cgikit.errors import FormExpired, SessionMoved
from cgikit.sessions.store import Record, is_id, key_of, new_id


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def open_store(tmp_path: Path, clock: Clock) -> Callable[..., FileStore]:
    def opened(**policy: Any) -> FileStore:
        return FileStore(tmp_path / "sessions", **{"clock": clock, "sweep_chance": 0, **policy})

    return opened


@pytest.fixture
def store(open_store: Callable[..., FileStore]) -> FileStore:
    return open_store()


@pytest.fixture
def visitor(store: FileStore) -> Visitor:
    return Visitor(store)


def inside(store: FileStore, cookie: str) -> dict[str, Any]:
    record = store.load(key_of(cookie))
    assert record is not None
    result: dict[str, Any] = json.loads(record.payload)
    return result


# --- nothing for nothing --------------------------------------------------------------------------


@pytest.mark.parametrize("cookie", ["", "A" * 43, "x", "../../etc/passwd"])
def test_a_visitor_who_stores_nothing_costs_nothing(store: FileStore, cookie: str) -> None:
    visitor = Visitor(store, cookie)
    session = visitor.session()
    assert (dict(session), session.id, session.is_new) == ({}, None, True)
    assert session.get("a") is None
    assert session.flash("a") is None
    response = Response()
    session.save(response)
    assert response.headers.getlist("Set-Cookie") == []
    assert not os.path.exists(store.directory)


def test_a_session_that_is_not_used_touches_nothing(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    session = visitor.session()
    with visitor.store.lock(key_of(visitor.cookie), 0) as record:  # nobody holds it
        assert record is not None
        response = Response()
        session.save(response)
    assert [name for name, _ in response.headers.items()] == ["Content-Type"]


def test_what_is_taken_back_is_not_stored(visitor: Visitor) -> None:
    def change(session: Session) -> None:
        session["a"] = 1
        del session["a"]
        session.flash("b", 1)
        session.flash("b")

    visitor.visit(change)
    assert visitor.set_cookies == []
    assert visitor.store.count() == 0


def test_an_unknown_id_is_never_adopted(visitor: Visitor) -> None:
    """S9: the id a visitor brings is not the one that the session gets."""
    visitor.cookie = planted = new_id()
    visitor.visit(put("a", 1))
    assert visitor.cookie != planted
    assert visitor.store.load(key_of(planted)) is None


def test_a_session_that_is_emptied_is_gone(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    visitor.visit(lambda session: session.clear())
    assert visitor.cookie == ""
    assert visitor.store.count() == 0


# --- what it is ----------------------------------------------------------------------------------


def test_what_is_unchanged_is_not_written(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", [1]))
    path = Path(visitor.store._directory.file_path(key_of(visitor.cookie)))  # type: ignore[attr-defined]
    before = path.stat()
    clock.pass_(10)
    visitor.visit(put("a", [1]))
    assert path.stat().st_mtime_ns == before.st_mtime_ns  # ten seconds are not worth a system call
    clock.pass_(90)
    visitor.visit(dict)
    after = path.stat()
    assert after.st_ino == before.st_ino
    assert after.st_mtime == pytest.approx(clock.now)


def test_the_id_is_not_shown(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    session = visitor.session()
    assert session["a"] == 1
    assert visitor.cookie not in repr(session)
    assert session.id == visitor.cookie
    session.abandon()


# --- the cookie -----------------------------------------------------------------------------------


def test_the_cookie_is_set_once(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    name = visitor.store.cookie_name(False)
    assert visitor.set_cookies == [f"{name}={visitor.cookie}; Path=/; HttpOnly; SameSite=Lax"]
    assert is_id(visitor.cookie)
    visitor.visit(put("a", 2))
    assert visitor.set_cookies == []
    visitor.visit(dict)
    assert visitor.set_cookies == []


def test_over_tls_the_cookie_is_bound_to_the_host(store: FileStore) -> None:
    visitor = Visitor(store, HTTPS="on")
    visitor.visit(put("a", 1))
    name = visitor.name
    assert name.startswith("__Host-session-")
    assert visitor.set_cookies == [
        f"{name}={visitor.cookie}; Path=/; Secure; HttpOnly; SameSite=Lax"
    ]
    assert visitor.visit(dict) == {"a": 1}
    for plain in (name.removeprefix("__Host-"), "session"):  # will not do
        assert Visitor(store, visitor.cookie, name=plain, HTTPS="on").visit(dict) == {}
    visitor.visit(lambda session: session.destroy())
    assert "Secure" in visitor.set_cookies[0]
    assert visitor.cookie == ""


def test_the_cookie_as_the_store_says(open_store: Callable[..., FileStore]) -> None:
    store = open_store(
        cookie="sid", max_age=3600, cookie_path="/shop", samesite="Strict", secure=True
    )
    visitor = Visitor(store, name="sid")
    visitor.visit(put("a", 1))
    expected = f"sid={visitor.cookie}; Max-Age=3600; Path=/shop; Secure; HttpOnly; SameSite=Strict"
    assert visitor.set_cookies == [expected]
    visitor.visit(dict)
    assert visitor.set_cookies == [expected]  # so that it lives on from now
    visitor.visit(lambda session: session.destroy())
    assert "Path=/shop" in visitor.set_cookies[0]
    assert visitor.cookie == ""


def test_an_answer_made_with_a_session_is_for_no_cache(visitor: Visitor) -> None:
    session, response = visitor.session(), Response()
    session.get("a")
    session.save(response)
    assert response.cache_control == "private"
    session, response = visitor.session(), Response()
    response.cache_control = "no-store"
    session.get("a")
    session.save(response)
    assert response.cache_control == "no-store"


def test_no_cookie_for_what_could_not_be_stored(open_store: Callable[..., FileStore]) -> None:
    visitor = Visitor(open_store(max_age=60))
    visitor.visit(put("a", 1))
    for change in (lambda s: s.__setitem__("b", {1}), lambda s: (s.rotate(), s.update(b={1}))):
        session, response = visitor.session(), Response()
        change(session)
        with pytest.raises(TypeError):
            session.save(response)
        session.save(response)
        assert response.headers.getlist("Set-Cookie") == []


# --- its end --------------------------------------------------------------------------------------


def test_idle_sessions_end(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    for _ in range(5):
        clock.pass_(7_199)
        assert visitor.visit(dict) == {"a": 1}
    clock.pass_(7_200)
    assert visitor.visit(dict) == {}
    assert visitor.store.count() == 1  # only purge deletes
    old = visitor.cookie
    visitor.visit(put("b", 1))
    assert visitor.cookie != old


def test_busy_sessions_end_too(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("n", 0))
    for second in range(0, DAY - 3_600, 3_600):
        clock.pass_(3_600)
        visitor.visit(put("n", second))
    assert visitor.visit(lambda session: session.created) == NOW
    clock.pass_(3_599)
    assert visitor.visit(len) == 1
    clock.pass_(1)
    assert visitor.visit(len) == 0


def test_a_shorter_policy_holds_for_sessions_that_are_there(
    visitor: Visitor, clock: Clock, open_store: Callable[..., FileStore]
) -> None:
    visitor.visit(put("a", 1))
    visitor.store = open_store(absolute=1_000)
    clock.pass_(999)
    assert visitor.visit(dict, readonly=True) == {"a": 1}  # so that nothing is mended on the way
    clock.pass_(1)
    assert visitor.visit(dict) == {}


def test_times(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    clock.pass_(500)
    assert visitor.visit(lambda s: (s.created, s.accessed)) == (NOW, pytest.approx(NOW))
    clock.pass_(500)
    assert visitor.visit(lambda s: (s.created, s.accessed)) == (NOW, pytest.approx(NOW + 500))
    assert Visitor(visitor.store).visit(lambda s: (s.created, s.accessed)) == (NOW + 1000,) * 2


def test_a_clock_that_was_ahead_makes_no_immortal_session(visitor: Visitor, clock: Clock) -> None:
    clock.pass_(TEN_YEARS)
    visitor.visit(put("a", 1))
    clock.pass_(-TEN_YEARS)
    assert visitor.visit(dict) == {"a": 1}
    clock.pass_(7_200)
    assert visitor.visit(dict) == {}


def test_nor_one_that_is_read_all_day(visitor: Visitor, clock: Clock) -> None:
    clock.pass_(TEN_YEARS)
    visitor.visit(put("a", 1))
    clock.pass_(-TEN_YEARS)
    for _ in range(24):
        assert visitor.visit(dict) == {"a": 1}
        clock.pass_(3_600)
    assert visitor.visit(dict) == {}


def test_a_clock_that_jumps_there_and_back_ends_no_session(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    clock.pass_(TEN_YEARS)
    assert visitor.visit(dict) == {}
    visitor.store.purge()
    clock.pass_(-TEN_YEARS)
    visitor.store.purge()
    assert visitor.visit(dict) == {"a": 1}


def test_stamps_from_the_future_are_mended_by_reading(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    key = key_of(visitor.cookie)
    visitor.store.touch(key, NOW + TEN_YEARS)
    assert visitor.visit(dict) == {"a": 1}
    record = visitor.store.load(key)
    assert record is not None
    assert record.accessed == pytest.approx(NOW)
    visitor.store.save(key, Record(record.payload, NOW, NOW + TEN_YEARS))
    assert visitor.visit(dict) == {"a": 1}
    record = visitor.store.load(key)
    assert record is not None
    assert record.expires == pytest.approx(NOW + DAY)


# --- rotation -------------------------------------------------------------------------------------


@pytest.fixture
def rotated(visitor: Visitor) -> tuple[Visitor, Visitor]:
    """A visitor just after log-in, and one who still has the id from before it."""

    def log_in(session: Session) -> None:
        session["user"] = "ada"
        session.rotate()
        session["role"] = "admin"

    visitor.visit(put("basket", [1]))
    late = Visitor(visitor.store, visitor.cookie)
    visitor.visit(log_in)
    return visitor, late


def test_rotation_keeps_the_data_under_a_new_id(rotated: tuple[Visitor, Visitor]) -> None:
    visitor, late = rotated
    assert visitor.cookie != late.cookie
    assert visitor.visit(dict) == {"basket": [1], "user": "ada", "role": "admin"}


def test_the_old_id_shows_what_was_there_before(rotated: tuple[Visitor, Visitor]) -> None:
    _, late = rotated
    assert late.visit(dict) == {"basket": [1]}
    assert late.visit(dict, readonly=True) == {"basket": [1]}
    assert late.set_cookies == []


@pytest.mark.parametrize(
    "change",
    [
        put("a", 1),
        lambda session: session["basket"].append(2),
        lambda session: session.clear(),
        lambda session: session.rotate(),
        lambda session: session.destroy(),
        lambda session: session.flash("a", 1),
        lambda session: session.csrf_token(),
    ],
    ids=["set", "nested", "clear", "rotate", "destroy", "flash", "csrf"],
)
def test_the_old_id_changes_nothing(rotated: tuple[Visitor, Visitor], change: Any) -> None:
    visitor, late = rotated
    with pytest.raises(HTTPError) as caught:
        late.visit(change)
    assert caught.value.status == 503
    assert caught.value.headers == (("Retry-After", "1"), ("Refresh", "2"))
    assert late.visit(dict) == {"basket": [1]}
    assert visitor.visit(dict) == {"basket": [1], "user": "ada", "role": "admin"}
    assert visitor.store.count() == 2


def test_after_its_grace_the_old_id_is_unknown(
    rotated: tuple[Visitor, Visitor], clock: Clock
) -> None:
    visitor, late = rotated
    clock.pass_(9.9)
    assert late.visit(dict) == {"basket": [1]}
    clock.pass_(0.1)
    assert late.visit(lambda session: (dict(session), session.is_new)) == ({}, True)
    old = late.cookie
    late.visit(put("a", 1))
    assert late.cookie not in {old, visitor.cookie}
    assert visitor.store.purge() == 1


@pytest.mark.parametrize("jump", [TEN_YEARS, -TEN_YEARS])
def test_no_jump_of_the_clock_revives_it(
    rotated: tuple[Visitor, Visitor], clock: Clock, jump: float
) -> None:
    _, late = rotated
    clock.pass_(jump)
    assert late.visit(dict) == {}


def test_the_old_id_never_reaches_the_new_session(rotated: tuple[Visitor, Visitor]) -> None:
    """S9: fixation. Whoever planted the id sees nothing of what came after the log-in."""
    visitor, late = rotated
    for user in ("ada", "eve"):
        visitor.visit(put("user", user))
        assert "user" not in late.visit(dict)
    kept = json.dumps(inside(visitor.store, late.cookie))  # type: ignore[arg-type]
    assert "ada" not in kept
    assert visitor.cookie not in kept


def test_without_grace_the_old_id_is_gone(open_store: Callable[..., FileStore]) -> None:
    visitor = Visitor(open_store(grace=0))
    visitor.visit(put("a", 1))
    late = Visitor(visitor.store, visitor.cookie)
    visitor.visit(lambda session: session.rotate())
    assert late.visit(dict) == {}
    assert visitor.store.count() == 1


def test_rotating_again_and_again(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    seen = {visitor.cookie}
    for round_ in range(1, 6):
        visitor.visit(lambda session: (session.rotate(), session.rotate()))
        seen.add(visitor.cookie)
        assert len(seen) == round_ + 1
        assert visitor.visit(dict) == {"a": 1}
    clock.pass_(10)
    visitor.store.purge()
    assert visitor.store.count() == 1


def test_rotating_a_session_that_is_not_stored(visitor: Visitor) -> None:
    visitor.visit(lambda session: session.rotate())
    assert (visitor.cookie, visitor.store.count()) == ("", 0)
    visitor.visit(lambda session: (session.rotate(), session.update(a=1)))
    assert visitor.visit(dict) == {"a": 1}
    assert visitor.store.count() == 1


def test_a_flash_survives_rotation_and_is_shown_once(visitor: Visitor) -> None:
    visitor.visit(lambda session: session.flash("notice", "Welcome"))
    late = Visitor(visitor.store, visitor.cookie)
    visitor.visit(lambda session: session.rotate())
    assert late.visit(lambda session: session.flash("notice")) is None
    assert visitor.visit(lambda session: session.flash("notice")) == "Welcome"


# --- destroying -----------------------------------------------------------------------------------


def test_destroying(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    late = Visitor(visitor.store, visitor.cookie)

    def log_out(session: Session) -> None:
        session.destroy()
        assert (dict(session), session.id, session.is_new) == ({}, None, True)

    visitor.visit(log_out)
    assert visitor.cookie == ""
    assert visitor.store.count() == 0
    assert late.visit(dict) == {}


def test_destroying_holds_even_where_the_request_fails(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    session = visitor.session()
    session.destroy()
    session.abandon()
    assert visitor.store.count() == 0


def test_what_follows_is_another_session(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    old = visitor.cookie
    visitor.visit(lambda session: (session.destroy(), session.flash("notice", "Bye")))
    assert visitor.cookie not in {"", old}
    assert len(visitor.set_cookies) == 1
    assert visitor.visit(lambda session: session.flash("notice")) == "Bye"


def test_destroying_what_is_not_there(visitor: Visitor) -> None:
    visitor.visit(lambda session: session.destroy())
    assert (visitor.set_cookies, visitor.store.count()) == ([], 0)


# --- forms ----------------------------------------------------------------------------------------


def test_the_token_of_forms(visitor: Visitor) -> None:
    """S12."""
    token = visitor.visit(lambda session: session.csrf_token())
    assert is_id(token)
    assert visitor.visit(lambda session: session.csrf_token()) == token
    visitor.visit(lambda session: session.check_csrf(token))
    other = Visitor(visitor.store)
    foreign = other.visit(lambda session: session.csrf_token())
    for wrong in (None, "", token[:-1], token + "x", token.swapcase(), foreign, "\ud800", "ü"):
        with pytest.raises(HTTPError) as caught:
            visitor.visit(lambda session, wrong=wrong: session.check_csrf(wrong))
        assert caught.value.status == 403


def test_without_a_token_nothing_passes(visitor: Visitor) -> None:
    for given in ("", None, new_id()):
        with pytest.raises(HTTPError):
            visitor.visit(lambda session, given=given: session.check_csrf(given))


def test_the_token_changes_at_log_in(visitor: Visitor) -> None:
    token = visitor.visit(lambda session: session.csrf_token())
    visitor.visit(lambda session: (session.rotate(), session.update(a=1)))
    with pytest.raises(HTTPError):
        visitor.visit(lambda session: session.check_csrf(token))
    assert visitor.visit(lambda session: session.csrf_token()) != token


@pytest.fixture
def door(visitor: Visitor) -> tuple[Visitor, Callable[[Session], None]]:
    """A visitor with a form to log in, and what happens when it is sent."""
    token = visitor.visit(lambda session: session.csrf_token())

    def log_in(session: Session) -> None:
        session.check_csrf(token)
        session.rotate()
        session["user"] = "ada"

    return visitor, log_in


def test_a_double_click_on_log_in_helps_the_visitor_on(
    door: tuple[Visitor, Callable[[Session], None]], clock: Clock
) -> None:
    """The second click showed a bare 503 under the old id, and 403 "expired" under the new one."""
    visitor, log_in = door
    second = Visitor(visitor.store, visitor.cookie)  # sent before the first was answered
    visitor.visit(log_in)
    with pytest.raises(SessionMoved, match="will reload") as moved:
        second.visit(log_in)
    assert dict(moved.value.headers) == {"Retry-After": "1", "Refresh": "2"}
    with pytest.raises(FormExpired, match="will reload") as expired:
        visitor.visit(log_in)  # sent after it was
    assert dict(expired.value.headers) == {"Refresh": "2"}
    assert second.visit(dict) == {}  # S9: the old id leads nowhere
    with pytest.raises(SessionMoved):  # no form that could not be sent any more
        second.visit(lambda session: session.csrf_token())
    assert visitor.visit(dict) == {"user": "ada"}
    clock.pass_(10)
    with pytest.raises(FormExpired, match="send the form again") as expired:
        visitor.visit(log_in)
    assert expired.value.headers == ()
    # Where the first answer was lost, with the new cookie, the second form is one that works.
    token = second.visit(lambda session: session.csrf_token())
    second.visit(lambda session: session.check_csrf(token))


def test_other_forms_after_a_log_in_are_not_loaded_again(
    door: tuple[Visitor, Callable[[Session], None]],
) -> None:
    """S12: only the form that was sent twice. And typing is not thrown away."""
    visitor, log_in = door
    visitor.visit(log_in)
    for wrong in (None, "", new_id()):
        with pytest.raises(FormExpired) as caught:
            visitor.visit(lambda session, wrong=wrong: session.check_csrf(wrong))
        assert caught.value.headers == ()
    visitor.visit(lambda session: (session.rotate(), session.rotate()))  # no token since
    with pytest.raises(FormExpired) as caught:
        visitor.visit(log_in)
    assert dict(caught.value.headers) == {"Refresh": "2"}


# --- closing, reading only, waiting ---------------------------------------------------------------


def test_readonly_waits_for_nobody(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))

    def slow(line: Line) -> None:
        session = visitor.session()
        session["a"] = 2
        line.tell("working")
        line.hear()
        session.close()

    with Forked(slow) as child:
        assert child.hear() == "working"
        assert visitor.visit(dict, readonly=True) == {"a": 1}
        visitor.store.lock_timeout = 0.02
        with pytest.raises(LockTimeout) as caught:
            visitor.visit(dict)
        assert caught.value.status == 503
        child.tell("go")
    assert visitor.visit(dict, readonly=True) == {"a": 2}


def test_who_catches_the_timeout_gets_no_empty_session(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    visitor.store.lock_timeout = 0
    session = visitor.session()
    with visitor.store.lock(key_of(visitor.cookie), 0):
        for _ in range(2):
            with pytest.raises(LockTimeout):
                session["b"] = 1
    session["b"] = 2
    session.save()
    assert visitor.visit(dict) == {"a": 1, "b": 2}


@pytest.mark.parametrize(
    "change",
    [
        put("a", 2),
        lambda session: session["list"].append(2),
        lambda session: session.rotate(),
        lambda session: session.destroy(),
        lambda session: session.flash("seen"),
        lambda session: session.csrf_token(),
    ],
    ids=["set", "nested", "rotate", "destroy", "flash", "csrf"],
)
def test_readonly_changes_nothing(visitor: Visitor, change: Any) -> None:
    visitor.visit(lambda session: (session.update(a=1, list=[1]), session.flash("seen", 1)))
    with pytest.raises(StateError):
        visitor.visit(change, readonly=True)
    assert visitor.visit(dict) == {"a": 1, "list": [1]}
    with pytest.raises(StateError):
        Visitor(visitor.store).visit(put("a", 1), readonly=True)


def test_who_only_reads_is_not_logged_out(visitor: Visitor, clock: Clock) -> None:
    """`readonly` requests did not count, and a visitor who read for two hours had no session."""
    visitor.visit(put("user", "ada"))
    for _ in range(5):
        clock.pass_(7_000)
        assert visitor.visit(dict, readonly=True) == {"user": "ada"}
        assert visitor.set_cookies == []
    record = visitor.store.load(key_of(visitor.cookie))
    assert record is not None
    assert record.accessed == pytest.approx(clock.now)
    clock.pass_(7_200)
    assert visitor.visit(dict, readonly=True) == {}


def test_reading_while_another_request_holds_the_lock_counts_too(
    visitor: Visitor, clock: Clock
) -> None:
    visitor.visit(put("a", 1))
    clock.pass_(7_000)
    with visitor.store.lock(key_of(visitor.cookie), 0):
        assert visitor.visit(dict, readonly=True) == {"a": 1}
    clock.pass_(7_000)
    assert visitor.visit(dict) == {"a": 1}


def test_reading_writes_no_more_often_than_using(
    visitor: Visitor, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor.visit(put("a", 1))
    touched: list[float] = []
    real = visitor.store.touch
    monkeypatch.setattr(
        visitor.store, "touch", lambda key, now: (touched.append(now), real(key, now))
    )
    for _ in range(100):
        clock.pass_(10)
        visitor.visit(dict, readonly=True)
    assert len(touched) == 12  # a hundredth of `idle` is 72 seconds


def test_a_store_that_cannot_be_written_can_be_read(
    visitor: Visitor,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    visitor.visit(put("a", 1))
    clock.pass_(1_000)

    def touch(key: str, now: float) -> None:
        raise StorageError("x", "the file system is read-only")

    monkeypatch.setattr(visitor.store, "touch", touch)
    assert visitor.visit(dict, readonly=True) == {"a": 1}
    assert "cannot renew a read-only session" in capfd.readouterr().err


def test_readonly_can_be_chosen_until_the_first_use(visitor: Visitor) -> None:
    session = visitor.session()
    assert not session.readonly
    session.readonly = True
    assert dict(session) == {}
    with pytest.raises(StateError):
        session.readonly = False


def test_closing_lets_the_next_one_in(visitor: Visitor) -> None:
    visitor.visit(put("n", 1))

    def slow(line: Line) -> None:
        session = visitor.session()
        session["n"] += 1
        session.close()
        line.tell("closed")
        line.hear()  # and goes on working
        assert session["n"] == 2
        session.close()
        session.save(Response())

    visitor.store.lock_timeout = 0
    with Forked(slow) as child:
        assert child.hear() == "closed"
        assert visitor.visit(lambda s: (s.update(n=s["n"] + 1), s["n"])[1]) == 3
        child.tell("go")
    assert visitor.visit(dict) == {"n": 3}


def test_a_child_that_the_script_forks_does_not_keep_the_lock(visitor: Visitor) -> None:
    visitor.visit(put("n", 1))
    session = visitor.session()
    session["n"] += 1
    with Forked(lambda line: line.hear()) as child:
        session.close()
        visitor.store.lock_timeout = 0
        assert visitor.visit(dict) == {"n": 2}
        child.tell("go")


def test_nor_lets_it_go_by_ending(visitor: Visitor) -> None:
    visitor.visit(put("n", 1))
    session = visitor.session()
    session["n"] += 1
    with Forked(lambda line: session.abandon()):
        pass
    visitor.store.lock_timeout = 0
    with pytest.raises(LockTimeout):
        visitor.visit(dict)
    session.close()
    assert visitor.visit(dict) == {"n": 2}


def test_a_session_that_is_over_holds_no_lock(visitor: Visitor, clock: Clock) -> None:
    visitor.visit(put("a", 1))
    late = Visitor(visitor.store, visitor.cookie)
    visitor.visit(lambda session: session.rotate())
    visitor.store.lock_timeout = 0
    for _ in range(2):  # within its grace, and after its end
        session = late.session()
        assert session.get("b") is None
        with visitor.store.lock(key_of(late.cookie), 0) as record:
            assert record is not None
        session.abandon()
        clock.pass_(DAY)


def test_after_closing_nothing_changes(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    session = visitor.session()
    assert session["a"] == 1
    session.close()
    for change in (put("a", 2), Session.rotate, Session.destroy, Session.csrf_token):
        with pytest.raises(StateError):
            change(session)
    assert session["a"] == 1
    response = Response()
    session.save(response)
    assert visitor.visit(dict) == {"a": 1}


CHANGES: list[Callable[[Any], object]] = [
    lambda value: value["list"].append(2),
    lambda value: value["dict"].update(a=2),
    lambda value: value["dict"]["inner"].append({1}),
]


@pytest.mark.parametrize("change", CHANGES, ids=["list", "dict", "inner, and no JSON"])
@pytest.mark.parametrize("before", [True, False])
def test_a_change_inside_a_value_after_closing_is_no_secret(
    visitor: Visitor, change: Callable[[Any], object], before: bool
) -> None:
    """It was lost without a word: the docs promise `StateError`."""
    visitor.visit(lambda session: session.update(list=[1], dict={"a": 1, "inner": []}))
    session = visitor.session()
    values = dict(session)
    session.close()
    change(values if before else session)
    with pytest.raises(StateError, match="was saved and closed"):
        session.save(Response())
    session.save(Response())  # once is enough
    assert visitor.visit(dict) == {"list": [1], "dict": {"a": 1, "inner": []}}


@pytest.mark.parametrize("first", [True, False], ids=["used before", "used after the answer"])
def test_so_is_one_while_the_answer_is_streamed(store: FileStore, first: bool) -> None:
    visitor = Visitor(store)
    visitor.visit(put("list", [1]))
    request = Request({"HTTP_COOKIE": f"{visitor.name}={visitor.cookie}"}, sessions=store)
    if first:
        assert request.session["list"] == [1]
    request.save_session(Response())
    assert request.session["list"] == [1]
    request.close()
    request.session["list"].append(2)
    with pytest.raises(StateError):
        request.close()
    assert visitor.visit(dict) == {"list": [1]}


def test_what_was_abandoned_may_be_changed(visitor: Visitor) -> None:
    visitor.visit(put("list", [1]))
    session = visitor.session()
    session["list"].append(2)
    session.abandon()
    session["list"].append(3)
    session.save(Response())
    assert visitor.visit(dict) == {"list": [1]}


def test_the_cookie_of_a_session_closed_early(visitor: Visitor) -> None:
    session = visitor.session()
    session["a"] = 1
    session.close()
    response = Response()
    session.save(response)
    visitor.take(response)
    assert visitor.visit(dict) == {"a": 1}


def test_abandoned_changes_are_gone_and_the_lock_with_them(visitor: Visitor) -> None:
    visitor.visit(put("a", 1))
    session = visitor.session()
    session["a"] = 2
    session.abandon()
    visitor.store.lock_timeout = 0
    assert visitor.visit(dict) == {"a": 1}


def test_sweeping_in_the_course_of_requests(
    open_store: Callable[..., FileStore], clock: Clock
) -> None:
    Visitor(open_store()).visit(put("dead", 1))
    clock.pass_(DAY)
    visitor = Visitor(open_store(sweep_chance=1))
    for n in range(8_000):  # it removes one of 256 directories' a time
        visitor.visit(put("n", n))
        if visitor.store.count() == 1:
            break
    assert visitor.store.count() == 1
    assert visitor.visit(dict) == {"n": n}


def test_a_sweep_that_fails_fails_no_request(
    open_store: Callable[..., FileStore], capfd: pytest.CaptureFixture[str]
) -> None:
    store = open_store(sweep_chance=1)
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    (Path(store.directory) / "purged").unlink()
    (Path(store.directory) / "purged").mkdir()
    (Path(store.directory) / "purged").rmdir()
    (Path(store.directory) / "purged").symlink_to("/nowhere")
    visitor.visit(put("a", 2))
    assert visitor.visit(dict) == {"a": 2}
    assert "cannot remove dead sessions" in capfd.readouterr().err


# --- without a store ------------------------------------------------------------------------------


def test_a_request_without_a_store_says_so() -> None:
    with pytest.raises(StateError, match="sessions=FileStore"):
        _ = Request({}).session


def test_a_request_with_a_store(store: FileStore) -> None:
    request, response = Request({}, sessions=store), Response()
    request.session["a"] = 1
    assert request.session is request.session
    request.save_session(response)
    assert len(response.headers.getlist("Set-Cookie")) == 1
    assert store.count() == 1


def test_a_session_first_used_after_the_answer_is_readonly(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    request = Request({"HTTP_COOKIE": f"session={visitor.cookie}"}, sessions=store)
    request.save_session(Response())
    store.lock_timeout = 0
    assert visitor.visit(lambda session: (dict(session), dict(request.session)))[1] == {"a": 1}
    with pytest.raises(StateError):
        request.session["a"] = 2
