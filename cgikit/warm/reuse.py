"""A child that serves one request after another of one script, as long as no change is seen.

With `--reuse` a child does not end with its first request. It takes a baseline before its first visitor
(`baseline.py`: the objects that were there; `surroundings.py`: what the kernel and C keep for the
process), runs the script, puts back what is known to change, and compares. If nothing is seen that a
later request could see, it waits for the next request of the same script. Otherwise it ends as a child
without `--reuse` does, and says why.

"No change was seen" is not "there is none": docs/reference/warm.md says what is not seen.

`kept.py` is the worker's end. Between the two is a socket: requests come on it (as `messages.py` writes
them), each with three descriptors, and the reason for ending goes back. The slot table says how far the
child is, and with which request (its turn): TAKEN before it does anything for a request that it has
received, ANSWERED once the script's output is complete, READY once its check has passed. The next
request may have been sent before that; it is received only then. A child that finds a change ends
instead, and its worker gives the request to another one (the table in `kept.py`).
"""

import gc
import os
import resource
import sys
from _contextvars import copy_context
from _socket import SCM_RIGHTS, SOL_SOCKET, socket

from . import extensions, interpreter, messages
from .baseline import Baseline
from .caches import Caches
from .slottable import ANSWERED, READY, TAKEN, turn
from .streams import Streams
from .surroundings import Surroundings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType, ModuleType
    from typing import Any, NoReturn, Protocol

    from .preload import Learner
    from .slottable import SlotTable
    from .surroundings import Handlers

    class Forking(Protocol):
        """The zygote, as far as its child needs it. `handlers` are the exit handlers that libraries
        have registered, `obstacle` why no child may serve several requests, `kept` what fills its
        memory, `scripts` those that are compiled.
        """

        table: SlotTable
        limits: interpreter.Limits
        most: int
        learner: Learner
        c_runs: bool
        handlers: Handlers
        obstacle: str
        kept: list[bytes]
        scripts: dict[str, Any]
        prepared: "Prepared | None"

    #: The directory that comes first on the script's path, its arguments, its meta-variables.
    Request = tuple[str, list[str], list[bytes], list[bytes]]


#: Where the socket to the worker is, out of the way of a script's own descriptors.
CONTROL = 255
MAX_REASON = 2_000  # bytes


class Prepared:
    """What the zygote has found out for its children before any of them has served."""

    def __init__(self, zygote: "Forking") -> None:
        apart = extensions.take_ctypes_away()
        gc.disable()
        gc.unfreeze()
        self.streams = Streams()
        self.caches = Caches()
        gc.freeze()
        gc.enable()
        self.refused = extensions.unknown(list(sys.modules.values())) or zygote.obstacle
        parts: list[Any] = [zygote, self, self.streams, self.caches]
        own = (*parts, *map(vars, parts), *self.caches.own(), zygote.kept, zygote.scripts)
        self.baseline = Baseline(own)
        sys.modules.update(apart)


class Reused:
    """A child of the zygote that serves requests of `file`, whose code is `code`. `slot` is its place
    in the table, `control` the descriptor of its socket to the worker.
    """

    def __init__(
        self, zygote: "Forking", slot: int, file: str, code: "CodeType", control: int
    ) -> None:
        zygote.table.pids[slot] = os.getpid()
        place = min(CONTROL, zygote.most - 1)
        os.dup2(control, place, inheritable=False)
        os.closerange(0, place)
        os.closerange(place + 1, zygote.most)
        interpreter.limit(zygote.limits)
        self._zygote = zygote
        self._slot = slot
        self._file = file
        self._code = code
        self._socket = socket(fileno=place)
        self._reason = ""
        frame: Any = sys._getframe()
        while frame is not None:  # objects from now on, which no request makes
            frame = frame.f_back
        copy_context().run(int)  # the same
        seconds = next((p[0] for k, p in zygote.limits if k == resource.RLIMIT_CPU), 0)
        self._surroundings = Surroundings(place, seconds, zygote.handlers)
        extensions.take_ctypes_away()
        prepared = zygote.prepared
        if prepared is None:
            raise RuntimeError("no baseline was taken in the zygote")
        self._streams = prepared.streams
        self._caches = prepared.caches
        self._baseline = prepared.baseline
        self._modules = prepared.baseline.modules
        self._refused = prepared.refused
        self._caches.restore()
        interpreter.number_thread(os.getpid())
        self._baseline.renew()

    def serve(self) -> int:
        """Serve requests until one has left a trace or no more come. Return the exit status;
        `interpreter.Leave` where the interpreter has to be finalized.
        """
        statuses, slot = self._zygote.table.statuses, self._slot
        number = 0
        while True:
            request = _received(self._socket)
            if request is None:
                os._exit(0)  # the worker has let go of this process
            statuses[slot] = TAKEN | turn(number)
            status = self._attend(request)
            del request
            if self._reason:
                return self._finish(status)
            statuses[slot] = (status + 1) | ANSWERED | turn(number)
            os.closerange(0, 3)  # now the worker sees the end of the output
            reason = self._compare()
            if reason:
                self._end(reason)
            statuses[slot] = (status + 1) | READY | turn(number)
            number += 1

    # --- one request --------------------------------------------------------------------------

    def _attend(self, request: "Request") -> int:
        """Run the script; return its exit status. Sets the reason for which nothing may follow."""
        directory, words, names, values = request
        self._streams.renew()
        self._surroundings.allow_time()
        context = copy_context()  # variables of contexts, such as that of `decimal`, end with it
        status = context.run(
            interpreter.run, self._file, self._code, directory, words, names, values
        )
        self._reason = self._refused or self._surroundings.left_running()
        context.run(self._surroundings.run_exit_handlers)
        learnt = self._zygote.learner.learnt()
        if learnt:
            self._zygote.table.write_names(os.getpid(), learnt)
        del context, request, names, values, words
        self._release()
        self._reason = self._reason or self._left()
        return status

    def _release(self) -> None:
        """Let go of everything that the script has made, as the interpreter does at its end."""
        modules, before = sys.modules, self._modules
        modules.pop("__main__", None)
        for name in [name for name in modules if name not in before]:
            self._forget(name, modules.pop(name))  # nothing here may keep the last one
        self._caches.restore()  # what they hold as well, such as classes
        gc.collect()

    def _forget(self, name: str, module: "ModuleType") -> None:
        """Take a module, which the script has imported, out of the package that it is in."""
        before = self._modules
        if extensions.is_extension(module):
            self._reason = self._reason or f"it imported {name}, which is written in C"
        above, _, last = name.rpartition(".")
        if above in before and vars(before[above]).get(last) is module:
            delattr(before[above], last)

    def _left(self) -> str:
        """Return what is left of the request, or "" if nothing is."""
        if not self._mark_is_seen():
            return "it hid objects from the garbage collector"
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BrokenPipeError:
                pass  # the client has disconnected
            except (OSError, ValueError, AttributeError):
                return "its output could not be written"
        return self._surroundings.left_running()

    def _mark_is_seen(self) -> bool:
        return any(thing is self._baseline.mark for thing in gc.get_objects())

    def _compare(self) -> str:
        """Put back what is known; return what has changed nevertheless, or "" if nothing is seen."""
        try:
            self._surroundings.restore()
        except (OSError, TypeError, ValueError):  # such as a limit that was lowered for good
            return "a limit, or the handler of a signal, cannot be put back"
        what = self._surroundings.changed()
        if what:
            return what
        left = self._baseline.new()
        has_changed = self._baseline.has_changed()
        if has_changed:
            del left
            self._caches.restore_rare()
            gc.collect()  # stops tracking those that hold nothing but strings again
            left = self._baseline.new()
            has_changed = self._baseline.has_changed()
        if has_changed:
            return f"{self._baseline.changed()} changed"
        if left:
            kind = type(left[0])
            return f"an object is left: {kind.__module__}.{kind.__qualname__}"
        return ""

    # --- the end ------------------------------------------------------------------------------

    def _finish(self, status: int) -> int:
        """End as a child that serves one request does: its output is still open."""
        self._say(self._reason)
        listed = [sys.stdout, sys.stderr]
        zygote = self._zygote
        return interpreter.finish(
            status,
            self._baseline.mark,
            zygote.learner.names,
            descriptors=4,
            c_runs=zygote.c_runs,
            streams=listed,
        )

    def _end(self, reason: str) -> "NoReturn":
        self._say(reason)
        os._exit(0)

    def _say(self, reason: str) -> None:
        try:
            self._socket.send(reason.encode("utf-8", "backslashreplace")[:MAX_REASON])
        except OSError:  # the worker is gone
            pass


def execute(zygote: "Forking", slot: int, file: str, control: int) -> None:
    """Start a script that cannot be compiled in an interpreter of its own, for the first request on the
    socket to the worker. Never returns.
    """
    zygote.table.pids[slot] = os.getpid()
    place = min(CONTROL, zygote.most - 1)
    os.dup2(control, place, inheritable=False)
    os.closerange(0, place)
    os.closerange(place + 1, zygote.most)
    request = _received(socket(fileno=place))
    if request is None:
        os._exit(0)
    _, words, names, values = request
    interpreter.limit(zygote.limits)
    variables = dict(zip(names, values, strict=True))
    interpreter.execute(file, words, {**os.environb, **variables})


def _received(sock: socket) -> "Request | None":
    """Wait for a request, and make its descriptors 0, 1 and 2. None if no more come."""
    head, ancillary, _, _ = sock.recvmsg(65_536 + 4, 64)
    if not head:
        return None
    while len(head) < 4 or len(head) < 4 + int.from_bytes(head[:4], "big"):
        head += messages.exactly(sock, 1)
    _standard(ancillary)
    request: Request = messages.unpack(head[4:])
    return request


def _standard(ancillary: "list[tuple[int, int, bytes]]") -> None:
    """Make the descriptors that came with a request 0, 1 and 2, which is what they are if none of these
    was open.
    """
    data = next(d for level, kind, d in ancillary if (level, kind) == (SOL_SOCKET, SCM_RIGHTS))
    found = [int.from_bytes(data[at : at + 4], sys.byteorder) for at in (0, 4, 8)]
    if found != [0, 1, 2]:
        raise OSError(f"the descriptors of a request are {found}, and 0, 1 and 2 were expected")
