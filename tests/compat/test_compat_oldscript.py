"""A script of 2008 runs unmodified: 193 lines with FieldStorage, cgitb, uploads and cookies.

Beside it stand `cgi.py` and `cgitb.py` as `cgikit vendor cgi` writes them, so that this is what Python
3.13 does, whichever one runs the tests. Real servers run it in tests/servers/test_old_script.py.
"""

import shutil
from pathlib import Path

import pytest
from hiding import hiding

from cgikit import vendoring
from cgikit.testing import Client

SCRIPT = Path(__file__).parents[1] / "servers" / "scripts" / "guestbook2008.py"


@pytest.fixture
def guestbook(tmp_path: Path) -> Client:
    """The script, where it can write, and asked as a browser does."""
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "data").mkdir()
    vendoring.write(str(tmp_path))
    return Client(tmp_path / SCRIPT.name)


def test_it_is_what_it_says() -> None:
    text = SCRIPT.read_text()
    assert len(text.splitlines()) == 193
    assert "cgikit" not in text


def test_the_form_is_shown_and_visits_are_counted(guestbook: Client) -> None:
    first = guestbook.get()
    assert (first.status, first.stderr) == (200, "")
    assert '<form action="/cgi-bin/guestbook2008.py"' in first.text
    assert "You have been here 1 time(s)" in first.text
    assert "You have been here 2 time(s)" in guestbook.get().text
    assert guestbook.cookies["visits"] == "2"


def test_an_entry_with_a_photo_is_kept(guestbook: Client, tmp_path: Path) -> None:
    photo = bytes(range(256)) * 700
    answer = guestbook.post(
        data={
            "action": "sign",
            "name": "Jürgen <b>",
            "email": "",
            "message": "Grüße\nund ein Bild",
            "colour": ["red", "blue"],
        },
        files={"photo": ("C:\\Bilder\\käse.png", photo)},
    )
    assert (answer.status, answer.stderr) == (200, "")
    assert "Thank you!" in answer.text
    assert answer.cookies["name"] == '"Jürgen <b>"' or "name" in answer.cookies
    assert (tmp_path / "data" / "guestbook" / "photos" / "käse.png").read_bytes() == photo
    shown = guestbook.get("?from=J").text
    assert "<h3>Jürgen &lt;b&gt;</h3>" in shown
    assert "<p>Grüße&lt;br&gt;und" in shown or "<p>Grüße<br>und ein Bild</p>" in shown
    assert "<p>Likes red,blue</p>" in shown
    assert f"käse.png (image/png, {len(photo)} bytes)" in shown
    assert "<h3>" not in guestbook.get("?from=Nobody").text


def test_a_form_without_a_file_or_a_name(guestbook: Client) -> None:
    answer = guestbook.post(data={"action": "sign", "message": "x", "name": ""})
    assert answer.status == 400
    assert "Please tell us your name." in answer.text
    assert "Please write something." not in answer.text
    empty = guestbook.post(
        data={"action": "sign", "message": "x", "name": "Ada"}, files={"photo": ("", b"")}
    )
    assert empty.status == 200
    assert "Photo" not in guestbook.get().text


def test_its_tracebacks_are_pages(guestbook: Client) -> None:
    client = Client(guestbook._target._path, raise_errors=False)
    answer = client.get("?action=fail")
    assert answer.status == 200  # the header was out
    assert "the guest book is on fire" in answer.text
    assert "RuntimeError" in answer.text


def test_without_anything_it_breaks(tmp_path: Path) -> None:
    shutil.copy(SCRIPT, tmp_path)
    modern = {"PYTHONPATH": hiding(tmp_path / "modern")}
    answer = Client(tmp_path / SCRIPT.name, raise_errors=False, environ=modern).get()
    assert answer.status == 500
    assert "compat=True" in str(answer.error)
