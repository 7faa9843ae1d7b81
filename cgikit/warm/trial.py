"""Tries modules in a child before they are preloaded: does their import do more than define things?

A module that starts a thread, opens a file, changes the environment, installs a signal handler, prints,
looks at the request, maps memory that stays shared after a fork, or holds a state that differs between
processes (see `state.py`) is refused, and with it all modules of its package. So is one that would keep
every process from serving several requests, where that is asked for. `preload.py` decides which modules
are tried.

All modules are tried together first, then in halves: a trial costs as much as the import. All trials of
one start share a time limit, much shorter than the time that a worker has to become ready.
"""

import contextlib
import gc
import marshal
import mmap
import os
import sys
import time

from . import state

BUDGET = 20.0  # seconds for all trials of one start; the supervisor waits for 60
MAX_TRIAL = 10.0  # seconds for one trial: an import that takes longer waits for something
HARMLESS, ABSENT, SHARES, HIDES = 64, 65, 66, 67  # exit statuses that no library uses by chance
MORE = "importing it does more than define things"
CHANCE = "its import leaves something that is another in each process (chance, time, process id)"
SLOW = "importing it takes too long"
SHARED = "its import maps memory to which all processes would write, and in which each would read"
HIDDEN = "written in C, it would keep every process from serving several requests (--reuse)"
UNTRIED = "there was no time left to try it"
_WHY = {-9: SLOW, SHARES: SHARED, HIDES: HIDDEN}
_REPORT = 1 << 20  # bytes for what a trial has to say
_SHIFT = 90_061  # seconds: a day, an hour, a minute and a second
# Their import leaves a trace that Python cannot see: readline sets COLUMNS and LINES for C
_UNSEEN = {"readline"}
# The variables that a library looks at if it looks at the request, which a preloaded one cannot do
_REQUEST = (
    "AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT GATEWAY_INTERFACE HTTPS PATH_INFO"
    " PATH_TRANSLATED QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_USER REQUEST_METHOD REQUEST_URI"
    " SCRIPT_FILENAME SCRIPT_NAME SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE"
)


class Trials:
    """The trials of one start. `refused` says why, by name of a module or package; `absent` are modules
    that cannot be imported now, as happens while a library is being replaced.

    `own` says that processes may serve several requests: the objects of the engine whose state nobody
    can see. None: they serve one.
    """

    def __init__(self, budget: float = BUDGET, own: "tuple[object, ...] | None" = None) -> None:
        self._own = own
        self.refused: dict[str, str] = {}
        self.absent: list[str] = []
        self._end = time.monotonic() + budget

    def sift(self, names: list[str]) -> None:
        """Import those of some modules that can be preloaded; the others are refused or absent then."""
        names = [name for name in names if name not in sys.modules]
        if not names or self._import_if_harmless(names):
            return
        # First those that are nearly always harmless and cheap: the rest may use up the time
        own = [name for name in names if name.partition(".")[0] in sys.stdlib_module_names]
        others = [name for name in names if name not in own]
        packages = [name for name in others if "." not in name]
        for part in (own, packages, [name for name in others if "." in name]):
            self._halve(part)

    def why_not(self, name: str) -> str:
        """Return why a module is refused, by itself or with its package; "" if it is not."""
        while name:
            if name in self.refused:
                return self.refused[name]
            name = name.rpartition(".")[0]
        return ""

    def _halve(self, names: list[str]) -> None:
        names = [name for name in names if name not in sys.modules and not self.why_not(name)]
        names = [name for name in names if name not in self.absent]
        if not names or self._import_if_harmless(names) or len(names) == 1:
            return
        middle = len(names) // 2
        self._halve(names[:middle])
        self._halve(names[middle:])

    def _import_if_harmless(self, names: list[str]) -> bool:
        """Try modules and import them if that is harmless. If one alone is not, note why."""
        left = self._end - time.monotonic()
        if left <= 0:
            self.refused.update(dict.fromkeys(names, UNTRIED))
            return True
        status, first = trial(names, 0, min(left, MAX_TRIAL), self._own)
        why = _WHY.get(status, MORE)
        if status == HARMLESS:
            status, second = trial(names, _SHIFT, MAX_TRIAL)
            chance = [name for name, value in first.items() if second.get(name) != value]
            if status == HARMLESS and not chance:
                for name in names:
                    __import__(name)
                return True
            self.refused.update(dict.fromkeys(chance, CHANCE))
            why = CHANCE
        if len(names) == 1:
            if status == ABSENT:
                self.absent += names
            else:
                self.refused[names[0]] = why
        return False


def trial(
    names: list[str], shift: int, seconds: float, own: "tuple[object, ...] | None" = None
) -> tuple[int, dict[str, int]]:
    """Import modules in a child whose clock is shifted by `shift` seconds. Return its exit status, and
    digests of what the modules hold: HARMLESS if they leave no trace but themselves, ABSENT if they
    cannot be imported, SHARES if they map memory that stays shared, HIDES if they would keep a process
    from serving several requests (see `Trials` for `own`), -9 if they took longer than `seconds`,
    anything else if they do more.
    """
    with mmap.mmap(-1, _REPORT) as report:
        apart = None if own is None else (*own, report)
        pid = os.fork()
        if not pid:
            try:
                os.setsid()  # a group of its own to end
                is_pointless = _hidden(apart) != ""  # no process serves several requests anyway
                status, found = _try(names, shift)
                if status == HARMLESS and not is_pointless and _hidden(apart):
                    status = HIDES
                data = marshal.dumps(found)
                if len(data) < _REPORT:
                    report[: len(data)] = data
                os._exit(status)
            except ImportError:
                os._exit(ABSENT)
            finally:
                os._exit(1)
        status = _end_of(pid, seconds)
        return status, marshal.loads(report[:]) if status == HARMLESS else {}  # noqa: S302 -- our child's


def _end_of(pid: int, seconds: float) -> int:
    """Wait for a child, at most some seconds, then end its whole group. Return its exit status."""
    end, pause = time.monotonic() + seconds, 0.001
    while time.monotonic() < end:
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
            break
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    for kill in (os.killpg, os.kill):  # it may have no group yet
        with contextlib.suppress(OSError):
            kill(pid, 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _try(names: list[str], shift: int) -> tuple[int, dict[str, int]]:
    null = os.open(os.devnull, os.O_RDWR)
    output = os.memfd_create("out") if hasattr(os, "memfd_create") else null
    body = os.memfd_create("in") if hasattr(os, "memfd_create") else null
    os.write(body, b"\n" * 64)
    os.lseek(body, 0, os.SEEK_SET)
    for descriptor, target in ((body, 0), (output, 1), (null, 2)):
        os.dup2(descriptor, target)
    asked = _watch_environment()
    state.shift_clock(shift)
    before, known, shared = _traces(), set(sys.modules), shared_maps()
    for name in names:
        __import__(name)
    if asked or os.lseek(0, 0, os.SEEK_CUR):
        return 1, {}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if _UNSEEN & sys.modules.keys():
        return 1, {}
    printed = output != null and os.fstat(output).st_size
    if printed or _traces() != before:
        return 1, {}
    if shared_maps() != shared:
        return SHARES, {}
    new = {n: module for n, module in list(sys.modules.items()) if n not in known and module}
    return HARMLESS, state.digests({n: m for n, m in new.items() if _may_differ(n)})


def _hidden(own: "tuple[object, ...] | None") -> str:
    """Return what would keep this process from serving several requests, "" if nothing, or if none is
    to: an extension module that is not known, or an object whose state nobody can see.
    """
    if own is None:
        return ""
    from . import extensions, kinds

    modules = [
        module for name, module in list(sys.modules.items()) if not extensions.is_ctypes(name)
    ]
    return extensions.unknown(modules) or kinds.obstacle(own)


def shared_maps() -> list[str]:
    """Return the maps of this process that can be written to, and that stay shared after a fork: the
    lines of the kernel's list. None where there is no such list.
    """
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            lines = file.read().splitlines()
    except OSError:
        return []
    return [line for line in lines if "w" in (mode := line.split(" ", 2)[1]) and "s" in mode]


def _may_differ(name: str) -> bool:
    """Whether a module's state is compared. The standard library is known (docs/reference/warm.md)."""
    return name.partition(".")[0] not in sys.stdlib_module_names or name in _BY_CHANCE


_BY_CHANCE = {"multiprocessing.process"}  # a key that its processes prove themselves with


def _watch_environment() -> list[bytes]:
    """Return a list that will hold the variables of the request that this process looks up."""
    wanted = frozenset(_REQUEST.encode().split())
    asked: list[bytes] = []

    class Watched(dict[bytes, bytes]):
        def __getitem__(self, name: bytes) -> bytes:
            if name in wanted or name[:5] == b"HTTP_":
                asked.append(name)
            return super().__getitem__(name)

    data = getattr(os.environ, "_data", None)
    if isinstance(data, dict):
        setattr(os.environ, "_data", Watched(data))  # noqa: B010 -- it is not in its type
    return asked


def _traces() -> tuple[object, ...]:
    """Return what an import that only defines things would leave unchanged."""
    import signal

    gc.collect()
    handlers = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
    return (
        handlers,
        dict(os.environ),
        list(sys.argv),
        list(sys.path),
        os.getcwd(),
        sorted(entries("/proc/self/fd")),
        len(entries("/proc/self/task")),
        (sys.stdin, sys.stdout, sys.stderr, sys.excepthook),
        sys.getrecursionlimit(),
    )


def entries(directory: str) -> list[str]:
    """Return the names in a directory; none if it cannot be listed."""
    try:
        return os.listdir(directory)
    except OSError:
        return []  # no /proc here: threads and descriptors are not seen
