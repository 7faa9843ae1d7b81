"""Regular files: opened without waiting for anything else, written whole, closed quietly. Internal.

Opening a FIFO waits for its other end, and opening a device can wait too: open(2) of POSIX can take
for ever. So
every file that somebody else may have put there is opened by `open_regular`. The callers decide
what is read from it, and what an error means to a script.
"""

import os
from stat import S_ISREG

_FLAGS = os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class NotRegular(OSError, ValueError):
    """There is something else than a regular file under this name. `.filename` is the name, `.strerror`
    says what it is and what to do.
    """

    def __init__(self, path: str, mode: int) -> None:
        import errno

        what = _kind(mode)
        number = errno.EISDIR if what == "a directory" else errno.EINVAL
        advice = "see who put it there, and remove it, or use another path"
        super().__init__(number, f"it is {what}, not a regular file; {advice}", path)


def open_regular(
    path: "str | os.PathLike[str]",
    flags: int = os.O_RDONLY,
    mode: int = 0o666,
    *,
    dir_fd: int | None = None,
    follow: bool = False,
    patience: float = 60,
) -> int:
    """Open a regular file, or make one with O_CREAT in `flags`; return its descriptor (int).

    The descriptor is not inherited. A symbolic link raises `OSError` (ELOOP) unless `follow`. A
    directory, FIFO, socket or device raises `NotRegular` immediately. It waits only for a lease,
    such as Samba takes: at most `patience` seconds, then it raises `BlockingIOError`. The kernel
    revokes a lease after 45 seconds (lease-break-time).
    """
    flags |= _FLAGS if follow else _FLAGS | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, mode, dir_fd=dir_fd)
    except (FileNotFoundError, FileExistsError, PermissionError):
        raise
    except OSError as error:
        fd = _open_otherwise(error, path, flags, mode, dir_fd, patience)
    try:
        found = os.fstat(fd).st_mode
        if S_ISREG(found):
            os.set_blocking(fd, True)  # some file systems heed O_NONBLOCK in reads
            return fd
    except BaseException:
        os.close(fd)
        raise
    os.close(fd)
    raise NotRegular(os.fspath(path), found)


def write_all(fd: int, data: "bytes | bytearray | memoryview", at: int | None = None) -> int:
    """Write all of `data` into an open file, at its position or from the offset `at` on; return how
    many bytes that is (int). Raises `OSError`.
    """
    left = memoryview(data).cast("B")
    size = len(left)
    # A full disk takes what fits, and fails the next time.
    while left:
        if at is None:
            left = left[os.write(fd, left) :]
        else:
            left = left[os.pwrite(fd, left, at + size - len(left)) :]
    return size


def close_quietly(fd: int) -> None:
    """Close a descriptor through which nothing was written that could still get lost."""
    try:
        os.close(fd)
    except OSError:
        pass  # the system has closed it in any case, and nothing can be done about it


def _open_otherwise(
    error: OSError,
    path: "str | os.PathLike[str]",
    flags: int,
    mode: int,
    dir_fd: int | None,
    patience: float,
) -> int:
    """Wait for a lease, or raise the error that says what is there instead of a file."""
    import errno

    if error.errno in {errno.EISDIR, errno.ENXIO, errno.ENODEV}:
        try:
            found = os.stat(path, dir_fd=dir_fd, follow_symlinks=not flags & os.O_NOFOLLOW).st_mode
        except OSError:
            raise error from None
        if not S_ISREG(found):
            raise NotRegular(os.fspath(path), found) from None
    if error.errno != errno.EWOULDBLOCK:
        raise error
    from time import monotonic

    from .waiting import wait_for

    def attempt() -> int | None:
        try:
            return os.open(path, flags, mode, dir_fd=dir_fd)
        except BlockingIOError:
            return None

    # Only regular files have leases. The first attempt has told the holder to release it. The next ones
    # must not wait either: by then a FIFO could be there.
    fd = wait_for(attempt, monotonic() + patience)
    if fd is not None:
        return fd
    reason = "another program, such as Samba, holds a lease on it; look which (/proc/locks)"
    raise BlockingIOError(error.errno, reason, os.fspath(path))


def _kind(mode: int) -> str:
    """Return in words what kind of file has that mode."""
    import stat

    if stat.S_ISDIR(mode):
        return "a directory"
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"
