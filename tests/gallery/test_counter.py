"""The hit counter of the gallery: pictures and text, and no visitor lost."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cgikit.testing import Client

from .loading import copied, load


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.chdir(tmp_path)
    return Client(load("counter").counter)


@pytest.mark.parametrize("style", ["plain", "led", "odometer"])
def test_a_picture_shows_the_number_in_digits(client: Client, style: str, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "visitors.dat").write_text("41\n")  # of an old script
    answer = client.get(f"?style={style}&digits=4")
    assert answer.content_type == "image/svg+xml"
    assert answer.headers["Cache-Control"] == "no-store"
    drawn = ElementTree.fromstring(answer.text)
    assert drawn.get("aria-label") == "0042"
    assert drawn.get("viewBox") == "0 0 160 62"  # or a narrow page would cut it off


def test_the_text_is_the_number_alone(client: Client) -> None:
    answer = client.get("?style=text&digits=3")
    assert (answer.content_type, answer.text) == ("text/plain", "001")


def test_a_visitor_counts_once(client: Client) -> None:
    assert [client.get("?style=text").text for _ in range(2)] == ["000001", "000001"]
    client.cookies.clear()  # another visitor
    assert client.get("?style=text").text == "000002"
    assert "You are visitor number 2" in client.get().text


@pytest.mark.parametrize("query", ["style=roman", "style=../led", "digits=13", "digits=0"])
def test_what_does_not_exist_is_refused_and_not_counted(client: Client, query: str) -> None:
    assert client.get(f"?{query}").status == 400
    assert client.get("?style=text").text == "000001"


def test_no_visitor_is_lost(tmp_path: Path) -> None:
    script = copied("counter", tmp_path)
    with ThreadPoolExecutor(4) as visitors:
        seen = list(visitors.map(lambda _: Client(script).get("?style=text").text, range(12)))
    assert sorted(seen) == [f"{number:06}" for number in range(1, 13)]


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "FOO"])
def test_what_nobody_sees_is_not_counted(client: Client, method: str) -> None:
    client.request(method, "")
    client.cookies.clear()
    assert client.get("?style=text").text == "000001"
