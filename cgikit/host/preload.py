"""Which modules a worker holds ready, and whether it still may.

A worker imports modules once and forks; what its children import beyond that is learnt, so that the
next worker holds it ready as well. Two things must never happen: that a script gets another module
than a fresh interpreter would give it, and that it gets an old one. So

- only modules of the standard library and of site-packages are held ready. Modules beside scripts,
  or in directories that scripts add, are imported by each request anew (unless they are named with
  `--preload`): importing them may be half of a script's work, and may read the request;
- a module whose import does more than define things (starts a thread, opens a file, changes the
  environment, prints) is not held ready: it is tried in a child first;
- a file beside a script that has the name of a module hides that module: such a script is started
  in a fresh interpreter;
- when a file of a module that is held ready changes, the worker serves from fresh interpreters until
  it is replaced. The standard library is taken as part of the interpreter, and looked at once a second.

No request is known here and no script is run.
"""

import gc
import importlib
import os
import signal
import sys
import time

from .program import Program, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from .program import Stamp

#: What scripts written with cgikit use on nearly every request.
OWN = (
    "cgikit", "cgikit.script", "cgikit.request", "cgikit.response", "cgikit.html",
    "cgikit.querystring", "cgikit.multidict", "cgikit.cookies", "cgikit.body", "cgikit.process",
    "atexit",
)  # fmt: skip
MAX_LEARNT = 2_000  # modules; a scientific stack has about a thousand
_OTHER_FILES = 1_000_000_000  # nanoseconds between looks at the standard library's files


class Preloaded:
    """The modules of this worker, from the moment at which it is ready."""

    def __init__(self, roots: "Iterable[str]") -> None:
        self._roots = tuple(os.path.join(root, "") for root in roots)
        self.names: frozenset[str] = frozenset(sys.modules)
        self._tops = frozenset(name.partition(".")[0] for name in self.names)
        self._watched: list[tuple[str, Stamp]] = []
        self._library: list[tuple[str, Stamp]] = []
        self._looked = 0
        library = os.path.join(os.path.dirname(os.path.realpath(os.__file__)), "")
        for module in list(sys.modules.values()):
            file = _file_of(module)
            if not file:
                continue
            try:
                stamp = stamp_of(os.stat(file))
            except OSError:
                continue  # in a zip file, say
            plain = file.startswith(library) and "-packages" not in file
            (self._library if plain else self._watched).append((file, stamp))

    def stale(self) -> str:
        """Return a file that has changed since its module was imported, "" if there is none."""
        for file, stamp in self._watched:
            if _differs(file, stamp):
                return file
        now = time.monotonic_ns()
        if now - self._looked > _OTHER_FILES:
            self._looked = now
            for file, stamp in self._library:
                if _differs(file, stamp):
                    return file
        return ""

    def hidden_by(self, program: Program) -> str:
        """Return a file beside a script that hides a module held ready, "" if there is none."""
        try:
            stamp = stamp_of(os.stat(program.directory))
            if program.checked == stamp:
                return ""
            names = os.listdir(program.directory)
        except OSError:
            return ""
        for name in names:
            if name.partition(".")[0] in self._tops:
                path = os.path.join(program.directory, name)
                if _hides(path, name):
                    return path
        # A directory that changed a moment ago may change again under the same stamp
        if time.time_ns() - max(stamp[0], stamp[1]) > 2_500_000_000:
            program.checked = stamp
        return ""

    def learnt(self) -> list[str]:
        """Return the modules that were imported since, as far as they may be held ready."""
        found = []
        for name, module in list(sys.modules.items()):
            if name in self.names or name == "__main__":
                continue
            file = _file_of(module)
            if self._is_library(name, file) if file else _origin(module) in ("built-in", "frozen"):
                found.append(name)
        return found[:MAX_LEARNT]

    def _is_library(self, name: str, file: str) -> bool:
        """Whether a module's file lies where its name is found on this worker's own `sys.path`."""
        path = name.replace(".", os.sep)
        places = [root + path for root in self._roots]
        starts = (*[f"{p}." for p in places], *[f"{p}{os.sep}__init__." for p in places])
        return file.startswith(starts)


def libraries() -> list[str]:
    """Return the directories whose modules may be held ready: what is on `sys.path` at the start."""
    return [path for path in sys.path[1:] if path and os.path.isdir(path)]


def load(names: "Iterable[str]", learnt: "Iterable[str]") -> list[str]:
    """Import what is held ready; return what was refused, with the reason, one line each.

    `names` were named by a person and are imported as they are; `learnt` ones are tried in a child
    first, all together, and one by one where that fails.
    """
    refused = []
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException as error:  # a library's import may raise anything
            refused.append(f"{name}: {type(error).__name__}: {error}")
    wanted = [name for name in learnt if name not in sys.modules]
    if wanted and harmless(wanted):
        _import(wanted)
        return refused
    for name in wanted:
        if name in sys.modules:
            continue
        if harmless([name]):
            _import([name])
        else:
            refused.append(f"{name}: importing it does more than define things")
    return refused


def _import(names: "Iterable[str]") -> None:
    for name in names:
        importlib.import_module(name)


def harmless(names: list[str]) -> bool:
    """Whether modules can be imported and leave no trace but themselves. Tried in a child."""
    pid = os.fork()
    if not pid:
        try:
            os._exit(_try(names))
        finally:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _try(names: list[str]) -> int:
    signal.alarm(30)  # one that waits for something would keep the worker from starting
    null = os.open(os.devnull, os.O_RDWR)
    output = os.memfd_create("out") if hasattr(os, "memfd_create") else null
    for descriptor, target in ((null, 0), (output, 1), (null, 2)):
        os.dup2(descriptor, target)
    before = _traces()
    _import(names)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    printed = output != null and os.fstat(output).st_size
    return 1 if printed or _traces() != before else 0


def _traces() -> tuple[object, ...]:
    """Return what a mere definition would leave as it is."""
    gc.collect()
    handlers = [signal.getsignal(number) for number in sorted(signal.valid_signals())]
    return (
        handlers,
        dict(os.environ),
        list(sys.argv),
        list(sys.path),
        os.getcwd(),
        sorted(_entries("/proc/self/fd")),
        len(_entries("/proc/self/task")),
        (sys.stdin, sys.stdout, sys.stderr, sys.excepthook),
        sys.getrecursionlimit(),
    )


def _entries(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []  # no /proc here: threads and descriptors are not seen


def _hides(path: str, name: str) -> bool:
    """Whether a file beside a script is imported in place of the module that is held ready."""
    top = name.partition(".")[0]
    held = sys.modules.get(top)
    # What Python imports on its way up, before a script's directory is on the path
    if held is None or top in sys.builtin_module_names or _origin(held) in ("frozen", "built-in"):
        return False
    if name == top:
        path = os.path.join(path, "__init__.py")
        if not os.path.exists(path):
            return False
    elif not name.endswith((".py", ".pyc", ".so")):
        return False
    return os.path.realpath(path) != os.path.realpath(_file_of(held))


def _differs(file: str, stamp: "Stamp") -> bool:
    try:
        return stamp_of(os.stat(file)) != stamp
    except OSError:
        return True


def _file_of(module: "ModuleType | None") -> str:
    """Return the file of a module, "" if it has none."""
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""


def _origin(module: "ModuleType | None") -> object:
    return getattr(getattr(module, "__spec__", None), "origin", None)
