"""Why scripts fail: each fault is made for real, and the answer must name what to fix."""

import ast
import errno
import os
import subprocess
from pathlib import Path

import pytest
from house import PACKAGE

from cgikit.host.diagnosis import (
    crash_fix,
    crash_line,
    endless,
    silence_problem,
    start_problem,
    still_runs,
)
from cgikit.host.problem import Problem

PATH = "/usr/bin:/bin"


def diagnose(file: Path, content: bytes) -> Problem:
    """Really start a script of this content and diagnose what happens."""
    file.write_bytes(content)
    file.chmod(0o755)
    try:
        done = subprocess.run([file], env={"PATH": PATH}, capture_output=True)
    except OSError as error:
        return start_problem(str(file), error, PATH)
    assert done.stdout == b""
    return silence_problem(str(file), done.returncode, PATH)


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (b"#!/usr/bin/pyton3\n", "The interpreter #!/usr/bin/pyton3 does not exist.", "first line"),
        (b"#!/usr/bin/env pyton3\n", "'pyton3' is not on the PATH", "first line"),
        (b"#!/usr/bin/env -S pyton3 -x\n", "'pyton3' is not on the PATH", "first line"),
        (b"#!/usr/bin/env sh -e\n", "as one argument", "#!/usr/bin/env -S sh -e"),
        (b"#!/bin/sh\r\nexit 1\r\n", r"the system looks for the program '/bin/sh\r'", "sed -i"),
        (b"#!/usr/bin/env python3\r\n", r"the system looks for the program 'python3\r'", "sed -i"),
        (b"print('x')\n", "no #! line", "#!/usr/bin/env python3"),
        (b"", "no #! line", "#!/usr/bin/env python3"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "byte order mark", "without a BOM"),
        (b"#!\n", "names no interpreter", "env python3"),
        (b"#!/etc/passwd\n", "cannot be executed", "first line"),
        (b"#!/usr\n", "cannot be executed", "first line"),
        (b"#!/bin/sh\nexit 3\n", "exited with status 3 and printed nothing", ""),
        (b"#!/bin/sh\nexit 127\n", "exited with status 127 and printed nothing", ""),
        (b"#!/bin/sh\n", "printed nothing", "Print headers"),
        (b"#!/bin/sh\nkill -KILL $$\n", "killed by signal 9 (SIGKILL)", ""),
    ],
)
def test_faults(tmp_path: Path, content: bytes, what: str, fix: str) -> None:
    problem = diagnose(tmp_path / "a.py", content)
    assert problem.status == 500
    assert what in problem.what
    assert fix in problem.fix
    # It stood in the log itself, and under "To fix it", which it did not.
    assert bool(problem.fix) == bool(fix)
    assert "in the log" not in problem.log_text


@pytest.mark.parametrize("number", [errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_a_shortage_is_a_503(tmp_path: Path, number: int) -> None:
    problem = start_problem(str(tmp_path / "a.py"), OSError(number, os.strerror(number)), PATH)
    assert problem.status == 503
    assert ("Retry-After", "5") in problem.headers


def test_an_environment_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long") as caught:
        subprocess.run(["/bin/true"], env={"A": "x" * 200_000})
    assert start_problem("/bin/true", caught.value, PATH).status == 431


def test_other_errors_are_passed_on(tmp_path: Path) -> None:
    file = tmp_path / "a.sh"
    file.write_text("#!/bin/sh\n")
    problem = start_problem(str(file), OSError(errno.EIO, "Input/output error"), PATH)
    assert problem.what == "a.sh cannot be started: Input/output error."


def test_a_script_that_has_gone_meanwhile(tmp_path: Path) -> None:
    problem = start_problem(str(tmp_path / "a.sh"), OSError(errno.ENOENT, "No such file"), PATH)
    assert "a.sh" in problem.what


def test_an_elf_program_that_fails_is_not_told_to_have_a_shebang() -> None:
    assert "#!" not in silence_problem("/bin/true", 127, PATH).what


def test_an_interpreter_by_extension_that_went_away_is_named(tmp_path: Path) -> None:
    error = OSError(errno.ENOENT, "No such file or directory")
    problem = start_problem(str(tmp_path / "a.php"), error, PATH, "/opt/php-cgi")
    told = "/opt/php-cgi, which runs a.php, cannot be started: No such file or directory."
    assert (problem.status, problem.what) == (500, told)
    busy = OSError(errno.EAGAIN, "Resource temporarily unavailable")
    assert start_problem(str(tmp_path / "a.php"), busy, PATH, "/opt/php-cgi").status == 503


def test_no_message_promises_a_console() -> None:
    """Pages behind a web server said "it is on the console, too", where there is only a log."""
    promised = [
        f"{path.name}: {node.value}"
        for room in ("host", "warm")
        for path in sorted((PACKAGE / room).glob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and "on the console" in str(node.value)
    ]
    assert promised == []


@pytest.mark.parametrize(
    ("line", "fix"),
    [
        (
            "ModuleNotFoundError: No module named 'cgi'",
            (
                "Python 3.13 removed the module cgi. Start this server with --compat, or write a "
                "replacement beside the script: cgikit vendor cgi '/srv/my scripts'"
            ),
        ),
        (
            (
                "ImportError: Python 3.13 has no module named 'cgitb', and /usr/bin/python3 has no "
                "cgikit whose module could stand in: run /usr/bin/python3 -m pip install cgikit"
            ),
            "Do that, or write a complete copy: cgikit vendor cgi --self-contained '/srv/my scripts'",
        ),
        ("ModuleNotFoundError: No module named 'cgi_helpers'", ""),
        ("ModuleNotFoundError: No module named 'imp'", ""),
    ],
)
def test_a_module_that_python_removed(line: str, fix: str) -> None:
    errors = ["Traceback (most recent call last):", line]
    problem = silence_problem("/srv/my scripts/a.py", 1, "", errors)
    assert (problem.what, problem.fix) == ("a.py exited with status 1 and printed nothing.", fix)


@pytest.mark.parametrize(
    ("shebang", "option"),
    [
        ("#!/usr/bin/python3 -I", "-I"),
        ("#!/usr/bin/env -S python3.13 -I", "-I"),
        ("#!/usr/bin/env -S LANG=C python3 -B -E", "-E"),
        ("#!/usr/bin/python3 -sEI", "-I"),
        ("#!/usr/bin/python3 -uE", "-E"),
        ("#!/usr/bin/python3 -WIgnore", ""),
        ("#!/usr/bin/python3", ""),
        ("#!/usr/bin/env -S python3 x.py -I", ""),
    ],
)
def test_an_option_that_hides_every_replacement_is_named(
    tmp_path: Path, shebang: str, option: str
) -> None:
    """The advice was --compat, even from a server that had it."""
    file = tmp_path / "a.py"
    file.write_text(f"{shebang}\nimport cgi\n")
    fix = silence_problem(str(file), 1, "", ["No module named 'cgi'"]).fix
    assert "Start this server with --compat" in fix
    assert ("out of the first line of the script" in fix) == bool(option)
    if option:
        assert f"Take {option} out" in fix
        assert "--compat, if that is not so yet" in fix


def test_the_remedy_is_that_of_whoever_ran_the_script() -> None:
    fix = silence_problem("/srv/a.py", 1, "", ["No module named 'cgi'"], "Do this").fix
    assert fix.startswith(
        "Python 3.13 removed the module cgi. Do this, or write a replacement beside the script"
    )


@pytest.mark.parametrize(
    ("errors", "line"),
    [
        ([], 0),
        (["oops"], 0),
        (['  File "/x/a.py", line 7, in <module>', '  File "/x/b.py", line 9, in f'], 7),
        (['  File "/x/a.py", line 3, in f', "KeyError: 1", '  File "/x/a.py", line 8, in g'], 8),
        (["oops at /x/a.py line 5.", "then at /x/other.pm line 6."], 5),
    ],
)
def test_the_line_of_a_crash_is_one_of_the_script(errors: list[str], line: int) -> None:
    assert crash_line("/cgi-bin/a.py", errors) == line
    problem = silence_problem("/cgi-bin/a.py", 1, PATH, iter(errors))
    named = f" Its standard error names line {line}." if line else ""
    assert problem.what == f"a.py exited with status 1 and printed nothing.{named}"
    assert problem.fix == crash_fix("/cgi-bin/a.py", line)


@pytest.mark.parametrize(
    ("computed", "does"),
    [
        (9.9, "computes, perhaps in a loop that does not end (9.9 s of processor time)"),
        (1.2, "computes, perhaps in a loop that does not end (1.2 s of processor time)"),
        (0.03, "waits for something (0.0 s of processor time)"),
    ],
)
def test_what_a_script_does_that_prints_nothing(computed: float, does: str) -> None:
    said = f"has printed nothing for 10 seconds. It still runs and {does}. After 60 s it is ended."
    assert still_runs(10.0, computed, 60.0) == said


def test_where_it_is_that_prints_nothing() -> None:
    assert still_runs(10, 9.9, 60, "line 7 of a.py").endswith(
        "(9.9 s of processor time). It is in line 7 of a.py. After 60 s it is ended."
    )


def test_where_it_is_not_known_what_a_script_does() -> None:
    assert still_runs(10, None, 0.5) == (
        "has printed nothing for 10 seconds. It still runs. After 0.5 s it is ended."
    )


def test_the_line_of_an_endless_loop_is_the_last_one_of_the_script_itself() -> None:
    errors = [
        "Traceback (most recent call last):",
        '  File "/cgi-bin/a.py", line 9, in <module>',
        '  File "/cgi-bin/a.py", line 4, in page',
        '  File "/usr/lib/python3/time.py", line 1, in sleep',
        "KeyboardInterrupt",
    ]
    where, fix = endless("/cgi-bin/a.py", errors)
    assert where == "It was in line 4."
    assert fix.endswith("in line 4.")
    assert endless("/cgi-bin/b.py", errors) == ("", "")


def test_an_error_in_the_syntax_cannot_be_caught_there() -> None:
    assert crash_fix("/a.py", 3, ["SyntaxError: '(' was never closed"]) == "Correct line 3 of a.py."
    assert crash_fix("/a.py", 3, ["KeyError: 'SyntaxError'"]).endswith("or catch the error there.")


def test_the_lines_of_an_incident_have_their_number_before_them() -> None:
    errors = [
        "[incident 1a2b3c4d] Traceback (most recent call last):",
        '[incident 1a2b3c4d]   File "/cgi-bin/a.py", line 9, in page',
        "[incident 1a2b3c4d] SyntaxError: of what it read",
    ]
    assert crash_line("/cgi-bin/a.py", errors) == 9
    assert crash_fix("/cgi-bin/a.py", 9, errors) == "Correct line 9 of a.py."
