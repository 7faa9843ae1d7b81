"""Where a script is while it runs: py-spy, asked of real processes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from requirement import lack
from serving import until

from cgikit.host.executor import ClientGone, Job, TimeLimits
from cgikit.host.spawn import Spawn
from cgikit.host.whereabouts import _tool, in_words, whereabouts

LOOP = """#!{python}
import os, time


def count(ready):
    open(ready, "w").close()
    number = 0
    while True:
        number += 1


count("ready")
"""


@pytest.fixture
def spy() -> str:
    return _tool() or lack("py-spy (pip install '.[where]')")


@pytest.fixture
def loop(tmp_path: Path, spy: str) -> Iterator[subprocess.Popen[bytes]]:
    (tmp_path / "loop.py").write_text(LOOP.format(python=sys.executable))
    process = subprocess.Popen([sys.executable, "loop.py"], cwd=tmp_path)
    try:
        assert until((tmp_path / "ready").exists)
        yield process
    finally:
        process.kill()
        process.wait()


def frame(file: str, line: int) -> dict[str, object]:
    return {"name": "f", "filename": file, "line": line}


def test_an_endless_loop_has_a_line(
    loop: subprocess.Popen[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the process was started with a relative name
    where = whereabouts(loop.pid, str(tmp_path / "loop.py"))
    if not where and os.geteuid():
        pytest.skip("this system lets nobody but root trace a process")
    assert where in ("line 8 of loop.py", "line 9 of loop.py")


def test_the_console_gets_the_line_of_a_silent_script(tmp_path: Path, spy: str) -> None:
    script = tmp_path / "loop.py"
    script.write_text(LOOP.format(python=sys.executable))
    script.chmod(0o755)
    told: list[tuple[float | None, str]] = []
    executor = Spawn()
    job = Job(
        str(script), {}, (), None, print, lambda: bool(told), TimeLimits(silence=2, grace=1),
        silent=lambda computed, place: told.append((computed, place)),
    )  # fmt: skip
    run = executor.start(job)
    try:
        with pytest.raises(ClientGone):  # once it is told
            run.read()
    finally:
        run.close()
        executor.close()
    assert len(told) == 1
    if told[0][1] or not os.geteuid():
        assert told[0][1] in ("line 8 of loop.py", "line 9 of loop.py")


def test_a_process_that_has_ended_is_nowhere(spy: str) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert whereabouts(process.pid, "/x.py") == ""


def test_what_is_no_python_is_nowhere(spy: str, tmp_path: Path) -> None:
    process = subprocess.Popen(["sleep", "600"])
    try:
        assert whereabouts(process.pid, str(tmp_path / "x.py")) == ""
    finally:
        process.kill()
        process.wait()


def test_without_py_spy_there_is_no_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert whereabouts(os.getpid(), __file__) == ""


def test_a_tool_that_takes_long_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It stands for py-spy on a machine where tracing hangs."""
    (tmp_path / "py-spy").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "py-spy").chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python3"))
    assert whereabouts(os.getpid(), __file__) == ""


def test_a_line_elsewhere_is_named_with_the_one_that_led_to_it() -> None:
    threads = [
        {"os_thread_id": 8, "frames": [frame("/cgi-bin/a.py", 1)]},
        {"os_thread_id": 7, "frames": [frame("/lib/\x1bqueue.py", 5), frame("/cgi-bin/a.py", 3)]},
    ]
    told = "line 3 of a.py, which led to line 5 of /lib/\\x1bqueue.py"
    assert in_words(threads, 7, "/cgi-bin/a.py") == told


def test_a_frame_of_the_interpreter_itself_is_not_named() -> None:
    threads = [{"os_thread_id": 7, "frames": [frame("<frozen x>", 5), frame("/a.py", 3)]}]
    assert in_words(threads, 7, "/a.py") == "line 3 of a.py"


@pytest.mark.parametrize(
    "answer",
    [
        None, {}, [], [1], [{"os_thread_id": 7}],
        [{"os_thread_id": 7, "frames": [frame("/b.py", 1)]}],
        [{"os_thread_id": 7, "frames": [{"filename": 1, "line": "x"}]}],
        [{"os_thread_id": 7, "frames": [3]}], [{"os_thread_id": 7, "frames": 5}],
    ],
)  # fmt: skip
def test_an_answer_of_another_form_says_nothing(answer: object) -> None:
    assert in_words(answer, 7, "/a.py") == ""
