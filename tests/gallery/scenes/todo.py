"""The to-do list: entries that the page has asked for, none, and a change that came too late."""

import json
from pathlib import Path

from selenium.webdriver.support.wait import WebDriverWait

from gallery.visitor import LONG, Visitor

TEXTS = [
    "Read RFC 9457",
    "Take <b>innerHTML</b> out of the old page",
    LONG[:200],
    "Water the ferns",
]


def prepare(data: Path) -> None:
    entries = {
        str(number): {"text": text, "done": number % 2 == 0, "version": number}
        for number, text in enumerate(TEXTS, 1)
    }
    content = {"version": len(TEXTS), "last": len(TEXTS), "entries": entries}
    (data / "todo.json").write_text(json.dumps(content))


def waits(visitor: Visitor, script: str) -> None:
    WebDriverWait(visitor.browser.driver, 30).until(lambda driver: driver.execute_script(script))


def page(visitor: Visitor) -> None:
    prepare(visitor.data)
    visitor.opens("todo.py")
    waits(visitor, "return document.querySelectorAll('#entries li').length == 4")


def too_late(visitor: Visitor) -> None:
    page(visitor)
    content = json.loads((visitor.data / "todo.json").read_text())
    content["version"] = 9  # or the browser would show its copy of the list
    content["entries"]["1"] |= {"text": "Read RFC 9110, too", "version": 9}
    (visitor.data / "todo.json").write_text(json.dumps(content))
    visitor.clicks("#entries li:first-child input")
    waits(visitor, "return said.textContent && list.textContent.includes('9110')")


def added(visitor: Visitor) -> None:
    page(visitor)
    visitor.browser.fill("#new", text="One <i>more</i>")
    visitor.clicks("#new button")
    waits(visitor, "return document.querySelectorAll('#entries li').length == 5")
    visitor.clicks("#entries li:last-child button")
    waits(visitor, "return document.querySelectorAll('#entries li').length == 4")


SCENES = {"": page, "too-late": too_late, "added": added}
