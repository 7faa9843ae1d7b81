"""A replacement for the class `http.server.CGIHTTPRequestHandler`, which Python 3.15 removed.

For programs that subclass it, or hand it to an `HTTPServer`; on the command line `cgikit serve` does
the same. The names are the old ones. Scripts are found, started and read by the parts of package
`host`, so that what they print is judged: it gets a status, an error page, or a line of the log.
"""

import io
import os
import sys
import tempfile
from collections.abc import Sequence
from http.server import SimpleHTTPRequestHandler
from typing import IO, BinaryIO, ClassVar

from ..host.argv import query_arguments
from ..host.diagnosis import removed_module, start_problem
from ..host.environ import ServerRequest, inherited, meta_variables, with_old_modules
from ..host.execlimits import check
from ..host.executor import Job, Run, TimeLimit, TimeLimits
from ..host.headerblock import read_header
from ..host.output import (
    MAX_REDIRECTS,
    LocalRedirect,
    ScriptResponse,
    too_many_redirects,
)
from ..host.path import Script, locate, segments, url_path
from ..host.problem import Problem
from ..host.spawn import Spawn
from ..host.wsgi import is_number

_IN_MEMORY = 262_144  # bytes of a body that wait for the script there; the rest waits on disk
_CHUNK = 65_536
_LAST_LINES = 50  # of a script's standard error, which may say why it ended
_REMEDY = "Give the handler's class compat = True"


class CGIHTTPRequestHandler(SimpleHTTPRequestHandler):
    """Serves files as `SimpleHTTPRequestHandler` does, and runs the scripts in `cgi_directories`.

    `is_cgi` decides what is run, and may be overridden: it sets `cgi_info`, a directory and the rest of
    the URL. Scripts get PATH, the locale and the variables of the server's environment that
    `inherited_variables` names, and may be silent for `timeouts`. `most_body` is in bytes. With
    `compat = True` scripts get cgikit's `cgi` and `cgitb` if their Python has none.
    """

    have_fork = True
    rbufsize = 0  # what follows the header is the script's
    cgi_directories: ClassVar[Sequence[str]] = ("/cgi-bin", "/htbin")
    inherited_variables: ClassVar[Sequence[str]] = ()
    timeouts = TimeLimits()
    most_body = 1 << 30
    compat = False
    cgi_info: tuple[str, str] = ("", "")

    def do_POST(self) -> None:
        """Run a script with the body of the request; anything else is a 501."""
        if self.is_cgi():
            self.run_cgi()
        else:
            self.send_error(501, "Can only POST to CGI scripts")

    def send_head(self) -> "io.BytesIO | BinaryIO | None":
        """Answer GET and HEAD: run a script, or do what the base class does."""
        if self.is_cgi():
            self.run_cgi()
            return None
        return super().send_head()

    def is_cgi(self) -> bool:
        """Return whether `self.path` is a script: it lies in one of `cgi_directories`."""
        path, mark, query = self.path.partition("?")
        try:
            names, slash = segments(path)
        except Problem:
            return False
        for count in range(len(names) + 1):
            directory = "/" + "/".join(names[:count])
            if directory in self.cgi_directories:
                rest = "/".join(names[count:]) + "/" * (slash and count < len(names))
                self.cgi_info = directory, rest + mark + query
                return True
        return False

    def is_executable(self, path: str) -> bool:
        """Return whether a file can be executed."""
        return os.access(path, os.X_OK)

    def is_python(self, path: str) -> bool:
        """Return whether a file has the name of a Python script."""
        return os.path.splitext(path)[1].lower() in {".py", ".pyw"}

    def run_cgi(self) -> None:
        """Run the script that `cgi_info` names, and send its answer."""
        executor = Spawn()
        try:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
                request = self._request(self._take_body(body))
                self._answer(executor, request, body)
        except Problem as problem:
            self.log_error("%s", problem.log_text)
            self.close_connection = True
            # The page of the base class puts a full stop after it
            self.send_error(problem.status, None, problem.message.removesuffix("."))
        finally:
            executor.close()

    def _take_body(self, body: IO[bytes]) -> int | None:
        """Read the body and return its length, or None if there is none."""
        length = self.headers.get("Content-Length")
        if length is None:
            if "Transfer-Encoding" in self.headers:
                raise Problem(411, "The request's body has no Content-Length.")
            return None
        if not is_number(length):
            raise Problem(400, "The request's Content-Length is not a number of bytes.")
        left = size = int(length)
        if size > self.most_body:
            raise Problem(413, f"The body has {size} bytes; {self.most_body} are allowed.")
        while left:
            data = self.rfile.read(min(left, _CHUNK))
            if not data:
                raise Problem(400, f"The body ended {left} bytes before its end.")
            body.write(data)
            left -= len(data)
        body.seek(0)
        return size

    def _request(self, length: int | None) -> ServerRequest:
        directory, rest = self.cgi_info
        path, _, query = f"{directory.rstrip('/')}/{rest}".partition("?")
        address = self.server.server_address  # no tuple where it is a UNIX socket
        host, port = address[:2] if isinstance(address, tuple) else ("localhost", 80)
        return ServerRequest(
            method=self.command,
            path=url_path(path),
            query=query,
            headers=tuple(self.headers.items()),
            content_length=length,
            content_type=self.headers.get("Content-Type", ""),
            protocol=self.request_version,
            server_name=getattr(self.server, "server_name", str(host)),
            server_port=str(port),
            remote_addr=self.client_address[0],
            remote_port=str(self.client_address[1]),
        )

    def _answer(self, executor: Spawn, request: ServerRequest, body: IO[bytes]) -> None:
        target = ""
        for _ in range(MAX_REDIRECTS + 1):
            place = locate(self.directory, request.path)
            if not isinstance(place, Script):
                raise Problem(403, f"{request.path} is not a script.")
            errors: list[str] = []
            run = self._start(executor, request, place, body, errors)
            try:
                output = self._header(run, place, errors)
                if isinstance(output, ScriptResponse):
                    self._send(output, run)
                    self._tell_end(run.close(), place, errors)
                    return
            finally:
                run.close()
            target = output.target
            request = request.redirected(target)
            self.path = request.target
            if not self.is_cgi():
                self.command = request.method
                file = super().send_head()
                if file is not None:
                    with file:
                        self.copyfile(file, self.wfile)
                return
        raise too_many_redirects(target)

    def _start(
        self,
        executor: Spawn,
        request: ServerRequest,
        script: Script,
        body: IO[bytes],
        errors: list[str],
    ) -> Run:
        def log(line: str) -> None:
            del errors[:-_LAST_LINES]
            errors.append(line)
            self.log_error("%s: %s", script.script_name, line)

        root = os.path.realpath(self.directory)
        variables = meta_variables(request, script, root, self.version_string())
        base = inherited(
            os.environ, self.inherited_variables, path_first=os.path.dirname(sys.executable)
        )
        if self.compat:
            base = with_old_modules(base)
        words = query_arguments(request.method, request.query)
        check(variables, words, base)
        job = Job(
            file=script.file,
            environment={**base, **variables},
            arguments=tuple(words),
            body=None if request.content_length is None else body,
            log=log,
            gone=lambda: False,
            limits=self.timeouts,
        )
        try:
            return executor.start(job)
        except OSError as error:
            raise start_problem(script.file, error, base["PATH"]) from error

    def _tell_end(self, status: int, script: Script, errors: list[str]) -> None:
        """Log how a script failed whose header was complete, and what to do if that is known."""
        if status:
            advice = removed_module(script.file, errors, _REMEDY)
            how = (
                f"exited with status {status}" if status > 0 else f"was killed by signal {-status}"
            )
            self.log_error("%s: %s", script.script_name, f"{how}. {advice}".rstrip(". "))

    def _header(
        self, run: Run, script: Script, errors: list[str]
    ) -> ScriptResponse | LocalRedirect:
        path, more_time = os.environ.get("PATH", ""), "the handler's timeouts"
        return read_header(run, script, errors, path, more_time=more_time, remedy=_REMEDY)

    def _send(self, response: ScriptResponse, run: Run) -> None:
        self.send_response(response.status, response.reason)
        for name, value in response.headers:
            if name.lower() != "date":  # sent already
                self.send_header(name, value)
        if response.content_length is None:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        mute = self.command == "HEAD" or response.status in {204, 304}
        piece = response.rest
        try:
            while piece or (piece := run.read()):
                if not mute:
                    self.wfile.write(piece)
                piece = b""
        except TimeLimit as over:
            self.log_error("%s", over)
            self.close_connection = True
