"""The worker's end of its zygote: orders to fork and to reap, and the table that both see.

`zygote.py` describes the messages, `slottable.py` the table.
"""

import os
import select
import socket
import time
from array import array
from collections import deque

from . import requestfile
from .messages import pack
from .slottable import ANSWERED, READY, SLOTS, TAKEN, SlotTable
from .zygote import ENDED, ENDING, LEFT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from ..host.guard import Guard, OnError
    from .program import Program

    class Forked(Protocol):
        """A child of the zygote. `slot` is its place in the table, `pid` its process id (0: not known
        yet, or not any more), `done` whether nobody waits for its end, `is_reaping` whether an answer
        to `reap` is still to come.
        """

        slot: int
        pid: int
        done: bool
        is_reaping: bool

        @property
        def on_error(self) -> OnError:
            """What to call after an error in one of its callbacks."""

        def forked(self, pid: int) -> None:
            """Learn the process id or, if it is negative, the errno of the failed fork."""

        def reaped(self, status: int | None, others: bool = False) -> None:
            """Learn how it ended; None: it lives."""

        def kill_if_due(self) -> None:
            """Send KILL if its grace is over."""

        def reap(self) -> None:
            """Ask for it to be reaped."""


class ZygoteClient:
    """All children that are not reaped yet. `sock` leads to the zygote, `table` is shared with it.

    `learnt` takes the names of modules that a child had to import. What one child's news raise ends
    its exchange, through the `guard`. A zygote that leaves an order unanswered for `patience` seconds
    is taken for gone. So many children that have left are reaped `together`.
    """

    def __init__(
        self,
        sock: socket.socket,
        table: SlotTable,
        learnt: "Callable[[list[str]], None]",
        guard: "Guard",
        patience: float,
        together: int = 1,
    ) -> None:
        self.sock = sock
        self.lost = ""  # why nothing more can be said to the zygote
        self._guard = guard
        self._patience = patience
        self._asked: deque[float] = deque()  # when each order was given that is not answered
        self._table = table
        self._slots = list(range(SLOTS))
        self.children: dict[int, Forked] = {}
        self._replies = b""
        self._learnt = learnt
        self._together = together
        self._leaving: list[Forked] = []  # to be reaped before a fork
        self._ready = select.poll()
        self._ready.register(sock, select.POLLIN | select.POLLOUT)

    def fork(
        self,
        child: "Forked",
        file: str,
        program: "Program | None",
        arguments: list[str],
        environ: dict[str, str],
        descriptors: tuple[int, int, int],
    ) -> None:
        """Have a script run in a process of its own, which `child.forked` hears of.

        Without a `program` that is an interpreter, or another program, started cold. `OSError` where
        the request cannot be handed over now.
        """
        directory = program.directory if program is not None else ""
        request = requestfile.write(requestfile.made(directory, arguments, environ))
        try:  # what has raised until here has taken no slot
            self._order(child, file, program, (*descriptors, request))
        finally:
            os.close(request)

    def fork_kept(self, child: "Forked", file: str, program: "Program", control: int) -> None:
        """Have a process forked that gets its requests, the first too, on a socket: see `kept.py`."""
        self._order(child, file, program, (control,))

    def _order(
        self,
        child: "Forked",
        file: str,
        program: "Program | None",
        descriptors: tuple[int, ...],
    ) -> None:
        slot = child.slot = self._slots.pop()
        self._table.pids[slot] = self._table.statuses[slot] = 0
        self.children[slot] = child
        stamp = program.stamp if program else None
        ended = self._to_reap()
        order = pack((slot, file, stamp, program is not None, ended))
        self._send(order, descriptors, answers=1 + len(ended) // 8)

    def _to_reap(self) -> bytes:
        """Return the slots and process ids of those to reap before a fork, b"" while they are few."""
        pairs = b""
        if len(self._leaving) >= self._together:
            for child in self._leaving:
                child.is_reaping = True
                pairs += (child.slot << 32 | child.pid).to_bytes(8, "big")
            self._leaving.clear()
        return pairs

    def reap(self, child: "Forked") -> None:
        """Ask for a child to be reaped if it has ended, which `child.reaped` hears of."""
        self._send(((8 | ENDED) << 64 | child.slot << 32 | child.pid).to_bytes(12, "big"))

    def reap_soon(self, child: "Forked") -> None:
        """Have a child reaped with others before a fork, or at the next tick of the clock: it has said
        that it leaves, so nothing waits for that, and the zygote need not be woken for it.
        """
        self._leaving.append(child)

    def reap_rest(self) -> None:
        """Ask for those that have said that they leave, again if they were still about to."""
        self._leaving.clear()
        for child in list(self.children.values()):
            if child.done:
                child.kill_if_due()
                child.reap()

    def look_at_clock(self) -> None:
        """Find out whether the zygote still answers: it may be stopped, or hang on a file."""
        if self._asked and time.monotonic() - self._asked[0] > self._patience:
            self.lost = f"has not answered for {self._patience:g} seconds"

    def left_with(self, child: "Forked") -> int | None:
        """Return the exit status of a child that has exited by itself, or None if none is known."""
        status = self._table.statuses[child.slot]
        return status - 1 if status and not status & (ANSWERED | READY | TAKEN) else None

    def answered_with(self, child: "Forked") -> int | None:
        """Return the exit status of a script whose process lives on for other requests, or None."""
        status = self._table.statuses[child.slot]
        return (status & ANSWERED - 1) - 1 if status & (ANSWERED | READY) else None

    def state(self, child: "Forked") -> int:
        """Return what the table says of a child (int)."""
        return self._table.statuses[child.slot] if child.slot >= 0 else 0

    def pass_on(self, former: "Forked", child: "Forked") -> None:
        """Note that a process belongs to another one now; both have its slot."""
        self.children[child.slot] = child

    def begin(self, child: "Forked") -> None:
        """Forget what the table said of a child: it is about to get another request."""
        self._table.statuses[child.slot] = 0

    def receive(self) -> bool:
        """Pass on what the zygote has answered. False when it is gone."""
        there = self._take() and not self.lost
        whole = len(self._replies) & ~7
        replies, self._replies = self._replies[:whole], self._replies[whole:]
        for at in range(0, whole, 8):
            slot = int.from_bytes(replies[at : at + 4], "big")
            value = int.from_bytes(replies[at + 4 : at + 8], "big", signed=True)
            child = self.children[slot & ~ENDED]
            self._asked.popleft()
            if not slot & ENDED:
                if value < 0:
                    self._release(child)
                else:
                    child.pid = value  # here, so that no error makes it forget whom to end
                self._guard(child.on_error, child.forked, value)
                continue
            child.is_reaping = False  # here as well: it has to be asked again, whatever follows
            if value:
                self._release(child)
                self.learn_from(child)
                child.pid = 0  # its number may be another one's by now
            left, value = value & LEFT, value & ~LEFT
            self._guard(child.on_error, child.reaped, value - ENDING if value else None, bool(left))
        return there

    def learn_from(self, child: "Forked") -> None:
        """Take the names of modules that a child had to import."""
        names = self._table.take_names(child.pid)
        if names:
            self._learnt(names)

    def _send(self, message: bytes, descriptors: tuple[int, ...] = (), answers: int = 1) -> None:
        """Send an order that so many answers will follow. Some are taken meanwhile: with hundreds of
        children both ends would otherwise wait until the other one reads.
        """
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", descriptors))] * bool(
            descriptors
        )
        now = time.monotonic()
        self._asked.extend([now] * answers)
        while message and not self.lost:
            try:
                sent = self.sock.sendmsg([message], rights, socket.MSG_DONTWAIT)
            except BlockingIOError:
                left = now + self._patience - time.monotonic()
                if left <= 0:
                    self.lost = f"has taken nothing for {self._patience:g} seconds"
                elif self._ready.poll(left * 1_000):
                    self._take()
            except OSError:
                return  # the zygote is gone, as `receive` is about to tell
            else:
                message, rights = message[sent:], []

    def _take(self) -> bool:
        """Take what answers there are. False at their end."""
        try:
            data = self.sock.recv(8_192, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._replies += data
        return bool(data)

    @property
    def has_news(self) -> bool:
        """Whether answers were taken that `receive` has not passed on yet, or none will come."""
        return len(self._replies) > 7 or bool(self.lost)

    def _release(self, child: "Forked") -> None:
        self._table.pids[child.slot] = 0
        del self.children[child.slot]
        self._slots.append(child.slot)
