"""A forked child becomes what a fresh interpreter would be, runs a script, and ends as one would.

A forked child has modules that are already imported, and nothing else of its parent. This module sets
everything that a script can see of the way it was started: `os.environ`, `sys.argv`, `sys.path[0]`, the
working directory, `__main__`, the standard streams, the traceback of what it raises, and the way out:
threads, exit handlers, buffers, finalizers. `preload.py` decides which modules are there.

Two things differ from a fresh interpreter: modules of the standard library and of site-packages may be
there before the script imports them, and the seed of string hashes is that of the zygote.
"""

# Without their faces in Python, which bring modules with them that scripts may never ask for
import _signal as signal  # type: ignore[import-not-found]
import builtins
import gc
import io
import os
import resource
import sys
from _frozen_importlib_external import SourceFileLoader

# By name, what each child calls: to look it up in its module would be to copy that module's page too
from os import chdir, closerange, dup2, getpid, putenv
from resource import setrlimit

from .. import leaving
from ..process import exit_handlers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import CodeType, ModuleType, TracebackType
    from typing import Any, TextIO

    Limits = list[tuple[int, tuple[int, int]]]

#: Those that Python ignores and other programs must not (as `subprocess` has it).
_RESTORED = ("SIGPIPE", "SIGXFZ", "SIGXFSZ")
_Module = type(sys)
_HAS_ANNOTATIONS = sys.version_info < (3, 14)
_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: it can be changed
#: Plain files from the top down: a kind, what may be below it, and by which name.
_LAYERS = (
    (io.TextIOWrapper, (io.BufferedWriter, io.BufferedRandom), "buffer"),
    (io.BufferedWriter, (io.FileIO,), "raw"),
    (io.BufferedRandom, (io.FileIO,), "raw"),
)
#: Types without a finalizer. Asking costs an exception; for types in C it is asked once, here
_HARMLESS = leaving.HARMLESS.union(
    kind
    for kind in object.__subclasses__()
    if not kind.__flags__ & _HEAP_TYPE and not hasattr(kind, "__del__")
)


class Leave(BaseException):
    """Carries the exit status of a script through the frames of the zygote to Python's own exit."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def descriptors(stdin: int, stdout: int, stderr: int, above: int, most: int) -> None:
    """Make three descriptors 0, 1 and 2 of this process; close those from `above` to `most` (S24)."""
    dup2(stdin, 0)
    dup2(stdout, 1)
    dup2(stderr, 2)
    closerange(above, most)


def most_descriptors() -> int:
    """Return a number that is higher than any descriptor of this process."""
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1 << 20)


def limits(settings: "Mapping[str, Any]") -> "Limits":
    """Return the resource limits of a script's process (setrlimit(2)): address space, processes of the
    user beyond which it cannot fork, and the seconds of processor time after which the kernel ends it,
    even if the worker is gone. None is higher than this process's own.
    """
    wanted = (
        (resource.RLIMIT_AS, settings["memory"]),
        (resource.RLIMIT_NPROC, settings["processes"]),
        (resource.RLIMIT_CPU, int(settings["total"]) + 1),
    )
    found = []
    for limit, most in wanted:
        if most:
            hard = resource.getrlimit(limit)[1]
            found.append((limit, (most if hard < 0 else min(most, hard), hard)))
    return found


def without_memory(values: "Limits") -> "Limits":
    """Return resource limits for a program that is not Python: others, such as Java and Node, reserve
    address space that they never use, and do not start where it is limited.
    """
    return [(kind, pair) for kind, pair in values if kind != resource.RLIMIT_AS]


def limit(values: "Limits") -> None:
    """Set resource limits."""
    for kind, pair in values:
        setrlimit(kind, pair)


def execute(file: str, words: list[str], environment: "Mapping[bytes, bytes]") -> None:
    """Replace this process by a program. Never returns; exit status 127 if it cannot be started."""
    for name in _RESTORED:
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.chdir(os.path.dirname(file))  # R49
        os.execve(file, [file, *words], environment)  # noqa: S606 -- no shell
    except OSError as error:
        what = f"{os.path.basename(file)} cannot be started: {error.strerror}\n"
        say(what)
    os._exit(127)


def say(text: str) -> None:
    """Write to standard error by its descriptor, which a script cannot replace as it can `sys.stderr`.
    Never raises, nor does SIGPIPE end this process: it has another exit status to leave with.
    """
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        os.write(2, text.encode("utf-8", "backslashreplace"))
    except (OSError, ValueError):
        pass  # closed, full, or nobody reads it; not the main thread


def module(file: str) -> "ModuleType":
    """Return an empty module for a script to run in. Call it after the fork: objects from before are
    hidden from the garbage collector, and `finish` could not release them.
    """
    main = _Module("__main__")
    namespace = main.__dict__
    namespace["__file__"] = file
    namespace["__builtins__"] = builtins
    namespace["__cached__"] = None
    namespace["__loader__"] = SourceFileLoader("__main__", file)
    if _HAS_ANNOTATIONS:
        namespace["__annotations__"] = {}
    return main


def run(
    file: str,
    code: "CodeType",
    directory: str,
    words: list[str],
    names: list[bytes],
    values: list[bytes],
) -> int:
    """Run a script in this process, which was forked for it, and return its exit status.

    `directory` comes first on its path, `names` and `values` are its meta-variables. Raises
    `Leave` in a process that the script has forked.
    """
    chdir(file[: file.rindex("/")] or "/")  # R49
    sys.argv[:] = [file, *words]
    sys.orig_argv[:] = [sys.executable, file, *words]
    sys.path[0] = directory
    _set_environment(names, values)
    modules = sys.modules
    main = modules["__main__"] = module(file)
    numpy = modules.get("numpy.random")
    if numpy is not None:  # `random` reseeds itself after a fork
        numpy.seed()
    pid, status = getpid(), 0
    number_thread(pid)
    try:
        exec(code, main.__dict__)  # noqa: S102 -- this is what a host is for
    except BaseException as error:  # a script may raise anything
        status = _status_of(error)
    if getpid() != pid:  # the script forked, and this is the other process
        raise Leave(status)
    return status


def number_thread(pid: int) -> None:
    """Give the main thread its number: it keeps that from before the fork."""
    threading = sys.modules.get("threading")
    if threading is not None and threading.main_thread()._native_id != pid:
        threading.main_thread()._native_id = pid


def _set_environment(names: list[bytes], values: list[bytes]) -> None:
    """Set variables for Python (`os.environ`) and for C (getenv(3), and programs that are started).

    `os.environ[name] = value` does both, but would encode and copy what is already bytes.
    """
    data = getattr(os.environ, "_data", None)
    if isinstance(data, dict):
        for name, value in zip(names, values, strict=True):
            data[name] = value
            putenv(name, value)
    else:
        os.environb.update(zip(names, values, strict=True))


def _status_of(error: BaseException) -> int:
    """Return the exit status for the exception that ended a script; print it as Python would."""
    if isinstance(error, SystemExit):
        if error.code is None:
            return 0
        if isinstance(error.code, int):
            return error.code & 0xFF
        print(error.code, file=sys.stderr)  # noqa: T201 -- as the interpreter does
        return 1
    traceback = _own(error.__traceback__)
    try:
        sys.excepthook(type(error), error.with_traceback(traceback), traceback)
    except SystemExit as ended:  # the interpreter heeds that too: see `guard.py`
        return _status_of(ended)
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    return 1


def _own(traceback: "TracebackType | None") -> "TracebackType | None":
    """Return a traceback without the frame that called the script."""
    return traceback.tb_next if traceback is not None else None


def run_exit_handlers() -> None:
    """Wait for threads, then run the exit handlers."""
    modules = sys.modules
    try:
        threading = modules.get("threading")
        if threading is not None:
            threading._shutdown()
        atexit = modules.get("atexit")
        if atexit is not None and exit_handlers() != 1:  # one is the zygote's
            atexit._run_exitfuncs()
    except BaseException as error:  # what an exit handler raises is printed, and the exit goes on
        sys.excepthook(type(error), error, error.__traceback__)


def finish(
    status: int,
    mark: leaving.Mark,
    known: frozenset[str],
    descriptors: int = 3,
    c_runs: bool = False,
    streams: "Iterable[TextIO]" = (),
) -> int:
    """Do what an interpreter does at its end, as far as anybody can see; return the exit status.

    `mark` was made before the script ran. `known` are the modules that were loaded then, `c_runs` says
    whether one of them has C code of its own, `descriptors` is how many the engine itself has open,
    `streams` are those of the standard streams that were made later.

    Raises `Leave` if only finalizing the interpreter will do, which costs as much as several requests:
    for objects that do something when they end, such as writing what is buffered.
    """
    modules = sys.modules
    try:
        if len(modules) != len(known):
            new = [module for name, module in list(modules.items()) if name not in known]
            c_runs = c_runs or leaving.runs_c(new)
            del new
    except Exception:  # a script may have put anything into `sys.modules`
        raise Leave(status) from None
    if not leaving.may_end(streams, descriptors, c_runs, mark, _HARMLESS, _let_go):
        raise Leave(status)
    return status


def _let_go() -> None:
    """Release the script's module, as the interpreter does first. That ends most objects with a
    finalizer, such as an open file or the FieldStorage of an old script, while all the names that they
    use are still there; the rest of the interpreter can be left as it is.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is not None and not stream.closed:
            try:
                stream.flush()
            except OSError:
                pass  # reported at the end
    if gc.isenabled():
        gc.collect()
    _write_files()
    sys.modules.pop("__main__", None)
    gc.collect()


def _write_files() -> None:
    """Flush plain files: in a cycle a raw file may be finalized before its buffer is written, and the
    buffer before the text layer above it.
    """
    things = gc.get_objects()
    for kind, below, name in _LAYERS:
        for thing in things:
            if type(thing) is kind:
                try:
                    if type(getattr(thing, name)) in below:
                        thing.flush()
                except (OSError, ValueError):
                    pass  # full, closed or detached: as in Python itself
