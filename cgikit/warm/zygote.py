"""The process that is forked for every request. It keeps modules preloaded and does nothing else.

After a fork, each page of memory that parent or child writes to has to be copied, and that is most of
what a request costs. So the process that forks is not the one that handles connections (`worker.py`):
it imports little, and between two forks it runs a dozen lines.

A request never comes here: the worker writes it to a file, and the child alone reads it (see
`requestfile.py`).

Messages on the socket to the worker; those to the zygote have their length in front:
- to the zygote, with the script's three descriptors and that of the request file, or with the way to
  the worker on which a child gets several requests: what to run, as `messages.py` writes it (see
  `ZygoteClient.fork`);
- to the zygote, without descriptors (2**31 is added to the length): slots and process ids of children
  to reap, four bytes each;
- from the zygote: 8 bytes, a child's slot and its process id (negative: the errno of the failed
  fork); or slot + 2**31 and how the child ended. That is 0 if it lives; for a child that was reaped it
  is `os.waitstatus_to_exitcode` plus 1,000, plus 2**16 if others in its process group had to be killed.
"""

# Without the module in Python around it, as in `interpreter.py`
import _signal as signal  # type: ignore[import-not-found]
import atexit
import errno
import gc
import mmap
import os
import sys
import time
from _socket import socket

from .. import leaving
from . import interpreter, messages, preload, requestfile, slottable
from .compiling import compiled
from .messages import exactly
from .program import runs_python
from .rehearsal import fill_holes, rehearse
from .slottable import SlotTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from .surroundings import Handlers

    Ready = tuple[object, CodeType | None]

#: Signals that are blocked here, by whoever starts this process: it ends with its worker. Its children
#: unblock them.
BLOCKED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
MAX_SCRIPTS = 1_000
ENDED = 1 << 31
ENDING, LEFT = 1_000, 1 << 16  # in the answer for a child that was reaped


class Zygote:
    """The forking end of a worker. `sock` leads to the worker, `table` is shared with it."""

    def __init__(self, sock: socket, table: SlotTable, settings: "dict[str, Any]") -> None:
        self.sock = sock
        self.table = table
        self.limits = interpreter.limits(settings)
        self.most = interpreter.most_descriptors()
        self.scripts: dict[str, Ready] = {}
        self.learner = preload.Learner()
        self.c_runs = False  # whether a module that is preloaded has C code of its own
        self.kept: list[bytes] = []
        self.handlers: Handlers = []  # of libraries, to be called at exit

    def run(self) -> None:
        """Fork and reap on order until the worker is gone. A child leaves by `interpreter.Leave`."""
        recvmsg, fork = self.sock.recvmsg, os.fork
        while True:
            try:
                head, ancillary, _, _ = recvmsg(4, 64)
            except ConnectionResetError:  # the worker ended without reading all answers
                return
            if not head:
                return
            size = int.from_bytes(head + exactly(self.sock, 4 - len(head)), "big")
            if size & ENDED:
                self._reap(exactly(self.sock, size ^ ENDED))
                continue
            fds = ancillary[0][2]
            given = [int.from_bytes(fds[i : i + 4], sys.byteorder) for i in range(0, len(fds), 4)]
            order = exactly(self.sock, size)
            slot, file, stamp, is_warm = messages.unpack(order)
            ready = None
            try:
                if is_warm:
                    ready = self._ready(file, stamp)
                pid = fork()
            except OSError as error:
                pid = -(error.errno or 1)
            except Exception as error:  # one script's, and no reason to end the others
                _say(error)
                pid = -errno.EIO
            if not pid:
                self._child(slot, file, ready, given)
            for fd in given:
                os.close(fd)
            self._answer(slot.to_bytes(4, "big") + pid.to_bytes(4, "big", signed=True))

    def _ready(self, file: str, stamp: object) -> "Ready":
        """Return a compiled script, without code if it cannot be compiled: a cold start says why."""
        known = self.scripts.get(file)
        if known is not None and known[0] == stamp and stamp is not None:
            return known
        code = compiled(file, self.limits)
        if len(self.scripts) >= MAX_SCRIPTS:
            self.scripts.clear()
        known = self.scripts[file] = stamp, code
        gc.freeze()
        return known

    def _reap(self, data: bytes) -> None:
        """Reap children that have ended, after ending the rest of their process groups: until a child
        is reaped, no other process group can get its number.
        """
        for at in range(0, len(data), 8):
            slot = int.from_bytes(data[at : at + 4], "big")
            pid = int.from_bytes(data[at + 4 : at + 8], "big")
            answer = 0
            try:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    _end_group(pid, 9)
                    answer = ENDING + os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    if _end_group(pid, 0):  # it was not alone, and the others are about to end
                        answer += LEFT
            except ChildProcessError:
                answer = ENDING
            self._answer((slot | ENDED).to_bytes(4, "big") + answer.to_bytes(4, "big"))

    def _answer(self, data: bytes) -> None:
        try:
            self.sock.send(data)
        except OSError:  # the worker is gone, as the next read of the socket shows
            pass

    def _child(
        self,
        slot: int,
        file: str,
        ready: "Ready | None",
        given: list[int],
    ) -> None:
        """Run the script: this is its process. Never returns."""
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
            os.setsid()  # a group of its own to end, and no terminal of the server's
            status = self._run(slot, file, ready, given)
            self.table.statuses[slot] = status + 1
            os._exit(status)
        except interpreter.Leave:
            self.sock.detach()  # its number may be that of a file of the script's by now
            raise
        except BaseException as error:
            try:
                interpreter.say(f"cannot start: {type(error).__name__}: {error}\n")
            finally:  # even if the error cannot be shown: this process must not fork for others
                os._exit(127)

    def _run(self, slot: int, file: str, ready: "Ready | None", given: list[int]) -> int:
        """Run the script for one request or, if all that was given is a way to the worker, for several.
        Return the exit status.
        """
        if len(given) == 1:
            from . import reuse  # loaded before the fork, if it is ever used

            if ready is None or ready[1] is None:
                reuse.execute(self, slot, file, given[0])
                return 127  # not reached
            return reuse.Reused(self, slot, file, ready[1], given[0]).serve()
        stdin, stdout, stderr, request = given
        mark = leaving.Mark()
        status = self.attend(slot, file, ready, request, (stdin, stdout, stderr), self.limits, 3)
        interpreter.run_exit_handlers()
        return interpreter.finish(status, mark, self.learner.names, c_runs=self.c_runs)

    def attend(
        self,
        slot: int,
        file: str,
        ready: "Ready | None",
        request: int,
        descriptors: tuple[int, int, int],
        limits: "interpreter.Limits",
        above: int,
    ) -> int:
        """Run the script and return its exit status. `request` is the request file. A rehearsal calls
        this in the zygote itself.
        """
        self.table.pids[slot] = os.getpid()
        directory, arguments, names, values = requestfile.read(request)
        interpreter.descriptors(*descriptors, above, self.most)
        cold = ready is None or ready[1] is None
        interpreter.limit(
            interpreter.without_memory(limits) if cold and not runs_python(file) else limits
        )
        if ready is None or ready[1] is None:
            variables = dict(zip(names, values, strict=True))
            interpreter.execute(file, arguments, {**os.environb, **variables})
            return 127  # not reached
        status = interpreter.run(file, ready[1], directory, arguments, names, values)
        learnt = self.learner.learnt()
        if learnt:
            self.table.write_names(os.getpid(), learnt)
        return status


def _end_group(pid: int, number: int) -> bool:
    """Send a signal to a process group. False if there is none, or it is another user's."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _say(error: Exception) -> None:
    """Write an error to the log."""
    import traceback

    interpreter.say("".join(traceback.format_exception(error)))


def _prepare(zygote: Zygote, settings: "dict[str, Any]") -> "preload.Outcome":
    """Preload modules, and do in this process what its children will do."""
    if settings["reuse"]:
        from . import reuse  # noqa: F401 -- not in each child

        with preload.registered(zygote.handlers):
            outcome = preload.load([*preload.OWN, *settings["preload"]], settings["learnt"])
            atexit.register(int)
    else:
        outcome = preload.load([*preload.OWN, *settings["preload"]], settings["learnt"])
    # An exit handler that does nothing: `process.send` arranges for leaving fast only if there is
    # no other, and here `interpreter.finish` does that
    if not settings["reuse"]:
        atexit.register(int)
    zygote.c_runs = leaving.runs_c(list(sys.modules.values()))
    if zygote.c_runs:
        try:
            import _ctypes  # noqa: F401 -- for `leaving.flush_c`
        except ImportError:
            pass  # scripts end in Python's own way, then
    gc.collect()
    gc.freeze()  # or `interpreter.finish` would mistake these objects for the script's
    rehearse(zygote)
    zygote.learner = preload.Learner()
    return outcome


def main() -> int:
    """Preload modules and fork until the worker is gone. The arguments are the descriptors of the
    socket and the table. Return the exit status: that of a script in a child that leaves this way.
    """
    began = time.time_ns()
    os.environ.pop("LD_BIND_NOW", None)
    sock, table = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(sock, False)
    memory = mmap.mmap(table, slottable.SIZE)
    os.close(table)
    # A map closes a descriptor of its own when it is freed; in a child the script may have a file with
    # that number. In a reference cycle that the collector does not see, the map is never freed
    lasting: list[object] = [memory]
    lasting.append(lasting)
    channel = socket(fileno=sock)
    settings = messages.receive(channel)
    zygote = Zygote(channel, SlotTable(memory), settings)
    outcome: preload.Outcome = [], {}, []
    if settings["warm"]:
        outcome = _prepare(zygote, settings)
    data = messages.pack((preload.held(began), *outcome))
    try:
        channel.sendall(data)
    except OSError:  # the worker was stopped before it was ready
        os._exit(0)
    del data, outcome
    gc.collect()
    zygote.kept = fill_holes()
    gc.freeze()  # the collector stays enabled for the children; here reference counts free everything
    try:
        zygote.run()
    except interpreter.Leave as left:
        return left.status
    os._exit(0)
