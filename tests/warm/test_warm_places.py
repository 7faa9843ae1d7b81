"""The places of a worker: who runs, who waits, who is refused, and who is looked at again."""

from types import SimpleNamespace
from typing import Any

import pytest

from cgikit.host.guard import Guard
from cgikit.warm.loop import Loop
from cgikit.warm.places import Places
from cgikit.warm.settings import Settings
from cgikit.warm.slottable import SLOTS


class Request:
    """A request that notes what is asked of it."""

    def __init__(self, places: Places, asked: float = 0.0, *, fails: bool = False) -> None:
        self.places = places
        self.asked = asked
        self.fails = fails
        self.heard: list[str] = []

    def start(self) -> None:
        """Run."""
        self.heard.append("start")
        if self.fails:
            raise RuntimeError("of a test")
        self.places.running.add(self)

    def refuse(self, why: str) -> None:
        """Note the refusal."""
        self.heard.append(f"refused: {why}")

    def recheck(self) -> None:
        """Note the look, and be held again."""
        self.heard.append("look")
        self.places.held.add(self)

    def tick(self) -> None:
        """Note the look at the clock."""
        self.heard.append("tick")

    def crashed(self, incident: str) -> None:
        """Note the error."""
        self.heard.append("crashed")
        self.places.forget(self)


@pytest.fixture
def children() -> dict[int, Any]:
    return {}


@pytest.fixture
def places(children: dict[int, Any]) -> Places:
    """Two places, and two in the queue."""
    settings = Settings(root="/", protocol="fastcgi", children=2, queue=2, timeout=10.0)
    loop = Loop(Guard(lambda line: None, lambda incident: None))
    zygote: Any = SimpleNamespace(children=children)
    return Places(loop, zygote, settings)


def admitted(places: Places, count: int) -> list[Request]:
    """So many requests that want a place; those that have one run."""
    requests = [Request(places, places._loop.now) for _ in range(count)]
    for request in requests:
        if places.admit(request):
            request.start()
    return requests


def test_some_run_some_wait_and_the_rest_is_refused(places: Places) -> None:
    requests = admitted(places, 5)
    assert places.running == set(requests[:2])
    assert places.queue == requests[2:4]
    assert requests[4].heard == ["refused: too many requests wait already"]


def test_a_place_that_is_free_goes_to_who_has_waited_longest(places: Places) -> None:
    requests = admitted(places, 4)
    places.free(requests[0])
    assert [request.heard for request in requests] == [["start"], ["start"], ["start"], []]
    assert places.queue == requests[3:]


def test_a_start_that_raises_does_not_lose_the_place(places: Places) -> None:
    requests = admitted(places, 4)
    requests[2].fails = True
    places.free(requests[0])
    assert requests[2].heard == ["start", "crashed"]
    assert requests[3].heard == ["start"]


def test_children_that_are_not_reaped_have_their_slots(
    places: Places, children: dict[int, Any]
) -> None:
    children.update(dict.fromkeys(range(SLOTS)))
    (waits,) = admitted(places, 1)
    assert places.queue == [waits]
    children.popitem()
    places.start_next()
    assert waits.heard == ["start"]


def test_plenty_is_half_of_the_places(places: Places) -> None:
    assert places.has_plenty()
    admitted(places, 1)
    assert not places.has_plenty()


def test_what_is_withdrawn_or_forgotten_starts_no_more(places: Places) -> None:
    runs, other, leaves, fails = admitted(places, 4)
    places.held.add(runs)
    places.withdraw(leaves)
    places.withdraw(leaves)  # which does nothing
    places.forget(fails)
    places.forget(runs)
    places.free(other)
    assert leaves.heard == fails.heard == []
    assert not places.running
    assert not places.queue
    assert not places.held


def test_who_is_held_is_looked_at_once(places: Places) -> None:
    first, second = admitted(places, 2)
    places.held.update((first, second))
    places.recheck()
    assert first.heard == second.heard == ["start", "look"]
    assert places.held == {first, second}  # for the next time
    places.free(first)
    assert places.held == {second}


def test_the_clock_refuses_who_waits_too_long(places: Places) -> None:
    runs, _, late, waits = admitted(places, 4)
    late.asked -= 10.5
    places.tick()
    assert runs.heard == ["start", "tick"]
    assert late.heard == ["refused: no script ended in time to make room for it"]
    assert waits.heard == []
    assert places.queue == [waits]
