"""Run scripts by fork and exec: RFC 3875 sections 3.4, 4.2 and 7.2, for any executable.

This module has the whole life of a child: its process group, its three descriptors, feeding its input
while draining both of its outputs, its time limits, and its end. It treats the output as bytes;
`output.py` parses them.
"""

import contextlib
import errno
import os
import selectors
import signal
import subprocess
import threading
import time
from typing import IO

from ..checking.firstline import first_line
from .background import GRACE, LEFT, Background
from .executor import ClientGone, Job
from .logtext import Lines
from .whereabouts import whereabouts

_CHUNK = 65_536  # the size of a pipe on Linux
_TICK = 0.2  # seconds between checks whether the client has disconnected or the script ended
_LINGER = 1.0  # seconds of silence after which processes left by a script no longer count


class Spawn:
    """The executor that starts a process for every request, until it is `.closed` (bool).

    `end_with` is the signal that a script gets which takes too long, before it is killed. With
    `interrupts`, a Python script gets SIGINT before that, so that its traceback says where it was.
    """

    def __init__(self, end_with: int = signal.SIGTERM, *, interrupts: bool = False) -> None:
        self.end_with = end_with
        self.interrupts = interrupts
        self._lock = threading.Lock()
        self._runs: set[SpawnRun] = set()
        self.background = Background()
        self.closed = False

    def start(self, job: Job) -> "SpawnRun":
        """Start the script. `OSError` if that fails; `BlockingIOError` after `close`."""
        if self.closed:
            raise BlockingIOError(errno.EAGAIN, "the server is shutting down")
        run = SpawnRun(job, self)
        with self._lock:
            self._runs.add(run)
        if self.closed:  # closed in between: close() may not have seen this one
            run.signal(signal.SIGKILL)
        return run

    def forget(self, run: "SpawnRun") -> None:
        """Remove a run that has ended from the list."""
        with self._lock:
            self._runs.discard(run)

    def close(self) -> None:
        """End all scripts: TERM to their process groups, then KILL after the grace period.

        The threads that use the runs reap them; this only waits for the end of the scripts.
        """
        self.closed = True
        with self._lock:
            runs = list(self._runs)
        for run in runs:
            run.signal(signal.SIGTERM)
        deadline = time.monotonic() + max((run.job.limits.grace for run in runs), default=0)
        while any(not run.has_exited() for run in runs) and time.monotonic() < deadline:
            time.sleep(0.02)
        for run in runs:
            run.signal(signal.SIGKILL)


class SpawnRun:
    """One process, its group and its pipes. See `Run`.

    After `close`, `.memory` is the most that it had in memory (int, as getrusage(2) counts it: KiB on
    Linux, and no less than this process had when it started the script), and `.left_open` tells whether
    another process still had its standard output when the script had ended (bool).
    """

    def __init__(self, job: Job, executor: Spawn) -> None:
        self.job = job
        self._executor = executor
        self._lock = threading.Lock()  # between this thread's reaping and another one's signal
        self._status: int | None = None
        self._started = self._heard = time.monotonic()
        self._in_body = False
        self.memory = 0
        self.left_open = False
        self._is_silent = False  # and that was told
        self._is_late = False
        self._pending = memoryview(b"")
        self._lines = Lines()
        with contextlib.ExitStack() as undo:
            # Before the process, so that a shortage of descriptors leaves no child behind
            self._selector = undo.enter_context(selectors.DefaultSelector())
            self._process = _popen(job)
            undo.pop_all()
        for pipe, event in (
            (self._process.stdin, selectors.EVENT_WRITE),
            (self._process.stdout, selectors.EVENT_READ),
            (self._process.stderr, selectors.EVENT_READ),
        ):
            if pipe is not None:
                os.set_blocking(pipe.fileno(), False)
                self._selector.register(pipe, event)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def read(self) -> bytes:
        """Return the next output, b"" at its end. Raises `TimeLimit` and `ClientGone`."""
        asked = time.monotonic()
        after_end = 0.001
        while True:
            self._check(asked)
            finished = self._process.stdout is None or self._process.stdout.closed
            # Checked before the pipes are read: they then have all that it wrote before its end
            exited = not finished and self.has_exited()
            # The end of its output and the end of a process are some microseconds apart
            after_end = min(after_end * 2, _TICK) if finished else after_end
            if chunk := self._pump(after_end if finished else _TICK):
                self._heard = time.monotonic()
                return chunk
            if self.has_exited() if finished else exited and self._silent(_LINGER):
                self.left_open = not finished
                return b""

    def header_done(self) -> None:
        """Note that the header is complete: from now on the idle limit applies."""
        self._in_body = True

    def close(self) -> int:
        """End what still runs, reap it, close the pipes; return the status as `subprocess` does."""
        if self._status is None:
            if self.has_exited():
                self._look_for_others()
            else:
                self._stop()
            # While the dead leader is not reaped, its number cannot become another group's
            self.signal(signal.SIGKILL)
            self._drain_errors()
            with self._lock:
                # As `Popen.wait` does, which does not say what the process used
                _, status, used = os.wait4(self._process.pid, 0)
                self._status = self._process.returncode = os.waitstatus_to_exitcode(status)
                self.memory = used.ru_maxrss
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, 0)
                self._executor.background.suspect(self.job.file)
            for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
                if pipe is not None:
                    self._drop(pipe)
            self._selector.close()
            self._executor.forget(self)
        return self._status

    def signal(self, number: int) -> None:
        """Send a signal to the process group, from any thread, unless the script was reaped."""
        with self._lock:
            if self._status is None:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, number)

    def has_exited(self) -> bool:
        """Whether the script itself has ended. Callable from any thread; does not reap it."""
        with self._lock:
            flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
            return (
                self._status is not None
                or os.waitid(os.P_PID, self._process.pid, flags) is not None
            )

    def _check(self, asked: float) -> None:
        over = self.job.limits.over(self._started, asked, self._in_body)
        if over is None and not self.job.gone() and not self._executor.closed:
            self._look_for_silence()
            return
        self._is_late = over is not None
        self.close()
        raise over or ClientGone

    def _look_for_silence(self) -> None:
        """Tell, once, that the script prints nothing for long."""
        if self.job.silent and not self._is_silent and self._silent(self.job.limits.silence):
            self._is_silent = True
            pid = self._process.pid
            computed = _processor_time(pid)
            self.job.silent(
                computed, whereabouts(pid, self.job.file) if _is_python(self.job) else ""
            )

    def _silent(self, seconds: float) -> bool:
        return time.monotonic() - self._heard > seconds

    def _look_for_others(self) -> None:
        """Log, once, that the script has ended and left processes in the background."""
        background, pid = self._executor.background, self._process.pid
        if background.is_suspect(self.job.file) and background.look(self.job.file, pid):
            time.sleep(GRACE)
            if background.is_suspect(self.job.file) and background.look(self.job.file, pid):
                background.settle(self.job.file)
                self.job.log(LEFT)

    def _stop(self) -> None:
        """Send the signal to end, then wait for the script's end during the grace period.

        Its outputs are drained meanwhile, because a script that writes to a full pipe would block.
        """
        grace = self.job.limits.grace
        if self._executor.interrupts and self._is_late and _is_python(self.job):
            self._end_by(signal.SIGINT, grace / 2)
        self._end_by(self._executor.end_with, grace)

    def _end_by(self, number: int, seconds: float) -> None:
        self.signal(number)
        deadline = time.monotonic() + seconds
        while not self.has_exited() and time.monotonic() < deadline:
            self._pump(0.02)

    def _pump(self, timeout: float) -> bytes:
        """Read and write on the three pipes; return new standard output."""
        chunk = b""
        for key, _ in self._selector.select(timeout):
            pipe = key.fileobj
            if pipe is self._process.stdin:
                self._feed(self._process.stdin)
            elif pipe is self._process.stderr:
                self._read_errors(self._process.stderr)
            elif pipe is self._process.stdout:
                chunk = self._read_some(self._process.stdout) or b""
        return chunk

    def _feed(self, stdin: IO[bytes]) -> None:
        try:
            if not self._pending and self.job.body is not None:
                self._pending = memoryview(self.job.body.read(_CHUNK))
            if not self._pending:
                self._drop(stdin)
                return
            self._pending = self._pending[os.write(stdin.fileno(), self._pending) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:  # a script need not read the whole body
            self._drop(stdin)

    def _read_some(self, pipe: IO[bytes]) -> bytes | None:
        """Return what a pipe has; b"" at its end, which closes it; None if it has nothing now."""
        try:
            data = os.read(pipe.fileno(), _CHUNK)
        except BlockingIOError:
            return None
        if not data:
            self._drop(pipe)
        return data

    def _read_errors(self, stderr: IO[bytes]) -> bool:
        data = self._read_some(stderr)
        for line in self._lines.feed(data) if data else self._lines.end() if data == b"" else ():
            self.job.log(line)
        return bool(data)

    def _drain_errors(self) -> None:
        # Bounded, because a process that left the group may go on writing to the pipe
        stderr = self._process.stderr
        for _ in range(16):
            if stderr is None or stderr.closed or not self._read_errors(stderr):
                break

    def _drop(self, pipe: IO[bytes]) -> None:
        if not pipe.closed:
            with contextlib.suppress(KeyError):
                self._selector.unregister(pipe)
            pipe.close()


def _processor_time(pid: int) -> float | None:
    """Return the processor time of a process (float, seconds; proc_pid_stat(5)), None if unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _is_python(job: Job) -> bool:
    return "python" in job.interpreter or b"python" in (first_line(job.file) or b"")


def _popen(job: Job) -> subprocess.Popen[bytes]:
    user = job.user if os.geteuid() == 0 else None
    return subprocess.Popen(  # noqa: S603 -- no shell; the path comes from the root
        [*filter(None, [job.interpreter]), job.file, *job.arguments],
        stdin=subprocess.DEVNULL if job.body is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=os.path.dirname(job.file),  # R49
        env=job.environment,
        close_fds=True,  # S24
        start_new_session=True,  # a group of its own to end, and no terminal of the server's
        bufsize=0,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=sorted(user.groups) if user else None,
    )
