"""Writes a saved test into the directory `tests` beside its script. It never overwrites a file."""

import contextlib
import errno
import os
import stat

from cgikit.host.problem import Problem
from cgikit.regularfile import write_all

from .exchange import Exchange
from .savedtest import file_name, source

_TRIES = 100  # names that are tried
_DIRECTORY = "tests"


def save(exchange: Exchange, root: str) -> str:
    """Write the test of a request; return the path of its file.

    `root` is the directory that is served, or the script; only beside scripts in it is anything
    written. `Problem` 409 if there is nothing to save, or if that cannot be done.
    """
    if not exchange.runs:
        raise Problem(409, "No script ran for this request, so there is nothing to test.")
    run = exchange.runs[0]
    top = root if os.path.isdir(root) else os.path.dirname(root)
    if os.path.commonpath([os.path.realpath(run.file), os.path.realpath(top)]) != os.path.realpath(
        top
    ):
        raise Problem(409, "The script is not in the directory that is served.")
    text = source(exchange).encode("utf-8", "backslashreplace")
    directory = os.path.join(os.path.dirname(run.file), _DIRECTORY)
    try:
        return _write(directory, file_name(run, exchange.request.method), text)
    except OSError as error:
        raise Problem(
            409,
            f"The test cannot be written into {directory}: {error.strerror}.",
            "Make the directory writable, or remove what is in its place.",
        ) from error


def _write(directory: str, name: str, text: bytes) -> str:
    with contextlib.suppress(FileExistsError):
        os.mkdir(directory)
    if not stat.S_ISDIR(os.lstat(directory).st_mode):  # a link could lead anywhere
        raise NotADirectoryError(errno.ENOTDIR, "it is not a directory")
    for number in range(1, _TRIES + 1):
        path = os.path.join(directory, f"{name}{'' if number == 1 else f'_{number}'}.py")
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        except FileExistsError:
            continue
        try:
            write_all(descriptor, text)
        except BaseException:
            os.unlink(path)
            raise
        finally:
            os.close(descriptor)
        return path
    raise FileExistsError(errno.EEXIST, f"it has {_TRIES} tests of this name")
