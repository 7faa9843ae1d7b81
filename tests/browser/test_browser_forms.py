"""What a real browser sends arrives as it was typed, under several servers, byte for byte."""

import json
from pathlib import Path

import pytest
from servers.rows import BROWSED
from servers.server import Server

from .chromium import Browser

pytestmark = pytest.mark.parametrize("server", BROWSED, indirect=True, scope="session")

TYPED = 'Grüße & "quotes" = 100 % + ü€😀'
#: Quotes, umlauts, a percent sign, a semicolon: each has broken some parser of Content-Disposition.
FILE_NAME = "Käse \"extra\"; 100% 'fein'.txt"
CONTENT = b"Zeile 1\r\nZeile 2 \x00\xff ende\n"


def seen(browser: Browser) -> dict[str, str]:
    """The JSON on the page."""
    answer: dict[str, str] = json.loads(
        browser.driver.execute_script("return document.body.innerText")
    )
    return answer


def test_a_get_form_is_a_query_string(browser: Browser, server: Server) -> None:
    browser.open(server.url("formpage.py"))
    browser.fill("#get", q="a b&c=ü")
    browser.submit("#get")
    assert seen(browser)["method"] == "GET"
    assert seen(browser)["query"] == "q=a+b%26c%3D%C3%BC"


def test_a_post_form_keeps_the_query_string_of_its_action(browser: Browser, server: Server) -> None:
    browser.open(server.url("formpage.py"))
    browser.fill("#post", name="x", text="1\n2")
    browser.submit("#post")
    assert seen(browser)["query"] == "from=query"
    assert seen(browser)["type"] == "application/x-www-form-urlencoded"
    assert seen(browser)["body"] == "name=x&text=1%0D%0A2"


def test_an_upload_shows_its_name_but_not_where_it_lay(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    path = tmp_path / "private" / FILE_NAME
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    browser.open(server.url("formpage.py"))
    browser.fill("#upload", note="n", file=str(path))
    browser.submit("#upload")
    answer = seen(browser)
    assert answer["type"].startswith("multipart/form-data; boundary=")
    body = answer["body"].encode("latin-1")
    # WHATWG: UTF-8 as it is, the quote as %22, nothing else escaped.
    assert f'filename="{FILE_NAME.replace(chr(34), "%22")}"'.encode() in body
    assert CONTENT in body
    assert b"private" not in body
