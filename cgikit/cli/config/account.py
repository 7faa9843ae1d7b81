"""The user that a site runs as: its group, and which directories it cannot enter."""

import grp
import os
import pwd
import stat

#: The users that distributions' web servers run as: Debian's first, then Fedora's, Arch's.
WEB_USERS = ("www-data", "nginx", "apache", "http")


def web_user() -> str:
    """Return the user that this machine's web server runs as (str), or Debian's, `www-data`, if it has
    none of them.
    """
    return next(filter(user_exists, WEB_USERS), WEB_USERS[0])


def user_exists(user: str) -> bool:
    """Whether this machine has a user of that name."""
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def group_of(user: str) -> str:
    """Return the name of a user's group (str).

    If the user does not exist here, a group of the same name is assumed.
    """
    try:
        return grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        return user


def first_closed_directory(path: str, user: str) -> str | None:
    """Return the topmost directory on the path to `path` that `user` cannot enter (str), or None.

    Also None if this cannot be determined: the user or a directory does not exist.
    """
    try:
        account = pwd.getpwnam(user)
        groups = os.getgrouplist(user, account.pw_gid)
        parts = os.path.realpath(path).split("/")
        for end in range(1, len(parts) + 1):
            directory = "/".join(parts[:end]) or "/"
            status = os.stat(directory)
            if account.pw_uid and not status.st_mode & _search_bit(status, account.pw_uid, groups):
                return directory
    except (KeyError, OSError):
        pass
    return None


def _search_bit(status: os.stat_result, user: int, groups: list[int]) -> int:
    if status.st_uid == user:
        return stat.S_IXUSR
    return stat.S_IXGRP if status.st_gid in groups else stat.S_IXOTH
