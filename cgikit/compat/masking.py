"""Internal. What an error page may show: no value whose name suggests a secret.

For the environment `cgikit.debug.masked` uses an allowlist. A script's variables can have any name, so
this module uses a denylist: whatever looks like a secret is hidden. Even so, show the page only to the
script's author.
"""

import os
import reprlib

from cgikit.debug import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

HIDDEN = "(hidden)"
_WORDS = (
    "passw pwd passphrase secret token credential cookie session authorization apikey privatekey"
    " accesskey signing dsn csrf"
).split()
_MAX_USERINFO = 200  # characters of a user and a password in a URL
_NAME_WINDOW = 200  # characters before a string literal, searched for the name it is assigned to


def is_secret(name: str) -> bool:
    """Whether a name suggests that its value is a secret."""
    plain = name.lower().replace("_", "").replace("-", "")
    return any(word in plain for word in _WORDS)


def masked_source(source: str) -> str:
    """Return lines of Python, or a traceback, with string literals masked if they are assigned to a
    name that looks secret (`name = '…'` or `'name': '…'`).
    """
    return _masked_urls("".join([_masked_line(line) for line in source.splitlines(True)]))


def _masked_line(line: str) -> str:
    out: list[str] = []
    position, literal = 0, ""
    while True:
        start = _next_quote(line, position)
        if start < 0:
            return "".join([*out, line[position:]])
        end = _end(line, start)
        before = line[position:start]
        name = _name(before[-_NAME_WINDOW:], literal)
        literal = line[start:end]
        out += [before, f"'{HIDDEN}'" if is_secret(name) else literal]
        position = end


def _next_quote(line: str, position: int) -> int:
    """Return the position of the next quote, or -1 if there is none."""
    single, double = line.find("'", position), line.find('"', position)
    return max(single, double) if min(single, double) < 0 else min(single, double)


def _end(line: str, start: int) -> int:
    """Return the end of the literal that begins with the quote at `start`."""
    position = start + 1
    while position < len(line) and line[position] != line[start]:
        position += 2 if line[position] == "\\" else 1
    return min(position + 1, len(line))


def _name(before: str, literal: str) -> str:
    """Return the name to which a literal is assigned, or "" if there is none; `literal` is the one
    before, which is the name in a dict.
    """
    code = before.rstrip().rstrip("rbufRBUF").rstrip()
    if not code.endswith(("=", ":")):
        return ""
    for separator in ",({;":
        code = code.rpartition(separator)[2]
    return code if code.strip(" ]:=") else literal


def _masked_urls(text: str) -> str:
    """Return a text without the users and passwords of the URLs in it."""
    out: list[str] = []
    position = 0
    while True:
        start = text.find("://", position) + 3
        if start < 3:
            return "".join([*out, text[position:]])
        user = text[start : start + _MAX_USERINFO]
        for stop in " \t\n/'\"":
            user = user.partition(stop)[0]
        length = user.rfind("@")
        out += [text[position:start], HIDDEN if length > 0 else ""]
        position = start + max(0, length)


def shown(name: str, value: object) -> str:
    """Return the repr of a variable's value, shortened if it is long; `HIDDEN` for a secret."""
    return HIDDEN if is_secret(name) else _masked_urls(_Repr().repr(value))


class _Repr(reprlib.Repr):
    """Values as the page shows them: short, never an error, and no secret inside a dict or a form."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 10
        self.maxdict = 20
        self.maxstring = self.maxother = 200

    def repr1(self, x: "Any", level: int) -> str:
        try:
            if x is os.environ or (isinstance(x, dict) and "REQUEST_METHOD" in x):
                return self.repr_dict(_masked(x), level)
            if hasattr(type(x), "getfirst") and hasattr(type(x), "keys"):
                return f"<{type(x).__name__} with the fields {self.repr1(list(x.keys()), level)}>"
            name = getattr(x, "name", None)
            if type(x).__name__ == "MiniFieldStorage" and is_secret(str(name)):
                return f"MiniFieldStorage({name!r}, {HIDDEN})"
            return super().repr1(x, level)
        except Exception as error:
            return f"<{type(x).__name__}, whose repr failed: {type(error).__name__}>"

    def repr_dict(self, x: "Mapping[Any, Any]", level: int) -> str:
        """Return the repr of a dict, without the values whose keys suggest secrets."""
        if level <= 0 and x:
            return "{...}"
        pieces = []
        for number, (key, value) in enumerate(x.items()):
            if number == self.maxdict:
                pieces.append("...")
                break
            hidden = isinstance(key, str | bytes) and is_secret(str(key))
            text = HIDDEN if hidden or value == HIDDEN else self.repr1(value, level - 1)
            pieces.append(f"{self.repr1(key, level - 1)}: {text}")
        return "{" + ", ".join(pieces) + "}"


def _masked(environ: "Mapping[Any, Any]") -> "dict[Any, Any]":
    plain = {n: v for n, v in environ.items() if isinstance(n, str) and isinstance(v, str)}
    return masked(plain)
