"""Calls a handler in this process; it answers as it would under `run`.

This module combines the same parts of the library as `script.run`: the request, the session, the rules
for the answer, the error page. Printing raises an error, as it does there.
"""

import inspect
import io
import os
from collections.abc import Callable, Mapping
from typing import Any

from .. import process
from ..debug import answer_error, log, new_incident
from ..errors import CGIError, HTTPError
from ..host.environ import ServerRequest, meta_variables
from ..host.path import Script, segments
from ..host.problem import Problem
from ..limits import DEFAULT_LIMITS
from ..request import Request
from ..response import Response
from ..script import respond
from .answer import Answer
from .environment import SOFTWARE


class HandlerTarget:
    """A handler, with the options of `run`."""

    def __init__(
        self,
        handler: Callable[[Request], Response | str],
        script_name: str,
        raise_errors: bool,
        options: Mapping[str, Any],
    ) -> None:
        self.script_name = script_name
        self._handler = handler
        self._file = _file_of(handler)
        self._raise_errors = raise_errors
        self._debug = bool(options.get("debug"))
        self._options = {name: value for name, value in options.items() if name != "debug"}
        self._options["limits"] = self._options.get("limits") or DEFAULT_LIMITS

    def covers(self, path: str) -> bool:
        """Whether an encoded path is that of the handler or below it."""
        return (path + "/").startswith(self.script_name + "/")

    def variables(self, asked: ServerRequest, more: Mapping[str, str | None]) -> dict[str, str]:
        """Return the meta-variables of a request. `Problem` for a path that no server passes on."""
        names, slash = segments(asked.path[len(self.script_name) :] or "/")
        info = "".join("/" + name for name in names)
        if slash and asked.path != self.script_name:
            info += "/"
        script = Script(self._file, self.script_name, info)
        made: dict[str, str | None] = dict(
            meta_variables(asked, script, os.path.dirname(self._file), SOFTWARE)
        )
        made.update(more)
        return {name: value for name, value in made.items() if value is not None}

    def ask(
        self, asked: ServerRequest, content: bytes | None, more: Mapping[str, str | None]
    ) -> Answer:
        """Call the handler with one request."""
        try:
            variables = process.request_text(self.variables(asked, more))
        except Problem as problem:
            fields, page = [("Content-Type", "text/plain; charset=utf-8")], problem.what.encode()
            return Answer(problem.status, fields, page, error=problem)
        request = Request(variables, io.BytesIO(content or b""), **self._options)
        former = process.start_in(os.getcwd())
        try:
            with process.GuardedOutput():
                return self._answered(request)
        finally:
            process.start_in(former)

    def close(self) -> None:
        """Nothing: it has no process."""

    def _answered(self, request: Request) -> Answer:
        own, errors = process.pid(), io.StringIO()
        answer = Answer(500)
        try:
            response = respond(self._handler, request)
            _send(response, request, answer)
            request.close()
        except (Exception, SystemExit) as error:
            if process.pid() != own:  # the handler forked: only the test's process goes on
                process.end(error)
            if self._raise_errors and _is_bug(error):
                raise
            if answer.headers:  # the answer had begun
                log(error, new_incident(), errors, request)
            else:
                _send(answer_error(error, request, self._debug, errors), request, answer)
            answer.error = error
        finally:
            if process.pid() == own:
                _closed(request)
        answer.stderr = errors.getvalue()
        return answer


def _send(response: Response, request: Request, answer: Answer) -> None:
    """Fill `answer` with what would be sent, up to the first error."""
    try:
        status, fields, pieces = response.answer(request)
        answer.status = status
        for name, value in fields:
            answer.headers.add(name, value)
        if status == 200 and "Content-Type" not in answer.headers:
            answer.local_redirect = answer.location
        for piece in pieces:
            answer.content += piece
    finally:
        response.close()


def _closed(request: Request) -> None:
    try:
        request.close()
    except Exception:  # it has already been reported
        return


def _is_bug(error: BaseException) -> bool:
    """Whether an error is one that `run` would log as an incident, not an answer that was raised."""
    if not isinstance(error, CGIError):
        return True
    return error.status >= 500 and not isinstance(error, HTTPError)


def _file_of(handler: object) -> str:
    """Return the file that defines a handler: the script, if there is one."""
    code = getattr(inspect.unwrap(handler), "__code__", None)  # type: ignore[arg-type]
    return os.path.abspath(code.co_filename) if code is not None else os.path.abspath("app.py")
