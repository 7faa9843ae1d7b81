"""All that can be found wrong with a script without running it, and which files of a directory are
scripts.
"""

import os

from .account import Account
from .compiled import check_compiled
from .finding import Finding
from .firstline import check_first_line, first_line
from .interpreter import ask, is_familiar, python_of
from .modules import check_modules
from .permissions import check_permissions
from .racing import check_racing

#: What uploads make executable together with the scripts.
_STATIC = (
    ".css", ".gif", ".htm", ".html", ".ico", ".jpeg", ".jpg", ".js", ".json", ".md", ".pdf", ".png",
    ".svg", ".txt", ".webp", ".woff2", ".xml",
)  # fmt: skip
MAX_DEPTH = 100  # directories below one another
MAX_SCRIPTS = 1_000  # of one directory and what is below it


def check_script(
    file: str, user: Account, path: str, *, may_run: bool = False, seconds: float = 20.0
) -> list[Finding]:
    """Return what is wrong with a script (list of `Finding`, errors first).

    `user` is who the server runs it as, `path` the PATH that it gets. `may_run` tells whether the
    script may be run: if not, its interpreter is asked about it only where nobody else could have put
    that. Asking takes at most `seconds`.
    """
    found = check_permissions(file, user)
    if any(finding.kind in ("missing", "no-file") for finding in found):
        return found
    line = check_first_line(file, path)
    if line is not None and line.kind not in {finding.kind for finding in found}:
        found.append(line)
    # Never as root for another user: whoever wrote the script chose the program
    uid = user.uid if os.geteuid() == 0 else os.geteuid()
    if seconds <= 0:
        what = f"There was no time left to look at the source of {os.path.basename(file)}."
        found.append(_unasked("not-asked", what, "Check it alone.", file))
        told = None
    elif may_run or is_familiar(file, path, uid):
        told = ask(file, path, user, seconds)
        if told is None and python_of(file) and not any(each.is_error for each in found):
            what = (
                f"The source of {os.path.basename(file)} was not looked at: its interpreter "
                f"{python_of(file)[0]} did not answer."
            )
            fix = "Run the script in a terminal; its source may be too large or nested too deeply."
            found.append(_unasked("not-asked", what, fix, file))
    else:
        what = (
            f"The source of {os.path.basename(file)} was not looked at: its interpreter "
            f"{python_of(file)[0]} may be a program of somebody else."
        )
        fix = "If you trust it, check the script with --run."
        found.append(_unasked("interpreter-not-asked", what, fix, file))
        told = None
    if told is not None:
        found += check_modules(file, told)
        found += check_racing(file, told)
        found += check_compiled(file, told, user)
    return sorted(found, key=lambda finding: not finding.is_error)


def _unasked(kind: str, what: str, fix: str, file: str) -> Finding:
    return Finding(kind, what, is_error=False, fix=fix, file=file)


def scripts(directory: str) -> list[str]:
    """Return the scripts in a directory and below it (list of paths, sorted): files that are executable
    or begin with `#!`. Hidden files and directories, links to directories, and what is beyond
    `MAX_DEPTH` and `MAX_SCRIPTS` are left out. Raises `OSError` if the directory cannot be read.
    """
    os.listdir(directory)  # `walk` would pass over it in silence
    found: list[str] = []
    depth = directory.count(os.sep)
    for place, directories, names in os.walk(directory):
        directories[:] = sorted(d for d in directories if not d.startswith((".", "__")))
        if place.count(os.sep) - depth >= MAX_DEPTH:
            directories[:] = []
        for name in sorted(names):
            path = os.path.join(place, name)
            if not name.startswith(".") and _is_script(path):
                found.append(path)
                if len(found) == MAX_SCRIPTS:
                    return found
    return found


def _is_script(path: str) -> bool:
    try:
        if not os.path.isfile(path):
            return False
        if (first_line(path) or b"").startswith(b"#!"):
            return True
        return os.access(path, os.X_OK) and not path.lower().endswith(_STATIC)
    except OSError:
        return False
