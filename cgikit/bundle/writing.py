"""Writing a bundle: complete or not at all, and never over what somebody else has put there.

The folder has a list of its files with their sums, in the format of sha256sum. So the next bundle knows
which files are its own, and `sha256sum -c` tells whether an upload is whole.
"""

import hashlib
import os
import shutil
import tempfile

from ..files import read
from .firstlines import FOLDER

LIST = f"{FOLDER}/written.sha256"
_ADDED = "was not written by cgikit bundle"
_ELSE = "name another folder, or move it away"


class Bundle:
    """The files of a bundle (bytes by path); `scripts` are the paths of those that are run."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.scripts: set[str] = set()

    def listing(self) -> bytes:
        """Return the list of the files with their sums."""
        sums = [f"{hashlib.sha256(data).hexdigest()}  {path}" for path, data in self.files.items()]
        return ("\n".join(sorted(sums, key=lambda line: line[66:])) + "\n").encode()


def write(bundle: Bundle, out: str, *, force: bool = False) -> None:
    """Write a bundle into the new folder `out`.

    With `force` a bundle that is there, with no other file in it and none changed, is replaced.
    `FileExistsError` for anything else of that name; `OSError` if the system refuses.
    """
    out = os.path.abspath(out)
    if os.path.lexists(out):
        _check(out, force)
    above, name = os.path.split(out)
    building = tempfile.mkdtemp(prefix=f".{name}-", dir=above)
    try:
        new = os.path.join(building, "new")
        for path, data in sorted({**bundle.files, LIST: bundle.listing()}.items()):
            _create(os.path.join(new, path), data, 0o755 if path in bundle.scripts else 0o644)
        for directory, _, _ in os.walk(new):
            os.chmod(directory, 0o755)  # noqa: S103 -- the server's user has to enter
        if os.path.lexists(out):
            os.rename(out, os.path.join(building, "old"))
        try:
            os.rename(new, out)
        except OSError:
            if os.path.lexists(os.path.join(building, "old")):
                os.rename(os.path.join(building, "old"), out)
            raise
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _create(path: str, data: bytes, mode: int) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:
        file.write(data)
        os.fchmod(descriptor, mode)  # whatever the umask: the server's user has to read it


def _check(out: str, force: bool) -> None:
    """Raise `FileExistsError` unless `out` is a bundle as it was written, and may be replaced."""
    if os.path.islink(out) or not os.path.isdir(out):
        raise FileExistsError(17, "this name is taken by something that is no folder", out)
    if not os.path.isfile(os.path.join(out, LIST)):
        if not os.listdir(out):
            raise FileExistsError(17, "this folder exists already: delete it, or name another", out)
        raise FileExistsError(17, "this folder is no bundle: name another one", out)
    listed = dict(
        line.split("  ", 1)[::-1]
        for line in (read(os.path.join(out, LIST)) or b"").decode().split("\n")[:-1]
    )
    folders = {above for path in listed for above in _upwards(os.path.dirname(path))}
    for directory, below, names in os.walk(out, onerror=_raise):
        below[:] = [
            name for name in below if not (name == "__pycache__" and _is_compiled(directory))
        ]
        added = [os.path.relpath(os.path.join(directory, name), out) for name in below]
        for path in added:
            if path not in folders:  # also if it is empty, or cannot be entered
                raise FileExistsError(17, f"{path}/ {_ADDED}: {_ELSE}", out)
        for name in names:
            path = os.path.relpath(os.path.join(directory, name), out)
            if path == LIST or (path in listed and _sum(os.path.join(out, path)) == listed[path]):
                continue
            what = "was changed since" if path in listed else _ADDED
            raise FileExistsError(17, f"{path} {what}: {_ELSE}", out)
    if not force:
        raise FileExistsError(17, "this bundle exists already; --force replaces it", out)


def _raise(error: OSError) -> None:
    """Refuse what cannot be looked into: `os.walk` passes over it, and there may be data in it."""
    raise error


def _upwards(path: str) -> list[str]:
    """Return a relative path and those of the folders above it."""
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def _is_compiled(directory: str) -> bool:
    """Whether a directory's `__pycache__` has only what Python makes of the sources beside it."""
    names = os.listdir(os.path.join(directory, "__pycache__"))
    return all(name.partition(".")[0] + ".py" in os.listdir(directory) for name in names)


def _sum(path: str) -> str:
    return hashlib.sha256(read(path) or b"").hexdigest()
