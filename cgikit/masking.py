"""Internal. What an error page may show: no value whose name suggests a secret.

For the environment `maskedenviron` uses an allowlist. A script's variables can have any name, so
this module uses a denylist: whatever looks like a secret is hidden. Even so, show the page only to the
script's author.
"""

import os
import reprlib
import sys
from collections import deque
from collections.abc import ItemsView, KeysView, Mapping, ValuesView
from types import MethodType, SimpleNamespace

from .maskedenviron import HIDDEN, masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_ENVIRON: "Any" = os.environ.__class__
_WORDS = (
    "passw pwd passphrase secret token credential cookie session authorization apikey privatekey"
    " accesskey signing signedwith dsn csrf sessid"
).split()
_MAX_USERINFO = 200  # characters of a user and a password in a URL
_NAME_WINDOW = 200  # characters before a string literal, searched for the name it is assigned to
_MAX_TEXT = 100_000  # characters of a value that are looked at


def is_secret(name: str) -> bool:
    """Whether a name suggests that its value is a secret."""
    plain = name.lower().replace("_", "").replace("-", "")
    return plain == "sid" or any(word in plain for word in _WORDS)


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


def shown(name: str, value: object, hide: "Callable[[str], str]" = str) -> str:
    """Return the repr of a variable's value, cut where it is long; `HIDDEN` for a secret. `hide` takes
    the secrets that are known out of a text (`Known.hide`).
    """
    return HIDDEN if is_secret(name) else _masked_urls(_Repr(hide).repr(value))


def is_cookies(value: object) -> bool:
    """Whether a value is one of `http.cookies` or `http.cookiejar`."""
    kinds: list[Any] = []
    for module, names in (
        ("http.cookies", "BaseCookie Morsel"),
        ("http.cookiejar", "CookieJar Cookie"),
    ):
        loaded = sys.modules.get(module)
        kinds += [getattr(loaded, name) for name in names.split()] if loaded else []
    return isinstance(value, tuple(kinds))


def is_form(value: object) -> bool:
    """Whether a value is a `FieldStorage` or like one."""
    return hasattr(type(value), "getfirst") and hasattr(type(value), "keys")


def is_mapping(value: object) -> bool:
    """Whether a value is a mapping that shows its items."""
    return isinstance(value, Mapping) and type(value).__repr__ is not object.__repr__


def is_pair(value: object) -> bool:
    """Whether a value is a name and a secret."""
    return (
        isinstance(value, tuple | list)
        and len(value) == 2
        and isinstance(value[0], str | bytes)
        and is_secret(str(value[0]))
    )


def fields_of(value: object) -> "dict[str, Any]":
    """Return what the repr of a dataclass, a named tuple or a namespace shows."""
    kind: Any = type(value)
    if hasattr(kind, "__dataclass_fields__"):
        fields = kind.__dataclass_fields__.values()
        return {f.name: getattr(value, f.name, None) for f in fields if f.repr}
    if isinstance(value, tuple) and (names := getattr(kind, "_fields", None)):
        return dict(zip(names, value, strict=False))
    if isinstance(value, SimpleNamespace) or kind.__module__ == "argparse":
        return dict(vars(value))
    return {}


def _masked_text(text: str) -> str:
    """Return a text without the values of a query, of cookies or of an object in it whose names say
    that they are secrets.
    """
    pieces = text.replace(";", "&").split("&")
    position = 0
    out: list[str] = []
    for piece in pieces:
        name, equals, _ = piece.partition("=")
        plain = equals and is_secret(name[-_NAME_WINDOW:]) and "(" not in name
        out.append(f"{name}={HIDDEN}" if plain else piece)
        position += len(piece) + 1
        out.append(text[position - 1 : position])
    return masked_source("".join(out))


class _Repr(reprlib.Repr):
    """Values as on the page: short, never an error, and no secret inside of them. What has an owner
    or a content is taken to pieces here; its own repr would show all of it.
    """

    def __init__(self, hide: "Callable[[str], str]") -> None:
        super().__init__()
        self._hide = hide
        self.maxlist = self.maxtuple = self.maxset = self.maxfrozenset = self.maxdeque = 10
        self.maxdict = 20
        self.maxstring = self.maxother = 200

    def repr1(self, x: "Any", level: int) -> str:
        try:
            return self._known(x, level) or self._plain(x, level)
        except Exception as error:
            return f"<{type(x).__name__}, whose repr failed: {type(error).__name__}>"

    def _known(self, x: "Any", level: int) -> str:
        """Return the repr of what is known to carry secrets, "" for all else."""
        kind = type(x).__name__
        if isinstance(x, MethodType):
            owner = x.__self__ if isinstance(x.__self__, type) else type(x.__self__)
            return f"<bound method {owner.__qualname__}.{getattr(x, '__name__', '?')}>"
        if is_cookies(x):
            names = [x.key] if hasattr(x, "key") else [getattr(c, "name", c) for c in x]
            names = [x.name] if kind == "Cookie" else names
            return f"<{kind} with the names {self.repr1(names, level)}>"
        if is_form(x):
            names = list(x.keys()) if getattr(x, "list", ()) is not None else [x.name]
            return f"<{kind} with the fields {self.repr1(names, level)}>"
        if kind == "MiniFieldStorage":
            return f"MiniFieldStorage({self.repr1(x.name, level)}, {HIDDEN})"
        if isinstance(x, _ENVIRON) or (isinstance(x, dict) and "REQUEST_METHOD" in x):
            return self.repr_dict(_masked(x), level)
        return ""

    def _plain(self, x: "Any", level: int) -> str:
        kind = type(x).__name__
        if isinstance(x, ValuesView):
            return f"<{kind} of {len(x)} values>"
        if isinstance(x, KeysView | ItemsView):
            return f"{kind}({self.repr1(list(x), level)})"
        if kind == "partial" and hasattr(x, "func"):
            named = self.repr1(x.keywords, level - 1)
            return (
                f"partial({self.repr1(x.func, level)}, *{self.repr1(x.args, level - 1)}, **{named})"
            )
        return self._content(x, level) or self._leaf(x, level)

    def _content(self, x: "Any", level: int) -> str:
        """Return the repr of what has a content that can be looked at, "" for all else."""
        kind = type(x).__name__
        if fields := fields_of(x):
            if level <= 0:
                return f"{kind}(...)"
            pieces = [
                f"{n}={HIDDEN if is_secret(n) else self.repr1(v, level - 1)}"
                for n, v in list(fields.items())[: self.maxdict]
            ]
            return f"{kind}({', '.join(pieces)})"
        if is_mapping(x):
            text = self.repr_dict(x, level)
            return text if type(x) is dict else f"{kind}({text})"
        if is_pair(x):
            left, right = "()" if isinstance(x, tuple) else "[]"
            return f"{left}{self.repr1(x[0], level - 1)}, {HIDDEN}{right}"
        for base in (list, tuple, set, frozenset, deque):
            if isinstance(x, base):
                return str(getattr(self, f"repr_{base.__name__}")(x, level))
        return ""

    def _leaf(self, x: "Any", level: int) -> str:
        if isinstance(x, str):
            return self.repr_str(self._without(x), level)
        if isinstance(x, bytes | bytearray):
            return self._cut(repr(self._without(x.decode("latin-1")).encode("latin-1", "replace")))
        if isinstance(x, int):
            return super().repr1(x, level)
        return self._cut(_masked_text(self._hide(_paired(repr(x)[:_MAX_TEXT]))))

    def _without(self, text: str) -> str:
        if len(text) > 2 * _MAX_TEXT:
            text = text[:_MAX_TEXT] + text[-_MAX_TEXT:]
        return _masked_text(self._hide(text))

    def _cut(self, text: str) -> str:
        if len(text) <= self.maxother:
            return text
        half = (self.maxother - 3) // 2
        return f"{text[:half]}...{text[-half:]}"

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
            plain = isinstance(value, str) and value == HIDDEN
            text = HIDDEN if hidden or plain else self.repr1(value, level - 1)
            pieces.append(f"{self.repr1(key, level - 1)}: {text}")
        return "{" + ", ".join(pieces) + "}"


def _paired(text: str) -> str:
    """Return the repr of an object without what follows the name of a secret in quotes, as in
    ('password', 'x').
    """
    out: list[str] = []
    position, literal, end = 0, "", 0
    while (start := _next_quote(text, position)) >= 0:
        between = text[position:start]
        end = _end(text, start)
        follows = between.strip(" b") == "," and is_secret(literal)
        literal = text[start:end]
        out += [between, f"'{HIDDEN}'" if follows else literal]
        position = end
    return "".join([*out, text[position:]])


def _masked(environ: "Mapping[Any, Any]") -> "dict[Any, Any]":
    plain = {os.fsdecode(n): v for n, v in environ.items() if isinstance(n, str | bytes)}
    return masked({n: os.fsdecode(v) for n, v in plain.items() if isinstance(v, str | bytes)})
