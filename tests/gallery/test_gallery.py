"""The gallery's own script: its list, the frame with the way back, and sources of its scripts alone."""

import html
import re
from pathlib import Path

import pytest

from cgikit.testing import Client

from .loading import copied, load
from .style import SCRIPTS, docstring, names


@pytest.fixture
def client() -> Client:
    return Client(load("gallery").gallery, script_name="/cgi-bin/gallery.py")


def test_each_script_is_in_the_list(client: Client) -> None:
    page = client.get().text
    for name in set(names()) - {"gallery"}:
        assert f'href="/cgi-bin/gallery.py/{name}"' in page
        for text in docstring(name)[1].values():
            assert html.escape(text, quote=False).split("'")[0] in page.replace("&#x27;", "'")


def test_a_script_is_shown_with_a_way_back_and_its_source(client: Client) -> None:
    page = client.get("/poll").text
    assert '<iframe src="/cgi-bin/poll.py" title="Poll">' in page
    assert '<a href="/cgi-bin/gallery.py">← Gallery</a>' in page
    assert 'href="/cgi-bin/gallery.py/poll/source"' in page
    source = html.unescape(client.get("/poll/source").text)
    assert (SCRIPTS / "poll.py").read_text() in source


@pytest.mark.parametrize(
    "path",
    ["/hello/source", "/gallery/source", "/poll.py", "/data", "/poll/data"],
)
def test_nothing_else_is_shown(client: Client, path: str) -> None:
    assert client.get(path).status == 404


def test_the_other_scripts_are_listed_with_what_they_are(client: Client) -> None:
    """`make demo` shows this page at its root: what it leaves out is not found."""
    steps = client.get().text.partition("<h2>First steps</h2>")[2].partition("</ul>")[0]
    others = {path.stem for path in SCRIPTS.glob("*.py")} - set(names()) - {"gallery"}
    assert set(re.findall(r'<a href="/cgi-bin/(\w+)\.py">', steps)) == others
    assert "The smallest page: greets the person in the query" in steps


def test_it_shows_what_lies_beside_it(tmp_path: Path) -> None:
    script = copied("gallery", tmp_path)
    assert "poll" not in Client(script).get().text.partition("<main>")[2].lower()
    copied("poll", tmp_path)
    assert 'gallery.py/poll"' in Client(script).get().text


def test_an_odd_file_beside_it_does_no_harm(tmp_path: Path) -> None:
    """Emacs locks a file with a hidden link that leads nowhere; `\xfc` is Latin-1."""
    script = copied("gallery", tmp_path)
    copied("poll", tmp_path)
    docstring_of_two = b'"""Two: x.\n\nThe classic: y.\n"""\nprint "hello"\n'
    (tmp_path / "two.py").write_bytes(docstring_of_two)
    (tmp_path / "latin.py").write_bytes(b'"""J\xfcrgen.\n\nThe classic: y.\n"""\n')
    (tmp_path / "folder.py").mkdir()
    (tmp_path / ".#poll.py").symlink_to("someone@example.org")
    secret = tmp_path / "secret"
    secret.write_text('"""The secret: x.\n\nThe classic: y.\n"""\n')
    (tmp_path / "link.py").symlink_to(secret)
    client = Client(script)
    page = client.get()
    assert page.status == 200
    assert 'gallery.py/poll"' in page.text
    assert "secret" not in page.text
    assert client.get("/link/source").status == 404
