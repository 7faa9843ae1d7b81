"""Why a script could not be started, or printed nothing: from the symptom to what to fix.

Called only after something failed, so that a script that works pays nothing for it. Reads the
script's first line and looks for its interpreter; runs nothing.
"""

import errno
import os
import re
import shlex
import signal

from ..checking.firstline import check_first_line, first_line
from .problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_REMOVED = re.compile(r"o module named '(cgi|cgitb)'(, and .* has no cgikit)?")
#: What the person who owns the scripts does for `import cgi`, where a server runs them.
SERVER = "Start this server with --compat"
#: What cgikit writes before each line of standard error that belongs to an error page.
INCIDENT = re.compile(r"\[incident [0-9a-f]{8}\] ")
_FRAME = re.compile(r'\s*File "(.+?)", line (\d{1,9})')  # of a Python traceback
_DIED = re.compile(r" at (\S+) line (\d{1,9})")  # of Perl's die
_UNREADABLE = ("SyntaxError", "IndentationError", "TabError")  # of the script itself
_SHORTAGES = (errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


def interpreter_problem(file: str, path: str) -> Problem | None:
    """Return what is wrong with the `#!` line of a script, or None when nothing is.

    `path` is the PATH that the script gets: `#!/usr/bin/env` looks there.
    """
    found = check_first_line(file, path)
    if found is None:
        return None
    status = 403 if found.kind == "not-readable" else 500
    return Problem(status, found.what, found.fix, evidence=found.evidence)


def start_problem(file: str, error: OSError, path: str, interpreter: str = "") -> Problem:
    """Return why a script could not be started, from the error of the attempt. `interpreter` is the
    program that was to run it, if it does not name one itself.
    """
    name = os.path.basename(file)
    if error.errno in _SHORTAGES:
        return Problem(
            503,
            f"The server cannot start {name} now: {error.strerror}.",
            "Try again. If it persists, too much is running on this machine.",
            headers=(("Retry-After", "5"),),
        )
    if error.errno == errno.E2BIG:
        return Problem(
            431, "The request's headers are larger than the system can pass to a program."
        )
    if interpreter:
        return Problem(
            500, f"{interpreter}, which runs {name}, cannot be started: {error.strerror}."
        )
    known = interpreter_problem(file, path)
    if known is not None:
        return known
    return Problem(500, f"{name} cannot be started: {error.strerror}.")


def removed_module(file: str, errors: "Iterable[str]", remedy: str = SERVER) -> str:
    """Return what to do about a script that failed because Python 3.13 removed `cgi` and `cgitb` (str),
    or "" if the lines of its standard error show another cause. `remedy` says how the program that ran
    the script gives it cgikit's modules, as a sentence without its full stop.
    """
    directory = shlex.quote(os.path.dirname(file))
    for line in errors:
        found = _REMOVED.search(line)
        if found is None:
            continue
        if found[2]:
            return (
                f"Do that, or write a complete copy: cgikit vendor cgi --self-contained {directory}"
            )
        isolated = _isolating_option(file)
        if isolated:
            return (
                f"Python 3.13 removed the module {found[1]}, and a script with {isolated} in its "
                f"first line does not find a replacement. Take {isolated} out of the first line of the "
                f"script. {remedy}, if that is not so yet."
            )
        return (
            f"Python 3.13 removed the module {found[1]}. {remedy}, or write a "
            f"replacement beside the script: cgikit vendor cgi {directory}"
        )
    return ""


def _isolating_option(file: str) -> str:
    """Return the option by which a script's Python ignores PYTHONPATH: "-I", "-E" or ""."""
    words = iter(os.fsdecode(first_line(file) or b"").split())
    for word in words:
        if os.path.basename(word).startswith("python"):
            break
    for word in words:
        if not word.startswith("-"):
            break
        letters = re.split("[WXcm]", word)[0]  # what follows one of these is its argument
        for letter in "IE":
            if letter in letters:
                return f"-{letter}"
    return ""


def silence_problem(
    file: str, status: int, path: str, errors: "Iterable[str]" = (), remedy: str = SERVER
) -> Problem:
    """Return why a script printed nothing; `status` is as `subprocess` gives it, `errors` are the last
    lines of its standard error, `remedy` is as for `removed_module`.
    """
    name = os.path.basename(file)
    if status in (126, 127):
        known = interpreter_problem(file, path)
        if known is not None:
            return known
    if status == 0:
        from ..forgotten import advice  # here, since workers load this module

        what, fix = advice(file)
        nothing = f"{name} printed nothing.", "Print headers and an empty line first."
        return Problem(500, what or nothing[0], fix or nothing[1])
    how = f"exited with status {status}"
    if status < 0:
        how = f"was killed by signal {_signal_name(-status)}"
    said = list(errors)
    line = crash_line(file, said)
    where = f" Its standard error names line {line}." if line else ""
    fix = removed_module(file, said, remedy) or crash_fix(file, line, said)
    return Problem(500, f"{name} {how} and printed nothing.{where}", fix)


def crash_line(file: str, errors: "Iterable[str]") -> int:
    """Return the line of the script itself in which it failed (int), as the last traceback of Python or
    the last message of Perl among the lines of its standard error has it; 0 if none has.
    """
    name = os.path.basename(file)
    line = died = 0
    for each in errors:
        text = INCIDENT.sub("", each, count=1)
        frame = _FRAME.match(text)
        if frame and os.path.basename(frame[1]) == name:
            line = int(frame[2])
        said = _DIED.search(text)
        if said and os.path.basename(said[1]) == name:
            died = int(said[2])
    return line or died


def still_runs(seconds: float, computed: float | None, limit: float, place: str = "") -> str:
    """Return what to say about a script that has printed nothing for so many seconds (str). `computed`
    is the processor time that it has taken, None if unknown; after `limit` seconds it is ended.
    `place` is where it is (`whereabouts`), "" if unknown.
    """
    does = "still runs"
    if computed is not None:
        # A tenth of the time is much: on a busy machine a loop gets no more
        is_busy = computed > seconds / 10
        what = "computes, perhaps in a loop that does not end" if is_busy else "waits for something"
        does = f"still runs and {what} ({computed:.1f} s of processor time)"
    where = f" It is in {place}." if place else ""
    silent = f"has printed nothing for {seconds:g} seconds."
    return f"{silent} It {does}.{where} After {limit:g} s it is ended."


def endless(file: str, errors: "Iterable[str]") -> tuple[str, str]:
    """Return where a script was when it was ended because it took too long, and what to do about it
    (str, str; "" if the lines of its standard error do not tell).
    """
    line = crash_line(file, errors)
    if not line:
        return "", ""
    return f"It was in line {line}.", endless_fix(line)


def endless_fix(line: int) -> str:
    """Return what to do about a script that does not end, and was in that line (str; 0 for none)."""
    where = f", in line {line}." if line else "."
    return f"Look for a loop that does not end, or for something that it waits for{where}"


def crash_fix(file: str, line: int, errors: "Iterable[str]" = ()) -> str:
    """Return what to do about a crash in that line of a script (str), or "" if the line is 0: then its
    standard error, which is shown beside this, is all that is known. `errors` are its lines.
    """
    if not line:
        return ""
    can_catch = not any(INCIDENT.sub("", text).startswith(_UNREADABLE) for text in errors)
    return f"Correct line {line} of {os.path.basename(file)}{', or catch the error there' * can_catch}."


def _signal_name(number: int) -> str:
    try:
        return f"{number} ({signal.Signals(number).name})"
    except ValueError:
        return str(number)
