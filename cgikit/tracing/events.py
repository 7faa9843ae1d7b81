"""A trace in the format of Chrome's trace events, which Perfetto and browsers open (JSON). Pure.

The format is that of the Trace Event Format: complete events ("ph": "X") and, for steps without a
duration, instant ones ("i"). Times are microseconds.
"""

import json
from collections.abc import Sequence

from .step import Trace


def as_json(traces: Sequence[Trace]) -> str:
    """Return the traces as JSON (str), each as a process of its own."""
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
    return json.dumps({"traceEvents": events, "displayTimeUnit": "ms"}, indent=1)
