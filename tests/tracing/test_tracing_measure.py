"""Real scripts are run: their steps, and that the script notices nothing."""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cgikit.checking.account import Account
from cgikit.tracing.measure import Failed, measure
from cgikit.tracing.step import Trace

PATH = {"PATH": "/usr/bin:/bin", "REQUEST_METHOD": "GET"}
BARE = "print('Content-Type: text/plain\\n')\n"


def script(place: Path, source: str, first: str = sys.executable) -> str:
    file = place / "a.py"
    file.write_text(f"#!{first}\n{source}")
    file.chmod(0o755)
    return str(file)


def names(trace: Trace) -> list[str]:
    return [step.name for step in trace.steps if not step.depth]


def test_the_steps_of_a_python_script(tmp_path: Path) -> None:
    (tmp_path / "prices.py").write_text("import decimal\n")
    before = time.monotonic_ns()
    trace = measure(script(tmp_path, "import prices\n" + BARE), PATH)
    outside = (time.monotonic_ns() - before) / 1_000
    assert names(trace) == [
        "fork",
        "exec",
        "interpreter",
        "site",
        "compile",
        "script",
        "first byte",
        "exit",
        "reaped",
    ]
    assert (trace.status, trace.is_inside, trace.errors) == (0, True, [])
    assert trace.size == len("Content-Type: text/plain\n\n")
    by = {step.name: step for step in trace.steps}
    assert by["import decimal"].note == f"{tmp_path}/prices.py:1"
    assert by["import prices"].note == f"{tmp_path}/a.py:2"
    assert by["import decimal"].depth == by["import prices"].depth + 1
    assert by["import prices"].start >= by["script"].start
    # The clock of the test saw all of it
    assert sum(step.duration for step in trace.steps if not step.depth) <= outside


def test_the_same_steps_without_descriptors_of_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS and the BSDs: a thread waits for the end."""
    file = script(tmp_path, BARE)
    expected = names(measure(file, PATH))
    monkeypatch.delattr("os.pidfd_open")
    before = len(os.listdir("/dev/fd"))
    trace = measure(file, PATH)
    assert (names(trace), trace.status) == (expected, 0)
    assert len(os.listdir("/dev/fd")) == before
    with pytest.raises(Failed, match="did not end"):
        measure(script(tmp_path, "while True: pass"), PATH, seconds=1)


def test_the_end_of_the_header_block_is_a_moment_if_it_comes_later(tmp_path: Path) -> None:
    source = """
import fcntl, os, struct, termios
os.write(1, b"Content-Type: text/plain\\n")
while struct.unpack("i", fcntl.ioctl(1, termios.FIONREAD, bytes(4)))[0]:
    pass  # it has not been read yet
os.write(1, b"\\r\\nbody\\n\\nmore")
"""
    steps = {step.name: step for step in measure(script(tmp_path, source), PATH).steps}
    assert steps["first byte"].start < steps["header end"].start <= steps["exit"].start
    found = {step.name for step in measure(script(tmp_path, BARE), PATH).steps}
    assert "header end" not in found


def test_the_interpreter_is_named(tmp_path: Path) -> None:
    assert measure(script(tmp_path, BARE), PATH).interpreter == sys.executable
    assert measure(script(tmp_path, "", "/bin/sh"), PATH).interpreter == ""


def test_the_script_notices_nothing(tmp_path: Path) -> None:
    source = """
import os, sys
print("Content-Type: text/plain\\n", flush=True)
seen = {"env": dict(os.environ), "path": sys.path[1:], "profile": sys.getprofile()}
seen["fds"] = sorted(int(fd) for fd in os.listdir("/dev/fd"))[:3]
seen["cwd"] = os.getcwd()
open("seen", "a").write(repr(seen) + "\\n")
"""
    environment = {**PATH, "PYTHONPATH": str(tmp_path)}
    file = script(tmp_path, source)
    for inside in (False, True):
        trace = measure(file, environment, inside=inside)
        assert (trace.status, trace.errors) == (0, [])
    plain, traced = (tmp_path / "seen").read_text().splitlines()
    assert plain == traced


def test_a_traceback_is_as_ever(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("import nowhere\n")
    file = script(tmp_path, "import own\n")
    plain, traced = (measure(file, PATH, inside=inside) for inside in (False, True))
    assert "ModuleNotFoundError" in plain.errors[-1]
    assert plain.errors == traced.errors


def test_a_sitecustomize_of_the_machine_is_loaded_as_ever(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.own = 'loaded'\n")
    source = BARE + "import sys\nprint(sys.own)\nprint(sys.modules['sitecustomize'].__file__)"
    trace = measure(script(tmp_path, source), {**PATH, "PYTHONPATH": str(tmp_path)})
    assert (trace.status, trace.errors) == (0, [])
    assert trace.size > len("loaded")


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_a_python_that_cannot_be_asked_is_measured_from_outside(
    tmp_path: Path, option: str
) -> None:
    trace = measure(script(tmp_path, BARE, f"{sys.executable} {option}"), PATH)
    assert not trace.is_inside
    assert names(trace) == ["fork", "exec", "program", "first byte", "exit", "reaped"]


def test_any_program(tmp_path: Path) -> None:
    trace = measure(script(tmp_path, "cat; echo err >&2; exit 3\n", "/bin/sh"), PATH, b"body")
    assert (trace.status, trace.size, trace.errors) == (3, 4, ["err"])
    assert names(trace) == ["fork", "exec", "program", "first byte", "exit", "reaped"]


def test_a_script_that_fails_has_its_steps(tmp_path: Path) -> None:
    trace = measure(script(tmp_path, "import json\n1 / 0\n"), PATH)
    assert trace.status == 1
    assert "ZeroDivisionError" in trace.errors[-1]
    assert any(step.name == "import json" for step in trace.steps)


def test_a_script_that_leaves_in_a_hurry(tmp_path: Path) -> None:
    trace = measure(script(tmp_path, "import os, json\nos.write(1, b'x')\nos._exit(4)\n"), PATH)
    assert (trace.status, trace.size) == (4, 1)


def test_one_that_leaves_a_process_behind(tmp_path: Path) -> None:
    trace = measure(script(tmp_path, "sleep 1000 & echo x\n", "/bin/sh"), PATH)
    assert (trace.status, trace.size) == (0, 2)
    steps = {step.name: step for step in trace.steps}
    assert steps["held open"].duration > 900_000  # it is waited for so long, and not by the kernel
    assert steps["reaped"].start == pytest.approx(steps["held open"].end)  # a sum of floats


def test_one_that_does_not_end_is_stopped(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="did not end"):
        measure(script(tmp_path, "while True: pass"), PATH, seconds=1)


def test_one_that_prints_without_an_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cgikit.tracing.measure.MAX_OUTPUT", 1 << 20)
    with pytest.raises(Failed, match="printed more than 1 MiB"):
        measure(script(tmp_path, "while True: print('x' * 10_000)"), PATH)


def test_imports_in_threads_are_all_there(tmp_path: Path) -> None:
    source = (
        BARE
        + """
import threading
def load(name):
    __import__(name)
threads = [threading.Thread(target=load, args=(name,)) for name in ("decimal", "sqlite3")]
for thread in threads: thread.start()
for thread in threads: thread.join()
import difflib
"""
    )
    found = {step.name for step in measure(script(tmp_path, source), PATH).imports}
    assert {"import decimal", "import sqlite3", "import difflib"} <= found


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_root_runs_it_as_the_user_that_is_given() -> None:
    # Directly in a place that all can reach: pytest's own directories are closed to others
    with TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        nobody = Account.named("nobody")
        trace = measure(script(place, "id -u >&2; id -G >&2\n", "/bin/sh"), PATH, user=nobody)
        assert trace.errors == [str(nobody.uid), " ".join(map(str, sorted(nobody.groups)))]


def test_one_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="cannot be started: No such file"):
        measure(script(tmp_path, "", "/no/such/program"), PATH)
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(Failed):
        measure(script(tmp_path, "", "/no/such/program"), PATH)
    assert len(os.listdir("/dev/fd")) == before


def test_children_of_the_script_tell_nothing(tmp_path: Path) -> None:
    source = BARE + "import os\nif not os.fork():\n    import decimal\n    os._exit(0)\nos.wait()\n"
    trace = measure(script(tmp_path, source), PATH)
    assert not [step for step in trace.steps if "decimal" in step.name]


def test_nothing_is_left_open_or_behind(tmp_path: Path) -> None:
    file = script(tmp_path, BARE)
    measure(file, PATH)
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        measure(file, PATH)
    assert len(os.listdir("/dev/fd")) == before
    assert os.listdir(tmp_path) == ["a.py"]
