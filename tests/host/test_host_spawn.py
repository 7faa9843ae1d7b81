"""Running processes: R39, R43, R48, R49; S23, S24, S26. Real processes, no mocks."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from executing import MIB, Zeros, body_of, everything
from serving import alive, until

from cgikit.host.executor import ClientGone, Job, Source, TimeLimit, TimeLimits
from cgikit.host.spawn import Spawn, SpawnRun, _processor_time

SCRIPTS = Path(__file__).parents[1] / "scripts"
#: Seconds in which a script has begun, on the busiest machine, before its time is up.
BEGUN = 2


Start = Callable[..., SpawnRun]


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def executor() -> Iterator[Spawn]:
    executor = Spawn()
    yield executor
    executor.close()


@pytest.fixture
def start(executor: Spawn, errors: list[str]) -> Iterator[Start]:
    runs: list[SpawnRun] = []

    def start(
        name: str | Path,
        query: str = "",
        body: Source | None = None,
        gone: Callable[[], bool] = lambda: False,
        arguments: tuple[str, ...] = (),
        **limits: float,
    ) -> SpawnRun:
        runs.append(
            executor.start(
                Job(
                    file=str(SCRIPTS / name),
                    environment={"PATH": os.environ["PATH"], "QUERY_STRING": query},
                    arguments=arguments,
                    body=body,
                    log=errors.append,
                    gone=gone,
                    limits=TimeLimits(**limits),
                )
            )
        )
        return runs[-1]

    yield start
    for run in runs:
        run.close()


def pid_in(errors: list[str]) -> int:
    return int(errors[0].removeprefix("pid "))


def test_a_script_runs_and_ends(start: Start) -> None:
    run = start("hello.sh")
    assert everything(run).endswith(b"shell  \n")
    assert run.close() == 0
    assert run.close() == 0


def test_what_is_written_just_before_the_end_is_not_lost(executor: Spawn, tmp_path: Path) -> None:
    """A machine so busy that a script wrote and ended between two looks at it: it printed nothing."""

    class Late(SpawnRun):
        def _pump(self, timeout: float) -> bytes:
            chunk = super()._pump(timeout)
            if not chunk:
                assert until(self.has_exited)  # this thread gets no time until then
            return chunk

    script = tmp_path / "slow.sh"
    script.write_text("#!/bin/sh\nsleep 1.2\necho written\n")  # longer than a silence may be
    script.chmod(0o755)
    job = Job(str(script), {"PATH": os.environ["PATH"]}, (), None, print, bool, TimeLimits())
    run = Late(job, executor)
    try:
        assert everything(run) == b"written\n"
    finally:
        run.close()


def test_exit_status_and_stderr(start: Start, errors: list[str]) -> None:
    run = start("no-output.sh")
    assert everything(run) == b""
    assert run.close() == 3
    assert errors == ["reason on stderr"]


def test_signal(start: Start) -> None:
    run = start("killed.sh")
    assert everything(run) == b""
    assert run.close() == -11


def test_s24_r49_the_child_has_three_descriptors_its_own_group_and_its_directory(
    start: Start,
) -> None:
    with open(os.devnull) as leak:
        os.set_inheritable(leak.fileno(), True)
        run = start("env.py", arguments=("a b", "*"))
        output = body_of(everything(run)).decode()
    assert '"descriptors": [0, 1, 2]' in output
    assert f'"cwd": "{SCRIPTS}"' in output
    pid = run._process.pid
    assert f'"group": [{pid}, {pid}, {pid}]' in output
    assert '"a b", "*"]' in output  # R41: no shell has touched them


def test_r39_the_body_arrives_whole(start: Start) -> None:
    body = os.urandom(3 * MIB)
    run = start("echo.py", body=BytesIO(body))
    assert body_of(everything(run)) == body


def test_s26_100_mib_go_in_while_100_mib_come_back(start: Start) -> None:
    run = start("echo.py", body=Zeros(100 * MIB))
    header = b"Content-Type: application/octet-stream\n\n"
    assert sum(map(len, iter(run.read, b""))) == len(header) + 100 * MIB
    assert run.close() == 0


def test_s26_a_flood_of_stderr_before_the_body_is_read(start: Start) -> None:
    count = 0

    def log(line: str) -> None:
        nonlocal count
        count += len(line)

    executor = Spawn()
    run = executor.start(
        Job(
            file=str(SCRIPTS / "flood-stderr.py"),
            environment={"PATH": os.environ["PATH"], "QUERY_STRING": "100"},
            arguments=(),
            body=Zeros(10 * MIB),
            log=log,
            gone=lambda: False,
            limits=TimeLimits(),
        )
    )
    assert body_of(everything(run)).strip() == str(10 * MIB).encode()
    assert run.close() == 0
    assert count == 100 * 128 * 8_191


def test_a_line_of_stderr_without_an_end_is_broken(
    start: Start, errors: list[str], tmp_path: Path
) -> None:
    script = tmp_path / "long.sh"
    script.write_text("#!/bin/sh\nhead -c 100000 /dev/zero | tr '\\0' x >&2\nprintf end >&2\n")
    script.chmod(0o755)
    assert everything(start(script)) == b""
    assert "".join(errors) == "x" * 100_000 + "end"
    assert max(map(len, errors)) == 8_192


def test_s22_control_characters_of_stderr_are_shown(start: Start, errors: list[str]) -> None:
    everything(start("noisy.py"))
    assert errors == ["one", r"two \x1b[31mred\x1b[0m\rGET /forged 200"]


def test_a_script_need_not_read_its_body(start: Start) -> None:
    run = start("early-exit.sh", body=Zeros(100 * MIB))
    assert body_of(everything(run)) == b"not interested\n"
    assert run.close() == 0


@pytest.mark.parametrize("limit", ["header", "total"])
def test_r43_time_limits(start: Start, errors: list[str], limit: str) -> None:
    run = start("sleeps.sh", **{limit: BEGUN})
    with pytest.raises(TimeLimit) as caught:
        run.read()
    assert (caught.value.limit, caught.value.seconds) == (limit, BEGUN)
    assert run.close() == -15  # TERM was enough
    assert not alive(pid_in(errors))


def test_r43_silence(start: Start) -> None:
    run = start("stalls.sh", idle=0.5)
    assert run.read()
    run.header_done()
    with pytest.raises(TimeLimit, match="idle"):
        everything(run)


def test_s23_term_then_kill(start: Start, errors: list[str]) -> None:
    run = start("ignores-term.sh", header=BEGUN, grace=0.5)
    with pytest.raises(TimeLimit):
        run.read()
    assert run.close() == -9
    assert not alive(pid_in(errors))


def test_s23_no_survivor_in_the_group(start: Start, errors: list[str]) -> None:
    run = start("grandchild.sh")
    assert body_of(everything(run)) == b"done\n"
    left_behind = pid_in(errors)
    assert alive(left_behind)
    assert run.close() == 0
    assert until(lambda: not alive(left_behind))


def test_the_client_leaves(start: Start, errors: list[str]) -> None:
    run = start("sleeps.sh", gone=lambda: bool(errors))
    with pytest.raises(ClientGone):
        run.read()
    assert not alive(pid_in(errors))


def test_closing_early_ends_a_script_that_writes_for_ever(start: Start, errors: list[str]) -> None:
    run = start("endless.py")
    assert run.read()
    assert run.close() < 0
    assert not alive(pid_in(errors))


def test_no_descriptor_is_left(start: Start) -> None:
    everything_before = len(os.listdir("/proc/self/fd"))
    for name in ("hello.sh", "no-output.sh", "early-exit.sh"):
        run = start(name, body=Zeros(1000))
        everything(run)
        run.close()
    with pytest.raises(OSError, match="No such file"):
        start("not-there.sh")
    assert len(os.listdir("/proc/self/fd")) == everything_before


def test_no_zombie_is_left(start: Start) -> None:
    run = start("hello.sh")
    everything(run)
    run.close()
    with pytest.raises(ChildProcessError):
        os.waitpid(run._process.pid, os.WNOHANG)


def test_closing_the_executor_ends_all_scripts_and_starts_no_more(
    start: Start, executor: Spawn, errors: list[str]
) -> None:
    runs = [start("sleeps.sh"), start("ignores-term.sh", grace=0.5)]
    ends: list[type[BaseException]] = []

    def read(run: SpawnRun) -> None:
        try:
            run.read()
        except ClientGone as gone:
            ends.append(type(gone))

    threads = [threading.Thread(target=read, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    assert until(lambda: len(errors) == 2)
    executor.close()
    assert until(lambda: not any(alive(int(line.removeprefix("pid "))) for line in errors))
    for thread in threads:
        thread.join()
    assert ends == [ClientGone, ClientGone]
    with pytest.raises(BlockingIOError):
        start("hello.sh")


LOOPS = {
    "python": f"#!{sys.executable}\nimport os\nos.write(2, b'on\\n')\nn = 0\nwhile 1: n += 1\n",
    "deaf": (
        f"#!{sys.executable}\nimport os, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "os.write(2, b'on\\n')\nwhile 1: pass\n"
    ),
    "sh": "#!/bin/sh\ntrap 'echo interrupted >&2' INT\necho on >&2\nwhile :; do :; done\n",
}


@pytest.mark.parametrize("name", LOOPS)
@pytest.mark.parametrize("interrupts", [True, False])
def test_a_python_script_that_takes_too_long_says_where_it_was(
    tmp_path: Path, name: str, interrupts: bool
) -> None:
    script = tmp_path / name
    script.write_text(LOOPS[name])
    script.chmod(0o755)
    errors: list[str] = []

    class OnceInItsLoop(TimeLimits):
        def over(self, started: float, asked: float, in_body: bool) -> TimeLimit | None:
            return TimeLimit("header", 0) if "on" in errors else None

    limits = OnceInItsLoop(grace=30)
    job = Job(str(script), dict(os.environ), (), None, errors.append, lambda: False, limits)
    run = Spawn(interrupts=interrupts).start(job)
    try:
        with pytest.raises(TimeLimit):
            run.read()
        assert run.close() == (
            -signal.SIGINT if interrupts and name == "python" else -signal.SIGTERM
        )
    finally:
        run.close()
    assert ("KeyboardInterrupt" in errors) == (interrupts and name == "python")
    assert "interrupted" not in errors


def test_a_client_that_leaves_interrupts_nothing(tmp_path: Path) -> None:
    script = tmp_path / "python"
    script.write_text(LOOPS["python"])
    script.chmod(0o755)
    errors: list[str] = []
    job = Job(
        str(script), dict(os.environ), (), None, errors.append, lambda: "on" in errors, TimeLimits()
    )
    run = Spawn(interrupts=True).start(job)
    with pytest.raises(ClientGone):
        run.read()
    assert run.close() == -signal.SIGTERM
    assert errors == ["on"]


def test_silence_is_told_once(tmp_path: Path) -> None:
    script = tmp_path / "a.sh"
    script.write_text("#!/bin/sh\nsleep 3600\n")
    script.chmod(0o755)
    told: list[tuple[float | None, str]] = []
    looks: list[int] = []

    def gone() -> bool:
        """Whether the test has seen enough: after being told, some more looks."""
        looks.append(len(told))
        return looks.count(1) > 5

    def tell(computed: float | None, place: str) -> None:
        told.append((computed, place))

    limits = TimeLimits(silence=0.1)
    variables = {"PATH": os.environ["PATH"]}
    job = Job(str(script), variables, (), None, print, gone, limits, silent=tell)
    with pytest.raises(ClientGone):
        Spawn().start(job).read()
    assert len(told) == 1
    assert isinstance(told[0][0], float)
    assert told[0][1] == ""  # it is no Python


def test_the_processor_time_of_a_process_grows_while_it_computes() -> None:
    with subprocess.Popen([sys.executable, "-IS", "-c", "while 1: pass"]) as process:
        assert until(lambda: (_processor_time(process.pid) or 0) > 0.2)
        process.kill()
        process.wait()
        assert _processor_time(process.pid) is None


def test_a_run_says_what_it_used_and_whether_its_output_was_kept_open(
    start: Start, tmp_path: Path
) -> None:
    for source, expected in (("echo out", False), ("sleep 1000 2>/dev/null & echo out", True)):
        file = tmp_path / "a.sh"
        file.write_text(f"#!/bin/sh\n{source}\n")
        file.chmod(0o755)
        run = start(file)
        output = b""
        while chunk := run.read():
            output += chunk
        assert (run.close(), output, run.left_open) == (0, b"out\n", expected)
        assert run.memory > 0


def test_a_body_may_have_nothing_yet(start: Start, tmp_path: Path) -> None:
    class Slow:
        pieces = [b"", b"ab", b"", b"c"]

        def read(self, size: int, /) -> bytes:
            if not self.pieces:
                return b""
            piece = self.pieces.pop(0)
            if not piece:
                raise BlockingIOError
            return piece

    file = tmp_path / "a.sh"
    file.write_text("#!/bin/sh\ncat\n")
    file.chmod(0o755)
    run = start(file, body=Slow())
    output = b""
    while chunk := run.read():
        output += chunk
    assert (run.close(), output) == (0, b"abc")
