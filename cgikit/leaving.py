"""Whether a process that has run a script may end immediately, without finalizing the interpreter.

Internal. Finalizing an interpreter costs a good part of a request, and is needed only if it has an
effect: it writes a buffer, closes a database, runs a `finally`. A CGI process (`leave_script`)
and a warm child (`warm/interpreter.py`) share one set of conditions, `may_end`. It is on the safe side:
anything that cannot be seen counts as something that has to be finalized.

It cannot see callbacks of weakrefs, which Python itself rarely calls at its end, and handlers that C
code has registered with C's atexit.
"""

import _thread
import gc
import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any, TextIO

_COLLECTED = 1 << 14  # Py_TPFLAGS_HAVE_GC: an instance is seen by the collector
#: They have a finalizer, but nothing to write.
HARMLESS: frozenset[type] = frozenset((io.BufferedReader, io.FileIO, io.BytesIO, io.StringIO))
_FILES = (io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom)
_OPEN = ("posix", "_socket")  # their objects only hold a descriptor, and those are counted
#: Extension modules of the standard library that use C's own streams, or run code that may.
_C = ("_ctypes", "_curses", "_tkinter", "readline", "_testcapi")


class Mark:
    """An object that the garbage collector lists as long as the script has hidden nothing from it.

    It is made before a script runs, in a process that has hidden its own objects (`gc.freeze`).
    """


def leave_script() -> None:
    """End this CGI process, whose script is at its end; return if the interpreter has to be finalized.

    This runs as the last exit handler: threads have ended, and the other handlers have run.
    """
    # Python takes __file__ away when it has come to the end of a script. If it is there still, the
    # script ended by SystemExit, whose status would be lost; last_type is left by other exceptions.
    if "__file__" in vars(sys.modules["__main__"]) or hasattr(sys, "last_type"):
        return
    streams = [stream for stream in _standard() if stream is not None and not stream.closed]
    if may_end(streams, len(streams), runs_c(list(sys.modules.values()))):
        os._exit(0)


def may_end(
    listed: "Iterable[TextIO]",
    descriptors: int,
    c_runs: bool,
    mark: Mark | None = None,
    harmless: frozenset[type] = HARMLESS,
    let_go: "Callable[[], object] | None" = None,
) -> bool:
    """Return whether this process may end immediately, and write what is buffered if so.

    The arguments are those of `must_finalize`, whose `streams` are `listed`. Where something has to be
    finalized, `let_go` is called to end what it can, and the question is asked once more.
    """
    if (sys.stdin, sys.stdout, sys.stderr) != _standard():
        return False
    try:
        if must_finalize(listed, descriptors, c_runs, mark, harmless):
            if let_go is None:
                return False
            let_go()
            if must_finalize(listed, descriptors, c_runs, mark, harmless):
                return False
        for stream in _standard()[1:]:
            if stream is not None and not stream.closed:
                _flush(stream)
        return flush_c() if c_runs else True
    except Exception:
        return False  # no /proc, or a stream that cannot be written: the interpreter reports that


def _standard() -> "tuple[TextIO | None, ...]":
    return sys.__stdin__, sys.__stdout__, sys.__stderr__


def _flush(stream: "TextIO") -> None:
    try:
        stream.flush()
    except BrokenPipeError:
        pass  # the client has disconnected, and there is nobody to write for


def must_finalize(
    streams: "Iterable[TextIO]",
    descriptors: int,
    c_runs: bool,
    mark: Mark | None = None,
    harmless: frozenset[type] = HARMLESS,
) -> bool:
    """Return whether something could be lost if this process ended now.

    `streams` are those that the caller flushes itself and that the collector lists; `descriptors` is
    how many may be open; `c_runs` says whether there is other C code (see `runs_c`). Without a `mark`
    the caller has hidden nothing from the collector. Raises `OSError` if there is no /proc, and
    `ValueError` for a file whose buffer was detached.
    """
    # Other descriptors may belong to data that a library in C has not written yet.
    if open_descriptors() > descriptors or _thread._count():
        return True
    if c_runs and os.stat("/proc/self/task").st_nlink > 3:  # two, and one for each thread
        return True
    # All live objects, not a table of classes: those in cycles and in other modules count too.
    objects: list[Any] = gc.get_objects()
    classes: set[type] = set()
    if mark is None:
        if _some_are_hidden(objects):
            return True
        # A look at each object takes longer than one at each class
        classes = _finalizing_classes()
        finalizing = classes - harmless
    else:  # in a forked process, a class that is looked at costs a page, and there may be thousands
        kinds = {*map(type, objects)}
        if type(mark) not in kinds:
            return True  # hidden by the script
        finalizing = {kind for kind in kinds - harmless if _finalizes(kind)}
    found = [thing for thing in objects if type(thing) in finalizing]
    for kind in {*map(type, found)}:
        if _are_more(kind, found, streams):
            return True
    # Objects that cannot be part of a cycle are not listed, but their classes are.
    for thing in objects if mark is not None else classes:
        if isinstance(thing, type) and not thing.__flags__ & _COLLECTED and _ends_unseen(thing):
            return True
    return False


def open_descriptors() -> int:
    """Return how many descriptors this process has open. Raises `OSError` if there is no /proc."""
    # Since Linux 6.2 the directory's size is that number, so no list of them is needed.
    known = os.stat("/proc/self/fd").st_size
    return known or len(os.listdir("/proc/self/fd")) - 1  # one of them is the listing's own


def _some_are_hidden(objects: "list[Any]") -> bool:
    """Whether `gc.freeze` was called since the interpreter started, or may have been."""
    # Python 3.12 counts its immortal objects as frozen, so the number alone is not enough. The table of
    # modules is not immortal: if objects were hidden, it is one of them.
    return gc.get_freeze_count() > 0 and not any(thing is sys.modules for thing in objects)


def _finalizing_classes() -> set[type]:
    """Return all classes whose objects have a finalizer, whether there are any objects or not."""
    found: list[type] = [object]
    for kind in found:  # which grows
        found += type.__subclasses__(kind)
    return {kind for kind in found if _finalizes(kind)}


def _are_more(kind: type, objects: "list[Any]", streams: "Iterable[TextIO]") -> bool:
    """Whether there are more objects of a kind than the standard streams have; closed files do not
    count.
    """
    there: list[Any] = [thing for thing in objects if type(thing) is kind]
    if kind in _FILES:
        there = [file for file in there if not file.closed]
    parts = [part for stream in streams for part in (stream, stream.buffer) if type(part) is kind]
    return len(there) > len(parts)


def _finalizes(kind: type) -> bool:
    """Whether objects of this class have a finalizer. Python does not promise to call `__del__` at
    exit, but it does.
    """
    # cgikit's own are harmless: a body was read, and an upload's open file is counted.
    return hasattr(kind, "__del__") and not str(kind.__module__).startswith("cgikit.")


def _ends_unseen(kind: type) -> bool:
    """Whether objects of this class or of a subclass have a finalizer and are not listed."""
    if kind.__flags__ & _COLLECTED:
        return False
    if _finalizes(kind) and kind.__module__ not in _OPEN:
        return True
    return any(map(_ends_unseen, type.__subclasses__(kind)))


def runs_c(modules: "Iterable[ModuleType | None]") -> bool:
    """Return whether one of these modules is C code from outside of the interpreter, which may have
    printed through C's own buffers.
    """
    for module in modules:
        loader = getattr(module, "__loader__", None)
        if type(loader).__name__ == "ExtensionFileLoader":
            if getattr(module, "__name__", "") in _C:
                return True
            own = os.path.join(os.path.dirname(os.__file__), "lib-dynload", "")
            if not str(getattr(module, "__file__", "")).startswith(own):
                return True
    return False


def flush_c() -> bool:
    """Flush C's own buffers; return False if that is not possible from here."""
    ctypes = sys.modules.get("_ctypes")  # not `ctypes`, which is large
    if ctypes is None:
        return False
    flush = ctypes.dlsym(ctypes.dlopen(None, 0), "fflush")
    ctypes.call_function(flush, (None,))
    return True
