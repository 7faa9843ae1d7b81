"""The states of an exchange: the table in the docstring is the one that is enforced."""

import ast
from typing import cast

import house
import pytest

from cgikit.warm import exchangestate
from cgikit.warm.exchangestate import STATES, Event, IllegalTransition

EVENTS = {name: event for name, event in vars(exchangestate).items() if isinstance(event, Event)}


def shown() -> dict[str, dict[str, str]]:
    """The table of the docstring: what follows, by event and state."""
    rows = [
        [cell.strip() for cell in line.split("|")[1:]]
        for line in cast(str, exchangestate.__doc__).splitlines()
        if line.startswith("|")
    ]
    head = next(row for row in rows if row[0] == "event")
    states = [name.lower() for name in head[1:]]
    assert states == list(STATES)
    found = {}
    for row in rows[rows.index(head) + 2 :]:
        cells = zip(states, row[1:], strict=True)
        found[row[0]] = {state: cell.lower() for state, cell in cells if cell}
    return found


def test_the_table_that_is_shown_is_the_one_that_is_enforced() -> None:
    assert shown() == {name: dict(event) for name, event in EVENTS.items()}


def test_every_state_is_explained_and_has_a_way_to_the_end() -> None:
    text = cast(str, exchangestate.__doc__)
    for state in STATES:
        assert f"\n| {state.upper():8} | " in text
        assert exchangestate.OVER[state] == exchangestate.DONE


@pytest.mark.parametrize("name", sorted(EVENTS))
def test_an_event_that_cannot_happen_raises_and_is_not_learnt(name: str) -> None:
    event = EVENTS[name]
    for state in STATES:
        if state in event:
            assert event[state] in STATES
            continue
        for _ in range(2):
            with pytest.raises(IllegalTransition, match=rf"'{event.name}' cannot .* '{state}'"):
                event[state]


def test_after_the_end_nothing_is_sent() -> None:
    done = {name for name, event in EVENTS.items() if "done" in event}
    assert done == {"OVER", "STOPPED"}
    assert exchangestate.STOPPED["done"] == "done"


def test_only_events_change_the_state() -> None:
    """A state is set at the beginning, by an event, and to DONE after an error of ours."""
    found = {
        house.written(node.value)
        for module in house.read()
        if module.name in ("warm.reply", "warm.exchange")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign) and house.written(node.targets[0]).endswith("._state")
    }
    events = {f"{name}[self._state]" for name in EVENTS}
    assert found == {*events, "ARRIVING", "DONE"}
