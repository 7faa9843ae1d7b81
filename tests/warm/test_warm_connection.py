"""One connection of the web server: requests in, answers out, and each of its ends."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.fastcgiclient import Ended, Output, Responses, encode_record, encode_request
from cgikit.gateway.scgi import SCGI
from cgikit.host.guard import Guard
from cgikit.host.problem import Problem
from cgikit.warm.connection import BROKEN, Connection
from cgikit.warm.loop import Loop
from cgikit.warm.settings import Settings

MUCH = 4 << 20  # bytes; more than a socket takes


class Script:
    """A script that notes whether it has to wait."""

    def __init__(self, ahead: int = 0) -> None:
        self.ahead = ahead
        self.paused_at = 0.0

    def pause(self) -> None:
        """Wait."""
        self.paused_at = 1.0

    def resume(self) -> None:
        """Go on."""
        self.paused_at = 0.0


class Request:
    """A request that notes what it hears."""

    def __init__(self, request: int) -> None:
        self.request = request
        self.child: Script | None = None
        self.is_owed = False
        self.heard: list[Any] = []
        self.fails = False

    def opened(self) -> None:
        """Note the beginning."""
        self.heard.append("opened")
        if self.fails:
            raise RuntimeError("of a test")

    def body(self, data: bytes) -> None:
        """Note a piece of the body."""
        self.heard.append(data)

    def body_timed_out(self) -> None:
        """Note the time."""
        self.heard.append("late")

    def abandon(self) -> None:
        """Note the end."""
        self.heard.append("abandoned")

    def crashed(self, incident: str) -> None:
        """Note an error."""
        self.heard.append("crashed")

    def give_up(self, problem: Problem) -> None:
        """Note the end of the worker."""
        self.heard.append("given up")


class Pair:
    """A connection, its peer, and whoever keeps the connection."""

    def __init__(self, codec: FastCGI | SCGI) -> None:
        ours, self.peer = socket.socketpair()
        ours.setblocking(False)
        self.peer.settimeout(60)
        self.lines: list[str] = []
        self.draining = False
        self.settings = Settings(root="/", protocol="fastcgi")
        self.requests: list[Request] = []
        self.gone: list[Connection] = []
        self.takes = False  # another worker takes connections
        self.fails = False
        self.loop = Loop(Guard(self.lines.append, self.lines.append))
        self.connection = Connection(ours, codec, self.loop, self)

    def log(self, line: str) -> None:
        """Keep a line."""
        self.lines.append(line)

    def begin_exchange(
        self, connection: Connection, request: int, variables: dict[str, str]
    ) -> Request:
        """A request that has come."""
        self.requests.append(Request(request))
        self.requests[-1].fails = self.fails
        return self.requests[-1]

    def hand_over(self, connection: Connection) -> bool:
        """Whether another worker takes it."""
        return self.takes and connection.is_between_requests

    def closed(self, connection: Connection) -> None:
        """Note the end of the connection."""
        self.gone.append(connection)

    def ask(self, body: bytes = b"", *, keep: bool = False) -> Request:
        """Send a request, and have it read."""
        count = len(self.requests)
        if isinstance(self.connection.codec, FastCGI):
            self.peer.sendall(encode_request({"REQUEST_METHOD": "GET"}, body, keep=keep))
        else:
            head = f"CONTENT_LENGTH\0{len(body)}\0SCGI\x001\0REQUEST_METHOD\0GET\0"
            self.peer.sendall(f"{len(head)}:{head},".encode() + body)
        while len(self.requests) == count:
            self.loop.wait(60_000)
        return self.requests[-1]

    def rest(self) -> bytes:
        """All that comes until the connection ends."""
        data = b""
        self.peer.setblocking(False)
        while True:
            try:
                piece = self.peer.recv(1 << 20)
            except BlockingIOError:
                self.loop.wait(20)
                continue
            if not piece:
                return data
            data += piece


@pytest.fixture
def fastcgi() -> Iterator[Pair]:
    made = Pair(FastCGI(10, 10))
    yield made
    made.connection.drop()
    made.peer.close()


@pytest.fixture
def scgi() -> Iterator[Pair]:
    made = Pair(SCGI())
    yield made
    made.connection.drop()
    made.peer.close()


def test_a_request_begins_with_its_variables_and_its_body_follows(fastcgi: Pair) -> None:
    request = fastcgi.ask(b"body")
    while b"" not in request.heard:
        fastcgi.loop.wait(60_000)
    assert request.heard == ["opened", b"body", b""]
    assert fastcgi.connection.exchange is request


def test_an_answer_ends_the_connection_or_leaves_it_for_the_next(fastcgi: Pair) -> None:
    connection = fastcgi.connection
    for number, keep in enumerate((True, True, False), 1):
        request = fastcgi.ask(keep=keep)
        assert len(fastcgi.requests) == number
        connection.send_output(request.request, b"head ")
        connection.finish(request.request, 0, b"and end", is_owed=False)
        assert connection.exchange is None
        assert connection.is_open == keep
        if keep:
            events = Responses().receive(fastcgi.peer.recv(4_096))
            assert b"".join(e.data for e in events if isinstance(e, Output)) == b"head and end"
            assert isinstance(events[-1], Ended)
            assert connection.is_between_requests
    assert fastcgi.gone == [connection]
    assert fastcgi.rest().endswith(bytes(8))


def test_a_script_waits_while_too_much_waits_for_its_peer(fastcgi: Pair) -> None:
    request = fastcgi.ask()
    request.child = Script(ahead=100)
    connection = fastcgi.connection
    connection.send_output(request.request, bytes(50))
    assert not request.child.paused_at
    connection.send_output(request.request, bytes(MUCH))
    assert connection.outbox.waiting > 100
    assert request.child.paused_at
    taken = 0
    while connection.outbox.waiting:
        taken += len(fastcgi.peer.recv(1 << 20))
        fastcgi.loop.wait(0)
    assert not request.child.paused_at


def test_what_is_held_goes_out_when_it_is_released_or_with_the_end(fastcgi: Pair) -> None:
    connection, request = fastcgi.connection, fastcgi.ask()
    connection.restrain()
    connection.send_output(request.request, b"held")
    fastcgi.peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        fastcgi.peer.recv(1)
    connection.release()
    assert b"held" in fastcgi.peer.recv(100)
    connection.restrain()
    connection.send_output(request.request, b"again")
    connection.finish(request.request, 0, b"", is_owed=False)
    assert b"again" in fastcgi.rest()


def test_a_peer_that_leaves_ends_its_request(fastcgi: Pair) -> None:
    request = fastcgi.ask()
    fastcgi.peer.close()
    while fastcgi.connection.is_open:
        fastcgi.loop.wait(60_000)
    assert request.heard[-1] == "abandoned"
    assert fastcgi.gone == [fastcgi.connection]
    fastcgi.connection.close()  # which does nothing
    assert len(fastcgi.gone) == 1


def test_an_abort_reaches_the_request_and_gets_its_end(fastcgi: Pair) -> None:
    request = fastcgi.ask(keep=True)
    fastcgi.connection.restrain()
    fastcgi.connection.send_output(request.request, b"held")
    fastcgi.peer.sendall(encode_record(2, request.request))
    while "abandoned" not in request.heard:
        fastcgi.loop.wait(60_000)
    fastcgi.connection.abort(request.request)
    (event,) = Responses().receive(fastcgi.peer.recv(4_096))
    assert isinstance(event, Ended)  # and nothing of what was held
    assert fastcgi.connection.is_open


def test_half_a_connection_of_scgi_is_the_end_of_a_body(scgi: Pair) -> None:
    request = scgi.ask()
    scgi.peer.shutdown(socket.SHUT_WR)
    while b"" not in request.heard:
        scgi.loop.wait(60_000)
    assert scgi.connection.is_open
    scgi.connection.finish(request.request, 0, b"answer", is_owed=False)
    assert scgi.rest() == b"answer"


def test_a_wrong_protocol_closes_the_connection_and_is_logged(fastcgi: Pair) -> None:
    fastcgi.peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
    while fastcgi.connection.is_open:
        fastcgi.loop.wait(60_000)
    (line,) = fastcgi.lines
    assert line.startswith("connection closed: ")
    assert fastcgi.rest() == b""


def test_a_cut_answer_over_fastcgi_ends_with_a_record_that_is_wrong(fastcgi: Pair) -> None:
    request = fastcgi.ask(keep=True)
    fastcgi.connection.send_output(request.request, b"part")
    fastcgi.connection.cut()
    data = fastcgi.rest()
    assert data.endswith(BROKEN)
    assert not any(isinstance(e, Ended) for e in Responses().receive(data.removesuffix(BROKEN)))


def test_a_body_that_nobody_reads_is_taken_so_that_the_answer_arrives(fastcgi: Pair) -> None:
    request = fastcgi.ask(b"x" * 100)
    fastcgi.connection.finish(request.request, 0, b"too large", is_owed=True)
    assert fastcgi.connection.is_open
    assert fastcgi.connection.closing
    fastcgi.peer.sendall(encode_record(5, 1, b"x" * 60_000))
    for _ in range(5):
        fastcgi.loop.wait(20)
    assert not request.heard.count(b"x" * 60_000)
    assert b"too large" in fastcgi.peer.recv(4_096)


def test_while_draining_a_connection_goes_to_another_worker_or_is_closed(fastcgi: Pair) -> None:
    request = fastcgi.ask(keep=True)
    assert not fastcgi.connection.is_between_requests
    fastcgi.draining = fastcgi.takes = True
    fastcgi.connection.finish(request.request, 0, b"", is_owed=False)
    assert not fastcgi.connection.is_open
    other = Pair(FastCGI(10, 10))
    request = other.ask(keep=True)
    other.draining = True
    other.connection.finish(request.request, 0, b"", is_owed=False)
    assert not other.connection.is_open
    assert other.rest()
    other.peer.close()


def test_an_error_in_a_request_ends_the_request_and_one_in_the_connection_both(
    fastcgi: Pair,
) -> None:
    fastcgi.fails = True
    fastcgi.peer.sendall(encode_request({"REQUEST_METHOD": "GET"}, b""))
    while not fastcgi.requests or "crashed" not in fastcgi.requests[0].heard:
        fastcgi.loop.wait(60_000)
    assert fastcgi.connection.is_open
    fastcgi.connection.crashed("incident")
    assert fastcgi.requests[0].heard[-1] == "crashed"
    assert not fastcgi.connection.codec.keep
    assert not fastcgi.connection.is_open


def test_when_the_worker_ends_the_request_is_told_and_what_has_come_is_read(
    fastcgi: Pair,
) -> None:
    """Closed with bytes unread, the connection is reset, and the peer loses the answer."""
    request = fastcgi.ask()
    fastcgi.peer.sendall(b"x" * 1_000)
    fastcgi.connection.give_up(Problem(503, "ending"))
    assert request.heard[-1] == "given up"
    with pytest.raises(BlockingIOError):
        fastcgi.connection.sock.recv(1)
