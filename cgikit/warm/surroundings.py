"""What the kernel and C keep for a process that serves several requests: restored, and compared.

A script can leave a trace outside of Python's objects: a signal handler, the umask, a timer, an open
file, a locale. `restore` puts back what can be put back, as a fresh process has it; `changed` says what
is still different. The objects are compared by `baseline.py`.
"""

import _locale
import _signal as signal  # type: ignore[import-not-found]
import _thread
import _tracemalloc
import _warnings
import atexit
import faulthandler
import gc
import os
import resource
import sys

from .. import leaving
from ..process import exit_handlers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    #: Functions that are called at exit, with what they are called with.
    Handlers = list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]]

#: What an audit event says of a process that cannot be asked for it later: sys.addaudithook(3).
_EVENTS = {
    "os.exec": "it started another program",
    "os.fork": "it started a process",
    "os.forkpty": "it started a process",
    "os.posix_spawn": "it started a process",
    "os.system": "it started a process",
    "pty.spawn": "it started a process",
    "subprocess.Popen": "it started a process",
    "sys.addaudithook": "it installed an audit hook",
    "sqlite3.enable_load_extension": "it let SQLite load extensions",
    "sqlite3.load_extension": "it let SQLite load extensions",
    "syslog.openlog": "it opened the system log",
    "syslog.setlogmask": "it set what the system log takes",
    "ctypes.dlopen": "it called C by ctypes",
    "ctypes.dlsym": "it called C by ctypes",
    "ctypes.cdata": "it called C by ctypes",
    "ctypes.call_function": "it called C by ctypes",
    "ctypes.set_errno": "it called C by ctypes",
    "cpython.PyInterpreterState_New": "it made an interpreter",
}
_VARIABLES = ("os.putenv", "os.unsetenv")
#: Attributes that no dict holds, and what is said of them: of a class, and of a function.
_ATTRIBUTES = {
    "__name__": "it gave a class another name",
    "__qualname__": "it gave a class another name",
    "__code__": "it gave a function other code",
}
_WRITING = os.O_WRONLY | os.O_RDWR


class Surroundings:
    """The state of this process as it is now. `control` is a descriptor that has to stay what it is,
    `total` the seconds of processor time for one request, `handlers` are the exit handlers.
    """

    def __init__(self, control: int, total: int, handlers: "Handlers") -> None:
        self._control = control
        self._total = total
        self._is_watching = True
        self._said: set[str] = set()
        self._touched: set[bytes] = set()
        self._has_used_sqlite = False
        sys.addaudithook(self._hear)
        self._environ: dict[bytes, bytes] = dict(os.environ._data)  # type: ignore[attr-defined]
        self._umask = os.umask(0o077)
        os.umask(self._umask)
        self._signals = [
            (number, signal.getsignal(number)) for number in sorted(signal.valid_signals())
        ]
        self._limits = [
            (kind, resource.getrlimit(kind)) for kind in _limits() if kind != resource.RLIMIT_CPU
        ]
        self._locale = _locale.setlocale(_locale.LC_ALL, None)
        self._settings = [(name, ask, ask()) for name, ask in _settings()]
        self._place = os.fstat(control).st_ino
        self._seconds = resource.getrlimit(resource.RLIMIT_CPU)[1]
        self._registered = exit_handlers()
        self._handlers = handlers
        self._children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt

    def _hear(self, event: str, arguments: "tuple[Any, ...]") -> None:
        if event in _EVENTS:
            self._said.add(_EVENTS[event])
        elif event == "open":
            if arguments[2] & _WRITING and _is_kernels(arguments[0]):
                self._said.add("it wrote into a file of the kernel's")
        elif event == "object.__setattr__":
            owner, name = arguments[:2]
            # The collector lists what the script has made, and hides the rest
            if name in _ATTRIBUTES and not any(thing is owner for thing in gc.get_objects()):
                self._said.add(_ATTRIBUTES[name])
        elif event in _VARIABLES and self._is_watching:
            self._touched.add(arguments[0])
        elif event == "import" and arguments[1] is not None:  # a file of machine code
            self._said.add(f"it imported {arguments[0]}, which is written in C")
        elif event == "sqlite3.connect/handle":
            self._has_used_sqlite = True

    # --- restoring ----------------------------------------------------------------------------

    def restore(self) -> None:
        """Put back what a script may change and a process can change back. `OSError`, `TypeError` or
        `ValueError` where something cannot be put back.
        """
        self._restore_environ()
        os.umask(self._umask)
        for number, handler in self._signals:
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        for which in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
            if signal.getitimer(which) != (0.0, 0.0):
                signal.setitimer(which, 0)
        for kind, pair in self._limits:
            if resource.getrlimit(kind) != pair:
                resource.setrlimit(kind, pair)
        if _locale.setlocale(_locale.LC_ALL, None) != self._locale:
            _locale.setlocale(_locale.LC_ALL, self._locale)
        sqlite = sys.modules.get("_sqlite3")
        if sqlite is not None:
            sqlite.enable_callback_tracebacks(False)
        random = sys.modules.get("random")
        if random is not None:
            random._inst.seed()  # who has seeded it knows what comes next

    def _restore_environ(self) -> None:
        data = os.environ._data  # type: ignore[attr-defined]
        before = self._environ
        self._is_watching = False
        try:
            for name in self._touched | {*data}:
                if name not in before:
                    os.unsetenv(name)
            for name, value in before.items():
                if data.get(name) != value or name in self._touched:
                    os.putenv(name, value)
        finally:
            self._is_watching = True
        is_moved = b"TZ" in self._touched and "time" in sys.modules
        self._touched.clear()
        data.clear()
        data.update(before)
        if is_moved:
            sys.modules["time"].tzset()  # C keeps the zone when the variable is gone

    def run_exit_handlers(self) -> None:
        """Run the exit handlers, as the interpreter does at its end, and register those that there were
        in the beginning.
        """
        try:
            if _thread._count() and "threading" in sys.modules:
                sys.modules["threading"]._shutdown()
            atexit._run_exitfuncs()
        except BaseException as error:  # it is printed, and the end goes on
            sys.excepthook(type(error), error, error.__traceback__)
        atexit._clear()
        for function, words, named in self._handlers:
            atexit.register(function, *words, **named)
        self._registered = exit_handlers()

    def allow_time(self) -> None:
        """Give the next request its own processor time: the limit is one of the process."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        seconds = int(used.ru_utime + used.ru_stime) + self._total + 2
        resource.setrlimit(resource.RLIMIT_CPU, (seconds if hard < 0 else min(seconds, hard), hard))

    # --- comparing ----------------------------------------------------------------------------

    def left_running(self) -> str:
        """Return what a script has left running or open, or "" if nothing. Ask it before the end of the
        output is shown: such a child ends as one without `--reuse` does.
        """
        if self._said:
            # What is preloaded next time comes last
            return min(self._said, key=lambda said: (said.startswith("it imported"), said))
        if _thread._count():
            return "a thread was still running at its end"
        if os.stat("/proc/self/task").st_nlink > 3:  # two, and one for each thread
            return "C code has started a thread"
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            return "it started a process"
        except ChildProcessError:
            pass
        if resource.getrusage(resource.RUSAGE_CHILDREN).ru_minflt != self._children:
            return "it started a process"
        if leaving.open_descriptors() != 4:
            return "it left a file or a socket open"
        try:
            for descriptor in (0, 1, 2):  # in the place of one that was closed, another may be open
                os.fstat(descriptor)
        except OSError:
            return "it closed a standard stream and left something else open"
        if os.fstat(self._control).st_ino != self._place:
            return "it closed a descriptor that was not its own"
        return ""

    def changed(self) -> str:
        """Return what is different in this process, or "" if nothing. Call it after `restore`."""
        for name, ask, before in self._settings:
            if ask() != before:
                return f"{name} changed"
        if resource.getrlimit(resource.RLIMIT_CPU)[1] != self._seconds:
            return "the limit of processor time changed"
        if exit_handlers() != self._registered:  # by a finalizer
            return "what is called at exit changed"
        return _memory_of_sqlite() if self._has_used_sqlite else ""


def _is_kernels(path: "Any") -> bool:
    """Whether a file is one in which the kernel shows and takes what concerns a process."""
    try:
        real = os.path.realpath(os.fsdecode(path))
    except (OSError, TypeError, ValueError):  # a descriptor, or nothing that can be opened
        return False
    return real.startswith(("/proc/", "/sys/"))


def _limits() -> list[int]:
    return sorted({getattr(resource, name) for name in dir(resource) if name.startswith("RLIMIT_")})


def _memory_of_sqlite() -> str:
    """Return what SQLite keeps for all databases of this process, if it is not what it is at first, in
    words, or "".
    """
    connection = sys.modules["_sqlite3"].connect(":memory:")
    try:
        for name in ("soft_heap_limit", "hard_heap_limit", "temp_store_directory"):
            row = connection.execute(f"PRAGMA {name}").fetchone()
            if row is not None and row[0]:
                return f"SQLite's {name} changed"
    finally:
        connection.close()
    return ""


def _root() -> tuple[int, int]:
    status = os.stat("/")
    return status.st_ino, status.st_dev


def _settings() -> "list[tuple[str, Callable[[], Any]]]":
    """Return the settings that are compared, with the functions that tell them."""
    found: list[tuple[str, Callable[[], Any]]] = [
        ("the root directory", _root),
        ("the user", os.getresuid),
        ("the group", os.getresgid),
        ("the groups", os.getgroups),
        ("the session", lambda: (os.getsid(0), os.getpgid(0))),
        ("the priority", lambda: os.getpriority(os.PRIO_PROCESS, 0)),
        ("the mask of signals", lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        ("the locale", lambda: _locale.setlocale(_locale.LC_ALL, None)),
        ("the state of the garbage collector", _collector),
        ("the recursion limit", sys.getrecursionlimit),
        ("the switch interval", sys.getswitchinterval),
        ("the trace function", lambda: (sys.gettrace(), sys.getprofile())),
        ("the limit of digits", sys.get_int_max_str_digits),
        ("the hooks of asynchronous generators", sys.get_asyncgen_hooks),
        ("the tracking of coroutines", sys.get_coroutine_origin_tracking_depth),
        ("the size of stacks", _thread.stack_size),
        ("the filters of warnings", lambda: tuple(map(id, _warnings.filters))),
        ("the flags of dlopen", sys.getdlopenflags),
        ("the tracing of memory", _tracemalloc.is_tracing),
        ("the fault handler", faulthandler.is_enabled),
    ]
    if hasattr(_locale, "textdomain"):
        found.append(("the domain of C's messages", lambda: _locale.textdomain(None)))
    if hasattr(os, "sched_getscheduler"):
        found.append(("the scheduler", lambda: os.sched_getscheduler(0)))
    if hasattr(sys, "monitoring"):
        tools = range(6)
        found.append(("a tool of sys.monitoring", lambda: [*map(sys.monitoring.get_tool, tools)]))  # type: ignore[attr-defined]
    if hasattr(os, "sched_getaffinity"):
        found.append(("the processors", lambda: os.sched_getaffinity(0)))
    modules = sys.modules
    if "_socket" in modules:
        found.append(("the time-out of sockets", modules["_socket"].getdefaulttimeout))
    if "_csv" in modules:
        found.append(("the limit of csv", modules["_csv"].field_size_limit))
    if "_abc" in modules:
        found.append(("a registered abstract class", modules["_abc"].get_cache_token))
    if "time" in modules:
        found.append(("the time zone", lambda: modules["time"].tzname))
    return found


def _collector() -> "tuple[Any, ...]":
    return gc.isenabled(), gc.get_threshold(), gc.get_debug(), len(gc.callbacks)
