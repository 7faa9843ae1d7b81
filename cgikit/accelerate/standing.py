"""What there is of a script's daemon: its process, its counts, its log; and how it is ended.

`accelerate --status` prints it, `--stop` ends the daemon, `--undo` removes the front as well.
"""

import contextlib
import os
import signal
import socket
import sys
import time

from . import directory, records
from .directory import Refusal
from .installation import is_front, keeps
from .scripts import front_of

LINES = 5  # of the log
ENDING = 10.0  # seconds for a daemon to end; its scripts may go on
_OWN = (
    "asked",
    "counts",
    "direct",
    "learnt",
    "lock",
    "log",
    "log.cgikit-old",
    "s",
    "settings",
    "wait",
)


def place_of(script: str, base: str) -> str:
    """Return the directory of a script's daemon (str). `Refusal` if the script has none in `base`."""
    file = os.path.abspath(script)
    end = directory.tail(os.geteuid(), os.path.dirname(file), sys.executable)
    place = directory.place(base, end)
    if file not in [value for _, value in records.read(os.path.join(place, "settings"))]:
        raise Refusal(
            f"{file} has no front that this command has made, or not on this machine with this Python "
            f"and the directory {base}; make one: cgikit accelerate {script}"
        )
    return place


def has_place(script: str, base: str) -> bool:
    """Whether there is something of a daemon for a script in `base`."""
    try:
        place_of(script, base)
    except (Refusal, OSError):
        return False
    return True


def scripts_in(folder: str, base: str) -> "list[str]":
    """Return the scripts in a folder that have fronts (list of str), by the settings and by what their
    own files say. `Refusal` if there is none, `OSError` if the folder cannot be read.
    """
    top = os.path.abspath(folder)
    end = directory.tail(os.geteuid(), top, sys.executable)
    settings = os.path.join(directory.place(base, end), "settings")
    found = [value for name, value in records.read(settings) if name in records.SCRIPTS]
    for name in sorted(os.listdir(top)):
        file = os.path.join(top, name)
        if os.path.isfile(file) and not os.path.islink(file) and keeps(file):
            found.append(file)
    if not found:
        raise Refusal(f"no script in {folder} has a front; make them: cgikit accelerate {folder}")
    return list(dict.fromkeys(found))


def daemon(place: str) -> int:
    """Return the process id of the daemon that listens in a directory, or 0. `Refusal` if it is another
    user's.
    """
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(1)
        try:
            sock.connect(os.path.join(place, "s"))
        except OSError:
            return 0
        peer = sock.getsockopt(socket.SOL_SOCKET, 17, 12)  # SO_PEERCRED
    pid, user = (int.from_bytes(peer[at : at + 4], sys.byteorder) for at in (0, 4))
    if user != os.geteuid():
        raise Refusal(
            f"the socket in {place} is user {user}'s; see who put it there, and remove it"
        )
    return pid


def described(place: str) -> "list[str]":
    """Return what there is to say of a daemon (list of str), for all scripts of its folder."""
    pid = daemon(place)
    lines = [f"daemon: process {pid}" if pid else f"daemon: not running{_when(place)}"]
    counts = dict(records.read(os.path.join(place, "counts")))
    delay = " (the daemon writes its counts every few seconds)" if pid and not counts else ""
    lines.append(f"warm: {counts.get('warm', '0')}{delay}")
    letters = _letters(place)
    lines.append(f"directly: {sum(letters.values())}")
    lines += [f"  {count}: {records.DIRECT[letter]}" for letter, count in letters.items()]
    if not letters and not pid and not counts:
        lines.append(
            "No request has come here yet. If you have asked for the .cgi file, the web server runs "
            "another file, or runs scripts as another user."
        )
    path = os.path.join(place, "log")
    with contextlib.suppress(OSError):
        log = records.text(path).splitlines()[-LINES:]
        lines += [f"the log {path} ends with:", *[f"  {line}" for line in log]]
    return lines


def stop(place: str) -> bool:
    """End the daemon of a directory, and wait until it listens no more; return whether there was one.
    Scripts that run go on to their end.
    """
    pid = daemon(place)
    if not pid:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + ENDING
    while daemon(place) == pid:
        if time.monotonic() > end:  # it is stopped, or hangs
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            break
        time.sleep(0.02)
    return True


def undo(script: str, place: str) -> "list[str]":
    """Remove the front of a script; with the last one, end the daemon and remove its directory. Return
    what was removed (list of str).
    """
    file, removed = os.path.abspath(script), []
    front = front_of(file)
    if ("kept", file) in records.read(os.path.join(place, "settings")):
        pass  # its front was in its place
    elif os.path.isfile(front) and is_front(front):
        os.unlink(front)
        removed.append(front)
    path = os.path.join(place, "settings")
    left = [pair for pair in records.read(path) if pair[1] != file]
    if any(name in records.SCRIPTS for name, _ in left):
        records.write(path, left)
        return removed
    stop(place)
    end = time.monotonic() + ENDING
    # A daemon that listens no more may still write its counts
    while not _is_removed(place) and time.monotonic() < end:
        if not any(os.path.lexists(os.path.join(place, name)) for name in _OWN):
            return removed  # something of somebody else's is in it: it stays
        time.sleep(0.02)
    return [*removed, place]


def _is_removed(place: str) -> bool:
    """Remove a directory with what cgikit has written into it; return whether it is gone."""
    for name in _OWN:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(os.path.join(place, name))
    with contextlib.suppress(OSError):
        os.rmdir(place)
    return not os.path.lexists(place)


def _letters(place: str) -> "dict[str, int]":
    with contextlib.suppress(OSError):
        found = records.text(os.path.join(place, "direct"))
        return {letter: found.count(letter) for letter in records.DIRECT if letter in found}
    return {}


def _when(place: str) -> str:
    with contextlib.suppress(OSError):
        left = os.stat(os.path.join(place, "wait")).st_mtime - time.time()
        if 0 < left < records.LONGEST_WAIT:
            return f"; none is started for {left:.0f} seconds, since the last one was of little use"
    return "; it is started when two requests come shortly one after the other"
