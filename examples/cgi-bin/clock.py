#!/usr/bin/env python3
"""A clock that shows the server's time, which comes as one event a second (server-sent events)."""

import time

from cgikit import HTTPError, Request, Response, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Clock</title>
<style>
  :root { color-scheme: light dark; background: Canvas }
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
  #time { font-size: 3rem }
</style>
<main>
<h1>The server's time</h1>
<p id="time" role="timer"></p>
<p id="count"></p>
</main>
<script>
  const events = new EventSource(location.pathname + "/events")
  events.onmessage = event => {
    document.getElementById("time").textContent = event.data
    document.getElementById("count").textContent = `Event ${event.lastEventId}`
  }
</script>
"""


def ticks(last, count, pause):
    """Ends after a while, so that no process lives as long as a browser's tab: the browser reconnects,
    and says which event was the last.
    """
    yield {"retry": 1000}
    for number in range(last + 1, last + 1 + count):
        yield {"data": time.strftime("%H:%M:%S"), "id": number}
        time.sleep(pause)


def clock(request: Request):
    if request.path_info in {"", "/"}:
        return PAGE
    if request.path_info != "/events":
        raise HTTPError(404)
    last = request.last_event_id  # any client can send any
    count = request.query.getint("count", default=60, min=1, max=60)
    pause = request.query.getfloat("pause", default=1, min=0, max=2)
    return Response.events(
        ticks(int(last) if last.isdecimal() and len(last) < 10 else 0, count, pause)
    )


if __name__ == "__main__":
    run(clock)
