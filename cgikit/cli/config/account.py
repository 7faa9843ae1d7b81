"""The user that a site runs as: its group, and which directories it cannot enter."""

import grp
import os
import pwd
import stat

#: The users that distributions' web servers run as: Debian's first, then Fedora's, Arch's.
WEB_USERS = ("www-data", "nginx", "apache", "http")


def web_user() -> str:
    """Return the user that this machine's web server runs as (str); Debian's if there is none."""
    return next(filter(exists, WEB_USERS), WEB_USERS[0])


def exists(user: str) -> bool:
    """Whether this machine has a user of that name."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def group_of(user: str) -> str:
    """Return the name of a user's group (str).

    For a user that this machine does not have, a group of the same name is assumed.
    """
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return user


def barrier(path: str, user: str) -> str | None:
    """Return the first directory on the way into `path` that `user` cannot enter (str), or None.

    Also None if that cannot be known: this machine does not have the user, or a directory is missing.
    """
    try:
        account = pwd.getpwnam(user)
        groups = os.getgrouplist(user, account.pw_gid)
        steps = os.path.realpath(path).split("/")
        for end in range(1, len(steps) + 1):
            directory = "/".join(steps[:end]) or "/"
            status = os.stat(directory)
            if account.pw_uid and not status.st_mode & _right(status, account.pw_uid, groups):
                return directory
    except (KeyError, OSError):
        pass
    return None


def _right(status: os.stat_result, user: int, groups: list[int]) -> int:
    if status.st_uid == user:
        return stat.S_IXUSR
    return stat.S_IXGRP if status.st_gid in groups else stat.S_IXOTH
