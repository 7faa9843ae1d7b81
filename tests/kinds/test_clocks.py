"""Whoever waits for a peer has a clock: each state of a connection of the engine, and its end.

A slow peer may hold up nobody: neither by silence, nor by a byte now and then. The states are those of
`warm.connections`: a new one fails here until it has a clock and a case.
"""

import ast
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import house
import pytest
from gatewayserving import HEAD, Gateway, Peer, gateway
from serving import DEADLINE

MODULES = {module.name: module for module in house.read()}

#: What `_tick_connection` tells apart, and what shows its clock.
STATES = {
    "connection.outbox.waiting and (not connection.outbox.is_held)": (
        "STALLED: two minutes, in test_gateway_pace.py"
    ),
    "connection.closing": "test_the_rest_of_a_body_that_nobody_wants",
    "exchange is None": "test_variables_that_come_byte_by_byte",
    "exchange.is_owed and connection.inward.is_slow(now, self.settings.timeout)": (
        "test_a_body_that_stops"
    ),
}

#: Places that accept connections, and why each piece is sent at once on what they take.
ACCEPTING = {
    "accelerate.trial": "a UNIX socket",
    "cli.httpserver": "waitress sets TCP_NODELAY",
    "warm.acceptor": "warm.connections.Connections.begin",
    "persistent.worker": "itself",
}


def branches() -> Iterator[str]:
    """The conditions of the states of a connection, in their order."""
    for name, function in house.definitions(MODULES["warm.connections"]):
        if name.endswith("_tick_connection"):
            node: ast.stmt | None = next(s for s in function.body if isinstance(s, ast.If))
            while isinstance(node, ast.If):
                yield house.written(node.test)
                node = node.orelse[0] if node.orelse else None


def test_every_state_of_a_connection_has_a_clock() -> None:
    assert list(branches()) == list(STATES)


def test_the_numbers_are_in_one_place() -> None:
    """How slow a peer may be is the same for the engine and for persistent scripts."""
    for name in ("warm.connection", "persistent.connection"):
        imported = [
            arrow.target for arrow in house.arrows(MODULES.values()) if arrow.source == name
        ]
        assert "gateway.pace" in imported, name


def test_every_place_that_accepts_sends_at_once() -> None:
    found = {}
    for module in MODULES.values():
        calls = [house.written(n.func) for n in ast.walk(module.tree) if isinstance(n, ast.Call)]
        if any(call.endswith(".accept") for call in calls):
            found[module.name] = "send_at_once" in calls
    assert set(found) == set(ACCEPTING)
    assert found["persistent.worker"]
    assert "send_at_once(sock)" in MODULES["warm.connections"].source


@contextmanager
def dripping(peer: Peer, byte: bytes) -> Iterator[None]:
    """Send a byte again and again meanwhile, each of which renewed the clock."""
    ended = threading.Event()

    def drip() -> None:
        try:
            while not ended.wait(0.1):
                peer.socket.send(byte)
        except OSError:
            pass

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(DEADLINE)


@pytest.fixture(scope="module", params=["fastcgi", "scgi"])
def impatient(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that waits for two seconds."""
    root = tmp_path_factory.mktemp("impatient")
    with gateway(request.param, root, "--workers", "1", "--spawn", "--timeout", "2") as server:
        server.script("reads.py", f"{HEAD}import sys\nprint(len(sys.stdin.buffer.read()))")
        yield server


def test_variables_that_come_byte_by_byte(impatient: Gateway) -> None:
    """1,024 such connections blocked all requests."""
    whole = impatient.encode("/reads.py", HTTP_X="x" * 60_000)
    with impatient.connect() as peer:
        peer.socket.sendall(whole[:2_000])
        with dripping(peer, b"x"):
            assert peer.receive() == b""


def test_a_body_that_comes_byte_by_byte(impatient: Gateway) -> None:
    """In one record of FastCGI, and by SCGI as it is."""
    whole = impatient.encode("/reads.py", bytes(300_000))
    with impatient.connect() as peer:
        peer.socket.sendall(whole[:2_000])
        with dripping(peer, b"\0"):
            assert peer.answer().status == 408


def test_a_body_that_stops(impatient: Gateway) -> None:
    whole = impatient.encode("/reads.py", bytes(300_000))
    for begun in (2_000, 200_000):
        with impatient.connect() as peer:
            peer.socket.sendall(whole[:begun])
            assert peer.answer().status == 408


def test_the_rest_of_a_body_that_nobody_wants(impatient: Gateway) -> None:
    """It is taken for a while, so that the peer gets the answer; then the connection ends."""
    whole = impatient.encode("/missing.py", bytes(300_000))
    with impatient.connect() as peer:
        peer.socket.sendall(whole[:2_000])
        assert peer.answer().status == 404
        assert peer.receive() == b""


def test_a_script_is_not_blamed_for_a_peer_that_is_slow(tmp_path: Path) -> None:
    """A script that waited for the rest of a body got 504 after --timeout, though bytes came."""
    with gateway("fastcgi", tmp_path, "--workers", "1", "--spawn", "--timeout", "5") as server:
        path = server.script(
            "reads.py",
            "import sys\nprint('Status: 200 OK\\nContent-Type: a/b\\n')\n"
            "print(len(sys.stdin.buffer.read()))",
        )
        whole = server.encode(path, bytes(200_000))
        never = threading.Event()
        with server.connect() as peer:
            at = 100_000
            peer.socket.sendall(whole[:at])
            for _ in range(60):  # longer than the time that a script has for its header
                never.wait(0.12)
                peer.socket.sendall(whole[at : at + 1_500])
                at += 1_500
            peer.socket.sendall(whole[at:])
            assert peer.answer().text == "200000\n"


def test_the_clock_of_the_loop_is_read_after_each_wait() -> None:
    """It stood still while nothing was to do, for up to five seconds: a request that came then was
    ended as if it had run for as long.
    """
    (turn,) = (
        node
        for module in house.read()
        if module.name == "warm.loop"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef) and node.name == "wait"
    )
    lines = [house.written(line) for line in turn.body]
    waited = next(at for at, line in enumerate(lines) if "_poll.poll(" in line)
    assert lines[waited + 1] == "self.now = time.monotonic()"
    assert not any("guarded(" in line for line in lines[: waited + 1])
