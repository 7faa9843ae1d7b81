"""The program that runs a script for a measurement ends with the process that measures."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from serving import until

MEASURES = """
import os, sys
from cgikit.tracing import comparison
if sys.argv[2] == "persistent":  # not after the other way
    comparison.why_not = lambda request: {"persistent": ""}
variables = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/a.py"}
base = {"PATH": os.environ["PATH"]}
comparison.compare(comparison.TracedRequest(sys.argv[1], base, variables), 3, seconds=1000)
"""
SLEEPS = """
import fcntl, time
held = open({held!r}, "a")
fcntl.flock(held, fcntl.LOCK_SH)
held.write("here")
held.flush()
from cgikit import run
if 1:
    time.sleep(1000)
run(lambda request: "")
"""


def is_free(file: Path) -> bool:
    """Whether no process has the file locked."""
    with file.open() as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.parametrize("kind", ["warm", "persistent"])
def test_nothing_is_left_of_a_measurement_that_was_killed(tmp_path: Path, kind: str) -> None:
    script, held = tmp_path / "a.py", tmp_path / "held"
    script.write_text(f"#!{sys.executable}\n{SLEEPS.format(held=str(held))}")
    script.chmod(0o755)
    words = [sys.executable, "-c", MEASURES, str(script), kind]
    with subprocess.Popen(words, env={**os.environ, "TMPDIR": str(tmp_path)}) as measuring:
        try:
            assert until(lambda: held.exists() and held.read_text() == "here")
        finally:
            measuring.kill()
    assert until(lambda: is_free(held))
