"""Internal. The frames of an error for the debug page: the line that failed, those around it, and the
values of the variables, for the error and for those that it came from.

`debugpage.py` puts the page together. `masking.py` and `knownsecrets.py` decide what may be shown of a
value; everything is escaped here, and everything has a limit.
"""

import os
from time import monotonic
from types import BuiltinFunctionType, FunctionType, ModuleType

from .html import escape
from .masking import masked_source, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import CodeType, FrameType
    from typing import Any

    Hide = Callable[[str], str]
    Place = tuple[FrameType, int]

LIBRARY = os.path.dirname(__file__) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_CONTEXT = 3  # lines of the source before and after the one that failed
_MAX_LINE = 300  # characters of a line of the source
_MAX_FRAMES = 20
_MAX_VARIABLES = 40
_MAX_RELATED = 10  # errors that the first one came from, or that are in its group
_MAX_SECONDS = 1.0  # for all values: a script's own repr may be slow
_NOT_SHOWN = (ModuleType, FunctionType, BuiltinFunctionType, type)


def places(error: BaseException) -> "Iterator[Place]":
    """Yield the frames of an error, outermost first, each with its line."""
    place = error.__traceback__
    while place is not None:
        yield place.tb_frame, place.tb_lineno
        place = place.tb_next


def own_place(error: BaseException) -> "Place | None":
    """Return the innermost frame outside of cgikit, the standard library and installed packages, with
    its line.
    """
    import linecache

    standard = os.path.dirname(linecache.__file__) + os.sep
    own = None
    for frame, line in places(error):
        file = frame.f_code.co_filename
        if not (file.startswith(("<", LIBRARY, standard)) or any(p in file for p in _INSTALLED)):
            own = frame, line
    return own


def related(error: BaseException) -> "Iterator[tuple[str, BaseException]]":
    """Yield the errors that an error came from, or that are in its group, each with words that
    introduce it: the nearest first, `_MAX_RELATED` at most.
    """
    seen = {id(error)}
    waiting = [error]
    while waiting and len(seen) <= _MAX_RELATED:
        one = waiting.pop(0)
        found: list[tuple[str, BaseException | None]] = [("It was caused by", one.__cause__)]
        if not one.__suppress_context__:
            found.append(("It was raised while this was handled:", one.__context__))
        if isinstance(one, BaseExceptionGroup):
            found += [("In the group:", member) for member in one.exceptions]
        for words, other in found:
            if other is not None and id(other) not in seen and len(seen) <= _MAX_RELATED:
                seen.add(id(other))
                waiting.append(other)
                yield words, other


class Frames:
    """Makes the markup of frames. `hide` removes the known secrets from a text."""

    def __init__(self, hide: "Hide") -> None:
        self._hide = hide
        self._spent = 0.0

    def of(self, error: BaseException, opened: "Place | None" = None) -> str:
        """Return the frames of an error, the innermost first; `opened` is the one to show unfolded.

        cgikit's own frames are left out if there are others.
        """
        found = list(places(error))[::-1]
        others = [one for one in found if not one[0].f_code.co_filename.startswith(LIBRARY)]
        found = others or found
        kept = found[:_MAX_FRAMES]
        if opened is not None and opened not in kept:
            kept.append(opened)
        pieces = [self.frame(*one, is_open=one == opened) for one in kept]
        if len(found) > len(kept):
            pieces.append(f"<p>{len(found) - len(kept)} more are in the traceback.</p>\n")
        return "".join(pieces)

    def frame(self, frame: "FrameType", line: int, *, is_open: bool) -> str:
        """Return one frame."""
        return self.source(
            frame.f_code, line, frame.f_globals, self._variables(frame), is_open=is_open
        )

    def source(
        self,
        code: "CodeType",
        line: int,
        names: "dict[str, Any]",
        variables: str = "",
        *,
        is_open: bool = True,
    ) -> str:
        """Return the lines around one, folded or not. `names` are those of the module."""
        import linecache

        lines = linecache.getlines(code.co_filename, names)
        first, last = max(1, line - _CONTEXT), min(len(lines), line + _CONTEXT)
        rows = []
        for number in range(first, last + 1):
            text = self._hide(masked_source(lines[number - 1].rstrip()[:_MAX_LINE]))
            row = f"{number:5}  {escape(text)}"
            rows.append(f"<mark>{row}</mark>" if number == line else row)
        return (
            f"<details{' open' * is_open}><summary>{escape(os.path.basename(code.co_filename))}, line "
            f"{line}, in {escape(code.co_qualname)}</summary>\n<pre>"
            + "\n".join(rows)
            + f"</pre>{variables}</details>\n"
        )

    def _variables(self, frame: "FrameType") -> str:
        at_top = frame.f_locals is frame.f_globals or frame.f_code.co_name == "<module>"
        rows: list[str] = []
        for name, value in [*frame.f_locals.items()]:
            if name.startswith("__") or (at_top and isinstance(value, _NOT_SHOWN)):
                continue
            if len(rows) == _MAX_VARIABLES:
                rows.append("<tr><td>…</td><td></td></tr>\n")
                break
            rows.append(
                f"<tr><td>{escape(name)}</td><td>{escape(self._value(name, value))}</td></tr>\n"
            )
        return f"\n<table>{''.join(rows)}</table>" if rows else ""

    def _value(self, name: str, value: object) -> str:
        if self._spent > _MAX_SECONDS:
            return "(not shown: the values before took too long)"
        began = monotonic()
        try:
            return self._hide(shown(name, value, self._hide))
        # The repr of a script's own class may raise anything, even SystemExit.
        except BaseException as error:
            return f"(not shown: its repr raised {type(error).__name__})"
        finally:
            self._spent += monotonic() - began
