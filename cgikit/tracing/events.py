"""A trace in the format of Chrome's trace events, which Perfetto and browsers open (JSON). Pure.

The format is that of the Trace Event Format: complete events ("ph": "X") and, for steps without a
duration, instant ones ("i"). Times are microseconds.
"""

import json
from collections.abc import Sequence

from .step import Trace
from .way import Way, measured


def as_json(traces: Sequence[Trace], ways: Sequence[Way] = ()) -> str:
    """Return the traces as JSON (str), each as a process of its own; and each way to run the script as
    another, in which each request is a thread.
    """
    events: list[dict[str, object]] = []
    for number, trace in enumerate(traces, 1):
        name = f"{trace.script} ({number})" if len(traces) > 1 else trace.script
        events.append(
            {"name": "process_name", "ph": "M", "pid": number, "tid": 1, "args": {"name": name}}
        )
        for step in trace.steps:
            event: dict[str, object] = {
                "name": step.name,
                "ph": "X",
                "ts": round(step.start, 3),
                "dur": round(step.duration, 3),
                "pid": number,
                "tid": 1,
            }
            if step.note:
                event["args"] = {"note": step.note}
            events.append(event)
    for pid, way in enumerate(measured(ways), len(traces) + 1):
        events.append(
            {
                "name": "process_name",
                "ph": "M",
                "pid": pid,
                "tid": 1,
                "args": {"name": f"{way.name}, not asked"},
            }
        )
        for tid, (first, total) in enumerate(way.requests, 1):
            for name, start, took in ((way.name, 0.0, total), ("first byte", first, 0.0)):
                events.append(
                    {
                        "name": name,
                        "ph": "X",
                        "ts": round(start, 3),
                        "dur": round(took, 3),
                        "pid": pid,
                        "tid": tid,
                    }
                )
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, indent=1)
