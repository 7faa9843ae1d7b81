"""What waitress's loop calls may raise: one connection ends, and the server goes on."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import injecting
import pytest
from serving import Server, until
from waitress import wasyncore

from cgikit.cli.guarded import turn


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A `cgikit serve` of which one call-back raises when it is told to, and the file that tells it."""
    root, order = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("order") / "order"
    script = root / "hello.sh"
    script.write_text("#!/bin/sh\necho 'Content-Type: text/plain'\necho\necho hello\n")
    script.chmod(0o755)
    command = [sys.executable, injecting.__file__, str(order), "cgikit", "serve", str(root)]
    process = subprocess.Popen(
        [*command, "--port", "0"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        server = Server(process)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    yield server, order
    server.stop()


def answered(server: Server) -> bool:
    """Ask once; False where the answer was cut, or there was none."""
    try:
        with urlopen(server.url + "hello.sh", timeout=60) as answer:
            return bool(answer.read() == b"hello\n")
    except (URLError, ConnectionError, TimeoutError):
        return False


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("target", sorted(injecting.SERVE))
def test_a_callback_that_raises_ends_one_connection(
    served: tuple[Server, Path], target: str, when: str
) -> None:
    server, order = served
    assert answered(server)
    seen = len(server.lines)
    written = order.with_suffix(".new")
    written.write_text(f"{target} {when} NONE")
    written.rename(order)
    assert until(lambda: answered(server) or not order.exists())
    assert until(lambda: not order.exists() or not answered(server))
    server.wait_for(f"incident .*Injected: {target}", seen)
    for _ in range(3):
        assert answered(server)
    assert server.process.poll() is None


class Listening(wasyncore.dispatcher):  # type: ignore[misc]
    """Lets one client in, and closes another connection whenever it is asked, as for lack of time."""

    def __init__(self, listener: socket.socket, dispatchers: dict[int, Any]) -> None:
        super().__init__(listener, dispatchers)
        self.accepting = True
        self.let_in: Connection | None = None
        self.closes: Connection | None = None

    def readable(self) -> bool:
        if self.closes is not None:
            self.closes.close()
        return True

    def handle_accept(self) -> None:
        connection, _ = self.socket.accept()
        self.let_in = Connection(connection, self._map)


class Connection(wasyncore.dispatcher):  # type: ignore[misc]
    """May close itself when it is asked, as after an error."""

    ends = False
    was_closed = False

    def readable(self) -> bool:
        if self.ends:
            self.close()
        return True

    def writable(self) -> bool:
        return False

    def handle_close(self) -> None:
        self.was_closed = True
        self.close()


@pytest.mark.parametrize("by", ["itself", "the one that is asked before", "... asked behind"])
def test_who_is_let_in_is_not_closed_in_place_of_one_who_was_closed(by: str) -> None:
    """The new client gets the number of the descriptor, and got the event that was for the old one."""
    dispatchers: dict[int, Any] = {}
    old, other = socket.socketpair()
    with socket.create_server(("127.0.0.1", 0)) as listener, old, other:
        listening = Listening(listener, dispatchers)
        connection = Connection(old, dispatchers)
        number = old.fileno()
        if by == "itself":
            connection.ends = True
        else:
            listening.closes = connection
        if by == "... asked behind":
            first = dispatchers.pop(listener.fileno())
            dispatchers[listener.fileno()] = first
        with socket.create_connection(listener.getsockname()):
            turn(dispatchers, 60)
            new = listening.let_in
            assert new is not None
            try:
                assert new.socket.fileno() == number
                assert not new.was_closed
            finally:
                new.close()
