"""A script that stays: a real process on a real listening socket, and a web server's side of it.

with application(tmp_path, "run(lambda request: 'hi')") as app:
    answer = app.ask(query="a=1")
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from child import PROLOGUE, Answer, environment
from serving import DEADLINE

from cgikit.gateway.fastcgiclient import Ended, Errors, Event, Output, Responses, encode_request
from cgikit.gateway.listener import Listener, listen


class Peer:
    """One connection to an application. `.ended` is the last END_REQUEST, None where there was none."""

    def __init__(self, address: object) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self.socket = socket.socket(family)
        self.socket.settimeout(DEADLINE)
        self.socket.connect(address)  # type: ignore[arg-type]
        self.responses = Responses()
        self.ended: Ended | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, body: bytes = b"", keep: bool = False, **variables: str) -> None:
        """Send a whole request."""
        self.send(encode_request(environment(**variables), body, keep))

    def events(self) -> list[Event]:
        """What the next read brings; [] at the end of the connection, however it came."""
        try:
            while data := self.socket.recv(65_536):
                if events := self.responses.receive(data):
                    return events
        except ConnectionResetError:  # some of what was sent has not been read
            pass
        return []

    def answer(self) -> Answer:
        """Read until END_REQUEST, or the end of the connection: then the code is -1."""
        output, errors = [], []
        self.ended = None
        while self.ended is None and (events := self.events()):
            for event in events:
                if isinstance(event, Output):
                    output.append(event.data)
                elif isinstance(event, Errors):
                    errors.append(event.data)
                else:
                    assert isinstance(event, Ended), event
                    self.ended = event
        code = -1 if self.ended is None else self.ended.app_status
        return Answer(b"".join(output), b"".join(errors).decode(), code)

    def is_closed(self) -> bool:
        """Wait for the end of the connection; False if something else comes."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class Application:
    """A running script. `.log` is the file that is its standard error."""

    def __init__(self, process: "subprocess.Popen[bytes]", listener: Listener, log: Path) -> None:
        self.process = process
        self.listener = listener
        self.log = log
        self._peers: list[Peer] = []

    def connect(self) -> Peer:
        """Open a connection, as the web server does; `application` closes it at the latest."""
        self._peers.append(Peer(self.listener.getsockname()))
        return self._peers[-1]

    def disconnect(self) -> None:
        """Close all connections."""
        for peer in self._peers:
            peer.socket.close()

    def ask(self, body: bytes = b"", **variables: str) -> Answer:
        """Send one request on a connection of its own, and return the answer."""
        with Peer(self.listener.getsockname()) as peer:
            peer.request(body, **variables)
            return peer.answer()

    def logged(self) -> str:
        """What the process has written to its own standard error."""
        return self.log.read_text()

    def children(self) -> list[int]:
        """The processes that it has started."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit status. May be called again."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(DEADLINE)


def start(
    directory: Path,
    code: str,
    listener: Listener,
    name: str = "app.py",
    work_in: str = "",
    **variables: str,
) -> Application:
    """Start a script on a socket that listens already, in its own directory or `work_in`."""
    script = directory / name
    script.write_text(PROLOGUE + code)
    log = directory / f"{name}.log"
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("HTTP_", "REQUEST_"))}
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, str(script)],
            cwd=work_in or directory,
            stdin=listener,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env={**environ, **variables},
        )
    return Application(process, listener, log)


@contextmanager
def application(
    directory: Path, code: str, *, address: str = "", work_in: str = "", **variables: str
) -> Iterator[Application]:
    """Run a script as a persistent one, with more environment variables; end it afterwards."""
    listener = listen(address or str(directory / "s"))
    app = start(directory, code, listener, work_in=work_in, **variables)
    try:
        yield app
    finally:
        try:
            app.stop()
        finally:
            if app.process.poll() is None:
                app.process.kill()
                app.process.wait()
            app.disconnect()
            listener.remove()
