"""Files that a Python script reads and writes back without a lock: two requests at once lose a change.

Found in the source alone: a file that is opened for reading and, by the same expression, for writing,
in a script that locks nothing. Other ways to write back are not recognized.
"""

import ast
import os

from ..regularfile import open_regular
from .finding import Finding

_MAX_SOURCE = 2_000_000  # bytes
_LOCKING = ("flock", "lockf", "cgikit", "filelock", "portalocker", "O_EXCL")


def check_racing(file: str) -> list[Finding]:
    """Return advice if a script changes a file as two requests at once must not (list of `Finding`)."""
    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            source = stream.read(_MAX_SOURCE)
        tree = ast.parse(source)
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    if any(word.encode() in source for word in _LOCKING):
        return []
    opened = [_opened(node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    read = {path for path, mode, _ in filter(None, opened) if mode.startswith("r")}
    for path, mode, line in sorted(filter(None, opened), key=lambda each: each[2]):
        if path in read and mode.startswith("w"):
            shown = ast.unparse(ast.parse(path, mode="eval"))
            return [_racing(file, line, shown)]
    return []


def _opened(call: ast.Call) -> tuple[str, str, int] | None:
    """Return the path that is opened, as source, the mode, and the line; None for other calls."""
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    if name != "open" or not call.args:
        return None
    given = [*call.args[1:2], *(word.value for word in call.keywords if word.arg == "mode")]
    mode = given[0].value if given and isinstance(given[0], ast.Constant) else "r"
    return ast.unparse(call.args[0]), str(mode), call.lineno


def _racing(file: str, line: int, path: str) -> Finding:
    return Finding(
        "racing-file",
        f"{os.path.basename(file)}, line {line} writes {path}, which the script has read before, and "
        "locks nothing: of two requests at once, one change is lost.",
        is_error=False,
        fix="For a counter: from cgikit import Counter; Counter(path).increment(). For any file: "
        "cgikit.lock(path) around reading and writing (docs/locks.md, docs/counters.md).",
        file=file,
        line=line,
    )
