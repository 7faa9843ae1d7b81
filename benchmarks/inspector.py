"""What the inspector costs a request of `cgikit serve` that nobody looks at: microseconds, and memory.

    python benchmarks/inspector.py

The same requests go through a host whose scripts start no process, with the inspector around it and
without: only so the difference is larger than the noise of a fork.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any

from cgikit.host.executor import Job
from cgikit.host.wsgi import Host
from cgikit.inspector.application import Inspector
from cgikit.inspector.recorder import Recorder

ROUNDS, REQUESTS = 15, 1_000
HEADERS = {f"HTTP_X_FIELD_{number}": "value " * 5 for number in range(12)}


class Run:
    """A script that prints 2 KiB."""

    def __init__(self) -> None:
        self.output: Iterator[bytes] = iter([b"Content-Type: text/plain\n\n" + b"x" * 2_048])

    def read(self) -> bytes:
        """Return the next output."""
        return next(self.output, b"")

    def header_done(self) -> None:
        """Nothing."""

    def close(self) -> int:
        """Return the exit status."""
        return 0


class Nothing:
    """An executor that starts no process."""

    def start(self, job: Job) -> Run:
        """Return a run."""
        return Run()

    def close(self) -> None:
        """Nothing."""


def environ() -> dict[str, Any]:
    """Return a browser's request."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/x.sh",
        "REQUEST_URI": "/x.sh?name=Ada",
        "QUERY_STRING": "name=Ada",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "127.0.0.1:8000",
        "wsgi.url_scheme": "http",
        **HEADERS,
    }


def microseconds(application: Callable[..., Any]) -> float:
    """Return how long a request takes."""
    started = time.perf_counter()
    for _ in range(REQUESTS):
        answer = application(environ(), lambda *_: None)
        b"".join(answer)
        answer.close()
    return (time.perf_counter() - started) / REQUESTS * 1e6


def main() -> None:
    """Print the medians of both, and what 100 requests keep."""
    with tempfile.TemporaryDirectory() as root:
        path = os.path.join(root, "x.sh")
        with open(path, "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\n")
        os.chmod(path, 0o755)
        recorder = Recorder()
        hosts = [
            Host(root, executor, environment={"PATH": "/bin"}, log=lambda line: None)
            for executor in (Nothing(), recorder.watching(Nothing()))
        ]
        bare, seen = hosts[0], Inspector(hosts[1], recorder)
        rounds = [(microseconds(bare), microseconds(seen)) for _ in range(ROUNDS)]
    without, inspected = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(f"without {without:.0f} µs, with {inspected:.0f} µs, kept {recorder.size:,} bytes")


if __name__ == "__main__":
    main()
