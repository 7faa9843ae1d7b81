"""A sample request: the script runs as under a server, and all that it does comes back."""

import os
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cgikit.checking.account import Account
from cgikit.probing import sample
from cgikit.probing.sample import Sample, run_sample

ME = Account.current()
LONG = 60.0  # seconds: for what ends by itself


def script(place: Path, source: str, first: str = sys.executable) -> str:
    file = place / "a.py"
    file.write_text(f"#!{first}\n{source}")
    file.chmod(0o755)
    return str(file)


def run(place: Path, source: str, method: str = "GET", seconds: float = LONG) -> Sample:
    return run_sample(script(place, source), method, ME, seconds)


def test_output_errors_and_status_come_back(tmp_path: Path) -> None:
    found = run(tmp_path, "import sys\nprint('out')\nprint('err', file=sys.stderr)\nsys.exit(3)\n")
    assert (found.output, found.size, found.errors) == (b"out\n", 4, ["err"])
    assert (found.status, found.is_late, found.method) == (3, False, "GET")
    assert found.seconds > 0


def test_the_environment_is_that_of_a_server(tmp_path: Path) -> None:
    os.environ["A_SECRET_OF_THE_TEST"] = "1"
    try:
        found = run(tmp_path, "import os\nfor pair in os.environ.items(): print(*pair, sep='=')")
    finally:
        del os.environ["A_SECRET_OF_THE_TEST"]
    variables = dict(line.split("=", 1) for line in found.output.decode().splitlines())
    variables.pop("LC_CTYPE", None)  # Python sets it by itself (PEP 538)
    assert variables["PATH"] == sample.PATH
    assert variables["REQUEST_METHOD"] == "GET"
    assert variables["SCRIPT_NAME"] == "/cgi-bin/a.py"
    assert variables["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert "CONTENT_LENGTH" not in variables
    assert not variables.keys() & {"HOME", "USER", "LANG", "SHELL", "A_SECRET_OF_THE_TEST"}


def test_it_runs_in_its_own_directory_without_a_terminal(tmp_path: Path) -> None:
    found = run(tmp_path, "import os\nprint(os.getcwd())\nprint(os.getsid(0) == os.getpid())\n")
    assert found.output.decode().splitlines() == [os.path.realpath(tmp_path), "True"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_script_that_reads_all_input_does_not_hang(tmp_path: Path, method: str) -> None:
    source = "import os, sys\nprint(len(sys.stdin.read()), os.environ.get('CONTENT_LENGTH'))"
    found = run(tmp_path, source, method)
    assert found.output == (b"0 0\n" if method == "POST" else b"0 None\n")


def test_a_script_that_does_not_end_says_where_it_was(tmp_path: Path) -> None:
    found = run(tmp_path, "n = 0\nwhile True:\n    n += 1\n", seconds=1)
    assert found.is_late
    assert found.status < 0
    assert any(f'{tmp_path}/a.py", line ' in line for line in found.errors)


def test_one_that_prints_for_ever_is_stopped_and_cut(tmp_path: Path) -> None:
    found = run(tmp_path, "while True: print('x' * 1_000)\n", seconds=1)
    assert found.is_late
    assert len(found.output) <= sample.MAX_OUTPUT < found.size


def test_a_flood_of_errors_is_cut(tmp_path: Path) -> None:
    found = run(tmp_path, "import sys\nfor n in range(1_000): print(n, file=sys.stderr)\n")
    assert len(found.errors) == sample.MAX_LINES


def test_what_cannot_be_started_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        run_sample(script(tmp_path, "", "/no/such/interpreter"), "GET", ME, LONG)


def test_the_memory_of_a_script_that_takes_much_is_told(tmp_path: Path) -> None:
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1_024 + 50_000_000
    found = run(tmp_path, f"x = b'x' * {size}\n")
    assert found.memory is not None
    assert size < found.memory < 2 * size


def test_that_of_one_that_takes_less_than_this_process_is_not(tmp_path: Path) -> None:
    """The system counts what this process had when it started the script."""
    file = script(tmp_path, "exit 0\n", "/bin/sh")
    assert run_sample(file, "GET", ME, LONG).memory is None


def test_the_imports_are_told_apart_from_the_errors(tmp_path: Path) -> None:
    source = "import json, sys\nprint('import time: never', file=sys.stderr)\n"
    file = script(tmp_path, source)
    found = run_sample(file, "HEAD", ME, LONG, imports=True)
    assert any(line.endswith(" json") for line in found.imports)
    assert found.errors == []
    assert run_sample(file, "HEAD", ME, LONG).imports == ["import time: never"]


CHILD = "import subprocess\nsubprocess.Popen(['sleep', '1000'], stdin=subprocess.DEVNULL{})\n"


def test_a_child_that_keeps_the_output_open_is_seen(tmp_path: Path) -> None:
    assert run(tmp_path, CHILD.format("")).left_open
    assert not run(tmp_path, "print('x')\n").left_open


def test_a_child_that_is_left_is_seen_in_the_first_run(tmp_path: Path) -> None:
    quiet = ", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL"
    found = run(tmp_path, CHILD.format(quiet))
    assert (found.left_open, found.left_running, found.errors) == (False, True, [])
    assert not run(tmp_path, "print('x')\n").left_running


def tells_of_calls() -> bool:
    """Whether this system says what a process waits for."""
    try:
        return bool(Path("/proc/self/syscall").read_bytes()) and os.uname().machine in sample._READ
    except OSError:
        return False


@pytest.mark.skipif(
    not tells_of_calls(), reason="this system does not tell what a process waits for"
)
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import sys\nprint(len(sys.stdin.read()))\n", True),
        ("import sys\nprint(len(sys.stdin.buffer.read(9)))\n", True),
        ("import os, sys\nprint(sys.stdin.read(int(os.environ['CONTENT_LENGTH'])))\n", False),
        ("print('x')\n", False),
    ],
)
def test_one_that_waits_for_more_than_the_body_is_seen(
    tmp_path: Path, source: str, expected: bool
) -> None:
    found = run(tmp_path, source, "POST")
    assert (found.waited, found.status, found.is_late) == (expected, 0, False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_root_runs_it_as_the_other_user() -> None:
    # Directly in a place that all can reach: pytest's own directories are closed to others
    with TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o755)
        nobody = Account.named("nobody")
        found = run_sample(script(place, "id -u; id -g; id -G\n", "/bin/sh"), "GET", nobody, LONG)
        uid, gid, groups = found.output.decode().splitlines()
        assert (int(uid), int(gid)) == (nobody.uid, nobody.gid)
        assert {int(word) for word in groups.split()} == nobody.groups
