"""The legend of a trace: every kind of step that can occur has a sentence, and only those are shown."""

import re

from house import ROOT

from cgikit.tracing.legend import _STEPS, _WAYS, legend
from cgikit.tracing.step import Step, Trace
from cgikit.tracing.way import Way


def trace_of(*names: str) -> Trace:
    steps = [Step(name, float(n), 1.0) for n, name in enumerate(names)]
    return Trace("/x/hello.py", steps)


def test_only_what_is_there_is_explained_in_the_order_of_a_request() -> None:
    shown = legend(trace_of("exit", "import json", "fork", "import decimal"))
    assert [name for name, _ in shown] == ["fork", "import", "exit"]


def test_ways_that_were_measured_are_explained() -> None:
    warm, left_out = Way("warm"), Way("persistent", "it does not call cgikit's run()")
    warm.requests.append((1.0, 2.0))
    assert [name for name, _ in legend(trace_of("fork"), [warm, left_out])] == ["fork", "warm"]


def test_every_step_that_the_story_can_tell_has_a_sentence() -> None:
    """A step without one would stand on the page as a word that nobody explains."""
    story = (ROOT / "cgikit" / "tracing" / "story.py").read_text()
    named = set(re.findall(r"\(\"([a-z ]+)\", (?:times|ready|site|main|last|micro)", story))
    named |= set(re.findall(r"Step\(\"([a-z ]+)\"", story))
    assert len(named) > 8
    assert named <= set(_STEPS)


def test_each_is_a_sentence() -> None:
    assert all(what[0].isupper() and what.endswith(".") for what in (_STEPS | _WAYS).values())
