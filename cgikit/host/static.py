"""Sends files beside the scripts unchanged, if that is allowed (RFC 9110).

`statictypes.py` decides which files, and with which types; `cgikit.filebody` decides which bytes.
"""

import os

from cgikit.filebody import FileBody
from cgikit.html import escape

from .environ import ServerRequest
from .output import ScriptResponse, reason_of
from .page import own_response
from .path import Static
from .problem import Problem
from .statictypes import TYPES

_CHUNK = 65_536
_NO_CACHE = "no-cache"  # browsers must ask each time, to show a file that was just edited


def send(place: Static, request: ServerRequest) -> "tuple[ScriptResponse, FileRun | None]":
    """Return the answer to a request for a file, and the run that reads its body. `Problem` 405 for
    another method than GET and HEAD, 404 or 403 if the file was deleted or cannot be read.
    """
    name = os.path.basename(place.file)
    if request.method not in ("GET", "HEAD"):
        raise Problem(405, f"{name} can only be read.", headers=(("Allow", "GET, HEAD"),))
    try:
        body = FileBody(place.file)
    except (FileNotFoundError, ValueError) as error:
        raise Problem(404, f"There is no file {name} any more.") from error
    except PermissionError as error:
        what = f"The server's user has no permission to read {name}."
        raise Problem(403, what, f"chmod a+r {name}") from error
    except OSError as error:
        raise Problem(500, f"{name} cannot be read: {error.strerror}.") from error
    status, fields = body.select(request.method, 200, dict(request.headers))
    if status in (412, 416):
        body.close()
        return own_response(status, escape(reason_of(status)).encode(), tuple(fields)), None
    kind = TYPES[os.path.splitext(name)[1].lower()]
    headers = (
        *fields,
        ("Cache-Control", _NO_CACHE),
        ("Content-Length", str(body.length)),
        ("Content-Type", kind),
        ("X-Content-Type-Options", "nosniff"),  # S28
    )
    if status == 304:
        headers = tuple(field for field in headers if not field[0].startswith("Content-"))
    if status == 304 or request.method == "HEAD":
        body.close()
        return ScriptResponse(status, reason_of(status), headers), None
    return ScriptResponse(status, reason_of(status), headers), FileRun(body)


class FileRun:
    """A file that is sent, in the form of `executor.Run`. If it becomes shorter, the answer is cut."""

    def __init__(self, body: FileBody) -> None:
        self._body = body
        self._left = body.length
        body.file.seek(body.start)

    def read(self) -> bytes:
        """Return the next piece, b"" at the end."""
        try:
            data = self._body.file.read(min(_CHUNK, self._left))
        except OSError:  # the disk fails: the answer is cut
            return b""
        self._left -= len(data)
        return data

    def header_done(self) -> None:
        """Nothing: a file has no time limit."""

    def close(self) -> int:
        """Close the file; return 0."""
        self._body.close()
        return 0
