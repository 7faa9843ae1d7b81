"""Which scripts' processes serve several requests, and when they are let go."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from cgikit.host.guard import Guard
from cgikit.warm.kept import IDLE, MAX_KEPT, TRIES, Keeper, Kept
from cgikit.warm.loop import Loop
from cgikit.warm.settings import Settings
from cgikit.warm.slottable import ANSWERED, READY, TAKEN, turn


class Zygote:
    """What a keeper asks of the way to its zygote."""

    def __init__(self) -> None:
        self.states: dict[int, int] = {}

    def state(self, child: Any) -> int:
        return self.states.get(child.slot, 0)

    def begin(self, child: Any) -> None:
        self.states[child.slot] = 0

    def learn_from(self, child: Any) -> None:
        """Nothing was imported."""

    def pass_on(self, former: Any, child: Any) -> None:
        pass

    def reap(self, child: Any) -> None:
        pass


MADE: list[Kept] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    while MADE:
        MADE.pop().close()


class Noted(Keeper):
    """A keeper whose processes are let go after a test."""

    def get(self, file: str, program: Any, name: str, early: bool = False) -> Kept:
        MADE.append(super().get(file, program, name, early))
        return MADE[-1]


def keeper(*patterns: str, most: int = 10) -> tuple[Any, Any, list[str]]:
    log: list[str] = []
    loop = Loop(Guard(log.append, log.append))
    settings = Settings(root="/r", protocol="scgi", reuse=list(patterns), reuse_max=most)
    zygote: Any = Zygote()
    return Noted(loop, zygote, settings, log.append), zygote, log


PROGRAM: Any = SimpleNamespace(stamp=(1,), directory="/r")


@pytest.mark.parametrize(
    ("pattern", "file", "is_meant"),
    [
        ("*.py", "/r/a.py", True),
        ("*.py", "/r/deep/a.py", True),
        ("a.py", "/r/deep/a.py", True),
        ("deep/*.py", "/r/deep/a.py", True),
        ("/deep/*.py", "/r/deep/a.py", True),
        ("deep/*.py", "/r/a.py", False),
        ("b.py", "/r/a.py", False),
    ],
)
def test_a_pattern_is_for_a_name_or_a_path(pattern: str, file: str, is_meant: bool) -> None:
    assert keeper(pattern)[0].wants(file, PROGRAM) is is_meant


def test_a_file_that_may_change_unnoticed_is_not_meant() -> None:
    assert not keeper("*")[0].wants("/r/a.py", SimpleNamespace(stamp=None))


def served(keeping: Any, zygote: Any, slot: int) -> Kept:
    """A process that has answered and is ready."""
    kept: Kept = keeping.get("/r/a.py", PROGRAM, "/a.py")
    child: Any = SimpleNamespace(slot=slot, pid=slot)
    if kept.slot >= 0:
        keeping.begin(kept, child)
    keeping.rest(kept, child)
    zygote.states[slot] = READY
    return kept


def test_a_process_that_is_ready_gets_the_next_request() -> None:
    keeping, zygote, _ = keeper("*")
    kept = served(keeping, zygote, 1)
    assert keeping.get("/r/a.py", PROGRAM, "/a.py") is kept
    assert keeping.get("/r/a.py", PROGRAM, "/a.py") is not kept


def test_a_process_that_still_checks_itself_gets_what_may_be_early() -> None:
    keeping, zygote, _ = keeper("*")
    kept = served(keeping, zygote, 1)
    zygote.states[1] = ANSWERED
    assert keeping.get("/r/a.py", PROGRAM, "/a.py") is not kept
    assert keeping.get("/r/a.py", PROGRAM, "/a.py", early=True) is kept


def test_the_process_that_was_used_last_comes_first() -> None:
    keeping, zygote, _ = keeper("*")
    taken = [keeping.get("/r/a.py", PROGRAM, "/a.py") for _ in range(3)]
    for slot, kept in enumerate(taken):
        keeping.rest(kept, SimpleNamespace(slot=slot, pid=slot))
        zygote.states[slot] = READY
    for kept in reversed(taken):
        assert keeping.get("/r/a.py", PROGRAM, "/a.py", early=True) is kept


@pytest.mark.parametrize(
    ("state", "is_taken"),
    [
        (0, False),
        (1 | READY | turn(1), False),  # that is about the request before
        (TAKEN | turn(2), True),
        (1 | ANSWERED | turn(2), True),
        (1 | READY | turn(2), True),
        (256, True),  # it has ended
    ],
)
def test_a_request_was_taken_once_the_table_says_so(state: int, is_taken: bool) -> None:
    keeping, zygote, _ = keeper("*")
    kept = keeping.get("/r/a.py", PROGRAM, "/a.py")
    kept.served = 2
    zygote.states[1] = state
    assert keeping.is_taken(kept, SimpleNamespace(slot=1)) is is_taken


def test_a_script_that_has_changed_gets_another_process() -> None:
    keeping, zygote, _ = keeper("*")
    kept = served(keeping, zygote, 1)
    assert keeping.get("/r/a.py", SimpleNamespace(stamp=(2,)), "/a.py") is not kept


def test_a_process_is_let_go_after_so_many_requests() -> None:
    keeping, zygote, _ = keeper("*", most=3)
    found = [served(keeping, zygote, 1) for _ in range(4)]
    assert found[0] is found[1] is found[2]
    assert found[2].ending
    assert found[3] is not found[2]


def test_a_script_that_leaves_a_trace_each_time_is_not_tried_for_ever() -> None:
    keeping, zygote, log = keeper("*")
    for slot in range(TRIES):
        assert keeping.wants("/r/a.py", PROGRAM)
        keeping.lost(served(keeping, zygote, slot), "x changed")
    assert not keeping.wants("/r/a.py", PROGRAM)
    assert keeping.wants("/r/a.py", SimpleNamespace(stamp=(2,)))
    assert "/a.py: its process serves no other request: x changed" in log
    assert "/a.py: it gets a new process for each request from now on" in log


def test_processes_that_wait_are_bounded_in_number_and_in_time() -> None:
    keeping, zygote, _ = keeper("*")
    taken = [keeping.get("/r/a.py", PROGRAM, "/a.py") for _ in range(MAX_KEPT + 1)]
    for slot, kept in enumerate(taken):
        keeping.loop.now += 0.01
        keeping.rest(kept, SimpleNamespace(slot=slot, pid=slot))
        zygote.states[slot] = READY
    assert [kept.ending for kept in taken] == [True] + [False] * MAX_KEPT
    keeping.loop.now += IDLE + 1
    keeping.tick()
    assert all(kept.ending for kept in taken)
