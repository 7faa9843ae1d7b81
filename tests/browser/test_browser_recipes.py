"""What a real browser makes of the recipes: the API of another origin."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from recipes.recipe import RECIPES, put
from serving import Server, serve

from .chromium import Browser

PAGE = """#!/usr/bin/env python3
from cgikit import run

run(lambda request: "<!DOCTYPE html><title>A page of some site</title>")
"""
REPORT = """
const done = arguments[arguments.length - 1];
(async () => {
  %s
  return [answer.status, await answer.json()];
})().then(done, error => done(error.name));
"""


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[Server, Server]]:
    """Two sites, each with a page."""
    folder = tmp_path / "pages"
    folder.mkdir()
    (folder / "page.py").write_text(PAGE)
    (folder / "page.py").chmod(0o755)
    with serve(folder) as one, serve(folder) as other:
        yield one, other


def fetch_of_the_page() -> str:
    (script,) = re.findall(r"```js\n(.*?)```", (RECIPES / "json-api.md").read_text(), re.S)
    return str(script)


def test_the_api_is_there_for_pages_of_one_site_only(
    browser: Browser, pages: tuple[Server, Server], tmp_path: Path
) -> None:
    app, evil = pages
    folder = tmp_path / "api"
    folder.mkdir()
    origin = app.url.rstrip("/")
    put(folder, "tasks.py", {"https://app.example.org": origin})
    with serve(folder) as api:
        code = fetch_of_the_page().replace(
            "https://api.example.org/cgi-bin/tasks.py", f"{api.url}tasks.py"
        )
        assert api.url in code
        browser.open(app.url + "page.py")
        told = browser.driver.execute_async_script(REPORT % code)
        assert told == [201, {"id": 1, "title": "Make tea"}]
        refused = code.replace("{title:", "{name:")
        told = browser.driver.execute_async_script(REPORT % refused)
        assert told[0] == 400  # the page can read why

        browser.open(evil.url + "page.py")
        assert browser.driver.execute_async_script(REPORT % code) == "TypeError"
        unasked = code.replace("application/json", "text/plain")
        assert unasked != code  # sent without asking first
        assert browser.driver.execute_async_script(REPORT % unasked) == "TypeError"
    stored = json.loads((folder / "data" / "tasks.json").read_text())
    assert [task["title"] for task in stored] == ["Make tea"]
