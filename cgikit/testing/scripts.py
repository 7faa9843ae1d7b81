"""Runs a script file, in any language, in a process of its own for each request, as a server does.

The environment, the working directory, the limits and the parsing of its output are those of
`cgikit serve` (package `host`); nothing listens on a port. The `Answer` also has what a server keeps to
itself: standard error and the exit status.
"""

import io
import os
import shutil
import sys
from collections.abc import Mapping
from urllib.parse import quote

from ..host.argv import query_arguments
from ..host.diagnosis import removed_module, start_problem
from ..host.environ import ServerRequest, inherited, meta_variables, with_old_modules
from ..host.execlimits import check
from ..host.executor import Job, Run, TimeLimit, TimeLimits
from ..host.headerblock import read_header
from ..host.output import LocalRedirect
from ..host.page import error_page, own_response
from ..host.path import Script, locate
from ..host.problem import Problem
from ..host.rules import Rules
from ..host.spawn import Spawn
from ..warm.ending import how
from .answer import Answer, ScriptError
from .environment import SOFTWARE

_REMEDY = "Give the Client compat=True"


class ScriptTarget:
    """A script file, or a directory of scripts. `script_name` is its URL path, "" for a directory.

    Raises `FileNotFoundError` if it does not exist, `PermissionError` for a file that is not executable
    and has no `interpreter`.
    """

    def __init__(
        self,
        path: str,
        script_name: str | None,
        interpreter: str | None,
        timeout: float,
        raise_errors: bool,
        compat: bool,
    ) -> None:
        self._raise_errors = raise_errors
        self._compat = compat
        self._limits = TimeLimits(header=timeout, idle=timeout)
        self._executor = Spawn()
        self._path = os.path.abspath(path)
        program = _program(interpreter)
        if os.path.isdir(self._path):
            self._root, self._name, self._mount = self._path, "", ""
            self.script_name = ""
        else:
            os.stat(self._path)  # FileNotFoundError names it
            if not program and not os.access(self._path, os.X_OK):
                raise PermissionError(
                    f"{path} is not executable: chmod +x {path}, or name its interpreter as in "
                    "Client(path, interpreter='perl')"
                )
            self._root, self._name = os.path.split(self._path)
            self.script_name = f"/cgi-bin/{self._name}" if script_name is None else script_name
            self._mount = self.script_name.rpartition("/")[0]
        extension = os.path.splitext(self._name)[1].lower()
        self._rules = Rules(
            follow=[self._name] if self._name else [],
            interpreters={extension: program} if program else {},
        )

    def covers(self, path: str) -> bool:
        """Whether an encoded path is that of this script, or of one beside it."""
        return (path + "/").startswith(self._mount + "/")

    def variables(self, asked: ServerRequest, more: Mapping[str, str | None]) -> dict[str, str]:
        """Return the meta-variables of a request."""
        script = Script(self._path, self.script_name)
        return self._variables(asked, script, more)

    def ask(
        self, asked: ServerRequest, content: bytes | None, more: Mapping[str, str | None]
    ) -> Answer:
        """Run the script that a request is for."""
        lines: list[str] = []
        status: int | None = None
        error: Problem | None = None
        answer = Answer(500)
        try:
            script = self._script(asked.path)
            run = self._start(script, asked, content, more, lines)
            try:
                self._read(run, script, asked, answer, lines)
            finally:
                status = run.close()
            error = _judge(script, asked, answer, status, lines)
        except Problem as problem:
            error = problem
            page = own_response(problem.status, error_page(problem, details=False), problem.headers)
            answer = Answer(page.status, page.headers, b"" if asked.method == "HEAD" else page.rest)
        answer.exit_status = status
        answer.stderr = "".join(line + "\n" for line in lines)
        if error is not None:
            failed = ScriptError(error.log_text, answer)
            answer.error = failed
            if self._raise_errors and error.status >= 500:
                raise failed from error
        return answer

    def close(self) -> None:
        """Stop scripts that still run."""
        self._executor.close()

    def _script(self, path: str) -> Script:
        name = self.script_name
        if name and (path + "/").startswith(name + "/"):
            place = locate(self._root, f"/{quote(self._name)}{path[len(name) :]}", self._rules)
            if isinstance(place, Script):
                return Script(place.file, name, place.path_info, place.interpreter, place.outside)
        else:
            place = locate(self._root, path[len(self._mount) :] or "/", self._rules)
            if isinstance(place, Script):
                url = self._mount + place.script_name
                return Script(place.file, url, place.path_info, place.interpreter, place.outside)
        raise Problem(404, f"{path} is not a script.", "Ask for one by its name.")

    def _variables(
        self, asked: ServerRequest, script: Script, more: Mapping[str, str | None]
    ) -> dict[str, str]:
        variables: dict[str, str | None] = dict(meta_variables(asked, script, self._root, SOFTWARE))
        if script.interpreter:
            variables["REDIRECT_STATUS"] = "200"  # php-cgi runs nothing without it
        variables.update(more)
        return {name: value for name, value in variables.items() if value is not None}

    def _start(
        self,
        script: Script,
        asked: ServerRequest,
        content: bytes | None,
        more: Mapping[str, str | None],
        lines: list[str],
    ) -> Run:
        variables = self._variables(asked, script, more)
        environment = inherited(os.environ, path_first=os.path.dirname(sys.executable))
        words = query_arguments(asked.method, asked.query)
        check(variables, words, environment)
        environment.update(variables)
        job = Job(
            file=script.file,
            environment=with_old_modules(environment) if self._compat else environment,
            arguments=tuple(words),
            body=None if content is None else io.BytesIO(content),
            log=lines.append,
            gone=lambda: False,
            limits=self._limits,
            interpreter=script.interpreter,
            outside=script.outside,
        )
        try:
            return self._executor.start(job)
        except OSError as error:
            raise start_problem(
                script.file, error, job.environment["PATH"], script.interpreter
            ) from error

    def _read(
        self, run: Run, script: Script, asked: ServerRequest, answer: Answer, lines: list[str]
    ) -> None:
        """Read the script's whole output into `answer`. `Problem` if there is no answer."""
        path = os.environ.get("PATH", "")
        output = read_header(run, script, lines, path, more_time="timeout=", remedy=_REMEDY)
        pieces: list[bytes] = []
        try:
            while chunk := run.read():
                pieces.append(chunk)
        except TimeLimit as over:
            raise Problem(504, f"{os.path.basename(script.file)}: {over}.") from over
        if isinstance(output, LocalRedirect):
            answer.status, answer.local_redirect = 200, output.target
            answer.headers.add("Location", output.target)
            return
        answer.status, fields = output.status, list(output.headers)
        answer.headers = Answer(200, fields).headers
        if asked.method != "HEAD" and output.status not in {204, 304}:
            answer.content = b"".join([output.rest, *pieces])


def _judge(
    script: Script, asked: ServerRequest, answer: Answer, status: int, errors: list[str]
) -> Problem | None:
    """Return what is wrong with the exit or the length of a script that answered, or None. `errors` are
    the lines of its standard error.
    """
    what = []
    if status:
        what.append(how(status))
    announced = answer.headers.get("Content-Length")
    if announced is not None and asked.method != "HEAD" and announced != str(len(answer.content)):
        what.append(f"declared Content-Length: {announced}, but sent {len(answer.content)} bytes")
    if not what:
        return None
    fix = removed_module(script.file, errors, _REMEDY)
    if status and not errors and answer.content:
        fix = "It wrote nothing to its standard error: see .answer.text, where cgitb prints tracebacks."
    return Problem(500, f"{os.path.basename(script.file)} {' and '.join(what)}.", fix)


def _program(interpreter: str | None) -> str:
    """Return the absolute path of a program, or "" if none is given. `FileNotFoundError` if it does not
    exist.
    """
    if interpreter is None:
        return ""
    found = shutil.which(interpreter)
    if found is None:
        raise FileNotFoundError(f"interpreter={interpreter!r} is not a program on the PATH")
    return os.path.abspath(found)
