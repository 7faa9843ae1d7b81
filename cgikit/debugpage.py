"""Internal. The debug page of a failure for the site's owner: the exception, and where it was raised.

`debug.py` uses it in debug mode, and decides what may be shown of the environment. This module makes
the markup and escapes everything in it.
"""

import os

from .html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import CodeType, FrameType
    from typing import Any

    from .environ import MetaVariables

_LIBRARY = os.path.dirname(__file__) + os.sep
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")
_CONTEXT = 3  # lines of the source before and after the one that failed
_MAX_DECORATORS = 20
_MAX_LINE = 300  # characters of a line of the source, and of the title


def title_of(error: BaseException) -> str:
    """Return the line that names the error, such as `KeyError: 'a'` (str): the last of a traceback."""
    import traceback

    lines = "".join(traceback.format_exception_only(error)).splitlines()
    # A syntax error begins with the place, indented.
    title = next((line for line in lines if not line.startswith(" ")), type(error).__name__)
    return title if len(title) <= _MAX_LINE else f"{title[:_MAX_LINE]}…"


def origin(error: BaseException, request: "MetaVariables") -> list[str]:
    """Return lines for the log that name the request and its handler: none if the traceback already
    shows the script, none if no handler was called. The query is left out: it may contain secrets.
    """
    code = None if _own_frame(error) else _handler(request)[0]
    if code is None:
        return []
    path = request.environ.get("SCRIPT_NAME", "") + request.environ.get("PATH_INFO", "")
    return [
        f"The answer to {request.method[:_MAX_LINE]} {path[:_MAX_LINE]} failed. It came from",
        f'  File "{code.co_filename}", line {code.co_firstlineno}, in {code.co_qualname}',
    ]


def details(
    error: BaseException,
    traceback: str,
    environ: "Mapping[str, str]",
    request: "MetaVariables | None" = None,
) -> str:
    """Return the markup after the title: source of the script, traceback, environment.

    `traceback` is the whole traceback as text, `environ` is what may be shown (`debug.masked`). If no
    frame of the script is in the traceback, the handler of `request` is shown.
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>\n"
        for name, value in environ.items()
    )
    own = _own_frame(error)
    place = ""
    if own:
        place = _source(own[0].f_code, own[1], own[0].f_globals)
    elif request is not None:
        code, names = _handler(request)
        place = _source(code, code.co_firstlineno, names) if code else ""
    return (
        f"{place}"
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
    """Return the innermost frame that is not of Python or of an installed package, with its line."""
    import linecache

    standard = os.path.dirname(linecache.__file__) + os.sep
    own = None
    for frame, line in _frames(error):
        file = frame.f_code.co_filename
        if not (file.startswith(("<", _LIBRARY, standard)) or any(p in file for p in _INSTALLED)):
            own = frame, line
    return own


def _handler(request: "MetaVariables") -> "tuple[CodeType | None, dict[str, Any]]":
    """Return the code of the handler of `request`, without its decorators, and the names of its module;
    None and an empty dict if there is none that is written in Python.
    """
    handler = getattr(request, "handler", None)
    for _ in range(_MAX_DECORATORS):
        inner = getattr(handler, "__wrapped__", None) or getattr(handler, "func", None)
        if inner is None:
            break
        handler = inner
    if not hasattr(handler, "__code__"):
        handler = getattr(type(handler), "__call__", None)  # noqa: B004
    return getattr(handler, "__code__", None), getattr(handler, "__globals__", {})


def _source(code: "CodeType", line: int, names: "dict[str, Any]") -> str:
    import linecache

    lines = linecache.getlines(code.co_filename, names)
    shown = [
        ("<mark>{}</mark>" if number == line else "{}").format(
            f"{number:5}  {escape(lines[number - 1].rstrip()[:_MAX_LINE])}"
        )
        for number in range(max(1, line - _CONTEXT), min(len(lines), line + _CONTEXT) + 1)
    ]
    return (
        f"<details open><summary>{escape(os.path.basename(code.co_filename))}, line {line}, in "
        f"{escape(code.co_qualname)}</summary>\n<pre>" + "\n".join(shown) + "</pre></details>\n"
    )
