"""What a real browser makes of events: it shows them, connects again, and says which was the last."""

from collections.abc import Iterator

import pytest
from serving import Server, serve

from .chromium import Browser

SCRIPT = """#!/usr/bin/env python3
from cgikit import Response, run

PAGE = '''<!DOCTYPE html>
<html lang="en">
<title>Events</title>
<ol id="seen"></ol>
<script>
  const events = new EventSource(location.pathname + "/events" + location.search)
  const list = document.getElementById("seen")
  const show = text => list.appendChild(document.createElement("li")).textContent = text
  const told = event => show(`${event.type} ${JSON.stringify(event.data)} ${event.lastEventId}`)
  events.onopen = () => show("open")
  events.onmessage = told
  events.addEventListener("tick", told)
  events.onerror = () => show(events.readyState === EventSource.CLOSED ? "closed" : "again")
</script>'''

def page(request):
    if request.path_info != "/events":
        return PAGE
    match request.last_event_id:
        case "":
            return Response.events([
                {"retry": 1}, None, "one\\r\\ntwo\\rthree\\n",
                {"data": "", "event": "tick", "id": "ä 1/2"},
            ])
        case "ä 1/2":
            return Response.events(["again", {"data": "\\u2028", "id": 2}, {"id": 3}])
        case "3":
            return Response("", status=204)
    raise AssertionError(request.last_event_id)

run(page)
"""

SEEN = """\
open
message "one\\ntwo\\nthree\\n"
tick "" ä 1/2
again
open
message "again" ä 1/2
message "\u2028" 2
again
closed"""


@pytest.fixture(scope="module", params=[(), ("--warm",)], ids=["cold", "warm"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    scripts = tmp_path_factory.mktemp("events")
    (scripts / "events.py").write_text(SCRIPT)
    (scripts / "events.py").chmod(0o755)
    with serve(scripts, *request.param) as started:
        yield started


def seen(browser: Browser) -> list[str]:
    found = browser.driver.execute_script(
        "return Array.from(document.querySelectorAll('#seen li'), item => item.textContent)"
    )
    return [str(text).strip() for text in found]


def test_a_browser_shows_events_and_connects_again(browser: Browser, server: Server) -> None:
    """With the id of the last event that had one, even if that event had no data; after 204 no more."""
    browser.open(f"{server.url}events.py")
    browser.wait(lambda: seen(browser)[-1:] == ["closed"])
    assert "\n".join(seen(browser)) == SEEN
