"""One pair of processes: what they say, and that nothing of them is left."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import alive, until

from cgikit.gateway.kept import Kept
from cgikit.host.settings import Settings
from cgikit.host.workerprocess import WorkerProcess


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[WorkerProcess]:
    kept = Kept.pair()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
        listener.listen()
        settings = Settings(root=str(tmp_path), protocol="fastcgi")
        found = WorkerProcess(0, listener, kept, {"PATH": os.defpath}, settings)
        yield found
        found.kill()
        found.close()
        kept.close()


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
