"""What is wrong with the source of a Python script, and with the modules that it imports.

The script's own interpreter is asked (`interpreter.py`); nothing of the script is run.
"""

import os
import shlex
import sys

from ..vendored import is_vendored
from .finding import Finding
from .interpreter import Import, Told

# Modules that Python 3.12 and 3.13 removed (PEP 632, PEP 594), and what takes their place
_REMOVED = {
    name: f"pip install standard-{name}"
    for name in (
        *("aifc", "asynchat", "asyncore", "chunk", "crypt", "imghdr", "mailcap", "nntplib"),
        *("pipes", "smtpd", "sndhdr", "sunau", "telnetlib", "uu", "xdrlib"),
    )
}
_REMOVED |= {"audioop": "pip install audioop-lts", "distutils": "pip install setuptools"}
_OLD = ("cgi", "cgitb")
_MAX_FOUND = 50  # of one script
# No modules: the package legacy-cgi has the old names
_LEGACY = {"legacy_cgi": "cgi", "legacy_cgitb": "cgitb"}


def check_modules(file: str, told: Told) -> list[Finding]:
    """Return what an interpreter finds wrong with a script (list of `Finding`)."""
    if told.error is not None:
        return [_unreadable(file, told)]
    found: list[Finding] = []
    seen: set[str] = set()
    # A module may be found, or not be needed, elsewhere: only all imports together tell
    needed = {each.name for each in told.imports if not each.optional}
    for each in told.imports:
        if each.name in seen:
            continue
        if each.place is None:
            if each.name not in needed or len(found) >= _MAX_FOUND:
                continue
            found.append(_missing(file, each, told))
            if told.unsure:
                _doubt(found[-1], told.unsure)
        elif each.name in told.stdlib and _is_beside(file, each.place):
            found.append(_shadow(file, each, told))
        elif each.name in _OLD and each.name not in told.stdlib:
            found += _second(file, each)
        elif each.name in _LEGACY:
            what = f"{os.path.basename(file)}, line {each.line}: it imports {each.name}."
            fix = _legacy_fix(each.name)
            found.append(
                Finding("legacy-cgi", what, is_error=False, fix=fix, file=file, line=each.line)
            )
        seen.add(each.name)
    return found + _others_in_the_way(file, told, seen)


def _unreadable(file: str, told: Told) -> Finding:
    assert told.error is not None  # noqa: S101 -- asked by the caller
    line, message, text = told.error
    name = os.path.basename(file)
    where = f"{name}, line {line}" if line else name
    if "encod" in message or "codec" in message or "unicode" in message.lower():
        return Finding(
            "encoding",
            f"{where}: Python {told.version} cannot decode it: {message}.",
            fix="Save it as UTF-8, or declare its encoding in its second line: "
            "# -*- coding: latin-1 -*-",
            rule="PEP 263",
            file=file,
            line=line,
        )
    fix = f"Correct line {line}, or the end of the line above it." if line else "Correct it."
    if "print" in message and "parenthes" in message:
        fix = "It is written for Python 2: run it with python2, or port it with 2to3."
    return Finding(
        "syntax-error",
        f"{where}: Python {told.version} says: {message}.",
        evidence=text.strip("\n")[:200],
        fix=fix,
        file=file,
        line=line,
    )


def _missing(file: str, each: Import, told: Told) -> Finding:
    name, script = each.name, os.path.basename(file)
    python = f"Python {told.version} ({told.program})"
    what = f"{script}, line {each.line}: {python} has no module {name}."
    if name in _OLD:
        directory = shlex.quote(os.path.dirname(file) or ".")
        what = f"{script}, line {each.line}: {python} has no module {name} any more."
        fix = (
            f"Rewrite the script: cgikit migrate --write {shlex.quote(file)}  "
            f"(or leave it as it is, and write a replacement beside it: cgikit vendor cgi {directory})"
        )
        return _finding("module-removed", what, fix, file, each.line, rule="PEP 594")
    if name in _REMOVED:
        return _finding("module-removed", what, _REMOVED[name], file, each.line, rule="PEP 594")
    if name in _LEGACY:
        return _finding("module-missing", what, _legacy_fix(name), file, each.line)
    if name == "cgikit" and told.program != sys.executable:
        fix = (
            f"cgikit is installed for {sys.executable}: write #!{sys.executable} if the server's user "
            f"can reach that, or install cgikit for {told.program} as well (page start/install). Under "
            "a configuration that cgikit config prints, #!/usr/bin/env python3 finds the first."
        )
        return _finding("module-missing", what, fix, file, each.line)
    if name == "cgikit":  # it is on no package index yet, and another package may take its name
        fix = f"Install cgikit for {told.program} (page start/install)."
        return _finding("module-missing", what, fix, file, each.line)
    fix = (
        f"{shlex.quote(told.program)} -m pip install {name}  (or name in the first line a Python that "
        "has it)"
    )
    return _finding("module-missing", what, fix, file, each.line)


def _doubt(finding: Finding, line: int) -> None:
    """Make a finding on a missing module advice: the script may find it in another place."""
    finding.is_error = False
    finding.what = (
        f"{finding.what.rstrip('.')}, unless line {line} has it found in another place: "
        "only a run can tell."
    )


def _legacy_fix(name: str) -> str:
    old = _LEGACY[name]
    return (
        f"Write: from cgikit.compat import {old}  (page reference/compat). The package legacy-cgi "
        f"itself is imported as {old}."
    )


def _shadow(file: str, each: Import, told: Told) -> Finding:
    assert each.place is not None  # noqa: S101 -- asked by the caller
    own = os.path.relpath(each.place, os.path.dirname(os.path.abspath(file)))
    what = (
        f"{os.path.basename(file)}, line {each.line}: import {each.name} finds {own} beside the "
        f"script, not the module of Python {told.version}."
    )
    fix = f"Rename {own}."
    return _finding("module-shadows", what, fix, file, each.line)


def _second(file: str, each: Import) -> list[Finding]:
    """Return advice if the module `cgi` is one of a package from elsewhere."""
    place = each.place or ""
    if is_vendored(place) or "cgikit" in place.split(os.sep):
        return []
    what = (
        f"{os.path.basename(file)}, line {each.line}: import {each.name} finds {place}, a copy of the "
        "module that Python 3.13 removed."
    )
    fix = "It works. cgikit.compat does the same and starts faster: page reference/compat."
    return [Finding("other-cgi-module", what, is_error=False, fix=fix, file=file, line=each.line)]


def _others_in_the_way(file: str, told: Told, seen: set[str]) -> list[Finding]:
    """Return advice on files beside the script that have the name of a module of Python's own."""
    directory = os.path.dirname(os.path.abspath(file))
    try:
        names = sorted(os.listdir(directory))
    except OSError:
        return []
    found = []
    for name in names:
        module, extension = os.path.splitext(name)
        if extension == ".py" and module in told.stdlib and module not in seen:
            what = f"{name} has the name of a module of Python {told.version}."
            fix = f"Rename it: another module that imports {module} would get this file."
            path = os.path.join(directory, name)
            found.append(Finding("module-shadows", what, is_error=False, fix=fix, file=path))
    return found


def _is_beside(file: str, place: str) -> bool:
    directory = os.path.dirname(os.path.realpath(file))
    # Not "built-in" and "frozen", which are no paths
    return os.path.isabs(place) and os.path.realpath(place).startswith(directory + os.sep)


def _finding(kind: str, what: str, fix: str, file: str, line: int, *, rule: str = "") -> Finding:
    return Finding(kind, what, fix=fix, rule=rule, file=file, line=line)
