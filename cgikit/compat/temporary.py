"""Internal. Temporary files without a name, as `tempfile.TemporaryFile` makes them, without its 13
ms of import.
"""

import io
import os
import sys

from cgikit.process import absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def temporary_file(encoding: "str | None" = None) -> "Any":
    """Return an open file without a name, for reading and writing: of bytes, or of text in `encoding`.

    It is in TMPDIR or /tmp, or wherever `tempfile` says, if the script uses that.
    """
    used = sys.modules.get("tempfile")
    directory = used.gettempdir() if used else os.environ.get("TMPDIR") or "/tmp"  # noqa: S108
    directory = absolute(directory)
    try:
        flags = os.O_RDWR | os.O_EXCL | os.O_TMPFILE
        return _opened(os.open(directory, flags, 0o600), directory, encoding)
    except (AttributeError, OSError):
        pass  # no such flag here, or no such directory: tempfile knows what else there is
    import tempfile

    if encoding is None:
        return tempfile.TemporaryFile("wb+")
    return tempfile.TemporaryFile("w+", encoding=encoding, newline="\n")


def _opened(fd: int, directory: str, encoding: "str | None") -> "Any":
    raw = _File(fd, "rb+")
    raw.directory = directory
    file = io.BufferedRandom(raw)
    if encoding is None:
        return file
    return io.TextIOWrapper(file, encoding, newline="\n")


class _File(io.FileIO):
    """A file that is closed without a ResourceWarning when it is no longer referenced, and that says
    which directory is full: it has no name itself.
    """

    directory = ""

    def write(self, data: "Any", /) -> int:
        """Write bytes. An `OSError` has the directory as its `filename`."""
        try:
            return super().write(data)
        except OSError as error:
            error.filename = self.directory
            raise

    def _dealloc_warn(self, source: object) -> None:
        pass
