"""What the harness promises: no process outlives its test, and a failure shows its log."""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from requirement import need

from .server import NotStarted, end, running, wait_until

ENVIRONMENT = {"PATH": os.defpath}
#: Tells when the handler is in place, then ignores what it is told.
STUBBORN = "trap '' TERM; echo ready; while :; do sleep 1; done"
#: Starts a server, tells its process id, and is then killed before it can clean up.
KILLED_RUN = """
import os, pathlib, signal, sys
from servers.server import running, wait_until
log = pathlib.Path(sys.argv[1])
command = ["sh", "-c", "echo ready; exec sleep 60"]
with running(command, log, dict(os.environ), signal.SIGTERM) as server:
    wait_until(lambda: log.read_text() or None, server, log)
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""

TESTS = Path(__file__).parents[1]


def test_a_server_that_does_not_start_shows_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", "echo no such module >&2; exit 3"]
    with (
        running(command, log, ENVIRONMENT, signal.SIGTERM) as process,
        pytest.raises(NotStarted, match=r"exit code 3:\nno such module"),
    ):
        wait_until(lambda: None, process, log)


def test_a_server_that_ignores_its_signal_is_killed_and_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with running(["sh", "-c", STUBBORN], log, ENVIRONMENT, signal.SIGTERM) as process:
        wait_until(lambda: "ready" in log.read_text() or None, process, log)
        with pytest.raises(AssertionError, match="still running"):
            end(process, signal.SIGTERM, seconds=0.2)
        assert process.returncode == -signal.SIGKILL


def test_what_a_server_leaves_behind_is_ended_and_is_an_error(tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = ["sh", "-c", "trap 'exit 0' TERM; sleep 61 & echo $!; wait"]
    with (
        pytest.raises(AssertionError, match="left processes behind"),
        running(command, log, ENVIRONMENT, signal.SIGTERM) as process,
    ):
        child = wait_until(lambda: int(log.read_text() or 0) or None, process, log)
    assert ended(child, seconds=10)


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    need("setpriv")
    environ = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS / 'harness'}"}
    command = [sys.executable, "-c", KILLED_RUN, str(tmp_path / "log")]
    run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)
    assert run.returncode == -signal.SIGKILL
    assert ended(int(run.stdout), seconds=10)


def ended(pid: int, seconds: float) -> bool:
    """Whether a process that is not our child has ended, or does so in time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)
