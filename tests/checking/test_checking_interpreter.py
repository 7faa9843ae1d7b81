"""A script's own interpreter is asked: it reads the script, and runs nothing of it."""

import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cgikit.checking.account import Account
from cgikit.checking.interpreter import ask, is_familiar, python_of

PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin"
ME = Account.current()


def write(file: Path, source: str | bytes, first: str = f"#!{sys.executable}\n") -> str:
    data = source.encode() if isinstance(source, str) else source
    file.write_bytes(first.encode() + data)
    return str(file)


def test_it_tells_its_version_and_what_the_imports_find(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("raise SystemExit('this was run')\n")
    told = ask(
        write(tmp_path / "a.py", "import json, own\nimport sys\nimport nowhere.at_all\n"), PATH, ME
    )
    assert told is not None
    assert told.version == ".".join(map(str, sys.version_info[:3]))
    assert os.path.realpath(told.program) == os.path.realpath(sys.executable)
    places = {each.name: each.place for each in told.imports}
    assert places["own"] == str(tmp_path / "own.py")
    assert places["sys"] == "built-in"
    assert places["json"]
    assert places["nowhere"] is None
    assert [each.line for each in told.imports] == [2, 2, 3, 4]
    assert told.error is None


def test_the_sum_of_a_thousand_strings_is_no_syntax_error(tmp_path: Path) -> None:
    """The walk over the tree was recursive: a long concatenation was "a syntax error"."""
    told = ask(write(tmp_path / "a.py", "import json\nx = " + " + ".join(["''"] * 1_500)), PATH, ME)
    assert told is not None
    assert told.error is None
    assert [each.name for each in told.imports] == ["json"]


def test_nothing_of_the_script_or_beside_it_is_run(tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'run')!r}, 'w')\n"
    for name in ("json", "ast", "warnings", "encodings", "sitecustomize", "own"):
        (tmp_path / f"{name}.py").write_text(trap)
    assert ask(write(tmp_path / "a.py", f"import json, own, own.sub\n{trap}"), PATH, ME)
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    "source",
    [
        "def f():\n    import nowhere\n",
        "try:\n    import nowhere\nexcept ImportError:\n    pass\n",
        "if 0:\n    import nowhere\n",
        "async def f():\n    from nowhere import x\n",
    ],
)
def test_an_import_that_may_fail_is_optional(tmp_path: Path, source: str) -> None:
    told = ask(write(tmp_path / "a.py", source), PATH, ME)
    assert told is not None
    assert [(each.name, each.optional) for each in told.imports] == [("nowhere", True)]


@pytest.mark.parametrize(
    ("source", "line", "word"),
    [
        ("x = (\n", 2, "closed"),
        (b"x = '\xe9'\n", 2, "codec"),
        ("def f(:\n    pass\n", 2, "syntax"),
        ("return 1\n", 2, "return"),
    ],
)
def test_what_it_cannot_read(tmp_path: Path, source: str | bytes, line: int, word: str) -> None:
    told = ask(write(tmp_path / "a.py", source), PATH, ME)
    assert told is not None
    assert told.error is not None
    assert word in told.error[1] or word in "codec closed syntax"
    assert told.error[0] in {0, line}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("#!/usr/bin/python3 -u", ["/usr/bin/python3", "-u"]),
        ("#!/usr/bin/env python3", ["python3"]),
        ("#!/usr/bin/env -S python3 -I", ["python3", "-I"]),
        ("#!/usr/bin/python3 -c__import__('os').abort()", ["/usr/bin/python3"]),
        ("#!/usr/bin/python3 -Iu -m cgikit run -B", ["/usr/bin/python3", "-Iu"]),
        ("#!/usr/bin/env -S python3 -Wx -I", ["python3"]),
        ("#!/usr/bin/python3 /tmp/other.py", ["/usr/bin/python3"]),
        ("#!bin/python3", []),
        ("#!../python3", []),
        ("#!/usr/bin/perl -w", []),
        ("#!/bin/sh", []),
        ("#!", []),
        ("print()", []),
    ],
)
def test_which_command_runs_it(tmp_path: Path, line: str, command: list[str]) -> None:
    assert python_of(write(tmp_path / "a", "\n", line)) == command


@pytest.mark.parametrize(
    "words", ["-c__import__('os').close(1)", "{place}/own.py", "-m own", "-i {place}/own.py"]
)
def test_the_first_line_has_nothing_run_but_the_question(tmp_path: Path, words: str) -> None:
    """Its own code was run, by a check that was to run nothing."""
    (tmp_path / "own.py").write_text("import os; os.close(1)\n")
    first = f"#!{sys.executable} {words.format(place=tmp_path)}\n"
    told = ask(write(tmp_path / "a.py", "import json\n", first), PATH, ME)
    assert told is not None
    assert [each.name for each in told.imports] == ["json"]


def test_a_program_that_depends_on_the_directory_is_not_asked(tmp_path: Path) -> None:
    """It was looked for in one directory, not found, and run in another."""
    program = fake(tmp_path, f"touch {tmp_path}/ran")
    for first in (f"#!{program[1:]}\n", "#!/usr/bin/env python3\n"):
        file = write(tmp_path / "a.py", "", first)
        assert ask(file, f"{str(tmp_path)[1:]}", ME) is None
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("first", ["#!/bin/sh\n", "#!/no/such/python3\n"])
def test_who_cannot_be_asked(tmp_path: Path, first: str) -> None:
    assert ask(write(tmp_path / "a.py", "x = 1\n", first), PATH, ME) is None


def test_it_is_asked_for_a_limited_time(tmp_path: Path) -> None:
    slow = tmp_path / "python3"
    slow.write_text("#!/bin/sh\nexec sleep 1000\n")
    slow.chmod(0o755)
    assert ask(write(tmp_path / "a.py", "", f"#!{slow}\n"), PATH, ME, seconds=0.2) is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can ask as another user")
def test_root_asks_as_the_other_user() -> None:
    # Directly in a place that all can reach: pytest's own directories are closed to others
    with TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o777)
        fake = place / "python3"
        fake.write_text(f"#!/bin/sh\nid -u > {place}/uid\nexit 1\n")
        fake.chmod(0o755)
        ask(write(place / "a.py", "", f"#!{fake}\n"), PATH, Account.named("nobody"))
        assert (place / "uid").read_text().strip() == str(Account.named("nobody").uid)


def fake(place: Path, program: str, name: str = "python3") -> str:
    file = place / name
    file.write_text(f"#!/bin/sh\n{program}\n")
    file.chmod(0o755)
    return str(file)


def test_one_that_prints_too_much_is_ended_at_the_limit(tmp_path: Path) -> None:
    first = f"#!{fake(tmp_path, f'yes | head -c 50000000; echo >{tmp_path}/all')}\n"
    assert ask(write(tmp_path / "a.py", "", first), PATH, ME, seconds=60) is None
    assert not (tmp_path / "all").exists()


@pytest.mark.parametrize(
    "said", ["[]", "{}", "null", '{"error": null}', '{"error": 1, "version": 2}', "[" * 9_999]
)
def test_one_that_says_something_else_has_said_nothing(tmp_path: Path, said: str) -> None:
    (tmp_path / "said").write_text(said)
    first = f"#!{fake(tmp_path, f'cat {tmp_path}/said')}\n"
    assert ask(write(tmp_path / "a.py", "", first), PATH, ME) is None


def test_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    program = fake(tmp_path, f"sleep 1000 >{tmp_path}/out & echo $! >{tmp_path}/pid")
    file = write(tmp_path / "a.py", "", f"#!{program}\n")
    assert ask(file, PATH, ME, seconds=60) is None
    child = Path("/proc", (tmp_path / "pid").read_text().strip(), "stat")
    deadline = time.monotonic() + 60
    while child.exists() and child.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_which_interpreters_are_familiar(tmp_path: Path) -> None:
    (tmp_path / "cgi-bin" / "venv").mkdir(parents=True)
    (tmp_path / "venv").mkdir()
    uid = os.geteuid()
    for place, expected in (("venv", True), ("cgi-bin", False), ("cgi-bin/venv", False)):
        first = f"#!{fake(tmp_path / place, 'exit 1')}\n"
        assert is_familiar(write(tmp_path / "cgi-bin" / "a.py", "", first), PATH, uid) is expected
    # A link elsewhere to a program beside the script
    (tmp_path / "link").symlink_to(tmp_path / "cgi-bin" / "python3")
    (tmp_path / "python3").symlink_to(tmp_path / "link")
    first = f"#!{tmp_path}/python3\n"
    assert not is_familiar(write(tmp_path / "cgi-bin" / "a.py", "", first), PATH, uid)
    # A program of somebody else
    if uid:
        return
    first = f"#!{fake(tmp_path / 'venv', 'exit 1')}\n"
    os.chown(tmp_path / "venv", 54_321, -1)
    assert not is_familiar(write(tmp_path / "cgi-bin" / "a.py", "", first), PATH, 0)


def test_one_that_is_too_large_is_not_cut_and_called_a_syntax_error(tmp_path: Path) -> None:
    rest = "x = 1\n" * 400_000 + "y = (\n1)\n"
    assert ask(write(tmp_path / "a.py", rest), PATH, ME) is None


def test_one_that_takes_too_much_memory_says_nothing_of_the_script(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(f"#!{sys.executable}\nx = {'-' * 900_000}1\n")
    told = ask(str(tmp_path / "a.py"), PATH, ME)
    assert told is None or "MemoryError" not in str(told.error)
