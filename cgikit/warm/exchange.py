"""One request on its way through a worker: from its variables to a script and back to the web server.

In order: `opened` and `body` as the request arrives, `start` when a script may run, `tick` for what
takes too long, and `ended`, or `abandon` if the client disconnects first. Nothing here blocks. The
table in `exchangestate.py` says which of these can happen when. `reply.py` sends the answer to the web
server, `launcher.py` starts the script, and `child.py` is its process.

The same decisions for one thread per request, under WSGI, are in `host/wsgi.py`.
"""

from ..host.output import bad_redirect
from ..host.problem import Problem
from .arrival import Arrival, announced_length
from .child import Child
from .ending import advice, breach, complaint, overdue, silence
from .exchangestate import (
    ARRIVING,
    ASKED,
    DONE,
    HEADER,
    JUDGED,
    LAUNCHED,
    OVER,
    READY,
    REDIRECT,
    SENDING,
)  # fmt: skip
from .loop import CHUNK
from .reply import Reply
from .requestvariables import redirected
from .target import script_for

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..host.path import Script

_LINGER = 1.0  # seconds of silence granted to what a script that has ended left behind
_COALESCE = 0.002  # seconds that the beginning of an answer waits for its end, to go out as one
_EXIT_GRACE = 0.25  # seconds granted to a script between the end of its output and its own end


class Exchange(Reply):
    """One request, from its arrival to its end."""

    # --- the request arrives ------------------------------------------------------------------

    def opened(self) -> None:
        """Start, or wait for the body: the variables are here."""
        settings = self.host.settings
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
        if arrival is None or not arrival.is_owed or self._state is DONE:
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
        elif self._state is ARRIVING and (not arrival.is_owed or self._may_start_early(arrival)):
            if arrival.length is not None:  # it was not announced if the body came in chunks
                self.variables["CONTENT_LENGTH"] = str(arrival.length or "")
            self.start()

    def _may_start_early(self, arrival: Arrival) -> bool:
        """Whether the script may start before its body is whole, and read it as it comes: if its
        length is known, and places stay free for those who are faster (S18).
        """
        if arrival.length is None or arrival.waiting < CHUNK:
            return False
        return not self.connection.outbox.waiting and self.host.places.has_plenty()

    def _arrived(self) -> None:
        """Let the answer go out: the body is whole, while the script runs."""
        if self._state is DONE:
            return
        self.connection.release()
        if self._may_end_early and self._header is not None and self._header.is_whole:
            self._finish(0)
        elif self.child is not None and not self.child.done:
            self.host.places.held.add(self)

    def body_timed_out(self) -> None:
        """Give up waiting for the body."""
        self._abort(Problem(408, "The request's body did not arrive in time."))

    def _abort(self, problem: Problem) -> None:
        """Answer with a problem, whatever the script does, and end it."""
        self._problem = problem
        self._fail(problem)
        self._end_script()

    # --- the script starts --------------------------------------------------------------------

    def start(self) -> None:
        """Find the script and start it, now or when there is a place for it."""
        if self._state is DONE:
            return
        self._state = ASKED[self._state]
        if not self.host.places.admit(self):
            return
        try:
            self._script = self._script or self._find()
            self._launch(self._script)
        except Problem as problem:
            self._fail(problem)

    def _find(self) -> "Script":
        return script_for(self.variables, self.host.settings, self.host.single)

    def _launch(self, script: "Script") -> None:
        host, arrival = self.host, self.arrival
        program, arguments, environ = host.launcher.prepare(self.variables, script)
        child = Child(host, self)
        child.start(script.file, program, arguments, environ, arrival)
        self.child = child
        self._state = LAUNCHED[self._state]
        if not host.settings.interpret:
            self._state = JUDGED[self._state]
        if arrival is not None and arrival.is_owed:
            # A web server may stop sending the body once it has the header of the answer, as nginx does
            self.connection.restrain()
        host.places.running.add(self)

    # --- the script runs ----------------------------------------------------------------------

    def output(self, data: bytes | memoryview) -> None:
        """Take a piece of the script's output. A view is not needed any more once all has been sent."""
        if self._state in (HEADER, READY, SENDING):
            try:
                if self._take(data):
                    self.host.places.held.add(self)
            except Problem as problem:
                self._stop(problem)
        elif self._header is not None:
            self._header.passed(data)  # this also counts the bytes beyond the announced length

    def recheck(self) -> None:
        """Send what has been held back; ask again whether a script has ended that closed its output."""
        child, now = self.child, self.host.loop.now
        if child is not None and child.eof_at and not child.done and self._state is not DONE:
            child.reap()
            if child.done:
                return
            if now - child.eof_at < _EXIT_GRACE:
                self.host.places.held.add(self)
            elif self._may_end_early and self._header is not None:
                self._conclude(breach(self._header, 0))  # it lives on without an output
            elif not self._is_small():
                self._flush()
        elif self._answer and now - self._answered < _COALESCE:
            self.host.places.held.add(self)
        elif not self._is_small():
            self._flush()

    # --- what takes too long ------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        child, now = self.child, self.host.loop.now
        if child is None:
            return
        if child.is_ending:
            child.kill_if_due()
            child.reap()
            return
        waits = child.is_hungry and self.is_owed  # for the peer, whose clock runs
        judged = self._state not in (HEADER, REDIRECT)
        what = overdue(child, self.host.settings, now, judged=judged, waits=waits)
        if what:
            if self._state in (SENDING, DONE):  # otherwise it is logged with the answer
                self.host.log(f"{self.name()}: the script {what}")
            fix = "Print the headers early and flush, or allow more time with --timeout."
            self._stop(Problem(504, f"The script {what}.", fix))
        elif not waits and (child.eof_at or (child.is_silent and now - child.heard > _LINGER)):
            child.reap()  # not one that is held back: its pipe holds what the peer has yet to take

    def abandon(self) -> None:
        """End the script: nobody waits for the answer any more."""
        if self._state is not DONE:
            self._state = OVER[self._state]
            if self.connection.exchange is self:  # aborted: the peer waits for an end record
                self.connection.abort(self.request)
        self._end_script()

    def _end_script(self) -> None:
        """End the script, or take it out of the queue; nobody needs its input any more."""
        self.host.places.withdraw(self)
        if self.arrival is not None:
            self.arrival.drop()
        if self.child is not None:
            self.child.terminate()

    # --- the script has ended -----------------------------------------------------------------

    def ended(self, status: int) -> None:
        """Answer: the script has ended, with this exit status or, if negative, by this signal."""
        waited_for = self._state is not DONE
        if self._errors is not None:
            self._errors.end(self.name(), sent=self.host.settings.stderr_out and waited_for)
        if self.arrival is not None:
            self.arrival.drop()
        problem = self._problem
        if waited_for:
            if problem is not None and self._is_whole():
                problem = None  # logged when it was stopped
            elif problem is None and self._state is not REDIRECT:
                problem = self._wrong(status)
        # Front ends that judge the output themselves also report how the script ended
        detail = complaint(self._header, status) if self.host.settings.interpret else ""
        if detail and problem is None and self._problem is None:
            self.host.log(f"{self.name()}: {detail}")
            for line in advice(self._script, status, self._tail()):
                self.host.log(f"{self.name()}: {line}")
        if self._state is REDIRECT and self._header is not None:
            self._follow_redirect(self._header.redirect)
        elif waited_for:
            self._conclude(problem, status & 0xFFFFFFFF)

    def _wrong(self, status: int) -> Problem | None:
        """Return why the script's end leaves no whole answer, or None if it does."""
        if self._state is not HEADER:
            return breach(self._header, status)
        file = self._script.file if self._script is not None else ""
        path = self.host.launcher.base.get("PATH", "")
        return silence(self._header, file, status, path, self._tail())

    def _follow_redirect(self, target: str) -> None:
        """Follow a local redirect: the same request for another path, without its body (R45)."""
        try:
            variables = redirected(self.variables, target)
        except Problem as problem:
            self._fail(bad_redirect(target, problem))
            return
        connection = self.connection
        connection.release()
        if self._state is DONE:
            return  # the connection was lost
        self._state = OVER[self._state]
        following = Exchange(
            self.host, connection, self.request, variables, redirects=self._redirects + 1
        )
        connection.exchange = following
        self.host.loop.guarded(following.crashed, following.start)

    def crashed(self, incident: str) -> None:
        """End after an error that nobody expected, and that the log has under the number `incident`."""
        self.host.places.forget(self)
        if self.child is not None:
            self.child.drop()
        if self._state is DONE:
            return
        try:
            self._fail(Problem(500, f"The server failed on this request: incident {incident}."))
        except Exception:
            self.connection.drop()
        self._state = DONE

    def give_up(self, problem: Problem) -> None:
        """Answer with a problem, or cut: this worker ends now."""
        if self.child is not None:
            self.child.drop()
        self._fail(problem)
