"""A script run as a real CGI process: its own interpreter, pipes for the standard streams, waited for.

answer = run_script(tmp_path, "run(lambda request: 'hi')", query="a=1")
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 60  # seconds; only a test that fails takes so long

PROLOGUE = "import sys\nfrom cgikit import *\n"


@dataclass(frozen=True)
class Answer:
    """What a script wrote, and how it ended."""

    output: bytes
    errors: str
    code: int

    @property
    def head(self) -> list[str]:
        """The header lines, of a CGI or of an NPH answer."""
        newline = b"\r\n" if self.output.startswith(b"HTTP/") else b"\n"
        return self.output.partition(newline * 2)[0].decode("ascii").split(newline.decode())

    @property
    def body(self) -> bytes:
        """All that follows the first empty line."""
        separator = b"\r\n\r\n" if self.output.startswith(b"HTTP/") else b"\n\n"
        _, found, body = self.output.partition(separator)
        assert found, f"no end of the header in {self.output!r}; errors: {self.errors}"
        return body

    @property
    def page(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8")

    def field(self, name: str) -> str | None:
        """The value of a header field, None if it is not there, an error if it is there twice."""
        lines = [line for line in self.head if line.lower().startswith(name.lower() + ":")]
        assert len(lines) < 2, lines
        return lines[0].partition(":")[2].strip() if lines else None

    @property
    def status(self) -> int:
        """The status code; 200 where the script leaves it to the server."""
        if self.output.startswith(b"HTTP/"):
            return int(self.head[0].split()[1])
        return int((self.field("Status") or "200").split()[0])


def environment(**variables: str) -> dict[str, str]:
    """The environment of a script under a server: little else than the request's variables."""
    request = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "/cgi-bin/script.py",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "test",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
    }
    return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **request, **variables}


def write_script(directory: Path, source: str, name: str = "script.py") -> Path:
    """Write a script that has all public names of cgikit."""
    script = directory / name
    script.write_text(PROLOGUE + source)
    return script


def start(
    script: Path, env: Mapping[str, str], *words: str, **options: object
) -> "subprocess.Popen[bytes]":
    """Start a script with pipes for its three streams, in its own directory as servers do."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen(
        [sys.executable, str(script), *words],
        env=dict(env),
        cwd=script.parent,
        **{**pipes, **options},  # type: ignore[arg-type]
    )


def run_script(
    directory: Path,
    source: str,
    *words: str,
    stdin: bytes = b"",
    redirect: str = "",
    env: Mapping[str, str] | None = None,
    **variables: str,
) -> Answer:
    """Run a script to its end. `redirect` is what a shell shall do with its streams (`2>&-`)."""
    script = write_script(directory, source)
    command = [sys.executable, str(script), *words]
    if redirect:
        command = ["/bin/sh", "-c", f'exec "$@" {redirect}', "sh", *command]
    done = subprocess.run(
        command,
        input=stdin,
        capture_output=True,
        env=environment(**variables) if env is None else dict(env),
        cwd=directory,
        timeout=DEADLINE,
        check=False,
    )
    return Answer(done.stdout, done.stderr.decode("utf-8", "backslashreplace"), done.returncode)
