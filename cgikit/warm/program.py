"""The kind of a script file: a Python script for the warm interpreter, or another program.

This module alone decides which `#!` lines mean that interpreter, and when a file has to be looked at
again. It reads first lines and runs nothing.
"""

import os
import sys
import time

from ..regularfile import open_regular

MAX_PROGRAMS = 1_000  # scripts that are remembered; directories of scripts hold dozens
# Nanoseconds after its last change in which a file may change again without a new time stamp: the
# kernel's clock for files ticks every 1 to 10 ms, that of some file systems every 2 s.
RACY = 2_500_000_000

Stamp = tuple[int, int, int, int, int]


class Program:
    """A script file as it was when it was last looked at.

    `warm` tells whether the warm interpreter runs it, and `why` why it does not. `stamp` is None for a
    file that changed a moment ago and might change again unnoticed.
    """

    __slots__ = ("checked", "directory", "file", "stamp", "warm", "why")

    def __init__(self, file: str, stamp: Stamp | None, why: str) -> None:
        self.file = file
        self.stamp = stamp
        self.warm = not why
        self.why = why
        self.directory = os.path.dirname(os.path.realpath(file))  # what Python makes sys.path[0]
        # The stamp of its directory when the names in it were last compared (see `staleness.py`)
        self.checked: Stamp | None = None


class Programs:
    """Script files by path. `path` is the PATH of scripts, where `#!/usr/bin/env` looks, `options` are
    those that this interpreter was started with, as a `#!` line gives them.
    """

    def __init__(self, path: str, options: str = "") -> None:
        self._path = path
        self._options = options
        self._known: dict[str, Program] = {}
        self._same: dict[bytes, str] = {}  # `#!` lines that were looked up: "" or why not

    def get(self, file: str, status: os.stat_result) -> Program:
        """Return the program in `file`, whose `os.stat` is `status`. Never a stale one."""
        stamp = stamp_of(status)
        known = self._known.get(file)
        if known is not None and known.stamp == stamp:
            return known
        fresh = is_recent(stamp)
        program = Program(file, None if fresh else stamp, self._why_not(file))
        if len(self._known) >= MAX_PROGRAMS:
            self._known.clear()
        self._known[file] = program
        return program

    def _why_not(self, file: str) -> str:
        try:
            line = _first_line(file)
        except OSError as error:
            return f"it cannot be read ({error.strerror})"
        if not line.startswith(b"#!"):
            return NOT_PYTHON
        if b"\0" in line:  # the kernel ends the line there, and no path can hold one
            return "its first line has a NUL character"
        if line not in self._same:
            if len(self._same) >= MAX_PROGRAMS:
                self._same.clear()
            self._same[line] = _why_not(os.fsdecode(line[2:]), self._path, self._options)
        return self._same[line]


NOT_PYTHON = "it is not a Python script"


def runs_python(file: str) -> bool:
    """Return whether a script's `#!` line names any Python. False if the file cannot be read."""
    try:
        line = _first_line(file)
    except OSError:
        return False
    words = line[2:].split()[:3] if line.startswith(b"#!") else []
    return any(b"python" in os.path.basename(word) for word in words)


def _first_line(file: str) -> bytes:
    with open(open_regular(file, follow=True, patience=0), "rb") as stream:
        return stream.read(256).partition(b"\n")[0]


def stamp_of(status: os.stat_result) -> Stamp:
    """Return values that change whenever the file does: times of change, size, inode, device."""
    return (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_dev,
    )


def is_recent(stamp: Stamp) -> bool:
    """Whether a file changed so recently that it could change again and keep its stamp."""
    return time.time_ns() - max(stamp[0], stamp[1]) < RACY


def _why_not(line: str, path: str, options: str) -> str:
    """Return why a `#!` line (without the mark) does not mean this interpreter, or "" if it does."""
    program, _, argument = line.strip(" \t").partition(" ")
    argument = argument.strip(" \t")
    if os.path.basename(program) == "env" and argument and " " not in argument:
        program, argument = _found(argument, path), ""
    if "python" not in os.path.basename(program):
        return NOT_PYTHON
    if argument != options:  # each option changes what an interpreter does before its first line
        given = f"the option {argument}" if argument else f"no option, and here it has {options}"
        return f"its first line gives Python {given}"
    if line.endswith("\r"):
        return "its first line has a Windows line end"
    same = os.path.realpath(program) == os.path.realpath(sys.executable)
    # A virtual environment's interpreter is a link to another one, with other libraries
    if not same or _environment(program) != _environment(sys.executable):
        return f"its interpreter is {program}, and the warm one is {sys.executable}"
    return ""


def _found(name: str, path: str) -> str:
    """Return the program that `env` would start, or "" if there is none."""
    if "/" in name:
        return name
    places = [os.path.join(place, name) for place in path.split(os.pathsep) if place]
    return next((p for p in places if os.access(p, os.X_OK) and not os.path.isdir(p)), "")


def _environment(program: str) -> str:
    """Return the virtual environment of an interpreter, or "" if it is in none."""
    above = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    return os.path.realpath(above) if os.path.exists(os.path.join(above, "pyvenv.cfg")) else ""
