"""The loop: who is called for which event, and what an error of one call-back ends."""

import os
import select
from collections.abc import Iterator

import pytest

from cgikit.host.guard import Guard
from cgikit.warm.loop import IN, OUT, Loop


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def loop(lines: list[str]) -> Loop:
    def last(incident: str) -> None:
        raise AssertionError(incident)

    return Loop(Guard(lines.append, last))


@pytest.fixture
def pipes() -> Iterator[list[tuple[int, int]]]:
    """Two pipes, reader and writer, with a byte in each."""
    opened = [os.pipe(), os.pipe()]
    for _, writer in opened:
        os.write(writer, b"x")
    yield opened
    for pair in opened:
        for fd in pair:
            try:
                os.close(fd)
            except OSError:
                pass  # a test has closed it


def never(incident: str) -> None:
    raise AssertionError(incident)


def test_each_descriptor_has_its_own_call(loop: Loop, pipes: list[tuple[int, int]]) -> None:
    seen: list[tuple[int, int]] = []
    for reader, _ in pipes:
        loop.watch(reader, IN, lambda mask, fd=reader: seen.append((fd, mask)), never)  # type: ignore[misc]
    loop.wait(60_000)
    assert sorted(seen) == sorted((reader, select.POLLIN) for reader, _ in pipes)


def test_what_is_not_watched_any_more_is_not_called(
    loop: Loop, pipes: list[tuple[int, int]]
) -> None:
    (first, _), (second, _) = pipes
    seen: list[int] = []
    for fd, other in ((first, second), (second, first)):

        def handler(mask: int, fd: int = fd, other: int = other) -> None:
            seen.append(fd)
            loop.unwatch(other)
            loop.unwatch(other)  # which does nothing

        loop.watch(fd, IN, handler, never)
    loop.wait(60_000)
    assert len(seen) == 1


def test_an_event_of_a_closed_descriptor_is_not_that_of_the_next_with_its_number(
    loop: Loop, pipes: list[tuple[int, int]]
) -> None:
    """Its owner would read what is not there, and wait for ever."""
    (first, _), (second, _) = pipes
    seen: list[str] = []

    def replaces(mask: int, other: int) -> None:
        seen.append("first")
        loop.unwatch(other)
        os.close(other)
        reader, writer = os.pipe()
        assert reader == other
        pipes.append((reader, writer))
        loop.watch(reader, IN, lambda mask: seen.append("next"), never)

    for fd, other in ((first, second), (second, first)):
        loop.watch(fd, IN, lambda mask, other=other: replaces(mask, other), never)  # type: ignore[misc]
    loop.wait(60_000)
    assert seen == ["first"]


def test_an_error_ends_what_the_descriptor_belongs_to_and_nothing_else(
    loop: Loop, pipes: list[tuple[int, int]], lines: list[str]
) -> None:
    ended: list[str] = []
    seen: list[int] = []

    def raises(mask: int) -> None:
        raise RuntimeError("of a test")

    loop.watch(pipes[0][0], IN, raises, ended.append)
    loop.watch(pipes[1][0], IN, seen.append, never)
    loop.wait(60_000)
    assert seen == [select.POLLIN]
    (incident,) = ended
    assert any(incident in line and "of a test" in line for line in lines)


def test_the_mask_can_be_changed(loop: Loop, pipes: list[tuple[int, int]]) -> None:
    seen: list[int] = []
    _, writer = pipes[0]
    loop.watch(writer, 0, seen.append, never)
    loop.wait(0)
    assert not seen
    loop.rewatch(writer, OUT)
    loop.wait(60_000)
    assert seen == [select.POLLOUT]


def test_the_clock_counts_from_the_end_of_a_wait(loop: Loop) -> None:
    before = loop.now
    loop.wait(20)
    assert loop.now > before
