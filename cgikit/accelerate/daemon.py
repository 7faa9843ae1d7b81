"""The process that a folder's fronts connect to. It forks a child for each, and knows how each ends.

One loop, no threads. Nothing here waits for a front: the child reads what it has to say. What the
daemon decides itself, before it forks, is whether the libraries that it has loaded are up to date; if
not, it starts a successor and refuses until that is ready. `__init__.py` has the whole protocol.
"""

# Without their faces in Python, as in `warm/interpreter.py`
import _signal as signal  # type: ignore[import-not-found]
import atexit
import gc
import mmap
import os
import resource
import select
import sys
import time
from _socket import AF_UNIX, SOCK_STREAM, SOL_SOCKET, socket

from .. import leaving
from ..logfile import LogFile
from ..warm import interpreter, preload, requestfile, slottable
from ..warm.rehearsal import fill_holes, rehearse
from ..warm.slottable import SlotTable
from . import child, likeness, records
from .command import CODE, OPTIONS, PACKAGE
from .ledger import LOG, Ledger, Nowhere
from .scripts import Fronts, Scripts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

MOST_CHILDREN = 64
OWN_FILES = 24  # descriptors, for everything but connections
BACKLOG = 64
TICK = 5.0  # seconds between looks at the clock
SETTLE = 1.0  # seconds without a request before what was learnt is preloaded
OF_USE = 50  # requests
SPENT = "the time of the processor that it may use is nearly used up"
MAX_LEARNINGS = 20  # successors for what was learnt, in the life of a socket


class Daemon:
    """The daemon of the directory `place`. `lock` is the descriptor that nobody else may lock while it
    lives, `learnings` how many daemons there were on this socket before it.
    """

    def __init__(self, place: str, lock: int, learnings: int = 0) -> None:
        self.place = place
        self._signals = likeness.signals()
        self._groups = likeness.groups()
        self.settings = records.read(os.path.join(place, "settings"))
        self._stamp = self._settings_stamp()
        beside, in_place = (
            [value for name, value in self.settings if name == kind] for kind in records.SCRIPTS
        )
        self._fronts = Fronts(beside, in_place)
        values = dict(self.settings)
        self._folder = values["folder"]
        self._idle = float(values["idle"])
        self._own, self._added = likeness.of_this_process()
        self._lock = lock
        self._learnings = learnings
        self._ledger = Ledger(place)
        self.table = SlotTable(mmap.mmap(-1, slottable.SIZE))
        self.limits: interpreter.Limits = []
        self.most = interpreter.most_descriptors()
        self._poll = select.poll()
        self._children: dict[int, tuple[int, socket]] = {}  # by process id: slot, connection
        self._by_fd: dict[int, int] = {}
        # Each has a connection here; where accepting them fails, the loop would not rest
        self._free = list(range(max(0, min(MOST_CHILDREN, self.most - OWN_FILES))))
        self._counted = self._looked = time.monotonic()
        self._is_new = False  # whether something was learnt since
        self._asked = time.monotonic()
        self._draining = False
        self._successor = -1
        self._successor_pid = 0
        self._wait = 0
        self._tail = b""

    # --- start --------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Load what scripts use, and rehearse."""
        began = time.time_ns()
        ledger = self._ledger
        failed, refused, absent = preload.load([*preload.OWN], list(ledger.learnt))
        for line in failed:
            ledger.say(f"not preloaded: {line}")
        ledger.unlearn({**refused, **dict.fromkeys(absent, "it cannot be found")})
        atexit.register(int)  # as in the zygote: no exit handler of `process.send` is needed
        self._c_runs = leaving.runs_c(list(sys.modules.values()))
        if self._c_runs:
            try:
                import _ctypes  # noqa: F401 -- for `leaving.flush_c`
            except ImportError:
                pass  # scripts end in Python's own way, then
        gc.collect()
        gc.freeze()
        self._learner = preload.Learner()
        rehearse(self)
        self._learner = preload.Learner()
        held = preload.held(began)
        scripts = frozenset(value for name, value in self.settings if name == "script")
        search = os.environ.get("PATH", os.defpath)
        kept = frozenset(value for name, value in self.settings if name == "kept")
        self._scripts = Scripts(scripts, held, sys.path[1:], search, kept)
        self._scripts.stale()
        gc.collect()
        self._holes = fill_holes()
        gc.freeze()

    def attend(
        self,
        slot: int,
        file: str,
        ready: "tuple[object, CodeType | None] | None",
        request: int,
        descriptors: tuple[int, int, int],
        limits: "interpreter.Limits",
        rehearsal: int = 0,
    ) -> None:
        """Run a script in this process, which has so many descriptors open: a rehearsal of `Child`."""
        mark = leaving.Mark()
        directory, arguments, names, values = requestfile.read(request)
        interpreter.descriptors(*descriptors, self.most, self.most)
        if ready is None or ready[1] is None:
            raise ValueError("a rehearsal needs code")
        status = interpreter.run(file, ready[1], directory, arguments, names, values)
        known = self._learner.names
        self.table.statuses[slot] = interpreter.finish(status, mark, known, rehearsal, self._c_runs)

    # --- the loop -----------------------------------------------------------------------------

    def run(self, listener: socket) -> int:
        """Serve until there is nothing more to do; return the exit status. A child leaves by
        `interpreter.Leave`.
        """
        self._listener = listener
        woken, waker = _pipe()
        self._news, self._telling = _pipe()
        signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, _noted)
        signal.signal(signal.SIGTERM, lambda number, frame: self._drain())
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self._listener.setblocking(False)
        listening = self._listener.fileno()
        for fd in (woken, self._news, listening):
            self._poll.register(fd, select.POLLIN)
        if not self._learnings:
            try:
                self._wait = records.begin_waiting(self.place)
            except OSError as error:  # the disk is full, say
                self._ledger.say(f"it cannot be noted that this one has started: {error.strerror}")
        while not self._draining or self._children:
            for fd, _ in self._poll.poll(self._pause()):
                if fd == listening:
                    self._accept()
                elif fd == woken:
                    os.read(woken, 512)
                elif fd == self._news:
                    self._hear()
                elif fd == self._successor:
                    self._succeed()
                else:
                    self._hung_up(fd)
            self._reap()
            self._look_at_clock()
        self._ledger.write_counts()
        return 0

    def _pause(self) -> int:
        return int(1_000 * (SETTLE if self._is_new else TICK))

    def _accept(self) -> None:
        if self._draining:
            return
        try:
            fd, _ = self._listener._accept()  # type: ignore[attr-defined]
        except OSError:
            return
        connection = socket(fileno=fd)
        self._asked = time.monotonic()
        why = self._why_not(connection)
        if not why:
            slot = self._free.pop()
            self.table.statuses[slot] = 0
            try:
                pid = os.fork()
            except OSError as error:
                self._free.append(slot)
                why = f"no process can be started: {error.strerror}"
            else:
                if not pid:
                    self._be_child(connection, slot)
                self._children[pid] = slot, connection
                self._by_fd[fd] = pid
                self._poll.register(fd, 0)  # only its end is of interest
                return
        self._ledger.refused += 1
        self._ledger.say_once(why)
        _tell(connection, f"D {why}\n")
        connection.close()

    def _why_not(self, connection: socket) -> str:
        """Return why a request cannot run here, as far as that can be told without its message."""
        peer = connection.getsockopt(SOL_SOCKET, 17, 12)
        user, group = (int.from_bytes(peer[at : at + 4], sys.byteorder) for at in (4, 8))
        if user != os.geteuid() or group != os.getegid():
            return f"it comes from user {user}, group {group}"
        if not likeness.has_groups(connection, self._groups):
            return "it is in other groups than this daemon"
        if not self._free:
            return f"{len(self._children)} scripts run already"
        if self._successor >= 0:
            return "the libraries are being loaded anew"
        stale = self._scripts.stale()
        if stale:
            self._replace()
            return f"{stale} has changed"
        return ""

    def _be_child(self, connection: socket, slot: int) -> None:
        """Be the child. Never returns, but may raise `interpreter.Leave`."""
        try:
            child.born(self._signals)
            for other in (self._listener, *[one for _, one in self._children.values()]):
                other.detach()  # its number may be that of a file of the script's by the end
            self.table.pids[slot] = os.getpid()
            one = child.Child(
                connection,
                self._scripts,
                self.table,
                self._learner,
                self._telling,
                self._own,
                self._added,
                self._c_runs,
            )
            one.live(slot)
        except interpreter.Leave:
            raise
        except BaseException as error:
            try:
                interpreter.say(f"cannot start: {type(error).__name__}: {error}\n")
            finally:
                os._exit(127)

    def _hear(self) -> None:
        *lines, self._tail = (self._tail + os.read(self._news, 65_536)).split(b"\n")
        for line in lines:
            kind, _, text = os.fsdecode(line).partition(" ")
            if kind == "new":
                self._scripts.keep(text)
                gc.freeze()
            elif kind == "direct":
                self._ledger.say_once(text)

    def _hung_up(self, fd: int) -> None:
        """End what a front has left, unless it is at its own end."""
        pid = self._by_fd.pop(fd)
        self._poll.unregister(fd)
        if self.table.statuses[self._children[pid][0]] <= 0:
            for kill in (os.killpg, os.kill):  # it may have no group yet
                try:
                    kill(pid, 9)
                except OSError:
                    pass

    def _reap(self) -> None:
        while self._children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if pid in self._children:
                self._ended(pid, os.waitstatus_to_exitcode(status))

    def _ended(self, pid: int, status: int) -> None:
        slot, connection = self._children.pop(pid)
        if self.table.statuses[slot]:
            self._ledger.warm += 1
        else:  # no *go*: the front ran it
            self._ledger.refused += 1
        names = self.table.take_names(pid)
        if self._ledger.learn(names):
            self._is_new = True
        _tell(connection, f"K {-status}\n" if status < 0 else f"E {status}\n")
        fd = connection.fileno()
        if self._by_fd.pop(fd, 0):
            self._poll.unregister(fd)
        connection.close()
        self._free.append(slot)
        if self._wait and self._ledger.served >= OF_USE:
            self._wait = 0
            records.end_waiting(self.place)

    # --- the clock, and the end ---------------------------------------------------------------

    def _look_at_clock(self) -> None:
        now = time.monotonic()
        if now - self._counted > TICK and self._ledger.has_news():
            self._counted = now
            self._scripts.remember()
            self._ledger.write_counts()
        if self._draining:
            return
        if now - self._looked > 1:
            self._looked = now
            why = self._is_over()
            if why:
                self._ledger.say(f"it ends: {why}")
                self._drain(self._wait if why == SPENT else 0)
        if self._draining or self._children:
            return
        if self._is_new and now - self._asked > SETTLE and self._learnings < MAX_LEARNINGS:
            self._is_new = False
            self._ledger.write_learnt()
            self._replace()
        elif now - self._asked > self._idle:
            self._drain(self._wait)

    def _is_over(self) -> str:
        """Return why there is no more use for this daemon, or ""."""
        if not os.path.isdir(self._folder):
            return f"{self._folder} is gone"
        if self._settings_stamp() != self._stamp:
            return "the settings have changed"
        front = self._fronts.changed()
        if front:
            return f"{front} has changed"
        limit = resource.getrlimit(resource.RLIMIT_CPU)[0]
        used = resource.getrusage(resource.RUSAGE_SELF)
        is_spent = limit > 0 and used.ru_utime + used.ru_stime > limit - 2
        return SPENT if is_spent else ""

    def _settings_stamp(self) -> object:
        try:
            found = os.stat(os.path.join(self.place, "settings"))
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _drain(self, wait: int = 0) -> None:
        """Take no more requests; end when those in hand have ended. The next daemon starts after `wait`
        seconds: without requests this one was of little use. It need not wait for the scripts of this
        one, which may take hours.
        """
        if self._draining:
            return
        self._draining = True
        try:
            os.unlink(os.path.join(self.place, "s"))
            records.end_waiting(self.place, wait)
        except OSError:
            pass
        self._stop_listening()
        if self._successor >= 0:  # it has the lock, too, and nobody would reach it
            os.kill(self._successor_pid, 9)
        os.close(self._lock)

    def _stop_listening(self) -> None:
        self._poll.unregister(self._listener.fileno())
        self._listener.close()

    def _replace(self) -> None:
        """Start a successor, which gets the socket and the lock."""
        if self._successor >= 0:
            return
        reader, writer = os.pipe()
        fds = (self._lock, self._listener.fileno(), writer)
        for fd in fds:
            os.set_inheritable(fd, True)
        words = [sys.executable, *OPTIONS, "-c", CODE, PACKAGE, self.place, *map(str, fds)]
        words.append(str(self._learnings + 1))
        try:
            ignored, blocked = self._signals
            self._successor_pid = os.posix_spawn(
                sys.executable,
                words,
                {**self._own, b"LD_BIND_NOW": b"1"},
                setsigmask=blocked,
                setsigdef=[number for number in likeness.HANDLED if number not in ignored],
            )
        except OSError as error:
            self._ledger.say(f"no successor can be started: {error.strerror}")
            os.close(reader)
            self._drain()
        else:
            self._successor = reader
            self._poll.register(reader, select.POLLIN)
        finally:
            for fd in fds:
                os.set_inheritable(fd, False)
            os.close(writer)

    def _succeed(self) -> None:
        """Leave the socket to a successor that is ready; without one, end."""
        is_ready = os.read(self._successor, 1) == b"+"
        self._poll.unregister(self._successor)
        os.close(self._successor)
        self._successor = -1
        if not is_ready:
            self._ledger.say("a successor ended before it was ready")
            self._drain()
        elif not self._draining:
            self._draining = True
            self._stop_listening()
            os.close(self._lock)


def _noted(number: int, frame: object) -> None:
    """Do nothing: the signal has woken the loop."""


def _pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    return reader, writer


def _tell(connection: socket, text: str) -> None:
    try:
        connection.setblocking(False)
        connection.send(text.encode("utf-8", "replace"))
    except OSError:
        pass  # the front is gone


def _bound(place: str) -> socket:
    """Return the listening socket; it appears under its name only when it is ready."""
    path = os.path.join(place, "s")
    temporary = f"{path}{os.getpid()}"
    listener = socket(AF_UNIX, SOCK_STREAM, 0)
    try:
        os.unlink(temporary)
    except FileNotFoundError:
        pass
    listener.bind(temporary)
    os.chmod(temporary, 0o600)
    listener.listen(BACKLOG)
    os.rename(temporary, path)
    return listener


def main() -> int:
    """Run a daemon. Its arguments are the directory and the descriptor of the lock; for a successor
    also those of the socket and of the pipe that says that it is ready, and the how manieth it is.
    Return the exit status: in a child, that of the script.
    """
    place, fds = sys.argv[1], [int(word) for word in sys.argv[2:]]
    os.environ.pop("LD_BIND_NOW", None)
    kept = sorted(fds[:3])
    for low, high in zip([2, *kept], [*kept, interpreter.most_descriptors()], strict=True):
        os.closerange(low + 1, high)
    for fd in kept:
        os.set_inheritable(fd, False)
    try:
        os.setsid()
    except PermissionError:
        pass  # it leads a session already
    os.set_blocking(2, False)  # it is a pipe that nobody reads
    os.umask(0o077)
    os.chdir("/")
    listener = socket(fileno=fds[1]) if len(fds) > 1 else None
    try:
        daemon = Daemon(place, fds[0], fds[3] if listener else 0)
        daemon.prepare()
        if listener is None:
            listener = _bound(place)
        else:
            listener.listen(BACKLOG)  # fronts see the user, and `--stop` the process, that did this
            os.write(fds[2], b"+")
            os.close(fds[2])
        return daemon.run(listener)
    except interpreter.Leave as left:
        return left.status
    except BaseException as error:
        import traceback

        LogFile(os.path.join(place, "log"), Nowhere(), LOG).write(  # type: ignore[arg-type]
            "".join(traceback.format_exception(error))
        )
        os._exit(1)
