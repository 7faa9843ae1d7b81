"""The pace at which workers are replaced: the first at once, and never without end."""

from itertools import pairwise

from cgikit.warm.restarts import ALONE, BURST, FIRST_PAUSE, MAX_PAUSE, REFILL, Restarts


def starts(seconds: int, *, alone: bool) -> list[float]:
    """When workers are started that end at once, after they were ready; time in tenths of a second."""
    restarts, found = Restarts(), []
    for tenth in range(1_000, 1_000 + seconds * 10):
        now = tenth / 10
        if not restarts.wait(now, alone=alone):
            restarts.replaced(now)
            restarts.succeeded()
            found.append(now)
    return found


def test_the_first_are_replaced_at_once() -> None:
    restarts = Restarts()
    for _ in range(BURST):
        assert restarts.wait(100, alone=False) == 0
        restarts.replaced(100)
        restarts.succeeded()
    assert 0 < restarts.wait(100, alone=False) <= REFILL


def test_the_rate_is_bounded() -> None:
    assert len(starts(600, alone=False)) <= BURST + 600 / REFILL + 1
    assert len(starts(600, alone=True)) <= BURST + 600 / ALONE + 1


def test_where_no_other_takes_requests_the_wait_is_short() -> None:
    found = starts(60, alone=True)
    gaps = [later - earlier for earlier, later in pairwise(found)]
    assert max(gaps) <= ALONE + 0.2


def test_after_a_quiet_time_they_are_replaced_at_once_again() -> None:
    restarts = Restarts()
    for _ in range(BURST * 2):
        restarts.replaced(100)
    assert restarts.wait(100, alone=False)
    assert not restarts.wait(100 + BURST * REFILL, alone=False)


def test_what_does_not_become_ready_is_tried_again_at_once_and_then_ever_later() -> None:
    restarts, now, waits = Restarts(), 100.0, []
    for _ in range(12):
        restarts.failed(now)
        waits.append(restarts.wait(now, alone=True))
        now += waits[-1]
    assert waits[0] == 0
    assert waits[1:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert waits[-1] == MAX_PAUSE
    assert restarts.failures == 12


def test_one_that_becomes_ready_ends_the_row() -> None:
    restarts = Restarts()
    for _ in range(5):
        restarts.failed(100)
    restarts.succeeded()
    assert (restarts.failures, restarts.wait(100, alone=False)) == (0, 0)
