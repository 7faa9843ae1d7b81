"""Fronts beside scripts: which scripts can have one, and how they are written.

A front has the name of its script with `.cgi` in the place of its suffix, and the owner and mode of the
script, as suEXEC wants. The script itself is not changed.
"""

import os
import shutil
import stat
import sys

from ..regularfile import open_regular, write_all
from ..warm.compiling import MAX_SOURCE
from ..warm.program import Programs
from . import command, directory, inplace, machine, perlfront, pythonfront, records
from .directory import Refusal
from .scripts import front_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    #: Makes the text of a front from the path of the script and the end of the directory's name.
    #: For a front in place, also what runs the script.
    Text = Callable[..., bytes]

MARK = b'# "cgikit accelerate" made this file'
IDLE = 300  # seconds
KINDS = ("perl", "python")  # of fronts, the quicker one first
_PROGRAMS = "/usr/bin:/usr/local/bin:/bin"  # where the web server, too, finds Perl


def accelerate(
    scripts: "Sequence[str]",
    base: str,
    *,
    idle: int = IDLE,
    kinds: "Sequence[str]" = KINDS,
    in_place: bool = False,
) -> "list[str]":
    """Make the fronts of scripts in one folder; return their paths (list of str).

    `base` is where the directory is made; a daemon ends after `idle` seconds without a request; `kinds`
    are the kinds of fronts that may be used, the first that works. `in_place` has fronts take the place
    of their scripts, and keep them; they are in Python. `Refusal` if a script cannot have a
    front: nothing is written then. `OSError` if a file cannot be written.
    """
    directory.check_user()
    files = [os.path.abspath(script) for script in scripts]
    folder = os.path.dirname(files[0])
    for file in files:
        check(file, in_place)
    end = directory.tail(os.geteuid(), folder, sys.executable)
    place = directory.make(base, end, folder)
    text = working(["python"] if in_place else kinds, base, idle)
    settings = os.path.join(place, "settings")
    known = [pair for pair in records.read(settings) if pair[0] in records.SCRIPTS]
    listed = [(kind, file) for kind, file in known if os.path.exists(file) and file not in files]
    listed += [("kept" if in_place else "script", file) for file in files]
    pairs = [("folder", folder), ("interpreter", sys.executable), ("idle", str(idle))]
    records.write(settings, [*pairs, *listed])
    if in_place:
        return [_take_place(file, text, end) for file in files]
    return [_write(front_of(file), text(file, end), _mode(file) & 0o755) for file in files]


def scripts_in(folder: str, in_place: bool = False) -> "list[str]":
    """Return the scripts in a folder that can have a front (list of str), sorted by name.

    `Refusal` if there is none, `OSError` if the folder cannot be read.
    """
    found = [file for file, why in _looked_at(folder, in_place) if not why]
    if not found:
        raise Refusal(
            f"{folder} has no script (*.py, executable) whose first line names {sys.executable}; "
            "name a script to see why it is none"
        )
    return found


def left_out(folder: str, in_place: bool = False) -> "list[str]":
    """Return why scripts in a folder cannot have a front (list of str, which name them). Files that are
    not executable are modules, and not meant. `OSError` if the folder cannot be read.
    """
    return [why for file, why in _looked_at(folder, in_place) if why and os.access(file, os.X_OK)]


def is_front(file: str) -> bool:
    """Whether a file is a front, by the comment at its beginning, or that after the script that it
    keeps. `OSError` if it cannot be read.
    """
    data = _content(file)
    return MARK in data[:1_000] or inplace.kept(data) is not None


def keeps(file: str) -> bool:
    """Whether a file is a front that keeps its script. `OSError` if it cannot be read."""
    return inplace.kept(_content(file)) is not None


def put_back(file: str) -> bool:
    """Put a script in the place of the front that keeps it, with the mode and the time that it had;
    return whether the file was such a front. `OSError` if it cannot be read or written.
    """
    script = inplace.kept(_content(file))
    if script is None:
        return False
    _write(file, script.data, script.mode, script.time)
    return True


def _content(file: str) -> bytes:
    with open(open_regular(file, patience=0), "rb") as stream:
        return stream.read(MAX_SOURCE)


def _mode(file: str) -> int:
    return stat.S_IMODE(os.stat(file).st_mode)


def _looked_at(folder: str, in_place: bool) -> "list[tuple[str, str]]":
    """Return the Python files in a folder, sorted, each with why it cannot have a front, or ""."""
    found = []
    for name in sorted(os.listdir(folder)):
        file = os.path.join(os.path.abspath(folder), name)
        if name.endswith(".py"):
            try:
                check(file, in_place)
            except Refusal as refusal:
                found.append((file, str(refusal)))
            except OSError as error:
                found.append((file, f"{file} cannot be read: {error.strerror}"))
            else:
                found.append((file, ""))
    return found


def check(file: str, in_place: bool = False) -> None:
    """`Refusal` unless a script can have a front, beside it or in its place."""
    try:
        found = os.lstat(file)
    except FileNotFoundError:
        raise Refusal(f"{file} does not exist; name a script") from None
    if not stat.S_ISREG(found.st_mode):
        raise Refusal(f"{file} is not a regular file; name the script itself")
    if "\n" in file:
        raise Refusal(f"{file!r} has a line end in its name; rename it")
    if found.st_uid != os.geteuid():
        raise Refusal(
            f"{file} belongs to user {found.st_uid}, and this command runs as user {os.geteuid()}; "
            f"run it as the script's owner"
        )
    if not found.st_mode & stat.S_IXUSR:
        raise Refusal(f"{file} is not executable; make it so: chmod +x {file}")
    if is_front(file):
        raise Refusal(
            f"{file} is a front itself; name the script that it runs, or remove the front first: "
            f"cgikit accelerate --undo {file}"
        )
    why = Programs(os.environ.get("PATH", os.defpath)).get(file, os.stat(file)).why
    if why:
        raise Refusal(
            f"{file} cannot be accelerated: {why}; write #!{sys.executable} as its first line if that "
            "Python has what the script imports, or install cgikit for the other one and run this "
            "command with it: PYTHON -m cgikit accelerate ..."
        )
    if in_place:
        _check_kept(file)
    else:
        _check_beside(file)


def _check_kept(file: str) -> None:
    why = inplace.why_not(_content(file))
    if why:
        raise Refusal(f"no front can keep {file}: {why}; make one beside it, without --in-place")


def _check_beside(file: str) -> None:
    front = front_of(file)
    if front == file:
        raise Refusal(
            f"{file} has the name that its front would get; rename it to end in .py, or give it "
            "a front in its place: --in-place"
        )
    if os.path.lexists(front) and not (os.path.isfile(front) and is_front(front)):
        raise Refusal(f"{front} is there, and is not a front; move it away, or rename the script")


def working(kinds: "Sequence[str]", base: str, idle: int) -> "Text":
    """Return what makes the text of fronts, for the first kind that works here. `Refusal` if none
    does.
    """
    from . import trial  # it imports what starts processes

    found = []
    for kind in kinds:
        text = _maker(kind, base, idle)
        why = trial.why_not(text, base) if text else "it is not known on this platform"
        if text and not why:
            return text
        found.append(f"{kind}: {why}")
    raise Refusal(
        f"no front works on this machine ({'; '.join(found)}); scripts run as before, without one"
    )


def _maker(kind: str, base: str, idle: int) -> "Text | None":
    shared = {
        b"BASE": os.fsencode(base),
        b"PYTHON": os.fsencode(sys.executable),
        b"CODE": command.CODE.encode(),
        b"PACKAGE": os.fsencode(command.PACKAGE),
        b"USER": b"%d" % os.geteuid(),
        b"IDLE": b"%d" % idle,
    }
    numbers, perl = machine.own(), shutil.which("perl", path=_PROGRAMS)
    if kind == "perl" and not (numbers and perl):
        return None

    def text(file: str, end: str, command: "Sequence[bytes]" = ()) -> bytes:
        shown = os.path.basename(file).encode("ascii", "backslashreplace")
        own = {b"SCRIPT": os.fsencode(file), b"SHOWN": shown, b"TAIL": end.encode()}
        if kind == "perl" and numbers and perl:
            return perlfront.text(numbers, {**shared, **own, b"PERL": os.fsencode(perl)})
        return pythonfront.text({**shared, **own}, command)

    return text


def _take_place(file: str, text: "Text", end: str) -> str:
    """Replace a script by a front that keeps it; return its path (str)."""
    found, data = os.stat(file), _content(file)
    command = inplace.command(data.partition(b"\n")[0], os.fsencode(file))
    script = inplace.Kept(data, stat.S_IMODE(found.st_mode), found.st_mtime_ns)
    return _write(file, inplace.together(text(file, end, command), script), script.mode)


def _write(front: str, text: bytes, mode: int, time: "int | None" = None) -> str:
    """Write a file whole, with a mode, the group of what it replaces, and a time (ns); return its path
    (str).
    """
    temporary = f"{front}.{os.getpid()}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o600)
    try:
        write_all(fd, text)
        _take_group(fd, front)
        os.fchmod(fd, mode)
        if time is not None:
            os.utime(fd, ns=(time, time))
        os.fsync(fd)  # it may hold a script that is nowhere else
    except BaseException:
        os.unlink(temporary)
        raise
    finally:
        os.close(fd)
    os.replace(temporary, front)
    return front


def _take_group(fd: int, file: str) -> None:
    """Give an open file the group of the one that it is to replace."""
    try:
        group = os.stat(file).st_gid
    except FileNotFoundError:
        return
    if os.fstat(fd).st_gid != group:
        os.fchown(fd, -1, group)
