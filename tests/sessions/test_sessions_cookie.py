"""The cookie of sessions: its names, and which of several are tried."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sessions.visiting import Visitor, put

from cgikit import FileStore, RedisStore, Request, Response, Session, SQLiteStore
from cgikit.sessions.cookie import MAX_TRIED, ids, send
from cgikit.sessions.store import Store, key_of, new_id


class Jar:
    """A browser with all its cookies of one host, whatever their ports."""

    def __init__(self, **variables: str) -> None:
        self.cookies: dict[str, str] = {}
        self.variables = variables

    def visit(self, store: Store, change: Callable[[Session], object] = dict) -> object:
        header = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        session = Session(store, Request({"HTTP_COOKIE": header, **self.variables}))
        result = change(session)
        response = Response()
        session.save(response)
        for line in response.headers.getlist("Set-Cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if "Max-Age=0" in line:
                del self.cookies[name]
        return result


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "sessions", sweep_chance=0)


# --- its name -------------------------------------------------------------------------------------


def test_two_applications_on_one_host_log_nobody_out_of_the_other(tmp_path: Path) -> None:
    """Cookies know no ports: both were called `session`, and each visit to one ended the other's."""
    jar = Jar()
    stores = [
        FileStore(tmp_path / "shop" / "sessions"), FileStore(tmp_path / "wiki" / "sessions"),
        SQLiteStore(tmp_path / "shop.db"), SQLiteStore(tmp_path / "wiki.db"),
    ]  # fmt: skip
    for number, store in enumerate(stores):
        jar.visit(store, put("n", number))
    jar.cookies["session"] = "what Flask puts there"
    assert [jar.visit(store) for store in stores] == [{"n": n} for n in range(4)]
    assert len(jar.cookies) == 5


@pytest.mark.parametrize("kind", [FileStore, SQLiteStore])
def test_all_scripts_of_one_store_have_one_name(tmp_path: Path, kind: type[Store]) -> None:
    (tmp_path / "real" / "cgi-bin").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    name = kind(tmp_path / "real" / "sessions").cookie_name(False)  # type: ignore[call-arg]
    for path in ("link/sessions", "real/cgi-bin/../sessions", "real/../link/./sessions"):
        assert kind(tmp_path / path).cookie_name(False) == name  # type: ignore[call-arg]
    assert kind(tmp_path / "sessions").cookie_name(False) != name  # type: ignore[call-arg]


def test_a_path_of_any_bytes_has_a_name() -> None:
    name = FileStore(os.fsdecode(b"/nowhere/\xff\xfe")).cookie_name(False)
    assert name.startswith("session-")
    assert name.isascii()


URLS = [
    "redis://h:6379/3", "redis://elsewhere/3", "redis://user:secret@h/3", "rediss://h/?db=3",
    "redis://h/7?db=3", "unix:///run/redis.sock?db=3", "unix://:secret@/run/redis.sock?db=3",
]  # fmt: skip


@pytest.mark.parametrize("url", URLS)
def test_in_redis_only_database_and_prefix_count(url: str) -> None:
    """Never the address, which may change, and never a hash of what holds a password."""
    redis = pytest.importorskip("redis")
    store = RedisStore(url)
    assert store.place() == "redis 3 cgikit:session:"
    assert redis.Redis.from_url(url).get_connection_kwargs()["db"] == 3
    assert RedisStore(redis.Redis.from_url(url)).cookie_name(True) == store.cookie_name(True)
    others = {RedisStore("redis://h/4"), RedisStore("redis://h"), RedisStore(url, prefix="x")}
    assert len({s.cookie_name(True) for s in (store, *others)}) == 4


@pytest.mark.parametrize(
    "url", ["redis://h", "redis://h/", "unix:///run/redis.sock", "redis://h/x"]
)
def test_in_redis_the_database_is_0_where_none_is_named(url: str) -> None:
    assert RedisStore(url).place() == "redis 0 cgikit:session:"


def test_the_name_can_be_chosen(tmp_path: Path) -> None:
    store = FileStore(tmp_path, cookie="session")
    assert (store.cookie_name(False), store.cookie_name(True)) == ("session", "session")
    other = FileStore(tmp_path / "sessions", cookie_path="/shop")
    assert other.cookie_name(True) == other.cookie_name(False)  # __Host- needs Path=/
    jar = Jar()
    jar.visit(FileStore(tmp_path / "s", cookie="sid"), put("a", 1))
    jar.cookies = {"session": jar.cookies["sid"]}
    assert jar.visit(FileStore(tmp_path / "s", cookie="sid")) == {}


def test_a_store_that_names_no_place_has_the_plain_name(store: FileStore) -> None:
    store.place = lambda: ""  # type: ignore[method-assign]
    assert (store.cookie_name(False), store.cookie_name(True)) == ("session", "__Host-session")


# --- the update -----------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "__Host-"])
def test_the_update_logs_nobody_out(store: FileStore, prefix: str) -> None:
    """A cookie of the former name is read, and goes on under the new one."""
    variables = {"HTTPS": "on"} if prefix else {}
    jar = Jar(**variables)
    jar.visit(store, put("user", "ada"))
    (name, value), *_ = jar.cookies.items()
    jar.cookies = {f"{prefix}session": value}
    assert jar.visit(store) == {"user": "ada"}
    assert jar.cookies == {f"{prefix}session": value, name: value}
    jar.visit(store, lambda session: session.rotate())
    assert jar.cookies[name] != value
    assert jar.visit(store) == {"user": "ada"}  # not the old one, which is known for its grace
    jar.visit(store, lambda session: session.destroy())
    assert jar.cookies == {f"{prefix}session": value}
    store.grace = 0
    assert jar.visit(store) == {}


def test_a_request_that_only_reads_finds_the_former_name_too(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    assert Visitor(store, visitor.cookie, name="session").visit(dict, readonly=True) == {"a": 1}


# --- several --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "session"])
@pytest.mark.parametrize("readonly", [False, True])
def test_an_unknown_cookie_before_the_valid_one_locks_nobody_out(
    store: FileStore, name: str, readonly: bool
) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    name = name or visitor.name
    for before in (new_id(), "what another application puts there", visitor.cookie + "x"):
        environ = {"HTTP_COOKIE": f"{name}={before}; {name}={visitor.cookie}"}
        session = Session(store, Request(environ), readonly=readonly)
        assert dict(session) == {"a": 1}
        session.abandon()


def test_a_session_that_lives_goes_before_one_that_was_just_given_up(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    old = visitor.cookie
    visitor.visit(lambda session: (session.rotate(), session.update(a=2)))
    environ = {"HTTP_COOKIE": f"{visitor.name}={old}; {visitor.name}={visitor.cookie}"}
    session = Session(store, Request(environ))
    session["a"] += 1
    session.save()
    assert visitor.visit(dict) == {"a": 3}
    assert Visitor(store, old).visit(dict) == {"a": 1}


def test_no_more_than_five_are_looked_up(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    asked: list[str] = []
    lock = store.lock
    store.lock = lambda key, timeout: asked.append(key) or lock(key, timeout)  # type: ignore
    strangers = [new_id() for _ in range(20)]
    header = "; ".join(f"{visitor.name}={value}" for value in [*strangers, *strangers])
    session = Session(store, Request({"HTTP_COOKIE": header}))
    assert dict(session) == {}
    assert asked == [key_of(value) for value in strangers[:MAX_TRIED]]
    assert MAX_TRIED == 5


def test_a_request_without_cookies_does_not_even_ask_for_the_name(store: FileStore) -> None:
    store.place = lambda: 1 / 0  # type: ignore
    assert ids(store, Request({})) == []


@pytest.mark.parametrize("samesite", ["None", "Lax", "Strict", None])
def test_a_session_s_cookie_is_deleted_as_it_was_set(tmp_path: Path, samesite: str | None) -> None:
    """In a frame of another site's page browsers heed no deletion that says Lax."""
    store = FileStore(tmp_path / "sessions", samesite=samesite, secure=True)
    lines = []
    for session_id in (new_id(), ""):
        response = Response()
        send(response, store, Request({}), session_id)
        line = response.headers["Set-Cookie"]
        lines.append(line.partition("; Path=")[2])
    assert lines[0] == lines[1]
    assert ("SameSite" in lines[1]) is (samesite is not None)
