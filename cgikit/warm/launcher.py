"""How a script is run: with which environment and arguments, and warm or by an interpreter of its own.

A script runs warm if the warm interpreter is the one that its `#!` line names (`program.py`), the
preloaded modules are what a fresh interpreter would import now (`staleness.py`), and the request sets
no variable that an interpreter reads when it starts. Otherwise it is started cold. The log says once
why, and the supervisor is told if it has to act.
"""

import os
import sys

from .allowlist import Allowlist
from .program import Programs
from .requestvariables import script_environ
from .staleness import Staleness

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..host.path import Script
    from .program import Program
    from .settings import Settings
    from .staleness import Held


class Launcher:
    """Prepares the start of scripts.

    `held` are the modules that the zygote has preloaded, with their files. `report` sends a message to
    the supervisor, `log_once` takes a line that would come back with every request. `.base` is the
    environment that every script gets.
    """

    def __init__(
        self,
        settings: "Settings",
        held: "dict[str, Held]",
        report: "Callable[[tuple[Any, ...]], None]",
        log_once: "Callable[[str], None]",
    ) -> None:
        self._settings = settings
        self._report = report
        self._log_once = log_once
        self.base = dict(os.environ)
        self._allowed = Allowlist(settings.pass_on, self.base)
        self._programs = Programs(os.environ.get("PATH", os.defpath))
        self._staleness = Staleness(held, sys.path[1:])
        self._stale = ""

    def prepare(
        self, variables: "Mapping[str, str]", script: "Script"
    ) -> "tuple[Program | None, list[str], dict[str, str]]":
        """Return what runs a script, or None if that is a process started cold, then its arguments and
        its meta-variables. `Problem` where a request cannot be handed to any program.
        """
        allowed = self._allowed
        environ, arguments = script_environ(variables, script, allowed, self._settings)
        if allowed.dropped:
            names, allowed.dropped = allowed.dropped, []
            self._report(("dropped", names))
        program = self._program(script.file) if self._settings.warm else None
        if program is not None and not allowed.at_start.isdisjoint(environ):
            program = None  # such variables are read by an interpreter that starts
        return program, arguments, environ

    def _program(self, file: str) -> "Program | None":
        try:
            program = self._programs.get(file, os.stat(file))
        except OSError:
            return None  # it is gone: the attempt to start it says so
        if not program.warm:
            self._log_cold(file, program.why)
            return None
        if not self._stale:
            self._stale = self._staleness.stale()
            if self._stale:
                self._report(("stale", self._stale))  # the supervisor replaces this worker
        if self._stale:
            return None
        hiding = self._staleness.hidden_by(program)
        if hiding:
            self._log_cold(file, f"{hiding} hides a module")
            return None
        return program

    def _log_cold(self, file: str, why: str) -> None:
        """Log, once, why a script does not run warm. Other languages need no reason."""
        if why and "not a Python" not in why:
            self._log_once(f"{file} runs in an interpreter of its own: {why}")
