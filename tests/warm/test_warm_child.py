"""A script's output on its way through a worker: large, to peers that are slow, stall or leave."""

import os
import random
import signal
import time
from collections.abc import Iterator

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import alive, state, until

from cgikit.gateway.fastcgiclient import encode_record

# Numbers, so that no block can be taken for another; and how much of it nobody has read yet
NUMBERED = """\
import array, fcntl, os, sys, termios, time
def numbered(size):
    return b"".join([number.to_bytes(8, "big") for number in range(size // 8)])
def write(data):
    while data:
        data = data[os.write(1, data):]
def unread():
    size = array.array("i", [0])
    fcntl.ioctl(1, termios.FIONREAD, size)
    return size[0]
"""
MUCH = 600_000  # bytes: more than a socket takes, less than a pipe that was widened


def numbered(size: int) -> bytes:
    """What the function of that name in the scripts returns."""
    return b"".join([number.to_bytes(8, "big") for number in range(size // 8)])


@pytest.fixture(scope="module", params=["fastcgi", "scgi"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway for each protocol, with one worker, which learns nothing and so is not replaced."""
    root = tmp_path_factory.mktemp("served")
    with gateway(request.param, root, "--workers", "1", "--spawn") as server:
        workers = server.workers()
        yield server
        assert server.workers() == workers
        assert not [line for line in server.lines if "Traceback" in line or "Error" in line]
        assert until(lambda: not server.scripts())


@pytest.mark.parametrize("size", [0, 8, 65_504, 65_536, 65_544, 200_000, 5_000_000])
def test_a_download_is_what_the_script_wrote(served: Gateway, size: int) -> None:
    answer = served.run(f"{HEAD}{NUMBERED}write(numbered({size}))")
    assert answer.body == numbered(size)
    assert answer.ended == 0


def test_a_peer_that_takes_little_at_a_time_gets_all_in_order(served: Gateway) -> None:
    path = served.script("slow.py", f"{HEAD}{NUMBERED}write(numbered(8_000_000))")
    chance = random.Random(4)
    with served.connect() as peer:
        receive = peer.socket.recv
        peer.receive = lambda: receive(int(2 ** chance.uniform(3, 19)))  # type: ignore[method-assign]
        peer.send(served.variables(path))
        assert peer.answer().body == numbered(8_000_000)


def late(server: Gateway, source: str, seconds: float = 0) -> bytes:
    """What a peer gets that does not read until the script has made the file `through`, and for some
    seconds more, in which the worker looks at it.
    """
    (server.root / "through").unlink(missing_ok=True)
    path = server.script("late.py", NUMBERED + source)
    with server.connect() as peer:
        peer.send(server.variables(path))
        assert until((server.root / "through").exists)
        time.sleep(seconds)
        return peer.answer().body


def test_what_a_script_left_behind_waits_for_a_peer_that_stalls(served: Gateway) -> None:
    """It was lost when the script was found to have ended, and the answer looked whole."""
    source = (
        f"{HEAD}whole = numbered({MUCH} + 300_000)\nwrite(whole[:{MUCH}])\n"
        f"while unread(): time.sleep(0.01)\nwrite(whole[{MUCH}:])\nopen('through', 'w').close()"
    )
    assert late(served, source, 2) == numbered(MUCH + 300_000)


def test_what_a_script_started_may_write_when_the_peer_goes_on(served: Gateway) -> None:
    """While it is held back nobody can tell that it is silent."""
    source = (
        f"{HEAD}whole = numbered(5_000_000)\nwrite(whole[:{MUCH}])\n"
        "while unread(): time.sleep(0.01)\n"
        f"if os.fork():\n    open('through', 'w').close()\nelse:\n    write(whole[{MUCH}:])"
    )
    assert late(served, source, 2) == numbered(5_000_000)


def test_what_a_script_writes_before_its_end_is_not_lost(served: Gateway) -> None:
    """When it was asked about already, and the reply came before the look at its output."""
    (served.root / "go").unlink(missing_ok=True)
    path = served.script(
        "late.py",
        f"import os, time\nwhile not os.path.exists('go'): time.sleep(0.01)\n{HEAD}print('late')",
    )
    assert until(lambda: not served.scripts())
    (worker,), (zygote,) = served.workers(), served.zygotes()
    stopped = []
    with served.connect() as peer:
        try:
            peer.send(served.variables(path))
            assert until(served.scripts)
            (script,) = served.scripts()
            assert until(lambda: state(zygote) == "S")  # it has told the worker which process it is
            for pid, seconds in ((zygote, 3), (worker, 0)):
                os.kill(pid, signal.SIGSTOP)
                stopped.append(pid)
                assert until(lambda pid=pid: state(pid) == "T")
                time.sleep(seconds)  # after one of silence the worker asks
            served.put("go", b"")
            assert until(lambda: not alive(script))
            os.kill(stopped.pop(0), signal.SIGCONT)
            assert until(lambda: not served.scripts())
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        assert peer.answer().text == "late\n"


def test_a_script_that_goes_on_after_its_answer_disturbs_nothing(served: Gateway) -> None:
    """It comes to its end though nothing of the answer has been taken."""
    head = f"Content-Type: text/plain\\nContent-Length: {MUCH}\\n\\n"
    source = (
        f"write(b'{head}')\nwrite(numbered({MUCH}))\n"
        "while unread(): time.sleep(0.01)\n"
        "write(b'-' * 5_000_000)\nopen('through', 'w').close()"
    )
    assert late(served, source) == numbered(MUCH)


def test_an_abort_in_mid_download_leaves_the_connection_whole(cold: Gateway) -> None:
    (cold.root / "ready").unlink(missing_ok=True)
    path = cold.script(
        "aborted.py",
        f"{HEAD}{NUMBERED}whole = numbered(8_000_000)\nwrite(whole[:{MUCH}])\n"
        f"while unread(): time.sleep(0.01)\nopen('ready', 'w').close()\nwrite(whole[{MUCH}:])",
    )
    cold.script("hello.py", f"{HEAD}print('hello')")
    with cold.connect() as peer:
        peer.send(cold.variables(path), keep=True)
        assert until((cold.root / "ready").exists)  # a part waits for us, and the script is held
        peer.socket.sendall(encode_record(2, 1))
        answer = peer.answer()
        assert answer.ended is not None
        assert answer.body
        assert numbered(8_000_000).startswith(answer.body)
        peer.send(cold.variables("/hello.py"), keep=True)
        assert peer.answer().text == "hello\n"
    assert until(lambda: not cold.scripts())
