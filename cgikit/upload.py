"""Uploaded files: where their bytes wait, what they may be called, and how they are kept.

A client's file name is data, never a path. Bytes wait in memory up to 64 KiB and then in a file
without a name (O_TMPFILE), which vanishes with the process however it ends; where the system has no
such files, in one with a random name, removed when the request is closed. Which part of a form is a
file is decided in `multipart.py`.
"""

import io
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

_IN_MEMORY = 65_536
_LONGEST_NAME = 200  # bytes; file systems stop at 255, and scripts like to put something in front


class Upload:
    """One uploaded file.

    `.filename` is a safe base name made of what the client sent, `.client_filename` that, verbatim;
    `.content_type` is what the client claims (lower case, "" if nothing); `.size` is in bytes.
    """

    def __init__(
        self, client_filename: str, content_type: str = "", directory: str | None = None
    ) -> None:
        self.client_filename = client_filename
        self.filename = safe_filename(client_filename)
        self.content_type = content_type
        self.size = 0
        self._directory = directory
        self._memory: list[bytes] = []
        self._fd = -1
        self._path = ""  # of the waiting file, if it has a name
        self._linked = False  # the waiting file is a saved one now
        self._file: BinaryIO | None = None

    def __repr__(self) -> str:
        return f"<Upload {self.client_filename!r} {self.size} bytes>"

    def write(self, data: bytes) -> None:
        """Append a piece of the content, as it arrives; raises `StorageError`."""
        self.size += len(data)
        if self._fd < 0:
            self._memory.append(bytes(data))
            if self.size <= _IN_MEMORY:
                return
            data = self._spill()
        try:
            _write_all(self._fd, data)
        except OSError as error:
            raise _storage(self._spool_directory(), "cannot store an upload", error) from error

    @property
    def file(self) -> "BinaryIO":
        """The content as a binary file for reading, at its beginning first; the same one each time."""
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
        """Keep the content as the file `path`, complete or not at all.

        On the file system of the upload directory nothing is copied: the waiting file gets the name.
        An existing file raises `FileExistsError` unless `overwrite`; every other failure raises
        `StorageError`, which names the path. The file's mode is 0666 less the umask. An upload can
        still be read afterwards; what is saved a second time is a copy.
        """
        target = os.fspath(path)
        if "\0" in target:
            raise ValueError("a path cannot hold NUL")
        if not os.path.basename(target) or os.path.isdir(target):
            raise ValueError(f"{target!r} is a directory; save to os.path.join(…, upload.filename)")
        try:
            self._keep(target, overwrite)
        except FileExistsError:
            raise FileExistsError(
                17, "file exists; save(…, overwrite=True) replaces it", target
            ) from None
        except OSError as error:
            raise _storage(target, "cannot save the upload", error) from error

    def close(self) -> None:
        """Let go of the waiting file; what was saved stays."""
        if self._file is not None:
            self._file.close()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._path:
            path, self._path = self._path, ""
            try:
                os.unlink(path)
            except FileNotFoundError:
                pass  # somebody tidied up

    def __del__(self) -> None:
        self.close()

    def _spool_directory(self) -> str:
        # What tempfile does first, without its 13 ms.
        return self._directory or os.environ.get("TMPDIR") or "/tmp"  # noqa: S108

    def _spill(self) -> bytes:
        """Move to a file; return what waited in memory, to be written there."""
        directory = self._spool_directory()
        try:
            self._fd, self._path = _open_spool(directory)
        except OSError as error:
            raise _storage(directory, "cannot store an upload here", error) from error
        data = b"".join(self._memory)
        self._memory = []
        return data

    def _keep(self, target: str, overwrite: bool) -> None:
        if not overwrite and self._link(target):  # fails if there is one: nothing can be lost
            return
        name = os.path.join(os.path.dirname(target), f".{os.urandom(12).hex()}.upload")
        if not self._link(name):
            self._copy(name)
        try:
            if overwrite:
                os.replace(name, target)
            else:
                os.link(name, target)
                os.unlink(name)
        except OSError:
            os.unlink(name)
            raise

    def _link(self, name: str) -> bool:
        """Give the waiting file a name; False if that cannot be done and it must be copied."""
        if self._fd < 0 or self._linked:
            return False
        os.fchmod(self._fd, 0o666 & ~_umask())
        try:
            if self._path:
                os.link(self._path, name)
            else:
                # With a directory descriptor, though the path needs none: only then does Python call
                # linkat, which follows the link to the file; link would link the link.
                here = f"/proc/self/fd/{self._fd}"
                os.link(here, name, src_dir_fd=self._fd, follow_symlinks=True)
        except FileExistsError:
            raise
        except OSError:
            return False  # another file system, or no /proc
        self._linked = True
        return True

    def _copy(self, name: str) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        fd = os.open(name, flags, 0o666)
        try:
            self._copy_to(fd)
        except OSError:
            os.unlink(name)
            raise
        finally:
            os.close(fd)

    def _copy_to(self, fd: int) -> None:
        if self._fd < 0:
            for data in self._memory:
                _write_all(fd, data)
            return
        offset = 0
        while offset < self.size:
            data = os.pread(self._fd, 1 << 18, offset)
            _write_all(fd, data)
            offset += len(data)


def safe_filename(name: str) -> str:
    """Return a base name made of a client's file name that is safe to use in a directory (str).

    Only what follows the last slash, backslash or drive letter stays; controls and other characters
    that do not print go; so do leading dots (`.htaccess` is an order to a server) and trailing dots
    and spaces; what remains is cut to 200 bytes, its extension kept. "upload" if nothing remains.
    It may name a file that exists: `Upload.save` does not overwrite unless told to.
    """
    name = name.replace("\\", "/").rpartition("/")[2]
    name = "".join([char for char in name if char.isprintable() and char != "\ufffd"]).strip(". ")
    while name[1:2] == ":" and name[0].isalpha():
        name = name[2:].strip(". ")
    name = name or "upload"
    if len(name.encode("utf-8")) > _LONGEST_NAME:
        stem, dot, extension = name.rpartition(".")
        ending = (dot + extension).encode("utf-8")
        if not dot or len(ending) > 20:
            stem, ending = name, b""
        stem = stem.encode("utf-8")[: _LONGEST_NAME - len(ending)].decode("utf-8", "ignore")
        name = stem.rstrip(". ") + ending.decode("utf-8")
    return name


def _open_spool(directory: str) -> tuple[int, str]:
    """Open a file for waiting bytes; return its descriptor, and its name if it must have one."""
    unnamed = getattr(os, "O_TMPFILE", 0)
    if unnamed:
        try:
            return os.open(directory, os.O_RDWR | unnamed | os.O_CLOEXEC, 0o600), ""
        except OSError as error:
            if error.errno not in (21, 22, 95):  # EISDIR, EINVAL, EOPNOTSUPP: not on this system
                raise
    path = os.path.join(directory, f".{os.urandom(12).hex()}.upload")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600), path


def _write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):  # a full disk writes what fits first, and fails the next time
        written += os.write(fd, memoryview(data)[written:])


def _umask() -> int:
    # Not by setting it, which is how POSIX reads it: what other threads make meanwhile would get the
    # wrong mode, and two at once would leave the wrong umask for good.
    try:
        with open("/proc/self/status", "rb") as status:
            for line in status:
                if line.startswith(b"Umask:"):
                    return int(line.split()[1], 8)
    except OSError:
        pass
    mask = os.umask(0o077)  # no Linux, or one before 4.7
    os.umask(mask)
    return mask


def _storage(path: str, what: str, error: OSError) -> Exception:
    from .errors import StorageError

    return StorageError(path, f"{what}: {error.strerror}")
