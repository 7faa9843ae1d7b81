"""Scripts run by a warm worker for a front end with threads: R39, R43; S23, S26. Real processes.

What the executor promises is what `test_host_spawn.py` shows of the other one.
"""

import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from executing import MIB, Zeros, body_of, everything
from serving import alive, until

from cgikit.host.environ import inherited
from cgikit.host.executor import ClientGone, Job, Source, TimeLimit, TimeLimits
from cgikit.warm.remote import RemoteRun, Warm

SCRIPTS = Path(__file__).parents[1] / "scripts"
ENVIRONMENT = inherited(os.environ, path_first=os.path.dirname(sys.executable))
#: Seconds in which a script has begun, on the busiest machine, before its time is up.
BEGUN = 2


Start = Callable[..., RemoteRun]


@pytest.fixture(scope="module")
def log() -> list[str]:
    return []


@pytest.fixture(scope="module")
def executor(log: list[str]) -> Iterator[Warm]:
    limits = TimeLimits(header=30, idle=30, grace=0.5)
    executor = Warm(str(SCRIPTS), environment=ENVIRONMENT, log=log.append, limits=limits)
    yield executor
    executor.close()


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def start(executor: Warm, errors: list[str]) -> Iterator[Start]:
    runs: list[RemoteRun] = []

    def start(
        name: str,
        body: Source | None = None,
        length: int = 0,
        gone: Callable[[], bool] = lambda: False,
        query: str = "",
        **limits: float,
    ) -> RemoteRun:
        environment = {**ENVIRONMENT, "REQUEST_METHOD": "POST" if body else "GET"}
        environment |= {"SCRIPT_NAME": f"/{name}", "PATH_INFO": "", "QUERY_STRING": query}
        if body is not None:
            environment["CONTENT_LENGTH"] = str(length)
        job = Job(
            file=str(SCRIPTS / name),
            environment=environment,
            arguments=(),
            body=body,
            log=errors.append,
            gone=gone,
            limits=TimeLimits(**limits),
        )
        runs.append(executor.start(job))
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def test_a_script_runs_and_ends(start: Start) -> None:
    run = start("hello.sh")
    assert b"shell" in body_of(everything(run))
    assert run.close() == 0
    assert run.close() == 0


def test_exit_status_and_stderr(start: Start, errors: list[str]) -> None:
    run = start("no-output.sh")
    assert everything(run) == b""
    assert run.close() == 3
    assert errors == ["reason on stderr"]


def test_a_script_that_was_killed_says_by_which_signal(start: Start) -> None:
    run = start("killed.sh")
    assert everything(run) == b""
    assert run.close() == -11


def test_the_environment_arrives(start: Start) -> None:
    output = body_of(everything(start("env.py", query="a=%20b"))).decode()
    assert '"QUERY_STRING": "a=%20b"' in output
    assert f'"cwd": "{SCRIPTS}"' in output
    assert '"descriptors": [0, 1, 2]' in output


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 3 * MIB])
def test_r39_the_body_arrives_whole(start: Start, size: int) -> None:
    body = os.urandom(size)
    assert body_of(everything(start("echo.py", body=BytesIO(body), length=size))) == body


def test_s26_50_mib_go_in_while_50_mib_come_back(start: Start) -> None:
    run = start("echo.py", body=Zeros(50 * MIB), length=50 * MIB)
    header = b"Content-Type: application/octet-stream\n\n"
    assert sum(map(len, iter(run.read, b""))) == len(header) + 50 * MIB
    assert run.close() == 0


def test_a_script_need_not_read_its_body(start: Start) -> None:
    run = start("early-exit.sh", body=Zeros(50 * MIB), length=50 * MIB)
    assert body_of(everything(run)) == b"not interested\n"


@pytest.mark.parametrize("limit", ["header", "total"])
def test_r43_time_limits(start: Start, errors: list[str], limit: str) -> None:
    run = start("sleeps.sh", **{limit: BEGUN})
    with pytest.raises(TimeLimit) as caught:
        run.read()
    assert (caught.value.limit, caught.value.seconds) == (limit, BEGUN)
    pid = int(errors[0].removeprefix("pid "))
    assert until(lambda: not alive(pid))


def test_s23_a_script_that_ignores_term_is_killed(start: Start, errors: list[str]) -> None:
    run = start("ignores-term.sh", header=BEGUN)
    with pytest.raises(TimeLimit):
        run.read()
    pid = int(errors[0].removeprefix("pid "))
    assert until(lambda: not alive(pid))


def test_the_client_leaves(start: Start, errors: list[str]) -> None:
    run = start("sleeps.sh", gone=lambda: bool(errors))
    with pytest.raises(ClientGone):
        run.read()
    pid = int(errors[0].removeprefix("pid "))
    assert until(lambda: not alive(pid))


def test_closing_early_ends_a_script_that_writes_for_ever(start: Start, errors: list[str]) -> None:
    run = start("endless.py")
    assert run.read()
    assert run.close() < 0
    pid = int(errors[0].removeprefix("pid "))
    assert until(lambda: not alive(pid))


@pytest.fixture
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory for temporary files in which nobody else has any; its path is short."""
    with tempfile.TemporaryDirectory() as place:
        monkeypatch.setattr(tempfile, "tempdir", place)
        yield Path(place)


def test_closing_the_executor_ends_scripts_and_workers_and_starts_no_more(temporary: Path) -> None:
    errors: list[str] = []
    limits = TimeLimits(grace=0.5)
    executor = Warm(str(SCRIPTS), environment=ENVIRONMENT, log=print, limits=limits, workers=1)
    assert len(os.listdir(temporary)) == 1  # of its socket
    job = Job(
        file=str(SCRIPTS / "sleeps.sh"),
        environment={"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/sleeps.sh"},
        arguments=(),
        body=None,
        log=errors.append,
        gone=lambda: False,
        limits=limits,
    )
    run = executor.start(job)
    ended: list[type[BaseException]] = []

    def read() -> None:
        try:
            run.read()
        except ClientGone as gone:
            ended.append(type(gone))

    thread = threading.Thread(target=read)
    thread.start()
    assert until(lambda: errors)
    executor.close()
    thread.join()
    assert ended == [ClientGone]
    assert until(lambda: not alive(int(errors[0].removeprefix("pid "))))
    with pytest.raises(BlockingIOError, match="shutting down"):
        executor.start(job)
    assert os.listdir(temporary) == []
