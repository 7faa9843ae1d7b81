"""What a request of a test sends: bodies as browsers write them, and the query of a URL.

Implements the HTML standard's form submission: application/x-www-form-urlencoded, and
multipart/form-data (RFC 7578) with the escapes that browsers use. Values in, bytes out.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO, TypeAlias

from .. import querystring
from ..filebody import guess_type

#: Fields as a mapping or as pairs; a list as a value gives the name several times.
Fields: TypeAlias = Mapping[str, Any] | Iterable[tuple[str, Any]]
Content: TypeAlias = bytes | str | BinaryIO
#: A file: its content, or (name, content), or (name, content, media type).
File: TypeAlias = Content | tuple[str, Content] | tuple[str, Content, str]
#: Files as a mapping or as pairs; a list as a value gives several files under the name.
Files: TypeAlias = Mapping[str, File | list[File]] | Iterable[tuple[str, File | list[File]]]

URLENCODED = "application/x-www-form-urlencoded"


def body(
    data: Fields | None = None,
    files: Files | None = None,
    json_value: object = None,
    content: bytes | str | None = None,
) -> tuple[bytes | None, str]:
    """Return the body (None if there is nothing to send) and its Content-Type, "" if it has none.

    `data` are text fields: urlencoded, or multipart if there are `files`. `TypeError` if more than one
    kind of body is given, or if `data` is not fields.
    """
    given = [data is not None or files is not None, json_value is not None, content is not None]
    if sum(given) > 1:
        raise TypeError("a request has one body: give data and files, or json, or content")
    if isinstance(data, bytes | str):
        raise TypeError("data are the fields of a form; give a raw body as content")
    if content is not None:
        return content.encode() if isinstance(content, str) else bytes(content), ""
    if json_value is not None:
        return json.dumps(json_value).encode(), "application/json"
    if files is not None:
        return multipart(data or (), files)
    if data is not None:
        return querystring.build([(name, _text(value)) for name, value in pairs(data)]).encode(), (
            URLENCODED
        )
    return None, ""


def query(url: str, params: Fields | None) -> str:
    """Return a URL with more fields in its query."""
    more = querystring.build(pairs(params)) if params is not None else ""
    if not more:
        return url
    path, mark, rest = url.partition("?")
    return f"{path}?{rest}{'&' if mark and rest else ''}{more}"


def pairs(fields: Fields | Files) -> list[tuple[str, Any]]:
    """Return fields as a list of pairs: a list as a value gives the name several times."""
    every = fields.items() if isinstance(fields, Mapping) else fields
    return [
        (name, one)
        for name, value in every
        for one in (value if isinstance(value, list) else (value,))
    ]


def multipart(data: Fields, files: Files) -> tuple[bytes, str]:
    """Return a multipart/form-data body, the text fields first, and its Content-Type.

    The boundary follows from the content, so that the same form gives the same bytes.
    """
    parts = [(_disposition(name), _text(value).encode()) for name, value in pairs(data)]
    parts += [_file(name, file) for name, file in pairs(files)]
    made = hashlib.sha256(b"".join(head.encode() + content for head, content in parts))
    boundary = f"----cgikitForm{made.hexdigest()[:24]}"
    lines = [
        b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary.encode(), head.encode(), content)
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


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
