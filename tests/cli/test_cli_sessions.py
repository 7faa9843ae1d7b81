"""The command `cgikit sessions`, on every kind of store: what it shows, hides and deletes."""

import json
import os
import pty
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sessions.forked import Forked, Line
from sessions.redis_server import RedisServer
from sessions.visiting import Visitor, put

from cgikit import FileStore
from cgikit.sessions.payload import Payload
from cgikit.sessions.redis import RedisStore
from cgikit.sessions.sqlite import SQLiteStore
from cgikit.sessions.store import Record, Store, key_of, new_id
from cgikit.sessions.users import key_of_user, log_out

ID = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdE"  # well formed
NEVER = time.time() + 10 * 365 * 86_400  # no test takes as long


class Place:
    """A store: where the command finds it, and how a script opens it."""

    def __init__(self, where: str, opened: Callable[..., Store]) -> None:
        self.where = where
        self.opened = opened

    def fill(self, *ages: float, absolute: float = 86_400) -> list[str]:
        """Store sessions that were used so many seconds ago; return their keys."""
        keys = []
        for age in ages:
            clock = time.time() - age
            visitor = Visitor(self.opened(clock=lambda now=clock: now, absolute=absolute))
            visitor.visit(put("age", age))
            keys.append(key_of(visitor.cookie))
        self.opened().purge_stamp(renew=True)  # a store that is as old as its sessions looks odd
        return keys


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with RedisServer("redis-server") as running:
        yield running


@pytest.fixture(params=["file", "sqlite", "redis"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "file":
        where = str(tmp_path / "sessions")
        return Place(where, lambda **options: FileStore(where, **options))
    if request.param == "sqlite":
        where = str(tmp_path / "sessions.db")
        return Place(where, lambda **options: SQLiteStore(where, **options))
    server: RedisServer = request.getfixturevalue("server")
    store = RedisStore(server.url)
    store._ask(lambda client: client.flushall())
    return Place(server.url, lambda **options: RedisStore(server.url, **options))


def run(*arguments: str) -> tuple[int, str, str]:
    """Run `cgikit sessions` to its end; the status, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", "sessions", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stdout, done.stderr


def test_counting(place: Place) -> None:
    place.fill(0, 10, 20)
    assert run("count", place.where) == (0, "3\n", "")


def test_a_list_shortens_the_keys(place: Place) -> None:
    keys = place.fill(0, 10)
    status, out, err = run("list", place.where)
    head, *lines = out.splitlines()
    assert (status, err) == (0, "")
    assert head.split() == ["KEY", "BYTES", "LAST", "USED", "(UTC)", "EXPIRES", "(UTC)"]
    assert sorted(line.split()[0] for line in lines) == sorted(key[:12] for key in keys)
    when = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"
    assert all(re.fullmatch(rf"[0-9a-f]{{12}} +\d+  {when}  {when}", line) for line in lines)


def test_a_list_in_full(place: Place) -> None:
    keys = place.fill(0, 10)
    _, out, _ = run("list", "--full", place.where)
    assert sorted(line.split()[0] for line in out.splitlines()[1:]) == sorted(keys)


def test_showing_masks_what_is_secret(place: Place) -> None:
    visitor = Visitor(place.opened())
    inside = {"name": "Ada\x1b[2J", "api_token": "canary", "list": [{"Password": "canary"}]}
    token = visitor.visit(lambda session: (session.update(inside), session.csrf_token())[1])
    visitor.visit(lambda session: session.flash("notice", "Hello"))
    visitor.visit(lambda session: session.set("soon", 1, max_age=60))
    key = key_of(visitor.cookie)
    for name in (key, key[:12], visitor.cookie):
        status, out, err = run("show", place.where, name)
        assert (status, err) == (0, "")
        assert not {"canary", token, visitor.cookie, "\x1b"} & set(re.split(r'[\s"]', out))
        shown = json.loads(out)
        masked = shown["csrf"]
        assert "masked" in masked
        assert shown["key"] == key
        assert shown["data"] == {
            "name": "Ada\x1b[2J",
            "api_token": masked,
            "list": [{"Password": masked}],
            "soon": 1,
        }
        assert shown["flash"] == {"notice": "Hello"}
        assert set(shown["until"]) == {"soon"}
        assert shown["created"] <= shown["accessed"] < shown["expires"]
    status, out, _ = run("show", place.where, key, "--all")
    assert status == 0
    assert json.loads(out)["csrf"] == token
    assert json.loads(out)["data"] == {**inside, "soon": 1}


@pytest.mark.parametrize("cookie", ["-" + ID[1:], "--" + ID[2:], "--all" + ID[5:]])
def test_a_cookie_that_looks_like_an_option(place: Place, cookie: str) -> None:
    """One visitor in 64 has one."""
    record = Record(Payload(time.time()).encode(), time.time(), NEVER)
    place.opened().save(key_of(cookie), record, new=True)
    for words in (["show", place.where, cookie], ["show", "--all", place.where, cookie]):
        status, out, err = run(*words)
        assert (status, err) == (0, "")
        assert json.loads(out)["key"] == key_of(cookie)


def test_showing_what_is_not_there(place: Place) -> None:
    keys = place.fill(0, *[0] * 16)  # 17 keys: two begin with the same digit
    begin = next(d for d in "0123456789abcdef" if sum(key.startswith(d) for key in keys) > 1)
    unknown = new_id()
    for name, reason in (
        ("xyz", "no session's key begins with 'xyz': give one that 'list' shows"),
        (begin, f"more than one key begins with '{begin}': give more of it"),
        (key_of(unknown), f"there is no session {key_of(unknown)}"),
        (unknown, f"there is no session {key_of(unknown)}"),
    ):
        assert run("show", place.where, name) == (1, "", f"cgikit sessions: {reason}\n")


def test_a_damaged_session_is_said_to_be(place: Place) -> None:
    key, now = key_of(new_id()), time.time()
    place.opened().save(key, Record(b"no JSON", now, now + 10_000), new=True)
    status, out, err = run("show", place.where, key)
    assert (status, out) == (1, "")
    assert err == f"cgikit sessions: the session {key} is damaged: not JSON\n"
    assert run("count", place.where) == (0, "1\n", "")
    assert run("list", place.where)[0] == 0


def test_a_purge_takes_what_is_over(place: Place) -> None:
    """Not what is idle for longer than by default: the script may allow more, and knows better."""
    idle, live = place.fill(7_300, 0)
    (over,) = place.fill(7_300, absolute=7_250)
    assert sorted(place.opened().keys()) == sorted([idle, live, over])
    assert run("purge", place.where) == (0, "1 session deleted\n", "")
    assert sorted(place.opened().keys()) == sorted([idle, live])
    assert run("purge", place.where, "--idle", "20000") == (0, "0 sessions deleted\n", "")
    assert run("purge", place.where, "--idle", "7200") == (0, "1 session deleted\n", "")
    assert list(place.opened().keys()) == [live]


def test_a_purge_shortens_no_session_of_a_longer_policy(place: Place) -> None:
    """It cut what lived for 30 days to one more day, the command's own default."""
    (key,) = place.fill(0, absolute=30 * 86_400)
    before = place.opened().load(key)
    for options in ([], ["--force"], ["--idle", "7200"]):
        assert run("purge", place.where, *options) == (0, "0 sessions deleted\n", "")
    after = place.opened().load(key)
    assert before is not None
    assert after is not None
    assert (after.accessed, after.expires) == (before.accessed, before.expires)


def logged_out(place: Place) -> tuple[Visitor, str]:
    """A session that `log_out` has ended; and the key of the mark that did it."""
    thief = Visitor(place.opened())
    thief.visit(lambda session: setattr(session, "user", "B\x1bob"))
    log_out(place.opened(), "B\x1bob")
    return thief, key_of_user("B\x1bob")


def comes_back(thief: Visitor) -> bool:
    return bool(thief.visit(lambda session: session.user, readonly=True))


def test_s9_a_mark_is_no_session_in_a_list(place: Place) -> None:
    _, mark = logged_out(place)
    lines = run("list", "--full", place.where)[1].splitlines()
    assert len(lines) == 3
    assert [line[:64] for line in lines if "mark: ended sessions" in line] == [mark]
    status, out, err = run("show", place.where, mark[:12])
    assert (status, err, "\x1b" in out) == (0, "", False)
    shown = json.loads(out)
    assert set(shown) == {"key", "mark", "user", "created", "expires"}
    assert "not a session" in shown["mark"]
    assert shown["user"] == "B\x1bob"


@pytest.mark.parametrize("damage", [None, b"", b"no JSON"])
def test_s9_a_mark_is_deleted_by_nobody_who_does_not_say_so(
    place: Place, damage: bytes | None
) -> None:
    thief, mark = logged_out(place)
    store = place.opened()
    if damage is not None:
        with store.lock(mark, 10) as record:
            assert record is not None
            store.save(mark, Record(damage, record.accessed, record.expires))
        assert f"{mark[:12]}" in run("list", place.where)[1]
    status, out, err = run("delete", place.where, mark[:12])
    assert (status, out) == (1, "")
    assert f"cgikit sessions: {mark} is " in err
    assert "revives the sessions that it ended" in err
    assert "--mark" in err
    assert not comes_back(thief)
    kind = "mark" if damage is None else "damaged record"
    assert run("delete", "--mark", place.where, mark) == (0, f"1 {kind} deleted\n", "")
    assert store.load(mark) is None


def test_what_is_damaged_is_deleted_by_its_cookie(place: Place) -> None:
    """No visitor's cookie leads to a mark."""
    session_id, now = ID, time.time()
    place.opened().save(key_of(session_id), Record(b"no JSON", now, now + 10_000), new=True)
    assert "damaged" in run("list", place.where)[1]
    assert run("delete", place.where, session_id) == (0, "1 damaged record deleted\n", "")


def test_a_clock_that_jumps_wipes_nothing(place: Place) -> None:
    place.fill(0)
    long_ago = time.time() - 50 * 86_400
    place.opened(clock=lambda: long_ago).purge_stamp(renew=True)
    status, out, err = run("purge", place.where, "--idle", "0.000001")
    assert (status, out) == (1, "")
    assert re.fullmatch(
        r"cgikit sessions: nothing was deleted: the last purge was at [-0-9: ]{19} UTC, .*\n", err
    )
    assert place.opened().count() == 1
    assert run("purge", place.where, "--idle", "0.000001")[:2] == (0, "1 session deleted\n")


def test_force_purges_at_once(place: Place) -> None:
    place.fill(0)
    long_ago = time.time() - 50 * 86_400
    place.opened(clock=lambda: long_ago).purge_stamp(renew=True)
    status, out, _ = run("purge", "--force", place.where, "--idle", "0.000001")
    assert (status, out) == (0, "1 session deleted\n")


# --- what is not a store --------------------------------------------------------------------------


def test_a_store_that_is_missing_is_not_made(tmp_path: Path) -> None:
    for where in (tmp_path / "sessions", tmp_path / "sessions.db"):
        for action in ("count", "list", "purge"):
            status, out, err = run(action, str(where))
            assert (status, out) == (1, "")
            assert err.startswith(f"cgikit sessions: {where} is not a store: give a directory, ")
            assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_the_directory_above_a_store_names_it(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "data" / "sessions")
    Visitor(store).visit(put("a", 1))
    status, out, err = run("count", str(tmp_path / "data"))
    assert (status, out) == (1, "")
    assert err.endswith(f"; did you mean {tmp_path}/data/sessions?\n")
    assert "did you mean" not in run("count", str(tmp_path))[2]


def test_a_file_that_is_no_store_is_said_in_a_sentence(tmp_path: Path) -> None:
    """There was a colon between the name and "is not"."""
    script = tmp_path / "counter.py"
    script.write_text("print(1)\n" * 20)
    reason = "is not a session database; use another file"
    assert run("count", str(script)) == (1, "", f"cgikit sessions: {script} {reason}\n")


def test_what_is_no_store_stays_as_it_is(tmp_path: Path) -> None:
    directory = tmp_path / "documents"
    directory.mkdir(0o700)
    (directory / "letter.txt").write_text("Dear Ada")
    with closing(sqlite3.connect(directory / "accounts.db")) as connection:
        connection.execute("CREATE TABLE accounts (name)")
    (directory / "accounts.db").chmod(0o600)
    (directory / "letter.txt").chmod(0o600)
    before = sorted(directory.iterdir())
    for file in before:
        status, out, err = run("purge", str(file))
        assert (status, out) == (1, "")
        assert err.startswith(f"cgikit sessions: {file}")
        assert err.count("\n") == 1
    assert sorted(directory.iterdir()) == before


ACTIONS = (["count"], ["list"], ["purge"], ["purge", "--force"], ["show"], ["delete"])


def asked(action: list[str], *words: str) -> tuple[int, str, str]:
    """Run an action on a store; those that are about one session get a key."""
    key = ["0123"] if action[0] in {"show", "delete"} else []
    return run(*action, *words, *key)


@pytest.mark.parametrize("action", ACTIONS, ids=" ".join)
@pytest.mark.parametrize("inside", ["a file", "nothing", "directories like ours"])
def test_9_1_5_a_directory_that_is_no_store_is_an_error(
    tmp_path: Path, action: list[str], inside: str
) -> None:
    """It said 0 and exited with 0: of a misspelt name, for years."""
    directory = tmp_path / "documents"
    directory.mkdir(0o755)
    if inside == "a file":
        (directory / "letter.txt").write_text("Dear Ada")
    elif inside != "nothing":  # as those of git are
        (directory / "ab").mkdir()
        (directory / "ab" / ("c" * 38)).write_text("")
    before = sorted(directory.rglob("*"))
    status, out, err = asked(action, str(directory))
    assert (status, out) == (1, "")
    assert err == (
        f"cgikit sessions: {directory} is not a store: no script has stored a session there; give"
        " the directory that your script passes to FileStore(…)\n"
    )
    assert sorted(directory.rglob("*")) == before


@pytest.mark.parametrize("action", ACTIONS[:4], ids=" ".join)
def test_9_1_5_a_system_directory_is_an_error(action: list[str]) -> None:
    status, out, err = asked(action, "/etc")
    assert (status, out) == (1, "")
    assert re.fullmatch(
        r"cgikit sessions: /etc is not a store.*\n|cgikit sessions: /etc: .*\n", err
    )
    assert "chown" not in err
    assert "chmod" not in err


def test_9_1_5_a_store_whose_last_session_has_gone_is_one(place: Place) -> None:
    (key,) = place.fill(0)
    assert run("delete", place.where, key)[0] == 0
    assert run("count", place.where) == (0, "0\n", "")
    assert run("purge", place.where) == (0, "0 sessions deleted\n", "")


def test_9_1_5_a_store_in_a_directory_that_was_made_by_hand(tmp_path: Path) -> None:
    """Nothing but the stamp tells it from any other when its sessions have gone."""
    visitor = Visitor(FileStore(tmp_path, sweep_chance=0))
    visitor.visit(put("a", 1))
    visitor.visit(lambda session: session.destroy())
    assert run("count", str(tmp_path)) == (0, "0\n", "")


# --- one session --------------------------------------------------------------------------------


def test_9_1_5_one_session_is_deleted(place: Place) -> None:
    visitor = Visitor(place.opened())
    visitor.visit(put("name", "Ada"))
    (other,) = place.fill(0)
    for named in (key_of, str):
        name = named(visitor.cookie)
        assert run("delete", place.where, name) == (0, "1 session deleted\n", "")
        status, out, err = run("delete", place.where, name)
        assert (status, out) == (1, "")
        assert err == f"cgikit sessions: there is no session {key_of(visitor.cookie)}\n"
        assert list(place.opened().keys()) == [other]
        assert visitor.visit(dict) == {}
        visitor = Visitor(place.opened())
        visitor.visit(put("name", "Ada"))
    assert run("delete", place.where, key_of(visitor.cookie)[:12])[:2] == (0, "1 session deleted\n")
    assert list(place.opened().keys()) == [other]


def test_9_1_5_a_key_that_is_empty_or_not_the_only_one_deletes_nothing(place: Place) -> None:
    keys = place.fill(0)
    assert run("delete", place.where, "") == (
        1, "", "cgikit sessions: KEY is empty: give a key that 'list' shows\n",
    )  # fmt: skip
    assert list(place.opened().keys()) == keys
    keys += place.fill(*[0] * 16)
    begin = next(d for d in "0123456789abcdef" if sum(key.startswith(d) for key in keys) > 1)
    assert run("delete", place.where, begin)[0] == 1
    assert place.opened().count() == 17


def test_9_1_5_a_session_in_use_is_deleted_when_it_is_free(place: Place) -> None:
    (key,) = place.fill(0)

    def hold(line: Line) -> None:
        with place.opened().lock(key, 60):
            line.tell("locked")
            line.hear()

    with Forked(hold) as child:
        assert child.hear() == "locked"
        command = [sys.executable, "-m", "cgikit", "sessions", "delete", place.where, key]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            child.tell("go on")
            out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "1 session deleted\n")


# --- Redis --------------------------------------------------------------------------------------


def test_9_1_5_a_prefix_of_ones_own(server: RedisServer) -> None:
    RedisStore(server.url)._ask(lambda client: client.flushall())
    visitor = Visitor(RedisStore(server.url, prefix="shop:"))
    visitor.visit(put("name", "Ada"))
    assert run("count", server.url, "--prefix", "shop:") == (0, "1\n", "")
    for options in ([], ["--prefix", "show:"]):
        status, out, err = run("count", server.url, *options)
        assert (status, out) == (1, "")
        assert re.fullmatch(r"cgikit sessions: .* has no sessions .* --prefix\n", err)
    assert run("delete", server.url, "--prefix", "shop:", visitor.cookie)[0] == 0
    assert run("count", server.url, "--prefix", "shop:") == (0, "0\n", "")


def test_9_1_5_a_prefix_is_for_redis_only(tmp_path: Path) -> None:
    status, out, err = run("count", str(tmp_path), "--prefix", "x")
    assert (status, out) == (1, "")
    assert err == (
        f"cgikit sessions: --prefix is for Redis, and '{tmp_path}' is not a URL of Redis: omit it\n"
    )


def test_9_1_5_a_prefix_in_the_url_is_an_error_in_one_line(server: RedisServer) -> None:
    status, out, err = run("count", f"{server.url}?prefix=shop:")
    assert (status, out) == (1, "")
    assert re.fullmatch(r"cgikit sessions: the URL .* option 'prefix', .* --prefix\n", err)


@pytest.mark.parametrize("rest", ["?protocol=9", "?ssl_cert_reqs=x", "?db=x", "?retry_on_error=x"])
def test_9_1_5_options_of_wrong_values_are_an_error_in_one_line(rest: str) -> None:
    status, out, err = run("count", f"rediss://127.0.0.1:1/{rest}")
    assert (status, out) == (1, "")
    assert re.fullmatch(r"cgikit sessions: .*\n", err)


def test_no_server_is_an_error_in_one_line_without_the_password() -> None:
    for address in ("127.0.0.1:1", "127.0.0.1:none"):
        status, out, err = run("count", f"redis://user:canary@{address}")
        assert (status, out) == (1, "")
        assert re.fullmatch(r"cgikit sessions: .*\n", err)
        assert "canary" not in err
    status, _, err = run("count", "mongodb://127.0.0.1")
    assert status == 1
    assert err == (
        "cgikit sessions: the URL of a server must begin with redis://, rediss:// or unix://, or with"
        " redis+sentinel:// or rediss+sentinel://\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [[], ["count"], ["show", "x"], ["wipe", "x"], ["purge", "x", "--idle", "0"],
     ["purge", "x", "--idle", "nan"], ["purge", "x", "--idle", "an hour"]],
)  # fmt: skip
def test_wrong_usage_is_status_2(arguments: list[str]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert err.startswith("usage: cgikit sessions")


# --- long ones --------------------------------------------------------------------------------


def many(path: Path, number: int, expires: float) -> str:
    store = SQLiteStore(path)
    store.count()
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO sessions (key, accessed, expires, payload) VALUES (?, ?, ?, ?)",
            ((f"{n:064x}", min(expires, time.time()), expires, b"x" * 1000) for n in range(number)),
        )
    return str(path)


def purge_on_a_terminal(where: str) -> tuple[bytes, bytes]:
    """Standard output of a purge whose standard error is a terminal, and what is shown there."""
    command = [sys.executable, "-m", "cgikit", "sessions", "purge", where]
    main, terminal = pty.openpty()
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=terminal,
        env={**os.environ, "TERM": "xterm"},  # a bar is not for TERM=dumb
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while piece := os.read(main, 10_000):
                shown += piece
        except OSError:
            pass  # how a terminal ends
        assert process.stdout is not None
        printed = process.stdout.read()
    os.close(main)
    return printed, shown


def test_a_long_purge_shows_a_bar_on_a_terminal_only(tmp_path: Path) -> None:
    assert run("purge", many(tmp_path / "a.db", 1_000, 2.0)) == (0, "1000 sessions deleted\n", "")
    for number in (10_000, 100_000, 1_000_000):  # until it is long on this machine
        printed, shown = purge_on_a_terminal(many(tmp_path / f"{number}.db", number, 2.0))
        assert printed == b"%d sessions deleted\n" % number
        if shown:
            break
    bars = re.findall(rb"\r\[(#* *)\] +(\d+)%%  [\d,]+ of %b" % f"{number:,}".encode(), shown)
    assert bars, shown
    assert [int(share) for _, share in bars] == sorted(int(share) for _, share in bars)
    assert shown.endswith(b"\r\x1b[K")


#: VmHWM, because what the kernel tells the parent begins with what that had itself.
MEASURED = """
import sys
from cgikit.cli import main
assert main(sys.argv[1:]) == 0
with open("/proc/self/status") as file:
    print(*[line.split()[1] for line in file if line.startswith("VmHWM:")], file=sys.stderr)
"""


def peak(*arguments: str) -> int:
    """The most memory (KiB) that a command had."""
    command = [sys.executable, "-c", MEASURED, "sessions", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return int(done.stderr)


@pytest.mark.parametrize("action", ["list", "count", "purge"])
def test_memory_is_flat(tmp_path: Path, action: str) -> None:
    few = many(tmp_path / "few.db", 500, NEVER)
    lots = many(tmp_path / "lots.db", 30_000, NEVER)
    assert peak(action, lots) - peak(action, few) < 6_000


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path) -> None:
    where = many(tmp_path / "sessions.db", 20_000, NEVER)
    done = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m cgikit sessions list {where} | head -n 2"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert len(done.stdout.splitlines()) == 2
    assert done.stderr == ""


def test_purging_beside_traffic(place: Place) -> None:
    place.fill(*[90_000] * 20)
    visitor = Visitor(place.opened())
    visitor.visit(put("n", 0))

    def work(line: Line) -> None:
        mine = Visitor(place.opened(lock_timeout=60), visitor.cookie)
        while mine.visit(lambda session: session["n"]) < 100:
            mine.visit(lambda session: session.__setitem__("n", session["n"] + 1))
            line.tell("one more")
            line.hear()

    with Forked(work) as child:
        for number in range(100):
            assert child.hear() == "one more"
            child.tell("go on")
            if number % 40 == 20:
                assert run("purge", place.where, "--idle", "3600")[0] == 0
    assert list(place.opened().keys()) == [key_of(visitor.cookie)]
    assert visitor.visit(dict) == {"n": 100}
