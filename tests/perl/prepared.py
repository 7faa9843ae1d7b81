"""What the lines of the pages for Perl's people run in: requests that have everything, a store, files.

A line is an expression, a statement, or a script (it calls `run`), or a command of the shell. It must
give something or change something: a line that runs and does nothing would be of no use to anybody.
"""

import html
import io
import json
import os
import subprocess
import sys
import time
import traceback
import types
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import posting
from child import environment, run_script

import cgikit
from cgikit import FileStore, HTTPError, Request, Response, Session

LIMIT = 60  # seconds; only a command that hangs takes so long

VARIABLES = {
    "AUTH_TYPE": "Basic",
    "DOCUMENT_ROOT": "/var/www",
    "GATEWAY_INTERFACE": "CGI/1.1",
    "HTTPS": "on",
    "HTTP_ACCEPT": "text/html, application/json;q=0.5",
    "HTTP_ACCEPT_LANGUAGE": "de, en;q=0.5",
    "HTTP_AUTHORIZATION": "Basic QWRhOnNlc2FtZQ==",
    "HTTP_COOKIE": "c=v; d=w",
    "HTTP_HOST": "www.example.com",
    "HTTP_LAST_EVENT_ID": "7",
    "HTTP_REFERER": "https://www.example.com/",
    "HTTP_USER_AGENT": "Mozilla/5.0",
    "PATH_INFO": "/extra",
    "PATH_TRANSLATED": "/var/www/extra",
    "QUERY_STRING": "a=query&b=2",
    "REMOTE_ADDR": "192.0.2.7",
    "REMOTE_HOST": "client.example",
    "REMOTE_IDENT": "ada",
    "REMOTE_USER": "ada",
    "REQUEST_URI": "/cgi-bin/nph-script.py/extra?a=query&b=2",
    "SCRIPT_NAME": "/cgi-bin/nph-script.py",
    "SERVER_NAME": "www.example.com",
    "SERVER_PORT": "443",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "SERVER_SOFTWARE": "test",
    "HTTPS_SSL_CIPHER": "TLS_AES_128_GCM_SHA256",
}

SCRIPT = f"""#!{sys.executable}
from cgikit import run
run(lambda request: f"<p>{{request.params}} {{request.keywords}} {{request.path_info}}</p>")
"""

#: In front of a line that is a script.
PROLOGUE = """
import io, os, sys, time
from cgikit import *
from cgikit import dates, debug, querystring
def handler(request):
    request.params
    return "<p>Hello</p>"
def hook(*_): return None
def page(*_): return Response("<p>Hello</p>")
"""


def bodies() -> Iterator[dict[str, Any]]:
    """The environment and the body of requests of each kind: a form, JSON, words, a query alone."""
    form = posting.multipart(
        posting.field("a", b"one"),
        posting.field("a", b"two"),
        posting.field("h", b"h"),
        posting.file("f", "photo.png", b"\x89PNG"),
        posting.file("f", "notes.txt", b"notes"),
    )
    for body, content_type, more in (
        (form, posting.MULTIPART, {}),
        (b'{"a": 1}', "application/json", {}),
        (b"", "", {"REQUEST_METHOD": "GET", "QUERY_STRING": "one+two"}),
        (b"", "", {"REQUEST_METHOD": "GET"}),
    ):
        yield {
            "environ": {**VARIABLES, **posting.environ(body, content_type), **more},
            "stdin": io.BytesIO(body),
        }


def space(kind: dict[str, Any]) -> dict[str, Any]:
    """The names that a line may use. `time.sleep` does not sleep: pages wait for seconds."""
    store = FileStore("sessions", sweep_chance=0)
    kind["environ"]["HTTP_COOKIE"] += f"; {store.cookie_name(secure=True)}={stored(store)}"
    request = Request(**kind, sessions=store)
    session = request.session

    def handler(request: Request) -> str:
        return f"<p>{request.params}</p>"

    def page(*_: object) -> Response:
        return Response("<p>Hello</p>")

    def hook(*_: object) -> None:
        return None

    names: dict[str, Any] = {name: getattr(cgikit, name) for name in cgikit.__all__}
    names |= {module: __import__(f"cgikit.{module}", fromlist=("",)) for module in MODULES}
    return names | {
        "cgikit": cgikit, "content": "<p>Hello</p>", "handler": handler, "hook": hook, "html": html,
        "io": io, "json": json, "os": os, "page": page, "pages": ["<p>1</p>", "<p>2</p>"],
        "request": request, "response": Response("<p>Hello</p>"), "session": session, "sys": sys,
        "time": types.SimpleNamespace(sleep=float), "traceback": traceback,
        "urlsplit": urlsplit, "warnings": warnings,
    }  # fmt: skip


def stored(store: FileStore) -> str:
    """The id of a new session in a store."""
    session = Session(store, Request({}))
    session["n"] = "before"
    session.save()
    assert session.id is not None
    return session.id


#: The modules of cgikit that lines use by name.
MODULES = ("cookies", "dates", "debug", "errors", "fields", "querystring", "testing")


def prepare(directory: Path) -> None:
    """The files that lines read."""
    script = directory / "script.py"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    (directory / "form.txt").write_bytes(b"a=1\n=\n")
    (directory / "kept.txt").write_text("kept")
    stored(FileStore(directory / "sessions"))


def is_script(line: str) -> bool:
    return line.startswith(("run(", "import cgikit.guard", "debug.enable("))


def is_command(line: str) -> bool:
    return line.startswith(("./", "cgikit ", "REQUEST_METHOD=", "echo "))


def fault(line: str, directory: Path) -> str:
    """What is wrong with a line; "" if nothing is. The working directory is `directory`."""
    if is_script(line):
        source = f"{PROLOGUE}\n{line}\n" + ("" if line.startswith("run(") else "run(handler)\n")
        answer = run_script(directory, source, env=environment(QUERY_STRING="a=1"))
        said = answer.output.startswith((b"Status: 200", b"Content-Type"))
        return "" if answer.code == 0 and said else f"{answer.output!r} {answer.errors}"
    if is_command(line):
        return command_fault(line, directory)
    found = []
    for kind in bodies():
        names = space(kind)
        try:
            found.append(useless(line, names))
        except Exception as error:
            found.append("".join(traceback.format_exception_only(error)).strip())
        finally:
            names["request"].drop_session()
            names["request"].close()
        if not found[-1]:
            return ""
    return "; ".join(found)


def command_fault(line: str, directory: Path) -> str:
    """What is wrong with a command of the shell."""
    environ = {k: v for k, v in os.environ.items() if k != "REQUEST_METHOD"}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    if "--socket" in line:
        return service_fault(line, directory, environ)
    done = subprocess.run(
        ["sh", "-c", line], cwd=directory, env=environ, timeout=LIMIT,
        stdin=subprocess.DEVNULL, capture_output=True,
    )  # fmt: skip
    return "" if done.returncode == 0 and done.stdout else f"{done.stdout!r} {done.stderr!r}"


def service_fault(line: str, directory: Path, environ: dict[str, str]) -> str:
    """What is wrong with a command that serves at run.sock until it is told to end."""
    with (directory / "log").open("wb") as log:
        service = subprocess.Popen(
            ["sh", "-c", f"exec {line}"], cwd=directory, env=environ,
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    end = time.monotonic() + LIMIT
    try:
        while not (directory / "run.sock").is_socket() and service.poll() is None:
            assert time.monotonic() < end, (directory / "log").read_text()
            time.sleep(0.02)
    finally:
        service.terminate()
        service.wait(LIMIT)
    return "" if service.returncode in {0, -15} else (directory / "log").read_text()


def state(names: dict[str, Any]) -> tuple[object, ...]:
    """All that a line can change: the response, the session, files."""
    response, session = names["response"], names["session"]
    wire = (response.status, response.headers.items(), response.body)
    files = sorted((str(path), path.read_bytes()) for path in Path().rglob("*") if path.is_file())
    inner = {name: repr(value) for name, value in vars(session).items()}
    return wire, files, session.readonly, inner


def useless(line: str, names: dict[str, Any]) -> str:
    """Say how a line of Python is of no use: it does not run, gives nothing and changes nothing."""
    if "readonly" not in line:  # which must be set before the first use
        names["session"].get("n")
    before, known = state(names), dict(names)
    value, said = executed(line, names)
    if isinstance(value, types.MethodType | types.FunctionType | property):
        return f"gives {value!r}, which is not called"
    given = [names[name] for name in names if names[name] is not known.get(name)]
    if said or value not in (None, "", (), [], {}, b"", set()) or given not in ([], [None]):
        return ""
    if line.startswith(("from ", "import ", "time.")) or state(names) != before:
        return ""
    names["session"].save()
    return "" if state(names)[:2] != before[:2] else "gives nothing and changes nothing"


def executed(line: str, names: dict[str, Any]) -> tuple[object, str]:
    """Run a line; return the value of an expression, and what it printed, warned of or raised."""
    said = io.StringIO()
    value: object = None
    raised = ""
    with redirect_stdout(said), redirect_stderr(said), warned() as warnings_seen:
        if line.startswith("return "):  # what a handler returns
            value = eval(line.removeprefix("return "), names)
            assert isinstance(value, str | Response), value
        elif line.startswith("raise "):
            try:
                exec(line, names)
            except HTTPError as error:
                raised = str(error)
        elif is_statement(line):
            exec(line, names)
        else:
            value = eval(line, names)
            if isinstance(value, Response):
                value.close()
    for own in ("__builtins__", "__warningregistry__"):
        names.pop(own, None)
    return value, raised + said.getvalue() + "".join(warnings_seen)


@contextmanager
def warned() -> Iterator[list[str]]:
    """The warnings that a line gives on purpose."""
    seen: list[str] = []
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        yield seen
    seen += [str(one.message) for one in given if one.category is UserWarning]


def is_statement(line: str) -> bool:
    """Whether a line is no expression."""
    try:
        compile(line, "line", "eval")
    except SyntaxError:
        return True
    return False
