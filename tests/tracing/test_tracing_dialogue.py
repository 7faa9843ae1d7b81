"""What went in and what came out."""

import sys
from pathlib import Path

from cgikit.tracing.dialogue import KEPT, Dialogue
from cgikit.tracing.measure import measure

SOURCE = """
import os, sys
body = sys.stdin.buffer.read()
sys.stdout.buffer.write(b"Content-Type: text/plain\\r\\n\\r\\n" + b"x" * 1_000_000)
sys.stderr.write(str(len(body)))
sys.exit(3)
"""


def test_the_lengths_are_never_less_than_what_is_there() -> None:
    assert Dialogue({}, b"abc", 0, b"de", 9).stdin_length == 3
    assert Dialogue({}, b"abc", 0, b"de", 9).stdout_length == 9


def test_a_run_has_its_dialogue(tmp_path: Path) -> None:
    file = tmp_path / "a.py"
    file.write_text(f"#!{sys.executable}\n{SOURCE}")
    file.chmod(0o755)
    variables = {"REQUEST_METHOD": "POST"}
    for inside in (True, False):
        found = measure(str(file), variables, b"b" * 100_000, inside=inside).dialogue
        assert found is not None
        assert dict(found.variables) == variables  # nothing of what measures
        assert (found.stdin, found.stdin_length) == (b"b" * KEPT, 100_000)
        assert found.stdout.startswith(b"Content-Type: text/plain\r\n\r\nx")
        assert (len(found.stdout), found.stdout_length) == (KEPT, 1_000_028)
        assert (found.stderr, found.status) == (b"100000", 3)
