"""Server-sent events behind every server: each one arrives when it is sent, not when the script ends.

No clock is asked: the script sends its second event only after the client has seen the first.
"""

import contextlib
import os
import re
import secrets
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from serving import until

from .curl import curl
from .rawhttp import read
from .server import Server

SCRIPTS = ["events.py", "nph-events.py"]


class Listener:
    """A client that reads an answer as it comes. `.received` is all of it so far (bytes)."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = b""

    def until(self, pattern: bytes) -> re.Match[bytes]:
        """Read until the answer has `pattern`."""
        while not (found := re.search(pattern, self.received)):
            data = self.connection.recv(65_536)
            assert data, f"the answer has ended without {pattern!r}: {self.received!r}"
            self.received += data
        return found

    def to_the_end(self) -> bytes:
        """Read the rest, and return the whole answer."""
        with contextlib.suppress(ConnectionResetError):
            while data := self.connection.recv(65_536):
                self.received += data
        return self.received


@contextlib.contextmanager
def listening(server: Server, path: str) -> Iterator[Listener]:
    """Ask for a stream of events."""
    url = urlsplit(server.url(path))
    address = url.hostname or "", url.port or 0
    with socket.create_connection(address, timeout=90) as connection:
        lines = [f"GET {url.path}?{url.query} HTTP/1.1", f"Host: {url.netloc}"]
        lines += [
            "Accept: text/event-stream",
            "Accept-Encoding: gzip, deflate, br",
            "Connection: close",
        ]
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        yield Listener(connection)


def mark(server: Server) -> str:
    """The name of a file that is not there yet."""
    return f"events-{secrets.token_hex(8)}"


def check_arrival(server: Server, script: str) -> None:
    name = mark(server)
    with listening(server, f"{script}?wait={name}") as client:
        client.until(rb"data: first\n")
        (server.directory / "data" / name).touch()
        answer = read(client.to_the_end(), "GET", "HTTP/1.1")
    assert answer.status == 200, server.error_log()
    assert (answer.faults, answer.complete) == ([], True)
    body = re.sub(rb"id: \d+", b"id: PID", answer.body)
    assert body == b":\n\nid: PID\ndata: first\n\ndata: second\n\n"
    assert answer.values("Content-Type") == ["text/event-stream; charset=utf-8"]
    assert answer.values("Cache-Control") == ["no-store, no-transform"]
    assert answer.values("Content-Encoding") == []


def check_departure(server: Server, script: str) -> None:
    name = mark(server)
    with listening(server, f"{script}?stay={name}") as client:
        process = int(client.until(rb"id: (\d+)\ndata: first\n")[1])
    assert until(left(server, name, process)), server.error_log()


def left(server: Server, name: str, process: int) -> Callable[[], bool]:
    """Whether a script has noticed: its generator was closed, or the server has ended it."""
    path = server.directory / "data" / name
    return lambda: path.exists() or not os.path.exists(f"/proc/{process}")


@pytest.mark.parametrize("script", SCRIPTS)
def test_an_event_arrives_before_the_script_ends(server: Server, script: str) -> None:
    check_arrival(server, script)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_ends_when_its_client_has_left(server: Server, script: str) -> None:
    check_departure(server, script)


def test_the_id_of_the_last_event_comes_back(server: Server) -> None:
    answer = curl(server.url("events.py"), "--header", "Last-Event-ID: ä 42")
    assert answer.body.decode() == ":\n\ndata: ä 42\n\n"


def test_an_event_arrives_under_wsgi(under_wsgi: Server) -> None:
    check_arrival(under_wsgi, "events.py")


def test_a_handler_ends_when_its_client_has_left_under_wsgi(under_wsgi: Server) -> None:
    check_departure(under_wsgi, "events.py")


def test_the_id_of_the_last_event_comes_back_under_wsgi(under_wsgi: Server) -> None:
    test_the_id_of_the_last_event_comes_back(under_wsgi)
