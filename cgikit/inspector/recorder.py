"""Keeps what `cgikit serve` has seen of its last requests, in a limited amount of memory.

This module has the limits and the wrappers through which it sees: of an executor, of a run, of a body,
and of the function that starts an answer. It changes nothing of what passes. A request and its scripts
are joined by the thread in which the host calls its executor.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cgikit.host.environ import ServerRequest
from cgikit.host.executor import Executor, Job, Run, Source

from .exchange import Exchange, Room, ScriptRun

REQUESTS = 100  # that are kept
STREAM = 65_536  # bytes of each stream. A pipe holds as many; more is rarely read by a person
ALL = 16 << 20  # bytes of all requests together; the oldest go first
_OWN = 1_024  # bytes that are counted for a request and for a run besides their texts


class Recorder:
    """The last requests. Many threads use it."""

    def __init__(self, requests: int = REQUESTS, stream: int = STREAM, whole: int = ALL) -> None:
        self._requests, self._stream, self._whole = requests, stream, whole
        self._lock = threading.Lock()
        self._exchanges: deque[Exchange] = deque()
        self._sizes: dict[int, int] = {}
        self._size = 0
        self._number = 0
        self._here = threading.local()

    @property
    def size(self) -> int:
        """How many bytes are kept (int)."""
        return self._size

    @property
    def number(self) -> int:
        """The number of the latest request, 0 if there was none (int)."""
        return self._number

    def latest(self) -> list[Exchange]:
        """Return the requests that are kept, the latest first."""
        with self._lock:
            return list(reversed(self._exchanges))

    def find(self, number: int) -> Exchange | None:
        """Return the request with a number, or None if it is not kept."""
        with self._lock:
            return next((one for one in self._exchanges if one.number == number), None)

    def clear(self) -> None:
        """Forget all requests."""
        with self._lock:
            self._exchanges.clear()
            self._sizes.clear()
            self._size = 0

    def begin(self, request: ServerRequest, replay_of: int = 0) -> Exchange:
        """Keep a request from now on, and join what this thread starts to it until `leave`."""
        with self._lock:
            self._number += 1
            exchange = Exchange(self._number, request, replay_of)
            self._exchanges.append(exchange)
            self._sizes[exchange.number] = 0
            if len(self._exchanges) > self._requests:
                self._forget_oldest()
        size = len(request.target) + sum(len(n) + len(v) for n, v in request.headers)
        self._take(exchange.number, size + _OWN)
        self._here.exchange = exchange
        return exchange

    def leave(self, exchange: Exchange) -> None:
        """End what `begin` began in this thread; without a script the request is over."""
        self._here.exchange = None
        if not exchange.runs:
            exchange.ended = time.monotonic()

    def watching(self, executor: Executor) -> "Watching":
        """Return an executor that does the same as another one, and is seen."""
        return Watching(executor, self)

    def current(self) -> Exchange | None:
        """Return the request that this thread answers, or None."""
        exchange: Exchange | None = getattr(self._here, "exchange", None)
        return exchange

    def run(self, exchange: Exchange, job: Job) -> ScriptRun:
        """Return the record for a script that is to run for a request."""
        number = exchange.number
        run = ScriptRun(
            job.file,
            job.environment,
            job.arguments,
            job.interpreter,
            job.body is not None,
            lambda: self._room(number),
        )
        size = sum(len(name) + len(value) for name, value in job.environment.items())
        self._take(number, size + _OWN)
        exchange.runs.append(run)
        return run

    def _room(self, number: int) -> Room:
        """Return what says how many more bytes a new stream of a request may keep."""
        left = self._stream

        def room(size: int) -> int:
            nonlocal left
            size = min(size, left)
            left -= size
            return size if self._take(number, size) else 0

        return room

    def _take(self, number: int, size: int) -> bool:
        """Count more bytes of a request; forget the oldest ones for it. False if it is forgotten."""
        with self._lock:
            if number not in self._sizes:
                return False
            self._sizes[number] += size
            self._size += size
            while self._size > self._whole and self._exchanges:
                self._forget_oldest()
            return number in self._sizes

    def _forget_oldest(self) -> None:
        oldest = self._exchanges.popleft()
        self._size -= self._sizes.pop(oldest.number)


class Watching:
    """An executor whose runs are recorded."""

    def __init__(self, executor: Executor, recorder: Recorder) -> None:
        self._executor = executor
        self._recorder = recorder

    def start(self, job: Job) -> Run:
        """Start the script, as the executor inside does."""
        exchange = self._recorder.current()
        if exchange is None:
            return self._executor.start(job)
        run = self._recorder.run(exchange, job)
        seen = run.stderr

        def log(line: str) -> None:
            seen.add(f"{line}\n".encode("utf-8", "backslashreplace"))
            job.log(line)

        body = None if job.body is None else _Body(job.body, run)
        try:
            inner = self._executor.start(replace(job, body=body, log=log))
        except BaseException:
            run.ended = exchange.ended = time.monotonic()
            raise
        run.started = time.monotonic()
        return _Run(inner, run, exchange)

    def close(self) -> None:
        """End all running scripts, as the executor inside does."""
        self._executor.close()


class _Body:
    """A request's body. What the script is sent of it is recorded."""

    def __init__(self, body: Source, run: ScriptRun) -> None:
        self._body, self._run = body, run

    def read(self, size: int, /) -> bytes:
        data = self._body.read(size)
        self._run.stdin.add(data)
        return data


class _Run:
    """A run of a script, recorded. See `host.executor.Run`."""

    def __init__(self, inner: Run, run: ScriptRun, exchange: Exchange) -> None:
        self._inner, self._run, self._exchange = inner, run, exchange

    def read(self) -> bytes:
        data = self._inner.read()
        if data:
            if self._run.first is None:
                self._run.first = time.monotonic()
            self._run.stdout.add(data)
        return data

    def header_done(self) -> None:
        self._inner.header_done()

    def close(self) -> int:
        status = self._inner.close()
        if self._run.ended is None:
            self._run.ended = self._exchange.ended = time.monotonic()
            self._run.status = status
        return status


def watched(start_response: Callable[..., Any], exchange: Exchange) -> Callable[..., Any]:
    """Return a `start_response` (PEP 3333) that also notes the status and the fields of the answer."""

    def start(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
        exchange.status = int(status[:3])
        exchange.headers = tuple(headers)
        return start_response(status, headers, *error)

    return start
