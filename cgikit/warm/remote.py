"""The executor that lets workers run scripts, for front ends with threads, which must not fork.

A process with threads cannot be forked safely, and `cgikit serve` has threads. So its scripts run under
a supervisor of their own. The two speak FastCGI over a private socket, and this module is the web
server's side of it. The path of a request is resolved twice, here and in the worker, by the same rules.
"""

import contextlib
import errno
import os
import select
import socket
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence

from cgikit.gateway.fastcgi import STDIN
from cgikit.gateway.fastcgiclient import Ended, Errors, Output, Responses, encode_record
from cgikit.gateway.fastcgiclient import encode_request as encode_whole_request
from cgikit.gateway.listener import listen

from ..host.executor import ClientGone, Job, Run, TimeLimits
from ..host.logtext import Lines
from ..host.spawn import Spawn
from .settings import Settings
from .supervisor import Supervisor

_CHUNK = 65_528  # bytes of the body in one record
_TICK = 0.2  # seconds between checks whether the client has disconnected
_MARGIN = 5.0  # seconds by which our own limits come first
_JOIN = 10.0  # seconds for the workers to end
_CONNECTING = 10.0  # seconds until a gateway of our own has to have room for a connection
STARTING = 60.0  # seconds for the first worker to become ready


class Warm:
    """The executor whose Python scripts are forked from a warm interpreter.

    `root` is the directory of the scripts, or one script. `environment` is what they get beside the
    meta-variables; `passing` names variables of the request that are passed to them in addition to the
    usual ones. `preload` are modules to import in advance. `log` takes one line per event. Starts
    processes and one thread; `close` ends them. `OSError` if no worker becomes ready.
    """

    def __init__(
        self,
        root: str,
        *,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        limits: TimeLimits,
        workers: int = 2,
        passing: Sequence[str] = (),
        preload: Sequence[str] = (),
    ) -> None:
        self._directory = tempfile.TemporaryDirectory(prefix="cgikit-")  # 0700: ours alone
        self._listener = listen(os.path.join(self._directory.name, "socket"))
        ready = threading.Event()
        settings = Settings(
            root=os.path.realpath(root),
            protocol="fastcgi",
            interpret=False,
            stderr_out=True,  # to this process, which knows the request it belongs to
            pass_on=list(passing),
            preload=list(preload),
            timeout=max(limits.header, limits.idle) + _MARGIN,
            total=limits.total + _MARGIN,
            grace=limits.grace,
        )
        self._supervisor = Supervisor(
            self._listener,
            settings,
            workers=workers,
            environment=environment,
            log=log,
            started=ready.set,
        )
        self._thread = threading.Thread(target=self._supervisor.run, daemon=True)
        self._thread.start()
        self._base = frozenset(environment)
        self._cold = Spawn()
        self.closed = False
        if not ready.wait(STARTING):
            self.close()
            raise OSError(errno.ETIMEDOUT, "no worker became ready")

    def start(self, job: Job) -> Run:
        """Start the script. `OSError` when it cannot be; `BlockingIOError` after `close`."""
        if self.closed:
            raise BlockingIOError(errno.EAGAIN, "the server is shutting down")
        if job.interpreter or job.outside:  # a worker runs only what is below its root
            return self._cold.start(job)
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(_CONNECTING)  # it waits while the socket's queue is full
        try:
            sock.connect(self._listener.address)
        except OSError:
            sock.close()
            raise
        variables = {k: v for k, v in job.environment.items() if k not in self._base}
        return RemoteRun(job, sock, variables, lambda: self.closed)

    def reload(self) -> None:
        """Replace the workers."""
        self._supervisor.reload()

    def close(self) -> None:
        """End all scripts and the workers."""
        self.closed = True
        self._supervisor.stop()
        self._cold.close()
        self._thread.join(_JOIN)
        self._listener.remove()
        self._directory.cleanup()


class RemoteRun:
    """One script in another process tree. See `executor.Run`."""

    def __init__(
        self,
        job: Job,
        sock: socket.socket,
        variables: Mapping[str, str],
        closed: Callable[[], bool],
    ) -> None:
        self.job = job
        self._sock = sock
        self._closed = closed
        self._started = time.monotonic()
        self._in_body = False
        self._is_silent = False  # and that was told
        self._responses = Responses()
        self._output: deque[bytes] = deque()
        self._lines = Lines()
        self._status: int | None = None
        self._fed = job.body is None  # all of the body has been handed over
        whole = encode_whole_request(dict(variables), b"")
        end = encode_record(STDIN, 1)
        self._pending = memoryview(whole if self._fed else whole.removesuffix(end))
        sock.setblocking(False)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN | select.POLLOUT)

    def read(self) -> bytes:
        """Return the next output, b"" at its end. Raises `TimeLimit` and `ClientGone`."""
        asked = time.monotonic()
        while not self._output and self._status is None:
            self._check(asked)
            self._pump()
        if self._output:
            return self._output.popleft()
        if self._closed():  # the script was killed, though it may look as if it ended by itself
            self.close()
            raise ClientGone
        return b""

    def header_done(self) -> None:
        """From now on the idle limit counts instead of the limit for the header."""
        self._in_body = True

    def close(self) -> int:
        """End the script if it still runs; return its exit status, or the negative number of the
        signal. Closing the connection ends it: the worker sends TERM, then KILL.
        """
        if self._status is None:
            self._status = -15
        self._sock.close()
        for line in self._lines.end():
            self.job.log(line)
        return self._status

    def _check(self, asked: float) -> None:
        over = self.job.limits.over(self._started, asked, self._in_body)
        if over is None and not self.job.gone() and not self._closed():
            silence = time.monotonic() - asked
            if self.job.silent and not self._is_silent and silence > self.job.limits.silence:
                self._is_silent = True
                self.job.silent(None, "")
            return
        self.close()
        raise over or ClientGone

    def _pump(self) -> None:
        writing = bool(self._pending) or not self._fed
        self._poll.modify(self._sock, select.POLLIN | (select.POLLOUT if writing else 0))
        for _, mask in self._poll.poll(_TICK * 1_000):
            if mask & select.POLLOUT:
                self._feed()
            if mask & ~select.POLLOUT:
                self._receive()

    def _feed(self) -> None:
        if not self._pending and self.job.body is not None:
            data = self.job.body.read(_CHUNK)
            self._fed = not data
            self._pending = memoryview(encode_record(STDIN, 1, data))
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            self._pending = self._pending[self._sock.send(self._pending) :]

    def _receive(self) -> None:
        try:
            data = self._sock.recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._status = -9  # cut: the script, or its worker, was killed
            return
        for event in self._responses.receive(data):
            if isinstance(event, Output) and event.data:
                self._output.append(event.data)
            elif isinstance(event, Errors):
                for line in self._lines.feed(event.data):
                    self.job.log(line)
            elif isinstance(event, Ended):
                self._status = event.app_status - ((event.app_status >> 31) << 32)
