"""A process that serves several requests of one script: what is a request's own, and when it ends."""

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, Answer, Gateway, gateway
from serving import until

SAYS = f"{HEAD}import os\nprint(os.getpid())\n"


@pytest.fixture(scope="module")
def reusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway whose scripts' processes serve several requests. What most tests need is preloaded: a
    worker is replaced once it has learnt a module.
    """
    options = ["--workers", "1", "--reuse", "*.py", "--reuse-max", "50"]
    for module in ("json", "email.charset", "traceback", "ast", "tokenize", "logging"):
        options += ["--preload", module]
    with gateway("scgi", tmp_path_factory.mktemp("reuse"), *options) as server:
        yield server


def put(server: Gateway, name: str, source: str) -> str:
    """Put a script that was written a while ago: one that changed a moment ago might change again."""
    path = server.script(name, source)
    past = time.time() - 60
    os.utime(server.root / name, (past, past))
    # The time of the last change of the file itself cannot be set
    status = (server.root / name).stat()
    assert until(lambda: time.time_ns() - status.st_ctime_ns > 2_600_000_000)
    return path


def pids(server: Gateway, path: str, count: int, **more: str) -> list[int]:
    """The processes that have answered, one request after the other."""
    return [int(server.request(path, **more).text.split()[0]) for _ in range(count)]


def test_one_process_serves_many_requests(reusing: Gateway) -> None:
    path = put(reusing, "many.py", SAYS)
    assert len(set(pids(reusing, path, 20))) < 20


def test_a_process_serves_so_many_and_no_more(reusing: Gateway) -> None:
    path = put(reusing, "most.py", SAYS)
    found = pids(reusing, path, 120)
    assert max(map(found.count, found)) <= 50


def ask_twice(server: Gateway, path: str, first: str, second: str) -> tuple[Answer, Answer]:
    """Two requests that follow each other closely enough to get one process, if that may be."""
    return server.request(path, QUERY_STRING=first), server.request(path, QUERY_STRING=second)


def test_what_a_script_imports_is_learnt_while_its_process_lives(reusing: Gateway) -> None:
    held = "import sys\nheld = 'colorsys' in sys.modules\nimport colorsys\n"
    path = put(reusing, "learns.py", f"{held}{SAYS}print(held)\n")
    workers = reusing.workers()
    assert until(lambda: len(set(pids(reusing, path, 2))) == 1)  # a process is kept
    assert until(lambda: reusing.workers() != workers)  # without another request
    assert until(lambda: reusing.request(path).text.split()[1] == "True")


@pytest.mark.parametrize(
    ("trace", "reason"),
    [
        ("import email.charset; email.charset.ALIASES[query] = 'x'", "email.charset.ALIASES"),
        ("import json; json.JSONEncoder.item_separator = query", "json"),
        ("import builtins; builtins.left = query", "builtins"),
        ("import os; keep = os.open('.', os.O_RDONLY)", "left a file or a socket open"),
        ("import subprocess; subprocess.run(['true'])", "started a process"),
        ("import sys; sys.setrecursionlimit(1234)", "recursion limit"),
    ],
)
def test_a_trace_ends_the_process_and_the_log_says_which(
    reusing: Gateway, trace: str, reason: str
) -> None:
    name = "leaves_" + re.sub(r"\W", "", reason) + ".py"
    path = put(reusing, name, f"import os\nquery = os.environ['QUERY_STRING']\n{SAYS}{trace}\n")
    seen = len(reusing.lines)
    found = pids(reusing, path, 4, QUERY_STRING="left")
    assert len(set(found)) == 4
    reusing.wait_for(rf"{path}: its process serves no other request: .*{re.escape(reason)}", seen)


def test_what_a_script_prints_to_its_end_arrives(reusing: Gateway) -> None:
    source = (
        f"{HEAD}import atexit, sys\natexit.register(print, 'at exit')\nsys.stdout.write('end ')\n"
    )
    path = put(reusing, "prints.py", source)
    assert [reusing.request(path).text for _ in range(3)] == ["end at exit\n"] * 3


def test_an_exit_status_is_that_of_its_request(reusing: Gateway) -> None:
    path = put(reusing, "status.py", f"{HEAD}raise SystemExit(3)\n")
    seen = len(reusing.lines)
    for _ in range(2):
        reusing.request(path)
    reusing.wait_for(rf"^{path}: exited with status 3$", seen)


def test_a_body_is_its_own_requests_alone(reusing: Gateway) -> None:
    path = put(reusing, "body.py", f"{HEAD}import sys\nprint(sys.stdin.readline(), end='')\n")
    assert reusing.request(path, b"one\nunread\n").text == "one\n"
    assert reusing.request(path, b"two\n").text == "two\n"


def test_a_script_that_forks_ends_in_both_processes(reusing: Gateway) -> None:
    path = put(reusing, "forks.py", f"{HEAD}import os\nif not os.fork(): os._exit(0)\nos.wait()\n")
    for _ in range(3):
        assert reusing.request(path).text == ""


def test_a_script_that_cannot_be_compiled_says_so(reusing: Gateway) -> None:
    path = put(reusing, "broken.py", "print(\n")
    assert reusing.request(path).status == 500


def test_nothing_is_left_when_the_gateway_ends(tmp_path: Path) -> None:
    with gateway("scgi", tmp_path, "--workers", "1", "--reuse", "*.py") as server:
        path = put(server, "plain.py", SAYS)
        server.request(path)
        left = int(server.request(path).text)
    assert until(lambda: not Path(f"/proc/{left}").exists())
