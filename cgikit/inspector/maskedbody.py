"""The secrets in the body of a request or an answer, whole or cut: forms (WHATWG URL, RFC 7578) and
JSON (RFC 8259). Pure.

A body is searched, not parsed, so that a part of one, or a malformed one, hides as much as a whole one.
What follows a secret name up to the next separator or boundary, or is its value in JSON, is hidden. In
JSON that was cut, a value that is an object or a list hides all that follows.
"""

import json
import re
from collections.abc import Callable

from cgikit.maskedenviron import HIDDEN
from cgikit.masking import is_secret
from cgikit.querystring import unquote

URLENCODED = "application/x-www-form-urlencoded"
_BOUNDARY = re.compile(r';[ \t]*boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_NAME = re.compile(r';[ \t]*name\*?="?([^";\r\n]{0,1000})', re.IGNORECASE)
_HEAD = re.compile(r"\r?\n\r?\n")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.){0,1000})"[ \t\r\n]*:[ \t\r\n]*')
_LINE = re.compile(r"(?m)^([^=\r\n]{1,200})=([^\r\n]+)")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+')
_DECODER = json.JSONDecoder()
Take = Callable[[str], object]


def masked_body(text: str, kind: str, take: Take = len) -> str:
    """Return a body without the values whose names suggest secrets; `kind` is its Content-Type. `take`
    is called with each value that was hidden.
    """
    media_type = kind.partition(";")[0].strip().lower()
    if media_type == URLENCODED:
        return masked_form(text, take)
    if media_type.startswith("multipart/"):
        found = _BOUNDARY.search(kind)
        return _multipart(text, found[1], take) if found else text
    if "json" in media_type:
        return _json(text, take)
    if media_type in ("", "text/plain"):  # of a form, or of a program that names no type
        return _json(_lines(text, take), take)
    return text


def masked_form(text: str, take: Take = len) -> str:
    """Return an urlencoded text without the values of the fields whose names suggest secrets. `take` is
    called with each of them as it is, and decoded.
    """
    # Old programs separate the fields by semicolons; which of the two it is, cannot be told
    return "".join(_masked_field(field, take) for field in re.split("([&;])", text))


def _masked_field(field: str, take: Take) -> str:
    name, _, value = field.partition("=")
    if not value or not is_secret(_decoded(name)):
        return field
    take(value)
    take(_decoded(value))
    return f"{name}={HIDDEN}"


def _decoded(name: str) -> str:
    plain = name.encode("utf-8", "surrogateescape").replace(b"+", b" ")
    return unquote(plain).decode("utf-8", "replace")


def _multipart(text: str, boundary: str, take: Take) -> str:
    shown, delimiter = [], f"\n--{boundary}"
    for part in text.split(delimiter):
        head = _HEAD.search(part)
        name = _NAME.search(part, 0, head.start()) if head else None
        value = part[head.end() :].rstrip("\r\n") if head else ""
        if head and name and value and is_secret(name[1]):
            take(value)
            part = part[: head.end()] + HIDDEN + part[head.end() + len(value) :]
        shown.append(part)
    return delimiter.join(shown)


def _lines(text: str, take: Take) -> str:
    """Return a form as `text/plain` (HTML section 4.10.21.8) without its secrets."""

    def shown(line: re.Match[str]) -> str:
        if not is_secret(line[1]):
            return line[0]
        take(line[2])
        return f"{line[1]}={HIDDEN}"

    return _LINE.sub(shown, text)


def _json(text: str, take: Take) -> str:
    shown, position, is_whole = [], 0, _is_whole(text)
    for member in _MEMBER.finditer(text):
        if member.start() < position or not is_secret(_string(f'"{member[1]}"')):
            continue
        shown.append(text[position : member.end()])
        scalar = _SCALAR.match(text, member.end())
        if scalar is not None:
            take(_string(scalar[0]))
            position = scalar.end()
        elif is_whole:
            value, position = _DECODER.raw_decode(text, member.end())
            _take_all(value, take)
        else:  # an object, a list, or a string that was cut
            rest = text[member.end() :]
            take(_string(rest + '"'))
            return "".join([*shown, HIDDEN if rest else ""])
        shown.append(f'"{HIDDEN}"')
    return "".join([*shown, text[position:]])


def _take_all(value: object, take: Take) -> None:
    """Take everything that is in an object or a list of JSON."""
    inner = [value]
    while inner:
        one = inner.pop()
        if isinstance(one, dict):
            inner += one.values()
        elif isinstance(one, list):
            inner += one
        elif isinstance(one, str | int | float):
            take(str(one))


def _is_whole(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _string(literal: str) -> str:
    """Return the text of a literal of JSON; that of a malformed one as it is."""
    try:
        found = json.loads(literal)
    except ValueError:
        return literal.strip('"')
    return found if isinstance(found, str) else literal
