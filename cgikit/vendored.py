"""The files that `cgikit vendor` wrote, recognized by the mark in them: not by their names alone.

Other commands come across them: they are no scripts to run, and no programs to rewrite. Nothing is
written here; `vendoring.py` does that. The mark says only who wrote a file, not whether it was changed.
"""

import os

from .regularfile import open_regular

FOLDER = "cgikit_vendored"  # beside self-contained modules
LIST = "written.sha256"  # in the folder, in the format of sha256sum
MARK = "Written by `cgikit vendor cgi`"  # in each file beside scripts
FILES = ("cgi.py", "cgitb.py", "cgi.pyi", "cgitb.pyi")
_HEAD = 400  # bytes: the docstring is first


def is_vendored(path: str) -> bool:
    """Whether `cgikit vendor` wrote this file or folder, or the folder that a file is in (bool)."""
    above, name = os.path.split(os.path.abspath(path))
    if name in FILES and MARK.encode() in _begin(path):
        return True
    while name:
        if name.partition(".")[0] == FOLDER and is_folder(os.path.join(above, name)):
            return True
        above, name = os.path.split(above)
    return False


def is_folder(path: str) -> bool:
    """Whether a folder is one that `cgikit vendor --self-contained` wrote (bool)."""
    own = os.path.join(path, "cgikit", "compat", "cgi.py")
    return os.path.isfile(own) and os.path.isfile(os.path.join(path, LIST))


def is_self_contained(path: str) -> bool:
    """Whether a module that `cgikit vendor` wrote takes what it needs from the folder beside it."""
    return f'"{FOLDER}")'.encode() in _begin(path, 4_000)


def _begin(path: str, size: int = _HEAD) -> bytes:
    try:
        with open(open_regular(path, follow=True, patience=0), "rb") as file:
            return file.read(size)
    except OSError:  # not readable, or not a file
        return b""
