"""Uploaded files: where their bytes are kept meanwhile, what their names may be, how they are saved.

A client's file name is data, never a path. Up to 64 KiB are kept in memory, more in a temporary file
without a name (O_TMPFILE), which vanishes with the process however that ends. If the system has no
such files, the temporary file has a random name, is locked by its process, and is removed when the
request is closed or, after a kill, by the next upload. `multipart.py` decides which part of a form is
a file.
"""

import io
import os

from .process import absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_IN_MEMORY = 65_536
_ENDING = ".waiting"  # names of temporary files begin with "." and 24 digits, and end with this
_NAME = 25 + len(_ENDING)
_LOOKED_AT = 10_000  # names of a directory that are searched for orphans: it takes milliseconds
_ORPHAN = 86_400  # seconds after which a temporary file that cannot be locked is an orphan
_MAX_NAME = 200  # bytes; file systems allow 255, and scripts like to add a prefix


class Upload:
    """One uploaded file.

    `.filename` is a safe base name made from what the client sent, `.client_filename` the original;
    `.content_type` is what the client claims (lower case; "" if nothing); `.size` is in bytes. `.field`
    is the name of the form's field. `.is_discarded` tells whether `discard` was called.
    """

    def __init__(
        self,
        client_filename: str,
        content_type: str = "",
        directory: str | None = None,
        field: str = "",
    ) -> None:
        self.field = field
        self.is_discarded = False
        self.client_filename = client_filename
        self.filename = safe_filename(client_filename)
        self.content_type = content_type
        self.size = 0
        self._directory = directory
        self._memory: list[bytes] = []
        self._fd = -1
        self._path = ""  # of the temporary file, if it has a name
        self._owner = 0  # the process that made it
        self._linked = False  # whether the temporary file was saved under a name
        self._file: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"<Upload {self.client_filename!r} {self.size} bytes>"

    def write(self, data: bytes) -> None:
        """Append a piece of the content, as it arrives; raises `StorageError`."""
        self.size += len(data)
        if self.is_discarded:
            return
        if self._fd < 0:
            self._memory.append(bytes(data))
            if self.size <= _IN_MEMORY:
                return
            data = self._spill()
        try:
            from .regularfile import write_all

            write_all(self._fd, data)
        except OSError as error:
            raise _storage(self._spool_directory(), "cannot store an upload", error) from error

    @property
    def file(self) -> "BinaryIO":
        """The content as a binary file, opened at its beginning; always the same one."""
        self._check_kept()
        if self._file is None:
            if self._fd < 0:
                self._file = io.BytesIO(b"".join(self._memory))
            else:
                os.lseek(self._fd, 0, os.SEEK_SET)
                self._file = open(self._fd, "rb", closefd=False)  # noqa: SIM115 -- see close
        return self._file

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes from `.file`, or all that is left."""
        return self.file.read(size)

    def save(self, path: "str | os.PathLike[str]", overwrite: bool = False) -> None:
        """Save the content as the file `path`, completely or not at all.

        On the file system of the upload directory nothing is copied: the temporary file gets the name.
        An existing file raises `FileExistsError` unless `overwrite`; any other failure raises
        `StorageError`, which names the path. The file's mode is 0666 less the umask. The upload can
        still be read afterwards; saving it again makes a copy.
        """
        self._check_kept()
        target = absolute(path)
        if "\0" in target:
            raise ValueError("a path cannot contain NUL")
        if not os.path.basename(target) or os.path.isdir(target):
            raise ValueError(f"{target!r} is a directory; save to os.path.join(…, upload.filename)")
        try:
            self._keep(target, overwrite)
        except FileExistsError:
            raise FileExistsError(
                17, "the file exists; use save(…, overwrite=True) to replace it", target
            ) from None
        except OSError as error:
            raise _storage(target, "cannot save the upload", error) from error

    def discard(self) -> None:
        """Keep nothing of this file: what is there is deleted, and what follows is only counted.

        `on_upload` calls this for a file that the script does not want. It is then not in
        `request.files`. Reading or saving it raises `StateError`.
        """
        self.is_discarded = True
        self._memory = []
        self.close()

    def _check_kept(self) -> None:
        if self.is_discarded:
            from .errors import StateError

            raise StateError(
                f"the upload {self.client_filename[:100]!r} was discarded: nothing of it is left"
            )

    def close(self) -> None:
        """Close the temporary file; what was saved stays."""
        if self._file is not None:
            self._file.close()
        fd, path, self._fd, self._path = self._fd, self._path, -1, ""
        # A forked child must leave the file to its parent.
        _drop(fd, path if os.getpid() == self._owner else "")

    def __del__(self) -> None:
        self.close()

    def _spool_directory(self) -> str:
        # The directory that `tempfile` would choose, without its 13 ms.
        return absolute(self._directory or os.environ.get("TMPDIR") or "/tmp")  # noqa: S108

    def _spill(self) -> bytes:
        """Open a temporary file; return what was kept in memory, to be written to it."""
        directory = self._spool_directory()
        try:
            if self._directory:
                make_directory(directory)
        except OSError as error:
            raise _storage(directory, "cannot make the upload directory", error) from error
        try:
            self._fd, self._path = _open_spool(directory)
            self._owner = os.getpid()
        except OSError as error:
            raise _storage(directory, "cannot store an upload here", error) from error
        data = b"".join(self._memory)
        self._memory = []
        return data

    def _keep(self, target: str, overwrite: bool) -> None:
        if not overwrite and self._link(target):  # it fails if the file exists: nothing can be lost
            return
        name = _new_name(os.path.dirname(target))
        if overwrite and self._link(name):
            _replace(name, target)
        elif not self._copy(target, overwrite, named=False):
            self._copy(target, overwrite, named=True)

    def _link(self, name: str) -> bool:
        """Give the temporary file a name; return False if it has to be copied instead."""
        if self._fd < 0 or self._linked:
            return False
        os.fchmod(self._fd, 0o666 & ~_umask())
        if name.endswith(_ENDING):
            _hold(self._fd)
        self._linked = _link(self._fd, self._path, name)
        return self._linked

    def _copy(self, target: str, overwrite: bool, named: bool) -> bool:
        """Copy the content beside `target`, and give the copy that name when it is complete.

        Until then the copy has no name, so that a process that is killed leaves nothing; return False
        if that is not possible.
        """
        directory = os.path.dirname(target)
        fd, path = _open_spool(directory or ".", named)
        try:
            self._copy_to(fd)
            os.fchmod(fd, 0o666 & ~_umask())
            if path:
                if overwrite:
                    os.replace(path, target)
                    path = ""
                else:
                    os.link(path, target)
                return True
            name = _new_name(directory) if overwrite else target
            if overwrite:
                _hold(fd)
            if not _link(fd, "", name):
                return False
            if overwrite:
                _replace(name, target)
            return True
        finally:
            _drop(fd, path)

    def _copy_to(self, fd: int) -> None:
        from .regularfile import write_all

        if self._fd < 0:
            for data in self._memory:
                write_all(fd, data)
            return
        offset = 0
        while offset < self.size:
            data = os.pread(self._fd, 1 << 18, offset)
            write_all(fd, data)
            offset += len(data)


def safe_filename(name: str) -> str:
    """Return a base name made from a client's file name that is safe to use in a directory (str).

    Only what follows the last slash, backslash or drive letter is kept. Control characters and others
    that do not print are removed, and so are leading dots (`.htaccess` configures a server) and
    trailing dots and spaces. The rest is cut to 200 bytes, without losing its extension; if nothing is
    left, the name is "upload". A file of that name may exist: `Upload.save` does not overwrite it
    unless told to.
    """
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join([char for char in name if char.isprintable() and char != "\ufffd"]).strip(". ")
    while name[1:2] == ":" and name[0].isalpha():
        name = name[2:].strip(". ")
    name = name or "upload"
    if len(name.encode("utf-8")) > _MAX_NAME:
        stem, dot, extension = name.rpartition(".")
        ending = (dot + extension).encode("utf-8")
        if not dot or len(ending) > 20:
            stem, ending = name, b""
        stem = stem.encode("utf-8")[: _MAX_NAME - len(ending)].decode("utf-8", "ignore")
        name = stem.rstrip(". ") + ending.decode("utf-8")
    return name


def make_directory(path: str) -> None:
    """Make the directory that a script has chosen for temporary files, one level, if it is missing.

    Raises `OSError`. Anything else of that name is left alone: opening a file in it will fail.
    """
    if not os.path.lexists(path):
        try:
            os.mkdir(path)
        except FileExistsError:
            pass  # another process was first


def _open_spool(directory: str, named: bool = False) -> tuple[int, str]:
    """Open a temporary file; return its descriptor, and its name if it must have one."""
    unnamed = 0 if named else getattr(os, "O_TMPFILE", 0)
    if unnamed:
        try:
            return os.open(directory, os.O_RDWR | unnamed | os.O_CLOEXEC, 0o600), ""
        except OSError as error:
            if error.errno not in (21, 22, 95):  # EISDIR, EINVAL, EOPNOTSUPP: not on this system
                raise
    _clear_orphans(directory)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    while True:
        path = _new_name(directory)
        fd = os.open(path, flags, 0o600)
        if _hold(fd) and _is_at(fd, path):
            return fd, path
        os.close(fd)  # another process mistook it for an orphan before it was locked


def _drop(fd: int, path: str) -> None:
    """Close a temporary file, and remove its name `path` if it has one."""
    try:
        if path:
            os.unlink(path)
    except FileNotFoundError:
        pass  # somebody has removed it
    finally:
        if fd >= 0:
            os.close(fd)  # last, because it unlocks the file


def _replace(name: str, target: str) -> None:
    """Rename a file; remove it if that fails."""
    try:
        os.replace(name, target)
    except OSError:
        os.unlink(name)
        raise


def _new_name(directory: str) -> str:
    return os.path.join(directory, f".{os.urandom(12).hex()}{_ENDING}")


def _hold(fd: int) -> bool:
    """Lock a temporary file, to show that its process is alive; False if another process holds it."""
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass  # this file system cannot lock: an orphan is recognised by its age
    return True


def _is_at(fd: int, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _clear_orphans(directory: str) -> None:
    """Remove the temporary files of processes that were killed: those that no process has locked.

    This is needed only where files must have names. It looks at no more than `_LOOKED_AT` names,
    because a request is waiting; what cannot be removed is left for the next one.
    """
    try:
        with os.scandir(directory) as entries:
            for _, entry in zip(range(_LOOKED_AT), entries, strict=False):
                if (
                    len(entry.name) == _NAME
                    and entry.name[0] == "."
                    and entry.name.endswith(_ENDING)
                ):
                    _clear(entry.path)
    except OSError:
        pass  # if the directory is unusable, making the next file reports that


def _clear(path: str) -> None:
    import fcntl
    from time import time

    from .regularfile import open_regular

    try:
        fd = open_regular(path, os.O_RDWR, patience=0)
        try:
            found = os.fstat(fd)
            if found.st_uid != os.geteuid():
                return
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            except OSError:
                if time() - found.st_mtime < _ORPHAN:
                    return
            if _is_at(fd, path):
                os.unlink(path)
        finally:
            os.close(fd)
    except OSError:
        pass


def _link(fd: int, path: str, name: str) -> bool:
    """Give an open file another name; `path` is its present name, or "". Return False if that is not
    possible. Raises `FileExistsError`.
    """
    try:
        if path:
            os.link(path, name)
        else:
            # `src_dir_fd` makes Python call linkat, which follows the link to the file; link(2)
            # would make a second name of the link itself.
            os.link(f"/proc/self/fd/{fd}", name, src_dir_fd=fd, follow_symlinks=True)
    except FileExistsError:
        raise
    except OSError:
        return False  # another file system, or no /proc
    return True


def _umask() -> int:
    # POSIX can read the umask only by setting it. Files that other threads make meanwhile would get the
    # wrong mode, and two concurrent threads could leave the wrong umask for good.
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    mask = os.umask(0o077)  # not Linux, or a kernel before 4.7
    os.umask(mask)
    return mask


def _storage(path: str, what: str, error: OSError) -> Exception:
    from .errors import StorageError

    advice = ""
    if error.errno == 2:  # ENOENT
        missing = path if what.endswith("here") else os.path.dirname(path) or "."
        advice = f"; make the directory {missing} first, or use another one"
    if error.errno in {1, 13}:  # EPERM, EACCES
        try:
            from .obstacle import obstacle

            file = os.path.join(path, "upload") if os.path.isdir(path) else path
            advice = f"; {obstacle(file, 13)}"
        except (ImportError, OSError):
            pass  # it is gone by now
    return StorageError(path, f"{what}: {error.strerror}{advice}")
