"""What a script file is: a Python script that this interpreter can run itself, or another program.

Decided here and nowhere else: which `#!` lines mean the running interpreter, and when a file that
was read before has to be read again. Reads files, runs nothing.
"""

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

MAX_SOURCE = 4 << 20  # bytes; a larger file is data behind a `#!` line, not a script to keep
MAX_PROGRAMS = 1_000  # scripts that are kept; directories of scripts hold dozens
# Nanoseconds after its last change in which a file may change again without a new time stamp: the
# kernel's clock for files ticks every 1 to 10 ms, and some file systems' every 2 s.
_RACY = 2_500_000_000

Stamp = tuple[int, int, int, int, int]


class Program:
    """A script file as it was read: its compiled `code`, or None for what has to be started anew.

    `why` says why it is started anew (""): for the log, once.
    """

    __slots__ = ("checked", "code", "directory", "file", "stamp", "why")

    def __init__(self, file: str, stamp: Stamp, code: "CodeType | None", why: str = "") -> None:
        self.file = file
        self.stamp = stamp
        self.code = code
        self.why = why
        self.directory = os.path.dirname(os.path.realpath(file))  # what Python makes sys.path[0]
        # The stamp of its directory when names in it were last compared with what is preloaded
        self.checked: Stamp | None = None


class Programs:
    """Script files by path, read again when they have changed. `path` is the PATH that scripts get:
    `#!/usr/bin/env` looks there.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._known: dict[str, Program] = {}
        self._same: dict[bytes, str] = {}  # `#!` lines that were looked up: "" or why they are not

    def get(self, file: str, status: os.stat_result) -> Program:
        """Return the program in `file`, whose `os.stat` is `status`. Never a stale one.

        What cannot be read or compiled has no code: whoever starts it sees the error as it is.
        """
        known = self._known.get(file)
        stamp = stamp_of(status)
        if known is not None and known.stamp == stamp:
            return known
        program = self._read(file, stamp)
        if len(self._known) >= MAX_PROGRAMS:
            self._known.clear()
        if time.time_ns() - max(stamp[0], stamp[1]) > _RACY:
            self._known[file] = program
        else:
            self._known.pop(file, None)
        return program

    def _read(self, file: str, stamp: Stamp) -> Program:
        try:
            with open(file, "rb") as stream:
                # What is compiled must be what the stamp belongs to
                if stamp_of(os.fstat(stream.fileno())) != stamp or stamp[2] > MAX_SOURCE:
                    return Program(file, stamp, None)
                source = stream.read(MAX_SOURCE + 1)
                if stamp_of(os.fstat(stream.fileno())) != stamp:
                    return Program(file, stamp, None)
        except OSError:
            return Program(file, stamp, None)
        if not source.startswith(b"#!"):
            return Program(file, stamp, None)
        why = self._why_not(source.partition(b"\n")[0][2:256])
        if why:
            return Program(file, stamp, None, why)
        try:
            return Program(file, stamp, compile(source, file, "exec", dont_inherit=True))
        except (SyntaxError, ValueError):  # ValueError: NUL bytes
            return Program(file, stamp, None)

    def _why_not(self, line: bytes) -> str:
        if line not in self._same:
            if len(self._same) >= MAX_PROGRAMS:
                self._same.clear()
            self._same[line] = _why_not(os.fsdecode(line), self._path)
        return self._same[line]


def stamp_of(status: os.stat_result) -> Stamp:
    """Return what changes whenever the file does: times of change, size, inode, device."""
    return (
        status.st_mtime_ns,
        status.st_ctime_ns,
        status.st_size,
        status.st_ino,
        status.st_dev,
    )


def _why_not(line: str, path: str) -> str:
    """Return why a `#!` line (without the mark) does not mean this interpreter, "" if it does."""
    program, _, argument = line.strip(" \t").partition(" ")
    argument = argument.strip(" \t")
    if os.path.basename(program) == "env" and argument and " " not in argument:
        program, argument = _found(argument, path), ""
    if "python" not in os.path.basename(program):
        return "it is not a Python script"
    if argument:  # each option changes what an interpreter does before its first line
        return f"its first line gives Python the option {argument}"
    if line.endswith("\r"):
        return "its first line has a Windows line end"
    same = os.path.realpath(program) == os.path.realpath(sys.executable)
    # A virtual environment's interpreter is a link to another one, with other libraries
    if not same or _environment(program) != _environment(sys.executable):
        return f"its interpreter is {program}, and the warm one is {sys.executable}"
    return ""


def _found(name: str, path: str) -> str:
    """Return the program that `env` would start, "" if there is none."""
    if "/" in name:
        return name
    places = [os.path.join(place, name) for place in path.split(os.pathsep) if place]
    return next((p for p in places if os.access(p, os.X_OK) and not os.path.isdir(p)), "")


def _environment(program: str) -> str:
    """Return the virtual environment of an interpreter, "" if it is in none."""
    above = os.path.dirname(os.path.dirname(os.path.abspath(program)))
    return os.path.realpath(above) if os.path.exists(os.path.join(above, "pyvenv.cfg")) else ""
