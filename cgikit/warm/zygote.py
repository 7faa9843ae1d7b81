"""The process that is forked for every request. It keeps modules preloaded and does nothing else.

After a fork, each page of memory that parent or child writes to has to be copied, and that is most of
what a request costs. So the process that forks is not the one that handles connections (`worker.py`):
it imports little, and between two forks it runs a dozen lines.

A request never comes here: the worker writes it to a file, and the child alone reads it (see
`requestfile.py`).

Messages on the socket to the worker; those to the zygote have their length in front:
- to the zygote, with the script's three descriptors and that of the request file, or with the way to
  the worker on which a child gets several requests: what to run and what to reap before, as
  `messages.py` writes it (see `ZygoteClient.fork`);
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

# By name, what each child calls: to look it up in its module would be to copy that module's page too
from _signal import SIG_UNBLOCK, pthread_sigmask
from _socket import socket
from marshal import loads
from os import (
    P_PID,
    WEXITED,
    WNOHANG,
    WNOWAIT,
    close,
    closerange,
    fork,
    getpid,
    killpg,
    setsid,
    waitid,
    waitpid,
    waitstatus_to_exitcode,
)
from sys import modules as _modules

from .. import leaving
from ..leaving import Mark
from . import interpreter, messages, preload, slottable
from .compiling import compiled
from .interpreter import descriptors as take_descriptors
from .interpreter import finish, limit, run, run_exit_handlers
from .messages import HEAD, exactly
from .program import runs_python
from .rehearsal import fill_holes, rehearse
from .requestfile import read
from .slottable import SlotTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

    from .interpreter import Limits
    from .reuse import Prepared
    from .surroundings import Handlers

    Ready = tuple[object, CodeType | None]

#: Signals that are blocked here, by whoever starts this process: it ends with its worker. Its children
#: unblock them.
BLOCKED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2)
MAX_SCRIPTS = 1_000
ENDED = 1 << 31
ENDING, LEFT = 1_000, 1 << 16  # in the answer for a child that was reaped
from_bytes = int.from_bytes


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
        self.obstacle = ""  # why no child may serve several requests
        self.prepared: Prepared | None = None  # for children that serve several requests

    def run(self) -> None:
        """Fork and reap on order until the worker is gone. A child leaves by `interpreter.Leave`."""
        sock, child, reap, ready_for = self.sock, self._child, self._reap, self._ready
        recvmsg, recv, send = sock.recvmsg, sock.recv, sock.send
        while True:
            try:
                head, ancillary, _, _ = recvmsg(HEAD, 64)
                if not head:
                    return
                head = head if len(head) == HEAD else head + exactly(sock, HEAD - len(head))
                size = from_bytes(head, "big")
                order = recv(size & ~ENDED)
            except ConnectionResetError:  # the worker ended without reading all answers
                return
            left = (size & ~ENDED) - len(order)
            order = order + exactly(sock, left) if left else order
            if size & ENDED:
                reap(order)
                continue
            given = memoryview(ancillary[0][2]).cast("i").tolist()
            slot, file, stamp, is_warm, ended = loads(order)  # noqa: S302 -- written by our worker
            if ended:
                reap(ended)  # first: what has ended still counts against the limit of processes
            ready = None
            try:
                ready = ready_for(file, stamp) if is_warm else None
                pid = fork()
            except OSError as error:
                pid = -(error.errno or 1)
            except Exception as error:  # one script's, and no reason to end the others
                _say(error)
                pid = -errno.EIO
            if not pid:
                child(slot, file, ready, given)
            list(map(close, given))
            try:
                send((slot << 32 | pid & 0xFFFFFFFF).to_bytes(8, "big"))
            except OSError:  # the worker is gone, as the next read of the socket shows
                pass

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
        answers = b""
        for at in range(0, len(data), 8):
            slot = from_bytes(data[at : at + 4], "big")
            pid = from_bytes(data[at + 4 : at + 8], "big")
            answer = 0
            try:
                if waitid(P_PID, pid, WEXITED | WNOHANG | WNOWAIT) is not None:
                    _end_group(pid, 9)
                    answer = ENDING + waitstatus_to_exitcode(waitpid(pid, 0)[1])
                    if _end_group(pid, 0):  # it was not alone, and the others are about to end
                        answer += LEFT
            except ChildProcessError:
                answer = ENDING
            answers += ((slot | ENDED) << 32 | answer).to_bytes(8, "big")
        try:
            self.sock.sendall(answers)
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
            if len(given) == 1:  # the way to the worker
                self._serve(slot, file, ready, given[0])
            else:
                stdin, stdout, stderr, request = given
                self.attend(slot, file, ready, request, (stdin, stdout, stderr), self.limits)
        except interpreter.Leave:
            self.sock.detach()  # its number may be that of a file of the script's by now
            raise
        except BaseException as error:
            try:
                interpreter.say(f"cannot start: {type(error).__name__}: {error}\n")
            finally:  # even if the error cannot be shown: this process must not fork for others
                os._exit(127)

    def _serve(self, slot: int, file: str, ready: "Ready | None", control: int) -> None:
        """Serve several requests of a script, which come from the worker, and exit."""
        from . import reuse  # loaded before the fork, if it is ever used

        pthread_sigmask(SIG_UNBLOCK, BLOCKED)
        setsid()
        if ready is None or ready[1] is None:
            reuse.execute(self, slot, file, control)
            return  # not reached
        status = reuse.Reused(self, slot, file, ready[1], control).serve()
        self.table.statuses[slot] = status + 1
        os._exit(status)

    def attend(
        self,
        slot: int,
        file: str,
        ready: "Ready | None",
        request: int,
        descriptors: tuple[int, int, int],
        limits: "Limits",
        rehearsal: int = 0,
    ) -> None:
        """Run the script in a child, and exit. `request` is the request file.

        All that a child does is here, so that a rehearsal can do it in the zygote itself, which has so
        many descriptors open (0: this is a child).
        """
        if not rehearsal:
            pthread_sigmask(SIG_UNBLOCK, BLOCKED)
            setsid()  # a group of its own to end, and no terminal of the server's
        mark = Mark()
        table = self.table
        table.pids[slot] = getpid()
        directory, arguments, names, values = read(request)
        take_descriptors(*descriptors, self.most if rehearsal else 3, self.most)
        cold = ready is None or ready[1] is None
        limit(interpreter.without_memory(limits) if cold and not runs_python(file) else limits)
        if ready is None or ready[1] is None:
            variables = dict(zip(names, values, strict=True))
            interpreter.execute(file, arguments, {**os.environb, **variables})
            return  # not reached
        status = run(file, ready[1], directory, arguments, names, values)
        learner = self.learner
        if len(_modules) > len(learner.names) and (learnt := learner.learnt()):
            table.write_names(getpid(), learnt)
        if not rehearsal:
            run_exit_handlers()
        status = finish(status, mark, learner.names, rehearsal or 3, c_runs=self.c_runs)
        table.statuses[slot] = status + 1
        if not rehearsal:
            # At its end a process first gives its memory back, which takes longer than most scripts
            # run, and then closes its files: the answer need not wait for that
            closerange(0, 3)
            os._exit(status)


def _end_group(pid: int, number: int) -> bool:
    """Send a signal to a process group. False if there is none, or it is another user's."""
    try:
        killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def _say(error: Exception) -> None:
    """Write an error to the log."""
    import traceback

    interpreter.say("".join(traceback.format_exception(error)))


def _prepare(zygote: Zygote, settings: "dict[str, Any]", memory: object) -> "preload.Outcome":
    """Preload modules, and do in this process what its children will do. `memory` is the table's."""
    if settings["reuse"]:
        from . import reuse  # noqa: F401 -- not in each child

        with preload.Recording(zygote.handlers):
            names = [*preload.OWN, *settings["preload"]]
            outcome = preload.load(names, settings["learnt"], own=(memory,))
            finalize: Any = getattr(sys.modules.get("weakref"), "finalize", None)
            if finalize is not None:  # the first one has an exit handler registered
                finalize(zygote, int).detach()
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
    zygote.learner = preload.Learner()
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
        outcome = _prepare(zygote, settings, memory)
        if settings["reuse"]:
            from . import kinds

            zygote.obstacle = kinds.obstacle((memory,))
    data = messages.pack((preload.held(began), *outcome))
    try:
        channel.sendall(data)
    except OSError:  # the worker was stopped before it was ready
        os._exit(0)
    del data, outcome
    gc.collect()
    zygote.kept = fill_holes()
    gc.freeze()  # the collector stays enabled for the children; here reference counts free everything
    if settings["warm"] and settings["reuse"]:
        from .reuse import Prepared

        zygote.prepared = Prepared(zygote)
    try:
        zygote.run()
    except interpreter.Leave as left:
        return left.status
    os._exit(0)
