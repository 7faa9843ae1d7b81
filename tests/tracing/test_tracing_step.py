"""Steps and what they come to."""

from cgikit.tracing.step import Step, Trace

STEPS = [
    Step("fork", 0, 10),
    Step("script", 10, 50),
    Step("import a", 15, 30, 1, "x.py:3"),
    Step("import b", 20, 10, 2),
    Step("import c", 50, 5, 1),
    Step("exit", 60, 5),
]


def test_the_whole_ends_with_the_last_step() -> None:
    trace = Trace("a.py", STEPS)
    assert trace.total == 65
    assert Trace("a.py", []).total == 0


def test_own_time_is_without_what_is_within() -> None:
    trace = Trace("a.py", STEPS)
    assert [trace.own_time(step) for step in STEPS] == [10, 15, 20, 10, 5, 5]


def test_imports_are_found() -> None:
    assert [step.name[-1] for step in Trace("a.py", STEPS).imports] == ["a", "b", "c"]


def test_a_step_can_be_read() -> None:
    assert repr(STEPS[1]) == "<Step script 10+50 depth 0>"
    assert STEPS[1].end == 60
