"""What a call-back raises: an incident in the log, the end of what it was about, and nothing else."""

import re

import pytest

from cgikit.host.guard import MAX_KNOWN, Guard


class Seen:
    """A guard, its log, and what it has ended."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.ended: list[str] = []
        self.last: list[str] = []
        self.guard = Guard(self.lines.append, self.last.append)


def wrong(text: str) -> None:
    raise ValueError(text)


def test_what_raises_nothing_ends_nothing() -> None:
    seen, called = Seen(), []
    seen.guard(seen.ended.append, called.append, 1)
    assert (called, seen.ended, seen.lines, seen.guard.count) == ([1], [], [], 0)


def test_an_error_is_logged_under_the_number_that_its_owner_is_told() -> None:
    seen = Seen()
    seen.guard(seen.ended.append, wrong, "a\nb\x1b[2J")
    (incident,) = seen.ended
    assert re.fullmatch("[0-9a-f]{8}", incident)
    assert all(line.startswith(f"[incident {incident}] ") for line in seen.lines)
    assert any("in wrong" in line for line in seen.lines)
    assert all(line.isprintable() for line in seen.lines)
    assert (seen.guard.count, seen.last) == (1, [])


def test_the_same_error_is_told_in_short_the_second_time() -> None:
    seen = Seen()
    seen.guard(seen.ended.append, wrong, "first")
    before = len(seen.lines)
    seen.guard(seen.ended.append, wrong, "second")
    first, second = seen.ended
    assert first != second
    assert len(seen.lines) - before == 2 < before
    assert f"[incident {second}] ValueError: second, as in incident {first}" in seen.lines


def test_what_is_remembered_of_errors_is_bounded() -> None:
    seen = Seen()
    for number in range(MAX_KNOWN + 10):
        code = compile("\n" * number + "1 / 0", "made up", "exec")
        seen.guard(seen.ended.append, exec, code)
    assert len(seen.guard._known) == MAX_KNOWN


def test_an_error_in_the_end_of_one_request_comes_to_the_last_resort() -> None:
    seen = Seen()
    seen.guard(wrong, wrong, "once")
    assert len(seen.last) == 1
    assert seen.guard.count == 2


def test_a_log_that_cannot_be_written_keeps_nothing_up() -> None:
    seen = Seen()
    guard = Guard(wrong, seen.last.append)
    guard(seen.ended.append, wrong, "lost")
    assert (seen.ended, seen.last) == (["unknown"], [])


def test_what_is_no_error_goes_through() -> None:
    seen = Seen()
    with pytest.raises(SystemExit):
        seen.guard(seen.ended.append, exec, "raise SystemExit(3)")
    assert seen.ended == []
