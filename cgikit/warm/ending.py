"""How the end of a script affects its answer: not at all, by a log line, or by a page in its place.

Pure, except that a script which printed nothing is looked at. The texts say how the script ended,
so one problem is one line of the log. `exchange.py` decides when an answer ends.
"""

from ..host.problem import Problem
from ..process import CUT
from .header import written_block

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..host.path import Script
    from .child import Child
    from .header import Header
    from .settings import Settings

_FIX_LENGTH = "Let Content-Length be the length of the body."


def how(status: int) -> str:
    """Say how a script ended (str), or "" for status 0; `status` is as `subprocess` gives it."""
    if not status:
        return ""
    return f"exited with status {status}" if status > 0 else f"was killed by signal {-status}"


def silence(
    header: "Header | None", file: str, status: int, path: str, errors: "Iterable[str]" = ()
) -> Problem:
    """Return why there is no answer: the script `file` ended before its header block did. `path` is
    the PATH of scripts, `errors` are the last lines of its standard error.
    """
    found = header.end() if header is not None else None
    if found is None:
        # What rarely goes wrong costs nothing until it does
        from ..host.diagnosis import silence_problem

        return silence_problem(file, status, path, errors)
    if not status:
        return found
    what = f"The script {how(status)}. {found.what}"
    return Problem(found.status, what, found.fix, evidence=found.evidence)


def breach(header: "Header | None", status: int) -> Problem | None:
    """Return why an answer with a complete header block is not whole; None if it is whole, or that is
    unknown.
    """
    if header is None or header.is_whole:
        return None
    if header.is_short:
        end = f"{how(status)}: it announced" if status else "announced"
        what = f"The script {end} {header.announced} bytes and sent {header.size}."
        return Problem(500, what, _FIX_LENGTH if status >= 0 else "")
    if status < 0 or status == CUT:
        return Problem(500, f"The script {how(status)} in mid-answer.")
    return None


def complaint(header: "Header | None", status: int) -> str:
    """Return what the log says about a script whose answer is whole nevertheless, or "" for nothing."""
    detail = how(status)
    if header is None or header.mute or header.announced is None or header.size <= header.announced:
        return detail
    excess = f"announced {header.announced} bytes and sent {header.size}: the rest is dropped"
    return f"{detail} and {excess}" if detail else excess


def advice(script: "Script | None", status: int, errors: "Iterable[str]") -> list[str]:
    """Return what the log says to do about a script that failed behind its header block, in a list."""
    if script is None or not status:
        return []
    from ..host.diagnosis import removed_module

    found = removed_module(script.file, errors)
    return [found] if found else []


def overdue(child: "Child", settings: "Settings", now: float, *, judged: bool, waits: bool) -> str:
    """Return what the log says about a script that takes too long, or "" if it does not.

    `judged` tells whether its header block is complete, `waits` whether it waits for a body that the
    peer still has to send.
    """
    if now - child.started > settings.total:
        return f"was stopped after {settings.total:g} seconds"
    if waits:
        return ""
    if not judged and now - max(child.started, child.fed) > settings.timeout:
        return f"did not complete its headers within {settings.timeout:g} seconds"
    if judged and child.is_silent and now - child.heard > settings.timeout:
        return f"was silent for {settings.timeout:g} seconds and was stopped"
    return ""


def page_for(
    problem: Problem, *, is_head: bool, details: bool, script: str, log: list[str]
) -> bytes:
    """Return the answer that says what was wrong: a header block and, but for HEAD, a page.

    `details` tells whether it may show the owner of the scripts what happened, with the last lines of
    `log`; `script` is the SCRIPT_NAME.
    """
    from ..host.page import error_page, own_response

    page = error_page(problem, details=details, script=script, log=log)
    block = written_block(own_response(problem.status, page, problem.headers))
    return block if is_head else block + page
