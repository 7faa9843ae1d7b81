"""A recorded request reaches the host as it had come, and its answer is read with limits."""

import pytest
from inspecting import inspected

from cgikit.host.answer import AnswerCut
from cgikit.host.wsgi import server_request
from cgikit.inspector import replaying
from cgikit.inspector.asking import Asked, same
from cgikit.inspector.recorder import Recorder
from cgikit.inspector.replaying import environ_of, replay

REQUESTS = [
    inspected("/x.py?a=%2F&b=\udcff"),
    inspected("/a%2Fb%00/é/\udcff"),
    inspected(
        method="POST",
        headers=(("Host", "localhost"), ("Cookie", "a=é"), ("X-Y-Z", "1")),
        body=b"\0\xff",
        content_type="text/plain; charset=é",
    ),
    inspected(method="POST", body=b""),
    inspected("*", method="OPTIONS"),
]


@pytest.mark.parametrize("exchange", REQUESTS, ids=range(len(REQUESTS)))
def test_the_host_sees_the_same_request(exchange) -> None:  # type: ignore[no-untyped-def]
    environ = environ_of(same(exchange), lambda: False)
    assert server_request(environ) == exchange.request
    assert environ["wsgi.input"].read() == (exchange.runs[0].stdin.kept)


class Endless:
    """An answer without an end."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.closed, self.read = error, False, 0

    def __iter__(self) -> "Endless":
        return self

    def __next__(self) -> bytes:
        if self.error:
            raise self.error
        self.read += 1
        return b"x" * 1_000

    def close(self) -> None:
        self.closed = True


def sent(answer: Endless, recorder: Recorder):  # type: ignore[no-untyped-def]
    def host(environ, start):  # type: ignore[no-untyped-def]
        start("200 OK", [("X", "y")])
        return answer

    asked = Asked(inspected().request, None)
    return replay(host, recorder, asked, 7, lambda: False)  # type: ignore[arg-type]


def test_an_endless_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_MAX_ANSWER", 5_000)
    answer, recorder = Endless(), Recorder()
    exchange = sent(answer, recorder)
    assert (answer.closed, answer.read) == (True, 6)
    assert (exchange.replay_of, exchange.status, exchange.headers) == (7, 200, (("X", "y"),))
    assert recorder.current() is None


def test_a_slow_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "_MAX_TIME", -1.0)
    answer = Endless()
    sent(answer, Recorder())
    assert (answer.closed, answer.read) == (True, 1)


def test_an_answer_that_is_cut_is_an_answer() -> None:
    answer = Endless(AnswerCut())
    assert sent(answer, Recorder()).status == 200
    assert answer.closed


def test_another_error_closes_the_answer_too() -> None:
    answer = Endless(ValueError())
    with pytest.raises(ValueError):
        sent(answer, Recorder())
    assert answer.closed
