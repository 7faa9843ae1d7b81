"""The scripts of one daemon: which may run in its children, and their code.

Each request looks at the script's file, its folder and the files of the libraries, as in the warm
engine: nothing that has changed is ever run from memory. The daemon keeps the code of scripts that it
was told of; a child that finds none, or an old one, compiles the script itself.
"""

import os

from ..regularfile import open_regular
from ..warm.compiling import MAX_SOURCE, compiled
from ..warm.program import Programs, stamp_of
from ..warm.staleness import Staleness
from . import inplace
from .command import OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from ..warm.staleness import Held

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
        self._codes: dict[str, tuple[object, CodeType]] = {}

    def stale(self) -> str:
        """Return the file of a library that has changed, or "" if there is none."""
        return self._staleness.stale()

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
        hiding = self._staleness.hidden_by(program)
        if hiding:
            raise Refused(f"{hiding} hides a module")
        return program.directory

    def is_known(self, file: str) -> bool:
        """Whether the code of a script is here, and is that of the file."""
        known = self._codes.get(file)
        return known is not None and known[0] == stamp_of(os.stat(file))

    def keep(self, file: str) -> None:
        """In the daemon: compile a script, in a process of its own, and keep its code."""
        try:
            self.directory(file)  # remembered, too
            stamp = stamp_of(os.stat(file))
            code = compiled(file, [], self._part(file))
            if code is None or stamp != stamp_of(os.stat(file)):
                return
        except (OSError, Refused):
            return  # as each request will find out
        if len(self._codes) >= MOST:
            self._codes.clear()
        self._codes[file] = stamp, code

    def _part(self, file: str) -> "Callable[[bytes], bytes]":
        return inplace.source if file in self._in_place else bytes

    def code(self, file: str) -> "CodeType":
        """In a child: return the code of a script as it is now. `Refused` if it cannot be compiled."""
        known = self._codes.get(file)
        if known is not None and self.is_known(file):
            return known[1]
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            source = stream.read(MAX_SOURCE + 1)
        if len(source) > MAX_SOURCE:
            raise Refused("it is too large")
        try:
            return compile(self._part(file)(source), file, "exec", dont_inherit=True)
        except Exception as error:  # its own interpreter reports it
            raise Refused(f"it cannot be compiled: {type(error).__name__}") from None
