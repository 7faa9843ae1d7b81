"""The answer to one request as a WSGI server iterates over it (PEP 3333): its body, its end, its log.

How an answer ends is decided here: whole, or cut, so that nobody takes a part for the whole. What is
answered is decided in `wsgi.py`.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .environ import ServerRequest
from .executor import ClientGone, Run, Source, TimeLimit
from .output import ScriptResponse
from .path import Script
from .text import one_line

if TYPE_CHECKING:
    from .wsgi import Host

_STDERR_TAIL = 20  # lines of standard error that an error page shows


class Truncated(Exception):
    """The answer had begun when its script had to be ended: the connection must be cut, so that the
    client does not take the part for the whole. Already logged.
    """


@dataclass
class Call:
    """One request on its way through the host."""

    request: ServerRequest
    gone: Callable[[], bool]
    body: Source | None = None
    script: Script | None = None

    def __post_init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=_STDERR_TAIL)
        self.delivered = False

    def left(self) -> bool:
        """Whether the client is gone with less than the whole answer.

        One that has all of it may close at once; the script may still have work to do.
        """
        return not self.delivered and self.gone()


class Answer:
    """What a WSGI server iterates over: the body in the pieces in which the script wrote it.

    `close` ends the script, logs the request, and is called by the server in every case.
    """

    def __init__(
        self,
        host: "Host",
        call: Call,
        asked: ServerRequest,
        response: ScriptResponse,
        run: Run | None,
        started: float,
    ) -> None:
        self._host, self._call, self._run = host, call, run
        self._asked, self._response, self._started = asked, response, started
        self._mute = asked.method == "HEAD" or response.status in (204, 304)  # R40
        self._sent = 0
        self._size = 0  # of the body that the script made, sent or not
        self._complete = False
        self._pieces = self._body()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces)
        self._sent += len(piece)
        return piece

    def _body(self) -> Iterator[bytes]:
        piece = self._response.rest
        while piece or self._run is not None:
            self._size += len(piece)
            announced = self._response.content_length
            self._call.delivered = announced is not None and self._size >= announced
            if piece and not self._mute:
                yield piece
            piece = b"" if self._run is None else self._read(self._run)
            if not piece:
                break
        self._complete = True

    def _read(self, run: Run) -> bytes:
        try:
            return run.read()
        except TimeLimit as over:
            self._complain(f"was ended after {over.seconds:g} seconds ({over.limit} time limit)")
            raise Truncated from over
        except ClientGone as gone:
            raise Truncated from gone

    def close(self) -> None:
        """End the script if it still runs and log the request. Once."""
        if self._closed:
            return
        self._closed = True
        self._pieces = iter(())
        if self._run is not None:
            status = self._run.close()
            if self._complete:  # otherwise it was ended by us, and why has been said
                self._judge(status)
        took = (time.monotonic() - self._started) * 1000
        self._host.log(
            f"{self._asked.method} {one_line(self._asked.target)} {self._response.status} "
            f"{self._sent} B {took:.0f} ms{' (client left)' if self._call.left() else ''}"
        )

    def _judge(self, status: int) -> None:
        """Log what is wrong with an answer that has been sent and cannot be changed any more."""
        if status > 0:
            self._complain(f"exited with status {status}")
        if status < 0:
            self._complain(f"was killed by signal {-status}")
        announced = self._response.content_length
        if announced not in (None, self._size) and not self._mute:
            self._complain(f"said Content-Length: {announced}, but its body has {self._size} bytes")

    def _complain(self, what: str) -> None:
        script = self._call.script.script_name if self._call.script else ""
        self._host.log(f"{one_line(script)}: {what}")
