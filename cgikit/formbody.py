"""The body of a form, as browsers write it.

Implements the HTML standard's form submission: application/x-www-form-urlencoded, and
multipart/form-data (RFC 7578) with the escapes that browsers use. Values in, bytes out. `testing` and
`offline` send such bodies; `body.py` reads them.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, TypeAlias

from .filebody import guess_type
from .querystring import build

#: Fields as a mapping or as pairs; a list as a value gives the name several times.
Fields: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
Content: TypeAlias = bytes | str | BinaryIO
#: A file: its content, or (name, content), or (name, content, media type).
File: TypeAlias = Content | tuple[str, Content] | tuple[str, Content, str]
#: Files as a mapping or as pairs; a list as a value gives several files under the name.
Files: TypeAlias = Mapping[str, File | list[File]] | Iterable[tuple[str, File | list[File]]]

URLENCODED = "application/x-www-form-urlencoded"


def pairs(fields: Fields | Files) -> list[tuple[str, Any]]:
    """Return fields as a list of pairs: a list as a value gives the name several times."""
    every = fields.items() if isinstance(fields, Mapping) else fields
    return [
        (name, one)
        for name, value in every
        for one in (value if isinstance(value, list) else (value,))
    ]


def urlencoded(data: Fields) -> bytes:
    """Return fields as an application/x-www-form-urlencoded body, with the line ends of forms."""
    return build([(name, _text(value)) for name, value in pairs(data)]).encode()


def multipart(data: Fields, files: Files) -> tuple[bytes, str]:
    """Return a multipart/form-data body, the text fields first, and its Content-Type.

    The boundary follows from the content, so that the same form gives the same bytes.
    """
    parts = [(_disposition(name), _raw(_text(value))) for name, value in pairs(data)]
    parts += [_file(name, file) for name, file in pairs(files)]
    made = hashlib.sha256(b"".join(_raw(head) + content for head, content in parts))
    boundary = f"----cgikitForm{made.hexdigest()[:24]}"
    lines = [
        b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), _raw(head), content)
        for head, content in parts
    ]
    end = b"--%b--\r\n" % boundary.encode()
    return b"".join([*lines, end]), f"multipart/form-data; boundary={boundary}"


def _file(name: str, file: Any) -> tuple[str, bytes]:
    filename, content, kind = "", file, ""
    if isinstance(file, tuple):
        filename, content, *rest = file
        kind = rest[0] if rest else ""
    elif hasattr(file, "read"):
        filename = os.path.basename(str(getattr(file, "name", "")))
    if hasattr(content, "read"):
        content = content.read()
    if isinstance(content, str):
        content = content.encode()
    if not isinstance(content, bytes | bytearray | memoryview):
        raise TypeError(
            f"the file {name!r} is a {type(content).__name__}; give bytes, a file object, or "
            "(file name, bytes)"
        )
    filename = filename or ("upload" if not isinstance(file, tuple) else "")
    head = f'{_disposition(name)}; filename="{_escaped(filename)}"'
    return f"{head}\r\nContent-Type: {kind or guess_type(filename)}", bytes(content)


def _disposition(name: str) -> str:
    return f'Content-Disposition: form-data; name="{_escaped(_text(name))}"'


def _text(value: object) -> str:
    """Return a value as the text of a field, with the line ends that forms send."""
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n")


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
