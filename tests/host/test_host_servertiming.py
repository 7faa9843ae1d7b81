"""Server-Timing: which steps are named, and that they stay within the whole."""

import re
import time

from cgikit.host.servertiming import Timing

METRIC = re.compile(r'([a-z]+)(?:;desc="([^"]*)")?;dur=(\d+\.\d)')


def test_the_field_has_the_syntax_of_a_list_of_metrics() -> None:
    timing = Timing()
    name, value = timing.field()
    assert (name, bool(METRIC.fullmatch(value))) == ("Server-Timing", True)
    timing.begin()
    timing.end("start")
    timing.end("script")
    found = [METRIC.fullmatch(part) for part in timing.field()[1].split(", ")]
    assert [match and match[1] for match in found] == ["start", "script", "total"]


def test_steps_of_one_name_are_added_and_the_total_has_all() -> None:
    timing = Timing()
    before = time.monotonic()
    for _ in range(3):
        timing.begin()
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            pass
        timing.end("script")
    whole = (time.monotonic() - before) * 1000
    durations = {name: float(took) for name, _, took in METRIC.findall(timing.field()[1])}
    assert list(durations) == ["script", "total"]
    assert 6 <= durations["script"] <= whole + 0.1
    assert durations["script"] <= durations["total"]


def test_what_is_between_steps_belongs_to_none() -> None:
    timing = Timing()
    until = time.monotonic() + 0.05
    while time.monotonic() < until:
        pass
    timing.begin()
    timing.end("start")
    durations = {name: float(took) for name, _, took in METRIC.findall(timing.field()[1])}
    assert durations["total"] >= durations["start"] + 49
