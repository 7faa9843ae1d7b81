"""What `cgikit serve` prints: a line at a time, coloured on a terminal alone."""

import os
import subprocess
import sys

import pytest

from cgikit.cli.console import coloured

PRINTS = """
from cgikit.cli.console import Console
console = Console(["first"])
for line in ("GET /a.py 200 31 B 41 ms", "/a.py: GET / 500 x", "Warning: all", "\\xfc\\u20ac"):
    console.print(line)
"""


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("GET /a.py?b 200 31 B 41 ms", "GET /a.py?b \033[32m200\033[0m 31 B 41 ms"),
        ("HEAD / 301 0 B 1 ms", "HEAD / \033[2m301\033[0m 0 B 1 ms"),
        ("POST /a 404 9 B 1 ms", "POST /a \033[33m404\033[0m 9 B 1 ms"),
        ("GET /500/200 500 9 B 1 ms", "GET /500/200 \033[1;31m500\033[0m 9 B 1 ms"),
        ("Warning: everyone", "\033[33mWarning: everyone\033[0m"),
        ("/a.py: GET / 500 of a script's own", "/a.py: GET / 500 of a script's own"),
        ("Serving x at http://127.0.0.1:8000/", "Serving x at http://127.0.0.1:8000/"),
    ],
)
def test_the_status_of_a_request_has_a_colour(
    monkeypatch: pytest.MonkeyPatch, line: str, shown: str
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured(line) == shown


@pytest.mark.parametrize("force", [False, True])
def test_no_colours_off_a_terminal(force: bool) -> None:
    environment = {name: text for name, text in os.environ.items() if name != "NO_COLOR"}
    environment |= {"FORCE_COLOR": "1" if force else "", "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(
        [sys.executable, "-c", PRINTS], env=environment, capture_output=True, timeout=60
    )
    lines = done.stdout.split(b"\n")
    assert (lines[0], lines[2], lines[4:]) == (
        b"first",
        b"/a.py: GET / 500 x",
        [b"\xfc\\u20ac", b""],
    )
    assert (b"\033[32m200\033[0m" in lines[1]) == force
    assert (b"\033" in done.stdout) == force
