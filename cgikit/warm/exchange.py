"""One request on its way through a worker: from its variables to a script and back to the web server.

In order: `opened` and `body` as the request arrives, `start` when a script may run, `output` and
`errors` as they come, `tick` for what takes too long, and an end in every case: an answer, a page that
says what was wrong, or a connection that is cut because part of an answer is out. Nothing here blocks.
The script's process is in `child.py`.

The same decisions for one thread a request, behind WSGI, are in `wsgi.py`.
"""

import os

from ..host.logtext import one_line
from ..host.output import MAX_REDIRECTS, bad_redirect, too_many_redirects
from ..host.problem import Problem
from .arrival import Arrival, announced_length
from .child import CHUNK, Child
from .ending import breach, complaint, silence
from .errorstream import ErrorStream
from .header import Header, written_block
from .requestvariables import path_of, redirected, script_environ
from .target import is_below, script_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cgikit.gateway.wire import RequestStarted

    from ..host.path import Script
    from .connection import Connection
    from .worker import Worker

_LINGER = 1.0  # seconds of silence granted to what a script that has ended left behind
_HELD = 0.002  # seconds that the beginning of an answer waits for its end, to go out as one
_REAPED = 0.25  # seconds granted to a script between the end of its output and its own end


class Exchange:
    """One request. `asked` is when it was made; `connection` is None once nobody waits any more."""

    def __init__(
        self, worker: "Worker", connection: "Connection", event: "RequestStarted | Exchange"
    ) -> None:
        self.worker = worker
        self.connection: Connection | None = connection
        self.request: int = event.request
        self.variables: dict[str, str] = event.variables
        self.asked = worker.now
        self.child: Child | None = None
        self.arrival: Arrival | None = None  # its body
        self._asked_for = False  # the script has been, or waits for its turn
        self._script: Script | None = None
        self._header: Header | None = None
        self._judged = not worker.settings.interpret  # the header block is complete
        self._answer = b""  # what is ready to go out
        self._answered = 0.0  # when it became ready
        self._out_of_hand = False  # part of the answer has gone out
        self._errors: ErrorStream | None = None  # what it wrote to its standard error
        self._redirects = 0
        self._redirect = ""
        self._over: Problem | None = None  # why we ended the script

    # --- the request arrives ------------------------------------------------------------------

    @property
    def is_owed(self) -> bool:
        """Whether the peer still has to send some of the body."""
        return self.arrival is not None and self.arrival.is_owed

    def opened(self) -> None:
        """Start, or wait for the body: the variables are here."""
        settings = self.worker.settings
        try:
            ends = settings.protocol == "fastcgi"
            if announced_length(self.variables, ends) != 0:
                self.arrival = Arrival(self.variables, ends, settings.body, settings.temporary)
                self._script = self._find()  # what cannot be answered needs no body
        except Problem as problem:
            self._fail(problem)
            return
        if self.arrival is None:
            self.start()

    def body(self, data: bytes) -> None:
        """Take a piece of the body; b"" is its end, early or not."""
        arrival = self.arrival
        if arrival is None or not arrival.is_owed or self.connection is None:
            return
        try:
            arrival.take(data)
        except Problem as problem:
            self._abort(problem)
            return
        if self.child is not None:
            self.child.feed()
            if not arrival.is_owed:
                self._arrived()
        elif not self._asked_for and (not arrival.is_owed or self._may_start_early(arrival)):
            if arrival.length is not None:  # it was not announced, where the body came in chunks
                self.variables["CONTENT_LENGTH"] = str(arrival.length or "")
            self.start()

    def _may_start_early(self, arrival: Arrival) -> bool:
        """Whether the script may start before its body is whole, and read it as it comes: where its
        length is known, and places stay free for those who are faster (S18).
        """
        if arrival.length is None or arrival.waiting < CHUNK:
            return False
        idle = self.connection is not None and not self.connection.waiting
        return idle and self.worker.has_plenty()

    def _arrived(self) -> None:
        """Let the answer go out: the body is whole, while the script runs."""
        if self.connection is None:
            return
        self.worker.connections.release(self.connection)
        if self._may_end_early and self._header is not None and self._header.is_whole:
            self._finish(0)
        elif self.child is not None and not self.child.done:
            self.worker.hold(self)

    def late(self) -> None:
        """Give up waiting for the body."""
        self._abort(Problem(408, "The request's body did not arrive in time."))

    def _abort(self, problem: Problem) -> None:
        """Answer with a problem, whatever the script does, and end it."""
        self._over = problem
        self._fail(problem)
        self._end_script()

    # --- the script starts --------------------------------------------------------------------

    def start(self) -> None:
        """Find the script and start it, now or when there is room for it."""
        self._asked_for = True
        if self.connection is None or not self.worker.admit(self):
            return
        try:
            self._script = self._script or self._find()
            self._launch(self._script)
        except Problem as problem:
            self._fail(problem)

    def _find(self) -> "Script":
        return script_for(self.variables, self.worker.settings, self.worker.single)

    def _launch(self, script: "Script") -> None:
        worker, settings = self.worker, self.worker.settings
        variables, words = script_environ(self.variables, script, worker.allowed, settings)
        if worker.allowed.dropped:
            worker.report_dropped()
        program = worker.program_for(script.file) if settings.warm else None
        if program is not None and not worker.allowed.at_start.isdisjoint(variables):
            program = None  # they are read by an interpreter that starts
        child = Child(worker, self)
        arrival = self.arrival
        child.start(script.file, program, words, variables, arrival)
        self.child = child
        if arrival is not None and arrival.is_owed and self.connection is not None:
            # A web server may stop sending the body once it has the header of the answer, as nginx does
            worker.connections.restrain(self.connection)
        worker.exchanges.add(self)

    def not_started(self, why: int) -> None:
        """Answer that the script could not be started; `why` is an errno."""
        what = f"The server cannot start a script now: {os.strerror(why)}."
        fix = "Try again; if it lasts, too much is running on this machine."
        self._fail(Problem(503, what, fix, headers=(("Retry-After", "5"),)))

    # --- the script runs ----------------------------------------------------------------------

    def output(self, data: bytes | memoryview) -> None:
        """Take a piece of the script's output; of a view nothing is needed once all has been sent."""
        if self.connection is None or self._redirect or self._over:
            if self._judged and self._header is not None:
                self._header.passed(data)  # which counts what is beyond its length
            return
        try:
            self._take(data)
        except Problem as problem:
            self._over = problem
            if self.child is not None:
                self.child.terminate()

    def _take(self, data: bytes | memoryview) -> None:
        header = self._header
        if self._judged:
            if header is not None:
                data = header.passed(data)
        else:
            if header is None:
                header = self._header = Header(
                    self.worker.verdicts,
                    nph=self._script is not None and self._script.is_nph,
                    head=self.variables.get("REQUEST_METHOD") == "HEAD",
                )
            written = header.feed(bytes(data))
            if written is None:
                return
            if header.redirect and self._is_ours(header.redirect):
                self._redirect = header.redirect
                return
            self._judged = True
            data = written
        if self._out_of_hand:
            self._pass_on(data)
        else:
            self._answered = self._answered or self.worker.now
            self._answer += data
        if header is not None and header.is_whole and self._may_end_early:
            self._finish(0)  # the script may have more to do, but nobody has to wait for that
        elif len(self._answer) > CHUNK:
            self._flush()
        elif self._answer and not self._is_small():
            self.worker.hold(self)

    def _is_small(self) -> bool:
        """Whether the rest of the answer is waited for: where it does not come, a page can say so, and
        no web server has to be trusted to tell its client that a part is not the whole.
        """
        header = self._header
        return header is not None and header.is_short and (header.announced or 0) <= CHUNK

    def _is_ours(self, target: str) -> bool:
        """Whether a local redirect is ours to follow. `Problem` where they have no end."""
        if self.worker.single or not is_below(target, self.worker.settings.prefix):
            return False
        if self._redirects >= MAX_REDIRECTS:
            raise too_many_redirects(target)
        return True

    @property
    def _may_end_early(self) -> bool:
        """Whether an answer of which all has come may end while its script lives. Not while some of the
        body is owed, nor where the web server is to have all of the script's standard error.
        """
        return self._judged and not self.is_owed and not self.worker.settings.stderr_out

    def errors(self, data: bytes) -> None:
        """Pass on what the script wrote to its standard error: into our own log or, where that was
        asked for, to the web server, as long as it can be told anything.
        """
        connection = self.connection
        sent = self.worker.settings.stderr_out and connection is not None
        if sent and connection is not None:
            records = connection.codec.errors(self.request, data)
            self.worker.connections.send(connection, [records])
        if self._errors is None:
            self._errors = ErrorStream(self.worker.log)
        self._errors.take(self.name(), data, sent=sent)

    def look_again(self) -> None:
        """Send what has been held back; ask again whether a script has ended that closed its output."""
        child = self.child
        if child is not None and child.eof_at and not child.done and self.connection is not None:
            child.reap()
            if child.done:
                return
            if self.worker.now - child.eof_at < _REAPED:
                self.worker.hold(self)
            elif self._may_end_early and self._header is not None and not self._redirect:
                self._conclude(breach(self._header, 0))  # it lives on without an output
            elif not self._is_small():
                self._flush()
        elif self._answer and self.worker.now - self._answered < _HELD:
            self.worker.hold(self)
        elif not self._is_small():
            self._flush()

    def _flush(self) -> None:
        if self._answer:
            data, self._answer = self._answer, b""
            self._pass_on(data)

    def _pass_on(self, data: bytes | memoryview) -> None:
        if data and self.connection is not None:
            self._out_of_hand = True
            self.worker.connections.send(
                self.connection, self.connection.codec.pieces(self.request, data)
            )

    # --- what takes too long ------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        child, settings, now = self.child, self.worker.settings, self.worker.now
        if child is None:
            return
        if child.is_ending:
            child.kill_if_due()
            child.reap()
        elif now - child.started > settings.total:
            self._stop(f"was ended after {settings.total:g} seconds")
        elif child.is_hungry and self.is_owed:
            pass  # it is the peer that is waited for, and whose clock runs
        elif not self._judged and now - max(child.started, child.fed) > settings.timeout:
            self._stop(f"did not complete its headers within {settings.timeout:g} seconds")
        elif self._judged and child.is_silent and now - child.heard > settings.timeout:
            self._stop(f"was silent for {settings.timeout:g} seconds and was ended")
        elif child.eof_at or (child.is_silent and now - child.heard > _LINGER):
            child.reap()  # not one that is held back: its pipe holds what the peer has yet to take

    def _stop(self, what: str) -> None:
        fix = "Print the headers early and flush, or allow more time with --timeout."
        self._over = Problem(504, f"The script {what}.", fix)
        if self._out_of_hand or self.connection is None:  # otherwise it is logged with the answer
            self.worker.log(f"{self.name()}: the script {what}")
        if self.child is not None:
            self.child.terminate()

    def abandon(self) -> None:
        """End the script: nobody waits for the answer any more."""
        connection, self.connection = self.connection, None
        if connection is not None and connection.exchange is self:  # aborted: the peer wants an end
            if connection.is_held:
                connection.drop()
                self.worker.connections.release(connection)
            self.worker.connections.send(connection, [connection.codec.finish(self.request)])
            self.worker.connections.finished(connection)
        self._end_script()

    def _end_script(self) -> None:
        """End the script, or take it out of the queue; nobody needs its input any more."""
        if self in self.worker.queue:
            self.worker.queue.remove(self)
        if self.arrival is not None:
            self.arrival.drop()
        if self.child is not None:
            self.child.terminate()

    # --- the script has ended -----------------------------------------------------------------

    def ended(self, status: int) -> None:
        """Answer: the script has ended, with this exit status or, negative, by this signal."""
        if self._errors is not None:
            sent = self.worker.settings.stderr_out and self.connection is not None
            self._errors.end(self.name(), sent=sent)
        if self.arrival is not None:
            self.arrival.drop()
        problem = self._over
        if self.connection is not None:
            if problem is not None and self._judged and self._is_whole():
                problem = None  # logged when it was ended
            elif problem is None and not self._redirect:
                problem = self._wrong(status)
        # What judges the output by itself says how the script ended, too
        said = complaint(self._header, status) if self.worker.settings.interpret else ""
        if said and problem is None and not self._over:
            self.worker.log(f"{self.name()}: {said}")
        if self.connection is None:
            return
        if problem is None and self._redirect:
            self._again(self._redirect)
        else:
            self._conclude(problem, status & 0xFFFFFFFF)

    def _wrong(self, status: int) -> Problem | None:
        """Return why the script's end leaves no whole answer, None where it does."""
        if self._judged:
            return breach(self._header, status)
        file = self._script.file if self._script is not None else ""
        return silence(self._header, file, status, self.worker.base.get("PATH", ""))

    def _is_whole(self) -> bool:
        return self._header is not None and self._header.is_whole

    def _conclude(self, problem: Problem | None, status: int = 0) -> None:
        """End the answer: no more will come of it."""
        if problem is not None:
            self._fail(problem)
        else:
            self._finish(status)

    def _again(self, target: str) -> None:
        """Follow a local redirect: the same request for another path, without its body (R45)."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        try:
            self.variables = redirected(self.variables, target)
        except Problem as problem:
            self.connection = connection
            self._fail(bad_redirect(target, problem))
            return
        self.worker.connections.release(connection)
        following = Exchange(self.worker, connection, self)
        following._redirects = self._redirects + 1
        connection.exchange = following
        self.worker.guarded(following.crashed, following.start)

    # --- the answer goes out ------------------------------------------------------------------

    def _finish(self, status: int) -> None:
        """Send the rest of the answer and its end."""
        if len(self._answer) > CHUNK:
            self._flush()  # which copies nothing
        connection, self.connection = self.connection, None
        if connection is None:
            return
        data, self._answer = self._answer, b""
        self.worker.connections.last(
            connection, connection.codec.finish(self.request, status, data)
        )
        if self.child is not None and not self.child.done:
            self.child.unheeded()
        if connection not in self.worker.connections:
            return  # lost while sending
        # Closed before its last record has come, even an empty one, the peer's write would fail, and
        # some then answer 502 or 503 instead of what they were sent
        if self.is_owed or not (connection.codec.keep or connection.codec.complete):
            self.worker.connections.linger(connection)
        else:
            self.worker.connections.finished(connection)

    def _cut(self) -> None:
        """Part of an answer is out and the rest will not come: nobody may take it for the whole."""
        connection, self.connection = self.connection, None
        if connection is not None:
            if self.child is not None and not self.child.done:
                self.child.unheeded()
            self.worker.connections.cut(connection)

    def refuse(self, why: str) -> None:
        """Answer that there is no room."""
        self._fail(Problem(503, f"The server is busy: {why}.", headers=(("Retry-After", "5"),)))

    def _fail(self, problem: Problem) -> None:
        """Answer with the page of a problem, or cut where part of an answer is out."""
        if problem.status >= 500 or problem.status == 413:
            self.worker.log(one_line(f"{self.name()}: {problem.log_text}"))
        elif line := self.worker.refusals.line(self.name(), problem):
            self.worker.log(line)
        if self._out_of_hand and not self._take_back():
            self._cut()
            return
        from ..host.page import error_page, own_response

        script = self._script.script_name if self._script else ""
        page = error_page(
            problem, details=self.worker.settings.debug, script=script, log=self._tail()
        )
        block = written_block(own_response(problem.status, page, problem.headers))
        self._answer = block if self.variables.get("REQUEST_METHOD") == "HEAD" else block + page
        self._finish(0)

    def crashed(self, incident: str) -> None:
        """End after an error that nobody expected, and that the log has under the number `incident`."""
        self.worker.forget(self)
        if self.child is not None:
            self.child.drop()
        connection = self.connection
        if connection is None:
            return
        try:
            self._fail(Problem(500, f"The server failed on this request: incident {incident}."))
        except Exception:
            self.worker.connections.drop(connection)
        self.connection = None

    def give_up(self, problem: Problem) -> None:
        """Answer with a problem, or cut: this worker ends now."""
        if self.child is not None:
            self.child.drop()
        self._fail(problem)

    def _take_back(self) -> bool:
        """Take back what has been held of the answer. False where some of it went out."""
        if self.connection is None or not self.connection.is_held:
            return False
        self.connection.drop()
        if self.worker.settings.stderr_out and (tail := self._tail()):  # it was dropped as well
            what = "".join([f"{line}\n" for line in tail]).encode("utf-8", "backslashreplace")
            records = self.connection.codec.errors(self.request, what)
            self.worker.connections.send(self.connection, [records])
        self._out_of_hand = False
        return True

    def _tail(self) -> list[str]:
        return [] if self._errors is None else self._errors.tail

    def name(self) -> str:
        """Return what the log calls the request: its script, or its path as far as it can be read."""
        if self._script is not None:
            return one_line(self._script.script_name)
        try:
            return one_line(path_of(self.variables)[0])
        except Problem:
            return one_line(self.variables.get("REQUEST_URI", ""))
