"""The scripts of one daemon: which may run in its children, and their code.

Each request looks at the script's file, its folder and the files of the libraries, as in the warm
engine: nothing that has changed is ever run from memory. The daemon keeps the code of scripts that it
was told of; a child that finds none, or an old one, compiles the script itself. Their fronts are looked
at here as well: without them, or with others, the daemon ends.
"""

import os
import sys
import time

from ..regularfile import open_regular
from ..warm.compiling import MAX_SOURCE, compiled
from ..warm.program import Programs, is_recent, stamp_of
from ..warm.staleness import Staleness
from . import inplace
from .command import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import CodeType

    from ..warm.program import Stamp
    from ..warm.staleness import Held

EVERY = 1.0  # seconds between looks at the interpreter and at site-packages
MOST = 1_000  # scripts whose code is kept


class Refused(Exception):  # it says what to do instead, and is no error
    """The script must run in an interpreter of its own. Its text says why."""


class Scripts:
    """The scripts `allowed`, by path; `in_place` are those that share a file with their front. `held`
    are the modules that are loaded, with their files, `path` the directories of libraries, `search` the
    PATH that `#!/usr/bin/env` uses.
    """

    def __init__(
        self,
        allowed: "frozenset[str]",
        held: "dict[str, Held]",
        path: list[str],
        search: str,
        in_place: "frozenset[str]" = frozenset(),
    ) -> None:
        self._allowed = allowed | in_place
        self._in_place = in_place
        self._staleness = Staleness(held, path)
        self._programs = Programs(search, " ".join(OPTIONS))
        self._fronts = Programs(search, "-IS")  # the first line of a front in place
        self._codes: dict[str, tuple[object, CodeType | None]] = {}
        self._path = path
        self._looked = time.monotonic()
        self._installed = installed(path)

    def stale(self) -> str:
        """Return a file or directory that has changed, of those that decide what a fresh interpreter
        would be and import, or "" if there is none.
        """
        changed = self._staleness.stale()
        now = time.monotonic()
        if changed or now - self._looked < EVERY:
            return changed
        self._looked = now
        names = {name for name, _ in self._installed.items() ^ installed(self._path).items()}
        return min(names, default="")

    def directory(self, file: str) -> str:
        """Return what Python would make the first directory of a script's path. `Refused` if the script
        must not run here, `OSError` if it is gone.
        """
        if file not in self._allowed:
            raise Refused("it is not among the scripts of this daemon")
        programs = self._fronts if file in self._in_place else self._programs
        program = programs.get(file, os.stat(file))
        if not program.warm:
            raise Refused(program.why)
        if not os.access(file, os.X_OK):
            raise Refused("it is not executable")
        hiding = self._staleness.hidden_by(program)
        if hiding:
            raise Refused(f"{hiding} hides a module")
        return program.directory

    def is_known(self, file: str) -> bool:
        """Whether the code of a script is here, and is that of the file."""
        known = self._codes.get(file)
        return known is not None and known[0] == stamp_of(os.stat(file))

    def keep(self, file: str) -> None:
        """In the daemon: compile a script, in a process of its own, and keep its code, or that it has
        none: to find that out for each request could take seconds.
        """
        try:
            stamp = stamp_of(os.stat(file))
            if is_recent(stamp):
                return  # it could change again and keep its stamp
            self.directory(file)  # remembered, too
            code = compiled(file, [], self._part(file))
            if stamp != stamp_of(os.stat(file)):
                return
        except (OSError, Refused):
            return  # as each request will find out
        if len(self._codes) >= MOST:
            self._codes.clear()
        self._codes[file] = stamp, code

    def remember(self) -> None:
        """In the daemon: look again at the scripts whose code is kept, and at the folders that they are
        in, so that no child has to. What has changed a moment ago is not remembered.
        """
        for file in self._codes:
            try:
                self.directory(file)
            except (OSError, Refused):
                continue  # as each request will find out

    def _part(self, file: str) -> "Callable[[bytes], bytes]":
        return inplace.source if file in self._in_place else bytes

    def code(self, file: str) -> "CodeType":
        """In a child: return the code of a script as it is now. `Refused` if it cannot be compiled."""
        known = self._codes.get(file)
        if known is not None and self.is_known(file):
            if known[1] is None:
                raise Refused("it cannot be compiled")
            return known[1]
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            source = stream.read(MAX_SOURCE + 1)
        if len(source) > MAX_SOURCE:
            raise Refused("it is too large")
        try:
            return compile(self._part(file)(source), file, "exec", dont_inherit=True)
        except Exception as error:  # its own interpreter reports it
            raise Refused(f"it cannot be compiled: {type(error).__name__}") from None


def front_of(script: str) -> str:
    """Return the path (str) of the front beside a script."""
    return os.path.splitext(script)[0] + ".cgi"


class Fronts:
    """The fronts of the scripts `beside`, and those that keep the scripts `in_place`, by path, as they
    are now.
    """

    def __init__(self, beside: "Iterable[str]", in_place: "Iterable[str]") -> None:
        self._beside = {front: _stamp(front) for front in map(front_of, beside)}
        self._in_place = {file: (_stamp(file), _front_in(file)) for file in in_place}

    def changed(self) -> str:
        """Return one that is no longer what it was (str), or "". A script may change in its front."""
        for file, stamp in self._beside.items():
            if _stamp(file) != stamp:
                return file
        for file, (former, front) in self._in_place.items():
            stamp = _stamp(file)
            if stamp != former:
                if _front_in(file) != front:
                    return file
                self._in_place[file] = stamp, front
        return ""


def _front_in(file: str) -> bytes:
    try:
        with open(open_regular(file, patience=0), "rb") as stream:
            return inplace.front(stream.read(MAX_SOURCE))
    except OSError:
        return b""


def installed(path: "Iterable[str]") -> "dict[str, Stamp | None]":
    """Return the interpreter's file and what it looks at when it starts, with their stamps: pyvenv.cfg,
    the .pth files in the directories `path`, and the user's site-packages while they are not there.
    """
    above = os.path.dirname(os.path.dirname(sys.executable))
    files = [sys.executable, os.path.join(above, "pyvenv.cfg")]
    for place in path:
        if place.endswith("-packages"):
            try:
                names = os.listdir(place)
            except OSError:
                continue
            files += [os.path.join(place, name) for name in names if name.endswith(".pth")]
    found = {file: _stamp(file) for file in files}
    site = sys.modules.get("site")
    if site is not None and site.ENABLE_USER_SITE:
        user = site.getusersitepackages()
        if user not in path:
            found[user] = _stamp(user)
    return found


def _stamp(file: str) -> "Stamp | None":
    try:
        return stamp_of(os.stat(file))
    except OSError:
        return None
