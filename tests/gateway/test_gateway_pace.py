"""The clock of a peer: which pace is too slow."""

import pytest

from cgikit.gateway.pace import RATE, SILENCE, Pace


def test_silence_is_too_slow() -> None:
    pace = Pace(100.0)
    assert not pace.is_slow(100.0 + SILENCE)
    assert pace.is_slow(100.1 + SILENCE)
    pace.move(100 * RATE, 150.0)
    assert not pace.is_slow(150.0 + SILENCE)
    assert pace.is_slow(150.1 + SILENCE)


@pytest.mark.parametrize(("size", "slow"), [(1, True), (RATE // 2, True), (RATE, False)])
def test_bytes_now_and_then_do_not_renew_the_clock(size: int, slow: bool) -> None:
    """A byte a second held a place for ever."""
    pace = Pace(0.0)
    for second in range(1, 1_000):
        pace.move(size, float(second))
    assert pace.is_slow(999.0) is slow
    assert pace.rate(999.0) == size


def test_a_fast_beginning_pays_for_a_slow_end() -> None:
    pace = Pace(0.0)
    pace.move(100 * RATE, 1.0)
    pace.move(1, 159.0)
    assert not pace.is_slow(160.0)
    pace.move(1, 160.5)
    assert pace.is_slow(161.0)


def test_it_can_begin_again() -> None:
    pace = Pace(0.0)
    pace.move(5, 1.0)
    pace.begin(1_000.0)
    assert (pace.since, pace.heard, pace.moved) == (1_000.0, 1_000.0, 0)
    assert not pace.is_slow(1_001.0)
    assert pace.rate(1_000.0) == 0
    assert pace.is_slow(1_002.0, silence=1.0)
