"""The answer to one request as a WSGI server iterates over it (PEP 3333): its body, its end, its log.

This module decides how an answer ends: complete, or cut, so that a part of an answer never looks
complete. `wsgi.py` decides what is answered.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from .environ import ServerRequest
from .executor import ClientGone, Run, Source, TimeLimit
from .logtext import one_line
from .output import ScriptResponse
from .page import appendix
from .path import Script
from .problem import Problem

_STDERR_TAIL = 20  # lines of standard error that an error page shows
_FIX = "What it wrote to its standard error may say why; it is in the log, too."
_FIX_SILENCE = "Print something now and then and flush, or allow more time with --timeout."
_CUT = "The connection was cut, so that the client does not take the part for the whole."


class AnswerCut(Exception):
    """The answer has begun and cannot be completed: the connection must be cut, so that the client does
    not take the part for the whole. Already logged.
    """


class _Cut(Exception):
    """The answer cannot be completed. `problem` says why; None if the client has left."""

    def __init__(self, problem: Problem | None) -> None:
        super().__init__()
        self.problem = problem


@dataclass
class Call:
    """One request on its way through the host."""

    request: ServerRequest
    gone: Callable[[], bool]
    started: float  # by time.monotonic
    body: Source | None = None
    script: Script | None = None

    def __post_init__(self) -> None:
        self.errors: deque[str] = deque(maxlen=_STDERR_TAIL)
        self.delivered = False

    def left(self) -> bool:
        """Whether the client has left before it had the whole answer.

        A client that has all of it may close at once, while the script may still have work to do.
        """
        return not self.delivered and self.gone()


def _torn(pieces: list[bytes]) -> Iterator[bytes]:
    """Yield these pieces, and then have the connection cut."""
    yield from pieces
    raise AnswerCut


class Answer:
    """What a WSGI server iterates over: the body, in the pieces in which the script wrote it.

    The server always calls `close`, which ends the script and logs the request. `instead` starts the
    response for a problem and returns it, which is possible as long as nothing of the body was sent.
    With `details`, the reader owns the script: what went wrong is appended to an answer that was cut,
    and to the output of a script that failed.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        call: Call,
        asked: ServerRequest,
        response: ScriptResponse,
        run: Run | None,
        instead: Callable[[Problem], ScriptResponse],
        details: bool = False,
    ) -> None:
        self._log, self._call, self._run = log, call, run
        self._details = details
        self._asked, self._response, self._instead = asked, response, instead
        self._mute = asked.method == "HEAD" or response.status in (204, 304)  # R40
        self._announced = response.content_length
        self._sent = 0
        self._size = 0  # of the body that the script made, sent or not
        self._pieces = self._body()
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except _Cut as cut:
            piece = self._cut(cut.problem)
        self._sent += len(piece)
        return piece

    def _body(self) -> Iterator[bytes]:
        piece, announced = self._response.rest, self._announced
        while piece or self._run is not None:
            left = None if announced is None else max(0, announced - self._size)
            self._size += len(piece)
            self._call.delivered = announced is not None and self._size >= announced
            if piece and not self._mute and left != 0:
                yield piece[:left]
            piece = b"" if self._run is None else self._read(self._run)
            if not piece:
                break
        if self._run is not None and (how := self._judge(self._run.close())):
            yield from self._last_words(f"{self._name()} {how}.")

    def _read(self, run: Run) -> bytes:
        try:
            return run.read()
        except TimeLimit as over:
            what = f"was ended after {over.seconds:g} seconds ({over.limit} time limit)"
            raise self._broken(what, 504, _FIX_SILENCE) from over
        except ClientGone as gone:
            raise _Cut(None) from gone

    def _judge(self, status: int) -> str:
        """Log what was wrong with the script's end; return how it ended (str), "" if all was well.
        `_Cut` if its answer is not complete.
        """
        announced = self._announced
        wrong = announced is not None and announced != self._size and not self._mute
        length = f"said Content-Length: {announced}, but its body has {self._size} bytes"
        how = f"exited with status {status}" if status > 0 else ""
        if status < 0:
            how = f"was killed by signal {-status}"
        if not self._mute and not self._call.delivered and (wrong or status < 0):
            raise self._broken(" and ".join(filter(None, (how, length if wrong else ""))))
        for what in filter(None, (how, length if wrong else "")):
            self._complain(what)
        return how

    def _last_words(self, what: str) -> list[bytes]:
        """Return what is appended to the answer of a script that failed: nothing if its length was
        announced, if it is encoded, or if the reader is not the script's owner.
        """
        fields = {name.lower(): value for name, value in self._response.headers}
        if (
            not self._details
            or self._mute
            or self._announced is not None
            or fields.get("content-encoding", "identity") != "identity"
        ):
            return []
        piece = appendix(what, fields.get("content-type", ""), self._call.errors)
        return [piece] if piece else []

    def _name(self) -> str:
        return os.path.basename(self._call.script.file) if self._call.script else "The script"

    def _broken(self, what: str, status: int = 500, fix: str = _FIX) -> _Cut:
        return _Cut(Problem(status, f"{self._name()} {what}.", fix))

    def _cut(self, problem: Problem | None) -> bytes:
        """Answer with a problem's page if nothing was sent yet, otherwise have the connection cut."""
        if problem is None:
            raise AnswerCut
        if self._sent:
            self._complain(f"{problem.what} {_CUT}")
            self._pieces = _torn(self._last_words(problem.what))
            return next(self._pieces)
        self._response = self._instead(problem)
        self._pieces = iter(())
        return b"" if self._asked.method == "HEAD" else self._response.rest

    def close(self) -> None:
        """End the script if it still runs and log the request. Once."""
        if self._closed:
            return
        self._closed = True
        self._pieces = iter(())
        if self._run is not None:
            self._run.close()
        took = (time.monotonic() - self._call.started) * 1000
        self._log(
            f"{self._asked.method} {one_line(self._asked.target)} {self._response.status} "
            f"{self._sent} B {took:.0f} ms{' (client left)' if self._call.left() else ''}"
        )

    def _complain(self, what: str) -> None:
        script = self._call.script.script_name if self._call.script else ""
        self._log(f"{one_line(script)}: {one_line(what)}")
