"""The processes of a worker that serve several requests (`--reuse`): which there are, which are free.

A process belongs to the request that it serves (`child.py`), and here while it checks itself and waits.
`reuse.py` is the process's own side: what it says on its socket is the reason why it ends. A script
whose processes end after their first request again and again is not tried any more.

Which process runs a request of a script that `--reuse` is for, so that it runs once:

| where the request is | the table says | if the process ends there |
|---|---|---|
| sent: its process waits, or checks itself | not `TAKEN`, with its turn | another one gets it |
| taken: its process runs the script | `TAKEN` | it was run, and fails |
| answered: its process checks itself | `ANSWERED` | it was run, and is answered |
| gone: its process waits for the next | `READY` | the same |

A process receives a request only once its check has passed, and says `TAKEN` before it does anything
for it. It holds the request's descriptors from when it is sent, so the end of its output comes after
all that the process will ever say: what is not taken then never will be. The body has not been read
either; the worker keeps the pipe that holds it (`child.py`). A body larger than `child.SMALL` may not
fit into a pipe, so its request goes to no process that still checks itself, and fails if the process
is killed before it has taken it.
"""

import os
import signal
import socket
from array import array
from contextlib import suppress
from fnmatch import fnmatch

from .loop import IN
from .slottable import READY, turn, turn_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..host.guard import OnError
    from .loop import Loop
    from .program import Program
    from .settings import Settings
    from .zygoteclient import Forked, ZygoteClient

    Key = tuple[str, object]

MAX_REQUEST = 65_536  # bytes of what a process is told about a request; more goes to a new process
MAX_KEPT = 64  # processes of one worker that wait
IDLE = 60.0  # seconds that a process waits for a request
CHECKING = 10.0  # seconds that it may take to check itself
TRIES = (
    3  # processes in a row that end with their first request, before a script is not tried any more
)
MAX_KNOWN = 1_000  # scripts of which that is remembered


class Kept:
    """One process. While it serves a request it is that request's, and this is its socket only.

    As a `Forked` of the zygote it has nothing that anybody waits for.
    """

    __slots__ = (
        "_keeper", "_reason", "_socket", "done", "ending", "is_reaping", "key", "name",
        "pid", "served", "since", "slot", "theirs",
    )  # fmt: skip

    def __init__(self, keeper: "Keeper", key: "Key", name: str) -> None:
        self._keeper = keeper
        self._socket, self.theirs = socket.socketpair()
        self._reason = b""
        self.key = key
        self.name = name
        self.slot = -1  # -1: a request has it, or it was not forked yet
        self.pid = 0
        self.done = True
        self.ending = False
        self.is_reaping = False
        self.served = 0
        self.since = 0.0  # when it had answered
        keeper.loop.watch(self._socket.fileno(), IN, self._on_word, self.crashed)

    def send(self, request: bytes, descriptors: tuple[int, ...]) -> bool:
        """Send a request, with the descriptors of its script. False where that is not possible now."""
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))]
        try:
            sent = self._socket.sendmsg([request], rights, socket.MSG_DONTWAIT)
        except OSError:
            return False
        return sent == len(request)

    def hear(self) -> None:
        """Take what it has said at its end."""
        while self._socket.fileno() >= 0 and not self.ending:
            before = len(self._reason)
            self._on_word(IN)
            if len(self._reason) == before:
                return

    def _on_word(self, mask: int) -> None:
        try:
            data = self._socket.recv(4_096, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._reason += data
        if not data:
            self._keeper.lost(self, self._reason.decode("utf-8", "replace"))

    def close(self) -> None:
        """Let go of it: it ends as soon as it looks for a request. Never raises."""
        self.ending = True
        if self._socket.fileno() >= 0:
            with suppress(Exception):
                self._keeper.loop.unwatch(self._socket.fileno())
            with suppress(OSError):
                self._socket.close()
        with suppress(OSError):
            self.theirs.close()

    @property
    def on_error(self) -> "OnError":
        """Lets go of it after an error in one of its callbacks."""
        return self.crashed

    def crashed(self, incident: str) -> None:
        """Let go of it after an error that nobody expected."""
        self._keeper.drop(self)

    def forked(self, pid: int) -> None:
        """Nothing: a request's child hears of that."""

    def reaped(self, status: int | None, others: bool = False) -> None:
        """Forget it: it has ended. None: it lives."""
        if status is not None:
            self.slot = -1
            self._keeper.drop(self)

    def kill_if_due(self) -> None:
        """Send KILL if it was told to end and has not."""
        if self.ending and self._keeper.loop.now - self.since > CHECKING:
            self.kill()

    def kill(self) -> None:
        """End its process group at once."""
        if self.pid and self.slot >= 0 and not self.is_reaping:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    def reap(self) -> None:
        """Ask for it to be reaped, if it is about to end."""
        if self.ending and self.slot >= 0 and not self.is_reaping:
            self.is_reaping = True
            self._keeper.zygote.reap(self)


class Keeper:
    """The processes of one worker that serve several requests."""

    def __init__(
        self,
        loop: "Loop",
        zygote: "ZygoteClient",
        settings: "Settings",
        log_once: "Callable[[str], None]",
    ) -> None:
        self.loop = loop
        self.zygote = zygote
        self._settings = settings
        self._log_once = log_once
        self._matching: dict[str, bool] = {}
        self._free: dict[Key, list[Kept]] = {}
        self._failures: dict[Key, int] = {}

    def get(self, file: str, program: "Program", name: str, early: bool) -> Kept:
        """Return a process for a request of a script that `wants` has named: of those that wait, the
        one that was used last or, with slot -1, one that is still to be forked.

        If it may be `early`, one that still checks itself rather than a new one: that takes less than a
        fork does. If it ends then, it has not taken the request (`is_taken`).
        """
        key = file, program.stamp
        free = self._free.get(key, [])
        found = next((kept for kept in reversed(free) if self.is_ready(kept)), None)
        if found is None:
            if not (early and free):
                return Kept(self, key, name)
            found = free[-1]
        free.remove(found)
        return found

    def is_ready(self, child: "Forked") -> bool:
        """Whether a process has found no change."""
        return bool(self.zygote.state(child) & READY)

    def is_taken(self, kept: Kept, child: "Forked") -> bool:
        """Whether a process has taken the request that it was given. Otherwise it has run no line of
        the script for it, and never will if the descriptors of the request are closed.
        """
        state = self.zygote.state(child)
        found = turn_of(state)
        return found == turn(kept.served) if found else bool(state)

    def wants(self, file: str, program: "Program") -> bool:
        """Return whether the processes of a script may serve several requests: a pattern names it, its
        file has not changed a moment ago, and it was not tried in vain.
        """
        if program.stamp is None or not self._is_meant(file):
            return False
        return self._failures.get((file, program.stamp), 0) < TRIES

    def give_back(self, kept: Kept, child: "Forked") -> None:
        """Let go of a process that takes no request."""
        if child.slot >= 0:
            kept.slot, kept.pid = child.slot, child.pid
            self.zygote.pass_on(child, kept)
            child.slot, child.pid = -1, 0
        self.drop(kept)

    def _is_meant(self, file: str) -> bool:
        """Whether a pattern matches a script: its path below the root if there is a slash in it,
        otherwise its name.
        """
        patterns = self._settings.reuse
        if not patterns:
            return False
        if file not in self._matching:
            if len(self._matching) >= MAX_KNOWN:
                self._matching.clear()
            below, name = os.path.relpath(file, self._settings.root), os.path.basename(file)
            self._matching[file] = any(
                fnmatch(below if "/" in pattern else name, pattern.lstrip("/"))
                for pattern in patterns
            )
        return self._matching[file]

    def begin(self, kept: Kept, child: "Forked") -> None:
        """Give a free process to a request."""
        child.slot, child.pid = kept.slot, kept.pid
        self.zygote.begin(child)
        self.zygote.pass_on(kept, child)
        kept.slot, kept.pid = -1, 0

    def rest(self, kept: Kept, child: "Forked") -> None:
        """Take a process back whose request is answered."""
        self.zygote.learn_from(child)  # now: it may live long
        kept.slot, kept.pid = child.slot, child.pid
        self.zygote.pass_on(child, kept)
        child.slot, child.pid = -1, 0
        kept.served += 1
        kept.since = self.loop.now
        if kept.served > 1:
            self._failures.pop(kept.key, None)
        if kept.ending or kept.served >= self._settings.reuse_max:
            kept.close()
            return
        waiting = [each for free in self._free.values() for each in free]
        if len(waiting) >= MAX_KEPT:
            self.drop(min(waiting, key=lambda each: each.since))
        self._free.setdefault(kept.key, []).append(kept)

    def lost(self, kept: Kept, reason: str) -> None:
        """Note that a process ends, and why."""
        if reason and not kept.ending:
            self._log_once(f"{kept.name}: its process serves no other request: {reason}")
            if kept.served <= 1:
                self._count_failure(kept)
        self.drop(kept)
        kept.reap()

    def _count_failure(self, kept: Kept) -> None:
        if len(self._failures) >= MAX_KNOWN:
            self._failures.clear()
        tries = self._failures[kept.key] = self._failures.get(kept.key, 0) + 1
        if tries == TRIES:
            self._log_once(f"{kept.name}: it gets a new process for each request from now on")

    def drop(self, kept: Kept) -> None:
        """Let go of a process: it is about to end."""
        free = self._free.get(kept.key, [])
        if kept in free:
            free.remove(kept)
            if not free:
                del self._free[kept.key]
        kept.close()

    def tick(self) -> None:
        """Let go of processes that have waited long, and end those that do not come back."""
        now = self.loop.now
        for kept in [kept for free in self._free.values() for kept in free]:
            if not self.zygote.state(kept) & READY:
                if now - kept.since > CHECKING:
                    kept.kill()
            elif now - kept.since > IDLE:
                self.drop(kept)
