"""A real redis-server or valkey-server for tests: on a UNIX socket in a directory of its own, keeping
nothing on disk, ended by its process id.

with RedisServer("redis-server") as server: RedisStore(server.url)

With `tcp` it can also be reached at `.port` of 127.0.0.1, as replicas and sentinels need it.
"""

import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

from requirement import EXTRA_PATH, need

DEADLINE = 30  # seconds for its start; only a failing test takes so long

#: What speaks the protocol: Redis must be there, Valkey is tested where it is.
PROGRAMS = [
    "redis-server",
    *(["valkey-server"] if shutil.which("valkey-server", path=EXTRA_PATH + ":/usr/bin") else []),
]


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens at now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


class RedisServer:
    """A running server. `.url` is its address; `.password` is asked for, if one is given.

    `options` are of its command line. With `configuration`, lines of a file that it may rewrite, it
    is a sentinel.
    """

    def __init__(
        self,
        program: str,
        *options: str,
        password: str = "",
        tcp: bool = False,
        configuration: str = "",
    ) -> None:
        self._program = need(program)
        self._options = [*options, *(["--requirepass", password] if password else [])]
        self._configuration = configuration
        # Not pytest's directories: the path of a socket has at most 107 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="redis-"))
        self.socket = self._directory / "s"
        self.url = f"unix://{self.socket}"
        self.port = free_port() if tcp else 0
        self._tcp = tcp
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process that this test has started."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, again too, and wait until it can be reached."""
        log = self._directory / "log"
        for _ in range(10):
            with log.open("wb") as output:
                self._process = subprocess.Popen(
                    self._command(), stdout=output, stderr=subprocess.STDOUT
                )
            deadline = time.monotonic() + DEADLINE
            while not self._is_ready(log.read_bytes()):
                if self._process.poll() is not None or time.monotonic() > deadline:
                    break
                time.sleep(0.01)
            else:
                return
            self.stop()
            if not self._tcp or b"already in use" not in log.read_bytes():
                break
            self.port = free_port()  # somebody else was faster
        raise AssertionError(f"{self._program} did not start:\n{log.read_text()}")

    def _is_ready(self, log: bytes) -> bool:
        return b"+monitor" in log if self._configuration else b"eady to accept connections" in log

    def _command(self) -> list[str]:
        command = [self._program]
        if self._configuration:
            file = self._directory / "sentinel.conf"
            file.write_text(self._configuration)
            command += [str(file), "--sentinel"]
        command += ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._directory)]
        command += ["--unixsocket", str(self.socket), "--unixsocketperm", "600"]
        if not self._configuration:
            command += ["--save", "", "--appendonly", "no"]
        return [*command, *self._options]

    def stop(self) -> None:
        """End it at once, as a crash would, and wait until it has gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            shutil.rmtree(self._directory)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._directory)
