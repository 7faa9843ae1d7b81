"""Fixtures for the tests of sessions: a server of each kind, and a client of it."""

from collections.abc import Iterator

import pytest
import redis
from sessions.redis_server import PROGRAMS, RedisServer


@pytest.fixture(scope="module", params=PROGRAMS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    with RedisServer(request.param) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator["redis.Redis"]:
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield client
