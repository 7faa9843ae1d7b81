"""All that can be found wrong with a script without running it, and which files of a directory are
scripts.
"""

import os

from .account import Account
from .finding import Finding
from .firstline import check_first_line, first_line
from .interpreter import ask
from .modules import check_modules
from .permissions import check_permissions
from .racing import check_racing

MAX_SCRIPTS = 1_000  # of one directory and what is below it


def check_script(file: str, user: Account, path: str) -> list[Finding]:
    """Return what is wrong with a script (list of `Finding`, errors first).

    `user` is who the server runs it as, `path` the PATH that it gets.
    """
    found = check_permissions(file, user)
    if any(finding.kind == "missing" for finding in found):
        return found
    line = check_first_line(file, path)
    if line is not None and line.kind not in {finding.kind for finding in found}:
        found.append(line)
    told = ask(file, path, user)
    if told is None and user.uid != os.geteuid():
        told = ask(file, path, Account.current())  # the other user cannot reach the interpreter
    if told is not None:
        found += check_modules(file, told)
        found += check_racing(file)
    return sorted(found, key=lambda finding: not finding.is_error)


def scripts(directory: str) -> list[str]:
    """Return the scripts in a directory and below it (list of paths, sorted): files that are executable
    or begin with `#!`. Hidden files and directories, links to directories, and what is beyond
    `MAX_SCRIPTS` are left out. Raises `OSError` if the directory cannot be read.
    """
    os.listdir(directory)  # `walk` would pass over it in silence
    found: list[str] = []
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(d for d in directories if not d.startswith((".", "__")))
        for name in sorted(names):
            path = os.path.join(place, name)
            if not name.startswith(".") and _is_script(path):
                found.append(path)
                if len(found) == MAX_SCRIPTS:
                    return found
    return found


def _is_script(path: str) -> bool:
    try:
        is_file = os.path.isfile(path)
        return is_file and (os.access(path, os.X_OK) or (first_line(path) or b"").startswith(b"#!"))
    except OSError:
        return False
