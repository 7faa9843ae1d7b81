"""Files that a Python script reads and writes back without a lock: two requests at once lose a change.

Found in the source alone, by the script's own interpreter: a file that is opened for reading and, by
the same expression, for writing, or for both, in a script that calls nothing which locks. Other ways to
write back are not recognized. Pure.
"""

import os

from .finding import Finding
from .interpreter import Told


def check_racing(file: str, told: Told) -> list[Finding]:
    """Return advice if a script changes a file as two requests at once must not (list of `Finding`)."""
    if told.racing is None:
        return []
    line, path = told.racing
    return [
        Finding(
            "racing-file",
            f"{os.path.basename(file)}, line {line} writes {path}, which the script has read before, "
            "and locks nothing: of two requests at once, one change is lost.",
            is_error=False,
            fix="For a counter: from cgikit import Counter; Counter(path).increment(). For any file: "
            "cgikit.lock(path) around reading and writing (pages reference/locks, reference/counters).",
            file=file,
            line=line,
        )
    ]
