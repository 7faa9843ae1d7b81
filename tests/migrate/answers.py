"""The scripts of tests/data/migrate, of the kind that is still out there (`NAME.cgi`), and the requests
that each is tried with (`NAME.requests`, one a line):

    GET /?query cookie:a=1
    POST /?query body
    UPLOAD /?query field=value file=@name.txt:content

Fields, files and cookies are percent-encoded. `Runner` has scripts run in forks of one warm process.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, unquote_to_bytes

from posting import MULTIPART, URLENCODED, field, file, multipart

CORPUS = Path(__file__).parents[1] / "data" / "migrate"
SCRIPTS = sorted(CORPUS.glob("*.cgi"))


class Request(NamedTuple):
    """The meta-variables of a request, and its body."""

    environ: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """What a script wrote, how it ended, and the files that it has left in its directory."""

    output: bytes
    code: int
    files: dict[str, bytes]
    errors: str


def requests(script: Path) -> list[Request]:
    """The requests of a script."""
    return [parse(line) for line in script.with_suffix(".requests").read_text().splitlines()]


def parse(line: str) -> Request:
    """One line of a file of requests."""
    method, target, *words = line.split()
    environ = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "QUERY_STRING": target.partition("?")[2],
        "REQUEST_METHOD": "POST" if method == "UPLOAD" else method,
        "SCRIPT_NAME": "/script",
        "SERVER_NAME": "example.org",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "test",
    }
    cookies = [unquote(w.removeprefix("cookie:")) for w in words if w.startswith("cookie:")]
    if cookies:
        environ["HTTP_COOKIE"] = cookies[0]
    words = [word for word in words if not word.startswith("cookie:")]
    if method == "GET":
        return Request(environ, b"")
    body = b"&".join(word.encode() for word in words)
    if method == "UPLOAD":
        body = multipart(*map(_part, words))
    environ["CONTENT_TYPE"] = MULTIPART if method == "UPLOAD" else URLENCODED
    environ["CONTENT_LENGTH"] = str(len(body))
    return Request(environ, body)


def _part(word: str) -> bytes:
    name, _, value = word.partition("=")
    if not value.startswith("@"):
        return field(name, unquote_to_bytes(value))
    filename, _, content = value[1:].partition(":")
    return file(name, filename, unquote_to_bytes(content), "application/octet-stream")


class Runner:
    """A process that runs scripts; `with` ends it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answers(self, script: bytes, asked: list[Request], place: Path) -> list[Answer]:
        """Run a script for one request after the other, in a directory of its own."""
        site = place / "site"
        site.mkdir(parents=True)
        path = place / "script.cgi"
        path.write_bytes(script)
        return [self._answer(path, request, place) for request in asked]

    def _answer(self, script: Path, request: Request, place: Path) -> Answer:
        names = {name: place / name for name in ("stdin", "stdout", "stderr")}
        names["stdin"].write_bytes(request.body)
        for name in ("stdout", "stderr"):
            names[name].unlink(missing_ok=True)
        job = {
            "script": str(script),
            "cwd": str(place / "site"),
            "environ": request.environ,
            **{name: str(path) for name, path in names.items()},
        }
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        files = {path.name: path.read_bytes() for path in sorted((place / "site").iterdir())}
        return Answer(names["stdout"].read_bytes(), code, files, names["stderr"].read_text())


@contextmanager
def runner(kind: str) -> Iterator[Runner]:
    """A warm process in which the old modules are there ("old") or are not ("new")."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__).with_name("runner.py")), kind]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Runner(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(60)
