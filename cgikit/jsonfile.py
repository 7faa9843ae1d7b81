"""Files that hold JSON (RFC 8259): read, changed and replaced under one lock.

This module decides what such a file may hold: UTF-8, an object or an array, names that are text. How a
file is replaced belongs to `files`.
"""

import os

from .files import read, replace
from .locks import UnderLock
from .process import absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def update_json(
    path: "str | os.PathLike[str]",
    *,
    default: "dict[str, Any] | list[Any] | None" = None,
    indent: int | None = None,
    durable: bool = False,
    timeout: float = 10.0,
) -> "JSONUpdate":
    """Read a JSON file, let the `with` block change the value, and write it back, all under one lock.

        with update_json("poll.json") as votes:
            votes["yes"] = votes.get("yes", 0) + 1

    The block gets a dict or list to change in place. If there is no file, it gets a copy of `default`,
    by default an empty dict. Nothing is written if the block raises, or changes nothing. A file that
    does not hold a JSON object or array raises a `StorageError` that says where it is wrong, and is
    never overwritten. A value that JSON cannot hold, or that is nested more than 500 levels deep,
    raises `TypeError` or `ValueError` at the end of the block. With `indent` the file is written for
    people to read: one value per line, indented by that many spaces for each level.
    `durable`, `timeout` and the other errors are those of `atomic_write`.
    """
    start = {} if default is None else default
    if not isinstance(start, dict | list):
        raise TypeError(f"default must be a dict or a list, not {type(start).__name__}")
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise ValueError(
            f"indent={indent} is not a valid number of spaces; give 0 to {_MAX_INDENT}, or None"
        )
    return JSONUpdate(absolute(path), start, durable, timeout, indent)


class JSONUpdate(UnderLock):
    """The context manager that `update_json` returns."""

    def __init__(
        self,
        path: str,
        default: "dict[str, Any] | list[Any]",
        durable: bool,
        timeout: float,
        indent: int | None = None,
    ) -> None:
        super().__init__(path, timeout)
        self._default = default
        self._durable = durable
        self._indent = indent

    def _begin(self) -> object:
        raw = read(self.path)
        # Copied by way of text: the block must not change the caller's default.
        value = parse_json(self.path, build_json(self._default) if raw is None else raw)
        self._before = build_json(value)
        self._value = value
        return value

    def _finish(self) -> None:
        after = build_json(self._value)
        if after == self._before:
            return
        if self._indent is not None:
            after = build_json(self._value, self._indent)
        replace(self.path, after, durable=self._durable, timeout=self._timeout)


def parse_json(path: str, raw: bytes) -> "Any":
    """Parse the content of the JSON file `path` into a dict or a list; the inverse is `build_json`.

    Anything else raises a `StorageError` with line and column (both from 1, in characters).
    """
    import json

    def refuse(constant: str) -> None:
        raise ValueError(f"{constant[:20]} is not a number in JSON")

    def number(text: str) -> float:
        found = float(text)
        if found - found != 0:  # 1e999 is infinite, and could not be written again
            raise ValueError(f"{text[:20]} is too large a number")
        return found

    try:
        value = json.loads(raw.decode(), parse_constant=refuse, parse_float=number)
        if isinstance(value, dict | list):
            _check(value)
            return value
        problem = "line 1, column 1: neither an object nor an array"
    except json.JSONDecodeError as error:
        problem = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError as error:
        before = raw[: error.start]
        column = len(before[before.rfind(b"\n") + 1 :].decode()) + 1
        problem = f"line {before.count(10) + 1}, column {column}: not UTF-8"
    except RecursionError:
        problem = f"somewhere: {_TOO_DEEP}"
    except ValueError as error:
        problem = f"somewhere: {error}"
    from .errors import StorageError

    raise StorageError(
        path, f"does not hold a JSON object or array; {problem}; correct it, or move it away"
    )


def build_json(value: object, indent: int | None = None) -> bytes:
    """Return a value as the content of a JSON file (bytes), with a line end; the inverse is
    `parse_json`.
    """
    import json

    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    _check(value)
    try:
        return text.encode() + b"\n"
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can hold only as an escape
        return json.dumps(value, allow_nan=False, indent=indent).encode() + b"\n"


_MAX_INDENT = 16
_MAX_DEPTH = 500  # Python itself ends near 1,000; PHP has 512
_TOO_DEEP = f"nested more than {_MAX_DEPTH} levels deep"


def _check(value: object) -> None:
    """Refuse values that are nested too deeply for Python to write, and names that are not str. The
    json module would write the name 1 as "1": after the next load, `votes[1]` would be missing, and
    its count would start again.
    """
    level = [value]  # without recursion, which the value may be too deep for
    for _ in range(_MAX_DEPTH):
        below: list[object] = []
        for each in level:
            if isinstance(each, dict):
                for name in each:
                    if not isinstance(name, str):
                        raise TypeError(
                            f"names in JSON must be str; {name!r} is {type(name).__name__}"
                        )
                below += each.values()
            elif isinstance(each, list | tuple):
                below += each
        level = [each for each in below if isinstance(each, dict | list | tuple)]
        if not level:
            return
    raise ValueError(_TOO_DEEP)
