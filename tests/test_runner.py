"""`python -m cgikit run SCRIPT`: what no line of the script can catch is answered too."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from child import DEADLINE, Answer, environment


def run(directory: Path, source: bytes, *words: str, env: dict[str, str] | None = None) -> Answer:
    path = directory / "script.py"
    path.write_bytes(source)
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", "run", str(path), *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment() if env is None else env,
        cwd=directory,
        timeout=DEADLINE,
    )
    return Answer(done.stdout, done.stderr.decode(), done.returncode)


BROKEN = {
    "syntax": b"print('x'\n",
    "encoding": b"x = '\xff'\n",
    "nul": b"x = 1\0\n",
    "import": b"import no_such_module\n",
    "printed": b"print('Content-Type: text/html\\n\\n<p>half')\n1 / 0\n",
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_script_that_python_cannot_run_answers(tmp_path: Path, case: str) -> None:
    answer = run(tmp_path, BROKEN[case])
    assert answer.status == 500
    assert "incident" in answer.page
    assert "half" not in answer.page
    assert "script.py" not in answer.page
    assert 'script.py", line' in answer.errors or case in ("nul", "encoding")
    assert "runner.py" not in answer.errors
    assert answer.code == 0


def test_a_script_that_is_not_there_answers(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", "run", "nowhere.py"],
        capture_output=True,
        env=environment(),
        cwd=tmp_path,
        timeout=DEADLINE,
    )
    assert done.stdout.startswith(b"Status: 500 ")


SEES = b"""
import sys
from beside import VALUE
if __name__ == "__main__":
    print(VALUE, sys.argv[1:], __file__, sys.modules["__main__"].VALUE)
    sys.exit(VALUE)
"""


def test_a_script_sees_what_it_would_see(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("VALUE = 4\n")
    (tmp_path / "elsewhere").mkdir()
    answer = run(tmp_path, SEES, "a", "--help", "-x", env=environment(REQUEST_METHOD=""))
    path = tmp_path / "script.py"
    assert answer.output.decode() == f"4 ['a', '--help', '-x'] {path} 4\n"
    assert answer.code == 4
    plain = subprocess.run(
        [sys.executable, str(path), "a", "--help", "-x"], capture_output=True, timeout=DEADLINE
    )
    assert plain.stdout == answer.output


def test_an_error_by_hand_is_a_traceback_without_frames_of_ours(tmp_path: Path) -> None:
    answer = run(tmp_path, b"def f():\n    1 / 0\nf()\n", env=environment(REQUEST_METHOD=""))
    plain = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], capture_output=True, timeout=DEADLINE
    )
    assert answer.errors == plain.stderr.decode()
    assert answer.code == 1


def test_an_isolated_interpreter_finds_nothing_beside_the_script(tmp_path: Path) -> None:
    """With -P or -I the first entry of the path is not the script's to replace."""
    (tmp_path / "beside.py").write_text("VALUE = 4\n")
    path = tmp_path / "script.py"
    path.write_text("import sys\nprint(sys.path[0])\n")
    command = [sys.executable, "-P", "-m", "cgikit", "run", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=DEADLINE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() != str(tmp_path)


def test_it_is_an_interpreter_for_a_first_line(tmp_path: Path) -> None:
    if shutil.which("env") is None:
        pytest.skip("there is no env here")
    path = tmp_path / "script.py"
    path.write_text(f"#!/usr/bin/env -S {sys.executable} -m cgikit run\nprint('x'\n")
    path.chmod(0o755)
    done = subprocess.run([path, "word"], capture_output=True, env=environment(), timeout=DEADLINE)
    assert done.stdout.startswith(b"Status: 500 ")
    assert b"SyntaxError" in done.stderr


FORGOTTEN = b"from cgikit import run\ndef hello(request):\n    return 'hi'\n"
SAID = (
    "script.py printed nothing: it defines hello, and does not call run(hello). "
    "Add a last line to script.py: run(hello)\n"
)


@pytest.mark.parametrize("ending", [b"", b"import os; os.chdir('/')\n", b"import cgikit.guard\n"])
def test_a_script_that_forgot_run_answers(tmp_path: Path, ending: bytes) -> None:
    answer = run(tmp_path, FORGOTTEN + ending)
    assert answer.status == 500
    assert answer.errors.endswith(SAID)
    assert answer.errors.count("\n") == 1


def test_a_script_that_answers_ends_as_fast_as_any(tmp_path: Path) -> None:
    seen = b"import os\nend = os._exit\nos._exit = lambda code: (os.write(2, b'fast'), end(code))\n"
    answer = run(tmp_path, seen + FORGOTTEN + b"run(hello)\n")
    assert (answer.body, answer.errors) == (b"hi", "fast")


def test_a_script_that_forgot_run_is_named_by_hand_too(tmp_path: Path) -> None:
    by_hand = environment(REQUEST_METHOD="")
    answer = run(tmp_path, FORGOTTEN, env=by_hand)
    assert (answer.output, answer.errors, answer.code) == (b"", SAID, 1)
    answer = run(tmp_path, FORGOTTEN + b"print('x')\n", env=by_hand)
    assert (answer.output, answer.errors, answer.code) == (b"x\n", "", 0)
    answer = run(tmp_path, b"def other(name): pass\n", env=by_hand)
    assert (answer.output, answer.errors, answer.code) == (b"", "", 0)
