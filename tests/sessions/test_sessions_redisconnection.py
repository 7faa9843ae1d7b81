"""Redis servers that answer nonsense, too much, or too slowly: always a StorageError, never a hang."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from requirement import need
from sessions.contract import a_key, a_record
from sessions.redis_server import RedisServer

from cgikit import LockTimeout, RedisStore, StorageError
from cgikit.sessions.payload import MAX_BYTES
from cgikit.sessions.redisconnection import MAX_REPLY
from cgikit.sessions.store import Record, is_key

redis = pytest.importorskip("redis")

HELLO = b"%2\r\n+server\r\n+redis\r\n+proto\r\n:3\r\n"
HANDSHAKE = (b"CLIENT", b"HELLO", b"AUTH", b"SELECT", b"PING")


class Peer:
    """What says `answer` to every command but those of the handshake, to which it says +OK."""

    def __init__(self, answer: "bytes | Callable[[socket.socket], None]", polite: bool) -> None:
        self._answer = answer
        self._polite = polite
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(60)
        with connection, suppress(OSError):
            while data := connection.recv(1 << 20):
                # Several commands may come at once; each begins with its number of words.
                for command in data.split(b"\r\n*"):
                    words = command.split(b"\r\n")
                    name = words[2].upper() if len(words) > 2 else b""
                    if self._polite and name in HANDSHAKE:
                        connection.sendall(HELLO if name == b"HELLO" else b"+OK\r\n")
                    elif callable(self._answer):
                        self._answer(connection)
                    else:
                        connection.sendall(self._answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()


@contextmanager
def peer(answer: "bytes | Callable[[socket.socket], None]", polite: bool = True) -> Iterator[str]:
    """The URL of such a server."""
    running = Peer(answer, polite)
    try:
        yield running.url
    finally:
        running.close()


#: One of each kind of RESP2 and RESP3, right and wrong, and what is none.
ANSWERS = {
    "status": b"+OK\r\n",
    "status not UTF-8": b"+\xff\xfe\r\n",
    "error": b"-ERR no\r\n",
    "error of no kind": b"-\r\n",
    "error not UTF-8": b"-\xff\xfe\r\n",
    "no script": b"-NOSCRIPT no\r\n",
    "wrong type": b"-WRONGTYPE no\r\n",
    "moved": b"-MOVED 1 127.0.0.1:1\r\n",
    "loading": b"-LOADING wait\r\n",
    "yes": b":1\r\n",
    "no": b":0\r\n",
    "another number": b":42\r\n",
    "a huge number": b":" + b"9" * 5_000 + b"\r\n",
    "no number": b":x\r\n",
    "nothing": b"$-1\r\n",
    "no list": b"*-1\r\n",
    "empty": b"$0\r\n\r\n",
    "text": b"$5\r\nhello\r\n",
    "a length that is none": b"$x\r\n",
    "a length below zero": b"$-7\r\n",
    "text of a wrong length": b"$2\r\nhello\r\n",
    "empty list": b"*0\r\n",
    "list of a wrong length": b"*x\r\n",
    "list of nothing": b"*3\r\n$-1\r\n$-1\r\n$-1\r\n",
    "list of numbers": b"*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n",
    "list in lists": b"*2\r\n*1\r\n$1\r\n0\r\n*1\r\n*0\r\n",
    "list of errors": b"*2\r\n-ERR a\r\n-ERR b\r\n",
    "deep": b"*1\r\n" * 20_000 + b":1\r\n",
    "locked with too little": b"*2\r\n$6\r\nlocked\r\n$1\r\nx\r\n",
    "locked with too much": b"*5\r\n$6\r\nlocked\r\n$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n$1\r\nx\r\n",
    "locked with numbers": b"*4\r\n$6\r\nlocked\r\n:1\r\n:2\r\n:3\r\n",
    "locked with lists": b"*4\r\n$6\r\nlocked\r\n*0\r\n*0\r\n*0\r\n",
    "record of nothing": b"*4\r\n$6\r\nrecord\r\n$-1\r\n$-1\r\n$-1\r\n",
    "record that never ends": b"*4\r\n$6\r\nrecord\r\n$1\r\nx\r\n$1\r\n1\r\n$3\r\nnan\r\n",
    "none with more": b"*2\r\n$4\r\nnone\r\n$1\r\nx\r\n",
    "a scan of nothing": b"*2\r\n$1\r\n7\r\n*0\r\n",
    "a scan of numbers": b"*2\r\n$1\r\n0\r\n*2\r\n:1\r\n:2\r\n",
    "a scan without a place": b"*2\r\n$1\r\nx\r\n*0\r\n",
    "a scan at no place": b"*2\r\n*0\r\n*0\r\n",
    "map": b"%1\r\n+a\r\n:1\r\n",
    "set": b"~1\r\n+a\r\n",
    "double": b",1.5\r\n",
    "boolean": b"#t\r\n",
    "null": b"_\r\n",
    "big number": b"(123456789012345678901234567890\r\n",
    "verbatim": b"=7\r\ntxt:abc\r\n",
    "push": b">2\r\n+a\r\n+b\r\n",
    "attribute": b"|1\r\n+a\r\n:1\r\n:1\r\n",
    "a web page": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n",
    "binary": bytes(range(1, 9)) + b"\r\n",
    "empty lines": b"\r\n\r\n\r\n",
    "two answers": b"+OK\r\n+OK\r\n",
}


def lock(store: RedisStore) -> Record | None:
    with store.lock(a_key(), 0) as record:
        return record


def is_record(value: object) -> bool:
    return value is None or isinstance(value, Record)


#: What a store does, and what may come of it.
USES: dict[str, tuple[Callable[[RedisStore], object], Callable[[Any], bool]]] = {
    "load": (lambda store: store.load(a_key()), is_record),
    "lock": (lock, is_record),
    "save new": (lambda store: store.save(a_key(), a_record(), new=True), lambda v: v is None),
    "save": (lambda store: store.save(a_key(), a_record()), lambda v: v is None),
    "touch": (lambda store: store.touch(a_key(), 1.0), lambda v: v is None),
    "delete": (lambda store: store.delete(a_key()), lambda v: v is None),
    "set aside": (lambda store: store.set_aside(a_key(), "x"), lambda v: v is None),
    "keys": (lambda store: list(store.keys()), lambda v: all(map(is_key, v))),
    "count": (lambda store: store.count(), lambda v: isinstance(v, int)),
    "stamp": (lambda store: store.purge_stamp(), lambda v: isinstance(v, float) and v - v == 0),
    "new stamp": (lambda store: store.purge_stamp(renew=True), lambda v: isinstance(v, float)),
    "purge": (lambda store: store.purge(force=True), lambda v: isinstance(v, int)),
    "purge one": (lambda store: store.purge_one(a_key(), 1.0), lambda v: v is False),
}


@pytest.mark.parametrize("polite", [True, False], ids=["polite", "rude"])
@pytest.mark.parametrize("answer", ANSWERS)
def test_1_16_nonsense_from_the_server_is_a_storage_error(answer: str, polite: bool) -> None:
    failed = 0
    with peer(ANSWERS[answer], polite) as url:
        for use, proper in USES.values():
            store = RedisStore(url, timeout=0.1)
            try:
                value = use(store)
            except (StorageError, LockTimeout):
                failed += 1
            else:
                assert proper(value)
            finally:
                store.close()
    assert failed > len(USES) / 3  # no answer is right for all questions


def endless(connection: socket.socket) -> None:
    """Say for a minute, a byte at a time, what never comes to its end."""
    connection.sendall(b"$1000000\r\n")
    ended = threading.Event()
    for _ in range(3_000):
        connection.sendall(b"x")
        ended.wait(0.02)


@pytest.mark.parametrize("use", USES)
def test_1_16_an_answer_has_one_deadline_for_all_its_bytes(use: str) -> None:
    """Each byte came in time, and the request waited for ever."""
    with peer(endless) as url:
        store = RedisStore(url, timeout=0.2)
        with pytest.raises(StorageError, match=r"(?i)timeout|timed out"):
            USES[use][0](store)
        store.close()


def test_1_16_an_answer_without_end_is_left_in_the_middle() -> None:
    sent = 0

    def flood(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"$314572800\r\n")
        block = bytes(1 << 16)
        for _ in range(314_572_800 >> 16):
            connection.sendall(block)
            sent += len(block)

    with peer(flood) as url:
        store = RedisStore(url, timeout=60)
        with pytest.raises(StorageError, match=f"more than {MAX_REPLY} bytes"):
            store.load(a_key())
        store.close()
    assert sent < MAX_REPLY + (64 << 20)  # the rest is what the system had taken from the sender


def test_a_deadline_begins_with_each_command() -> None:
    """A connection that is used again has all its time again."""
    with RedisServer(need("redis-server")) as server:
        store = RedisStore(server.url, timeout=60)
        key = a_key()
        store.save(key, a_record("1"), new=True)
        (connection,) = store._client.connection_pool._available_connections
        connection._sock._deadline = 0.0
        connection._sock._left = 0
        assert store.load(key) is not None
        store.close()


@pytest.mark.parametrize("field", ["payload", "accessed", "expires"])
def test_1_16_what_is_too_large_is_never_read_and_is_set_aside(field: str) -> None:
    with RedisServer(need("redis-server")) as server, redis.Redis.from_url(server.url) as client:
        store = RedisStore(server.url)
        key = a_key()
        store.save(key, a_record(), new=True)
        name = store.prefix + key
        client.hset(name, field, b"1" * (20 << 20))
        before = client.info("stats")["total_net_output_bytes"]
        record = store.load(key)
        assert record is not None
        assert len(record.payload) < 100
        with store.lock(key, 0) as locked:
            assert locked is not None
            store.set_aside(key, "too large")
        assert not store.purge_one(key, 1e12)
        assert client.info("stats")["total_net_output_bytes"] - before < 1 << 20
        (aside,) = client.keys(f"{store.prefix}corrupt:*")
        assert client.hstrlen(aside, field) == 20 << 20  # moved, and whole
        store.close()


def test_the_largest_payload_that_is_right_is_read() -> None:
    with RedisServer(need("redis-server")) as server:
        store, key = RedisStore(server.url), a_key()
        record = Record(b"x" * MAX_BYTES, 1.0, 2.0)
        store.save(key, record, new=True)
        for found in (store.load(key), lock_of(store, key)):
            assert found is not None
            assert found.payload == record.payload
        store.close()


def lock_of(store: RedisStore, key: str) -> Record | None:
    with store.lock(key, 0) as record:
        return record


def test_a_refusal_is_no_damage() -> None:
    """A user who may not read must not have every session set aside."""
    with RedisServer(need("redis-server")) as server, redis.Redis.from_url(server.url) as client:
        store, key = RedisStore(server.url), a_key()
        store.save(key, a_record(), new=True)
        rules = ["~*", "+@all", "-hstrlen"]
        client.execute_command("ACL", "SETUSER", "app", "on", ">word", *rules)
        app = RedisStore(server.url.replace("unix://", "unix://app:word@"))
        for use in (
            lambda: app.load(key),
            lambda: lock_of(app, key),
            lambda: app.purge_one(key, 1e12),
        ):
            with pytest.raises(StorageError):
                use()
        assert store.load(key) is not None
        app.close()
        store.close()
