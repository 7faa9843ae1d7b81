"""One request on its way from the worker to the child that runs the script: a file without a name.

A child can read whatever was ever in the memory of the process it was forked from, freed or not. So a
request never goes through the zygote: its file is handed on unread, and the child alone reads it.
"""

import marshal
import os
import sys
from marshal import loads
from os import SEEK_END, lseek, pread

TYPE_CHECKING = False
if TYPE_CHECKING:
    #: The directory that comes first on the script's path, its arguments, and its meta-variables:
    #: names and values.
    Request = tuple[str, list[str], list[bytes], list[bytes]]

_ENCODING, _ERRORS = sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()


def made(directory: str, arguments: list[str], environ: dict[str, str]) -> "Request":
    """Return a request of these meta-variables for a script."""
    names = [name.encode(_ENCODING, _ERRORS) for name in environ]  # as `os.fsencode`
    values = [value.encode(_ENCODING, _ERRORS) for value in environ.values()]
    return directory, arguments, names, values


def write(request: "Request") -> int:
    """Return a new descriptor of a file with a request, in memory where the system has such files. The
    caller closes it. `OSError` if there can be none. Inverse: `read`.
    """
    data = marshal.dumps(request)
    if hasattr(os, "memfd_create"):
        file = os.memfd_create("request")
    else:
        import tempfile

        file, name = tempfile.mkstemp()
        os.unlink(name)
    try:
        while data:
            data = data[os.write(file, data) :]
    except BaseException:
        os.close(file)
        raise
    return file


def read(file: int) -> "Request":
    """Return the request in a file, wherever its descriptor stands. Inverse: `write`."""
    data = pread(file, lseek(file, 0, SEEK_END), 0)
    request: Request = loads(data)  # noqa: S302 -- written by our worker
    return request
