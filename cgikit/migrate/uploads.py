"""Signs that a program receives files, and the fields of which it is known that they are text.

A program that reads a field by `getvalue` or `.value`, or asks for it with `in`, says nothing about
what the browser sends: `FieldStorage` gave text and files alike, `Request.params` has text alone. So
a program with any sign of a file here is rewritten only in fields that cannot be one.
"""

import re

import libcst as cst

from . import contexts
from .code import Code

_SIGN = re.compile(
    r"multipart|\btype\s*=\s*\\?[\"']?file\b|[\"']type[\"']\s*:\s*[\"']file\b|\w*upload\w*|\bBytesIO\b"
    r"|\.(?:file|filename|decode|write_bytes)\b|\bstdout\.buffer\.write\((?![^)\n]*encode)",
    re.I,
)
_BINARY = re.compile(r"(?=.*b)[rwaxbt+]*[wax+][rwaxbt+]*")
_NAMED = re.compile(r"file|attach|photo|image|picture|avatar", re.I)
_INPUT = re.compile(r"<input\b([^<>{}%]*)>", re.I)
_TYPE = re.compile(r"\btype\s*=\s*\\?[\"']?([\w-]+)", re.I)
_OTHER = re.compile(r"<(?:textarea|select|button)\b([^<>{}%]*)>", re.I)
_NAME = re.compile(r"(?<![\w-])name\s*=\s*\\?[\"']?([\w.\[\]-]+)", re.I)
_TEXT_TYPES = frozenset(
    "text hidden submit password checkbox radio number email search tel url date time month week "
    "datetime-local color range button reset".split()
)


def sign(code: Code, keys: list[cst.BaseExpression]) -> tuple[int, str] | None:
    """Return the line of the first sign of a file and what it says; None if there is none.

    `keys` are the names of the fields that the program reads.
    """
    text = code.data.decode()
    found = _SIGN.search(text)
    if found is not None:
        return code.line_at(len(text[: found.start()].encode())), found[0]
    for call in code.each(cst.Call):
        for arg in call.args:
            if _BINARY.fullmatch(contexts.text_of(arg.value) or ""):
                return code.line(arg.value), code.source(arg)
    for key in keys:
        if _NAMED.search(contexts.text_of(key) or ""):
            return code.line(key), code.source(key)
    return None


def text_fields(code: Code) -> set[str]:
    """Return the names of fields that the pages in a program send as text."""
    found: set[str] = set()
    for node in code.nodes:
        if isinstance(node, cst.SimpleString | cst.FormattedStringText):
            text = code.source(node)
            inputs = [tag for tag in _INPUT.findall(text) if _is_text(tag)]
            for tag in [*inputs, *_OTHER.findall(text)]:
                found.update(_NAME.findall(tag)[:1])
    return found


def _is_text(tag: str) -> bool:
    kinds = _TYPE.findall(tag)
    return all(kind.lower() in _TEXT_TYPES for kind in kinds) and ("type" in tag.lower()) == bool(
        kinds
    )
