"""What tests of the request's body share: building bodies, requests made of them, and children.

`multipart(field(…), file(…))` gives a body and its Content-Type as a browser would send them;
`post` makes a `Request` of a body; `child` runs Python code in a clean process of its own.
"""

import io
import os
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from cgikit import Limits, Request

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def part(header: str | bytes, content: bytes = b"") -> bytes:
    """One part: its header lines, joined by CRLF already, and its content."""
    if isinstance(header, str):
        header = header.encode()
    return header + b"\r\n\r\n" + content


def field(name: str, content: bytes = b"", *more: str) -> bytes:
    """A text field, with `more` header lines."""
    return part("\r\n".join([f'Content-Disposition: form-data; name="{name}"', *more]), content)


def file(name: str, filename: str, content: bytes = b"", type: str = "text/plain") -> bytes:
    """A file as browsers send it."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return part(f"{disposition}\r\nContent-Type: {type}", content)


def multipart(*parts: bytes, boundary: str = BOUNDARY) -> bytes:
    """The body that `parts` make."""
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + one + b"\r\n" for one in parts) + line + b"--\r\n"


def environ(body: bytes, content_type: str, method: str = "POST", **more: str) -> dict[str, str]:
    """The meta-variables of a request with that body."""
    return {
        "REQUEST_METHOD": method,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        **more,
    }


def post(
    body: bytes,
    content_type: str = MULTIPART,
    method: str = "POST",
    *,
    source: BinaryIO | None = None,
    limits: Limits | None = None,
    errors: str = "replace",
    charset: str = "utf-8",
    upload_dir: Path | None = None,
    **more: str,
) -> Request:
    """A request with that body, and `more` meta-variables; `source` is read in its place."""
    return Request(
        environ(body, content_type, method, **more),
        source or io.BytesIO(body),
        limits=limits or Limits(),
        errors=errors,
        charset=charset,
        upload_dir=str(upload_dir) if upload_dir else None,
    )


class Untouched(io.RawIOBase):
    """A source that must not be read: it fails the test that does."""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        raise AssertionError(f"read({size}) of a source that must not be touched")

    readall = readinto = read  # type: ignore[assignment]


def descriptors() -> list[str]:
    """What this process has open, as the kernel shows it: number and target."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # that of the listing itself
            found.append(f"{number} {os.readlink(f'/proc/self/fd/{number}')}")
    return sorted(found)


def clean_environ() -> dict[str, str]:
    """This environment without what changes a Python, or makes a process a CGI script."""
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    return {name: os.environ[name] for name in names if name in os.environ}


def child(
    code: str,
    *arguments: str,
    stdin: bytes | int | None = subprocess.DEVNULL,
    env: Mapping[str, str] | None = None,
) -> str:
    """Run `code` in a process of its own; return what it printed, fail the test if it failed.

    Warnings are errors there too, as they are here.
    """
    given = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *arguments],
        env={**clean_environ(), **(env or {})},
        capture_output=True,
        timeout=240,
        **given,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert done.stderr == b""
    return done.stdout.decode()
