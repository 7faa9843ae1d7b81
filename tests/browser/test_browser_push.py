"""What a real browser makes of pictures that replace each other, and of pages that do."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from serving import Server, serve

from .chromium import Browser

SCRIPT = """#!/usr/bin/env python3
import os, struct, time, zlib
from cgikit import Response, run

def png(size):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\\0" + b"\\x80" * size) * size))
    return b"\\x89PNG\\r\\n\\x1a\\n" + header + pixels + chunk(b"IEND", b"")

def pictures():
    for size in (1, 2, 3):
        yield Response(png(size), content_type="image/png")
        if size > 1:
            wait_for(f"seen{size - 1}")

def wait_for(name):
    deadline = time.monotonic() + 60
    while not os.path.exists(name) and time.monotonic() < deadline:
        time.sleep(0.01)

def page(request):
    match request.path_info:
        case "/pictures":
            return Response.push(pictures())
        case "/pages":
            return Response.push(f"<p>Page {number}</p>" for number in (1, 2))
        case "/seen":
            open("seen" + request.query["size"], "w").close()
            return Response("", status=204)
    return '<!DOCTYPE html><html lang="en"><title>Push</title><img alt="">'

run(page)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    scripts = tmp_path_factory.mktemp("push")
    (scripts / "push.py").write_text(SCRIPT)
    (scripts / "push.py").chmod(0o755)
    with serve(scripts) as started:
        yield started


def width(browser: Browser) -> object:
    return browser.driver.execute_script("return document.querySelector('img').naturalWidth")


def test_a_browser_shows_each_picture(browser: Browser, server: Server) -> None:
    """Chromium shows one when the next one begins: the script goes on when it has been seen."""
    browser.open(f"{server.url}push.py")
    # Not in the page: the driver waits for a page that is being loaded.
    browser.driver.execute_script("document.querySelector('img').src = 'push.py/pictures'")
    for size in (1, 2, 3):
        browser.wait(lambda size=size: width(browser) == size)  # type: ignore[misc]
        browser.driver.execute_script("fetch('push.py/seen?size=' + arguments[0])", size)


def test_chromium_shows_no_pages(browser: Browser, server: Server) -> None:
    """It takes them for a picture that is broken. docs/reference/events.md says so."""
    browser.open(f"{server.url}push.py/pages")
    assert browser.driver.find_elements(By.CSS_SELECTOR, "img[src$='/pages']")
    assert "Page" not in browser.text
