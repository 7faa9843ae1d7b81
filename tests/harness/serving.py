"""A real `cgikit serve` on loopback for tests: its own process, a free port, ended by its id.

with serve(directory) as server:
    urlopen(server.url + "hello.py")
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

DEADLINE = 60  # seconds for anything that is awaited; only a failing test takes so long


class Watched:
    """A process whose standard output is read as it comes. `.lines` is what it has printed."""

    def __init__(self, process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
        self.process = process
        self.lines: list[str] = []
        self._news = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            text = line if isinstance(line, str) else line.decode("utf-8", "backslashreplace")
            with self._news:
                self.lines.append(text.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: str, start: int = 0) -> re.Match[str]:
        """Return the match of the first line from `start` on, old or new, that has the pattern."""
        seen = start
        deadline = time.monotonic() + DEADLINE
        with self._news:
            while True:
                for line in self.lines[seen:]:
                    if match := re.search(pattern, line):
                        return match
                seen = max(start, len(self.lines))
                if self._ended or not self._news.wait(max(0, deadline - time.monotonic())):
                    raise AssertionError(f"no line with {pattern!r} among {self.lines[-50:]}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit status; `.lines` is complete then.

        May be called again.
        """
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(DEADLINE)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        self._reader.join(DEADLINE)
        return self.process.returncode


class Server(Watched):
    """A running `cgikit serve`. `.url` ends with "/"; `.port` is its port."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        super().__init__(process)
        self.url = self.wait_for("Serving .* at (http://[^ ]+/)")[1]
        self.port = int(self.url.rstrip("/").rpartition(":")[2])

    def stop(self, number: int = signal.SIGTERM) -> int:
        """As of any process that is watched; its standard output is closed as well."""
        status = super().stop(number)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return status


@contextmanager
def serve(
    directory: str | Path, *options: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `cgikit serve DIRECTORY --port 0` with more options and variables; stop it at the end."""
    with serve_here(
        None, str(directory), "--port", "0", *options, environment=environment
    ) as server:
        yield server


@contextmanager
def serve_here(
    place: Path | None, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Run `cgikit serve` with these arguments alone, in a directory; stop it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cgikit", "serve", *arguments],
        cwd=place,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="backslashreplace",
        env={**os.environ, **(environment or {})},
    )
    try:
        server = Server(process)
    except BaseException:
        process.kill()
        process.communicate()
        raise
    try:
        yield server
    finally:
        server.stop()


def state(pid: int) -> str:
    """What a process does: S sleeps, T is stopped, Z is a zombie; "" where there is none."""
    try:
        # Names are bytes, and any process may be there by now
        return Path(f"/proc/{pid}/stat").read_text("latin-1").rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    return state(pid) not in {"", "Z", "X"}


def sockets(pid: int) -> list[str]:
    """The sockets that a process has open, by descriptor; none where there is no such process."""
    names = []
    with suppress(FileNotFoundError, ProcessLookupError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with suppress(FileNotFoundError):
                names.append(os.readlink(entry.path))
    return [name for name in names if name.startswith("socket:")]


def until(condition: Callable[[], object]) -> bool:
    """Wait until a condition holds; False if it still does not after DEADLINE seconds."""
    deadline = time.monotonic() + DEADLINE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True
