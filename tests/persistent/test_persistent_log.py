"""Standard error of a persistent script: whole lines, to the one who is concerned, and never lost."""

import io
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cgikit.gateway.fastcgiclient import Errors, Responses, encode_request
from cgikit.persistent.connection import PersistentConnection
from cgikit.persistent.log import Log


def standing_in(monkeypatch: pytest.MonkeyPatch, out: bool = True) -> tuple[Log, io.StringIO]:
    """A log, and what stands for the process's own standard error."""
    own = io.StringIO()
    monkeypatch.setattr(sys, "stderr", own)
    return Log(out), own


@contextmanager
def open_request() -> Iterator[tuple[PersistentConnection, socket.socket]]:
    """A connection on which a request is open, and the web server's end of it."""
    server, ours = socket.socketpair()
    with server, ours:
        connection = PersistentConnection(ours)
        server.sendall(encode_request({}, b""))
        events = connection.look()
        assert events is not None
        connection.begin(1, events[1:])
        yield connection, server


def test_without_a_request_it_is_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    log, own = standing_in(monkeypatch)
    print("a", "b", file=log)
    log.writelines(["c", "d"])
    assert own.getvalue() == "a b\n"
    log.flush()
    log.flush()
    assert own.getvalue() == "a b\ncd"
    assert log.getvalue() == own.getvalue()  # all else is the stream's own


def test_with_a_request_it_is_the_web_server_s_until_that_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, own = standing_in(monkeypatch)
    with open_request() as (connection, server):
        log.connection = connection
        log.write("half of ")
        log.write("a line\nünd \udc80")
        log.flush()
        assert Responses().receive(server.recv(1_000)) == [
            Errors(1, b"half of a line\n"),
            Errors(1, "ünd \\udc80".encode()),
        ]
        assert own.getvalue() == ""
        server.close()
        print("is anybody there?", file=log)
        assert own.getvalue() == "is anybody there?\n"


@pytest.mark.parametrize("stream", ["none", "closed"])
def test_without_any_log_nothing_fails(monkeypatch: pytest.MonkeyPatch, stream: str) -> None:
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", None if stream == "none" else closed)
    print("lost", file=Log(out=False))


def test_with_a_request_it_is_the_process_s_own_as_well_unless_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, own = standing_in(monkeypatch, out=False)
    with open_request() as (connection, server):
        log.connection = connection
        print("in one place", file=log)
        connection.finish()
        assert not any(isinstance(e, Errors) for e in Responses().receive(server.recv(1_000)))
    assert own.getvalue() == "in one place\n"
