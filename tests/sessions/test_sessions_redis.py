"""RedisStore on real servers: the contract, and what only a server has: its own clock for sessions and
locks, an address with a password, and days on which it is not there.
"""

import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import redis
from sessions.contract import DAY, NOW, StoreContract, a_key, a_record, data, remembered
from sessions.forked import Forked, Line
from sessions.redis_server import RedisServer
from sessions.visiting import Clock, Opener

from cgikit import LockTimeout, StorageError
from cgikit.sessions.redis import RedisStore
from cgikit.sessions.store import Record, Store

KILLS = 100
LONG = 60  # seconds for a lock that is let go: no machine is so slow that it would end before
SECRET = "canary-3875"


@pytest.fixture
def opener(server: RedisServer, client: "redis.Redis") -> Opener:
    def opened(**options: Any) -> RedisStore:
        return RedisStore(server.url, **{"lock_limit": LONG, **options})

    return opened


@pytest.fixture
def store(opener: Opener) -> Store:
    return opener(clock=Clock(NOW))


class TestRedisStore(StoreContract):
    @pytest.fixture
    def opener(self, server: RedisServer, client: "redis.Redis") -> Opener:
        def opened(**policy: Any) -> RedisStore:
            return RedisStore(server.url, **{"lock_limit": LONG, **policy})

        return opened

    def test_a_lock_ends_with_the_process(self, opener: Opener, store: Store) -> None:
        """Here it is its limit that ends it."""

        def brief(**policy: Any) -> Store:
            return opener(lock_limit=1, **policy)

        super().test_a_lock_ends_with_the_process(brief, store)

    def test_sweeping_takes_only_the_dead(self, store: Store) -> None:
        """Here it takes none: the server drops them, see below."""
        store.save(a_key(), a_record(accessed=NOW - DAY), new=True)
        assert [store.sweep() for _ in range(1_000)] == [0] * 1_000


def name(key: str) -> str:
    return f"cgikit:session:{key}"


def lock_name(key: str) -> str:
    return f"cgikit:session:lock:{key}"


# --- the server ends sessions -----------------------------------------------------------------


def test_the_server_is_told_when_a_session_ends(client: "redis.Redis", store: Store) -> None:
    assert (store.idle, store.absolute) == (7_200, 86_400)
    by_idle, by_end, dead = a_key(), a_key(), a_key()
    store.save(by_idle, a_record(accessed=NOW, expires=NOW + DAY), new=True)
    store.save(by_end, a_record(accessed=NOW, expires=NOW + 600), new=True)
    store.save(dead, a_record(accessed=NOW - DAY), new=True)
    assert 7_190_000 < client.pttl(name(by_idle)) <= 7_200_000
    assert 590_000 < client.pttl(name(by_end)) <= 600_000
    assert 50_000 < client.pttl(name(dead)) <= 60_000


def test_the_server_keeps_who_is_remembered(client: "redis.Redis", store: Store) -> None:
    """Also when it was used, which for others puts the end no further off than `idle`."""
    key = a_key()
    store.save(key, remembered(30 * DAY), new=True)
    for _ in range(2):
        assert (30 * DAY - 60) * 1_000 < client.pttl(name(key)) <= 30 * DAY * 1_000
        store.touch(key, NOW)


def test_use_puts_the_end_off_and_not_past_the_last(client: "redis.Redis", store: Store) -> None:
    key = a_key()
    store.save(key, a_record(accessed=NOW, expires=NOW + 10_000), new=True)
    clock = store.clock
    assert isinstance(clock, Clock)
    clock.pass_(1_000)
    client.pexpire(name(key), 6_200_000)  # as 1,000 seconds later
    store.touch(key, NOW + 1_000)
    assert 7_190_000 < client.pttl(name(key)) <= 7_200_000
    clock.pass_(4_000)
    store.touch(key, NOW + 5_000)
    assert 4_990_000 < client.pttl(name(key)) <= 5_000_000
    with store.lock(key, 0):
        store.save(key, a_record(accessed=NOW + 5_000, expires=NOW + 5_100))
    assert 90_000 < client.pttl(name(key)) <= 100_000


def test_times_beyond_reason_are_no_error(client: "redis.Redis", opener: Opener) -> None:
    store, key = opener(idle=1e300, absolute=1e300), a_key()
    store.save(key, Record(b"{}", NOW, 1e300), new=True)
    store.touch(key, NOW + 1)
    record = store.load(key)
    assert record is not None
    assert (record.accessed, record.expires) == (NOW + 1, 1e300)
    assert client.pttl(name(key)) > 10**11


def test_everything_but_what_is_set_aside_ends_by_itself(
    client: "redis.Redis", store: Store
) -> None:
    key, damaged = a_key(), a_key()
    store.save(key, a_record(), new=True)
    store.save(damaged, Record(b"no JSON", NOW, NOW + DAY), new=True)
    store.set_aside(damaged, "a test")
    with store.lock(key, 0):
        kept = {n.decode(): client.pttl(n) for n in client.scan_iter()}
    (aside,) = (n for n in kept if n.startswith("cgikit:session:corrupt:"))
    assert client.hget(aside, "payload") == b"no JSON"
    forever = {n for n, left in kept.items() if left == -1}
    assert forever == {aside, "cgikit:session:purged"}
    assert set(kept) - forever == {name(key), lock_name(key)}


# --- the server ends locks --------------------------------------------------------------------


def wait_until_gone(client: "redis.Redis", key: str) -> None:
    deadline = time.monotonic() + 30
    while client.exists(key):
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_lock_has_a_limit(client: "redis.Redis", opener: Opener) -> None:
    store, key = opener(lock_limit=20), a_key()
    store.save(key, a_record(), new=True)
    with store.lock(key, 0):
        assert 10_000 < client.pttl(lock_name(key)) <= 20_000
    assert not client.exists(lock_name(key))


@pytest.mark.parametrize("taken_over", ["by nobody", "and given back", "and held"])
@pytest.mark.parametrize("same_process", [False, True])
def test_who_has_outlived_the_lock_cannot_overwrite(
    client: "redis.Redis", opener: Opener, taken_over: str, same_process: bool
) -> None:
    late = opener(lock_limit=0.02)
    other = late if same_process else opener()
    key = a_key()
    late.save(key, a_record("old"), new=True)

    def change_it() -> None:
        with other.lock(key, 0):
            other.save(key, a_record("other"))

    with ExitStack() as stack:
        stack.enter_context(late.lock(key, 0))
        wait_until_gone(client, lock_name(key))
        expected = "old"
        if taken_over == "and given back":
            in_thread(change_it)
            expected = "other"
        elif taken_over == "and held":
            in_thread(lambda: other.lock(key, 0).__enter__())
        for change in (lambda: late.save(key, a_record("late")), lambda: late.delete(key)):
            with pytest.raises(LockTimeout) as caught:
                change()
            assert key in caught.value.path
            assert caught.value.status == 503
            assert data(late.load(key)) == expected


def in_thread(work: Any) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_who_has_outlived_the_lock_does_not_let_go_for_the_next(
    client: "redis.Redis", opener: Opener
) -> None:
    late, other, key = opener(lock_limit=0.02), opener(), a_key()
    late.save(key, a_record(), new=True)
    with late.lock(key, 0):
        wait_until_gone(client, lock_name(key))
        next_one = other.lock(key, 0)
        next_one.__enter__()
    assert client.exists(lock_name(key))
    other.save(key, a_record("next"))
    assert data(late.load(key)) == "next"


def test_without_a_lock_nothing_that_is_locked_is_overwritten(opener: Opener) -> None:
    holder, other, key = opener(), opener(), a_key()
    holder.save(key, a_record("old"), new=True)
    with holder.lock(key, 0):
        for change in (lambda: other.save(key, a_record("new")), lambda: other.delete(key)):
            with pytest.raises(LockTimeout):
                change()
    assert data(other.load(key)) == "old"


@pytest.mark.parametrize("how", ["save", "delete"])
def test_the_next_one_gets_in_before_the_block_ends(opener: Opener, how: str) -> None:
    store, other, key = opener(), opener(), a_key()
    store.save(key, a_record("old"), new=True)
    with store.lock(key, 0):
        if how == "save":
            store.save(key, a_record("new"))
        else:
            store.delete(key)
            store.save(key, a_record("new"), new=True)
        in_thread(lambda: take_and_save(other, key, "newer"))
    assert data(store.load(key)) == "newer"


def take_and_save(store: Store, key: str, value: str) -> None:
    with store.lock(key, 0) as record:
        assert data(record) == "new"
        store.save(key, a_record(value))


def test_threads_exclude_each_other_too(store: Store) -> None:
    key = a_key()
    store.save(key, a_record(0), new=True)
    failed: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(50):
                with store.lock(key, 60) as record:
                    number = data(record)
                    assert isinstance(number, int)
                    store.save(key, a_record(number + 1))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert data(store.load(key)) == 200


def test_a_child_does_not_let_go_for_its_parent(client: "redis.Redis", store: Store) -> None:
    key = a_key()
    store.save(key, a_record("old"), new=True)

    def child(stack: ExitStack) -> None:
        with pytest.raises(LockTimeout):
            store.save(key, a_record("child"))
        stack.close()

    with ExitStack() as stack:
        stack.enter_context(store.lock(key, 0))
        with Forked(lambda line: child(stack)):
            pass
        assert client.exists(lock_name(key))
        store.save(key, a_record("parent"))
    assert data(store.load(key)) == "parent"


def test_killed_at_any_point_nothing_acknowledged_is_lost(
    client: "redis.Redis", opener: Opener
) -> None:
    key = a_key()
    opener().save(key, a_record(0), new=True)
    chance = random.Random(3875)

    def count(line: Line) -> None:
        mine = opener(lock_limit=0.05)
        while True:
            try:
                with mine.lock(key, 60) as record:
                    number = data(record)
                    assert isinstance(number, int)
                    mine.save(key, a_record(number + 1))
            except LockTimeout:
                continue  # this machine was too slow, and nothing was written
            line.tell(str(number + 1))

    store = opener()
    for _ in range(KILLS):
        reached = 0
        with Forked(count) as child:
            for _ in range(chance.randint(1, 5)):
                reached = int(child.hear())
            time.sleep(chance.random() / 500)  # where it is killed is for chance to say
            child.kill()
            assert client.pttl(lock_name(key)) <= 50  # its lock is gone soon, or already
            with store.lock(key, 10) as record:
                number = data(record)
                assert isinstance(number, int)
                assert number >= reached


# --- what others have put there ---------------------------------------------------------------


@pytest.mark.parametrize("how", ["string", "list", "no payload", "no time", "odd time"])
def test_s11_what_no_store_has_written_is_set_aside(
    client: "redis.Redis", store: Store, how: str
) -> None:
    key = a_key()
    if how == "string":
        client.set(name(key), "x")
    elif how == "list":
        client.lpush(name(key), "x")
    else:
        fields = {"payload": "{}", "accessed": str(NOW), "expires": str(NOW + DAY)}
        fields["accessed"] = "noon" if how == "odd time" else fields["accessed"]
        missing = {"no payload": "payload", "no time": "expires"}.get(how)
        client.hset(name(key), mapping={k: v for k, v in fields.items() if k != missing})
    record = store.load(key)
    with store.lock(key, 0) as locked:
        for found in (record, locked):
            assert found is not None
            assert found.payload == b""  # which is no payload
            assert store.is_live(found, NOW)  # or it would be taken for dead, and be deleted
        assert store.purge(force=True) == 0
        store.touch(key, NOW)
        store.set_aside(key, "a test")
    assert store.load(key) is None
    assert sum(1 for _ in client.scan_iter("cgikit:session:corrupt:*")) == 1


def test_a_store_that_lives_until_python_ends_says_nothing(server: RedisServer) -> None:
    """The log had "Exception ignored in … __del__" after it."""
    script = """
import sys
from cgikit.sessions.redis import RedisStore
store = RedisStore(sys.argv[1])
store.itself = store
print(store.purge_stamp() >= 0)
"""
    command = [sys.executable, "-c", script, server.url]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_stores_with_other_prefixes_share_a_server(client: "redis.Redis", opener: Opener) -> None:
    stores = [opener(prefix=prefix) for prefix in ("a:", "a", "[a-z]*:", "?:", "\\*", "ü:")]
    keys = [a_key() for _ in stores]
    for store, key in zip(stores, keys, strict=True):
        store.save(key, a_record(), new=True)
    client.set("a:something else", "x")
    assert [list(store.keys()) for store in stores] == [[key] for key in keys]


# --- the address, and days without a server ---------------------------------------------------


def test_a_password_is_used_and_never_shown() -> None:
    with RedisServer("redis-server", password=SECRET) as server:
        store = RedisStore(f"unix://:{SECRET}@{server.socket}")
        key = a_key()
        store.save(key, a_record(), new=True)
        assert store.load(key) is not None
        assert SECRET not in repr(store)
        with pytest.raises(StorageError, match="already") as caught:
            store.save(key, a_record(), new=True)
        assert SECRET not in str(caught.value)
        for address in (f"unix://:wrong-{SECRET}@{server.socket}", server.url):
            with pytest.raises(
                StorageError, match="check the user name and the password"
            ) as caught:
                RedisStore(address).load(key)
            assert SECRET not in str(caught.value)
            assert str(server.socket) in str(caught.value)
        with store.lock(key, 0), pytest.raises(LockTimeout) as late:
            in_thread_raise(lambda: store.lock(key, 0).__enter__())
        assert SECRET not in late.value.path


def in_thread_raise(work: Any) -> None:
    caught: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            caught.append(error)

    in_thread(run)
    raise caught[0]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"redis://user:{SECRET}@127.0.0.1:1/0", "redis://127.0.0.1:1/0"),
        (f"redis://:{SECRET}@127.0.0.1:1?socket_timeout=1", "redis://127.0.0.1:1"),
        (f"redis://127.0.0.1:1/0?password={SECRET}", "redis://127.0.0.1:1/0"),
        (f"redis://127.0.0.1:1/0?password=a@{SECRET}", "redis://…"),
        (f"redis://:{SECRET}%40@127.0.0.1:1", "redis://127.0.0.1:1"),
        (f"unix://:{SECRET}@/nowhere/s", "unix:///nowhere/s"),
        (f"rediss://:{SECRET}@127.0.0.1:1", "rediss://127.0.0.1:1"),
    ],
)
def test_without_a_server_the_error_says_where(url: str, shown: str) -> None:
    store = RedisStore(url)
    for use in (
        lambda: store.load(a_key()),
        lambda: store.lock(a_key(), 5).__enter__(),
        lambda: store.save(a_key(), a_record(), new=True),
        lambda: store.touch(a_key(), NOW),
        lambda: store.delete(a_key()),
        lambda: store.set_aside(a_key(), ""),
        lambda: list(store.keys()),
        store.purge,
        store.count,
    ):
        with pytest.raises(StorageError) as caught:
            use()
        assert caught.value.path == shown
        assert "check that the server runs" in str(caught.value)
        assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
    assert repr(store) == f"<RedisStore {shown}>"


@pytest.mark.parametrize(
    "url",
    [
        f"redis://:{SECRET}#@127.0.0.1:1",
        f"redis://:{SECRET}",
        f"redis://:{SECRET}/@127.0.0.1:1",
        f"redis://:{SECRET}?@127.0.0.1:1",
        f"redis://127.0.0.1:{SECRET}",
        f"redis://127.0.0.1:1?db={SECRET}",
    ],
)
def test_an_address_that_makes_no_sense_is_not_shown(url: str) -> None:
    store = RedisStore(url)
    with pytest.raises((ValueError, StorageError)) as caught:
        store.count()
    assert SECRET not in f"{caught.value!r} {caught.value}"
    if isinstance(caught.value, ValueError):
        assert caught.value.__suppress_context__  # nor as the cause of it, in a traceback


def test_an_address_of_something_else_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="redis://, rediss:// or unix://") as caught:
        RedisStore(f"http://:{SECRET}@127.0.0.1")
    assert SECRET not in str(caught.value)


@contextmanager
def silent() -> Iterator[str]:
    """The URL of a server that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}"


def test_a_server_that_does_not_answer_is_given_up_in_time() -> None:
    with silent() as url:
        store = RedisStore(url, timeout=0.05)
        start = time.monotonic()
        with pytest.raises(StorageError, match="check that the server runs"):
            store.load(a_key())
        assert time.monotonic() - start < 20


def test_nothing_is_tried_twice() -> None:
    """What got no answer may have been done: tried again, a save would find its lock gone."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        connections = 0

        def hang_up() -> None:
            nonlocal connections
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connections += 1
                connection.close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        try:
            with pytest.raises(StorageError):
                RedisStore(f"redis://127.0.0.1:{listener.getsockname()[1]}").load(a_key())
        finally:
            listener.shutdown(socket.SHUT_RDWR)  # which ends accept
            thread.join()
    assert connections == 1


def test_a_server_that_is_started_anew_is_found_again() -> None:
    with RedisServer("redis-server") as server:
        store = RedisStore(server.url)
        old = a_key()
        store.save(old, a_record(), new=True)
        with store.lock(old, 0):
            server.stop()
            with pytest.raises(StorageError):
                store.save(old, a_record("lost"))
            with pytest.raises(StorageError):
                store.load(old)
            server.start()
            with pytest.raises(LockTimeout):  # the lock was lost with the server
                store.save(old, a_record("lost"))
        assert store.load(old) is None
        key = a_key()
        store.save(key, a_record("new"), new=True)  # though the server has forgotten the scripts
        with store.lock(key, 0) as record:
            assert data(record) == "new"


def test_a_full_server_is_an_error_and_keeps_the_old_value() -> None:
    with RedisServer("redis-server") as server:
        store, key = RedisStore(server.url), a_key()
        store.save(key, a_record("old"), new=True)
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "noeviction")
            client.config_set("maxmemory", "1")
        with pytest.raises(StorageError, match="memory"), store.lock(key, 0):
            store.save(key, a_record("new"))
        assert data(store.load(key)) == "old"


# --- redis-py ---------------------------------------------------------------------------------


def python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_redis_py_is_loaded_with_the_first_session() -> None:
    assert python(
        "import sys\n"
        "from cgikit.sessions.redis import RedisStore\n"
        "RedisStore('redis://127.0.0.1:1')\n"
        "print([m for m in ('redis', 'socket', 'typing', 're', 'json') if m in sys.modules])"
    ) == str([m for m in ("redis", "socket", "typing", "re", "json") if m in bare()])


def bare() -> set[str]:
    """The modules that Python itself loads here."""
    return set(python("import sys; print(*sys.modules)").split())


def test_without_redis_py_the_error_says_how_to_install_it() -> None:
    shown = python(
        "import sys\n"
        "sys.modules['redis'] = None\n"
        "from cgikit.sessions.redis import RedisStore\n"
        "try: RedisStore('redis://127.0.0.1:1').count()\n"
        "except ImportError as error: print(error)"
    )
    assert shown == "redis-py is not installed: pip install 'redis>=5.2'"


def test_a_client_of_ones_own_is_used_and_left_open(
    server: RedisServer, client: "redis.Redis"
) -> None:
    with redis.Redis.from_url(server.url, decode_responses=False) as own:
        store = RedisStore(own)
        key = a_key()
        store.save(key, a_record("x"), new=True)
        store.close()
        del store
        assert own.exists(name(key))
        assert data(RedisStore(own).load(key)) == "x"


def test_a_client_that_decodes_is_refused(server: RedisServer) -> None:
    own = redis.Redis.from_url(server.url, decode_responses=True)
    with own, pytest.raises(ValueError, match="decode_responses=False"):
        RedisStore(own)


@pytest.mark.parametrize("option", [{"prefix": ""}, {"lock_limit": 0}, {"timeout": 0}])
def test_options_that_make_no_sense(option: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="more than 0"):
        RedisStore("redis://127.0.0.1", **option)


def test_closing_lets_go_of_the_connections(server: RedisServer, client: "redis.Redis") -> None:
    def connected() -> set[str]:
        return {each["id"] for each in client.client_list()}

    before = connected()  # some of which may be about to go
    store = RedisStore(server.url)
    store.count()
    (own,) = connected() - before
    store.close()
    deadline = time.monotonic() + 30
    while own in connected():
        assert time.monotonic() < deadline
    assert store.count() == 0
