"""Standard error of scripts: one log for all of it, whatever ends first, the answer or the script."""

import os
from collections.abc import Iterator

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import until

from cgikit.warm.errorstream import TAIL, ErrorStream

#: An answer of which all has come while the script has still something to say.
LATE = """
import os, sys, time
sys.stdout.write("Content-Type: text/plain\\nContent-Length: 5\\n\\nwhole")
sys.stdout.flush()
while not os.path.exists("go-on"): time.sleep(0.01)
print("late", file=sys.stderr)
"""
#: Its answer has ended with its output, as it closes that, and it lives on.
CLOSES = f"""
import os, sys, time
{HEAD}print("whole", end="", flush=True)
os.close(1)
while not os.path.exists("go-on"): time.sleep(0.01)
os.write(2, b"late\\n")
os._exit(0)
"""


@pytest.fixture(scope="module", params=["--spawn", "--workers"])
def telling(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway that lets the web server have what scripts write to standard error."""
    more = [request.param] if request.param == "--spawn" else []
    root = tmp_path_factory.mktemp("telling")
    with gateway("fastcgi", root, "--workers", "1", "--stderr", "server", *more) as server:
        yield server


@pytest.mark.parametrize("source", [LATE, CLOSES], ids=["a length", "a closed output"])
def test_what_is_said_after_the_answer_is_in_the_log_like_all_else(
    warm: Gateway, source: str
) -> None:
    """Of 30 incidents 28 were in the web server's log and 2 in ours, as the answer ended or did not."""
    seen = len(warm.lines)
    (warm.root / "go-on").unlink(missing_ok=True)
    path = warm.script("late.py", source)
    answer = warm.request(path)
    assert (answer.body, answer.errors) == (b"whole", b"")
    (warm.root / "go-on").touch()
    assert warm.said(path, seen) == ["late"]


@pytest.mark.parametrize("source", [LATE, CLOSES], ids=["a length", "a closed output"])
def test_no_answer_ends_before_the_web_server_has_all_of_standard_error(
    telling: Gateway, source: str
) -> None:
    seen = len(telling.lines)
    (telling.root / "go-on").unlink(missing_ok=True)
    path = telling.script("late.py", source)
    with telling.connect() as peer:
        peer.send(telling.variables(path))
        output = b""
        while b"whole" not in output:  # which nobody holds back meanwhile
            output += peer.receive()
        (telling.root / "go-on").touch()
        answer = peer.answer()
    assert (answer.errors, answer.ended) == (b"late\n", 0)
    assert telling.said(path, seen) == []


def test_an_answer_that_waits_for_its_script_is_whole_when_the_script_is_ended(
    telling: Gateway,
) -> None:
    path = telling.script("killed.py", LATE.replace("go-on", "never"))
    with telling.connect() as peer:
        peer.send(telling.variables(path))
        output = b""
        while b"whole" not in output:
            output += peer.receive()
        assert until(telling.scripts)
        for pid in telling.scripts():
            os.kill(pid, 9)
        answer = peer.answer()
    assert answer.ended is not None
    telling.wait_for(f"^{path}: was killed by signal 9$")


def test_a_page_in_place_of_an_answer_that_was_held_back_costs_no_line(telling: Gateway) -> None:
    """The body is owed, so nothing has gone out, and what had waited to is dropped."""
    source = f"""
import os, sys, time
{HEAD}print("begun", flush=True)
print("one\\ntwo", file=sys.stderr, flush=True)
sys.stdin.buffer.read(1)
os.kill(os.getpid(), 9)
"""
    path = telling.script("held.py", source)
    body = b"x" * 200_000
    with telling.connect() as peer:
        data = telling.encode(path, body)
        peer.socket.sendall(data[:150_000])
        answer = peer.answer()
    assert answer.status == 500
    assert answer.errors == b"one\ntwo\n"


def test_lines_under_the_name_of_the_script() -> None:
    log: list[str] = []
    stream = ErrorStream(log.append)
    stream.take("/a.py", b"one\ntw", sent=False)
    stream.take("/a.py", b"o\n\x1b[2J\nrest", sent=False)
    stream.end("/a.py", sent=False)
    stream.end("/a.py", sent=False)
    assert log == ["/a.py: one", "/a.py: two\n/a.py: \\x1b[2J", "/a.py: rest"]
    assert stream.tail == ["one", "two", "\\x1b[2J", "rest"]


def test_what_was_sent_elsewhere_is_kept_for_a_page_only() -> None:
    log: list[str] = []
    stream = ErrorStream(log.append)
    stream.take("/a.py", b"".join(b"%d\n" % n for n in range(2 * TAIL)), sent=True)
    assert log == []
    assert stream.tail == [str(n) for n in range(TAIL, 2 * TAIL)]
