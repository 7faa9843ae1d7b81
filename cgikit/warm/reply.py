"""The reply to the web server for one request: a script's answer, an error page, or a cut.

The answer goes out as it comes, but not before it is judged, and a small one as a whole: as long as
nothing has left this process, a page can take its place. Once a part is out, an answer that breaks off
is cut, so nobody mistakes it for the whole. The table in `exchangestate.py` says what can follow what;
how a request gets to its script is in `exchange.py`.
"""

import os

from ..host.logtext import one_line
from ..host.output import MAX_REDIRECTS, too_many_redirects
from ..host.problem import Problem
from .ending import page_for
from .errorstream import ErrorStream
from .exchangestate import (
    ARRIVING,
    BREAKING,
    DONE,
    HEADER,
    JUDGED,
    OVER,
    READY,
    REDIRECTED,
    REPLACED,
    SENDING,
    SENT,
    STOPPED,
    TAKEN_BACK,
)  # fmt: skip
from .header import Header
from .loop import CHUNK
from .requestvariables import name_of
from .target import is_below

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..host.path import Script
    from .arrival import Arrival
    from .child import Child
    from .connection import Connection
    from .exchangehost import ExchangeHost


class Reply:
    """The answer to one request. `host` is the worker; `request` and `variables` are as the web server
    sent them, `redirects` is how many local redirects led here.

    `.asked` is when the request was made, in the loop's time. `.child` is the script and `.arrival` the
    body of the request, or None if there is none. Once its state is DONE, a reply does not touch its
    connection any more.
    """

    def __init__(
        self,
        host: "ExchangeHost",
        connection: "Connection",
        request: int,
        variables: dict[str, str],
        redirects: int = 0,
    ) -> None:
        self.host = host
        self.connection = connection
        self.request = request
        self.variables = variables
        self.asked = host.loop.now
        self.child: Child | None = None
        self.arrival: Arrival | None = None
        self._state = ARRIVING
        self._script: Script | None = None
        self._header: Header | None = None
        self._answer = b""  # what is ready to go out
        self._answered = 0.0  # when it became ready
        self._errors: ErrorStream | None = None  # what the script wrote to its standard error
        self._redirects = redirects
        self._problem: Problem | None = None  # why the script was stopped

    @property
    def is_owed(self) -> bool:
        """Whether the peer still has to send some of the body."""
        return self.arrival is not None and self.arrival.is_owed

    # --- what the script prints ---------------------------------------------------------------

    def _take(self, data: bytes | memoryview) -> bool:
        """Take a piece of the script's output; return whether the rest is to be waited for a moment."""
        header = self._header
        if self._state is HEADER:
            if header is None:
                header = self._header = Header(
                    self.host.known_blocks,
                    nph=self._script is not None and self._script.is_nph,
                    head=self.variables.get("REQUEST_METHOD") == "HEAD",
                )
            written = header.feed(bytes(data))
            if written is None:
                return False
            if header.redirect and self._is_ours(header.redirect):
                self._state = REDIRECTED[self._state]
                return False
            self._state = JUDGED[self._state]
            data = written
        elif header is not None:
            data = header.passed(data)
        if self._state is SENDING:
            self._send(data)
        else:
            self._answered = self._answered or self.host.loop.now
            self._answer += data
        if header is not None and header.is_whole and self._may_end_early:
            self._finish(0)  # the script may have more to do, but nobody has to wait for that
        elif len(self._answer) > CHUNK:
            self._flush()
        return bool(self._answer) and not self._is_small()

    def _is_small(self) -> bool:
        """Whether the rest of the answer is waited for: if it does not come, a page can say so, and no
        web server has to be trusted to tell its client that a part is not the whole.
        """
        header = self._header
        return header is not None and header.is_short and (header.announced or 0) <= CHUNK

    def _is_ours(self, target: str) -> bool:
        """Whether we follow a local redirect. `Problem` if there were too many."""
        if self.host.single or not is_below(target, self.host.settings.prefix):
            return False
        if self._redirects >= MAX_REDIRECTS:
            raise too_many_redirects(target)
        return True

    @property
    def _may_end_early(self) -> bool:
        """Whether an answer that has come whole may end while its script lives. Not while some of the
        body is owed, nor if the web server is to have all of the script's standard error.
        """
        if self._state not in (READY, SENDING) or self.host.settings.stderr_out:
            return False
        return self.arrival is None or not self.arrival.is_owed

    def errors(self, data: bytes) -> None:
        """Pass on what the script wrote to its standard error: into our own log or, if that was asked
        for, to the web server, as long as it waits for an answer.
        """
        sent = self.host.settings.stderr_out and self._state is not DONE
        if sent:
            self.connection.send_errors(self.request, data)
        if self._errors is None:
            self._errors = ErrorStream(self.host.log)
        self._errors.take(self.name(), data, sent=sent)

    def _flush(self) -> None:
        if self._answer and self._state in (READY, SENDING):
            data, self._answer = self._answer, b""
            self._state = SENT[self._state]
            self._send(data)

    def _send(self, data: bytes | memoryview) -> None:
        if data:
            self.connection.send_output(self.request, data)

    def _stop(self, problem: Problem) -> None:
        """End the script; when it has ended, the answer is a page about the problem."""
        self._problem = problem
        self._state = STOPPED[self._state]
        if self.child is not None:
            self.child.terminate()

    # --- the end of the answer ----------------------------------------------------------------

    def _conclude(self, problem: Problem | None, status: int = 0) -> None:
        """End the answer: no more of it will come."""
        if problem is not None:
            self._fail(problem)
        else:
            self._finish(status)

    def _is_whole(self) -> bool:
        return self._header is not None and self._header.is_whole

    def _finish(self, status: int) -> None:
        """Send the rest of the answer and its end."""
        if len(self._answer) > CHUNK:
            self._flush()  # sending it now copies nothing
        if self._state is DONE:
            return
        self._state = OVER[self._state]
        data, self._answer = self._answer, b""
        self.connection.finish(self.request, status, data, is_owed=self.is_owed)
        if self.child is not None and not self.child.done:
            self.child.unheeded()

    def _cut(self) -> None:
        """Part of an answer is out and the rest will not come: nobody must mistake it for the whole."""
        self._state = OVER[self._state]
        if self.child is not None and not self.child.done:
            self.child.unheeded()
        self.connection.cut()

    # --- problems -----------------------------------------------------------------------------

    def refuse(self, why: str) -> None:
        """Answer that there is no place for the script."""
        self._fail(Problem(503, f"The server is busy: {why}.", headers=(("Retry-After", "5"),)))

    def not_started(self, why: int) -> None:
        """Answer that the script could not be started; `why` is an errno."""
        what = f"The server cannot start a script now: {os.strerror(why)}."
        fix = "Try again. If it persists, too much is running on this machine."
        self._fail(Problem(503, what, fix, headers=(("Retry-After", "5"),)))

    def _fail(self, problem: Problem) -> None:
        """Answer with the page of a problem, or cut if part of an answer is out."""
        host = self.host
        if problem.status >= 500 or problem.status == 413:
            host.log(one_line(f"{self.name()}: {problem.log_text}"))
        elif line := host.refusals.line(self.name(), problem):
            host.log(line)
        if self._state is DONE:
            return
        if self._state in (SENDING, BREAKING) and not self._take_back():
            self._cut()
            return
        self._state = REPLACED[self._state]
        self._answer = page_for(
            problem,
            is_head=self.variables.get("REQUEST_METHOD") == "HEAD",
            details=host.settings.debug,
            script=self._script.script_name if self._script else "",
            log=self._tail(),
        )
        self._finish(0)

    def _take_back(self) -> bool:
        """Take back what the connection has held of the answer. False if some of it went out."""
        outbox = self.connection.outbox
        if not outbox.is_held:
            return False
        outbox.drop()
        if self.host.settings.stderr_out and (tail := self._tail()):  # it was dropped as well
            lines = "".join([f"{line}\n" for line in tail])
            self.connection.send_errors(self.request, lines.encode("utf-8", "backslashreplace"))
        self._state = TAKEN_BACK[self._state]
        return True

    def _tail(self) -> list[str]:
        return [] if self._errors is None else self._errors.tail

    def name(self) -> str:
        """Return what the log calls the request: its script, or its path as far as it can be read."""
        if self._script is not None:
            return one_line(self._script.script_name)
        return name_of(self.variables)
