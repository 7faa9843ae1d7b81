"""A script's process as its worker sees it: three pipes, a process group, and its end.

Its input is written while both of its outputs are read; it is stopped with TERM, then KILL; the
zygote, its parent, reaps it. `exchange.py` decides what its output means. `host/spawn.py` does the same
with one thread per script. `kept.py` says which process runs a request with `--reuse`.
"""

import errno
import fcntl
import mmap
import os
import signal
from contextlib import suppress

from ..host.background import GRACE, LEFT
from ..host.problem import Problem
from . import messages, requestfile
from .kept import CHECKING, MAX_REQUEST
from .loop import CHUNK, IN, OUT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..host.guard import OnError
    from .arrival import Arrival
    from .exchangehost import ExchangeHost
    from .kept import Kept
    from .places import Candidate
    from .program import Program

    Started = tuple[str, Program, list[str], dict[str, str]]

    class Owner(Candidate, Protocol):
        """The exchange of a script: it learns what the process writes, and how it ends."""

        def output(self, data: bytes | memoryview) -> None:
            """Take a piece of its standard output."""

        def errors(self, data: bytes) -> None:
            """Take a piece of its standard error."""

        def not_started(self, why: int) -> None:
            """Learn that there is no process, and the errno that says why."""

        def ended(self, status: int) -> None:
            """Learn how it ended, as `subprocess` gives it."""

        def name(self) -> str:
            """Return what the log calls the script."""


WIDE = 1 << 20  # bytes; the most that a user may make of a pipe (fs.pipe-max-size)
FIRST_PAUSE, MAX_PAUSE = 0.001, 0.1  # seconds between asking whether it has ended; doubled
SMALL = 4_096  # bytes of a body; each pipe takes so many, even if its user has very many pipes
HIGH_WATER = 1 << 20  # bytes that wait for a slow peer before its script has to wait too


class Child:
    """One process for an exchange.

    `started` is when it was asked for, `heard` when it last wrote or read, `fed` when it last read some
    of its input, `paused_at` since when it has to wait (0: it does not); all in the loop's time.
    `ahead` is how many bytes may wait for the peer before the script has to wait too.
    """

    __slots__ = (
        "_again", "_ask_at", "_awaited", "_body", "_buffer", "_err", "_host", "_in", "_is_stuck",
        "_kept", "_kill_at", "_loop", "_out", "_owner", "_pause", "_piece", "_spare", "ahead", "done",
        "eof_at", "fed", "heard", "is_reaping", "paused_at", "pid", "slot", "started",
    )  # fmt: skip

    def __init__(self, host: "ExchangeHost", owner: "Owner") -> None:
        self._host = host
        self._loop = host.loop
        self._owner = owner
        self.slot = -1
        self.pid = 0
        self.started = self.heard = self.fed = host.loop.now
        self.eof_at = 0.0  # when its output ended
        self.done = False
        self._out = self._err = self._in = -1
        self._kept: Kept | None = None  # the process, if it may serve other requests too
        # What to start again if the process never takes the request, and the end of its body's pipe
        self._again: Started | None = None
        self._spare = -1
        self._body: Arrival | None = None
        self._piece = memoryview(b"")  # of the body, which it has not taken yet
        self._is_stuck = False  # its input is full
        self.paused_at = 0.0
        self._kill_at = 0.0
        self.is_reaping = False
        self._ask_at = 0.0  # when it may be asked again whether it has ended
        self._pause = FIRST_PAUSE
        self._awaited = False  # processes that it left behind have had a moment to end
        self._buffer: memoryview | None = None  # what is read into; None: a new object each time
        self.ahead = HIGH_WATER

    def start(
        self,
        file: str,
        program: "Program | None",
        arguments: list[str],
        environ: dict[str, str],
        body: "Arrival | None",
    ) -> None:
        """Start the script; `body` is its input, and `feed` says that more of it has come.

        `Problem` 503 if it cannot be started now.
        """
        self._body = body if body is not None and (body.waiting or body.is_owed) else None
        self._begin(file, program, arguments, environ)

    def _begin(
        self, file: str, program: "Program | None", arguments: list[str], environ: dict[str, str]
    ) -> None:
        host = self._host
        ends = self._pipes()
        try:
            if program is None or not self._reuse(file, program, arguments, environ, ends):
                host.zygote.fork(self, file, program, arguments, environ, ends)
        except OSError as error:
            self.drop()
            raise _unavailable(f"The server cannot start a script: {error.strerror}.") from error
        except BaseException:
            self.drop()
            raise
        finally:
            for fd in ends:
                if fd != host.null:
                    os.close(fd)
        self._loop.watch(self._out, IN, self._on_out, self._owner.crashed)
        self._loop.watch(self._err, IN, self._on_err, self._owner.crashed)
        self.feed()

    def _reuse(
        self,
        file: str,
        program: "Program",
        arguments: list[str],
        environ: dict[str, str],
        ends: tuple[int, int, int],
    ) -> bool:
        """Have the script run in a process that serves several requests. False where it is not one of
        those, or that is not possible now.
        """
        keeper = self._host.keeper
        if not keeper.wants(file, program):
            return False
        data = messages.pack(requestfile.made(program.directory, arguments, environ))
        if len(data) > MAX_REQUEST:
            return False
        body = self._body
        is_small = body is None or not (body.is_owed or body.waiting > SMALL)
        if body is not None and is_small:
            self._spare = os.dup(ends[0])
        kept = keeper.get(file, program, self._owner.name(), early=is_small)
        is_new = kept.slot < 0
        if not is_new:
            self._again = (file, program, arguments, environ) if is_small else None
            keeper.begin(kept, self)
        if not kept.send(data, ends):
            self._settle()
            keeper.give_back(kept, self)
            return False
        self._kept = kept
        if is_new:
            self._host.zygote.fork_kept(self, file, program, kept.theirs.fileno())
            kept.theirs.close()
            self._settle()
        return True

    def _pipes(self) -> tuple[int, int, int]:
        """Return the script's three descriptors; their other ends are kept."""
        opened: list[int] = []
        with_input = self._body is not None and self._spare < 0
        try:
            for _ in range(3 if with_input else 2):
                opened += os.pipe()
        except OSError as error:
            for fd in opened:
                os.close(fd)
            raise _unavailable(f"The server cannot open more files: {error.strerror}.") from error
        stdin = self._host.null
        if self._spare >= 0:  # the body is in its pipe, and no process has read it
            stdin, self._spare = self._spare, -1
        elif with_input:
            stdin, self._in = opened[:2]
            os.set_blocking(self._in, False)
            del opened[:2]
        self._out, self._err = opened[0], opened[2]
        return stdin, opened[1], opened[3]

    def forked(self, pid: int) -> None:
        """Note the process id or, if `pid` is negative, why there is no process."""
        if pid > 0:
            if self._kill_at:  # it was to be stopped before its process id was known
                self._signal(signal.SIGTERM)
        elif not self.done:
            self._gone(None, -pid)

    # --- its input ----------------------------------------------------------------------------

    @property
    def is_hungry(self) -> bool:
        """Whether it has read all of its input that has come."""
        return self._in >= 0 and not self._is_stuck

    def feed(self) -> None:
        """Write what has come of its input, as much as the pipe takes."""
        if self.is_hungry:
            self._write()

    def _write(self) -> None:
        body = self._body
        if body is None:
            return
        try:
            while True:
                if not self._piece:
                    self._piece = memoryview(body.read(CHUNK))
                    if not self._piece:
                        break
                self._piece = self._piece[os.write(self._in, self._piece) :]
                self.fed = self.heard = self._loop.now  # reading is also a sign of life
        except BlockingIOError:
            if not self._is_stuck:
                self._is_stuck = True
                self._loop.watch(self._in, OUT, self._on_in, self._owner.crashed)
            return
        except BrokenPipeError:  # it does not want the rest, and need not
            body.drop()
            self._unfeed()
            return
        if self._is_stuck:
            self._is_stuck = False
            self._loop.unwatch(self._in)
        if not body.is_owed:
            self._unfeed()

    def _on_in(self, mask: int) -> None:
        self._write()

    def _unfeed(self) -> None:
        if self._in >= 0:
            self._loop.unwatch(self._in)
            os.close(self._in)
            self._in = -1
            self._is_stuck = False
            self._piece = memoryview(b"")

    # --- its output ---------------------------------------------------------------------------

    @property
    def is_silent(self) -> bool:
        """Whether it could write: its output is open, and it is not paused."""
        return self._out >= 0 and not self.paused_at

    def _on_out(self, mask: int) -> None:
        data: bytes | memoryview
        if self._buffer is None:
            data = os.read(self._out, CHUNK)
            if len(data) == CHUNK:
                self._widen()
        else:
            data = self._buffer[: os.readv(self._out, [self._buffer])]
        if data:
            self.heard = self._loop.now
            self._owner.output(data)
            return
        self._loop.unwatch(self._out)
        os.close(self._out)
        self._out = -1
        self.eof_at = self._loop.now
        self.reap()
        if not self.done and self.eof_at:
            self._host.places.held.add(self._owner)

    def _widen(self) -> None:
        """Make the pipe larger for a script that has filled it, and read it into one buffer.

        For new objects of that size the kernel would have to provide memory, page by page, each time.
        The buffer must be sent before the next read; the pipe holds as much meanwhile.
        """
        with suppress(AttributeError, OSError):  # not Linux, or the user's pipes are large enough
            fcntl.fcntl(self._out, fcntl.F_SETPIPE_SZ, WIDE)
            self._buffer = memoryview(mmap.mmap(-1, WIDE))
            self.ahead = 0

    def _on_err(self, mask: int) -> None:
        data = os.read(self._err, CHUNK)
        if data:
            self._owner.errors(data)
            return
        self._loop.unwatch(self._err)
        os.close(self._err)
        self._err = -1

    def pause(self) -> None:
        """Make it wait: the peer is slower."""
        if self.paused_at:
            return
        self.paused_at = self._loop.now
        for fd in (self._out, self._err):
            if fd >= 0:
                self._loop.unwatch(fd)

    def resume(self) -> None:
        """Let it go on."""
        if self.paused_at:
            self.paused_at = 0.0
            self.heard = self._loop.now
            for fd, handler in ((self._out, self._on_out), (self._err, self._on_err)):
                if fd >= 0:
                    self._loop.watch(fd, IN, handler, self._owner.crashed)

    def unheeded(self) -> None:
        """From now on read its output and drop it, so that the script can end: nobody wants the output.

        What it wrote may still be on its way to the peer, so its buffer is not reused.
        """
        self._buffer = None
        self.ahead = HIGH_WATER
        self.resume()

    # --- its end ------------------------------------------------------------------------------

    @property
    def is_ending(self) -> bool:
        """Whether it was told to end."""
        return bool(self._kill_at)

    def terminate(self) -> None:
        """End it: TERM to its process group, KILL after its grace."""
        if not self._kill_at and not self.done:
            self._kill_at = self._loop.now + self._host.settings.grace
            if self._kept is not None:
                self._kept.close()
            self._signal(signal.SIGTERM)

    def kill_if_due(self) -> None:
        """Send KILL when the grace is over."""
        if self._kill_at and self._loop.now > self._kill_at:
            self._signal(signal.SIGKILL)

    def drop(self) -> None:
        """Let go of it after an error, and end it; its exchange hears nothing more. Never raises."""
        for fd in (self._in, self._out, self._err):
            if fd >= 0:
                with suppress(Exception):
                    self._loop.unwatch(fd)
                with suppress(OSError):
                    os.close(fd)
        self._in = self._out = self._err = -1
        self._settle()
        with suppress(Exception):
            self.terminate()
        self.done = True  # so that the loop asks until it has been reaped

    @property
    def on_error(self) -> "OnError":
        """Ends the exchange after an error in one of its callbacks."""
        return self._owner.crashed

    def _signal(self, number: int) -> None:
        if self.pid and not self.is_reaping:  # so the number is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def reap(self) -> None:
        """Have it reaped if it has ended, and the rest of its process group ended with it.

        One that has left by itself has said so in the table: its answer need not wait for the reaping.
        """
        if self.is_reaping or not self.pid or self._loop.now < self._ask_at:
            return
        if self._again is not None and not self._kill_at and self._is_early():
            return
        zygote = self._host.zygote
        if self._kept is not None and self._out < 0 and not self.done and not self._kill_at:
            answered = zygote.answered_with(self)
            if answered is not None:
                self._host.keeper.rest(self._kept, self)
                self._kept = None
                self._gone(answered)
                return
        status = zygote.left_with(self) if self._out < 0 and not self.done else None
        if self._is_watched():
            pass
        elif status is None:
            self.is_reaping = True
            zygote.reap(self)
        else:
            zygote.reap_soon(self)
        if status is not None:
            self._gone(status)

    def _is_early(self) -> bool:
        """Whether its process has not taken the request, which is started in another one if this one
        never will: the other ends of its pipes are closed.

        One that takes it too late is ended, as one that checks itself for so long without a request is.
        """
        again, kept = self._again, self._kept
        if again is None or kept is None or self._host.keeper.is_taken(kept, self):
            self._settle()
            return False
        if self._out < 0:
            self._start_again(again, kept)
        elif self._loop.now - self.heard > min(CHECKING, self._host.settings.timeout / 2):
            self._signal(signal.SIGKILL)
        return True

    def _start_again(self, again: "Started", kept: "Kept") -> None:
        self._again = self._kept = None
        kept.hear()  # why
        self._host.keeper.give_back(kept, self)
        self._close()
        self.eof_at, self.heard = 0.0, self._loop.now
        try:
            self._begin(*again)
        except Problem:
            self._gone(None, errno.EAGAIN)

    def _settle(self) -> None:
        """Note that no other process will get the request."""
        self._again = None
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1

    def _is_watched(self) -> bool:
        """Whether it has ended, and processes that it left behind get a moment to end as well."""
        background = self._host.background
        if self._kill_at or not background.suspects:
            return False
        name = self._owner.name()
        if not background.is_suspect(name) or not background.look(name, self.pid):
            return False
        if self._awaited:
            background.settle(name)
            self._host.log_once(f"{name}: {LEFT}")
            return False
        self._awaited = True
        self._ask_at = self._loop.now + GRACE
        return True

    def reaped(self, status: int | None, others: bool = False) -> None:
        """Note how it ended; None: it lives. `others`: more processes were in its group."""
        if status is None:
            # If they asked without a pause, worker and zygote would take the processor from the script
            self._ask_at = self._loop.now + self._pause
            self._pause = min(2 * self._pause, MAX_PAUSE)
            if self.eof_at and not self.done:
                self._host.places.held.add(self._owner)
            return
        if others and not self._kill_at:
            self._host.background.suspect(self._owner.name())
        if not self.done:
            self._gone(status)

    def _gone(self, status: int | None, why: int = 0) -> None:
        """Close everything and tell the exchange: its exit status, or the errno of the failed fork."""
        self.done = True
        self._settle()
        self._unfeed()
        self._empty(self._out, self._owner.output)
        self._empty(self._err, self._owner.errors)
        self._close()
        self._host.places.free(self._owner)
        if status is None:
            self._owner.not_started(why)
        else:
            self._owner.ended(status)

    def _close(self) -> None:
        for fd in (self._out, self._err):
            if fd >= 0:
                self._loop.unwatch(fd)
                os.close(fd)
        self._out = self._err = -1

    def _empty(self, fd: int, take: "Callable[[bytes], None]") -> None:
        """Pass on the rest of a pipe: it may have been written right before the end."""
        if fd < 0:
            return
        os.set_blocking(fd, False)
        with suppress(BlockingIOError):
            for _ in range(16):  # bounded: what left the group may go on writing
                data = os.read(fd, CHUNK)
                if not data:
                    break
                take(data)


def _unavailable(what: str) -> Problem:
    return Problem(503, what, headers=(("Retry-After", "5"),))
