"""The Python that a bundle is for: finding it on this machine, and having it compile.

Processes are started here, and nowhere else in this package. A version that this machine does not have
is no error: the bundle then carries sources alone.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from glob import escape, glob
from pathlib import Path

from ..errors import StorageError, reason_of

_SECONDS = 120.0  # for one run of an interpreter
_ASKED = "import sys; print('%d.%d %s' % (*sys.version_info[:2], sys.implementation.cache_tag))"
#: Started bare, in a directory without modules, and with a fixed order of sets.
_BARE = ("-P", "-S", "-s", "-B", "-X", "no_debug_ranges")
_OLDEST = (3, 11)


class Target:
    """The Python of the host. `python` is its interpreter on this machine, "" if there is none; `tag`
    is in the names of its compiled files, such as "cpython-311".
    """

    def __init__(self, version: str, python: str, tag: str) -> None:
        self.version = version
        self.python = python
        self.tag = tag

    def compile(self, order: "dict[str, object]") -> dict[str, bytes]:
        """Return the compiled files (bytes) by path of what `compiler.py` is told; none without an
        interpreter. Raises `SyntaxError` for what this Python cannot compile.
        """
        if not self.python:
            return {}
        program = str(Path(__file__).with_name("compiler.py"))
        done = _run([self.python, *_BARE, program], json.dumps(order))
        if done.returncode:
            raise SyntaxError(f"Python {self.version}: {done.stderr.strip().splitlines()[-1]}")
        made: dict[str, str] = json.loads(done.stdout)
        return {path: base64.b64decode(data) for path, data in made.items()}


def target(wanted: str = "") -> Target:
    """Return the Python that `wanted` names: a version such as "3.11", the path of an interpreter, or
    "" for the one that runs this.

    Raises `ValueError` for anything else, and for a Python that cgikit does not support.
    """
    if not wanted:
        wanted = sys.executable
    if _is_version(wanted):
        _supported(wanted)
        for python in _candidates(wanted):
            found = _asked(python)
            if found is not None and found.version == wanted:
                return found
        return Target(wanted, "", "")
    found = _asked(wanted)
    if found is None:
        raise ValueError(
            f"--python: {wanted!r} is neither a version, such as 3.11, nor an interpreter that "
            "runs here"
        )
    return Target(_supported(found.version), found.python, found.tag)


def _is_version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 2 and all(part.isascii() and part.isdigit() for part in parts)


def _supported(version: str) -> str:
    major, _, minor = version.partition(".")
    if len(major) > 2 or len(minor) > 3 or (int(major), int(minor)) < _OLDEST:
        raise ValueError(f"--python: cgikit needs Python 3.11 or later, not {version}")
    return version


def _candidates(version: str) -> list[str]:
    """Return the interpreters that may be of this version, those on PATH before those of pyenv."""
    named = shutil.which(f"python{version}")
    pyenv = os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv")
    # Not by pathlib, which fails if this user cannot look into it
    others = sorted(glob(os.path.join(escape(pyenv), "versions", f"{version}*/bin/python3")))[::-1]
    return [sys.executable, *([named] if named else []), "/usr/bin/python3", *others]


def _asked(python: str) -> Target | None:
    """Return what an interpreter says that it is; None if it is none, or does not run."""
    found = shutil.which(python)
    if found is None:
        return None
    try:
        done = _run([found, "-I", "-S", "-c", _ASKED], "")
    except StorageError:
        return None
    version, _, tag = done.stdout.strip().partition(" ")
    return Target(version, found, tag) if not done.returncode and tag else None


def _run(command: list[str], text: str) -> "subprocess.CompletedProcess[str]":
    try:
        return subprocess.run(  # noqa: S603 -- an interpreter that the user has named
            command,
            input=text,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env={"PYTHONHASHSEED": "0"},
            cwd="/",
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise StorageError(
            command[0], f"this interpreter does not run: {reason_of(error)}; name another one"
        ) from None
    except subprocess.TimeoutExpired:
        raise StorageError(
            command[0], f"this interpreter has not ended in {_SECONDS:.0f} s; name another one"
        ) from None
