"""The loop of one process: kept connections, half requests, and the ends it can come to."""

import inspect
import os
import re
import signal
from pathlib import Path

import pytest
from child import environment
from persisting import Peer, application
from serving import sockets, until

from cgikit.gateway.fastcgiclient import encode_request
from cgikit.persistent import worker as persistent_worker

#: Tells when it is in hand, and waits until the file "go" is there.
WAITING = """
import os, time
def page(request):
    if request.query.get("wait"):
        open("begun", "w").close()
        while not os.path.exists("go"):
            time.sleep(0.005)
    return f"answered {os.getpid()}"
run(page)
open("returned", "w").close()
"""


def test_requests_follow_one_another_on_a_kept_connection(tmp_path: Path) -> None:
    with application(tmp_path, WAITING) as app, app.connect() as peer:
        for _ in range(3):
            peer.request(keep=True)
            assert peer.answer().page.startswith("answered")
        peer.request()
        assert peer.answer().page.startswith("answered")
        assert peer.is_closed()


def test_kept_connections_do_not_hold_up_others(tmp_path: Path) -> None:
    with application(tmp_path, WAITING) as app:
        kept = [app.connect() for _ in range(5)]
        for _ in range(2):
            for peer in kept:
                peer.request(keep=True)
                assert peer.answer().status == 200
            assert app.ask().status == 200
        for peer in kept:
            peer.socket.close()
        assert app.ask().status == 200


def test_half_a_request_does_not_hold_up_others(tmp_path: Path) -> None:
    """S18: silence, a header byte by byte, and half of the variables."""
    raw = encode_request(environment(), b"")
    with application(tmp_path, WAITING) as app:
        halves = [app.connect() for _ in range(4)]
        for peer, length in zip(halves, (0, 1, 20, len(raw) - 40), strict=True):
            peer.send(raw[:length])
        assert app.ask().status == 200
        for peer, length in zip(halves, (0, 1, 20, len(raw) - 40), strict=True):
            peer.send(raw[length:])
            assert peer.answer().status == 200


def test_half_a_request_is_given_up_in_the_end(tmp_path: Path) -> None:
    impatient = "import cgikit.persistent.worker as w\nw._BEGINNING = 0.2\n"
    with application(tmp_path, impatient + WAITING) as app:
        half, silent, kept = app.connect(), app.connect(), app.connect()
        kept.request(keep=True)
        assert kept.answer().status == 200
        half.send(encode_request(environment(), b"")[:30])
        assert half.is_closed()
        for peer in (silent, kept):  # nothing was begun on these
            peer.request()
            assert peer.answer().status == 200


def test_the_longest_idle_connection_makes_room(tmp_path: Path) -> None:
    few = "import cgikit.persistent.worker as w\nw._MAX_WAITING = 3\n"
    with application(tmp_path, few + WAITING) as app:
        kept = [app.connect() for _ in range(3)]
        for peer in (*kept, kept[0]):
            peer.request(keep=True)
            peer.answer()
        kept.append(app.connect())
        assert kept[1].is_closed()
        for peer in (kept[0], kept[2], kept[3]):
            peer.request(keep=True)
            assert peer.answer().status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1, signal.SIGINT])
def test_the_request_in_hand_is_answered_before_the_end(tmp_path: Path, number: int) -> None:
    with application(tmp_path, WAITING) as app, app.connect() as peer:
        peer.request(QUERY_STRING="wait=1")
        assert until((tmp_path / "begun").exists)
        app.process.send_signal(number)
        with app.connect() as next_one:  # it waits for a successor, nobody accepts it
            next_one.request()
            (tmp_path / "go").touch()
            assert peer.answer().page.startswith("answered")
            assert app.process.wait(30) == 0
        assert app.logged() == ""
        assert (tmp_path / "returned").exists()


#: No machine is so slow that a moment would be over before the next line of a test.
PATIENT = "import cgikit.persistent.worker as w\nw._LAST = 20\n"


def test_a_connection_that_was_accepted_gets_its_answer_before_the_end(tmp_path: Path) -> None:
    """Between connecting and sending there is a moment, in which no web server looks back."""
    with application(tmp_path, PATIENT + WAITING) as app:
        peer, half = app.connect(), app.connect()
        raw = encode_request(environment(), b"")
        half.send(raw[:40])
        assert app.ask().status == 200  # so all before it were accepted
        app.process.send_signal(signal.SIGTERM)
        peer.request()
        half.send(raw[40:])
        assert peer.answer().status == 200
        assert half.answer().status == 200
        assert app.process.wait(30) == 0


def test_an_idle_one_ends_and_closes_what_is_kept(tmp_path: Path) -> None:
    with application(tmp_path, WAITING) as app, app.connect() as peer:
        peer.request(keep=True)
        peer.answer()
        assert app.stop() == 0
        assert peer.is_closed()


def test_a_request_that_has_come_on_a_kept_connection_is_answered_before_the_end(
    tmp_path: Path,
) -> None:
    with application(tmp_path, WAITING) as app, app.connect() as peer, app.connect() as kept:
        kept.request(keep=True)
        assert kept.answer().status == 200
        peer.request(QUERY_STRING="wait=1")
        assert until((tmp_path / "begun").exists)
        kept.request(keep=True)
        app.process.send_signal(signal.SIGTERM)
        (tmp_path / "go").touch()
        assert peer.answer().status == 200
        assert kept.answer().status == 200
        assert kept.is_closed()
        assert app.process.wait(30) == 0


def test_a_kept_connection_gets_one_more_answer_in_the_end(tmp_path: Path) -> None:
    """A server sends on what it believes open, and would lose what cannot be sent twice."""
    with application(tmp_path, PATIENT + WAITING, CGIKIT_REQUESTS="2") as app:
        kept = app.connect()
        kept.request(keep=True)
        assert kept.answer().status == 200
        assert app.ask().status == 200  # the last one
        kept.request(keep=True)
        assert kept.answer().status == 200
        assert kept.is_closed()
        assert app.process.wait(30) == 0


def test_it_ends_after_so_many_requests(tmp_path: Path) -> None:
    with application(tmp_path, WAITING, CGIKIT_REQUESTS="3") as app:
        for _ in range(3):
            assert app.ask().status == 200
        assert app.process.wait(30) == 0


def test_signals_are_the_script_s_again_afterwards(tmp_path: Path) -> None:
    code = """
import signal
run(lambda request: "x")
print(*[signal.getsignal(n) is h for n, h in (
    (signal.SIGTERM, signal.SIG_DFL), (signal.SIGUSR1, signal.SIG_DFL),
    (signal.SIGINT, signal.default_int_handler))], file=sys.stderr)
"""
    with application(tmp_path, code) as app:
        app.ask()
        assert app.stop() == 0
        assert app.logged() == "True True True\n"


def test_only_named_web_servers_may_connect(tmp_path: Path) -> None:
    named = {"address": "127.0.0.1:0", "FCGI_WEB_SERVER_ADDRS": "127.0.0.1"}
    with application(tmp_path, WAITING, **named) as app:
        assert app.ask().status == 200
    named["FCGI_WEB_SERVER_ADDRS"] = "192.0.2.1"
    with application(tmp_path, WAITING, **named) as app, app.connect() as peer:
        assert peer.is_closed()
        assert app.logged() == (
            "cgikit: refused a connection from an address that is not in FCGI_WEB_SERVER_ADDRS\n"
        )


def test_accepting_never_waits(tmp_path: Path) -> None:
    """Another worker can be faster; one that waits then hears no signal, and no kept connection."""
    with application(tmp_path, WAITING) as app:
        assert app.ask().status == 200
        assert not os.get_blocking(app.listener.fileno())


def test_the_socket_is_not_handed_on(tmp_path: Path) -> None:
    code = """
import subprocess
def page(request):
    held = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True)
    return held.stdout.replace("&", "")
run(page)
"""
    with application(tmp_path, code) as app:
        assert "socket" not in app.ask().page


def test_out_of_descriptors_it_waits(tmp_path: Path) -> None:
    code = """
import resource
kept = []
def page(request):
    if request.query:
        soft = max(map(int, __import__("os").listdir("/proc/self/fd"))) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, soft * 2))
    return "x"
run(page)
"""
    with application(tmp_path, code) as app:
        app.ask(QUERY_STRING="few=1")
        peers: list[Peer] = []
        for _ in range(4):
            peers.append(app.connect())
            peers[-1].request(keep=True)
        assert until(lambda: "cannot accept a connection: Too many open files" in app.logged())
        assert peers[0].answer().status == 200
        for peer in peers:
            peer.socket.close()
        assert app.ask().status == 200


# --- errors of our own ------------------------------------------------------------------------------

#: Makes a method of the worker raise once, when the file "order" is there.
RAISING = """
import os
import cgikit.persistent.worker as w
def raising(name, when):
    method = getattr(w.PersistentWorker, name)
    def called(self, *arguments):
        due = os.path.exists("order")
        if due:
            os.unlink("order")
        if not due or when == "after":
            result = method(self, *arguments)
        if due:
            raise LookupError(f"injected into {name}")
        return result
    setattr(w.PersistentWorker, name, called)
raising(%r, %r)
"""


def test_every_callback_of_the_loop_is_tried() -> None:
    source = inspect.getsource(persistent_worker)
    assert set(re.findall(r"self\._safely\(self\.(\w+)", source)) == {"_turn", "_go_on", "_begin"}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", ["_turn", "_go_on", "_begin", "_serve", "_settle", "_wait"])
def test_an_error_of_our_own_ends_one_connection_only(tmp_path: Path, name: str, when: str) -> None:
    with application(tmp_path, RAISING % (name, when) + WAITING) as app, app.connect() as kept:
        kept.request(keep=True)
        first = kept.answer().page
        assert app.ask().page == first  # so it has done all that it does after an answer
        (tmp_path / "order").touch()
        body = b"x" * 300_000 if name == "_go_on" else b""
        for _ in range(2):
            with app.connect() as victim:
                try:
                    victim.request(body)
                    answer = victim.answer()
                except ConnectionError:
                    continue  # it was closed before it had sent all
            assert answer.code == -1 or answer.status in (200, 500)
        kept.request(keep=True)
        assert kept.answer().page == first  # by the same process
        assert app.ask().page == first
        if not (tmp_path / "order").exists():
            assert until(lambda: f"injected into {name}" in app.logged())


# --- the entrance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["", "2"])
def test_the_socket_is_closed_at_once_and_those_who_have_come_are_answered(
    tmp_path: Path, workers: str
) -> None:
    """A new request waited for a handler to end, and was reset then."""
    more = {"CGIKIT_WORKERS": workers} if workers else {}
    with application(tmp_path, WAITING, **more) as app, app.connect() as peer:
        peer.request(QUERY_STRING="wait=1")
        assert until((tmp_path / "begun").exists)
        late = app.connect()
        late.request()
        os.kill(app.process.pid, signal.SIGTERM)
        family = [app.process.pid, *app.children()]
        listening = {*sockets(os.getpid())}
        assert until(lambda: not any(listening & {*sockets(pid)} for pid in family))
        (tmp_path / "go").touch()
        assert peer.answer().status == 200
        assert late.answer().status == 200
        late.socket.close()
