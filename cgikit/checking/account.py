"""A user of this machine, and what the permissions of files allow it (path_resolution(7))."""

import os
import pwd
import stat


class Account:
    """A user: `.name` (str), its numeric `.uid` and `.gid` (int), and its `.groups` (frozenset of int).

    Access control lists and read-only file systems are not considered: only owner, group and mode.
    """

    def __init__(self, name: str, uid: int, gid: int, groups: frozenset[int]) -> None:
        self.name = name
        self.uid = uid
        self.gid = gid
        self.groups = groups

    @classmethod
    def named(cls, name: str) -> "Account":
        """Return the user of that name. Raises `KeyError` if this machine has none."""
        found = pwd.getpwnam(name)
        return cls(name, found.pw_uid, found.pw_gid, frozenset(os.getgrouplist(name, found.pw_gid)))

    @classmethod
    def current(cls) -> "Account":
        """Return the user of this process."""
        uid = os.geteuid()
        try:
            name = pwd.getpwuid(uid).pw_name
        except KeyError:  # a number without a name, as in some containers
            name = str(uid)
        return cls(name, uid, os.getegid(), frozenset({os.getegid(), *os.getgroups()}))

    def may_read(self, status: os.stat_result) -> bool:
        """Whether it may read a file with this status."""
        return self.uid == 0 or self._has(status, stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH)

    def may_write(self, status: os.stat_result) -> bool:
        """Whether it may write a file with this status, or make files in a directory that has it and
        that it may search.
        """
        return self.uid == 0 or self._has(status, stat.S_IWUSR, stat.S_IWGRP, stat.S_IWOTH)

    def may_execute(self, status: os.stat_result) -> bool:
        """Whether it may execute a file, or search a directory, with this status. Root may execute a
        file if anybody may (execve(2)).
        """
        if self.uid == 0:
            return stat.S_ISDIR(status.st_mode) or bool(status.st_mode & 0o111)
        return self._has(status, stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH)

    def _has(self, status: os.stat_result, owner: int, group: int, others: int) -> bool:
        if status.st_uid == self.uid:
            bit = owner
        elif status.st_gid in self.groups:
            bit = group
        else:
            bit = others
        return bool(status.st_mode & bit)

    def closed_directory(self, path: str) -> str | None:
        """Return the topmost directory on the way to a file, or to a directory itself, that the user
        cannot search (str), or None. Raises `OSError` if one does not exist.
        """
        # Both ways have to be open: that of the path itself, and that of what its links lead to
        for whole in (os.path.abspath(path), os.path.realpath(path)):
            parts = whole.split("/")
            for end in range(1, len(parts) + 1):
                directory = "/".join(parts[:end]) or "/"
                status = os.stat(directory)
                if stat.S_ISDIR(status.st_mode) and not self.may_execute(status):
                    return directory
        return None
