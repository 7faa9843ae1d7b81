"""The answer to one request as a WSGI server iterates over it (PEP 3333): its body, its end, its log.

This module decides whether an answer completes or is cut. A part of an answer must never look
complete. `wsgi.py` decides its content.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..process import CUT
from .diagnosis import crash_fix, crash_line, endless, removed_module
from .environ import ServerRequest
from .executor import ClientGone, Run, Source, TimeLimit
from .logtext import one_line
from .output import ScriptResponse
from .page import appendix
from .path import Script
from .problem import Problem
from .servertiming import Timing

_STDERR_TAIL = 20  # lines of standard error that an error page shows
_FIX = "Its standard error may say why; see the log."
_FIX_SILENCE = "Print something regularly and flush, or allow more time with --timeout."
_CUT = "The connection was cut, so that the client can tell that the answer is incomplete."


class AnswerCut(Exception):
    """The answer has begun and cannot be completed: the connection must be cut, so that the client can
    tell that it is incomplete. The cause is already logged.
    """


class _Cut(Exception):
    """The answer cannot be completed. `problem` says why; None if the client has disconnected."""

    def __init__(self, problem: Problem | None) -> None:
        super().__init__()
        self.problem = problem


@dataclass
class Call:
    """One request on its way through the host."""

    request: ServerRequest
    is_gone: Callable[[], bool]
    started: float  # by time.monotonic
    body: Source | None = None
    script: Script | None = None

    def __post_init__(self) -> None:
        self.timing = Timing()
        self.errors: deque[str] = deque(maxlen=_STDERR_TAIL)
        self.delivered = False
        self.has_header = False  # the script's

    def client_gone(self) -> bool:
        """Whether the client has disconnected before it had the whole answer.

        A client that has all of it may disconnect while the script still has work to do.
        """
        return not self.delivered and self.is_gone()


def _then_cut(pieces: list[bytes]) -> Iterator[bytes]:
    """Yield these pieces, then have the connection cut."""
    yield from pieces
    raise AnswerCut


class Answer:
    """What a WSGI server iterates over: the body, in the pieces in which the script wrote it.

    The server always calls `close`, which stops the script and logs the request. `instead` starts the
    response for a problem and returns it, which is only possible before any of the body is sent.
    `details` says that whoever sees the page owns the script: the error is then appended to an answer
    that is cut, and to the output of a script that failed.
    """

    def __init__(
        self,
        log: Callable[[str], None],
        call: Call,
        request: ServerRequest,
        response: ScriptResponse,
        run: Run | None,
        instead: Callable[[Problem], ScriptResponse],
        details: bool = False,
    ) -> None:
        self._log, self._call, self._run = log, call, run
        self._details = details
        self._request, self._response, self._instead = request, response, instead
        self._no_body = request.method == "HEAD" or response.status in (204, 304)  # R40
        self._declared_length = response.content_length
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
        piece, declared = self._response.rest, self._declared_length
        while piece or self._run is not None:
            left = None if declared is None else max(0, declared - self._size)
            self._size += len(piece)
            self._call.delivered = declared is not None and self._size >= declared
            if piece and not self._no_body and left != 0:
                yield piece[:left]
            piece = b"" if self._run is None else self._read(self._run)
            if not piece:
                break
        if self._run is not None and (end := self._check_exit(self._run.close())):
            yield from self._error_appendix(f"{self._name()} {end}. {self._advice()}".strip())

    def _read(self, run: Run) -> bytes:
        try:
            return run.read()
        except TimeLimit as over:
            what = f"was stopped after {over.seconds:g} seconds ({over.limit} time limit)"
            file = self._call.script.file if self._call.script else ""
            where, fix = endless(file, self._call.errors)
            problem = Problem(
                504, f"{self._name()} {what}. {where}".rstrip(), f"{fix} {_FIX_SILENCE}".lstrip()
            )
            raise _Cut(problem) from over
        except ClientGone as gone:
            raise _Cut(None) from gone

    def _check_exit(self, status: int) -> str:
        """Log a failed exit and a wrong length; return how the script failed (str), or "" if it did
        not. `_Cut` if its answer is not complete.
        """
        declared = self._declared_length
        length = ""
        if declared is not None and declared != self._size and not self._no_body:
            length = f"declared Content-Length: {declared}, but sent {self._size} bytes"
        end = f"exited with status {status}" if status > 0 else ""
        if status < 0:
            end = f"was killed by signal {-status}"
        broke_off = length or status < 0 or status == CUT
        if broke_off and not self._no_body and not self._call.delivered:
            raise self._broken(" and ".join(filter(None, (end, length))))
        for what in filter(None, (end, length, self._advice() if end else "")):
            self._log_problem(what)
        return end

    def _advice(self) -> str:
        """Return what to do about a script that failed behind its header block; "" if nobody knows."""
        script, errors = self._call.script, self._call.errors
        if script is None:
            return ""
        fix = removed_module(script.file, errors)
        return fix or crash_fix(script.file, crash_line(script.file, errors), errors)

    def _error_appendix(self, what: str) -> list[bytes]:
        """Return what is appended to the answer of a script that failed: nothing if its length was
        declared, if it is encoded, or if the reader is not the script's owner.
        """
        fields = {name.lower(): value for name, value in self._response.headers}
        if (
            not self._details
            or self._no_body
            or self._declared_length is not None
            or fields.get("content-encoding", "identity") != "identity"
        ):
            return []
        piece = appendix(what, fields.get("content-type", ""), self._call.errors)
        return [piece] if piece else []

    def _name(self) -> str:
        return os.path.basename(self._call.script.file) if self._call.script else "The script"

    def _broken(self, what: str) -> _Cut:
        return _Cut(Problem(500, f"{self._name()} {what}.", self._advice() or _FIX))

    def _cut(self, problem: Problem | None) -> bytes:
        """Answer with a problem's page if nothing was sent yet, otherwise have the connection cut."""
        if problem is None:
            raise AnswerCut
        if self._sent:
            fix = "" if problem.fix == _FIX else problem.fix
            self._log_problem(f"{problem.what} {_CUT} {fix}".rstrip())
            self._pieces = _then_cut(self._error_appendix(f"{problem.what} {fix}".rstrip()))
            return next(self._pieces)
        self._response = self._instead(problem)
        self._pieces = iter(())
        return b"" if self._request.method == "HEAD" else self._response.rest

    def close(self) -> None:
        """Stop the script if it still runs, and log the request. Further calls do nothing."""
        if self._closed:
            return
        self._closed = True
        self._pieces = iter(())
        if self._run is not None:
            self._run.close()
        took = (time.monotonic() - self._call.started) * 1000
        gone = " (client disconnected)" if self._call.client_gone() else ""
        self._log(
            f"{self._request.method} {one_line(self._request.target)} {self._response.status} "
            f"{self._sent} B {took:.0f} ms{gone}"
        )

    def _log_problem(self, what: str) -> None:
        script = self._call.script.script_name if self._call.script else ""
        self._log(f"{one_line(script)}: {one_line(what)}")
