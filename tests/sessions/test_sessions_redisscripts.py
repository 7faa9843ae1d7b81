"""What the server does in one step: each script by itself, on a real server.

What the store makes of the answers is tested in test_sessions_redis.py.
"""

from collections.abc import Callable
from typing import Any

import pytest
import redis

from cgikit.sessions import redisscripts as scripts
from cgikit.sessions.payload import KEEP, MAX_BYTES

RECORD, LOCK, STAMP = "a:record", "a:lock", "a:stamp"
CREATED = [b"payload", "10.0", "100.0", 60_000, "10.0"]  # payload, accessed, expires, ms, now


@pytest.fixture
def run(client: "redis.Redis") -> Callable[..., Any]:
    def run(script: str, *keys: str, values: list[Any]) -> Any:
        return client.eval(script, len(keys), *keys, *values)

    return run


@pytest.fixture
def created(run: Callable[..., Any]) -> None:
    """A record is there."""
    assert run(scripts.CREATE, RECORD, LOCK, STAMP, values=CREATED) == 1


def test_what_is_not_there_is_not_loaded_and_not_locked(run: Any, client: "redis.Redis") -> None:
    assert run(scripts.LOAD, RECORD, values=scripts.FIELDS) == [b"none"]
    assert run(scripts.LOCK, RECORD, LOCK, values=["t", 1_000, *scripts.FIELDS]) == [b"none"]
    assert client.keys() == []


@pytest.mark.usefixtures("created")
def test_a_record_is_created_once(run: Any, client: "redis.Redis") -> None:
    values = [b"other", "20.0", "200.0", 120_000, "20.0"]
    assert run(scripts.CREATE, RECORD, LOCK, STAMP, values=values) == 0
    assert run(scripts.LOAD, RECORD, values=scripts.FIELDS) == [
        b"record", b"payload", b"10.0", b"100.0",
    ]  # fmt: skip
    assert client.get(STAMP) == b"10.0"
    assert 0 < client.pttl(RECORD) <= 60_000


def test_the_stamp_of_a_purge_is_not_moved_by_a_new_record(run: Any, client: "redis.Redis") -> None:
    client.set(STAMP, "5.0")
    run(scripts.CREATE, RECORD, LOCK, STAMP, values=CREATED)
    assert client.get(STAMP) == b"5.0"


@pytest.mark.usefixtures("created")
def test_a_field_that_is_too_long_is_left_out(run: Any, client: "redis.Redis") -> None:
    client.hset(RECORD, "accessed", "1" * (scripts.MAX_NUMBER + 1))
    assert run(scripts.LOAD, RECORD, values=scripts.FIELDS) == [
        b"record", b"payload", None, b"100.0",
    ]  # fmt: skip
    client.hset(RECORD, "accessed", "1" * scripts.MAX_NUMBER)
    client.hset(RECORD, "payload", b"x" * (MAX_BYTES + 1))
    found = run(scripts.LOAD, RECORD, values=scripts.FIELDS)
    assert found == [b"record", None, b"1" * scripts.MAX_NUMBER, b"100.0"]


def test_what_is_not_a_hash_has_no_fields(run: Any, client: "redis.Redis") -> None:
    client.set(RECORD, "a text")
    assert run(scripts.LOAD, RECORD, values=scripts.FIELDS) == [b"record", None, None, None]


@pytest.mark.usefixtures("created")
def test_one_token_holds_a_lock(run: Any, client: "redis.Redis") -> None:
    locked = [b"locked", b"payload", b"10.0", b"100.0"]
    assert run(scripts.LOCK, RECORD, LOCK, values=["one", 60_000, *scripts.FIELDS]) == locked
    assert run(scripts.LOCK, RECORD, LOCK, values=["two", 60_000, *scripts.FIELDS]) == [b"taken"]
    assert client.get(LOCK) == b"one"
    assert 0 < client.pttl(LOCK) <= 60_000


@pytest.mark.usefixtures("created")
def test_only_the_holder_extends_and_releases(run: Any, client: "redis.Redis") -> None:
    run(scripts.LOCK, RECORD, LOCK, values=["one", 60_000, *scripts.FIELDS])
    assert run(scripts.EXTEND, LOCK, values=["two", 600_000]) == 0
    assert client.pttl(LOCK) <= 60_000
    assert run(scripts.EXTEND, LOCK, values=["one", 600_000]) == 1
    assert client.pttl(LOCK) > 60_000
    run(scripts.RELEASE, LOCK, values=["two"])
    assert client.get(LOCK) == b"one"
    run(scripts.RELEASE, LOCK, values=["one"])
    assert client.get(LOCK) is None
    assert run(scripts.EXTEND, LOCK, values=["one", 600_000]) == 0


@pytest.mark.usefixtures("created")
@pytest.mark.parametrize("token", ["two", ""])
def test_only_the_holder_saves_and_deletes(run: Any, client: "redis.Redis", token: str) -> None:
    run(scripts.LOCK, RECORD, LOCK, values=["one", 60_000, *scripts.FIELDS])
    values = [b"new", "11.0", "111.0", 90_000]
    assert run(scripts.SAVE, RECORD, LOCK, values=[*values, token]) == 0
    assert run(scripts.DELETE, RECORD, LOCK, values=[token]) == 0
    assert client.hget(RECORD, "payload") == b"payload"
    assert run(scripts.SAVE, RECORD, LOCK, values=[*values, "one"]) == 1
    assert client.hgetall(RECORD) == {
        b"payload": b"new", b"accessed": b"11.0", b"expires": b"111.0",
    }  # fmt: skip
    assert 60_000 < client.pttl(RECORD) <= 90_000
    assert client.get(LOCK) is None  # saving ends the lock
    assert run(scripts.SAVE, RECORD, LOCK, values=[*values, "one"]) == 0


@pytest.mark.usefixtures("created")
def test_deleting_ends_the_lock_and_deleting_nothing_is_fine(
    run: Any, client: "redis.Redis"
) -> None:
    run(scripts.LOCK, RECORD, LOCK, values=["one", 60_000, *scripts.FIELDS])
    assert run(scripts.DELETE, RECORD, LOCK, values=["one"]) == 1
    assert client.exists(RECORD, LOCK) == 0
    assert run(scripts.DELETE, RECORD, LOCK, values=["one"]) == 1


TOUCHED = [
    5000.0,
    2000.0,
    4000.0,
    100_000,
    100_000_000,
    KEEP,
]  # accessed, idle, now, shortest, longest


@pytest.mark.parametrize(
    ("payload", "expires", "left"),
    [
        (b"{}", "10000.0", 3_000_000),  # idle, from when it was used
        (b"{}", "6000.0", 2_000_000),  # its end comes before that
        (KEEP + b"9}", "10000.0", 6_000_000),  # it says itself how long it is kept
        (b"{}", "3000.0", 100_000),  # over: the shortest
        (KEEP + b"9}", "9999999.0", 100_000_000),  # the longest
    ],
)
def test_a_touch_puts_the_end_off(
    run: Any, client: "redis.Redis", payload: bytes, expires: str, left: int
) -> None:
    run(scripts.CREATE, RECORD, LOCK, STAMP, values=[payload, "10.0", expires, 5_000_000, "10.0"])
    run(scripts.TOUCH, RECORD, values=TOUCHED)
    assert client.hget(RECORD, "accessed") == b"5000.0"
    assert client.hget(RECORD, "expires") == expires.encode()
    assert left - 60_000 < client.pttl(RECORD) <= left


def test_a_touch_makes_no_record(run: Any, client: "redis.Redis") -> None:
    run(scripts.TOUCH, RECORD, values=TOUCHED)
    assert client.keys() == []


@pytest.mark.usefixtures("created")
def test_what_is_set_aside_is_kept_for_good(run: Any, client: "redis.Redis") -> None:
    run(scripts.SET_ASIDE, RECORD, "a:aside", values=[])
    assert client.exists(RECORD) == 0
    assert client.hget("a:aside", "payload") == b"payload"
    assert client.pttl("a:aside") == -1
    run(scripts.SET_ASIDE, RECORD, "a:aside", values=[])  # nothing is there any more
    assert client.hget("a:aside", "payload") == b"payload"
