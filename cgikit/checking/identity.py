"""Who a command runs a script as: a user of this machine, chosen so that root runs nothing by accident.

No standard covers this. A process that is not root's runs scripts as itself. Root's becomes the owner
of the file, so that nothing is left which belongs to root. A script that others could have written or
put there, and one that belongs to root itself, runs as the user of a web server; as root only if that
user cannot run it and nobody but root could have written it.
"""

import os
import pwd
import shutil
import stat

from .account import Account
from .firstline import first_line

_SERVERS = ("www-data", "apache", "http", "nginx", "www", "nobody")  # as systems name them
_NOBODY = 65_534
_PATH = "/usr/local/bin:/usr/bin:/bin"


def who_runs(file: str, path: str = _PATH) -> tuple[Account, str]:
    """Return who a command runs a script as, unless it was told (`Account`), and why (str, "" for a
    process that is not root's). `path` is the PATH that the script gets. Never raises.
    """
    current = Account.current()
    if current.uid != 0:
        return current, ""
    try:
        owner = os.stat(file).st_uid
    except OSError:
        return current, ""  # there is nothing to run
    server = _server()
    if not _is_alone(file, owner):  # whoever else can put a file there must not choose who runs it
        return server or _of_number(_NOBODY), "others could have changed it"
    if owner != 0:
        return _of_number(owner), "the owner of its file"
    if server is None:
        return current, "this machine has no user of a web server"
    if _can_run(server, file, path):
        return server, "it belongs to root; --user NAME runs it as another user"
    return current, f"{server.name} cannot run it; --user NAME runs it as another user"


def _of_number(uid: int) -> Account:
    try:
        return Account.named(pwd.getpwuid(uid).pw_name)
    except KeyError:  # an owner without a name; a group of the same number is nobody else's
        return Account(str(uid), uid, uid, frozenset({uid}))


def _server() -> Account | None:
    for name in _SERVERS:
        try:
            return Account.named(name)
        except KeyError:
            pass
    return None


def _group(uid: int) -> int:
    """Return the group of a user (int), which is usually the user's alone; 0 if there is none."""
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:
        return 0


def _is_alone(file: str, uid: int) -> bool:
    """Whether nobody but root and a user could have written a file, or have put it where it is."""
    for whole in (os.path.abspath(file), os.path.realpath(file)):
        parts = whole.split("/")
        for end in range(1, len(parts) + 1):
            try:
                status = os.lstat("/".join(parts[:end]) or "/")
            except OSError:
                return False
            if status.st_uid not in (0, uid):
                return False
            group = status.st_gid not in (0, _group(uid))
            others = stat.S_IWOTH | (stat.S_IWGRP if group else 0)
            # The bits of a link mean nothing; in a sticky directory nobody replaces root's files
            free = stat.S_ISLNK(status.st_mode) or (
                stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
            )
            if status.st_mode & others and not free:
                return False
    return True


def _can_run(user: Account, file: str, path: str) -> bool:
    """Whether a user can execute a script: the file, and the programs of its first line."""
    try:
        line = os.fsdecode(first_line(file) or b"")
        words = line[2:].split() if line.startswith("#!") else []
        programs = words[:1]
        if words and os.path.basename(words[0]) == "env":
            named = (word for word in words[1:] if not word.startswith("-") and "=" not in word)
            found = shutil.which(next(named, ""), path=path)
            programs += [found] if found else []
        for each in (file, *filter(os.path.exists, programs)):
            status = os.stat(each)
            may = user.may_execute(status) or (each == file and not status.st_mode & 0o111)
            if not may or user.closed_directory(each) is not None:
                return False
        return not words or user.may_read(os.stat(file))
    except OSError:
        return False
