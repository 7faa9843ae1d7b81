"""Who is let in by `cgikit serve`, and who has to wait (S18): the slow, the many, the large."""

import contextlib
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self
from urllib.request import urlopen

import pytest
from requirement import lack, need
from serving import DEADLINE, Server, serve, sockets, until
from waitress.buffers import OverflowableBuffer

from cgikit.cli.channel import Channel
from cgikit.cli.httpserver import CONNECTIONS, DESCRIPTORS, capacity

SCRIPTS = Path(__file__).parents[1] / "scripts"
HEADER = b"GET /hello.sh HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
LARGE = "GET /%s?16 HTTP/1.1\r\nHost: localhost\r\n\r\n"  # MiB
# 200 of it at once are no burden
FLOOD = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec head -c 16777216 /dev/zero\n"


def body(size: int) -> bytes:
    """The head of a request with a body."""
    return f"POST /count.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n\r\n".encode()


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    for name in ("hello.sh", "count.py", "flood-stdout.py"):
        shutil.copy(SCRIPTS / name, tmp_path)
    (tmp_path / "flood.sh").write_text(FLOOD)
    (tmp_path / "flood.sh").chmod(0o755)
    return tmp_path


class Slow:
    """Clients that send, or read, a byte a second."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.senders: list[socket.socket] = []
        self.readers: list[socket.socket] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._move)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        for one in self.senders + self.readers:
            one.close()

    def _open(self, first: bytes) -> socket.socket:
        made = socket.socket()
        made.settimeout(DEADLINE)
        # A small window, so that what is not read stays with the server and not in our kernel
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect(("127.0.0.1", self._port))
        made.sendall(first)
        return made

    def send(self, count: int, first: bytes) -> None:
        """More that send."""
        self.senders += [self._open(first) for _ in range(count)]

    def read(self, count: int, script: str) -> None:
        """More that read an answer; each of these has begun on return."""
        begun = [self._open((LARGE % script).encode()) for _ in range(count)]
        for one in begun:
            assert one.recv(1) == b"H"
        self.readers += begun

    def _move(self) -> None:
        while not self._ended.wait(1.0):
            try:
                for one in list(self.senders):
                    one.sendall(b"x")
                for one in list(self.readers):
                    assert one.recv(1)
            except OSError:
                return  # `held` tells, to those who want to know

    def held(self) -> bool:
        """Whether the server has kept all of them."""
        return self._thread.is_alive() and not any(answered(one) for one in self.senders)


def answered(one: socket.socket) -> bool:
    """Whether something came back, if only the end."""
    one.setblocking(False)
    try:
        one.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    finally:
        one.settimeout(DEADLINE)
    return True


def count(server: Server, what: str) -> int:
    """How many descriptors ("fd") or threads ("task") the server has."""
    return len(os.listdir(f"/proc/{server.process.pid}/{what}"))


def connections(server: Server) -> int:
    """How many connections the server has, beside the socket that listens."""
    return len(sockets(server.process.pid)) - 1


def on_disk(server: Server) -> int:
    """The bytes in files that the server holds open."""
    size = 0
    for path in Path(f"/proc/{server.process.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(path).startswith("/") and path.is_file():
                size += path.stat().st_size
    return size


@pytest.mark.parametrize(
    ("options", "large"),
    [((), "flood.sh"), (("--warm",), "flood-stdout.py")],
    ids=["cold", "warm"],
)
def test_s18_600_slow_clients_keep_nobody_waiting(
    scripts: Path, options: tuple[str, ...], large: str
) -> None:
    """They took all of its hundred connections, and those that read all of its threads."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and capacity(hard).connections < 610:
        lack("a hard limit of 5,000 descriptors")
    with serve(scripts, *options) as server:
        with urlopen(f"{server.url}hello.sh", timeout=DEADLINE):
            before = count(server, "fd"), count(server, "task")
        with Slow(server.port) as slow:
            slow.send(200, HEADER)
            slow.send(200, body(10_000))
            slow.read(200, large)
            for _ in range(50):
                with urlopen(f"{server.url}hello.sh", timeout=DEADLINE) as answer:
                    assert b"shell" in answer.read()
            assert slow.held()
        # Threads and files that were there for them are gone with them
        assert until(lambda: count(server, "fd") <= before[0])
        assert until(lambda: count(server, "task") <= before[1])
        with Slow(server.port) as slow:
            slow.read(100, large)
            assert server.stop() == 0


@pytest.mark.parametrize("sent", [0, 1, 9_999, 50_000, 60_000])
def test_what_is_freed_of_an_answer_is_what_has_been_sent(sent: int) -> None:
    """The rest was lost once, where a script had ended and its client was slow."""
    channel = Channel.__new__(Channel)  # no connection is needed for its buffers
    channel.connected = True
    channel.outbuf_lock = threading.Condition()
    channel.outbufs = [OverflowableBuffer(1 << 18)]
    content = bytes(range(256)) * 235  # 60,160 bytes
    for at in range(0, len(content), 8_000):
        channel.outbufs[0].append(content[at : at + 8_000])
    channel.outbufs[0].skip(sent, True)
    for _ in range(2):
        channel.trim()
        assert len(channel.outbufs[0]) == len(content) - sent
        assert channel.outbufs[0].get(len(content)) == content[sent:]
    channel.outbufs[0].append(b"more")
    assert channel.outbufs[0].get(-1) == content[sent:] + b"more"
    assert len(channel.outbufs[0].getfile().getvalue()) == len(content) - sent + 4
    channel.connected = False  # and its buffers are closed
    channel.outbufs[0].close()
    channel.trim()


@contextlib.contextmanager
def started(*command: str) -> Iterator[Server]:
    """Run a command that serves, and stop it at the end."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8"
    )
    try:
        server = Server(process)
        yield server
        server.stop()
    finally:
        process.kill()
        process.wait()


def test_s18_a_full_server_says_so_and_has_descriptors_left_for_scripts(scripts: Path) -> None:
    """Each connection holds as many descriptors as it can: its body, or its answer, is on disk."""
    room = capacity(1_024)
    assert 8 < room.waiting < room.connections < 200
    limited = (need("prlimit"), "--nofile=1024:1024", "--", sys.executable, "-m", "cgikit")
    command = (*limited, "serve", str(scripts), "--port", "0")
    with started(*command) as server, Slow(server.port) as slow:
        slow.read(room.waiting + 6, "flood.sh")  # six more hold threads: ten are left
        slow.send(room.connections - 4 - len(slow.readers), body(1 << 20) + bytes(1 << 19))
        for _ in range(3):
            with urlopen(f"{server.url}hello.sh", timeout=DEADLINE) as answer:
                assert b"shell" in answer.read()
        assert until(lambda: connections(server) == room.connections - 4)
        assert count(server, "fd") > 2 * room.connections  # files are held, not only sockets
        slow.send(4, HEADER)
        assert until(lambda: connections(server) == room.connections)
        for number in range(100):
            with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as client:
                client.sendall(b"GET /hello.sh HTTP/1.1\r\nHost: localhost\r\n\r\n")
                raw = b"".join(iter(lambda: client.recv(4096), b"")) if number < 20 else b""
            if raw:
                head, _, text = raw.partition(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
                assert b"\r\nRetry-After: 10\r\n" in head
                assert text == (
                    b"All connections of this server are in use. Try again in a moment.\n"
                )
        slow.senders.pop().close()
        assert until(lambda: reachable(server))
        said = {line for line in server.lines if line.startswith("server: ")}
        assert said == {f"server: all {room.connections} connections are in use; more get 503"}


def reachable(server: Server) -> bool:
    try:
        with urlopen(f"{server.url}hello.sh", timeout=DEADLINE) as answer:
            return b"shell" in answer.read()
    except OSError:
        return False


def test_s14_bodies_are_limited_together(scripts: Path) -> None:
    """By 4 GiB; here by less."""
    less = (
        "from cgikit.cli import httpserver, main\n"
        "httpserver.capacity = lambda descriptors: httpserver.Capacity(bodies=1 << 20)\n"
        "raise SystemExit(main())\n"
    )
    with started(sys.executable, "-c", less, "serve", str(scripts), "--port", "0") as server:
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as first:
            first.sendall(body(900_000) + bytes(800_000))
            assert until(lambda: on_disk(server) > 780_000)
            with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as second:
                second.sendall(body(900_000))
                with contextlib.suppress(ConnectionError):
                    for _ in range(9):
                        second.sendall(bytes(100_000))
                assert second.recv(12) == b"HTTP/1.1 503"
                with contextlib.suppress(ConnectionError):  # until the server has let go of it
                    while second.recv(4096):
                        pass
            server.wait_for(r"POST /count.py 503 \([Tt]oo many large bodies at once")
            first.sendall(bytes(100_000))
            assert first.recv(12) == b"HTTP/1.1 200"
        assert until(lambda: connections(server) == 0)
        with socket.create_connection(("127.0.0.1", server.port), DEADLINE) as third:
            third.sendall(body(900_000) + bytes(900_000))
            assert third.recv(12) == b"HTTP/1.1 200"


@pytest.mark.parametrize("descriptors", [256, 1_024, 4_096, DESCRIPTORS])
def test_s18_there_are_descriptors_for_all_that_is_let_in(descriptors: int) -> None:
    room = capacity(descriptors)
    for_files = 5 * room.connections + 4 * (16 + room.waiting)
    assert for_files + (200 if descriptors > 256 else 80) <= descriptors
    if descriptors == DESCRIPTORS:
        assert (room.connections, room.waiting) == (CONNECTIONS, 240)
