"""`import cgikit.guard`: a script that fails where nobody looks still answers."""

import subprocess
import sys
from pathlib import Path

import pytest
from child import DEADLINE, Answer, environment, write_script
from requirement import need
from serving import serve

GUARD = "import cgikit.guard\n"
CASES = {
    "a failing import": "import no_such_module\n",
    "a failing line": "1 / 0\n",
    "before run": "from cgikit import run\nDATA = open('no-such-file')\nrun(lambda request: 'x')\n",
}


def script(directory: Path, source: str, *options: str, **variables: str) -> Answer:
    """Run a script as it is, without the names of the others' prologue."""
    path = directory / "script.py"
    path.write_text(source)
    done = subprocess.run(
        [sys.executable, *options, str(path)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=environment(**variables),
        cwd=directory,
        timeout=DEADLINE,
    )
    return Answer(done.stdout, done.stderr.decode(), done.returncode)


@pytest.mark.parametrize("case", CASES)
def test_an_error_outside_of_run_is_a_page(tmp_path: Path, case: str) -> None:
    """The client got an empty answer, of which servers say that the script is broken."""
    answer = script(tmp_path, GUARD + CASES[case])
    assert answer.status == 500
    assert answer.code == 0
    number = answer.errors.partition("]")[0].removeprefix("[incident ")
    assert f"incident {number}" in answer.page
    assert "no_such" not in answer.page
    assert "script.py" not in answer.page
    assert "Traceback" in answer.errors


def test_the_cause_is_shown_in_debug_mode(tmp_path: Path) -> None:
    answer = script(tmp_path, f"{GUARD}import no_such_module\n", CGIKIT_DEBUG="1")
    assert answer.status == 500
    assert "<h1>ModuleNotFoundError: No module named" in answer.page


@pytest.mark.parametrize("options", [(), ("-u",)])
def test_outside_of_cgi_nothing_is_different(tmp_path: Path, options: tuple[str, ...]) -> None:
    plain, guarded = (
        script(tmp_path, f"print('x')\n{first}1 / 0\n", *options, REQUEST_METHOD="")
        for first in ("", GUARD)
    )
    assert guarded.output == plain.output == b"x\n"
    assert guarded.errors.replace("line 3", "line 2") == plain.errors
    assert guarded.code == plain.code == 1


def test_a_script_that_does_not_fail_prints_what_it_prints(tmp_path: Path) -> None:
    """Python's own flush at the end of a script is put off, and must not lose anything."""
    for ending in (
        "",
        "sys.exit(3)",
        "atexit.register(sys.stdout.flush)",
        "atexit.register(print)",
    ):
        source = (
            f"{GUARD}import atexit, sys\nprint('Content-Type: text/plain\\n\\nall')\n{ending}\n"
        )
        answer = script(tmp_path, source)
        assert answer.output.rstrip(b"\n") == b"Content-Type: text/plain\n\nall", ending
        assert answer.errors == ""
        assert answer.code == (3 if "exit(3)" in ending else 0)


def test_a_child_of_the_script_leaves_the_answer_to_its_parent(tmp_path: Path) -> None:
    source = f"""{GUARD}
import os
pid = os.fork()
if not pid:
    1 / 0
os.waitpid(pid, 0)
print("Content-Type: text/plain\\n\\nthe parent's")
"""
    answer = script(tmp_path, source)
    assert answer.output == b"Content-Type: text/plain\n\nthe parent's\n"
    assert answer.errors.startswith("Traceback")


def test_run_still_answers_what_it_did(tmp_path: Path) -> None:
    answer = script(tmp_path, f"{GUARD}from cgikit import run\nrun(lambda request: 1 / 0)\n")
    assert answer.status == 500
    assert answer.errors.count("Traceback") == 1


def test_a_warm_script_is_guarded_each_time(tmp_path: Path) -> None:
    """A preloaded guard would have been imported where there is no request."""
    from gatewayserving import gateway

    root = tmp_path / "root"
    root.mkdir()
    with gateway("fastcgi", root, "--workers", "1") as server:
        path = server.script("fails.py", f"{GUARD}import no_such_module\n")
        for _ in range(3):
            answer = server.request(path)
            assert answer.status == 500
            assert b"You did nothing wrong" in answer.body


def test_a_browser_sees_the_page_behind_a_server(tmp_path: Path) -> None:
    need("curl")
    path = write_script(tmp_path, "")
    path.write_text(f"#!{sys.executable}\n{GUARD}import no_such_module\n")
    path.chmod(0o755)
    with serve(tmp_path, environment={"CGIKIT_DEBUG": "0"}) as server:
        done = subprocess.run(
            ["curl", "-si", f"{server.url}script.py"], capture_output=True, timeout=DEADLINE
        )
    assert done.stdout.startswith(b"HTTP/1.1 500 ")
    assert b"You did nothing wrong" in done.stdout


HANDLER = "from cgikit import run\ndef hello(request):\n    return 'hi'\n"


def test_a_script_that_forgot_run_answers_and_says_so_in_the_log(tmp_path: Path) -> None:
    """It ended without an answer and without a word, of which servers say nothing that helps."""
    answer = script(tmp_path, GUARD + HANDLER)
    assert (answer.status, answer.code) == (500, 0)
    number = answer.errors.partition("]")[0].removeprefix("[incident ")
    assert f"incident {number}" in answer.page
    assert "hello" not in answer.page
    assert answer.errors == (
        f"[incident {number}] cgikit.errors.StateError: script.py printed nothing: it defines hello, "
        "and does not call run(hello). Add a last line to script.py: run(hello)\n"
    )


SILENT = {
    "it ran": HANDLER + "run(hello)\n",
    "no handler": "import sys\nsys.exit(0)\n",
    "a function of another kind": "def show(name):\n    pass\n",
    "it calls the handler": "def hello(request):\n    pass\nhello(None)\n",
    "a table has it": HANDLER + "import os\nTABLE = {'': hello}\nos.write(1, b'x')\n",
    "it printed": HANDLER + "print('x')\n",
    "it printed elsewhere": HANDLER
    + "import io, sys\nout = io.TextIOWrapper(sys.stdout.buffer)\nprint('x', file=out)\n"
    "out.flush()\nout.detach()\n",
    "a child": HANDLER + "import os\nif os.fork():\n    os.wait()\n    print('x')\n",
}


@pytest.mark.parametrize("case", SILENT)
def test_nothing_is_said_of_a_script_that_may_have_answered(tmp_path: Path, case: str) -> None:
    answer = script(tmp_path, GUARD + SILENT[case])
    assert b"Status: 500" not in answer.output
    assert answer.errors == ""
    assert script(tmp_path, GUARD + HANDLER, REQUEST_METHOD="").errors == ""


def test_a_guarded_script_that_answers_ends_as_fast_as_any(tmp_path: Path) -> None:
    seen = "import os\nend = os._exit\nos._exit = lambda code: (os.write(2, b'fast'), end(code))\n"
    answer = script(tmp_path, GUARD + seen + HANDLER + "run(hello)\n")
    assert (answer.body, answer.errors) == (b"hi", "fast")


@pytest.mark.parametrize(
    "raised",
    ["asyncio.CancelledError", "BaseExceptionGroup('x', [SystemExit(1)])", "GeneratorExit"],
)
def test_every_error_but_an_interrupt_is_a_page(tmp_path: Path, raised: str) -> None:
    """`run` answers them, too."""
    answer = script(tmp_path, f"{GUARD}import asyncio\nraise {raised}\n")
    assert answer.status == 500
    assert "incident" in answer.page
    assert "Traceback" in answer.errors


USED_UP = """
import os, resource
def use_up():
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
    while True:
        os.open("script.py", os.O_RDONLY)
"""


@pytest.mark.parametrize("way", ["guard", "run", "nph"])
def test_a_script_that_has_used_up_its_descriptors_gets_a_page(tmp_path: Path, way: str) -> None:
    """No module could be imported to make one: the answer was empty."""
    if way == "guard":
        source = f"{GUARD}{USED_UP}use_up()\n"
    else:
        source = f"from cgikit import run\n{USED_UP}run(lambda request: use_up())\n"
    name = "/nph-script.py" if way == "nph" else "/script.py"
    answer = script(tmp_path, source, SCRIPT_NAME=name)
    assert answer.status == 500
    assert answer.page.count("The script failed.") == 1
    assert "Too many open files" in answer.errors
    assert "script.py', line 7" in answer.errors
    assert "File" not in answer.page


def test_a_script_that_has_used_up_its_memory_gets_a_page(tmp_path: Path) -> None:
    source = """
from cgikit import run
import resource
def handler(request):
    resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
    kept = []
    while True:
        kept.append(bytearray(1 << 20))
run(handler)
"""
    answer = script(tmp_path, source)
    assert answer.status == 500
    assert "MemoryError" in answer.errors


@pytest.mark.parametrize(
    "replaced",
    ["io.StringIO()", "codecs.getwriter('utf-8')(sys.stdout.buffer)", "None"],
)
@pytest.mark.parametrize("debug", ["", "1"])
def test_a_replaced_standard_output_breaks_no_hook(
    tmp_path: Path, replaced: str, debug: str
) -> None:
    """The hook itself failed, and Python printed two tracebacks."""
    source = f"{GUARD}import codecs, io, sys\nsys.stdout = {replaced}\n1 / 0\n"
    answer = script(tmp_path, source, CGIKIT_DEBUG=debug)
    assert "excepthook" not in answer.errors
    assert answer.status == 500
    assert "incident" in answer.page
    assert "ZeroDivisionError" in answer.errors
