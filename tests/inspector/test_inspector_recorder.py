"""What is kept of the last requests, and that it is bounded."""

from collections.abc import Callable

import pytest

from cgikit.host.environ import ServerRequest
from cgikit.host.executor import Job, Run, TimeLimits
from cgikit.inspector.exchange import Exchange
from cgikit.inspector.recorder import Recorder, watched


class Printer:
    """An executor whose scripts read their body, and print and log what they are told."""

    def __init__(self, *output: bytes, log: tuple[str, ...] = (), status: int = 0) -> None:
        self.output, self.lines, self.status = output, log, status
        self.closed = False

    def start(self, job: Job) -> Run:
        for line in self.lines:
            job.log(line)
        while job.body is not None and job.body.read(10):
            pass
        return Printed(iter(self.output), self.status)

    def close(self) -> None:
        self.closed = True


class Printed:
    def __init__(self, output, status: int) -> None:  # type: ignore[no-untyped-def]
        self.output, self.status, self.in_body = output, status, False

    def read(self) -> bytes:
        return next(self.output, b"")

    def header_done(self) -> None:
        self.in_body = True

    def close(self) -> int:
        return self.status


class Body:
    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int, /) -> bytes:
        piece, self.data = self.data[:size], self.data[size:]
        return piece


def job(body: bytes | None = None, log: Callable[[str], None] = lambda line: None) -> Job:
    return Job(
        "/srv/x.py",
        {"SCRIPT_NAME": "/x.py"},
        ("word",),
        None if body is None else Body(body),
        log,
        lambda: False,
        TimeLimits(),
    )


def request(recorder: Recorder, target: str = "/x.py") -> Exchange:
    return recorder.begin(ServerRequest("GET", target))


def drained(run: Run) -> int:
    while run.read():
        pass
    return run.close()


def test_a_run_is_recorded_and_passes_unchanged() -> None:
    recorder, logged = Recorder(), []
    executor = recorder.watching(Printer(b"Status: 200\n", b"\nbody", log=("one",), status=3))
    exchange = request(recorder)
    run = executor.start(job(b"a=1", logged.append))
    assert [run.read(), run.read(), run.read()] == [b"Status: 200\n", b"\nbody", b""]
    run.header_done()
    assert (run.close(), run.close()) == (3, 3)
    recorder.leave(exchange)
    (seen,) = exchange.runs
    assert (seen.stdin.kept, seen.stdout.kept, seen.stderr.kept) == (
        b"a=1",
        b"Status: 200\n\nbody",
        b"one\n",
    )
    assert (logged, seen.status, seen.arguments, seen.script_name) == (
        ["one"],
        3,
        ("word",),
        "/x.py",
    )
    assert seen.began <= seen.started <= seen.first <= seen.ended == exchange.ended
    executor.close()


def test_all_scripts_of_a_local_redirect_belong_to_one_request() -> None:
    recorder = Recorder()
    executor = recorder.watching(Printer(b"x"))
    exchange = request(recorder)
    for _ in range(3):
        drained(executor.start(job()))
    recorder.leave(exchange)
    assert len(exchange.runs) == 3
    assert recorder.latest() == [exchange]


def test_a_script_that_no_request_started_is_not_recorded() -> None:
    recorder = Recorder()
    executor = recorder.watching(Printer(b"x"))
    assert drained(executor.start(job())) == 0
    exchange = request(recorder)
    recorder.leave(exchange)
    drained(executor.start(job()))
    assert exchange.runs == []


def test_a_script_that_cannot_start_has_ended() -> None:
    class Failing(Printer):
        def start(self, job: Job) -> Run:
            raise FileNotFoundError

    recorder = Recorder()
    exchange = request(recorder)
    with pytest.raises(FileNotFoundError):
        recorder.watching(Failing()).start(job())
    recorder.leave(exchange)
    assert exchange.ended is not None
    assert exchange.runs[0].started is None


def test_the_oldest_requests_go_first() -> None:
    recorder = Recorder(requests=3)
    for number in range(5):
        recorder.leave(request(recorder, f"/{number}"))
    assert [one.number for one in recorder.latest()] == [5, 4, 3]
    assert recorder.find(2) is None
    assert recorder.find(4) is recorder.latest()[1]
    assert recorder.number == 5


def test_a_stream_is_cut_and_the_script_gets_all_of_it() -> None:
    recorder = Recorder(stream=10)
    exchange = request(recorder)
    run = recorder.watching(Printer(b"x" * 100, b"y" * 100)).start(job(b"z" * 100))
    assert len(run.read() + run.read()) == 200
    (seen,) = exchange.runs
    assert (seen.stdout.kept, seen.stdout.length) == (b"x" * 10, 200)
    assert (seen.stdin.kept, seen.stdin.length) == (b"z" * 10, 100)


def test_all_together_stay_below_their_limit() -> None:
    recorder = Recorder(whole=50_000, stream=10_000)
    executor = recorder.watching(Printer(b"x" * 9_000))
    for _ in range(50):
        exchange = request(recorder)
        drained(executor.start(job()))
        recorder.leave(exchange)
        assert recorder.size <= 50_000
    assert 3 <= len(recorder.latest()) < 6


def test_a_request_that_was_forgotten_takes_no_more_memory() -> None:
    recorder = Recorder(requests=1)
    executor = recorder.watching(Printer(b"x" * 1_000, b"y" * 1_000))
    exchange = request(recorder)
    run = executor.start(job())
    run.read()
    recorder.leave(exchange)
    recorder.leave(request(recorder))
    before = recorder.size
    run.read()
    assert recorder.size == before
    assert exchange.runs[0].stdout.kept == b"x" * 1_000


def test_clearing_forgets_all_of_it() -> None:
    recorder = Recorder()
    recorder.leave(request(recorder, "/" + "x" * 10_000))
    assert recorder.size > 10_000
    recorder.clear()
    assert (recorder.size, recorder.latest(), recorder.number) == (0, [], 1)


def test_the_answer_is_noted_and_passed_on() -> None:
    recorder, started = Recorder(), []
    exchange = request(recorder)
    start = watched(lambda *given: started.append(given), exchange)
    start("404 Not Found", [("X-A", "b")])
    start("500 Oops", [], None)
    assert (exchange.status, exchange.headers) == (500, ())
    assert started == [("404 Not Found", [("X-A", "b")]), ("500 Oops", [], None)]
