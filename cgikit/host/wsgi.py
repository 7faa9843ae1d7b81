"""The host as a WSGI application (PEP 3333): a request in, a script's answer out, streamed.

This module only calls the others in order: local redirects, HEAD, and what is logged. WSGI cannot pass
on the raw bytes of an NPH script, so its status line and fields are parsed and passed to the server
like those of any other script (docs/reference/host.md).
"""

import os
import re
import sys
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from cgikit.html import escape

from .answer import Answer, Call
from .argv import query_arguments
from .diagnosis import start_problem, still_runs
from .environ import ServerRequest, meta_variables
from .execlimits import check
from .executor import ClientGone, Executor, Job, Run, Source, TimeLimit, TimeLimits
from .headerblock import read_header
from .listing import entries
from .logtext import one_line
from .native import native
from .othersites import check_site
from .output import (
    MAX_REDIRECTS,
    ScriptResponse,
    bad_redirect,
    reason_of,
    too_many_redirects,
)
from .page import error_page, listing_page, own_response
from .path import Directory, Script, Static, locate, split_target, url_path
from .problem import Problem
from .refusals import Refusals
from .rules import NONE, Rules
from .static import send

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_MAX_DIGITS = 18  # of a Content-Length; no disk holds so much
StartResponse = Callable[..., object]


class Host:
    """A WSGI application that runs the scripts below a directory.

    `root` is the directory, or a single script; `executor` runs the scripts; `environment` is what they
    get besides the meta-variables (see `environ.inherited`); `log` is called with one line for each
    event: each request, each line of a script's standard error, each problem. `hosts` are the server's
    names (lower case, without port), None for any: without them, another site could point its own name
    at a loopback address and read the scripts' answers (S20). `origins` are the sites whose pages may
    send requests (see `othersites.check_site`), None for all. `details` shows problems and their
    fixes on the error pages, and not only in the log. `rules` are exceptions to what is served;
    `passing` names HTTP_* variables that scripts normally do not get, such as HTTP_AUTHORIZATION.
    `sources` is the URL path below which something else shows the scripts' sources, "" for none.
    """

    def __init__(
        self,
        root: str,
        executor: Executor,
        *,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        limits: TimeLimits | None = None,
        hosts: frozenset[str] | None = None,
        origins: Collection[str] | None = None,
        details: bool = False,
        software: str = "cgikit",
        rules: Rules = NONE,
        passing: Collection[str] = (),
        sources: str = "",
    ) -> None:
        self.root = os.path.realpath(root)
        self.executor = executor
        self.environment = environment
        self.log = log
        self.limits = limits or TimeLimits()
        self.hosts = hosts
        self.origins = origins
        self.details = details
        self.software = software
        self.rules = rules
        self.passing = passing
        self.sources = sources
        self._refusals = Refusals()

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Answer:
        """Answer a request (PEP 3333). Problems become pages, never exceptions."""
        asked = server_request(environ)
        gone = environ.get("waitress.client_disconnected", lambda: False)
        call = Call(asked, gone, started=time.monotonic())
        if asked.content_length is not None:
            call.body = _Bounded(environ["wsgi.input"], asked.content_length)
        try:
            if environ.get("CONTENT_LENGTH") and call.body is None:
                raise Problem(400, "The request's Content-Length is not a number of bytes.")
            response, run = self._answer(call)
        except ClientGone:
            # Nobody reads this, but PEP 3333 requires an answer
            response, run = ScriptResponse(503, reason_of(503), ()), None
        except Problem as problem:
            response, run = self._refusal(call, problem), None

        def instead(problem: Problem) -> ScriptResponse:
            page = self._refusal(call, problem)
            fields = self._fields(call, page)
            start_response(f"{page.status} {page.reason}", fields, sys.exc_info())
            return page

        answer = Answer(self.log, call, asked, response, run, instead, self.details)
        try:
            start_response(f"{response.status} {response.reason}", self._fields(call, response))
        except BaseException:  # the server closes only what was returned to it
            answer.close()
            raise
        return answer

    def _fields(self, call: Call, response: ScriptResponse) -> list[tuple[str, str]]:
        """Return the header fields of an answer: the owner of the scripts also sees the times."""
        return [*response.headers, *([call.timing.field()] if self.details else [])]

    def _answer(self, call: Call) -> tuple[ScriptResponse, Run | None]:
        check_request(call.request, self.hosts)
        if self.origins is not None:
            check_site(call.request, self.origins)
        target = ""  # of a local redirect
        for _ in range(MAX_REDIRECTS + 1):
            try:
                if target:
                    call.request = call.request.redirected(target)
                place = locate(self.root, call.request.path, self.rules)
            except Problem as problem:
                raise bad_redirect(target, problem) if target else problem from None
            if isinstance(place, Directory):
                return self._listing(place, call.request), None
            if isinstance(place, Static):
                return send(place, call.request)
            call.script = place
            call.timing.begin()
            run = self._start(call, place)
            call.timing.end("start")
            path = self.environment.get("PATH", "")
            try:
                output = read_header(run, place, call.errors, path, more_time="--timeout")
                call.timing.end("script")
                call.has_header = True
                if isinstance(output, ScriptResponse):
                    return output, run
                self._drain(run, place)
            except BaseException:
                run.close()
                raise
            run.close()
            target = output.target
            call.body = None  # R45: a new request, without the body
        raise too_many_redirects(target)

    def _drain(self, run: Run, script: Script) -> None:
        """Let a script that redirects locally finish, and drop the body it prints (R16)."""
        try:
            while run.read():
                pass
        except TimeLimit as over:
            self.log(f"{one_line(script.script_name)}: {over}")

    def _start(self, call: Call, script: Script) -> Run:
        request, name = call.request, script.script_name

        def errors(line: str) -> None:
            call.errors.append(line)
            self.log(f"{one_line(name)}: {line}")

        def silent(computed: float | None, place: str) -> None:
            limits = self.limits
            limit = limits.idle if call.has_header else limits.header
            text = still_runs(limits.silence, computed, limit, place)
            self.log(f"{one_line(name)}: {os.path.basename(script.file)} {text}")

        root = self.root if os.path.isdir(self.root) else os.path.dirname(self.root)
        variables = meta_variables(request, script, root, self.software, self.passing)
        if script.interpreter:
            variables["REDIRECT_STATUS"] = "200"  # php-cgi runs nothing without it
        words = query_arguments(request.method, request.query)
        check(variables, words, self.environment)
        job = Job(
            file=script.file,
            environment={**self.environment, **variables},
            arguments=tuple(words),
            body=call.body,
            log=errors,
            gone=call.client_gone,
            limits=self.limits,
            interpreter=script.interpreter,
            outside=script.outside,
            silent=silent,
        )
        try:
            return self.executor.start(job)
        except OSError as error:
            path = self.environment.get("PATH", "")
            raise start_problem(script.file, error, path, script.interpreter) from error

    def _listing(self, place: Directory, request: ServerRequest) -> ScriptResponse:
        if request.method not in ("GET", "HEAD"):
            allowed = (("Allow", "GET, HEAD"),)
            raise Problem(405, "A list of scripts can only be read.", headers=allowed)
        if not place.ends_in_slash:
            target = url_path(place.url) + (f"?{request.query}" if request.query else "")
            link = f'<p><a href="{escape(target)}">{escape(target)}</a></p>'
            return own_response(301, link.encode(), (("Location", target),))
        found = entries(self.root, place, self.rules)
        return own_response(200, listing_page(place.url, found, self.sources))

    def _refusal(self, call: Call, problem: Problem) -> ScriptResponse:
        """Return the page for a problem, and log it if it is the script's or the server's fault."""
        script = call.script.script_name if call.script else ""
        if problem.status >= 500:
            self.log(one_line(f"{script or call.request.path}: {problem.log_text}"))
        elif line := self._refusals.line(script or call.request.path, problem):
            self.log(line)
        page = error_page(
            problem,
            details=self.details,
            script=script,
            log=call.errors,
            sources=self.sources,
        )
        return own_response(problem.status, page, problem.headers)


class _Bounded:
    """The request's body: never more than its length, whatever the server's stream does after that."""

    def __init__(self, stream: Source, length: int) -> None:
        self._stream = stream
        self._left = length

    def read(self, size: int, /) -> bytes:
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        return data


def server_request(environ: Mapping[str, Any]) -> ServerRequest:
    """Return a WSGI request as a `ServerRequest`, with native text.

    The path comes from REQUEST_URI if the server sets it (waitress does): PATH_INFO is already decoded,
    so that an encoded slash could not be distinguished from a real one.
    """

    def text(name: str, default: str = "") -> str:
        return native(environ.get(name, default))

    whole = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    path, query = url_path(native(whole)), text("QUERY_STRING")
    uri = text("REQUEST_URI")
    if uri:
        try:
            path, query = split_target(uri)
        except Problem:
            path, query = uri, ""  # not a path: `locate` refuses it with a page
    name = _HOST.fullmatch(text("HTTP_HOST"))
    length = environ.get("CONTENT_LENGTH") or ""
    return ServerRequest(
        method=text("REQUEST_METHOD"),
        path=path,
        query=query,
        headers=tuple(
            (key[5:].replace("_", "-").title(), native(value))
            for key, value in environ.items()
            if key.startswith("HTTP_")
        ),
        content_length=int(length) if is_number(length) else None,
        content_type=text("CONTENT_TYPE"),
        protocol=text("SERVER_PROTOCOL", "HTTP/1.0"),
        scheme=environ["wsgi.url_scheme"],
        server_name=name[1].lower() if name else environ["SERVER_NAME"],
        server_port=environ["SERVER_PORT"],
        remote_addr=text("REMOTE_ADDR"),
        remote_port=text("REMOTE_PORT"),
        auth_type=text("AUTH_TYPE"),
        remote_user=text("REMOTE_USER"),
    )


def is_number(text: str) -> bool:
    """Whether a text is a number of bytes, of at most 18 digits."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def check_request(request: ServerRequest, allowed: frozenset[str] | None) -> None:
    """Refuse a request without a valid Host, or with one that is not `allowed`, or with a NUL
    (`Problem` 400), and a body of unknown length (411).
    """
    if any(name == "Transfer-Encoding" for name, _ in request.headers):
        raise Problem(411, "The request's body has no Content-Length.")  # R39
    if "\0" in request.query or "\0" in request.content_type:  # no environment can hold it
        raise Problem(400, "The request has a NUL character.")
    values = [value for name, value in request.headers if name == "Host"]
    if not values and request.protocol == "HTTP/1.0":
        return
    match = _HOST.fullmatch(values[0]) if len(values) == 1 else None
    if match is None:
        raise Problem(400, "The request has no valid Host header.")
    if allowed is not None and match[1].lower().strip("[]") not in allowed:
        raise Problem(
            400,
            f"This server does not answer to the name {match[1]}.",
            f"Start it with --allow-host {match[1]} if the name is yours.",
        )
