"""Mends what is safe to mend: modes, line ends, a byte order mark, an `.htaccess` that is missing.

The caller shows each `Mend` before it is made. Only what belongs to the user of this process is
touched, is no link, has no other name, and is still where it was found: whoever else can write into the
tree must not be able to have another file changed.
"""

import errno
import os
import stat

from ..files import atomic_write
from ..regularfile import close_quietly, open_regular, write_all
from .exposed import DENY
from .finding import Finding

_MAX_SIZE = 4_000_000  # bytes of a script
_MARK = b"\xef\xbb\xbf"
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: By the kind of a finding: bits of the mode to add, and to remove.
_MODES = {
    "not-executable": (0o555, 0),
    "not-readable": (0o444, 0),
    "writable-by-others": (0, 0o022),
}
_CONTENTS = {
    "windows-line-ends": "give it Unix line ends",
    "byte-order-mark": "remove the byte order mark",
}


class Refused(Exception):
    """It is not safe to mend this; the message says why."""


class Mend:
    """One change. `.kind` is that of the finding, `.file` what is changed (str), and `.what` says how,
    in a few words (str).
    """

    def __init__(self, finding: Finding) -> None:
        self.kind = finding.kind
        self.file = os.path.abspath(finding.file)
        if self.kind in _MODES:
            add, remove = _MODES[self.kind]
            self.what = f"chmod {f'a+{_letters(add)}' if add else f'go-{_letters(remove)}'}"
        elif self.kind in _CONTENTS:
            self.what = _CONTENTS[self.kind]
        else:
            self.file = os.path.join(self.file, ".htaccess")
            self.what = f"write it: {DENY.strip()}"


def mends(findings: list[Finding]) -> list[Mend]:
    """Return the changes that mend findings (list of `Mend`); most findings have none."""
    made = []
    for each in findings:
        # That of a directory has a command; the files beside a script have none
        if (
            each.kind in _MODES
            or each.kind in _CONTENTS
            or (each.kind == "exposed" and each.command)
        ):
            made.append(Mend(each))
    return made


class Tree:
    """The directory that is mended in: that of a command's argument, a script or a directory. Made
    before anything is looked at: below it no link is followed.
    """

    def __init__(self, path: str) -> None:
        self._is_one_file = not os.path.isdir(path)
        self.named = os.path.abspath(path if os.path.isdir(path) else os.path.dirname(path) or ".")
        self._real = os.path.realpath(self.named)

    def apply(self, mend: Mend) -> None:
        """Make a change. Raises `Refused`, and `OSError` if the system refuses."""
        parts = os.path.relpath(mend.file, self.named).split("/")
        if ".." in parts:
            raise Refused("it is not in the directory that was named")
        place = self._open(parts[:-1])
        try:
            if parts == ["."]:
                _change_mode(place, mend.kind)
            elif mend.kind == "exposed":
                _write_new(place, parts[-1])
            elif mend.kind in _CONTENTS:
                _change_content(place, parts[-1])
            else:
                _change_mode_of(place, parts[-1], mend.kind, may_open=self._is_one_file)
        except OSError as error:
            if error.errno == errno.ELOOP:
                raise Refused("it is a symbolic link") from error
            raise
        finally:
            close_quietly(place)

    def _open(self, parts: list[str]) -> int:
        """Open a directory below."""
        fd = os.open(self._real, _DIRECTORY)
        try:
            for part in parts:
                below = os.open(part, _DIRECTORY, dir_fd=fd)
                close_quietly(fd)
                fd = below
            return fd
        except BaseException:
            close_quietly(fd)
            raise


def _change_mode_of(place: int, name: str, kind: str, *, may_open: bool = True) -> None:
    status = os.stat(name, dir_fd=place, follow_symlinks=False)
    if stat.S_ISDIR(status.st_mode):
        fd = os.open(name, _DIRECTORY, dir_fd=place)
    else:
        fd = open_regular(name, dir_fd=place, patience=0)
    try:
        if not may_open and _MODES[kind][0] and not _check(fd).st_mode & 0o077:
            raise Refused(
                "its mode closes it to all others, perhaps on purpose; name the file itself"
            )
        _change_mode(fd, kind)
    finally:
        close_quietly(fd)


def _change_mode(fd: int, kind: str) -> None:
    status = _check(fd)
    add, remove = _MODES[kind]
    os.fchmod(fd, (stat.S_IMODE(status.st_mode) | add) & ~remove)


def _check(fd: int) -> os.stat_result:
    """Return the status of what is open, if it may be changed."""
    status = os.fstat(fd)
    if status.st_uid != os.geteuid():
        raise Refused(f"it belongs to user {status.st_uid}; only its owner mends it")
    if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
        raise Refused(f"it has {status.st_nlink} names, and may be another file as well")
    return status


def _change_content(place: int, name: str) -> None:
    fd = open_regular(name, dir_fd=place, patience=0)
    with open(fd, "rb") as stream:
        _check(fd)
        old = stream.read(_MAX_SIZE + 1)
    if len(old) > _MAX_SIZE or b"\0" in old:
        raise Refused("it is too large, or not a text")
    new = old.removeprefix(_MARK).replace(b"\r\n", b"\n")
    own = f"/proc/self/fd/{place}"
    if not os.path.isdir(own):
        raise Refused("this system has no /proc")
    atomic_write(os.path.join(own, name), new)


def _write_new(place: int, name: str) -> None:
    """Write a new file; its directory has to belong to the user."""
    _check(place)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, 0o644, dir_fd=place)
    try:
        os.fchmod(fd, 0o644)  # whatever the umask
        write_all(fd, DENY.encode())
    finally:
        os.close(fd)


def _letters(bits: int) -> str:
    return "".join(letter for letter, bit in (("r", 4), ("w", 2), ("x", 1)) if bits & 0o7 & bit)
