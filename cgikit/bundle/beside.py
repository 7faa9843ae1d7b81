"""Which files beside a script go along, and which stay: what visitors have left, and what is secret.

A bundle is uploaded, copied and kept; the data of a site does not belong into it, unless it is asked
for. Each file that stays is reported with its reason.
"""

import os
from collections.abc import Iterator

TESTS = "tests, which no visitor needs"
_DATA = "data that scripts keep stays here"
_SECRET = "looks like a secret"  # noqa: S105 -- a reason, not one
_LEFTOVER = "made by other programs"
_ENVIRONMENT = "a virtual environment"
_LIBRARY = "the bundle has its own"
_OUTSIDE = "leads out of the directory"
_SPECIAL = "not a regular file"
_UNLISTED = "a name with such characters cannot be listed"
#: Names of files and directories, and what they are.
_NAMES = {
    "data": _DATA,
    "sessions": _DATA,
    "__pycache__": _LEFTOVER,
    "conftest.py": TESTS,
    "node_modules": _LEFTOVER,
    "tests": TESTS,
    "private": _DATA,
    "id_dsa": _SECRET,
    "id_ecdsa": _SECRET,
    "id_ed25519": _SECRET,
    "id_rsa": _SECRET,
}
_SUFFIXES = {
    ".dat": _DATA,
    ".db": _DATA,
    ".db3": _DATA,
    ".sql": _DATA,
    ".sqlite": _DATA,
    ".sqlite3": _DATA,
    "-wal": _DATA,
    "-shm": _DATA,
    "-journal": _DATA,
    ".log": _DATA,
    ".lock": _DATA,
    ".pem": _SECRET,
    ".key": _SECRET,
    ".p12": _SECRET,
    ".pfx": _SECRET,
    ".pyc": _LEFTOVER,
    ".swp": _LEFTOVER,
    ".swo": _LEFTOVER,
    ".save": _LEFTOVER,
    ".old": _LEFTOVER,
    ".bak": _LEFTOVER,
    ".orig": _LEFTOVER,
    ".rej": _LEFTOVER,
    ".tmp": _LEFTOVER,
    "#": _LEFTOVER,
    "~": _LEFTOVER,
}
_HTACCESS = ".htaccess"  # the one hidden file that belongs to a site


def why_not(path: str, *, data: bool = False, imported: bool = False) -> str:
    """Return why a path relative to the script's directory stays here; "" if it goes along.

    With `data` only leftovers of other programs and tests stay. `imported` is for what a script
    imports: that goes along even if it is named like tests.
    """
    if any(char in "\n\r\\" or "\ud800" <= char <= "\udfff" for char in path):
        return _UNLISTED
    for part in path.split("/"):
        reason = _NAMES.get(part, "")
        if not reason and part.startswith(".") and part != _HTACCESS:
            reason = _SECRET if part in {".env", ".htpasswd"} else _LEFTOVER
        for suffix, why in _SUFFIXES.items():
            if not reason and part.endswith(suffix):
                reason = why
        if reason == TESTS and imported:
            reason = ""
        if reason and (not data or reason in {_LEFTOVER, TESTS}):
            return reason
    return ""


def files(
    directory: str, start: str = "", *, data: bool = False, imported: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield each file below a directory, from `start` in it, as a relative path and why it stays (""
    if it goes along). A directory that stays is yielded itself, with "/" at its end.

    The order is that of the names. Nothing outside of the directory is read, wherever links lead.
    """
    top = os.path.realpath(directory)
    waiting = [start]
    while waiting:
        path = waiting.pop()
        full = os.path.join(top, path)
        reason = why_not(path, data=data, imported=imported) if path else ""
        is_directory = os.path.isdir(full)
        if path and is_directory and not reason:
            reason = _of_others(full)
        if path.rpartition("/")[2] == "core" and os.path.isfile(full):
            reason = _LEFTOVER  # the memory of a program that crashed; a directory may be named so
        if not reason and not _is_inside(full, top):
            reason = _OUTSIDE
        if is_directory and reason:
            yield f"{path}/", reason
        elif is_directory and not os.path.islink(full):
            names = sorted(os.listdir(full), reverse=True)
            waiting.extend(os.path.join(path, name) for name in names)
        elif is_directory:
            yield f"{path}/", "a link to a directory"
        else:
            yield path, reason or ("" if os.path.isfile(full) else _SPECIAL)


def _of_others(directory: str) -> str:
    """Return what a directory is that was not written with the scripts, or ""."""
    if os.path.isfile(os.path.join(directory, "pyvenv.cfg")):
        return _ENVIRONMENT
    is_package = os.path.isfile(os.path.join(directory, "__init__.py"))
    return _LIBRARY if is_package and os.path.basename(directory) == "cgikit" else ""


def _is_inside(full: str, top: str) -> bool:
    real = os.path.realpath(full)
    return real == top or real.startswith(top.rstrip("/") + "/")
