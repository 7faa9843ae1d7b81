"""Real scripts run warm and as persistent processes, and nothing of them is left."""

import fcntl
import os
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import until

from cgikit.checking.account import Account
from cgikit.host.environ import inherited
from cgikit.tracing import comparison
from cgikit.tracing.comparison import TracedRequest, calls_run, compare, why_not
from cgikit.tracing.way import Way

HANDLER = "from cgikit import run\nrun(lambda request: 'hello')\n"
PRINTS = "print('Content-Type: text/plain\\n')\n"
VARIABLES = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "a=1",
    "SCRIPT_NAME": "/a.py",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
}


def request(
    place: Path, source: str, first: str = sys.executable, body: bytes = b""
) -> TracedRequest:
    file = place / "a.py"
    file.write_text(f"#!{first}\n{source}")
    file.chmod(0o755)
    base = inherited(os.environ, path_first=os.path.dirname(sys.executable))
    return TracedRequest(str(file), base, VARIABLES, body)


def held(place: Path) -> str:
    """The beginning of a script: it writes its number into a file, and has that locked to its end."""
    return f"""
import fcntl, os
held = open({str(place / "held")!r}, "a")
fcntl.flock(held, fcntl.LOCK_SH)
print(os.getpid(), file=held, flush=True)
"""


def nobody_is_left(place: Path) -> bool:
    """Whether no process has the file locked."""
    with (place / "held").open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def run(made: TracedRequest, seconds: float = 60) -> dict[str, Way]:
    return {way.name: way for way in compare(made, 3, seconds=seconds)}


def test_both_ways_are_measured_and_nothing_is_left(tmp_path: Path) -> None:
    made = request(tmp_path, held(tmp_path) + HANDLER)
    before = set(os.listdir("/dev/fd"))
    count = [0]

    def done() -> None:
        count[0] += 1

    ways = {way.name: way for way in compare(made, 3, done, seconds=60)}
    assert {name: (len(w.requests), w.why_not) for name, w in ways.items()} == {
        "warm": (3, ""),
        "persistent": (3, ""),
    }
    assert all(0 < first <= total for way in ways.values() for first, total in way.requests)
    assert count == [3 + 2 + 3 + 1]
    assert until(lambda: nobody_is_left(tmp_path))
    pids = set((tmp_path / "held").read_text().split())
    assert len(pids) == 3 + 2 + 1  # a process for each warm request; one for all persistent ones
    assert set(os.listdir("/dev/fd")) == before
    assert sorted(os.listdir(tmp_path)) == ["a.py", "held"]


def test_a_body_is_sent(tmp_path: Path) -> None:
    source = f"""
from cgikit import run
def read(request):
    data = request.body
    open({str(tmp_path / "sizes")!r}, "a").write("%d " % len(data))
    return ""
run(read)
"""
    made = request(tmp_path, source, body=b"x" * 1_000_000)
    made.variables = {
        **VARIABLES,
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": "1000000",
        "CONTENT_TYPE": "text/plain",
    }
    assert [way.why_not for way in run(made).values()] == ["", ""]
    assert (tmp_path / "sizes").read_text().split() == ["1000000"] * 9


def test_the_engine_has_preloaded_what_the_script_imports_before_it_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        comparison.WARMING_UP, "warm", 6
    )  # the first may not be enough on a busy machine
    note = f"open({str(tmp_path / 'seen')!r}, 'a').write('%s ' % ('decimal' in sys.modules))\n"
    run(request(tmp_path, f"import sys\n{note}import decimal\n{PRINTS}"))
    seen = (tmp_path / "seen").read_text().split()
    assert seen[0] == "False"
    assert seen[6:] == ["True"] * 3


def test_a_script_without_run_is_not_started_as_a_persistent_one(tmp_path: Path) -> None:
    ways = run(request(tmp_path, f"open({str(tmp_path / 'runs')!r}, 'a').write('x')\n{PRINTS}"))
    assert len(ways["warm"].requests) == 3
    assert ways["persistent"].why_not == "it does not call cgikit's run()"
    assert (tmp_path / "runs").read_text() == "x" * 5


@pytest.mark.parametrize(
    ("first", "warm", "persistent"),
    [
        ("/bin/sh", "it is not a Python script", "it is not a Python script"),
        (f"{sys.executable} -I", "its first line gives Python the option -I", ""),
    ],
)
def test_why_a_script_is_not_measured(
    tmp_path: Path, first: str, warm: str, persistent: str
) -> None:
    assert why_not(request(tmp_path, HANDLER, first)) == {"warm": warm, "persistent": persistent}


def test_one_that_the_engine_starts_cold_is_not_called_warm(tmp_path: Path) -> None:
    (tmp_path / "cgikit.py").write_text("")
    found = run(request(tmp_path, PRINTS))["warm"]
    assert found.why_not.endswith("cgikit.py hides a module")
    assert found.requests == []


def test_one_that_does_not_answer_is_ended(tmp_path: Path) -> None:
    source = held(tmp_path) + "import time\ntime.sleep(1000)\n" + HANDLER
    found = run(request(tmp_path, source), seconds=1)
    assert [way.why_not for way in found.values()] == ["it did not answer within 1 seconds"] * 2
    assert until(lambda: nobody_is_left(tmp_path))


def test_one_that_fails(tmp_path: Path) -> None:
    found = run(request(tmp_path, f"import sys\nsys.exit(3)\n{HANDLER}"))
    assert found["warm"].why_not == "it answered 500"
    assert found["persistent"].why_not in (
        "the answer was cut",
        "the connection broke: Connection reset by peer",
        "the connection broke: Connection refused",
        "the connection broke: Broken pipe",
    )


def test_one_that_ends_badly_after_its_answer(tmp_path: Path) -> None:
    found = run(request(tmp_path, PRINTS + "import os, sys\nsys.stdout.flush()\nos._exit(3)\n"))
    assert found["warm"].why_not == "it ended with exit status 3"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run it as another user")
def test_a_user_who_cannot_run_the_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "python"
    closed.write_text("#!/bin/sh\n")
    closed.chmod(0o700)
    made = request(tmp_path, HANDLER)
    made.user = Account.named("nobody")
    monkeypatch.setattr("sys.executable", str(closed))
    found = run(made)["persistent"]
    assert found.why_not == f"it cannot be started: {closed}: Permission denied"


def test_few_requests_are_sent_to_a_slow_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "SECONDS", 0.0)
    assert [len(way.requests) for way in run(request(tmp_path, HANDLER)).values()] == [1, 1]


@pytest.mark.parametrize(
    ("source", "calls"),
    [
        ("from cgikit import run\nrun(hello)", True),
        ("from cgikit import (\n    escape,\n    run,\n)\nif 1:\n    run (hello)", True),
        ("from cgikit.script import run as serve\nserve(hello)", True),
        ("import cgikit\ncgikit.run(hello)", True),
        ("from cgikit import Request\nimport subprocess\nsubprocess.run(['x'])", False),
        ("from cgikit import escape\ndef run(): pass\nrun()", False),
        ("from cgikit import run", False),
        ("import cgikit_other\ncgikit.run(1)", False),
        ("(" * 100_000, False),
        ("", False),
    ],
)
def test_whether_a_script_calls_run(source: str, calls: bool) -> None:
    assert calls_run(source.encode()) is calls


@given(
    st.lists(
        st.sampled_from(
            [
                b"from",
                b"import",
                b"cgikit",
                b"run",
                b"as",
                b"(",
                b")",
                b",",
                b"\n",
                b"=",
                b"\0",
                b" ",
            ]
        ),
        max_size=12,
    )
)
def test_any_source_has_an_answer(words: list[bytes]) -> None:
    calls_run(b" ".join(words))
    calls_run(b"".join(words))
