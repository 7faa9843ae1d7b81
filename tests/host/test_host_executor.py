"""Which time limit a script is over, and what is said of it."""

import time

import pytest

from cgikit.host.executor import TimeLimit, TimeLimits

LIMITS = TimeLimits(header=60, idle=30, total=3_600, grace=3)


@pytest.mark.parametrize(
    ("started", "asked", "in_body", "limit"),
    [
        (59, 59, False, None),
        (61, 1, False, ("header", 60)),
        (61, 29, True, None),
        (61, 31, True, ("idle", 30)),
        (61, 31, False, ("header", 60)),
        (59, 59, True, ("idle", 30)),
        (3_599, 1, True, None),
        (3_601, 1, True, ("total", 3_600)),
        (3_601, 3_601, False, ("total", 3_600)),
    ],
)
def test_the_limit_that_a_script_is_over(
    monkeypatch: pytest.MonkeyPatch,
    started: float,
    asked: float,
    in_body: bool,
    limit: tuple[str, float] | None,
) -> None:
    """`started` and `asked` are seconds ago."""
    now = 10_000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    found = LIMITS.over(now - started, now - asked, in_body)
    assert (found and (found.limit, found.seconds)) == limit


def test_all_limits_are_finite_and_those_of_the_documentation() -> None:
    limits = TimeLimits()
    assert (limits.header, limits.idle, limits.total, limits.grace) == (60, 60, 3_600, 3)


def test_a_limit_says_which_one_it_is_and_how_long() -> None:
    assert str(TimeLimit("idle", 2.5)) == "the script went over its time limit (idle, 2.5 s)"
