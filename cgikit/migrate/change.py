"""One file on disk: read, rewritten, and replaced completely or not at all."""

import os

from cgikit import files
from cgikit.errors import StorageError

from .rewrite import Outcome, rewrite
from .source import NotMigrated
from .tree import Users, modules_beside


class Change:
    """The change to a file. `old` is its content, `outcome` the result of `rewrite`.

    Raises `NotMigrated` if it is not a Python 3 program, `StorageError` if it cannot be read.
    """

    def __init__(self, path: str, users: Users, *, unsafe: bool) -> None:
        self.path = path
        self._real = os.path.realpath(path)  # a symbolic link is not replaced, but what it names
        content = files.read(self._real, "cannot read the program")
        if content is None:
            raise StorageError(path, "there is no such file")
        self.old = content
        self.outcome: Outcome = rewrite(
            content,
            unsafe=unsafe,
            exported=lambda name: users.use(self._real, name),
            beside=modules_beside(self._real),
        )

    def write(self) -> None:
        """Replace the file, with the mode and owner that it has.

        Raises `NotMigrated` if it was changed meanwhile or has another name, `StorageError` if the
        system refuses; the file is then unchanged.
        """
        if self.outcome.data is None:
            return
        if os.stat(self._real).st_nlink > 1:
            raise NotMigrated("it has another name (a hard link), which would keep the old content")
        if files.read(self._real) != self.old:
            raise NotMigrated("it has been changed meanwhile; run this again")
        files.atomic_write(self._real, self.outcome.data)
