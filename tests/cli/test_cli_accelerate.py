"""`cgikit accelerate`: the command, as far as it is not what `cgikit.accelerate` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "cgikit", "accelerate", *words], capture_output=True, text=True
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused as root")
def test_root_is_refused(tmp_path: Path) -> None:
    done = run("--directory", str(tmp_path / "b"), "hello.py")
    assert done.returncode == 1
    assert done.stderr.startswith("cgikit accelerate: this command runs as root, and scripts must")
    assert os.listdir(tmp_path) == []


def test_the_time_without_a_request_is_bounded() -> None:
    done = run("--idle", "3", "hello.py")
    assert done.returncode == 2
    assert "10" in done.stderr.splitlines()[-1]


def test_a_script_must_be_named() -> None:
    assert run().returncode == 2
