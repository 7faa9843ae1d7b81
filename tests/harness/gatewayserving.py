"""A real `cgikit fastcgi` or `cgikit scgi` for tests, and a web server's side of its socket.

with gateway("fastcgi", root, "--workers", "1") as server:
    answer = server.request("/hello.py", QUERY_STRING="a=1")
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from serving import DEADLINE, Watched, until

from cgikit.gateway import scgi
from cgikit.gateway.fastcgiclient import Ended, Errors, Output, Responses, encode_request
from cgikit.gateway.wire import WireError

FIRST_LINE = f"#!{sys.executable}\n"
#: A line of a script: the header, on its way at once.
HEAD = "print('Content-Type: text/plain\\n', flush=True)\n"
LOOK = Path(__file__).parents[1] / "scripts" / "look.py"


@dataclass(frozen=True)
class Answer:
    """What came back: the answer's bytes, standard error, and the status, None after a cut."""

    output: bytes
    errors: bytes
    ended: int | None

    @property
    def head(self) -> dict[str, str]:
        """The header fields; names are in lower case."""
        block = self.output.partition(b"\r\n\r\n")[0].decode("latin-1")
        pairs = (line.partition(":") for line in block.split("\r\n"))
        return {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def status(self) -> int:
        """The status code; an error if there is no whole header block."""
        assert b"\r\n\r\n" in self.output, self
        return int(self.head["status"].split()[0])

    @property
    def body(self) -> bytes:
        """What follows the header block."""
        return self.output.partition(b"\r\n\r\n")[2]

    @property
    def text(self) -> str:
        """The body of a whole answer with status 200."""
        assert self.ended is not None, self
        assert self.status == 200, (self.output, self.errors)
        return self.body.decode()


class Peer:
    """One connection of a web server to the gateway."""

    def __init__(self, protocol: str, address: str) -> None:
        self.protocol = protocol
        host, colon, port = address.rpartition(":")
        by_path = "/" in address or not colon
        by_ip = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
        self.socket = socket.socket(socket.AF_UNIX if by_path else by_ip)
        self.socket.settimeout(DEADLINE)
        try:
            self.socket.connect(address if by_path else (host.strip("[]"), int(port)))
        except BaseException:
            self.socket.close()
            raise
        self._responses = Responses()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(self, variables: dict[str, str], body: bytes = b"", keep: bool = False) -> None:
        """Send a request, while the answer may come already: whoever sends much needs `ask`."""
        self.socket.sendall(encode(self.protocol, variables, body, keep))

    def ask(self, variables: dict[str, str], body: bytes = b"") -> Answer:
        """Send a request and read the answer at the same time, as web servers do."""
        data = encode(self.protocol, variables, body)
        if len(data) < 65_536:
            self.socket.sendall(data)
            return self.answer()
        sender = threading.Thread(target=self._send_quietly, args=(data,), daemon=True)
        sender.start()
        try:
            return self.answer()
        finally:
            sender.join(DEADLINE)

    def _send_quietly(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # an answer may come before all is sent, and the end after it

    def receive(self) -> bytes:
        """The next bytes; b"" at the end, however it came."""
        try:
            return self.socket.recv(1 << 18)
        except ConnectionResetError:
            return b""

    def answer(self) -> Answer:
        """Read one answer to its end, or to that of the connection."""
        output, errors = [], []
        while data := self.receive():
            if self.protocol == "scgi":
                output.append(data)
                continue
            try:
                events = self._responses.receive(data)
            except WireError:
                break  # a cut: a record that is none comes before the end
            for event in events:
                if isinstance(event, Output):
                    output.append(event.data)
                elif isinstance(event, Errors):
                    errors.append(event.data)
                else:
                    assert isinstance(event, Ended), event
                    return Answer(b"".join(output), b"".join(errors), event.app_status)
        # The end of the connection is all that SCGI says of the end
        return Answer(b"".join(output), b"".join(errors), 0 if self.protocol == "scgi" else None)


def encode(protocol: str, variables: dict[str, str], body: bytes, keep: bool = False) -> bytes:
    """A whole request as a protocol has it."""
    if protocol == "scgi":
        return scgi.encode_request(variables, body)
    return encode_request(variables, body, keep)


class Gateway(Watched):
    """A running gateway. `.root` is the directory of its scripts."""

    def __init__(self, process: "subprocess.Popen[bytes]", protocol: str, root: Path) -> None:
        super().__init__(process)
        self.protocol = protocol
        self.root = root
        self.executable = sys.executable  # of the scripts
        self.address = self.wait_for(r"Serving .* at (\S+) \(\d+ workers")[1]

    # --- scripts ------------------------------------------------------------------------------

    def script(self, name: str, source: str, mode: int = 0o755) -> str:
        """Put a Python script into the root, whole or not at all; return its URL path."""
        return self.put(name, f"#!{self.executable}\n{source}", mode)

    def put(self, name: str, content: str | bytes, mode: int = 0o755) -> str:
        """Put a file into the root as it is; return its URL path."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return f"/{name}"

    # --- requests -----------------------------------------------------------------------------

    def connect(self) -> Peer:
        """Open a connection; the caller closes it."""
        return Peer(self.protocol, self.address)

    def variables(self, path: str, body: bytes = b"", **more: str) -> dict[str, str]:
        """What a web server sends for a request."""
        found = {
            "GATEWAY_INTERFACE": "CGI/1.1",
            "REQUEST_METHOD": "POST" if body else "GET",
            "SCRIPT_NAME": path,
            "REQUEST_URI": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SERVER_SOFTWARE": "test",
            "REMOTE_ADDR": "127.0.0.1",
        }
        if body:
            found["CONTENT_LENGTH"] = str(len(body))
        return found | more

    def encode(self, path: str, body: bytes = b"", **more: str) -> bytes:
        """A whole request as this server's protocol has it."""
        return encode(self.protocol, self.variables(path, body, **more), body)

    def request(self, path: str, body: bytes = b"", **more: str) -> Answer:
        """One request on a connection of its own."""
        with self.connect() as peer:
            return peer.ask(self.variables(path, body, **more), body)

    def run(self, source: str, body: bytes = b"", **more: str) -> Answer:
        """Put a script of its own into the root and ask for it."""
        self._count = getattr(self, "_count", 0) + 1
        return self.request(self.script(f"run{self._count}.py", source), body, **more)

    def said(self, path: str, start: int = 0) -> list[str]:
        """What the log of one worker says of a script, from a line on, without the script's name: all
        of it, once its processes have ended and another script has come after it.
        """
        assert until(lambda: not self.scripts())
        self._marks = getattr(self, "_marks", 0) + 1
        marker = self.script(f"marker{self._marks}.py", f"{HEAD}raise SystemExit(3)")
        self.request(marker)
        self.wait_for(f"^{marker}: exited with status 3$", start)
        found = (line.partition(f"{path}: ") for line in self.lines[start:])
        return [text for before, colon, text in found if colon and not before]

    # --- processes ----------------------------------------------------------------------------

    def family(self) -> list[int]:
        """The workers and those that fork for them: the children of the process."""
        return children(self.process.pid)

    def zygotes(self) -> list[int]:
        """Those that fork."""
        return [pid for pid in self.family() if b"warm.zygote" in command(pid)]

    def workers(self) -> list[int]:
        """Those that take requests."""
        return [pid for pid in self.family() if b"warm.worker" in command(pid)]

    def deaths(self, start: int = 0) -> list[str]:
        """What the log says, from a line on, of workers that ended by themselves. That they are others
        says nothing: a worker that has learnt a module is replaced, too.
        """
        words = ("a worker ended", "a worker has not answered", "process that forks")
        return [line for line in self.lines[start:] if any(word in line for word in words)]

    def scripts(self) -> list[int]:
        """The scripts that run or have not been reaped."""
        return [child for pid in self.zygotes() for child in children(pid)]


def children(pid: int) -> list[int]:
    """The children of a process, zombies too."""
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def command(pid: int) -> bytes:
    """The words of a process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def seen_of(server: Gateway) -> dict[str, Any]:
    """What scripts/look.py prints: all that a script sees of the way it was started."""
    path = server.script("look.py", LOOK.read_text())
    # Words are for GET and HEAD only; with a body, standard input is a pipe and not /dev/null
    variables = {"REQUEST_METHOD": "GET", "QUERY_STRING": "a+b", "HTTP_X_NAME": "ü", "HTTP_X": ""}
    found: dict[str, Any] = json.loads(server.request(path, b"body", **variables).text)
    return found


@contextmanager
def gateway(
    protocol: str,
    root: Path,
    *options: str,
    address: str = "",
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    executable: str = sys.executable,
    **more: object,
) -> Iterator[Gateway]:
    """Run a gateway over `root` at a socket of its own, and end it afterwards.

    `before` are words in front of the command line (`prlimit …`); `address` "-" gives no --socket.
    """
    # pytest's own directories may be too deep for the path of a socket
    place = Path(tempfile.mkdtemp(prefix="gateway-"))
    where = [] if address == "-" else ["--socket", address or str(place / "socket")]
    environ = {k: v for k, v in os.environ.items() if k != "CGIKIT_DEBUG"}
    process = subprocess.Popen(
        [*before, executable, "-m", "cgikit", protocol, str(root), *where, *options],
        **{
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "env": {**environ, **(environment or {})},
            **more,
        },  # type: ignore[arg-type]
    )
    try:
        place.chmod(0o755)
        server = Gateway(process, protocol, root)
        server.executable = executable
        try:
            yield server
        finally:
            server.stop()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs scripts warm, in one worker."""
    with gateway("fastcgi", tmp_path_factory.mktemp("warm"), "--workers", "1") as server:
        yield server


@pytest.fixture(scope="session")
def cold(warm: Gateway) -> Iterator[Gateway]:
    """A gateway over the same scripts that starts an interpreter for each request."""
    with gateway("fastcgi", warm.root, "--workers", "1", "--spawn") as server:
        yield server
