"""Several workers: what dies is replaced, nothing is left behind, no request is lost on the way."""

import os
import re
import signal
import threading
from pathlib import Path
from typing import Self

import pytest
from persisting import Application, application, start
from serving import alive, sockets, until

PID = """
import os, sys, time
def page(request):
    if request.query.get("die"):
        os._exit(int(request.query["die"]))
    if together := request.query.get("together"):
        open(f"in-hand-{os.getpid()}", "w").close()
        while sum(name.startswith("in-hand-") for name in os.listdir()) < int(together):
            time.sleep(0.005)
    if request.query.get("hang"):
        time.sleep(1_000)
    return f"{os.getpid()}"
run(page)
open("returned", "a").write("x")
"""


def pids(app: Application, count: int) -> set[int]:
    """The processes that answer; waits until there are `count` of them."""
    assert until(lambda: len(app.children()) == count)
    return set(app.children())


class Load:
    """Clients in threads that ask without a pause; `.failed` are the answers that were none."""

    def __init__(self, app: Application, keep: bool = False, clients: int = 3) -> None:
        self.app = app
        self.keep = keep
        self.answered = 0
        self.failed: list[object] = []
        self.ending = False
        self.threads = [threading.Thread(target=self._ask) for _ in range(clients)]

    def _ask(self) -> None:
        while not self.ending:
            try:
                answer = self.app.ask()
                if answer.status != 200 or answer.code:
                    self.failed.append(answer)
            except Exception as error:
                self.failed.append(error)
            self.answered += 1

    def __enter__(self) -> Self:
        for thread in self.threads:
            thread.start()
        assert until(lambda: self.answered > 50)
        return self

    def more(self, count: int = 200) -> None:
        """Wait until so many more were answered."""
        goal = self.answered + count
        assert until(lambda: self.answered > goal or self.failed)

    def __exit__(self, *_: object) -> None:
        self.ending = True
        for thread in self.threads:
            thread.join()


def test_as_many_workers_as_asked_for_answer(tmp_path: Path) -> None:
    with application(tmp_path, PID, CGIKIT_WORKERS="3") as app:
        workers = pids(app, 3)
        peers = []
        for count in (1, 2, 3):
            peers.append(app.connect())
            peers[-1].request(QUERY_STRING="together=3")
            assert until(lambda count=count: len([*tmp_path.glob("in-hand-*")]) == count)
        assert {int(peer.answer().page) for peer in peers} == workers
        assert app.process.pid not in workers
        assert app.stop() == 0
        assert not any(alive(pid) for pid in workers)
        # The parent goes on behind run() as a script does; workers end in it.
        assert (tmp_path / "returned").read_text() == "x"
        assert app.logged() == ""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_worker_that_is_killed_is_replaced(tmp_path: Path, number: int) -> None:
    with application(tmp_path, PID, CGIKIT_WORKERS="2") as app:
        first, other = pids(app, 2)
        os.kill(first, number)
        assert until(lambda: first not in app.children() and len(app.children()) == 2)
        assert other in app.children()
        assert app.ask().status == 200
        line = f"cgikit: worker {first} was killed by signal {number:d}; another takes its place\n"
        assert app.logged() == line


def test_a_worker_that_dies_of_a_request_is_replaced(tmp_path: Path) -> None:
    with application(tmp_path, PID, CGIKIT_WORKERS="1") as app:
        (first,) = pids(app, 1)
        with app.connect() as peer:
            peer.request(QUERY_STRING="die=3")
            assert peer.is_closed()
        assert app.ask().page != str(first)
        assert f"worker {first} ended with status 3" in app.logged()


def test_workers_that_break_at_once_are_started_with_pauses(tmp_path: Path) -> None:
    code = """
import os
import cgikit.persistent.parent as p
p._PAUSES = (0.01, 0.02, 0.2)
import cgikit.persistent.worker as w
w.PersistentWorker._loop = lambda *_: os._exit(7)
run(lambda request: "never")
"""
    with application(tmp_path, code, CGIKIT_WORKERS="1") as app:
        assert until(lambda: app.logged().count("\n") >= 5)
        assert app.process.poll() is None
        assert app.stop() == 0
        assert set(re.findall("ended with status .*", app.logged())) == {
            "ended with status 7; another takes its place"
        }


def test_without_processes_to_be_had_it_tries_again(tmp_path: Path) -> None:
    """Process limits do not count for root, so that their error is made where it would come from."""
    code = """
import os
fork, failures = os.fork, [1, 1]
def failing():
    if failures:
        failures.pop()
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()
os.fork = failing
run(lambda request: "at last")
"""
    with application(tmp_path, code, CGIKIT_WORKERS="1") as app:
        assert app.ask().page == "at last"
        line = "cgikit: cannot start a worker: Resource temporarily unavailable\n"
        assert app.logged() == line * 2


def test_workers_do_not_outlive_their_parent(tmp_path: Path) -> None:
    with application(tmp_path, PID, CGIKIT_WORKERS="3") as app:
        workers = pids(app, 3)
        assert app.stop(signal.SIGKILL) == -signal.SIGKILL
        assert until(lambda: not any(alive(pid) for pid in workers))


def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    impatient = "import cgikit.persistent.parent as p\np._GRACE = 0.3\n"
    with application(tmp_path, impatient + PID, CGIKIT_WORKERS="2") as app:
        workers = pids(app, 2)
        with app.connect() as peer:
            peer.request(QUERY_STRING="hang=1")
            assert until(lambda: any(stack_sleeps(pid) for pid in workers))
            assert app.stop() == 0
        assert not any(alive(pid) for pid in workers)


def test_a_worker_that_was_stopped_is_named_in_the_log_and_ends_with_the_parent(
    tmp_path: Path,
) -> None:
    """It is not killed before: somebody may look at it."""
    impatient = "import cgikit.persistent.parent as p\np._GRACE = 0.3\n"
    with application(tmp_path, impatient + PID, CGIKIT_WORKERS="2") as app:
        first, other = pids(app, 2)
        os.kill(first, signal.SIGSTOP)
        line = (
            f"cgikit: worker {first} was stopped by signal {signal.SIGSTOP:d}; it answers nothing"
        )
        assert until(lambda: line in app.logged())
        assert set(app.children()) == {first, other}
        assert app.stop() == 0
        assert not alive(first)
        assert not alive(other)


def stack_sleeps(pid: int) -> bool:
    """Whether a process is in a long sleep (the handler), not in its loop."""
    return "nanosleep" in Path(f"/proc/{pid}/wchan").read_text()


def test_sigterm_under_load_loses_no_request(tmp_path: Path) -> None:
    """The socket stays with whoever made it; the second generation is there before the first ends."""
    with application(tmp_path, PID, CGIKIT_WORKERS="2") as app, Load(app) as load:
        second = start(tmp_path, PID, app.listener, "second.py", CGIKIT_WORKERS="2")
        try:
            assert until(lambda: len(second.children()) == 2)
            workers = app.children()
            assert app.stop() == 0
            assert not any(alive(pid) for pid in workers)
            load.more()
            load.__exit__()
        finally:
            second.stop()
        assert load.failed == []


def test_workers_that_have_done_their_part_are_replaced_without_a_lost_request(
    tmp_path: Path,
) -> None:
    several = {"CGIKIT_WORKERS": "2", "CGIKIT_REQUESTS": "20"}
    with application(tmp_path, PID, **several) as app:
        first = pids(app, 2)
        with Load(app) as load:
            load.more()
            # Who gets how many is for chance to say: the second may have had none so far
            assert until(lambda: load.failed or not first & set(app.children()))
        assert load.failed == []
        assert app.logged() == ""


def test_a_kept_connection_goes_on_with_the_successor(tmp_path: Path) -> None:
    """As httpd does it: it sends the next request, and does not look whether anybody is there."""
    several = {"CGIKIT_WORKERS": "2", "CGIKIT_REQUESTS": "20"}
    with application(tmp_path, PID, **several) as app:
        peers = [app.connect() for _ in range(6)]
        seen = set()
        for _ in range(40):
            for peer in peers:
                peer.request(keep=True)
            for peer in peers:
                answer = peer.answer()
                assert (answer.status, answer.code) == (200, 0)
                seen.add(answer.body)
        assert len(seen) > 6  # 240 requests in portions of 20
        assert app.logged() == ""


def test_kept_connections_that_nobody_uses_go_on_too(tmp_path: Path) -> None:
    several = {"CGIKIT_WORKERS": "1", "CGIKIT_REQUESTS": "10"}
    with application(tmp_path, PID, **several) as app:
        idle = [app.connect() for _ in range(450)]  # in several messages
        for peer in idle:
            peer.request(keep=True)
            assert peer.answer().code == 0
        (first,) = pids(app, 1)
        for _ in range(30):
            assert app.ask().status == 200
        assert until(lambda: app.children() and first not in app.children())
        for peer in idle:
            peer.request(keep=True)
            assert peer.answer().code == 0
        # They are with the parent for a moment, whenever a worker ends
        assert until(lambda: all(0 < len(sockets(pid)) < 460 for pid in app.children()))
        assert until(lambda: 0 < len(sockets(app.process.pid)) < 10)


def test_a_connection_that_its_server_closes_is_closed_whoever_has_it(tmp_path: Path) -> None:
    several = {"CGIKIT_WORKERS": "2", "CGIKIT_REQUESTS": "8"}
    with application(tmp_path, PID, **several) as app:
        for _ in range(60):
            peer = app.connect()
            peer.request(keep=True)
            assert peer.answer().code == 0
            peer.socket.close()
        assert until(lambda: all(0 < len(sockets(pid)) < 6 for pid in app.children()))


def test_children_of_the_script_are_not_taken_for_workers(tmp_path: Path) -> None:
    code = (
        "import subprocess\nchild = subprocess.Popen(['true'])\n"
        + PID
        + "print(child.wait(), file=sys.stderr)\n"
    )
    with application(tmp_path, code, CGIKIT_WORKERS="1") as app:
        app.ask()
        assert app.stop() == 0
        assert app.logged() == "0\n"
