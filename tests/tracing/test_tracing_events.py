"""Trace events, as Perfetto reads them."""

import json

from cgikit.tracing.events import as_json
from cgikit.tracing.step import Step, Trace
from cgikit.tracing.way import Way


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


def test_each_way_is_a_process_and_each_request_of_it_a_thread() -> None:
    ways = [Way("CGI"), Way("warm"), Way("persistent", "no")]
    ways[0].requests = [(9, 10)]
    ways[1].requests = [(2, 3), (1, 4)]
    found = json.loads(as_json([Trace("a.py", [])], ways))["traceEvents"][1:]
    assert [event["args"]["name"] for event in found if event["ph"] == "M"] == [
        "CGI, not asked",
        "warm, not asked",
    ]
    assert [
        (e["name"], e["pid"], e["tid"], e["ts"], e["dur"]) for e in found if e["ph"] == "X"
    ] == [
        ("CGI", 2, 1, 0, 10),
        ("first byte", 2, 1, 9, 0),
        ("warm", 3, 1, 0, 3),
        ("first byte", 3, 1, 2, 0),
        ("warm", 3, 2, 0, 4),
        ("first byte", 3, 2, 1, 0),
    ]
