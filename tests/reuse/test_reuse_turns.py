"""Each request runs once, whatever becomes of the process that was to serve it, at each step."""

import contextlib
import os
import resource
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

import pytest
from gatewayserving import HEAD, Answer, Gateway, Peer, gateway
from serving import state, until

from cgikit.warm.program import RACY

SCRIPTS = 20  # each test has its own: after some failures a script gets new processes
BODY = b"b" * 3_000 + b"end"
LARGE = b"b" * 300_000 + b"end"
#: The query: a name for the request, what the script does. The body comes back in short.
SOURCE = f"""
import os, sys, time
name, _, what = os.environ["QUERY_STRING"].partition("&")
body = sys.stdin.buffer.read()
with open("runs", "a") as log:
    log.write(f"{{name}} {{os.getpid()}}\\n")
if what == "stop":
    os.kill(os.getpid(), {signal.SIGSTOP:d})
elif what == "sleep":
    time.sleep(1_000)
elif what == "burn":
    while time.process_time() < 1.5:
        pass
elif what == "count":
    while True:
        pass
elif what == "change":  # the process stops while it checks itself, and then finds this class
    class Stops(bytes):
        def __ne__(self, other, kill=os.kill, pid=os.getpid()):
            kill(pid, {signal.SIGSTOP:d})
            return True
        __hash__ = bytes.__hash__
    os.environ._data[b"PATH"] = Stops()
{HEAD}
print(os.getpid(), len(body), body[-3:].decode())
"""


class Turns:
    """A script of its own on a gateway, and the processes that have served it."""

    def __init__(self, server: Gateway, path: str) -> None:
        self.server = server
        self.path = path
        self._runs = server.root / "runs"
        self._runs.touch()
        self._names = count()

    def _name(self) -> str:
        return f"{self.path}-{next(self._names)}"

    def ask(self, body: bytes = b"", what: str = "") -> Answer:
        """The answer to a request."""
        return self.server.request(self.path, body, QUERY_STRING=f"{self._name()}&{what}")

    def process(self) -> int:
        """The process that has served two requests, and waits for another one. There is no other
        one: on a busy machine the script may have got two.
        """
        found: list[int] = []

        def is_alone() -> bool:
            pid, again = (int(self.ask().text.split()[0]) for _ in range(2))
            if pid != again:
                return False
            for other in self.server.scripts():
                if other != pid:
                    with suppress(ProcessLookupError):
                        os.kill(other, signal.SIGKILL)
            assert until(lambda: state(pid) not in ("R", "D"))
            found[:] = [pid]
            return state(pid) == "S" and self.server.scripts() == [pid]

        assert until(is_alone), self.server.lines[-20:]
        return found[0]

    @contextmanager
    def given(self, body: bytes = b"", what: str = "") -> Iterator[tuple[Peer, str]]:
        """A request that the worker has given to a process; its name."""
        name = self._name()
        before = self._pipes()
        with self.server.connect() as peer:
            variables = self.server.variables(self.path, body, QUERY_STRING=f"{name}&{what}")
            peer.send(variables, body)
            assert until(lambda: self._pipes() >= before + 2)
            self.server.request("/other.py")  # so the worker has come to the end of that turn
            yield peer, name

    def _pipes(self) -> int:
        """How many ends of pipes the worker has."""
        found = 0
        for entry in Path(f"/proc/{self.server.workers()[0]}/fd").iterdir():
            with suppress(FileNotFoundError):
                found += os.readlink(entry).startswith("pipe:")
        return found

    def runs(self, name: str) -> list[int]:
        """The processes that have run the script for a request."""
        found = (line.split() for line in self._runs.read_text().splitlines())
        return [int(pid) for who, pid in found if who == name]


@contextmanager
def serving(root: Path, *options: str) -> Iterator[Iterator[Turns]]:
    """Serve scripts, each of which is for one test."""
    words = ["--workers", "1", "--reuse", "turn*.py", "--preload", "time", *options]
    with gateway("fastcgi", root, *words) as server:
        server.script("other.py", f"{HEAD}print('other')")
        paths = [server.script(f"turn{number}.py", SOURCE) for number in range(SCRIPTS)]
        changed = max((root / path[1:]).stat().st_ctime_ns for path in paths)
        assert until(lambda: time.time_ns() - changed > RACY)
        try:
            yield (Turns(server, path) for path in paths)
        finally:
            for pid in server.scripts():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
def all_turns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Iterator[Turns]]:
    with serving(tmp_path_factory.mktemp("turns")) as found:
        yield found


@pytest.fixture
def turns(all_turns: Iterator[Turns]) -> Turns:
    return next(all_turns)


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Turns]:
    """A script on a gateway of its own: a worker may be replaced after the end of a process."""
    with serving(tmp_path) as found:
        yield next(found)


def stopped(turns: Turns) -> int:
    """The process that waits for another request, stopped. One may just be ending, with its worker."""
    found = 0

    def is_stopped() -> bool:
        nonlocal found
        found = turns.process()
        with contextlib.suppress(ProcessLookupError):
            os.kill(found, signal.SIGSTOP)
        return until(lambda: state(found) in {"T", "Z", ""}) and state(found) == "T"

    assert until(is_stopped)
    return found


def checking(turns: Turns) -> int:
    """A process that has answered, and is stopped while it checks itself. It will find a change."""
    pid = turns.process()
    assert int(turns.ask(what="change").text.split()[0]) == pid
    assert until(lambda: state(pid) == "T")
    return pid


def served_once(turns: Turns, name: str, answer: Answer, body: bytes) -> int:
    """The process that has served a request, alone and with its body."""
    assert answer.status == 200, (answer, turns.server.lines[-20:])
    word, length, *end = answer.text.split()
    assert (length, "".join(end)) == (str(len(body)), body[-3:].decode())
    pid = int(word)
    assert turns.runs(name) == [pid]
    return pid


def served_after(turns: Turns, pid: int, number: signal.Signals, body: bytes) -> int:
    """The process that serves a request, if `pid` gets a signal before anybody has run it."""
    with turns.given(body) as (peer, name):
        assert not turns.runs(name)
        os.kill(pid, number)
        return served_once(turns, name, peer.answer(), body)


@pytest.mark.parametrize("body", [b"", BODY])
def test_a_request_goes_elsewhere_if_its_process_is_killed_before_it_takes_it(
    turns: Turns, body: bytes
) -> None:
    pid = stopped(turns)
    assert served_after(turns, pid, signal.SIGKILL, body) != pid


@pytest.mark.parametrize("body", [b"", BODY, LARGE])
def test_a_process_that_was_stopped_before_it_takes_its_request_serves_it(
    alone: Turns, body: bytes
) -> None:
    pid = stopped(alone)
    assert served_after(alone, pid, signal.SIGCONT, body) == pid


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGCONT])
@pytest.mark.parametrize("body", [b"", BODY])
def test_a_request_that_came_during_a_check_goes_elsewhere_if_that_fails(
    alone: Turns, body: bytes, number: signal.Signals
) -> None:
    pid = checking(alone)
    assert served_after(alone, pid, number, body) != pid


def test_a_large_body_does_not_wait_for_the_end_of_a_check(alone: Turns) -> None:
    pid = checking(alone)
    answer = alone.ask(LARGE)
    assert answer.text.split()[1:] == [str(len(LARGE)), "end"]
    assert int(answer.text.split()[0]) != pid


def test_a_request_that_was_taken_is_not_run_again(turns: Turns) -> None:
    pid = turns.process()
    with turns.given(BODY, "stop") as (peer, name):
        assert until(lambda: state(pid) == "T")
        os.kill(pid, signal.SIGKILL)
        assert peer.answer().status == 500
        assert turns.runs(name) == [pid]
    assert turns.process() != pid


def test_a_process_that_was_stopped_in_its_script_ends_it(turns: Turns) -> None:
    pid = turns.process()
    with turns.given(BODY, "stop") as (peer, name):
        assert until(lambda: state(pid) == "T")
        os.kill(pid, signal.SIGCONT)
        assert served_once(turns, name, peer.answer(), BODY) == pid


def test_many_are_run_once_or_not_at_all_while_processes_are_killed(turns: Turns) -> None:
    """Some of those that are killed have taken their requests, which fail; none is run twice."""
    server = turns.server
    names = []
    for turn in range(30):
        pid = turns.process()
        name = f"{turns.path}-many{turn}"
        names.append(name)
        with server.connect() as peer:
            peer.send(server.variables(turns.path, BODY, QUERY_STRING=name), BODY)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            answer = peer.answer()
        runs = turns.runs(name)
        assert len(runs) <= 1, (name, runs)
        if answer.status == 200:
            assert len(runs) == 1, (name, answer)


def test_a_process_that_does_not_take_its_request_is_ended(turns: Turns) -> None:
    pid = stopped(turns)
    with turns.given(BODY) as (peer, name):
        assert served_once(turns, name, peer.answer(), BODY) != pid
    assert until(lambda: pid not in turns.server.scripts())


def test_an_aborted_request_ends_its_process_the_second_time_as_well(turns: Turns) -> None:
    pid = turns.process()
    with turns.given(b"", "sleep") as (_, name):
        assert until(lambda: turns.runs(name))
        assert turns.runs(name) == [pid]
    assert until(lambda: pid not in turns.server.scripts())
    assert turns.process() != pid


def test_the_time_limit_is_that_of_each_request(tmp_path: Path) -> None:
    with serving(tmp_path, "--timeout", "5") as found:
        turns = next(found)
        pid = turns.process()
        with turns.given(b"", "sleep") as (peer, name):
            assert peer.answer().status == 504
            assert turns.runs(name) == [pid]
        assert until(lambda: pid not in turns.server.scripts())
        assert turns.process() != pid


def test_the_limit_of_processor_time_is_that_of_each_request(turns: Turns) -> None:
    pid = turns.process()
    first = resource.prlimit(pid, resource.RLIMIT_CPU)[0]
    turns.ask(what="burn")  # more than a second
    with turns.given(b"", "count") as (peer, name):
        assert until(lambda: turns.runs(name))
        assert turns.runs(name) == [pid]
        soft, hard = resource.prlimit(pid, resource.RLIMIT_CPU)
        assert soft > first
        resource.prlimit(pid, resource.RLIMIT_CPU, (1, hard))
        assert peer.answer().status == 500
    assert until(lambda: pid not in turns.server.scripts())
    turns.server.wait_for(f"^{turns.path}: .*SIGXCPU")
    assert turns.process() != pid
