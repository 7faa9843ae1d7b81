"""Trace events, as Perfetto reads them."""

import json

from cgikit.tracing.events import as_json
from cgikit.tracing.step import Step, Trace


def test_each_step_is_an_event() -> None:
    trace = Trace("a.py", [Step("fork", 0, 10.5), Step("import json", 20, 5, 1, "a.py:2")])
    found = json.loads(as_json([trace]))["traceEvents"]
    assert found[0]["args"] == {"name": "a.py"}
    assert found[1:] == [
        {"name": "fork", "ph": "X", "ts": 0, "dur": 10.5, "pid": 1, "tid": 1},
        {
            "name": "import json",
            "ph": "X",
            "ts": 20,
            "dur": 5,
            "pid": 1,
            "tid": 1,
            "args": {"note": "a.py:2"},
        },
    ]


def test_each_run_is_a_process_of_its_own() -> None:
    trace = Trace("a.py", [Step("fork", 0, 10)])
    found = json.loads(as_json([trace, trace]))["traceEvents"]
    assert [event["pid"] for event in found] == [1, 1, 2, 2]
    assert found[2]["args"] == {"name": "a.py (2)"}
