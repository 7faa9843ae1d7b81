"""The lock of a session in a Redis server: taken briefly first, extended, waited for, released."""

from collections.abc import Iterator

import pytest
import redis
from sessions.contract import NOW, a_key, a_record, data
from sessions.redis_server import RedisServer
from sessions.visiting import Clock

from cgikit import LockTimeout
from cgikit.sessions import redislock
from cgikit.sessions.redis import RedisStore
from cgikit.sessions.redislock import RedisLock, mine


@pytest.fixture
def store(server: RedisServer, client: "redis.Redis") -> Iterator[RedisStore]:
    store = RedisStore(server.url, clock=Clock(NOW), sweep_chance=0, lock_limit=900, timeout=600)
    yield store
    store.close()


@pytest.fixture
def key(store: RedisStore) -> str:
    key = a_key()
    store.save(key, a_record("first"), new=True)
    return key


def name(key: str) -> str:
    return f"cgikit:session:lock:{key}"


def test_it_gives_the_record_and_is_released(
    store: RedisStore, client: "redis.Redis", key: str
) -> None:
    with store.lock(key, 0) as record:
        assert data(record) == "first"
        assert client.get(name(key)) is not None
    assert client.get(name(key)) is None
    assert store._tokens == {}


def test_a_session_that_is_missing_is_not_locked(store: RedisStore, client: "redis.Redis") -> None:
    key = a_key()
    with store.lock(key, 0) as record:
        assert record is None
        assert client.get(name(key)) is None


def test_it_lasts_for_the_limit_once_the_answer_has_come(
    store: RedisStore, client: "redis.Redis", key: str
) -> None:
    """Until then it is brief: nobody would release what a server that stalls takes later."""
    with store.lock(key, 0):
        assert 600_000 < client.pttl(name(key)) <= 900_000


def test_a_server_that_took_the_brief_lock_back_is_asked_again(
    store: RedisStore, client: "redis.Redis", key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extended = RedisLock._extended
    tokens = []

    def once(lock: RedisLock, token: str, brief: int, limit: int) -> bool:
        if not tokens:
            client.delete(name(key))  # it is over before it was extended
        tokens.append(token)
        return extended(lock, token, brief, limit)

    monkeypatch.setattr(RedisLock, "_extended", once)
    with store.lock(key, 60) as record:
        assert data(record) == "first"
        assert client.get(name(key)) == tokens[0].encode()
    assert len(tokens) == 2


def test_one_that_is_held_is_waited_for_and_then_given_up(
    store: RedisStore, client: "redis.Redis", key: str
) -> None:
    with store.lock(key, 0):
        with pytest.raises(LockTimeout) as raised, RedisStore(store._url).lock(key, 0.05):
            pass
        assert raised.value.path.endswith(name(key))
        assert raised.value.timeout == 0.05
        assert client.get(name(key)) == store._tokens[mine(key)].encode()


def test_one_that_is_released_meanwhile_is_taken(
    store: RedisStore, client: "redis.Redis", key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.set(name(key), "somebody else")
    store_run, asked = RedisStore._run, []

    def run(self: RedisStore, script: str, *rest: object) -> object:
        if script == redislock.LOCK:
            asked.append(script)
            if len(asked) == 3:
                client.delete(name(key))
        return store_run(self, script, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(RedisStore, "_run", run)
    with store.lock(key, 60) as record:
        assert data(record) == "first"
    assert len(asked) == 3


def test_the_lock_of_another_is_not_released(
    store: RedisStore, client: "redis.Redis", key: str
) -> None:
    """It had outlived its limit, and another request was in."""
    with store.lock(key, 0):
        client.set(name(key), "somebody else")
    assert client.get(name(key)) == b"somebody else"


def test_it_is_of_this_process_and_thread() -> None:
    import os
    import threading

    assert mine("k") == (os.getpid(), threading.get_ident(), "k")
