"""The site search of the gallery: what is found and in which order, and what is never read or shown."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from reading import elements

from cgikit.testing import Answer, Client

from .loading import load


@pytest.fixture
def search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "pages").mkdir(parents=True)
    return load("search")


@pytest.fixture
def client(search: Any) -> Client:
    return Client(search.search)


def write(path: str, text: str) -> Path:
    file = Path("data/pages") / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o644)
    return file


def ask(client: Client, query: dict[str, str]) -> Answer:
    return client.get(f"?{urlencode(query)}")


def found(client: Client, words: str) -> list[str]:
    """The addresses of the pages that are found."""
    answer = ask(client, {"words": words})
    assert answer.status == 200
    links = elements(answer.text, "a")
    return [str(link["href"]) for link in links if "rel" not in link]


def test_a_page_has_all_the_words_and_the_best_is_first(client: Client) -> None:
    write("a.html", "<title>Rivers</title><p>A mill and a mill by the bridge")
    write("b.html", "<title>The mill</title><p>A bridge")
    write("c/d e.txt", "A bridge, a Mill and a bridge")
    write("e.html", "<title>Bridge</title><p>no m-ill")
    assert found(client, "MILL bridge") == ["/b.html", "/a.html", "/c/d%20e.txt"]
    assert found(client, "lighthouse") == []


def test_what_a_reader_does_not_see_is_not_found(client: Client) -> None:
    write(
        "a.html",
        "<title>T</title><script>secret()</script><style>.secret{}</style>"
        "<!-- secret --><p class=secret>K&ouml;ln &amp; Bonn</p>",
    )
    assert found(client, "secret") == []
    assert found(client, "köln & bonn") == ["/a.html"]


@pytest.mark.parametrize("words", ["(", "a.c", "[", "*", "(a+)+$", "../", "\\", "%00"])
def test_words_are_no_patterns(client: Client, words: str) -> None:
    write("a.txt", "abc " + "a" * 50)
    assert found(client, words) == []
    write("b.txt", f"before {words} after")
    assert found(client, words) == ["/b.txt"]


def test_everything_is_escaped(client: Client) -> None:
    write("<b>.html", "<title>&lt;i>x</title><p>one &lt;script>alert(1)&lt;/script> two")
    page = ask(client, {"words": "<script>alert(1)</script>"}).text
    assert "<script" not in page
    assert "<mark>&lt;script&gt;alert(1)&lt;/script&gt;</mark>" in page
    assert 'href="/%3Cb%3E.html">&lt;i&gt;x</a>' in page


def test_no_word_is_marked_inside_an_escape(client: Client) -> None:
    write("a.txt", "Dick & amp")
    assert "&amp; <mark>amp</mark>" in client.get("?words=amp").text


def test_the_words_are_shown_where_they_are(client: Client) -> None:
    write("a.txt", "x " * 400 + "needle" + " y" * 400)
    page = client.get("?words=needle").text
    assert "… " in page
    assert "x <mark>needle</mark> y" in page
    assert len(page.partition("<main>")[2]) < 2_000


def test_nothing_outside_the_folder_is_read(client: Client, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("needle")
    pages = tmp_path / "data" / "pages"
    (pages / "link.txt").symlink_to(outside / "secret.txt")
    (pages / "folder").symlink_to(outside)
    os.mkfifo(pages / "pipe.txt")
    write(".hidden.txt", "needle")
    write(".git/a.txt", "needle")
    write("a.py", "needle")
    assert found(client, "needle") == []
    for field in ("folder", "files", "path"):
        answer = ask(client, {"words": "needle", field: str(outside)})
        assert "0 pages found" in answer.text


def test_a_search_has_an_end(client: Client, search: Any) -> None:
    for number in range(4):
        write(f"{number}.txt", "needle")
    write("long.txt", "needle " * 200)
    search.MOST_BYTES = 1_000
    assert len(found(client, "needle")) == 4
    search.MOST_FILES = 2
    assert found(client, "needle") == ["/0.txt", "/1.txt"]
    assert "pages may be missing" in client.get("?words=needle").text
    search.MOST_FILES, search.MOST_READ = 99, 7
    assert found(client, "needle") == ["/0.txt", "/1.txt"]
    assert ask(client, {"words": "x" * 101}).status == 422


def test_results_come_in_pages(client: Client) -> None:
    for number in range(12):
        write(f"{number:02}.txt", "a & b")
    first, second = (ask(client, {"words": "a &", "page": f"{n}"}).text for n in (1, 2))
    assert "12 pages found" in first
    assert "?words=a%20%26&amp;page=2" in first
    assert "11.txt" in second
    assert "01.txt" not in second
    assert ask(client, {"words": "a", "page": "3"}).status == 400


def test_pages_without_an_address_have_no_links(client: Client, search: Any) -> None:
    search.URL = ""
    write("a.txt", "needle")
    assert "<h2>a.txt</h2>" in client.get("?words=needle").text


def test_what_not_everybody_may_read_is_not_shown(client: Client) -> None:
    """The folder may be a document root, with the data of scripts below it."""
    write("owner.txt", "scrypt hash").chmod(0o600)
    write("cgi-bin/data/owner.txt", "scrypt hash")
    write("seen.txt", "scrypt explained")
    assert found(client, "scrypt") == ["/seen.txt"]


def test_a_file_name_that_is_not_text_is_found(client: Client) -> None:
    write("a.txt", "bridge").rename(os.fsdecode(b"data/pages/K\xf6ln.txt"))
    assert found(client, "bridge") == ["/K%F6ln.txt"]
