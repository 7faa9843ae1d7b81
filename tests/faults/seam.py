"""The seam: every system call that the library makes on files, recorded, and any of them failing.

`os` as the modules see it, and flock, are replaced by what passes each call on and counts it.
The calls are real; only the one that is to fail is not made (a `close` is, as Linux does it).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from cgikit import counters, files, jsonfile, lines, locks, regularfile
from cgikit.sessions import directory, file, sessionfile

MODULES = (regularfile, locks, files, lines, jsonfile, counters)
SESSIONS = (sessionfile, directory, file)

#: What the library may call; whoever adds one adds it here, and it will be made to fail.
CALLS = set(
    "open close read write pread pwrite fsync fdatasync fstat stat replace unlink mkdir fchmod"
    " fchown ftruncate dup flock link rename utime scandir listdir set_blocking".split()
)
#: What of `os` makes no call on a file.
PURE = set(
    "fspath fsencode path stat_result strerror geteuid getpid urandom PathLike major minor".split()
)


class Seam:
    """Passes calls on; the one with the number `at` fails with `number`, and those after it do, if
    `from_then_on`. `made` holds the names of all that were tried.
    """

    def __init__(self, at: int = -1, number: int = 0, *, from_then_on: bool = False) -> None:
        self.at = at
        self.number = number
        self.from_then_on = from_then_on
        self.made: list[str] = []

    def call(self, name: str, real: object, *words: object, **options: object) -> object:
        turn = len(self.made)
        self.made.append(name)
        if turn == self.at or (self.from_then_on and 0 <= self.at < turn):
            if name == "close":
                os.close(*words)
            raise OSError(self.number, os.strerror(self.number))
        return real(*words, **options)


class Watched:
    """A module whose calls go through a seam."""

    def __init__(self, module: object, seam: Seam) -> None:
        self._module = module
        self._seam = seam

    def __getattr__(self, name: str) -> object:
        real = getattr(self._module, name)
        if name.isupper() or name in PURE:
            return real
        assert name in CALLS, f"{name} is not in the table of calls that are made to fail"
        return lambda *words, **options: self._seam.call(name, real, *words, **options)


@contextmanager
def through(seam: Seam) -> Iterator[None]:
    """Let all calls of the library go through the seam."""
    real = fcntl.flock
    with pytest.MonkeyPatch.context() as patch:
        for module in (*MODULES, *SESSIONS):
            if hasattr(module, "os"):
                patch.setattr(module, "os", Watched(os, seam))
        # In its own module: some import it only when they lock.
        patch.setattr(fcntl, "flock", lambda *words: seam.call("flock", real, *words))
        yield
