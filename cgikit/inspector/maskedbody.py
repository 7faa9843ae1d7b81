"""The secrets in the body of a request, whole or cut: multipart (RFC 7578) and JSON (RFC 8259). Pure.

A body is searched, not parsed, so that a part of one, or a malformed one, hides as much as a whole one.
What follows a secret name up to the next boundary, or is its value in JSON, is hidden. In JSON that was
cut, a value that is an object or a list hides all that follows; in whole JSON `hiding.py` knows what
is in it.
"""

import json
import re
from collections.abc import Callable

from cgikit.maskedenviron import HIDDEN
from cgikit.masking import is_secret

_BOUNDARY = re.compile(r';[ \t]*boundary="?([^";,\s]{1,200})', re.IGNORECASE)
_NAME = re.compile(r';[ \t]*name\*?="?([^";\r\n]{0,1000})', re.IGNORECASE)
_HEAD = re.compile(r"\r?\n\r?\n")
_MEMBER = re.compile(r'"((?:[^"\\]|\\.){0,1000})"[ \t\r\n]*:[ \t\r\n]*')
_LINE = re.compile(r"(?m)^([^=\r\n]{1,200})=([^\r\n]+)")
_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"\[\]{},]+')
Take = Callable[[str], object]


def masked_body(text: str, kind: str, take: Take = len) -> str:
    """Return a body without the values whose names suggest secrets; `kind` is its Content-Type. `take`
    is called with each value that was hidden.
    """
    media_type = kind.partition(";")[0].strip().lower()
    if media_type.startswith("multipart/"):
        found = _BOUNDARY.search(kind)
        return _multipart(text, found[1], take) if found else text
    if "json" in media_type:
        return _json(text, take)
    if media_type in ("", "text/plain"):  # of a form, or of a program that names no type
        return _json(_lines(text, take), take)
    return text


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
        scalar = _SCALAR.match(text, member.end())
        if scalar is None and is_whole:
            continue
        shown.append(text[position : member.end()])
        if scalar is None:  # an object, a list, or a string that was cut
            rest = text[member.end() :]
            take(_string(rest + '"'))
            return "".join([*shown, HIDDEN if rest else ""])
        take(_string(scalar[0]))
        shown.append(f'"{HIDDEN}"')
        position = scalar.end()
    return "".join([*shown, text[position:]])


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
