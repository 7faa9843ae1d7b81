"""Internal. The page of a bug for the owner of the script: the exception first, then where it was.

Markup only: what may be shown of the environment is decided in `debug.py`, which asks for this page
where details were asked for. All is escaped here.
"""

import os

from .html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_LIBRARY = os.path.dirname(__file__) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_AROUND = 3  # lines of the source before and after the one that failed
_LONGEST = 300  # characters of a line of the source, and of the title


def title_of(error: BaseException) -> str:
    """Return the line that says what went wrong, as Python's last one does: `KeyError: 'a'` (str)."""
    import traceback

    lines = "".join(traceback.format_exception_only(error)).splitlines()
    # Of a syntax error the place stands first, indented
    title = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    return title if len(title) <= _LONGEST else f"{title[:_LONGEST]}…"


def details(error: BaseException, traceback: str, environ: "Mapping[str, str]") -> str:
    """Return the markup below the title: the script's own frame, the traceback, the environment.

    `traceback` is the whole one as text, `environ` what may be shown, as `debug.masked` gives it.
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>\n"
        for name, value in environ.items()
    )
    own = _own_frame(error)
    return (
        f"{_frame(*own) if own else ''}"
        f"<details{'' if own else ' open'}><summary>Traceback</summary>\n"
        f"<pre>{escape(traceback)}</pre></details>\n"
        f"<details><summary>Environment</summary>\n<table>{rows}</table></details>"
    )


def _frames(error: BaseException) -> "Iterator[tuple[FrameType, int]]":
    place = error.__traceback__
    while place is not None:
        yield place.tb_frame, place.tb_lineno
        place = place.tb_next


def _own_frame(error: BaseException) -> "tuple[FrameType, int] | None":
    """Return the innermost frame that is neither Python's nor an installed package's, with its line."""
    import linecache

    standard = os.path.dirname(linecache.__file__) + os.sep
    own = None
    for frame, line in _frames(error):
        file = frame.f_code.co_filename
        if not (file.startswith(("<", _LIBRARY, standard)) or any(p in file for p in _INSTALLED)):
            own = frame, line
    return own


def _frame(frame: "FrameType", line: int) -> str:
    import linecache

    code = frame.f_code
    lines = linecache.getlines(code.co_filename, frame.f_globals)
    shown = [
        ("<mark>{}</mark>" if number == line else "{}").format(
            f"{number:5}  {escape(lines[number - 1].rstrip()[:_LONGEST])}"
        )
        for number in range(max(1, line - _AROUND), min(len(lines), line + _AROUND) + 1)
    ]
    return (
        f"<details open><summary>{escape(os.path.basename(code.co_filename))}, line {line}, in "
        f"{escape(code.co_qualname)}</summary>\n<pre>" + "\n".join(shown) + "</pre></details>\n"
    )
