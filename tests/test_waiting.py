"""Waiting: tried until it works or the deadline has passed, with pauses that grow."""

import pytest

from cgikit import waiting
from cgikit.waiting import wait_for


class Clock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 100.0
        self.pauses: list[float] = []
        monkeypatch.setattr(waiting, "monotonic", lambda: self.now)
        monkeypatch.setattr(waiting, "sleep", self.sleep)

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.mark.parametrize("found", ["x", 0, "", False, ()])
def test_the_first_result_that_is_not_none_is_returned(clock: Clock, found: object) -> None:
    answers = [None, None, found, "too late"]
    assert wait_for(lambda: answers.pop(0), 110.0) == found
    assert answers == ["too late"]
    assert len(clock.pauses) == 3


def test_the_pauses_double_up_to_a_limit(clock: Clock) -> None:
    assert wait_for(lambda: None, 101.0) is None
    whole = clock.pauses[:-1]
    assert whole[:3] == pytest.approx([0.0002, 0.0004, 0.0008])
    assert max(whole) == whole[-1] == pytest.approx(0.02)
    assert whole == sorted(whole)


def test_the_last_try_comes_at_the_deadline(clock: Clock) -> None:
    tries: list[float] = []
    assert wait_for(lambda: tries.append(clock.now), 100.05) is None
    assert tries[-1] == pytest.approx(100.05)
    assert sum(clock.pauses) == pytest.approx(0.05)


@pytest.mark.parametrize("deadline", [100.0, 99.0])
def test_with_no_time_left_nothing_is_tried_again(clock: Clock, deadline: float) -> None:
    assert wait_for(lambda: "found", deadline) is None
    assert clock.pauses == []


def test_what_an_attempt_raises_is_raised(clock: Clock) -> None:
    def attempt() -> None:
        raise PermissionError(13, "no")

    with pytest.raises(PermissionError):
        wait_for(attempt, 110.0)
    assert len(clock.pauses) == 1
