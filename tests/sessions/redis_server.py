"""A real redis-server or valkey-server for tests: on a UNIX socket in a directory of its own, keeping
nothing on disk, ended by its process id.

with RedisServer("redis-server") as server: RedisStore(server.url)
"""

import shutil
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


class RedisServer:
    """A running server. `.url` is its address; `.password` is asked for, if one is given."""

    def __init__(self, program: str, password: str = "") -> None:
        self._program = need(program)
        self._password = password
        # Not pytest's directories: the path of a socket has at most 107 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="redis-"))
        self.socket = self._directory / "s"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again too, and wait until it can be reached."""
        options = ["--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "600"]
        options += ["--save", "", "--appendonly", "no", "--dir", str(self._directory)]
        if self._password:
            options += ["--requirepass", self._password]
        log = self._directory / "log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [self._program, *options], stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + DEADLINE
        while b"eady to accept connections" not in log.read_bytes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"{self._program} did not start:\n{log.read_text()}")
            time.sleep(0.01)

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
