"""Exactly once: each process of a hand-over is killed and stopped at each step of it, with POST.

Runs are counted where the script makes them. What is between the front and the daemon (`between.py`)
holds up the hand-over at a step, so that nothing depends on time; where a busy machine lets the front's
250 ms pass before that step, the request counts as well, and another one is sent.
"""

import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from accelerating import Site
from between import STEPS, Between, Handover
from serving import alive, state, until

from cgikit.accelerate import message

BODY = b"a=1&b=" + b"x" * 1_000
COUNTED = """
import os, sys
def note(text):
    fd = os.open({runs!r}, os.O_WRONLY | os.O_APPEND)
    os.write(fd, text.encode())
    os.close(fd)
note("run\\n")
size = len(sys.stdin.buffer.read())
note("read\\n")
print("Content-Type: text/plain\\n\\n" + str(size))
"""
WHOLE = b"Content-Type: text/plain\n\n%d\n" % len(BODY)


@pytest.fixture
def counting(site: Site, kind: str) -> Site:
    """A site whose script notes each run, with a daemon."""
    runs = site.directory / "runs"
    runs.touch()
    site.give(runs)
    site.script("post.py", COUNTED.format(runs=str(runs)))
    assert site.accelerate("--front", kind, "post.py").returncode == 0
    site.warm("post.cgi")
    runs.write_text("")
    return site


def runs(site: Site) -> int:
    return (site.directory / "runs").read_text().count("run\n")


def children(pid: int, *, serving: bool = False) -> list[int]:
    """The processes that this one has forked and that are there; with `serving` those that requests
    are for, which lead a session: others compile a script.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text("latin-1").partition(" (")  # names are bytes
        except OSError:
            continue
        letter, parent, _, session = rest.rpartition(") ")[2].split()[:4]
        is_wanted = not serving or session == number
        if int(parent) == pid and letter not in "ZX" and is_wanted:
            found.append(int(number))
    return found


def send(pid: int, number: int) -> None:
    """Send a signal to a process, which may have ended just now."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def stop(pid: int) -> None:
    send(pid, signal.SIGSTOP)
    assert until(lambda: state(pid) in ("T", "", "Z"))


def go_on(pid: int) -> None:
    send(pid, signal.SIGCONT)


#: How often the script runs, and with which status the front ends (None: it was killed). One of these
#: is expected.
Expected = set[tuple[int, int | None]]
ONCE: Expected = {(1, 0)}
#: The front has said *go*, and never runs the script itself: it ends as a killed script does.
KILLED = (0, -signal.SIGKILL)
#: STEPS, and when the script runs: it has noted that, and waits for the end of the body.
ALL = (*STEPS, "running")
Act = Callable[[Handover, int], Expected]


def each(
    site: Site,
    steps: tuple[str, ...],
    act: Act,
    after: Callable[[int], None] = lambda daemon: None,
) -> None:
    """Send a request for each step, until one has got there, with `act` at that step and `after` at the
    end; both are told the daemon.
    """
    for step in steps:
        assert until(partial(tried, site, step, act, after)), f"{step}\n{site.log()}"


def tried(site: Site, step: str, act: Act, after: Callable[[int], None]) -> bool:
    """Send one, and expect so many runs; return whether it has got to the step."""
    daemon = site.daemon() or site.warm("post.cgi")
    assert until(lambda: not children(daemon))
    before = runs(site)
    expected = ONCE
    with Between(site) as between, between.request("post.cgi", BODY) as handover:
        is_there = handover.until("go" if step == "running" else step)
        if is_there and step == "running":
            handover.pass_on()
            assert until(lambda: runs(site) == before + 1)
        if is_there:
            expected = act(handover, daemon)
        done = handover.finish()
        after(daemon)
        assert until(lambda: not children(daemon))  # nobody is left who could run it later
    seen = runs(site) - before, done.returncode
    about = f"{step}: {seen}, {done}\n{site.log()}"
    assert seen in expected or (seen[0], None) in expected, about
    if seen == (1, 0):
        assert done.stdout == WHOLE, about
    return is_there


def test_a_front_is_killed(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        handover.process.kill()
        handover.process.wait()
        # After *go* the script may run, or may be ended with its front before it does
        return {(0, None), (1, None)} if handover.step == "go" else {(0, None)}

    each(counting, STEPS, act)


def test_a_front_is_killed_while_its_script_runs(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        handover.process.kill()
        handover.process.wait()
        return {(1, None)}

    each(counting, ("running",), act)
    read = (counting.directory / "runs").read_text().count("read\n")
    assert read <= runs(counting)


def test_a_front_is_stopped_for_a_while(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        stop(handover.process.pid)
        handover.pass_on()
        go_on(handover.process.pid)
        return ONCE

    each(counting, ALL, act)


def test_a_go_that_comes_at_the_end_of_the_250_ms(counting: Site) -> None:
    """The child is ready in time, and the front has not looked before the time was over."""

    def act(handover: Handover, daemon: int) -> Expected:
        stop(handover.process.pid)
        handover.pass_on()
        end = time.monotonic() + 0.3
        assert until(lambda: time.monotonic() > end)
        go_on(handover.process.pid)
        return ONCE

    each(counting, ("here", "ready"), act)


def test_a_go_that_the_child_takes_no_more(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        handover.take_no_go()
        return ONCE

    each(counting, ("ready",), act)


def test_a_child_is_killed(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        (child,) = children(daemon, serving=True)
        send(child, signal.SIGKILL)
        assert until(lambda: not alive(child))
        # Where it is killed when it is ready, the front may say *go* before it hears of that, or not
        outcomes: dict[str, Expected] = {"ready": {*ONCE, KILLED}, "go": {KILLED}}
        return outcomes.get(handover.step, ONCE)

    each(counting, ("here", "message", "ready", "go"), act)


def test_a_child_is_killed_while_it_runs_the_script(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        send(handover.child, signal.SIGKILL)
        return {(1, -signal.SIGKILL)}

    each(counting, ("running",), act)


def test_a_child_is_stopped_for_a_while(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        (child,) = children(daemon, serving=True)
        stop(child)
        while handover.step != "go" and handover.advance():
            pass  # until the front says it, or gives up
        handover.pass_on()
        go_on(child)
        return ONCE

    each(counting, ("here", "message", "ready", "go", "running"), act)


def test_a_daemon_is_killed(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        send(daemon, signal.SIGKILL)
        assert until(lambda: not alive(daemon))
        return ONCE

    each(counting, ALL, act)


def test_a_daemon_is_stopped_for_a_while(counting: Site) -> None:
    def act(handover: Handover, daemon: int) -> Expected:
        stop(daemon)
        return ONCE

    each(counting, ALL, act, after=go_on)
    before = runs(counting)
    assert counting.request("post.cgi", body=BODY).stdout == WHOLE  # after all others
    assert runs(counting) == before + 1


def test_a_child_that_has_waited_too_long_runs_nothing_after_a_late_go(site: Site) -> None:
    """One child waits in vain. Another one is stopped as long, with the *go* on its way."""
    runs_file = site.directory / "runs"
    runs_file.touch()
    site.give(runs_file)
    site.script("post.py", COUNTED.format(runs=str(runs_file)))
    assert site.accelerate("post.py").returncode == 0
    daemon = site.warm("post.cgi")
    runs_file.write_text("")
    with Between(site) as between, between.connect() as late, between.connect() as waiting:
        child = ready(site, late)
        stop(child)
        late.send(b"G")
        ready(site, waiting)
        assert waiting.recv(400).startswith(b"D the front ran the script itself\n")
        with pytest.raises(BrokenPipeError):
            waiting.send(b"G", socket.MSG_NOSIGNAL)
        assert runs(site) == 0
        go_on(child)
        assert late.recv(400).startswith(b"E 0\n")
        assert until(lambda: not children(daemon))
    assert runs(site) == 1


def ready(site: Site, sock: socket.socket) -> int:
    """Be a front until a child is ready; return its process id."""
    environment = b"PATH=/usr/bin:/bin\0"
    script, folder = [os.fsencode(path) for path in (site.folder / "post.py", site.folder)]
    with open(os.devnull, "r+b") as null:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("3i", *[null.fileno()] * 3))
        assert sock.recv(2) == b"H\n"
        sock.sendmsg([message.pack(script, folder, 0o22, [], environment)], [rights])
        word, pid, _ = sock.recv(400).split()
    assert word == b"R"
    return int(pid)
