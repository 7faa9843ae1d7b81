"""Advice about scripts that work: it comes after their start, and never in their way."""

import sys
from pathlib import Path

import pytest
from serving import until

from cgikit.cli.advising import Advising
from cgikit.host.executor import Job, TimeLimits
from cgikit.host.spawn import Spawn

RACES = f"#!{sys.executable}\nn = open('n').read()\nopen('n', 'w').write(n + 'x')\n"


def job(file: Path) -> Job:
    variables = {"PATH": "/usr/bin:/bin", "SCRIPT_NAME": f"/{file.name}"}
    return Job(str(file), variables, (), None, print, bool, TimeLimits())


def test_advice_has_the_name_in_the_url_and_comes_once_for_a_version(tmp_path: Path) -> None:
    file = tmp_path / "a\nb"
    file.write_text(RACES)
    file.chmod(0o755)
    (tmp_path / "n").touch()
    lines: list[str] = []
    advising = Advising(Spawn(), lines.append)
    for version in range(1, 3):
        for _ in range(3):
            run = advising.start(job(file))
            while run.read():
                pass
            assert run.close() == 0
        assert until(lambda version=version: len(lines) == version)
        file.write_text(f"{RACES}\n")
    assert all(line.startswith("/a\\nb: a") and "\n" not in line for line in lines)
    advising.close()


def test_what_is_no_python_gets_none_and_what_cannot_start_raises(tmp_path: Path) -> None:
    lines: list[str] = []
    advising = Advising(Spawn(), lines.append)
    (tmp_path / "sh").write_text("#!/bin/sh\ncat n >m; cat m >n\n")
    (tmp_path / "sh").chmod(0o755)
    (tmp_path / "py").write_text(RACES)
    (tmp_path / "py").chmod(0o755)
    (tmp_path / "n").touch()
    for name in ("sh", "py"):
        run = advising.start(job(tmp_path / name))
        while run.read():
            pass
        run.close()
    assert until(lambda: lines)
    assert [line.split(":")[0] for line in lines] == ["/py"]
    with pytest.raises(FileNotFoundError):
        advising.start(job(tmp_path / "none"))
    advising.close()
    with pytest.raises(BlockingIOError):
        advising.start(job(tmp_path / "py"))
