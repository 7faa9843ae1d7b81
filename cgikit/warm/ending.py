"""What the end of a script means for its answer: nothing, a line of the log, or a page instead of it.

Pure, but for a look at the script where it printed nothing. The texts name the way it ended, so that
one problem is one line of the log. When an answer ends is decided in `exchange.py`.
"""

from ..host.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .header import Header

_FIX_LENGTH = "Let Content-Length be the length of the body."


def how(status: int) -> str:
    """Say how a script ended (str), "" for status 0; `status` is as `subprocess` gives it."""
    if not status:
        return ""
    return f"exited with status {status}" if status > 0 else f"was killed by signal {-status}"


def silence(header: "Header | None", file: str, status: int, path: str) -> Problem:
    """Return why there is no answer: the script `file` ended before its header block did. `path` is
    the PATH of scripts.
    """
    found = header.end() if header is not None else None
    if found is None:
        from ..host.diagnosis import (
            silence_problem,  # what rarely goes wrong costs nothing until it does
        )

        return silence_problem(file, status, path)
    if not status:
        return found
    what = f"The script {how(status)}. {found.what}"
    return Problem(found.status, what, found.fix, evidence=found.evidence)


def breach(header: "Header | None", status: int) -> Problem | None:
    """Return why the answer is not whole though its header block is; None where it is, or where nobody
    can tell.
    """
    if header is None or header.is_whole:
        return None
    if header.is_short:
        end = f"{how(status)}: it announced" if status else "announced"
        what = f"The script {end} {header.announced} bytes and sent {header.size}."
        return Problem(500, what, _FIX_LENGTH if status >= 0 else "")
    if status < 0:
        return Problem(500, f"The script {how(status)} in mid-answer.")
    return None


def complaint(header: "Header | None", status: int) -> str:
    """Return what the log says of a script whose answer is whole all the same, "" for nothing."""
    said = how(status)
    if header is None or header.mute or header.announced is None or header.size <= header.announced:
        return said
    excess = f"announced {header.announced} bytes and sent {header.size}: the rest is dropped"
    return f"{said} and {excess}" if said else excess
