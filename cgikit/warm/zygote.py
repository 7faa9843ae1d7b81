"""The process that is forked for every request: it holds modules ready and does nothing else.

After a fork, each page of memory that parent or child writes to has to be copied, and that is most of
what a request costs. So the process that forks is not the one that deals with connections (which is
`worker.py`): it imports little, and between two forks it runs a dozen lines.

A child can read whatever was ever in the memory of the process it was forked from, freed or not. So the
request itself never comes here: the worker writes it to a file without a name, and the child that it is
meant for is the only one to read it.

Messages on the socket to the worker; those to here have their length in front:
- to here, with the script's three descriptors and that of the file with its request: what to run, as
  `messages.py` writes it (see `ZygoteClient.fork`);
- to here, without descriptors (2**31 is added to the length): of children to reap, slots and process
  ids, four bytes each;
- from here: 8 bytes, a child's slot and its process id (negative: the errno of the failed fork); or
  slot + 2**31 and how it ended, as `os.waitstatus_to_exitcode` has it plus 1,000, for a child that was
  reaped, plus 2**16 where others of its process group had to be ended; or 0 there for one that lives.
"""

# Without its face in Python, as in `interpreter.py`
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

    Ready = tuple[object, CodeType | None]

#: Signals that end nothing here: this process ends with its worker. They are blocked from its start on
#: by who starts it, and open again in its children, for whom they are.
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

    def run(self) -> None:
        """Fork and reap on order until the worker is gone. A child leaves by `interpreter.Leave`."""
        recvmsg, fork = self.sock.recvmsg, os.fork
        while True:
            try:
                head, ancillary, _, _ = recvmsg(4, 64)
            except ConnectionResetError:  # the worker ended with answers of ours unread
                return
            if not head:
                return
            size = int.from_bytes(head + exactly(self.sock, 4 - len(head)), "big")
            if size & ENDED:
                self._reap(exactly(self.sock, size ^ ENDED))
                continue
            fds = ancillary[0][2]
            stdin, stdout, stderr, request = (
                int.from_bytes(fds[i : i + 4], sys.byteorder) for i in (0, 4, 8, 12)
            )
            order = exactly(self.sock, size)
            slot, file, stamp, is_warm = messages.decode(order)
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
                self._child(slot, file, ready, request, (stdin, stdout, stderr))
            os.close(stdin)
            os.close(stdout)
            os.close(stderr)
            os.close(request)
            self._answer(slot.to_bytes(4, "big") + pid.to_bytes(4, "big", signed=True))

    def _ready(self, file: str, stamp: object) -> "Ready":
        """Return a script compiled. What cannot be compiled has no code: started cold, it says why."""
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
        """Reap children that have ended, after ending what is left of their process groups: until a
        child is reaped its number cannot become another group's.
        """
        for at in range(0, len(data), 8):
            slot = int.from_bytes(data[at : at + 4], "big")
            pid = int.from_bytes(data[at + 4 : at + 8], "big")
            answer = 0
            try:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    _end_group(pid, 9)
                    answer = ENDING + os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                    if _end_group(pid, 0):  # somebody was there beside it, and is about to end
                        answer += LEFT
            except ChildProcessError:
                answer = ENDING
            self._answer((slot | ENDED).to_bytes(4, "big") + answer.to_bytes(4, "big"))

    def _answer(self, data: bytes) -> None:
        try:
            self.sock.send(data)
        except OSError:  # the worker is gone, which the next look at the socket tells
            pass

    def _child(
        self,
        slot: int,
        file: str,
        ready: "Ready | None",
        request: int,
        descriptors: tuple[int, int, int],
    ) -> None:
        """Become what runs the script. Returns never."""
        try:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, BLOCKED)
            os.setsid()  # a group of its own to end, and no terminal of the server's
            mark = leaving.Mark()
            status = self.attend(slot, file, ready, request, descriptors, self.limits, 3)
            interpreter.run_exit_handlers()
            status = interpreter.finish(status, mark, self.learner.names, c_runs=self.c_runs)
            self.table.statuses[slot] = status + 1
            os._exit(status)
        except interpreter.Leave:
            self.sock.detach()  # its number may be that of a file of the script's by now
            raise
        except BaseException as error:
            why = f"cannot start: {type(error).__name__}: {error}\n"
            os.write(2, why.encode("utf-8", "backslashreplace"))
            os._exit(127)

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
        """Run the script and return its exit status. `request` is the file with the request. `rehearse`
        does it in the zygote itself.
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
        self.table.write_names(os.getpid(), self.learner.learnt())
        return status


def _end_group(pid: int, number: int) -> bool:
    """Send a signal to a process group. False where there is none, or it is another user's."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _say(error: Exception) -> None:
    """Write an error to the log."""
    import traceback

    os.write(2, "".join(traceback.format_exception(error)).encode("utf-8", "backslashreplace"))


def main() -> int:
    """Hold modules ready and fork until the worker is gone. The words are the descriptors of the
    socket and of the table. Return the exit status: that of a script in a child that leaves this way.
    """
    began = time.time_ns()
    os.environ.pop("LD_BIND_NOW", None)
    sock, table = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(sock, False)
    memory = mmap.mmap(table, slottable.SIZE)
    os.close(table)
    # A map closes a descriptor of its own when it ends. In a child that number is a file of the
    # script's. In a cycle that the collector does not see, which is made here, it never ends
    lasting: list[object] = [memory]
    lasting.append(lasting)
    channel = socket(fileno=sock)
    settings = messages.receive(channel)
    zygote = Zygote(channel, SlotTable(memory), settings)
    outcome: preload.Outcome = [], {}, []
    if settings["warm"]:
        outcome = preload.load([*preload.OWN, *settings["preload"]], settings["learnt"])
        # It does nothing but be there: a script's `process.send` arranges for leaving fast where there
        # is none, which is done in `interpreter.finish` anyway
        atexit.register(int)
        zygote.c_runs = leaving.runs_c(list(sys.modules.values()))
        if zygote.c_runs:
            try:
                import _ctypes  # noqa: F401 -- for `leaving.flush_c`
            except ImportError:
                pass  # scripts end in Python's own way, then
        gc.collect()
        gc.freeze()  # or `interpreter.finish` would take what is there for the script's
        rehearse(zygote)
        zygote.learner = preload.Learner()
    data = messages.encode((preload.held(began), *outcome))
    try:
        channel.sendall(data)
    except OSError:  # the worker was ended before it was ready
        os._exit(0)
    del data, outcome
    gc.collect()
    zygote.kept = fill_holes()
    gc.freeze()  # not disabled: children have it, and here everything is freed by its count
    try:
        zygote.run()
    except interpreter.Leave as left:
        return left.status
    os._exit(0)
