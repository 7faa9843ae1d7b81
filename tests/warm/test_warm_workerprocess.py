"""One pair of processes: what they say, and that nothing of them is left."""

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, gateway
from serving import alive, until

from cgikit.gateway.handover import Handover
from cgikit.warm.settings import Settings
from cgikit.warm.workerprocess import WorkerProcess
from cgikit.warm.zygote import exactly


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[WorkerProcess]:
    handover = Handover.pair()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        settings = Settings(root=str(tmp_path), protocol="fastcgi")
        found = WorkerProcess(0, listener, handover, {"PATH": os.defpath}, settings)
        yield found
        found.kill()
        found.close()
        handover.close()


def test_a_worker_says_when_it_is_ready(pair: WorkerProcess) -> None:
    said: list[tuple[object, ...]] = []
    assert until(lambda: said.extend(pair.messages()) or ("ready",) in said)
    assert pair.lines() == []


def test_both_processes_end_together(pair: WorkerProcess) -> None:
    pids = pair.process.pid, pair.forking.pid
    pair.process.send_signal(signal.SIGKILL)
    assert until(lambda: pair.process.poll() is not None)
    pair.close()
    assert not [pid for pid in pids if alive(pid)]


#: A script that answers once it may, and says by which signals it can be ended.
WAITING = f"""
import os, signal, time
{HEAD}open('runs', 'w').close()
while not os.path.exists('go-on'): time.sleep(0.01)
print(sorted(map(int, signal.pthread_sigmask(signal.SIG_BLOCK, []))))
"""


@pytest.mark.parametrize("role", ["worker", "zygote"])
def test_a_signal_that_strays_to_a_process_of_ours_ends_no_request(
    tmp_path: Path, role: str
) -> None:
    """`kill -HUP` of the wrong process, `killall -INT python3`, a unit with KillMode=control-group."""
    stray = [signal.SIGHUP, signal.SIGINT, signal.SIGUSR2]
    if role == "zygote":
        stray += [signal.SIGTERM, signal.SIGUSR1]
    with gateway("fastcgi", tmp_path, "--workers", "1") as server:
        path = server.script("waits.py", WAITING)
        family = server.family()
        [pid] = server.workers() if role == "worker" else server.zygotes()
        with server.connect() as peer:
            peer.send(server.variables(path))
            assert until((tmp_path / "runs").exists)
            for number in stray:
                os.kill(pid, number)
            (tmp_path / "go-on").touch()
            blocked = json.loads(peer.answer().text)
        assert not set(blocked).intersection(stray)
        assert server.request(path).status == 200  # after it has had time to end
        assert server.family() == family
        assert not server.deaths()


#: Read by each interpreter that starts: the first one that is to fork dies before it has read anything.
DIES_ONCE = """
import os, sys
if any("warm.zygote" in word for word in sys.orig_argv):
    try:
        os.close(os.open("FLAG", os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        pass
    else:
        os.kill(os.getpid(), 9)
"""


def test_a_zygote_that_dies_while_its_worker_starts_is_one_line_and_no_traceback(
    tmp_path: Path,
) -> None:
    library, root = tmp_path / "library", tmp_path / "root"
    for directory in (library, root):
        directory.mkdir()
    (library / "sitecustomize.py").write_text(DIES_ONCE.replace("FLAG", str(tmp_path / "died")))
    environment = {"PYTHONPATH": str(library)}
    more = ("--workers", "1", "--env", "PYTHONPATH")
    with gateway("fastcgi", root, *more, environment=environment) as server:
        assert (tmp_path / "died").exists()
        assert server.run(f"{HEAD}print(1)").text == "1\n"
        server.wait_for("^the process that forks ended before it was ready")
        assert not [line for line in server.lines if "Traceback" in line or "Error" in line]


@pytest.mark.parametrize("unread", [b"", b"what the other end never read"])
def test_the_end_of_the_other_end_ends_a_process_quietly(unread: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.send(b"abc")
            ours.send(unread)
        with pytest.raises(SystemExit) as end:
            exactly(ours, 4)
    assert end.value.code == 0
