"""Which modules are preloaded in the process that is forked for each request.

Only modules of the standard library and of site-packages, and only those that scripts were seen to
import. Modules beside scripts, or in directories that scripts add to their path, are imported anew by
each request, unless somebody names them with `--preload`: their import may be half of a script's work,
and may read the request. A module whose import does more than define things is not preloaded either:
see `trial.py`. `staleness.py` decides whether preloaded modules are still up to date.
"""

import atexit
import os
import sys
import time

from .program import stamp_of
from .trial import Trials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

    from .program import Stamp
    from .staleness import Held
    from .surroundings import Handlers

    Outcome = tuple[list[str], dict[str, str], list[str]]

#: What scripts written with cgikit use on nearly every request.
OWN = (
    "cgikit", "cgikit.script", "cgikit.request", "cgikit.response", "cgikit.html",
    "cgikit.querystring", "cgikit.multidict", "cgikit.cookies", "cgikit.body", "cgikit.process",
    "atexit",
)  # fmt: skip
MAX_LEARNT = 2_000  # modules; a scientific stack has about a thousand


_CHANGED = (0, 0, 0, 0, 0)  # no file's stamp
# Nanoseconds by which the clock for files may be behind, and what an interpreter needs to start
_MARGIN = 100_000_000


def held(began: int) -> "dict[str, Held]":
    """Return the modules of this process in the form that `staleness.py` takes.

    `began` is when it started to import them (as `time.time_ns`). A file that has changed since then
    might not be the one that was imported, and counts as changed.
    """
    library = os.path.join(os.path.dirname(os.path.realpath(os.__file__)), "")
    own = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "")
    found: dict[str, Held] = {}
    for name, module in list(sys.modules.items()):
        file = _file_of(module)
        if not file or _origin(module) in ("built-in", "frozen"):
            found[name] = "", None, True
            continue
        archive = getattr(getattr(module, "__loader__", None), "archive", None)
        if isinstance(archive, str) and not file.startswith(archive):
            file = archive  # of a bundle: the module has no file of its own
        real = os.path.realpath(file)
        plain = real.startswith(own) or (real.startswith(library) and "-packages" not in file)
        found[name] = file, _stamp(file, began), plain
    return found


def _stamp(file: str, began: int) -> "Stamp | None":
    try:
        status = os.stat(file)
    except FileNotFoundError:
        return _CHANGED
    except OSError:
        return None  # in a zip file, say
    # A time after now comes from a clock that was wrong: that must not replace everything for ever
    if began - _MARGIN < status.st_ctime_ns <= time.time_ns():
        return _CHANGED
    return stamp_of(status)


class Learner:
    """Finds out which modules a script imported that are not preloaded. Made before the forks."""

    def __init__(self) -> None:
        self._roots = [os.path.join(p, "") for p in sys.path[1:] if p and os.path.isdir(p)]
        self.names = frozenset(sys.modules)

    def learnt(self) -> list[str]:
        """Return the modules that were imported since then and may be preloaded."""
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


def load(
    names: "Iterable[str]", learnt: list[str], own: "tuple[object, ...] | None" = None
) -> "Outcome":
    """Import the modules to preload. Return which were not: for `names`, which a person named and which
    are imported without a trial, one line each; for `learnt`, which are tried first, the reason by
    name; and those of `learnt` that cannot be imported now. `own` is as for `Trials`.
    """
    failed: list[str] = []
    for name in names:
        try:
            __import__(name)
        except BaseException as error:  # a library's import may raise anything
            failed.append(f"{name}: {type(error).__name__}: {error}")
    trials = Trials(own=own)
    trials.sift(learnt)
    refused = {name: trials.why_not(name) for name in [*learnt, *trials.refused]}
    return failed, {name: why for name, why in refused.items() if why}, trials.absent


class Recording:
    """As a context manager, adds the exit handlers that are registered meanwhile to `handlers`: Python
    does not say which it has, and a child that serves several requests runs and registers them each
    time. Without `contextlib`, which each child would have in memory.
    """

    def __init__(self, handlers: "Handlers") -> None:
        self._handlers = handlers
        self._register = atexit.register

    def __enter__(self) -> None:
        atexit.register = self._recorded

    def __exit__(self, *_: object) -> None:
        atexit.register = self._register

    def _recorded(self, function: "Any", /, *words: "Any", **named: "Any") -> "Any":
        self._handlers.append((function, words, named))
        return self._register(function, *words, **named)


def _file_of(module: "ModuleType | None") -> str:
    """Return the file of a module, or "" if it has none."""
    file = getattr(module, "__file__", None)
    return file if isinstance(file, str) else ""


def _origin(module: "ModuleType | None") -> object:
    return getattr(getattr(module, "__spec__", None), "origin", None)
