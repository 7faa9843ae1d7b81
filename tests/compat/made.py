"""Requests for the tests of `cgikit.compat.cgi`: bodies, environments, and forms read from them."""

import io
from typing import Any

from cgikit.compat import cgi

BOUNDARY = "XyZ"


def part(name: str | None, value: bytes, filename: str | None = None, *lines: str) -> bytes:
    """One part of a form, without its delimiter."""
    disposition = "Content-Disposition: form-data"
    if name is not None:
        disposition += f'; name="{name}"'
    if filename is not None:
        disposition += f'; filename="{filename}"'
    return "\r\n".join([disposition, *lines, "", ""]).encode() + value


def body(*parts: bytes, boundary: str = BOUNDARY, end: str = "--") -> bytes:
    """A multipart body."""
    delimiter = f"--{boundary}".encode()
    whole = b"".join(delimiter + b"\r\n" + one + b"\r\n" for one in parts)
    return whole + delimiter + end.encode() + b"\r\n"


def environ(content: bytes, kind: str, **others: str) -> dict[str, str]:
    """The variables of a POST."""
    found = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": kind, "CONTENT_LENGTH": str(len(content))}
    return found | others


MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def multipart(*parts: bytes, klass: Any = cgi.FieldStorage, **arguments: Any) -> Any:
    """A multipart form, read."""
    content = body(*parts)
    return klass(io.BytesIO(content), environ=environ(content, MULTIPART), **arguments)


def post(content: bytes, kind: str, klass: Any = cgi.FieldStorage, **others: str) -> Any:
    """A POST of any type, read."""
    return klass(io.BytesIO(content), environ=environ(content, kind, **others))


def get(query: str, **arguments: Any) -> Any:
    """A GET, read."""
    variables = {"REQUEST_METHOD": "GET", "QUERY_STRING": query}
    return cgi.FieldStorage(environ=variables, **arguments)
