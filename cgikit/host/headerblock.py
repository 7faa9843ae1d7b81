"""Reads the output of a run as far as the end of its header block (RFC 3875 section 6.2).

This module has the loop that every front end needs that runs one script per thread, and says why there
is no header block. `output.py` parses it; what comes after it is the front end's.
"""

import os
from collections.abc import Iterable

from .diagnosis import SERVER, endless, silence_problem
from .executor import Run, TimeLimit
from .output import LocalRedirect, NPHParser, OutputParser, ScriptResponse
from .path import Script
from .problem import Problem


def read_header(
    run: Run,
    script: Script,
    errors: Iterable[str],
    path: str,
    *,
    more_time: str,
    remedy: str = SERVER,
) -> ScriptResponse | LocalRedirect:
    """Return the header block of a script, with the beginning of its body.

    `Problem` 504 if it does not come in time, where `more_time` names what allows more; 500 if the
    output has none. `errors` are the lines of its standard error so far, `path` is its PATH, `remedy`
    is as for `diagnosis.removed_module`. Raises `ClientGone`.
    """
    name = os.path.basename(script.file)
    parser = NPHParser() if script.is_nph else OutputParser()
    empty = True
    try:
        while chunk := run.read():
            empty = False
            if (output := parser.feed(chunk)) is not None:
                run.header_done()
                return output
    except TimeLimit as over:
        where, fix = endless(script.file, errors)
        what = f"{name} did not complete its headers within {over.seconds:g} seconds and was ended."
        early = f"Print the headers early and flush, or allow more time with {more_time}."
        raise Problem(504, f"{what} {where}".rstrip(), f"{fix} {early}".lstrip()) from over
    status = run.close()
    if empty:
        raise silence_problem(script.file, status, path, errors, remedy)
    raise parser.end()
