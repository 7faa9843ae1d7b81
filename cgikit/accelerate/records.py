"""The files of a daemon's directory that hold values: lines of a name, a space and a value.

`settings` is written by `accelerate`, `counts` and `learnt` by the daemon, `direct` and the times of
`asked` and `wait` by fronts, which add one letter for each request that ran directly and why.
"""

import os
import time

from ..regularfile import open_regular, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_SIZE = 1 << 20  # bytes of a file that is read
FIRST_WAIT, MAX_WAIT = 60, 86_400  # seconds
#: Seconds. A front that finds more believes that the clock was wrong, and does not wait.
LONGEST_WAIT = 90_000
#: Why a front ran a script directly, by its letter in `direct`.
DIRECT = {
    "n": "no daemon was running",
    "l": "the daemon did not answer within 250 ms",
    "f": "the daemon had too many connections waiting",
    "r": "the daemon refused it (the log says why)",
    "s": "the socket or descriptors could not be used",
    "m": "the request was too large for one message",
    "o": "the daemon belongs to another user",
}

#: In `settings`: a script with a front beside it, and one that its front keeps.
SCRIPTS = ("script", "kept")

Pairs = list[tuple[str, str]]


def read(path: str) -> Pairs:
    """Return the names and values in a file (list of pairs of str), in its order; [] if it is missing.

    `OSError` if it cannot be read.
    """
    try:
        lines = text(path).split("\n")
    except FileNotFoundError:
        return []
    found = []
    for line in lines:
        name, space, value = line.partition(" ")
        if space:
            found.append((name, value))
    return found


def text(path: str) -> str:
    """Return the text of a file (str), 1 MiB at most. `OSError` if it cannot be read."""
    with open(open_regular(path, patience=0), "rb") as stream:
        return os.fsdecode(stream.read(MAX_SIZE))


def write(path: str, pairs: "Iterable[tuple[str, object]]") -> None:
    """Replace a file by these names and values, whole or not at all. `OSError` if that fails,
    `ValueError` for a value that is more than a line.
    """
    lines = [f"{name} {value}" for name, value in pairs]
    if any("\n" in line for line in lines):
        raise ValueError(f"a value for {path} has a line end; it must be one line")
    temporary = f"{path}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    fd = open_regular(temporary, flags, 0o600, patience=0)
    try:
        try:
            write_all(fd, os.fsencode("".join([line + "\n" for line in lines])))
        finally:
            os.close(fd)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def begin_waiting(directory: str) -> int:
    """Note that a daemon has started: the next one has to wait, twice as long as this one had to, if
    this one ends before it has been of use. Return those seconds.
    """
    path = os.path.join(directory, "wait")
    former = dict(read(path)).get("seconds", "")
    known = int(former) if former.isdigit() and len(former) < 9 else 0
    seconds = min(2 * known or FIRST_WAIT, MAX_WAIT)
    write(path, [("seconds", seconds)])
    until(path, time.time() + seconds)
    return seconds


def end_waiting(directory: str, seconds: int = 0) -> None:
    """Let the next daemon start after `seconds` from now. 0: at once, and it was of use."""
    path = os.path.join(directory, "wait")
    if not seconds:
        write(path, [("seconds", 0)])
    until(path, time.time() + seconds)


def until(path: str, moment: float) -> None:
    """Set the time of a file."""
    os.utime(path, (moment, moment))
