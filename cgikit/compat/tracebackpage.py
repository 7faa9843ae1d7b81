"""Internal. An error as a page or as text, frame by frame: the place, the lines around it, and the
variables that stand in the line that failed. For `cgikit.compat.cgitb`.

`cgikit.masking` decides what may be shown of a value. Everything is escaped here.
"""

import inspect
import keyword
import linecache
import os
import sys
import time
import tokenize
import traceback

from cgikit.html import escape
from cgikit.knownsecrets import Known, of_error
from cgikit.masking import masked_source, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType
    from typing import Any

    Variable = tuple[str, str | None, object]

UNDEFINED: "Any" = object()
_STYLE = (
    'style="all: initial; display: block; position: relative; z-index: 9999; overflow-wrap: anywhere; '
    'padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; background: #fff; color: #222"'
)
_INTRODUCTION = (
    "A problem occurred in a Python script. Here is the sequence of function calls leading up to the "
    "error, in the order they occurred."
)
_MAX_FRAMES = 100  # a recursion has a thousand, all alike
_MAX_TOKENS = 1_000  # of one logical line


def small(text: str) -> str:
    """Return markup in small type, or "" for no text."""
    return f"<small>{text}</small>" if text else ""


def strong(text: str) -> str:
    """Return markup in bold type, or "" for no text."""
    return f"<strong>{text}</strong>" if text else ""


def grey(text: str) -> str:
    """Return markup in grey, or "" for no text."""
    return f'<font color="#909090">{text}</font>' if text else ""


def lookup(name: str, frame: "FrameType", locals: "Any") -> "tuple[str | None, object]":
    """Return where a name is found from a frame ("local", "global", "builtin" or None), and its
    value.
    """
    if name in locals:
        return "local", locals[name]
    if name in frame.f_globals:
        return "global", frame.f_globals[name]
    builtins = frame.f_globals.get("__builtins__", {})
    names = builtins if isinstance(builtins, dict) else vars(builtins)
    if name in names:
        return "builtin", names[name]
    return None, UNDEFINED


def scanvars(reader: "Callable[[], str]", frame: "FrameType", locals: "Any") -> "list[Variable]":
    """Return the variables that stand in one logical line, which `reader` gives: (name, where,
    value) of each, and of `a.b` ("a.b", "a.", value).
    """
    found: list[Variable] = []
    path, value, dotted = "", UNDEFINED, False
    try:
        for number, token in enumerate(tokenize.generate_tokens(reader)):
            if token.type == tokenize.NEWLINE or number > _MAX_TOKENS:
                break
            if token.string == ".":
                dotted = True
            elif token.type != tokenize.NAME or token.string in keyword.kwlist:
                path, dotted = "", False
            elif dotted:
                dotted = False
                if path and value is not UNDEFINED:
                    prefix, path = path + ".", f"{path}.{token.string}"
                    value = _attribute(value, token.string)
                    found.append((path, prefix, value))
            else:
                where, value = lookup(token.string, frame, locals)
                found.append((token.string, where, value))
                path = token.string
    except (tokenize.TokenError, SyntaxError):
        pass  # a line from the middle of a statement
    return found


def _attribute(value: object, name: str) -> object:
    try:
        return UNDEFINED if value is UNDEFINED else getattr(value, name, UNDEFINED)
    except Exception:  # a property can raise anything
        return UNDEFINED


def html(einfo: "Any", context: int) -> str:
    """Return an error as a piece of a page, without its `reset`."""
    kind, error, trace = einfo
    known = of_error(error, trace)
    frames = "".join(
        f"<p>{escape(frame.place)} {frame.call(_bold)}</p>\n<pre>{_lines(frame)}</pre>\n"
        f"<p>{small(grey(', '.join(frame.variables(_bold))))}</p>\n"
        for frame in _frames(einfo, context, known)
    )
    title = escape(getattr(kind, "__name__", str(kind)))
    attributes = "".join(
        f"<br>&nbsp; {escape(name)} = {escape(value)}\n"
        for name, value in _attributes(error, known)
    )
    return (
        f"<div {_STYLE}>\n<h1>{title}</h1>\n<p>{_of_python(escape)}</p>\n"
        f"<p>{_INTRODUCTION}</p>\n{frames}"
        f"<p>{strong(title)}: {escape(known.hide(masked_source(_message(error))))}\n{attributes}</p>\n"
        f"<details><summary>Traceback</summary>\n<pre>{escape(known.hide(_traceback(einfo)))}</pre></details>\n</div>"
    )


def text(einfo: "Any", context: int) -> str:
    """Return an error as text."""
    kind, error, trace = einfo
    known = of_error(error, trace)
    title = getattr(kind, "__name__", str(kind))
    pieces = [f"{title}\n{_of_python(str)}\n\n{_INTRODUCTION}\n"]
    for frame in _frames(einfo, context, known):
        lines = "\n".join(f"{number:5} {line}" for number, line in frame.lines())
        variables = "\n".join(frame.variables(str))
        pieces.append(f" {frame.place} {frame.call(str)}\n{lines}\n{variables}\n")
    attributes = "".join(f"\n    {name} = {value}" for name, value in _attributes(error, known))
    pieces.append(f"{title}: {known.hide(masked_source(_message(error)))}{attributes}\n")
    pieces.append(f"The original traceback:\n\n{known.hide(_traceback(einfo))}")
    return "\n".join(pieces)


class _Frame:
    """One frame of a traceback."""

    def __init__(self, record: "Any", known: Known) -> None:
        self._hide = known.hide
        self._frame, self._file, self._line, self._function, self._around, self._index = record
        self._highlighted: set[int] = set()
        self.place = os.path.abspath(self._file) if self._file else "?"
        self._variables = self._scan()

    def call(self, bold: "Callable[[str], str]") -> str:
        """Return "in f(a=1)"; `bold` makes markup of the name, and escapes."""
        if self._function == "<module>":
            return f"in {bold(self._function)}"
        arguments = inspect.getargvalues(self._frame)
        names = [(name, name) for name in arguments.args]
        names += [(f"*{arguments.varargs}", arguments.varargs)] if arguments.varargs else []
        names += [(f"**{arguments.keywords}", arguments.keywords)] if arguments.keywords else []
        values = arguments.locals
        given = ", ".join(
            f"{written}={shown(name, values[name], self._hide) if name in values else '?'}"
            for written, name in names
        )
        return f"in {bold(self._function)}({escape(given) if bold is _bold else given})"

    def lines(self) -> "Iterator[tuple[int, str]]":
        """Yield the lines around, with their numbers."""
        if self._index is None:
            return
        first = self._line - self._index
        lines = masked_source("".join(self._around)).splitlines()
        yield from enumerate([self._hide(line) for line in lines], first)

    def is_highlighted(self, number: int) -> bool:
        """Whether a line belongs to the statement that failed."""
        return number in self._highlighted

    def variables(self, bold: "Callable[[str], str]") -> list[str]:
        """Return a text for each variable of the statement that failed."""
        found = {}
        for name, where, value in self._variables:
            if value is UNDEFINED:
                found[name] = f"{bold(name)} undefined"
                continue
            kind = f"{where} " if where in ("global", "builtin") else ""
            text = shown(name, value, self._hide)
            found[name] = f"{kind}{bold(name)} = {escape(text) if bold is _bold else text}"
        return list(found.values())

    def _scan(self) -> "list[Variable]":
        following = self._line

        def reader() -> str:
            nonlocal following
            self._highlighted.add(following)
            following += 1
            return linecache.getline(self._file, following - 1, self._frame.f_globals)

        return scanvars(reader, self._frame, self._frame.f_locals)


def _frames(einfo: "Any", context: int, known: Known) -> "list[_Frame]":
    records = inspect.getinnerframes(einfo[2], context) if einfo[2] is not None else []
    return [_Frame(record, known) for record in records[-_MAX_FRAMES:]]


def _lines(frame: _Frame) -> str:
    return "\n".join(
        f"<mark>{number:5} {escape(line)}</mark>"
        if frame.is_highlighted(number)
        else f"{number:5} {escape(line)}"
        for number, line in frame.lines()
    )


def _bold(text: str) -> str:
    return strong(escape(text))


def _of_python(written: "Callable[[str], str]") -> str:
    version = sys.version.split()[0]
    return written(f"Python {version}: {sys.executable}, {time.ctime()}")


def _message(error: object) -> str:
    try:
        return str(error)
    except Exception as failed:
        return f"<its message cannot be shown: {type(failed).__name__}>"


def _attributes(error: object, known: Known) -> "Iterator[tuple[str, str]]":
    """Yield the public attributes of an error that are not methods, and their values."""
    for name in dir(error):
        value = None if name.startswith("_") else _attribute(error, name)
        if value is not None and value is not UNDEFINED and not callable(value):
            yield name, known.hide(masked_source(shown(name, value, known.hide)))


def _traceback(einfo: "Any") -> str:
    return masked_source("".join(traceback.format_exception(*einfo)))
