"""One request on its way through a worker: from its variables to a script and back to the web server.

In order: `opened` and `body` as the request arrives, `start` when a child may run, output and errors
as they come, `tick` for what takes too long, and an end in every case: an answer, a page that says what
was wrong, or a connection that is cut because part of an answer is out. Nothing here blocks.

The same decisions for one thread a request, behind WSGI, are in `wsgi.py` and `spawn.py`.
"""

import os
import signal
from contextlib import suppress

from .output import LocalRedirect, NPHParser, OutputParser, ScriptResponse, is_local
from .path import Script, find
from .problem import Problem
from .requestvariables import passed_on, path_of, redirected
from .text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cgikit.gateway.wire import Opened

    from .program import Program
    from .worker import Connection, Worker

_CHUNK = 65_536  # the size of a pipe on Linux
_MOST_PENDING = 262_144  # bytes of a body that wait for the script to read
_IN, _OUT = 1, 4  # as in `select`
_LINE = 8_192  # bytes of standard error after which a line is broken
_TAIL = 20  # lines of standard error that an error page shows
_LINGER = 1.0  # seconds of silence granted to what a script that has ended left behind
_REAPED = 0.05  # seconds between the end of a script's output and its own end
MAX_REDIRECTS = 10  # R45
MAX_VERDICTS = 1_000  # header blocks that are known by heart
_KNOWN_SIZE = 512  # bytes of such a block


class Exchange:
    """One request. `asked` is when it was made, `heard` when its script last wrote something."""

    def __init__(
        self, worker: "Worker", connection: "Connection", event: "Opened | Exchange"
    ) -> None:
        self.worker = worker
        self.connection: Connection | None = connection
        self.request: int = event.request
        self.variables: dict[str, str] = event.variables
        self.asked = self.heard = worker.now
        self.started = 0.0
        self.slot = -1
        self.pid = 0
        self.done = False  # the child has ended, or there was none
        self._reaping = False  # whoever forked it was asked to
        self.waits_for_body = False
        self._out = self._err = self._in = -1
        self._left = 0  # bytes of the body that the peer still has to send
        self._pending = bytearray()  # of the body, for the script
        self._script: Script | None = None
        self._parser: OutputParser | None = None
        self._judged = not worker.settings.interpret
        self._mute = False
        self._empty = True
        self._answer = b""  # what is ready to go out
        self._out_of_hand = False  # part of the answer has gone out
        self._size = 0
        self._announced: int | None = None
        self._line = bytearray()
        self._tail: list[str] = []
        self._redirects = 0
        self._redirect = ""
        self._paused = False
        self._kill_at = 0.0
        self._over: Problem | None = None  # why we ended the script
        self._eof_at = 0.0

    # --- the request arrives ------------------------------------------------------------------

    def opened(self) -> None:
        """Start, or wait for as much of the body as a pipe can hold: the variables are here."""
        length = self.variables.get("CONTENT_LENGTH", "")
        if length:
            if not (length.isascii() and length.isdigit() and len(length) <= 18):
                self._fail(Problem(400, "The request's Content-Length is not a number."))
                return
            self._left = int(length)
        elif "HTTP_TRANSFER_ENCODING" in self.variables:
            self._fail(Problem(411, "The request's body has no Content-Length."))  # R39
            return
        if self._left:
            self.waits_for_body = True
        else:
            self.start()

    def body(self, data: bytes) -> None:
        """Take a piece of the body; b"" is its end, early or not."""
        if self.done:
            return
        if data and self._left:
            data = data[: self._left]
            self._left -= len(data)
            self._pending += data
        elif not data:
            self._left = 0
        if self.waits_for_body and (not self._left or len(self._pending) >= _CHUNK):
            self.waits_for_body = False
            self.start()
        elif self._in >= 0:
            self._feed()
        if len(self._pending) > _MOST_PENDING and self.connection is not None:
            self.worker.poll(self.connection, self.connection.mask & ~_IN)

    def late(self) -> None:
        """Give up waiting for the body."""
        self._fail(Problem(408, "The request's body did not arrive in time."))

    # --- the script starts --------------------------------------------------------------------

    def start(self) -> None:
        """Find the script and start it, now or when there is room for it."""
        if self.connection is None or not self.worker.admit(self):
            return
        try:
            script = self._script = self._find()
            self._launch(script)
        except Problem as problem:
            self._fail(problem)

    def _find(self) -> Script:
        """Return the script that the request is for: a file below the root, whatever the peer says
        SCRIPT_FILENAME is (S25).
        """
        settings = self.worker.settings
        path, rest = path_of(self.variables)
        if self.worker.single:
            return Script(settings.root, *_cut(path, rest, settings.prefix))
        path += rest
        prefix = settings.prefix
        if prefix:
            if not path.startswith(prefix + "/"):
                raise Problem(
                    404,
                    f"{path} is not below {prefix}, which --prefix names.",
                    "Let the prefix be the URL path at which the web server serves the scripts.",
                )
            path = path[len(prefix) :]
        place = find(settings.root, path)
        if not isinstance(place, Script):
            raise Problem(404, f"{path} is a directory.", "Ask for a script in it.")
        if prefix:
            place.script_name = prefix + place.script_name
        return place

    def _launch(self, script: Script) -> None:
        worker, settings = self.worker, self.worker.settings
        variables, words = passed_on(self.variables, script, worker.base, settings)
        program = self._program(script.file) if settings.warm else None
        if program is not None and any(name.startswith("PYTHON") for name in variables):
            program = None  # they are read by an interpreter that starts
        ends = self._pipes()
        try:
            worker.launch(self, script.file, program, words, variables, ends)
        finally:
            for fd in ends:
                if fd != worker.null:
                    os.close(fd)
        self.started = self.heard = worker.now
        worker.watch(self._out, _IN, self._on_out)
        worker.watch(self._err, _IN, self._on_err)
        if self._in >= 0:
            self._feed()

    def _program(self, file: str) -> "Program | None":
        """Return the script, or None where it needs an interpreter of its own."""
        worker = self.worker
        program = worker.programs.get(file, os.stat(file))
        if program.warm:
            if worker.must_start_anew():
                return None
            hiding = worker.fresh.hidden_by(program)
            if not hiding:
                return program
            worker.cold(file, f"{hiding} hides a module")
        else:
            worker.cold(file, program.why)
        return None

    def _pipes(self) -> tuple[int, int, int]:
        """Make the script's three descriptors; keep the other ends."""
        opened: list[int] = []
        try:
            if self._pending or self._left:
                opened += os.pipe()
            opened += os.pipe()
            opened += os.pipe()
        except OSError as error:
            for fd in opened:
                os.close(fd)
            told = f"The server cannot open more files: {error.strerror}."
            raise Problem(503, told, headers=(("Retry-After", "5"),)) from error
        if len(opened) == 6:
            self._in = opened[1]
            os.set_blocking(self._in, False)
            stdin = opened[0]
            del opened[:2]
        else:
            stdin = self.worker.null
        self._out, self._err = opened[0], opened[2]
        return stdin, opened[1], opened[3]

    def forked(self, pid: int) -> None:
        """Take note of the script's process, or, if `pid` is negative, of why there is none."""
        if pid > 0:
            self.pid = pid
            if self._kill_at:  # it was to be ended before it was known
                self._signal(signal.SIGTERM)
            return
        self.done = True
        self._close_pipes()
        self.worker.ended(self)
        self._fail(
            Problem(
                503,
                f"The server cannot start {self._name()} now: {os.strerror(-pid)}.",
                "Try again; if it lasts, too much is running on this machine.",
                headers=(("Retry-After", "5"),),
            )
        )

    # --- the script runs ----------------------------------------------------------------------

    def _feed(self) -> None:
        """Hand the script what its pipe takes of the body."""
        try:
            while self._pending:
                del self._pending[: os.write(self._in, self._pending[:_CHUNK])]
        except BlockingIOError:
            self.worker.unwatch(self._in)
            self.worker.watch(self._in, _OUT, self._on_in)
            return
        except BrokenPipeError:  # it does not want the rest, which is its right
            self._pending.clear()
            self._unfeed()
            return
        self.worker.unwatch(self._in)
        if not self._left:
            self._unfeed()
        elif self.connection is not None:
            self.worker.poll(self.connection, self.connection.mask | _IN)

    def _on_in(self, mask: int) -> None:
        self._feed()

    def _unfeed(self) -> None:
        if self._in >= 0:
            self.worker.unwatch(self._in)
            os.close(self._in)
            self._in = -1

    def _on_out(self, mask: int) -> None:
        try:
            data = os.read(self._out, _CHUNK)
        except OSError:
            data = b""
        if data:
            self.heard = self.worker.now
            self._empty = False
            if self.connection is not None and not self._redirect:
                try:
                    self._take(data)
                except Problem as problem:
                    self._end_with(problem)
            return
        self.worker.unwatch(self._out)
        os.close(self._out)
        self._out = -1
        self._eof_at = self.worker.now
        self._reap()
        if not self.done:
            self.worker.hold(self)

    def _take(self, data: bytes) -> None:
        """Take a piece of the script's output."""
        if not self._judged:
            data = self._judge(data)
            if not self._judged or self._redirect:
                return
        else:
            self._size += len(data)
            data = b"" if self._mute else data
        if data:
            self._answer += data
        whole = self._announced is not None and self._size >= self._announced
        if whole:  # it may have more to do, but nobody has to wait for that
            self._finish(0)
        elif self._out_of_hand or len(self._answer) > _CHUNK:
            self._flush()
        else:
            self.worker.hold(self)

    def _judge(self, data: bytes) -> bytes:
        """Read the header block; return what goes out for it, with the beginning of the body."""
        block = b""
        if self._parser is None:
            end = min(_after(data, b"\n\n"), _after(data, b"\n\r\n"))
            block = data[:end] if end <= _KNOWN_SIZE else b""
            known = self.worker.verdicts.get(block)
            if known is not None and not self.is_nph and self.variables["REQUEST_METHOD"] != "HEAD":
                head, self._announced = known
                self._judged = True
                self._size = len(data) - end
                return head + data[end:]
            self._parser = NPHParser() if self.is_nph else OutputParser()
        found = self._parser.feed(data)
        if found is None:
            return b""
        if isinstance(found, LocalRedirect) and self._redirect_to(found.target):
            return b""
        if isinstance(found, LocalRedirect):
            found = ScriptResponse(302, "Found", (("Location", found.target),), found.rest)
            head = b"Location: " + found.headers[0][1].encode("latin-1") + b"\r\n\r\n"
            block = b""
        else:
            head = _head(found)
        self._judged = True
        self._announced = found.content_length
        self._size = len(found.rest)
        self._mute = self.variables["REQUEST_METHOD"] == "HEAD" or found.status in (204, 304)  # R40
        if self._mute:
            return head
        if block and not self.is_nph and len(self.worker.verdicts) < MAX_VERDICTS:
            self.worker.verdicts[block] = head, self._announced
        return head + found.rest

    @property
    def is_nph(self) -> bool:
        """Whether the script writes complete HTTP responses (R42)."""
        return self._script is not None and os.path.basename(self._script.file).startswith("nph-")

    def _redirect_to(self, target: str) -> bool:
        """Whether a local redirect is ours to follow: to another script below the same prefix (R45).

        Another path is the web server's, which gets the Location as the script printed it.
        """
        prefix = self.worker.settings.prefix
        path = target.partition("?")[0]
        if self.worker.single or not is_local(target) or not path.startswith(prefix + "/"):
            return False
        if self._redirects >= MAX_REDIRECTS:
            raise Problem(
                500,
                f"More than {MAX_REDIRECTS} local redirects in a row.",
                "Look for scripts whose Location leads back to themselves.",
                evidence=f"the last one: {target}",
            )
        self._redirect = target
        return True

    def _on_err(self, mask: int) -> None:
        try:
            data = os.read(self._err, _CHUNK)
        except OSError:
            data = b""
        if data:
            self._errors(data)
            return
        self.worker.unwatch(self._err)
        os.close(self._err)
        self._err = -1

    def _errors(self, data: bytes) -> None:
        """Pass on what the script wrote to its standard error."""
        sent = b""
        if self.connection is not None:
            sent = self.connection.codec.errors(self.request, data)
            if sent:
                self.worker.send(self.connection, sent)
        *lines, rest = (bytes(self._line) + data).split(b"\n")
        while len(rest) > _LINE:
            lines.append(rest[:_LINE])
            rest = rest[_LINE:]
        self._line[:] = rest
        for line in lines:
            text = one_line(line.removesuffix(b"\r").decode("utf-8", "backslashreplace"), 4 * _LINE)
            self._tail = [*self._tail[1 - _TAIL :], text]
            if not sent:
                self.worker.log(f"{self._name()}: {text}")

    def pause(self) -> None:
        """Let the script wait: the peer is slower than it."""
        self._paused = True
        for fd in (self._out, self._err):
            if fd >= 0:
                self.worker.unwatch(fd)

    def resume(self) -> None:
        """Let the script go on: the peer has taken what waited."""
        if self._paused:
            self._paused = False
            self.heard = self.worker.now
            for fd, handler in ((self._out, self._on_out), (self._err, self._on_err)):
                if fd >= 0:
                    self.worker.watch(fd, _IN, handler)

    def flush(self) -> None:
        """Send what has been held back, or look again whether the script has ended."""
        if self._eof_at and not self.done and self.connection is not None:
            self._reap()
            if self.worker.now - self._eof_at < _REAPED:
                self.worker.hold(self)
                return
            if self._judged and not self._redirect:  # it closed its output and lives on
                self._finish(0)
        self._flush()

    def _flush(self) -> None:
        if self._answer and self.connection is not None:
            data, self._answer = self._answer, b""
            self._out_of_hand = True
            self.worker.send(self.connection, self.connection.codec.output(self.request, data))

    # --- what takes too long ------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        now, settings = self.worker.now, self.worker.settings
        if self._kill_at:
            if now > self._kill_at:
                self._signal(signal.SIGKILL)
            self._reap_if_ended()
            return
        took, limit = now - self.started, settings.timeout
        if took > settings.total:
            self._stop(_too_long("was ended", settings.total))
        elif not self._judged and took > limit:
            self._stop(_too_long("did not complete its headers", limit))
        elif self._judged and self._out >= 0 and not self._paused and now - self.heard > limit:
            self._stop(_too_long("was silent", limit))
        elif now - self.heard > _LINGER or self._out < 0:
            self._reap_if_ended()

    def _reap_if_ended(self) -> None:
        """See to a script that has ended and left processes behind which hold its output."""
        if self._out < 0 or self.worker.now - self.heard > _LINGER:
            self._reap()

    def _stop(self, problem: Problem) -> None:
        self._over = problem
        self.worker.log(f"{self._name()}: {problem.what}")
        self._terminate()

    def _terminate(self) -> None:
        self._kill_at = self.worker.now + self.worker.settings.grace
        self._signal(signal.SIGTERM)

    def _signal(self, number: int) -> None:
        if self.pid and not self._reaping and not self.done:  # so the number is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, number)

    def abandon(self) -> None:
        """Nobody waits for the answer any more: end the script."""
        connection, self.connection = self.connection, None
        if connection is not None and connection.exchange is self:  # aborted: the peer wants an end
            self.worker.send(connection, connection.codec.finish(self.request))
            self.worker.finished(connection)
        if self in self.worker.queue:
            self.worker.queue.remove(self)
        if not self.started:
            self.done = True
        elif not self.done and not self._kill_at:
            self._terminate()

    # --- the script has ended -----------------------------------------------------------------

    def _reap(self) -> None:
        """Answer if the script has left by itself, and have it reaped; ask whether it has ended if not.

        What is left of its process group is ended by whoever reaps it.
        """
        if self.done or self._reaping or not self.pid:
            return
        self._reaping = True
        self.worker.reap(self)
        status = self.worker.left_with(self)
        if status is not None:
            self._gone(status)

    def reaped(self, status: int | None) -> None:
        """Take note of how the script ended; None: it lives."""
        self._reaping = False
        if status is None:
            if self._eof_at:
                self.worker.hold(self)
        elif not self.done:
            self._gone(status)

    def _gone(self, status: int) -> None:
        self.done = True
        self._close_pipes()
        self.worker.ended(self)
        self._conclude(status)

    def _close_pipes(self) -> None:
        self._unfeed()
        if self._err >= 0:
            os.set_blocking(self._err, False)
            with suppress(OSError):
                for _ in range(16):  # bounded: what left the group may go on writing
                    data = os.read(self._err, _CHUNK)
                    if not data:
                        break
                    self._errors(data)
        if self._line:
            self._errors(b"\n" if self.connection is None else b"")
        for fd in (self._out, self._err):
            if fd >= 0:
                self.worker.unwatch(fd)
                os.close(fd)
        self._out = self._err = -1

    def _conclude(self, status: int) -> None:
        if status and not self._over:
            self.worker.log(f"{self._name()}: {_ending(status)}")
        if self.connection is None:
            return
        if self._over is not None:
            self._fail(self._over)
        elif self._redirect:
            self._again()
        elif self._judged and not (self._empty and self.worker.settings.interpret):
            whole = self._announced is None or self._size >= self._announced
            if (status < 0 and not whole) or (
                status < 0 and self._announced is None and self._out_of_hand
            ):
                self._cut()
            else:
                self._finish(status & 0xFFFFFFFF)
        else:
            self._fail(self._silence(status))

    def _silence(self, status: int) -> Problem:
        """Return why there is no answer."""
        if self._parser is not None or self._script is None:
            return (self._parser or OutputParser()).end()
        from .diagnosis import silence_problem  # what goes wrong rarely costs nothing until it does

        return silence_problem(self._script.file, status, self.worker.base.get("PATH", ""))

    def _again(self) -> None:
        """Follow a local redirect: the same request for another path, without its body (R45)."""
        target, connection = self._redirect, self.connection
        if connection is None:
            return
        redirects = self._redirects + 1
        self.variables = redirected(self.variables, target)
        following = Exchange(self.worker, connection, self)
        following._redirects = redirects
        connection.exchange = following
        self.connection = None
        following.start()

    # --- the answer goes out ------------------------------------------------------------------

    def _finish(self, status: int) -> None:
        """Send the rest of the answer and its end."""
        connection, self.connection = self.connection, None
        if connection is None:
            return
        data, self._answer = self._answer, b""
        unread = self._left > 0
        self.worker.send(connection, connection.codec.finish(self.request, status, data))
        if connection.fd not in self.worker.connections:
            return  # lost while sending
        if unread:
            self.worker.linger(connection)
        else:
            self.worker.finished(connection)

    def _end_with(self, problem: Problem) -> None:
        """End the script, whose output is wrong, then answer with the page."""
        self._over = problem
        self.worker.unwatch(self._out)
        if not self._kill_at:
            self._terminate()

    def _cut(self) -> None:
        """Part of an answer is out and the rest will not come: nobody may take it for the whole."""
        connection, self.connection = self.connection, None
        if connection is not None:
            connection.exchange = None
            self.worker.close(connection)

    def refuse(self, why: str) -> None:
        """Answer that there is no room."""
        self._fail(Problem(503, f"The server is busy: {why}.", headers=(("Retry-After", "5"),)))

    def _fail(self, problem: Problem) -> None:
        """Answer with the page of a problem, or cut where part of an answer is out."""
        if not self.started:
            self.done = True
        if problem.status >= 500:
            evidence = f"({problem.evidence})" if problem.evidence else ""
            told = " ".join(filter(None, (problem.what, problem.fix, evidence)))
            self.worker.log(one_line(f"{self._name()}: {told}"))
        if self.connection is None:
            return
        if self._out_of_hand:
            self._cut()
            return
        from .page import error_page

        script = self._script.script_name if self._script else ""
        page = error_page(
            problem, details=self.worker.settings.debug, script=script, log=self._tail
        )
        fields = [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(page))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),  # S28
            *problem.headers,
        ]
        mute = self.variables.get("REQUEST_METHOD") == "HEAD"
        response = ScriptResponse(problem.status, "", tuple(fields))
        self._answer = _head(response) + (b"" if mute else page)
        self._finish(0)

    def _name(self) -> str:
        return one_line(self._script.script_name if self._script else path_of(self.variables)[0])


def _cut(path: str, rest: str, prefix: str) -> tuple[str, str]:
    """Return SCRIPT_NAME and PATH_INFO where the root is a single script."""
    whole = path + rest
    if prefix and (whole == prefix or whole.startswith(prefix + "/")):
        return prefix, whole[len(prefix) :]
    return path, rest


def _after(data: bytes, mark: bytes) -> int:
    found = data.find(mark)
    return found + len(mark) if found >= 0 else len(data) + 1


def _head(response: ScriptResponse) -> bytes:
    """Return a header block for the web server (RFC 3875 section 6.3)."""
    from .output import reason_of

    lines = [f"Status: {response.status} {response.reason or reason_of(response.status)}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _too_long(what: str, seconds: float) -> Problem:
    return Problem(
        504,
        f"The script {what} within {seconds:g} seconds."
        if what.startswith("did")
        else f"The script {what} after {seconds:g} seconds.",
        "Print the headers early and flush, or allow more time with --timeout.",
    )


def _ending(status: int) -> str:
    return f"exited with status {status}" if status > 0 else f"was killed by signal {-status}"
