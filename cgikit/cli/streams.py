"""The standard streams of a command: what is there instead of a closed one, which characters they take,
and how a command ends whose output cannot be written.

All commands but `run` begin and end with this module, so that none of them has to think of a closed
or full stream. Colours and bars are in `terminal.py`.
"""

import contextlib
import errno
import io
import os
import sys
from typing import TextIO

from cgikit.process import write_log


def prepare() -> None:
    """Make the three standard streams usable, whatever the command was started with.

    A closed one is opened: input is empty, error messages are lost, and writing to standard output
    fails, as it does for other programs (EBADF). Else the next file that is opened would take its
    place, and Python has None instead of a stream.
    """
    if sys.stdin is None:
        sys.stdin = _opened(os.O_RDONLY, "r")
    if sys.stdout is None:
        sys.stdout = _opened(os.O_RDONLY, "w")  # which makes writing fail
    if sys.stderr is None:
        sys.stderr = _opened(os.O_WRONLY, "w")


def escape() -> None:
    """Have standard output write an escape for a character that its encoding does not have. Not for
    what programs read: it would be changed without a word.
    """
    stream = sys.stdout
    # surrogateescape gives back the bytes of a file name, but fails for all other characters
    keeps = stream.errors == "surrogateescape" and can_write("█", stream)
    if isinstance(stream, io.TextIOWrapper) and not keeps:
        stream.reconfigure(errors="backslashreplace")


def can_write(text: str, stream: TextIO) -> bool:
    """Whether the encoding of a stream has all characters of `text` (bool); yes if it has none."""
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def finish() -> None:
    """Write what standard output still holds. Raises `OSError`."""
    sys.stdout.flush()


def complain_of(command: str, error: OSError) -> None:
    """Say what a command could not read or write; nothing if the reader of its output has ended, as
    in `… | head`. Never raises.
    """
    if isinstance(error, BrokenPipeError):
        return
    where = f"{error.filename}: " if error.filename else ""
    why = error.strerror or str(error)
    if error.errno == errno.EBADF and not where:
        why = "standard output is closed; give it a file or /dev/null"
    write_log(f"{command}: {where}{why}\n")


def drop() -> None:
    """Drop what cannot be written: Python would try again at exit, complain, and end with 120. Never
    raises.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            with contextlib.suppress(OSError, ValueError):
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, stream.fileno())
                os.close(null)


def _opened(flags: int, mode: str) -> TextIO:
    """Return a stream of the null device, with the lowest free descriptor: that of the closed one, as
    long as those below are opened first.
    """
    descriptor = os.open(os.devnull, flags)
    os.set_inheritable(descriptor, True)
    binary = io.FileIO(descriptor, mode)
    buffer = io.BufferedReader(binary) if mode == "r" else io.BufferedWriter(binary)
    return io.TextIOWrapper(buffer, "utf-8", "backslashreplace", line_buffering=mode == "w")
