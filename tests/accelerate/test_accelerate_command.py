"""`cgikit.accelerate.command`: what starts a daemon finds this cgikit and no other."""

import subprocess
import sys
from pathlib import Path

import cgikit
from cgikit.accelerate import command


def test_the_command_finds_this_cgikit(tmp_path: Path) -> None:
    assert Path(command.PACKAGE, "cgikit") == Path(cgikit.__file__).resolve().parent
    (tmp_path / "cgikit.py").write_text("raise SystemExit('the wrong one')")
    done = subprocess.run(
        [sys.executable, "-c", command.CODE, command.PACKAGE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stderr.endswith("IndexError: list index out of range\n")  # it has no directory
