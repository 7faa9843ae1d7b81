"""FileStore: the contract, and what only files have: modes, links, owners, processes that die."""

import math
import os
import random
import re
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from child import DEADLINE, Answer, environment, run_script, start, write_script
from requirement import lack, need
from sessions import hostile
from sessions.contract import DAY, NOW, StoreContract, a_key, a_record, data, remembered
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Opener, Visitor, put
from torture import size

from cgikit import FileStore, Session, StorageError
from cgikit.sessions.owner import user
from cgikit.sessions.payload import MAX_BYTES
from cgikit.sessions.store import key_of, new_id

NOBODY = 65_534


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sessions"


@pytest.fixture
def store(directory: Path) -> FileStore:
    return FileStore(directory, clock=Clock(NOW), sweep_chance=0)


class TestFileStore(StoreContract):
    @pytest.fixture
    def opener(self, directory: Path) -> Opener:
        def opened(**policy: Any) -> FileStore:
            return FileStore(directory, **policy)

        return opened


def files(directory: Path) -> dict[str, bytes]:
    """Everything below a directory that is no directory, by its relative path."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if not path.is_dir()
    }


def kept(store: FileStore) -> tuple[str, Path]:
    """A session that is there: its key and its file."""
    key = a_key()
    store.save(key, a_record("kept"), new=True)
    return key, Path(store.directory) / key[:2] / key


# --- how it lies there ----------------------------------------------------------------------------


def test_the_file(store: FileStore, directory: Path) -> None:
    visitor = Visitor(store)
    visitor.visit(put("name", "Ada"))
    key = key_of(visitor.cookie)
    assert files(directory) == {
        "purged": b"",
        f"{key[:2]}/{key}": b"cgikit-session 1 %.6f\n" % (NOW + DAY)
        + b'{"v":1,"created":1700000000.0,"data":{"name":"Ada"}}',
    }


@pytest.mark.parametrize("umask", [0, 0o022, 0o077])
def test_nobody_else_gets_in(store: FileStore, directory: Path, umask: int) -> None:
    """S7: directories 0700, files 0600, whatever the umask."""
    old = os.umask(umask)
    try:
        visitor = Visitor(store)
        visitor.visit(put("a", 1))
        visitor.visit(put("a", 2))
        visitor.visit(lambda session: session.rotate())
    finally:
        os.umask(old)
    for path in [directory, *directory.rglob("*")]:
        mode = stat.S_IMODE(path.lstat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_the_id_is_nowhere_on_disk(store: FileStore, directory: Path) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    assert visitor.cookie not in "".join(files(directory))
    assert visitor.cookie.encode() not in b"".join(files(directory).values())


def test_a_relative_directory_lies_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two/levels"):
        Visitor(FileStore(name)).visit(put("a", 1))
        assert (tmp_path / name / "purged").exists()


def test_a_missing_parent_is_made_and_no_more(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot make the directory"):
        Visitor(FileStore(tmp_path / "a" / "b" / "c")).visit(put("a", 1))


def test_what_a_killed_request_left_is_no_obstacle_and_goes(store: FileStore) -> None:
    key, path = kept(store)
    orphan = path.with_name(key + ".new")
    orphan.write_bytes(b"half of")
    store.save(key, a_record("next"))
    assert data(store.load(key)) == "next"
    assert not orphan.exists()
    stray = path.with_name(a_key() + ".new")  # of a session that never came to be
    for age, there in ((0, True), (DAY, False)):
        stray.write_bytes(b"half of")
        os.utime(stray, (NOW - age, NOW - age))
        store.purge()
        assert stray.exists() is there


# --- links, owners, modes: S7 ---------------------------------------------------------------------


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    secret = tmp_path / "outside"
    secret.mkdir()
    (secret / "secret").write_bytes(b"cgikit-session 1 9999999999.0\n" + a_record("leaked").payload)
    return secret


def refused(store: FileStore, key: str, advice: str) -> None:
    """All that can be done with a key fails, and says what to do."""
    calls = (
        lambda: store.load(key),
        lambda: store.lock(key, 0).__enter__(),
    )
    for call in calls:
        with pytest.raises(StorageError, match=advice) as caught:
            call()
        assert str(store.directory) in str(caught.value)
        assert str(store.directory) not in caught.value.message


def test_a_link_at_the_place_of_a_session_is_not_followed(store: FileStore, outside: Path) -> None:
    key, path = kept(store)
    path.unlink()
    path.symlink_to(outside / "secret")
    before = files(outside)
    refused(store, key, "symbolic links are not followed")
    store.touch(key, NOW + 1_000)
    store.save(key, a_record("new"))  # replaces the link, not what it leads to
    assert (data(store.load(key)), files(outside)) == ("new", before)
    assert not path.is_symlink()
    assert abs((outside / "secret").stat().st_mtime - NOW - 1_000) > 1


def test_a_link_at_the_place_of_the_new_file_is_not_followed(
    store: FileStore, outside: Path
) -> None:
    key, path = kept(store)
    path.with_name(key + ".new").symlink_to(outside / "secret")
    before = files(outside)
    store.save(key, a_record("new"))
    assert (data(store.load(key)), files(outside)) == ("new", before)


def test_a_link_at_the_place_of_a_directory_is_not_followed(
    store: FileStore, outside: Path
) -> None:
    key, path = kept(store)
    shutil.rmtree(path.parent)
    path.parent.symlink_to(outside)
    (outside / key).write_bytes((outside / "secret").read_bytes())
    before = files(outside)
    refused(store, key, "symbolic links are not followed")
    with pytest.raises(StorageError):
        store.save(key, a_record())
    with pytest.raises(StorageError):
        store.delete(key)
    assert files(outside) == before


def test_a_link_at_the_place_of_the_whole_is_not_followed(
    store: FileStore, directory: Path, outside: Path
) -> None:
    directory.parent.mkdir()
    directory.symlink_to(outside)
    before = files(outside)
    refused(store, a_key(), "symbolic links are not followed")
    with pytest.raises(StorageError):
        store.save(a_key(), a_record(), new=True)
    assert files(outside) == before


@pytest.mark.parametrize("kind", ["fifo", "directory"])
def test_what_is_no_file_is_refused(store: FileStore, kind: str) -> None:
    key, path = kept(store)
    path.unlink()
    os.mkfifo(path) if kind == "fifo" else path.mkdir()
    with pytest.raises(StorageError):
        store.load(key)
    with pytest.raises(StorageError), store.lock(key, 0):
        pass


def test_1_19_a_sweep_removes_what_robots_left(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By looking into small files, and not into many at once."""
    for _ in range(30):
        Visitor(store).visit(Session.csrf_token)
    kept_one = Visitor(store)
    kept_one.visit(put("a", 1))
    store.clock.pass_(1_801)
    deleted = 0
    for number in range(256):
        monkeypatch.setattr(os, "urandom", lambda count, number=number: bytes([number]) * count)
        deleted += store.sweep()
    assert deleted == 30
    assert store.count() == 1
    monkeypatch.undo()
    assert kept_one.visit(dict) == {"a": 1}


def test_a_sweep_looks_into_a_bounded_number_of_files(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(9):
        record = a_record(expires=NOW + 60)
        store.save(f"00{number:062d}", record, new=True)
    store.clock.pass_(1_801)
    monkeypatch.setattr("cgikit.sessions.file._LOOKED_INTO", 4)
    monkeypatch.setattr(os, "urandom", lambda count: bytes(count))
    assert [store.sweep() for _ in range(4)] == [4, 4, 1, 0]


def test_a_sweep_is_not_held_up_by_those_who_are_remembered(store: FileStore) -> None:
    """They look dead by their time stamps; each sweep looks into some, and gets to all others."""
    for number in range(500):
        old = remembered(100 * DAY, NOW - 50 * DAY)
        store.save(f"ab{number:062x}", old, new=True)
    for number in range(500, 520):
        store.save(f"ab{number:062x}", a_record(accessed=NOW - 50 * DAY), new=True)
    looks: list[str] = []
    real = store.purge_one
    store.purge_one = lambda key, now: looks.append(key) or real(key, now)  # type: ignore
    deleted = 0
    for _ in range(200):
        looks.clear()
        found = store._purge_shard("ab", NOW, [], inside=False)
        assert len(looks) - found <= 201
        deleted += found
        if deleted == 20:
            break
    assert (deleted, store.count()) == (20, 500)


@pytest.mark.parametrize("kind", ["fifo", "directory"])
@pytest.mark.parametrize("action", ["purge", "sweep"])
def test_one_that_is_no_file_saves_no_dead_session_from_a_purge(
    store: FileStore, kind: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [f"00{n:062d}" for n in range(9)]
    for key in keys:
        store.save(key, a_record(), new=True)
    odd = Path(store.directory, "00", "00" + "a" * 62)
    os.mkfifo(odd) if kind == "fifo" else odd.mkdir()
    store.clock.now += 2 * DAY
    os.utime(odd, (NOW, NOW))
    monkeypatch.setattr(os, "urandom", lambda count: bytes(count))  # which directory is swept
    with pytest.raises(StorageError, match="see who put it there") as caught:
        getattr(store, action)()
    assert caught.value.path == str(odd)
    assert list(store.keys()) == [odd.name]
    assert odd.exists()


@pytest.mark.parametrize("kind", ["FIFO", "directory", "link"])
def test_records_refuse_what_is_no_file(store: FileStore, kind: str) -> None:
    key, path = kept(store)
    path.rename(path.with_name("moved"))
    if kind == "FIFO":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("moved")
    with pytest.raises(StorageError, match="see who put it there") as caught:
        list(store.records())
    assert caught.value.path == str(path)
    with pytest.raises(StorageError, match="see who put it there"):
        store.load(key)


def test_records_that_are_damaged_are_shown_so(store: FileStore) -> None:
    key, path = kept(store)
    for content in (b"", b"\0" * 300, b"cgikit-session 1 nan\n{}", b"x" * 8_192, b"x" * 8_191):
        path.write_bytes(content)
        ((found, record),) = store.records()
        assert (found, record.payload, record.expires) == (key, content, math.inf)


@pytest.mark.parametrize("mode", [0o777, 0o720, 0o702, 0o1777, 0o1770])
@pytest.mark.parametrize("level", [0, 1])
def test_a_directory_that_others_write_to_is_refused(
    store: FileStore, mode: int, level: int
) -> None:
    """Who may rename another's file gives himself the session. The sticky bit lets others add files."""
    key, path = kept(store)
    shared = path.parents[level]
    shared.chmod(mode)
    refused(store, key, "chmod go-w")
    with pytest.raises(StorageError):
        store.save(key, a_record())
    shared.chmod(0o700)
    assert data(store.load(key)) == "kept"


@pytest.mark.parametrize("level", [0, 1, 2])
def test_what_belongs_to_another_user_is_refused(store: FileStore, level: int) -> None:
    if os.geteuid():
        lack("the rights of root")
    key, path = kept(store)
    os.chown([path, *path.parents][level], NOBODY, NOBODY)
    refused(store, key, f"belongs to {user(NOBODY)}")


@pytest.fixture
def public_place() -> Iterator[Path]:
    """A directory that every user can reach."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_another_user_refuses_ours(public_place: Path) -> None:
    if os.geteuid():
        lack("the rights of root")
    store = FileStore(public_place / "sessions", clock=Clock(NOW))
    key, path = kept(store)
    for each, mode in ((path, 0o666), (path.parent, 0o777), (path.parent.parent, 0o1777)):
        each.chmod(mode)

    def work(line: Line) -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        refused(store, key, "belongs to root")
        with pytest.raises(StorageError):
            store.save(a_key(), a_record(), new=True)

    with Forked(work):
        pass


def test_a_directory_that_cannot_be_written_says_who_needs_it(public_place: Path) -> None:
    if os.geteuid():
        lack("the rights of root, to become a user without any")
    store = FileStore(public_place / "sessions", clock=Clock(NOW))

    def work(line: Line) -> None:
        os.setuid(NOBODY)
        with pytest.raises(StorageError, match=f"user {NOBODY}, who must be able to write"):
            store.save(a_key(), a_record(), new=True)

    with Forked(work):
        pass


# --- ids that are none: S5 ------------------------------------------------------------------------


def traced(directory: Path, family: str, log: Path) -> list[str]:
    """The system calls on paths that a family of ids causes, a line each."""
    command = [
        need("strace"), "-f", "-qq", "-e", "trace=%file", "-e", "signal=none", "-o", str(log),
        sys.executable, str(Path(hostile.__file__)), str(directory), family,
    ]  # fmt: skip
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1] / "harness")}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    count, ids = map(int, done.stdout.split())
    assert (count > 500 and ids == 0) if family == "malformed" else (count > 100 and ids > 100)
    lines = log.read_text().splitlines()
    marks = [number for number, line in enumerate(lines) if "/mark/" in line]
    assert len(marks) == 2
    # fstat of what is open already, in the way of today's C library, has an empty path.
    return [line for line in lines[marks[0] + 1 : marks[1]] if ', "", {' not in line]


def test_malformed_ids_reach_no_system_call(
    store: FileStore, directory: Path, tmp_path: Path
) -> None:
    """S5."""
    kept(store)
    before = files(directory)
    assert traced(directory, "malformed", tmp_path / "log") == []
    assert files(directory) == before


def test_forged_ids_open_nothing_but_their_own_place(
    store: FileStore, directory: Path, tmp_path: Path
) -> None:
    for number in range(256):  # so that all directories are there, and each look gets to the end
        store.save(f"{number:02x}{a_key()[2:]}", a_record("kept"), new=True)
    before = files(directory)
    lines = traced(directory, "forged", tmp_path / "log")
    allowed = re.compile(
        rf'\d+ +openat\((AT_FDCWD, "{re.escape(str(directory))}"|'
        r'\d+, "([0-9a-f]{2}|[0-9a-f]{64})"), '
        r"O_[A-Z]+(\|O_(NOCTTY|NONBLOCK|NOFOLLOW|CLOEXEC|DIRECTORY))+\) = "
    )
    assert [line for line in lines if not allowed.match(line)] == []
    assert len(lines) > 300
    assert all("O_NOFOLLOW" in line for line in lines)
    assert files(directory) == before


def test_an_unknown_id_costs_one_look(store: FileStore, directory: Path, tmp_path: Path) -> None:
    lines = traced(directory, "forged", tmp_path / "log")
    assert {line.partition(" = ")[2].partition(" (")[0] for line in lines} == {"-1 ENOENT"}
    assert not directory.exists()


# --- damage: S11 ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"", b"\0" * 100, b"cgikit-session 1 ", b"cgikit-session 1 x\n{}", b"cgikit-session 2 9e9\n{}",
        b'{"v":1}', b"cgikit-session 1 nan\n{}", b"cgikit-session 1 9e9\n", b"x" * (MAX_BYTES + 1_000),
        b"cgikit-session 1 9e9\n" + b"[" * 100_000,
        b'cgikit-session 1 9e9\n{"v":1,"created":1,"data":[]}',
        b"\x80\x04\x95cposix\nsystem\n(S'true'\ntR.",
    ],
    ids=lambda content: repr(content[:30]),
)  # fmt: skip
def test_a_damaged_file_is_set_aside_whole(
    store: FileStore, directory: Path, content: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    """S11."""
    key, path = kept(store)
    visitor = Visitor(store, new_id())
    key = key_of(visitor.cookie)
    path = directory / key[:2] / key
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (NOW, NOW))
    for _ in range(2):
        assert visitor.visit(dict) == {}
    (aside,) = path.parent.glob("*.corrupt-*")
    assert aside.name.startswith(key)
    assert aside.read_bytes() == content
    assert not path.exists()
    (line,) = capfd.readouterr().err.splitlines()
    assert key in line
    store.purge(NOW + 10 * DAY, force=True)
    assert aside.exists()


@pytest.mark.parametrize("age", [0, DAY])
def test_a_purge_leaves_damage_where_it_is(store: FileStore, age: int) -> None:
    """It may be the mark of a user, without which ended sessions would live again."""
    _, path = kept(store)
    path.write_bytes(b"cut")
    os.utime(path, (NOW - age, NOW - age))
    assert store.purge() == 0
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes() == b"cut"


def test_readonly_leaves_damage_to_others(store: FileStore) -> None:
    visitor = Visitor(store)
    visitor.visit(put("a", 1))
    path = Path(store._directory.file_path(key_of(visitor.cookie)))
    path.write_bytes(b"cut")
    os.utime(path, (NOW, NOW))
    assert visitor.visit(dict, readonly=True) == {}
    assert path.read_bytes() == b"cut"


# --- processes that die ---------------------------------------------------------------------------


def test_killing_tears_nothing_and_loses_nothing(directory: Path) -> None:
    """Killed with -9 at random points while it saves: no damage, no stuck lock, and what was
    acknowledged is there.
    """
    store = FileStore(directory, lock_timeout=0, absolute=10 * DAY)
    visitor = Visitor(store)
    visitor.visit(put("n", 0))
    draw = random.Random(1)  # the same rounds each time; where they hit is up to the machine

    def count(line: Line) -> None:
        while True:
            n = visitor.visit(
                lambda s: (s.update(n=s["n"] + 1, pad="x" * draw.randrange(9_000)), s["n"])
            )
            line.tell(str(n[1]))

    for _ in range(size("kills of requests")):
        with Forked(count) as child:
            acknowledged = [child.hear() for _ in range(draw.randint(1, 4))]
            for _ in range(draw.randrange(2_000)):
                pass
            os.kill(child.pid, 9)
            while word := child.hear():
                acknowledged.append(word)
            child.wait()
        found = visitor.visit(lambda session: session["n"])  # at once: lock_timeout is 0
        assert found - int(acknowledged[-1]) in {0, 1}
    assert store.count() == 1
    assert [name for name in files(directory) if ".corrupt" in name] == []


SAVE = """
import os
from cgikit import FileStore, Request, Response, Session
store = FileStore({directory!r}, sweep_chance=0)
response = Response()
session = Session(store, Request({{"HTTP_COOKIE": "session={cookie}"}}))
session["n"] = session["n"] + 1
os.path.exists("/mark/begin")
session.{action}
session.save(response)
os.write(1, b"saved " + session.id.encode())
os._exit(0)
"""


@pytest.mark.parametrize("action", ["close()", "rotate()"])
def test_killing_at_every_system_call_of_a_save(
    directory: Path, tmp_path: Path, action: str
) -> None:
    """The old state or the new one, whatever call it dies in; what was acknowledged is the new one."""
    script, log = tmp_path / "save.py", tmp_path / "log"
    calls = "%file,%desc"

    def save(*inject: str) -> tuple[Visitor, str]:
        visitor = Visitor(FileStore(directory, lock_timeout=0, sweep_chance=0))
        visitor.visit(put("n", 1))
        text = SAVE.format(directory=str(directory), cookie=visitor.cookie, action=action)
        script.write_text(text)
        command = [need("strace"), "-qq", "-o", str(log), "-e", f"trace={calls}", *inject]
        done = subprocess.run(
            [*command, sys.executable, str(script)], capture_output=True, timeout=DEADLINE
        )
        return visitor, done.stdout.decode().removeprefix("saved ")

    visitor, new = save()
    assert Visitor(visitor.store, new).visit(dict) == {"n": 2}
    names = [
        match[1] for line in log.read_text().splitlines() if (match := re.match(r"(\w+)\(", line))
    ]
    begin = next(n for n, line in enumerate(log.read_text().splitlines()) if "/mark/" in line)
    places = [(name, names[: n + 1].count(name)) for n, name in enumerate(names) if n > begin]
    assert {"write", "openat"} < {name for name, _ in places}
    for name, when in places:
        visitor, new = save("-e", f"inject={name}:signal=KILL:when={when}")
        assert visitor.visit(dict) in ({"n": 1}, {"n": 2}), (name, when)
        if new:
            assert Visitor(visitor.store, new).visit(dict) == {"n": 2}
    assert [name for name in files(directory) if ".corrupt" in name] == []


# --- as a CGI script ------------------------------------------------------------------------------

SHOP = """
def shop(request):
    session = request.session
    action = request.query.get("do", "look")
    if action == "buy":
        session["basket"] = session.get("basket", []) + [request.query["what"]]
    elif action == "login":
        session["user"] = "ada"
        session.rotate()
    elif action == "logout":
        session.destroy()
    elif action == "fail":
        session["basket"] = []
        raise BadRequest("no")
    elif action == "crash":
        session["basket"] = []
        _ = 1 / 0
    elif action == "stream":
        session["basket"] = ["streamed"]
        return Response.stream(part for part in ["<p>", str(len(session))])
    return f"{session.get('user', 'nobody')}: {' '.join(session.get('basket', []))}"

run(shop, sessions=FileStore("data/sessions", sweep_chance=0))
"""


class Browser:
    """Runs the shop as a CGI process for each request, and keeps its cookie."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.name = FileStore(directory / "data" / "sessions").cookie_name(False)
        self.cookie = ""

    def get(self, query: str = "") -> Answer:
        variables = {"HTTP_COOKIE": f"{self.name}={self.cookie}"} if self.cookie else {}
        answer = run_script(self.directory, SHOP, QUERY_STRING=query, **variables)
        line = answer.field("Set-Cookie")
        if line:
            value, _, attributes = line.removeprefix(f"{self.name}=").partition("; ")
            assert attributes.endswith("Path=/; HttpOnly; SameSite=Lax")
            self.cookie = "" if "Max-Age=0" in attributes else value
        return answer


def test_a_script_with_sessions(tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    answer = browser.get()
    assert (answer.page, answer.field("Set-Cookie")) == ("nobody: ", None)
    assert not (tmp_path / "data").exists()
    answer = browser.get("do=buy&what=tea")
    assert answer.page == "nobody: tea"
    first = browser.cookie
    assert len(first) == 43
    answer = browser.get("do=buy&what=milk")
    assert (answer.page, answer.field("Set-Cookie")) == ("nobody: tea milk", None)
    assert browser.get("do=login").page == "ada: tea milk"
    assert browser.cookie not in {"", first}
    late = Browser(tmp_path)
    late.cookie = first
    assert late.get().page == "nobody: tea milk"
    answer = late.get("do=buy&what=salt")
    assert (answer.status, answer.field("Retry-After"), answer.field("Set-Cookie")) == (
        503,
        "1",
        None,
    )
    assert browser.get().page == "ada: tea milk"
    assert browser.get("do=logout").page == "nobody: "
    assert browser.cookie == ""
    assert browser.get().page == "nobody: "


def test_a_request_that_fails_saves_nothing_and_keeps_no_lock(tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    browser.get("do=buy&what=tea")
    assert browser.get("do=fail").status == 400
    assert browser.get("do=crash").status == 500
    answer = browser.get()
    assert (answer.status, answer.page) == (200, "nobody: tea")


def test_a_streamed_answer_is_saved_before_its_first_byte(tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    answer = browser.get("do=stream")
    assert answer.page == "<p>1"
    assert browser.get().page == "nobody: streamed"


def test_a_streamed_answer_does_not_hold_the_lock(tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    browser.get("do=buy&what=tea")
    store = FileStore(tmp_path / "data" / "sessions", lock_timeout=0)
    script = write_script(
        tmp_path,
        """
def slow(request):
    request.session["slow"] = 1
    def parts():
        yield "begun"
        sys.stdin.readline()
    return Response.stream(parts())
run(slow, sessions=FileStore("data/sessions"))
""",
        "slow.py",
    )
    with start(script, environment(HTTP_COOKIE=f"{browser.name}={browser.cookie}")) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        while process.stdout.readline() != b"\n":
            pass
        found = Visitor(store, browser.cookie).visit(dict)
        assert found == {"basket": ["tea"], "slow": 1}
        process.stdin.write(b"go\n")
        process.stdin.close()
        assert process.stdout.read() == b"begun"
    assert process.returncode == 0


def test_by_hand_in_the_plain_style(tmp_path: Path) -> None:
    source = """
request = Request()
session = Session(FileStore("data/sessions"), request)
session["n"] = session.get("n", 0) + 1
response = Response.text(str(session["n"]))
session.save(response)
response.send()
"""
    answer = run_script(tmp_path, source)
    cookie = (answer.field("Set-Cookie") or "").partition(";")[0]
    assert run_script(tmp_path, source, HTTP_COOKIE=cookie).page == "2"


def test_without_a_store_the_log_says_what_to_do(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: str(request.session))")
    assert answer.status == 500
    assert 'run(handler, sessions=FileStore("data/sessions"))' in answer.errors
