"""Why the system refuses a file (EACCES, EPERM of POSIX), in words. Internal.

The system says "Permission denied", but not why: a directory on the way that cannot be entered, one
that cannot be written to, a file of another user, a sticky bit. This module looks for the reason
afterwards. The callers decide what an error means to a script.
"""

import os
import stat
from errno import EACCES


def obstacle(path: str, number: int) -> str:
    """Return why this process cannot write the file `path`, for which the system has returned the error
    `number` (EACCES, EPERM), and what to do about it (str). It opens and changes nothing. Raises
    `OSError` if nothing is there any more.
    """
    user = os.geteuid()
    who = f"the script runs as user {user}, who"
    # The path is relative only if its directory cannot be reached by name: then "." stands for it.
    near = os.path.dirname(path) or "."
    while not os.path.lexists(near) and near not in {".", "/"}:
        near = os.path.dirname(near) or "."  # the script wanted to make it
    directory = os.path.abspath(near)
    for above in _above(near):
        if not _may(above, os.X_OK):
            return f"{who} cannot enter {above} ({_about(above)}); open it: chmod a+x {above}"
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError:
        found = None
    file = f"{path} ({_about(path)})"
    must = f"{who} must be able to write in {directory}"
    can_write, give = _may(near, os.W_OK), f"change its owner: chown {user} {path}"
    if not can_write and (found is None or (number == EACCES and _may(path, os.R_OK))):
        also = "" if found is None or _may(path, os.W_OK) else f"{path} is {_about(path)}, and "
        return f"{also}{directory} is {_about(near)}{_group(near)}; {must}"
    if found is not None and number == EACCES:
        for right, word in ((os.R_OK, "read"), (os.W_OK, "write")):
            if not _may(path, right):
                return f"{who} cannot {word} {file}; {give}"
    holder = os.stat(near)
    if found and holder.st_mode & stat.S_ISVTX and user not in {0, found.st_uid, holder.st_uid}:
        return (
            f"{who} cannot replace {file}: {directory} has the sticky bit, so only the owner of a "
            f"file can; keep it in a directory of its own, or {give}"
        )
    return f"{_NO_MODE}; {must}"


def _may(path: str, right: int) -> bool:
    return os.access(path, right, effective_ids=True)


_NO_MODE = (
    "its owner and mode do not forbid it: check attributes (lsattr), SELinux or AppArmor, and the "
    "sandbox of a systemd unit"
)


def _above(directory: str) -> "list[str]":
    """Return a directory and all directories above it, from the root or from "." down."""
    found = [directory]
    while found[-1] not in {"", ".", "/"}:
        found.append(os.path.dirname(found[-1]) or ".")
    return found[::-1]


def _about(path: str) -> str:
    """Return the owner, group and mode of a file or directory, in words."""
    try:
        found = os.stat(path, follow_symlinks=False)
    except OSError as error:
        return str(error.strerror)
    mode = stat.S_IMODE(found.st_mode)
    return f"of user {found.st_uid}{_name(found.st_uid)}, group {found.st_gid}, mode {mode:04o}"


def _group(directory: str) -> str:
    """Return what to do if only the group that the directory belongs to may write to it."""
    found = os.stat(directory)
    if found.st_mode & stat.S_IWGRP and found.st_gid not in {os.getegid(), *os.getgroups()}:
        return ", and its group may write there: add the user to that group"
    return ""


def _name(user: int) -> str:
    from pwd import getpwuid

    try:
        return f" ({getpwuid(user).pw_name})"
    except KeyError:
        return ""
