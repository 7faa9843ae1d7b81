"""Which modules are held ready in the process that is forked for each request.

Modules of the standard library and of site-packages only, as far as scripts were seen to import them.
Modules beside scripts, or in directories that scripts add, are imported by each request anew, unless
somebody names them with `--preload`: importing them may be half of a script's work, and may read the
request. A module whose import does more than define things (starts a thread, opens a file, changes the
environment, prints, looks at the request) is not held ready either: it is tried in a child first.

Whether what is held ready is still right is asked in `fresh.py`.
"""

import gc
import os
import sys
import time

from .program import stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from .fresh import Held
    from .program import Stamp

#: What scripts written with cgikit use on nearly every request.
OWN = (
    "cgikit", "cgikit.script", "cgikit.request", "cgikit.response", "cgikit.html",
    "cgikit.querystring", "cgikit.multidict", "cgikit.cookies", "cgikit.body", "cgikit.process",
    "atexit",
)  # fmt: skip
HARMLESS, ABSENT = 64, 65  # exit statuses that no library ends a process with by chance
# Their import leaves a trace that cannot be seen from Python: readline sets COLUMNS and LINES for C
_UNSEEN = {"readline"}
# What a library looks for when it looks at the request; where it is imported in advance there is none
_REQUEST = (
    "AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE DOCUMENT_ROOT GATEWAY_INTERFACE HTTPS PATH_INFO"
    " PATH_TRANSLATED QUERY_STRING REMOTE_ADDR REMOTE_HOST REMOTE_USER REQUEST_METHOD REQUEST_URI"
    " SCRIPT_FILENAME SCRIPT_NAME SERVER_NAME SERVER_PORT SERVER_PROTOCOL SERVER_SOFTWARE"
)
MAX_LEARNT = 2_000  # modules; a scientific stack has about a thousand


_CHANGED = (0, 0, 0, 0, 0)  # no file's stamp
# Nanoseconds by which the clock for files may be behind, and what an interpreter needs to start
_MARGIN = 100_000_000


def held(began: int) -> "dict[str, Held]":
    """Return the modules of this process as `fresh.py` wants them.

    `began` is when it started to import them (as `time.time_ns`). A file that has changed since may be
    another one than was imported, and counts as changed.
    """
    library = os.path.join(os.path.dirname(os.path.realpath(os.__file__)), "")
    found: dict[str, Held] = {}
    for name, module in list(sys.modules.items()):
        file = _file_of(module)
        if not file or _origin(module) in ("built-in", "frozen"):
            found[name] = "", None, True
            continue
        plain = os.path.realpath(file).startswith(library) and "-packages" not in file
        found[name] = file, _stamp(file, began), plain
    return found


def _stamp(file: str, began: int) -> "Stamp | None":
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return _CHANGED
    except OSError:
        return None  # in a zip file, say
    # Later than now it can be when the clock was wrong, and that is no reason to start again for ever
    if began - _MARGIN < status.st_ctime_ns <= time.time_ns():
        return _CHANGED
    return stamp_of(status)


class Learner:
    """Tells what a script imported beyond what is held ready. Made before the forks."""

    def __init__(self) -> None:
        self._roots = [os.path.join(p, "") for p in sys.path[1:] if p and os.path.isdir(p)]
        self.names = frozenset(sys.modules)

    def learnt(self) -> list[str]:
        """Return the modules that were imported since, as far as they may be held ready."""
        if len(sys.modules) <= len(self.names):
            return []
        found = []
        for name, module in list(sys.modules.items()):
            if name in self.names or name == "__main__":
                continue
            file = _file_of(module)
            if self._is_library(name, file) if file else _origin(module) in ("built-in", "frozen"):
                found.append(name)
        return found[:MAX_LEARNT]

    def _is_library(self, name: str, file: str) -> bool:
        """Whether a module's file lies where its name is found on this process's own `sys.path`."""
        path = name.replace(".", os.sep)
        places = [root + path for root in self._roots]
        starts = (*[f"{p}." for p in places], *[f"{p}{os.sep}__init__." for p in places])
        return file.startswith(starts)


def load(names: "Iterable[str]", learnt: "Iterable[str]") -> tuple[list[str], list[str]]:
    """Import what is held ready. Return what was refused, with the reason, one line each, and those of
    `learnt` that cannot be imported now, as happens while a library is replaced.

    `names` were named by a person and are imported as they are; `learnt` ones are tried in a child
    first, all together, and one by one where that fails.
    """
    refused: list[str] = []
    absent: list[str] = []
    for name in names:
        try:
            __import__(name)
        except BaseException as error:  # a library's import may raise anything
            refused.append(f"{name}: {type(error).__name__}: {error}")
    wanted = [name for name in learnt if name not in sys.modules]
    if wanted and trial(wanted) == HARMLESS:
        _import(wanted)
        return refused, absent
    for name in wanted:
        if name in sys.modules:
            continue
        found = trial([name])
        if found == HARMLESS:
            _import([name])
        elif found == ABSENT:
            absent.append(name)
        else:
            refused.append(f"{name}: importing it does more than define things")
    return refused, absent


def _import(names: "Iterable[str]") -> None:
    for name in names:
        __import__(name)


def trial(names: list[str]) -> int:
    """Import modules in a child. Return HARMLESS where they leave no trace but themselves, ABSENT where
    they cannot be imported, any other status where they do more.
    """
    pid = os.fork()
    if not pid:
        try:
            os._exit(_try(names))
        except ImportError:
            os._exit(ABSENT)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _try(names: list[str]) -> int:
    import signal  # not for the zygote to hold: it brings two hundred names with it

    signal.alarm(30)  # one that waits for something would keep the worker from starting
    null = os.open(os.devnull, os.O_RDWR)
    output = os.memfd_create("out") if hasattr(os, "memfd_create") else null
    body = os.memfd_create("in") if hasattr(os, "memfd_create") else null
    os.write(body, b"\n" * 64)
    os.lseek(body, 0, os.SEEK_SET)
    for descriptor, target in ((body, 0), (output, 1), (null, 2)):
        os.dup2(descriptor, target)
    asked = _watch_environment()
    before = _traces()
    _import(names)
    if asked or os.lseek(0, 0, os.SEEK_CUR):
        return 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    if _UNSEEN & sys.modules.keys():
        return 1
    printed = output != null and os.fstat(output).st_size
    return 1 if printed or _traces() != before else HARMLESS


def _watch_environment() -> list[bytes]:
    """Return a list of the request's variables that are looked for from now on, in this process."""
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
    """Return what a mere definition would leave as it is."""
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
    """Return the names in a directory; none where it cannot be listed."""
    try:
        return os.listdir(directory)
    except OSError:
        return []  # no /proc here: threads and descriptors are not seen


def _file_of(module: "ModuleType | None") -> str:
    """Return the file of a module, "" if it has none."""
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""


def _origin(module: "ModuleType | None") -> object:
    return getattr(getattr(module, "__spec__", None), "origin", None)
