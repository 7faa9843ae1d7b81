"""How commands write to a terminal: its width, colours, and a bar for what takes longer than a second.

This module decides for all commands. Colours follow the conventions of no-color.org and
force-color.org: the variables count if they are not empty, and `NO_COLOR` wins. No library: the bar is
a dozen lines, and must work where none is installed.
"""

import os
import shutil
import sys
import time
from typing import Self, TextIO

#: The styles, as parameters of the control sequence SGR (ECMA-48 section 8.3.117).
STYLES = {
    "error": "1;31", "advice": "33", "ok": "32", "dim": "2", "bold": "1", "blue": "34",
    "magenta": "35", "cyan": "36",
}  # fmt: skip

_PAUSE = 0.1  # seconds between two drawings


def is_terminal(stream: TextIO) -> bool:
    """Whether text for `stream` is seen on a terminal (bool). Never raises."""
    try:
        return stream.isatty()
    except (AttributeError, OSError, ValueError):  # replaced, or closed
        return False


def has_colours(stream: TextIO) -> bool:
    """Whether to write colours to `stream` (bool): on a terminal that is not `TERM=dumb`; never with
    NO_COLOR, always with FORCE_COLOR.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_terminal(stream) and os.environ.get("TERM", "dumb") != "dumb"


def paint(text: str, style: str, stream: TextIO) -> str:
    """Return `text` in one of `STYLES` (str); unchanged where `stream` has no colours."""
    if not text or not has_colours(stream):
        return text
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m"


def width(most: int = 100) -> int:
    """Return how many columns to fill (int, from 20 to `most`): those of COLUMNS or of the terminal on
    standard output; 80 if neither is known.
    """
    return max(20, min(most, shutil.get_terminal_size((80, 24)).columns))


class Progress:
    """A progress bar on standard error. Called with how many things are done, and of how many (int).

    It is drawn only on a terminal, and only `after` seconds (float). Used as a context manager, it is
    removed at the end, whatever happens.
    """

    def __init__(self, after: float = 1.0) -> None:
        self._can_draw = is_terminal(sys.stderr) and os.environ.get("TERM", "dumb") != "dumb"
        self._next = time.monotonic() + after
        self._is_shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.clear()

    def __call__(self, done: int, total: int) -> None:
        """Draw the bar, a few times a second at most."""
        now = time.monotonic()
        if not self._can_draw or now < self._next:
            return
        self._next = now + _PAUSE
        self._is_shown = True
        sys.stderr.write("\r" + bar(done, total))
        sys.stderr.flush()

    def clear(self) -> None:
        """Remove the bar from its line."""
        if self._is_shown:
            self._is_shown = False
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def bar(done: int, total: int) -> str:
    """Return the text of a bar of 30 signs (str), such as `[###   ]  10%  1 of 10`."""
    share = min(1.0, done / total) if total > 0 else 1.0
    signs = 30 * min(done, total) // total if total > 0 else 30
    return f"[{'#' * signs:30}] {share:4.0%}  {done:,} of {total:,}"
