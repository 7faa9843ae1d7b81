"""What is named in the log as left in the background, and what is not."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import DEADLINE, alive, until

from cgikit.host.background import LEFT, Background
from cgikit.host.executor import Job, TimeLimits
from cgikit.host.spawn import Spawn

SLEEPS = """
import subprocess
child = subprocess.Popen(["sleep", "1000"], stdin=-3, stdout=-3, stderr=-3)
"""
SHELL = """#!/bin/sh
sleep 1000 <&- >&- 2>&- &
printf 'Content-Type: text/plain\\n\\n'
echo $!
"""
#: What has ended and was not reaped, or is about to end.
HARMLESS = {
    "not waited for": "import os\nprint(os.popen('echo x').read())",
    "ended before": "import subprocess, os\nchild = subprocess.Popen(['true'])\n"
    "os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)\nprint('x')",
}


def group(code: str) -> "subprocess.Popen[bytes]":
    """Run Python code as the leader of a process group; return when it has ended, and is not reaped."""
    child = subprocess.Popen([sys.executable, "-c", code], process_group=0, stdout=subprocess.PIPE)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    return child


def test_a_process_that_runs_in_the_group_is_seen_and_one_that_has_ended_is_not() -> None:
    background = Background()
    left = group(f"{SLEEPS}print(child.pid)")
    try:
        assert background.look("/a", left.pid) is True
    finally:
        os.killpg(left.pid, 9)
    left.communicate(timeout=DEADLINE)
    ended = group("import subprocess\nsubprocess.run(['true'])")
    assert background.look("/a", ended.pid) is False
    ended.communicate(timeout=DEADLINE)
    assert background.look("/a", ended.pid) is False


def test_a_script_that_runs_itself_has_left_nothing_yet() -> None:
    with subprocess.Popen(["cat"], process_group=0, stdin=subprocess.PIPE) as child:
        assert Background().look("/a", child.pid) is None


def test_a_script_is_looked_at_a_few_times_and_after_it_was_suspected() -> None:
    background = Background()
    assert not background.is_suspect("/a")
    background.suspect("/a")
    looks = 0
    while background.is_suspect("/a"):
        background.look("/a", os.getpid())
        looks += 1
        background.suspect("/a")
    assert looks == 20
    background.suspect("/b")
    background.settle("/b")
    background.suspect("/b")
    assert not background.is_suspect("/b")
    for number in range(2_000):
        background.suspect(f"/{number}")
    assert not background.is_suspect("/1999")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway("fastcgi", tmp_path_factory.mktemp("root"), "--workers", "1") as server:
        yield server


def spawned(path: Path, lines: list[str], executor: Spawn) -> None:
    """Run a script as `cgikit serve` does."""
    limits = TimeLimits()
    job = Job(str(path), os.environ, (), None, lines.append, lambda: False, limits)
    run = executor.start(job)
    while run.read():
        pass
    assert run.close() == 0


@pytest.mark.parametrize("kind", HARMLESS)
def test_what_ends_with_the_script_is_not_named(engine: Gateway, kind: str) -> None:
    path = engine.script(f"{kind.replace(' ', '-')}.py", f"import os\n{HEAD}{HARMLESS[kind]}\n")
    lines: list[str] = []
    executor = Spawn()
    for _ in range(30):
        assert engine.request(path).text.strip() == "x"
        spawned(engine.root / path.lstrip("/"), lines, executor)
    assert lines == []
    assert not [line for line in engine.lines if LEFT in line]


class Patient(Background):
    """Takes its second look when there is nothing to see any more, however busy the machine is."""

    looks = 0

    def look(self, script: str, group: int) -> bool | None:
        self.looks += 1
        if self.looks == 2:
            assert until(lambda: super(Patient, self).look(script, group) is False)
        return super().look(script, group)


def test_what_ends_a_moment_after_the_script_is_not_named(tmp_path: Path) -> None:
    """As the tracker of multiprocessing does, which sees that by the end of a pipe."""
    path = tmp_path / "a.py"
    ends = "read, write = os.pipe()\nsubprocess.Popen(['cat'], stdin=read, stdout=-3, stderr=-3)\n"
    path.write_text(f"#!{sys.executable}\nimport os, subprocess\n{HEAD}{ends}")
    path.chmod(0o755)
    executor = Spawn()
    executor.background = Patient()
    executor.background.suspect(str(path))
    lines: list[str] = []
    spawned(path, lines, executor)
    assert lines == []


@pytest.mark.parametrize("ending", ["py", "sh"])
def test_what_is_left_in_the_background_is_named_once_and_ended(
    engine: Gateway, tmp_path: Path, ending: str
) -> None:
    path = engine.script(f"background.{ending}", f"{HEAD}{SLEEPS}print(child.pid)\n")
    if ending == "sh":  # that is executed, not preloaded
        engine.put(f"background.{ending}", SHELL.encode())
    said = f"{path}: {LEFT}"
    assert until(lambda: engine.request(path).text and said in engine.lines)
    lines: list[str] = []
    executor = Spawn()
    for _ in range(5):
        spawned(engine.root / path.lstrip("/"), lines, executor)
        pid = int(engine.request(path).text)
        assert until(lambda pid=pid: not alive(pid))  # type: ignore[misc]
    assert lines == [LEFT]
    assert engine.lines.count(said) == 1
