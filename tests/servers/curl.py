"""curl as the client: a program that was not written for these tests and speaks real HTTP."""

import json
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from requirement import need


@dataclass(frozen=True)
class Answer:
    """What curl received: the last response's status, fields (names in lower case) and body."""

    status: int
    headers: dict[str, list[str]]
    body: bytes
    raw: bytes  # every header block as it came, redirects and interim responses too

    def header(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        return self.headers.get(name.lower(), [default])[0]

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


def curl(url: str, *options: str, stdin: bytes = b"") -> Answer:
    """Fetch a URL; `options` are curl's own. A transfer that fails is an AssertionError."""
    program = need("curl")
    with tempfile.TemporaryDirectory() as directory:
        head, body = Path(directory, "head"), Path(directory, "body")
        command = [program, "--silent", "--show-error", "--noproxy", "*", "--max-time", "60"]
        command += ["--dump-header", str(head), "--output", str(body), *options, "--", url]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=90)
        if done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stderr.decode(errors='replace')}")
        raw = head.read_bytes()
        return read(raw, body.read_bytes() if body.exists() else b"")


def read(raw: bytes, body: bytes) -> Answer:
    """Take the last header block of a dump apart. A bare LF ends a line too (RFC 9112, 2.2)."""
    last = raw.decode("latin-1").replace("\r\n", "\n").strip().split("\n\n")[-1]
    status_line, *lines = last.split("\n")
    assert status_line.startswith("HTTP/"), f"no answer: {raw!r}"
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers.setdefault(name.lower(), []).append(value.strip())
    return Answer(int(status_line.split()[1]), headers, body, raw)
