"""Redis servers that change their roles, or stall: real primaries, replicas, sentinels, a cluster."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import redis
from sessions.contract import NOW, a_key, a_record, data
from sessions.redis_server import PROGRAMS, RedisServer, free_port

from cgikit import StorageError
from cgikit.sessions.redis import RedisStore
from cgikit.sessions.redislock import RedisLock
from cgikit.sessions.redisscripts import EXTEND

DEADLINE = 120  # seconds for a change of roles; only a failing test takes so long
SERVICE = "visitors"
SECRET = "canary-3875"


def until(state: Callable[[], object]) -> Any:
    """Wait until something is so, and return it."""
    deadline = time.monotonic() + DEADLINE
    while True:
        found = state()
        if found:
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)


def client_of(server: RedisServer, **options: Any) -> "redis.Redis":
    return redis.Redis.from_url(server.url, **options)


class Pair:
    """A primary and its replica, which have changed roles after `swap`."""

    def __init__(self, program: str, stack: ExitStack, password: str = "") -> None:
        more = ("--masterauth", password) if password else ()
        self.one, self.two = (
            stack.enter_context(RedisServer(program, *more, password=password, tcp=True))
            for _ in range(2)
        )
        self.clients = [
            stack.enter_context(client_of(server, password=password or None))
            for server in (self.one, self.two)
        ]
        self.follow(1, self.one)

    def follow(self, number: int, primary: RedisServer) -> None:
        client = self.clients[number]
        client.replicaof("127.0.0.1", str(primary.port))
        until(lambda: client.info("replication").get("master_link_status") == "up")

    def swap(self) -> None:
        self.clients[1].replicaof("NO", "ONE")
        self.follow(0, self.two)


@pytest.fixture(params=PROGRAMS)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with ExitStack() as stack:
        yield Pair(request.param, stack)


def use(store: RedisStore, key: str, value: str) -> None:
    with store.lock(key, 10) as record:
        assert record is not None
        store.save(key, a_record(value))


# --- an address that leads to another server --------------------------------------------------------


@pytest.mark.parametrize("own", [False, True], ids=["URL", "client"])
def test_9_2_5_a_worker_follows_its_address_to_the_new_primary(
    pair: Pair, tmp_path: Path, own: bool
) -> None:
    """It stayed on the demoted server until it was restarted: every request was a 500."""
    address = tmp_path / "s"
    address.symlink_to(pair.one.socket)
    with redis.Redis.from_url(f"unix://{address}") as client:
        worker = RedisStore(client if own else f"unix://{address}")
        key, new = a_key(), a_key()
        worker.save(key, a_record("before"), new=True)
        use(worker, key, "changed before")
        until(lambda: pair.clients[1].exists(f"cgikit:session:{key}"))
        pair.swap()
        address.unlink()
        address.symlink_to(pair.two.socket)
        use(worker, key, "after")
        worker.save(new, a_record("new"), new=True)
        on_the_primary = RedisStore(pair.two.url)
        assert data(on_the_primary.load(key)) == "after"
        assert data(on_the_primary.load(new)) == "new"


@pytest.mark.parametrize("method", ["save", "lock", "delete", "touch", "set_aside", "purge_stamp"])
def test_9_2_5_a_replica_is_said_to_be_one(pair: Pair, method: str) -> None:
    key = a_key()
    RedisStore(pair.one.url).save(key, a_record(), new=True)
    until(lambda: pair.clients[1].exists(f"cgikit:session:{key}"))
    store = RedisStore(pair.two.url)
    calls: dict[str, Callable[[], object]] = {
        "save": lambda: store.save(key, a_record()),
        "lock": lambda: store.lock(key, 0).__enter__(),
        "delete": lambda: store.delete(key),
        "touch": lambda: store.touch(key, 1.0),
        "set_aside": lambda: store.set_aside(key, ""),
        "purge_stamp": lambda: store.purge_stamp(renew=True),
    }
    with pytest.raises(StorageError, match="this is a replica: use the primary"):
        calls[method]()


# --- sentinels --------------------------------------------------------------------------------------


class Watched:
    """A pair of servers and a sentinel that watches them. With `kept`, it cannot close the connections
    to a server that it demotes, as where the server is unreachable for it.
    """

    def __init__(
        self, program: str, stack: ExitStack, password: str = "", kept: bool = False
    ) -> None:
        self.pair = Pair(program, stack, password)
        lines = [f"sentinel monitor {SERVICE} 127.0.0.1 {self.pair.one.port} 1"]
        if password:
            lines += [f"sentinel auth-pass {SERVICE} {password}", f"requirepass {password}"]
        if kept:
            lines += [f"sentinel rename-command {SERVICE} CLIENT EXISTS"]
        self.sentinel = stack.enter_context(
            RedisServer(program, tcp=True, configuration="\n".join([*lines, ""]))
        )
        self.client = stack.enter_context(client_of(self.sentinel, password=password or None))

    @property
    def url(self) -> str:
        return f"redis+sentinel://127.0.0.1:{self.sentinel.port}/{SERVICE}/0"

    def primary(self) -> int:
        return int(self.client.sentinel_get_master_addr_by_name(SERVICE)[1])

    def fail_over(self) -> None:
        def ordered() -> bool:
            try:
                self.client.execute_command("SENTINEL", "FAILOVER", SERVICE)
            except redis.ResponseError:
                return False  # it does not know the replica yet
            return True

        def demoted() -> bool:
            try:
                return bool(self.pair.clients[0].info("replication")["role"] == "slave")
            except redis.ConnectionError:
                return False  # the sentinel closes all connections to a server that it demotes

        until(ordered)
        until(lambda: self.primary() == self.pair.two.port)
        until(demoted)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("kept", [False, True], ids=["connections closed", "connections kept"])
def test_9_2_5_a_worker_follows_the_sentinels_to_the_new_primary(program: str, kept: bool) -> None:
    with ExitStack() as stack:
        watched = Watched(program, stack, kept=kept)
        worker = RedisStore(watched.url)
        key, new = a_key(), a_key()
        worker.save(key, a_record("before"), new=True)
        use(worker, key, "changed before")
        until(lambda: watched.pair.clients[1].exists(f"cgikit:session:{key}"))
        watched.fail_over()
        use(worker, key, "after")
        worker.save(new, a_record("new"), new=True)
        on_the_primary = RedisStore(watched.pair.two.url)
        assert data(on_the_primary.load(key)) == "after"
        assert data(on_the_primary.load(new)) == "new"
        assert data(RedisStore(watched.url).load(new)) == "new"
        worker.close()
        assert worker.load(new) is not None


def test_9_2_5_sentinels_and_servers_with_passwords() -> None:
    with ExitStack() as stack:
        watched = Watched("redis-server", stack, password=SECRET)
        place = watched.url.partition("://")[2]
        right = f"redis+sentinel://:{SECRET}@{place}?sentinel_password={SECRET}"
        key = a_key()
        store = RedisStore(right)
        store.save(key, a_record("x"), new=True)
        assert data(store.load(key)) == "x"
        assert repr(store) == f"<RedisStore {watched.url}>"
        for wrong, advice in (
            (f"redis+sentinel://:{SECRET}@{place}", "sentinel_password"),
            (
                f"redis+sentinel://:{SECRET}@{place}?sentinel_password=x{SECRET}",
                "sentinel_password",
            ),
            (f"redis+sentinel://{place}?sentinel_password={SECRET}", "name and the password"),
            (
                f"redis+sentinel://:x{SECRET}@{place}?sentinel_password={SECRET}",
                "check the user name and the password",
            ),
        ):
            with pytest.raises(StorageError, match=advice) as caught:
                RedisStore(wrong).load(key)
            assert SECRET not in str(caught.value)


def test_9_2_5_the_first_sentinel_that_answers_is_asked() -> None:
    with ExitStack() as stack:
        watched = Watched("redis-server", stack)
        key = a_key()
        place = f"127.0.0.1:{free_port()},localhost:{watched.sentinel.port}"
        RedisStore(f"redis+sentinel://{place}/{SERVICE}").save(key, a_record("x"), new=True)
        assert data(RedisStore(f"redis+sentinel://{place}/{SERVICE}/0").load(key)) == "x"
        assert RedisStore(f"redis+sentinel://{place}/{SERVICE}/1").load(key) is None
        with pytest.raises(StorageError, match="the name of the service"):
            RedisStore(f"redis+sentinel://{place}/others").count()
    with pytest.raises(StorageError, match="check that they run"):
        RedisStore(f"redis+sentinel://{place}/{SERVICE}").count()


@pytest.mark.parametrize(
    "url",
    [
        f"redis+sentinel://:{SECRET}@127.0.0.1:1",
        f"redis+sentinel://:{SECRET}@127.0.0.1:1/",
        f"redis+sentinel://:{SECRET}@/visitors",
        f"redis+sentinel://:{SECRET}@127.0.0.1:1,/visitors",
        f"redis+sentinel://:{SECRET}@127.0.0.1:{SECRET}/visitors",
    ],
)
def test_9_2_5_an_address_of_sentinels_that_makes_no_sense_is_refused_in_words(url: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT/SERVICE") as caught:
        RedisStore(url).count()
    assert SECRET not in f"{caught.value!r} {caught.value}"


def test_9_2_5_a_connection_that_the_server_has_closed_is_opened_again() -> None:
    """As sentinels do with those of a server that they demote: it cost the next request a 500."""
    with RedisServer("redis-server") as server, client_of(server) as client:
        store, key = RedisStore(server.url, timeout=0.5), a_key()
        store.save(key, a_record(), new=True)
        time.sleep(0.6)  # longer than any answer may take
        client.client_kill_filter(skipme=True, _type="normal")
        assert store.load(key) is not None


@pytest.mark.parametrize("rest", ["visitors/3", "visitors?db=3", "db0/3?sentinel_password=x"])
def test_9_2_4_sentinels_do_not_change_the_name_of_the_cookie(rest: str) -> None:
    behind = RedisStore(f"redis+sentinel://:{SECRET}@127.0.0.1:1,127.0.0.1:2/{rest}")
    assert behind.cookie_name(True) == RedisStore("redis://127.0.0.1/3").cookie_name(True)
    assert RedisStore("redis+sentinel://127.0.0.1:1/db7").place() == "redis 0 cgikit:session:"


# --- a cluster --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["redis+cluster", "rediss+cluster", "cluster"])
def test_9_2_5_an_address_of_a_cluster_is_refused_in_words(scheme: str) -> None:
    with pytest.raises(ValueError, match="Redis Cluster, which is not supported"):
        RedisStore(f"{scheme}://127.0.0.1:1")


@pytest.mark.parametrize("slots", ["all", "none"])
def test_9_2_5_a_server_of_a_cluster_is_refused_in_words(slots: str) -> None:
    with ExitStack() as stack:
        server = stack.enter_context(
            RedisServer("redis-server", "--cluster-enabled", "yes", tcp=True)
        )
        if slots == "all":
            client = stack.enter_context(client_of(server))
            client.execute_command("CLUSTER", "ADDSLOTSRANGE", "0", "16383")
            until(lambda: "cluster_state:ok" in str(client.execute_command("CLUSTER", "INFO")))
            cluster = stack.enter_context(redis.RedisCluster("127.0.0.1", server.port))
            with pytest.raises(ValueError, match="Redis Cluster, which is not supported"):
                RedisStore(cluster)
        with pytest.raises(StorageError, match="Redis Cluster, which is not supported"):
            RedisStore(server.url).save(a_key(), a_record(), new=True)


# --- a server that stalls ---------------------------------------------------------------------------


@pytest.mark.parametrize("program", PROGRAMS)
def test_9_2_5_a_lock_that_a_stalled_server_takes_too_late_ends_soon(program: str) -> None:
    """It was held for a minute, for nobody."""
    with RedisServer(program) as server, client_of(server) as client:
        store, key = RedisStore(server.url, timeout=0.5), a_key()
        store.save(key, a_record("old"), new=True)
        store.load(key)
        name = f"cgikit:session:lock:{key}"
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(StorageError):
                store.lock(key, 0).__enter__()
        finally:
            os.kill(server.pid, signal.SIGCONT)
        assert client.pttl(name) <= 500
        use(RedisStore(server.url), key, "new")
        assert not client.exists(name)


def test_9_2_5_a_brief_lock_that_is_over_before_it_is_extended_is_taken_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with RedisServer("redis-server") as server, client_of(server) as client:
        store, key = RedisStore(server.url), a_key()
        store.save(key, a_record("old"), new=True)
        name = f"cgikit:session:lock:{key}"
        extended, lost = RedisLock._extended, []

        def late(lock: RedisLock, token: str, brief: int, limit: int) -> bool:
            assert 0 < client.pttl(name) <= brief < limit
            if not lost:
                client.delete(name)  # as its end would
            lost.append(extended(lock, token, brief, limit))
            return lost[-1]

        monkeypatch.setattr(RedisLock, "_extended", late)
        with store.lock(key, 10) as record:
            assert data(record) == "old"
            assert client.pttl(name) > 5_000
            store.save(key, a_record("new"))
        assert lost == [False, True]
        assert data(store.load(key)) == "new"
        assert not store._done(store._run(EXTEND, [name], ["nobody's", 1]))


# --- options of the URL -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "option", ["decode_responses=True", "encoding=utf-16", "encoding_errors=x"]
)
def test_9_2_5_options_that_change_what_is_read_change_nothing(option: str) -> None:
    """It worked once, and then never again."""
    with RedisServer("redis-server") as server:
        store, key = RedisStore(f"{server.url}?{option}", clock=lambda: NOW), a_key()
        store.save(key, a_record("ü"), new=True)
        for _ in range(3):
            use(store, key, "ü")
            assert list(store.keys()) == [key]
            assert store.purge(force=True) == 0
        assert data(RedisStore(server.url).load(key)) == "ü"


@pytest.mark.parametrize("scheme", ["redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel"])
def test_9_1_5_an_option_that_is_unknown_is_named(scheme: str) -> None:
    where = "/nowhere" if scheme == "unix" else "127.0.0.1:1/0"
    with pytest.raises(ValueError, match=r"the option 'prefix', .* --prefix") as caught:
        RedisStore(f"{scheme}://:{SECRET}@{where}?prefix={SECRET}").count()
    assert SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("option", ["ssl_cert_reqs", "protocol", "db", "socket_timeout"])
def test_9_1_5_an_option_of_a_wrong_value_is_an_error_in_words(option: str) -> None:
    """redis-py raises errors of several kinds, some of which were a traceback."""
    with pytest.raises(
        (ValueError, StorageError), match=r"127\.0\.0\.1|check the options"
    ) as caught:
        RedisStore(f"rediss://:{SECRET}@127.0.0.1:1?{option}={SECRET}").count()
    assert SECRET not in f"{caught.value!r} {caught.value}"
