#!/usr/bin/env python3
"""Sends an event, and then waits for the one who sees it.

`?wait=NAME`: the second event is sent when there is a file data/NAME, which the client makes when it
has seen the first one. `?stay=NAME`: comments are sent until the client has left; then data/NAME is
made. The first event has the id of the process.
"""

import os
import time
from collections.abc import Iterator

from cgikit import Request, Response, run

SECONDS = 60  # only a server that holds the first event back makes it wait so long


def wait(path: str) -> Iterator[str | dict[str, object]]:
    yield {"data": "first", "id": os.getpid()}
    deadline = time.monotonic() + SECONDS
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            yield "the first event was not seen"
            return
        time.sleep(0.01)
    yield "second"


def stay(path: str) -> Iterator[dict[str, object] | None]:
    try:
        yield {"data": "first", "id": os.getpid()}
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            time.sleep(0.02)
            yield None
    except GeneratorExit:
        with open(path, "w"):
            raise


def events(request: Request) -> Response:
    if "wait" in request.query:
        return Response.events(wait(f"data/{request.query['wait']}"))
    if "stay" in request.query:
        return Response.events(stay(f"data/{request.query['stay']}"))
    return Response.events([request.last_event_id])


if __name__ == "__main__":
    run(events)
