"""Whether the modules that are preloaded are the ones that a fresh interpreter would import now.

A script must never get a module that is out of date, nor a module other than a fresh interpreter would
import. A file beside a script that has the name of a module hides that module; such a script is started
cold. When the file of a module has changed, or the import would find another file, every script is
started cold until the preloaded modules are replaced. The standard library and cgikit itself count as
part of the interpreter and are checked every second. `preload.py` decides what is preloaded, in another
process.
"""

import os
import time
from importlib.machinery import PathFinder

from .program import Program, Stamp, is_recent, stamp_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_LIBRARY_EVERY = 1_000_000_000  # nanoseconds between looks at the standard library's files
# What an interpreter imports on its way up, before a script's directory is on its path
_NO_FILE = ("", "built-in", "frozen")

#: A preloaded module: its file ("" if none), the file's stamp or None, and whether it belongs
#: to the standard library, or to cgikit.
Held = tuple[str, "Stamp | None", bool]


class Staleness:
    """The preloaded modules, by name, with their files as they were at the import.

    `path` are the directories in which an interpreter looks for libraries.
    """

    def __init__(self, held: dict[str, Held], path: "Iterable[str]" = ()) -> None:
        self._tops = {
            name: file
            for name, (file, _, _) in held.items()
            if "." not in name and file not in _NO_FILE
        }
        files = {file: (stamp, library) for file, stamp, library in held.values() if stamp}
        self._watched = [(f, stamp) for f, (stamp, library) in files.items() if not library]
        self._library = [(f, stamp) for f, (stamp, library) in files.items() if library]
        self._looked = 0
        self._path = [place for place in path if os.path.isdir(place)]
        self._places: dict[str, Stamp | None] = dict.fromkeys(self._path)
        self._found = {top: file for top, file in self._tops.items() if self._find(top) == file}

    def stale(self) -> str:
        """Return a file that has changed since its module was imported, or "" if there is none."""
        for file, stamp in self._watched:
            if _differs(file, stamp):
                return file
        moved = self._moved()
        if moved:
            return moved
        now = time.monotonic_ns()
        if now - self._looked > _LIBRARY_EVERY:
            self._looked = now
            for file, stamp in self._library:
                if _differs(file, stamp):
                    return file
        return ""

    def _moved(self) -> str:
        """Return a file that an import would now find instead of a preloaded module, or "" if none."""
        for place, known in self._places.items():
            try:
                stamp = stamp_of(os.stat(place))
            except OSError:
                stamp = None
            if stamp is not None and stamp == known:
                continue
            PathFinder.invalidate_caches()
            for top, file in self._found.items():
                found = self._find(top)
                if found != file:
                    return found or file
            self._places[place] = None if stamp is None or is_recent(stamp) else stamp
        return ""

    def _find(self, top: str) -> str:
        spec = PathFinder.find_spec(top, self._path)
        return (spec.origin or "") if spec is not None else ""

    def hidden_by(self, program: Program) -> str:
        """Return a file beside a script that hides a preloaded module, or "" if there is none."""
        try:
            stamp = stamp_of(os.stat(program.directory))
            if program.checked == stamp:
                return ""
            names = os.listdir(program.directory)
        except OSError:
            return ""
        for name in names:
            top = name.partition(".")[0]
            if top in self._tops:
                path = os.path.join(program.directory, name)
                if _hides(path, name, self._tops[top]):
                    return path
        if not is_recent(stamp):
            program.checked = stamp
        return ""


def _hides(path: str, name: str, held: str) -> bool:
    """Whether a file beside a script would be imported instead of the module in the file `held`."""
    if "." not in name:
        path = os.path.join(path, "__init__.py")
        if not os.path.exists(path):
            return False
    elif not name.endswith((".py", ".pyc", ".so")):
        return False
    return os.path.realpath(path) != os.path.realpath(held)


def _differs(file: str, stamp: "Stamp | None") -> bool:
    try:
        return stamp_of(os.stat(file)) != stamp
    except OSError:
        return True
