"""Tests of the guestbook. To run them: python3 -m pytest, in this directory."""

import hashlib
import re
import shutil
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("guestbook.py")
PNG = b"\x89PNG\r\n\x1a\n and what else is in a picture"
PASSWORD = "open sesame"


@pytest.fixture
def place(tmp_path):
    """A directory with a copy of the script, and with data of its own."""
    shutil.copy(SCRIPT, tmp_path)
    (tmp_path / "data").mkdir()
    salt = "00" * 16
    key = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1)
    (tmp_path / "data" / "guestbook-owner.txt").write_text(f"{salt}:{key.hex()}\n")
    return tmp_path


@pytest.fixture
def visitor(cgi_client, place):
    return cgi_client(place / "guestbook.py")


@pytest.fixture
def owner(cgi_client, place):
    """Somebody else, who is logged in."""
    client = cgi_client(place / "guestbook.py")
    send(client, "/owner", password=PASSWORD)
    return client


def send(client, path="", picture=None, **values):
    """Fill in the form of a page, and send it."""
    token = re.search('name="csrf" value="([^"]+)"', client.get(path).text)[1]
    files = {"picture": picture} if picture else None
    return client.post(path, data={"csrf": token, **values}, files=files)


def decide(owner, what):
    """Press the first button of a kind: approve, drop, take-down."""
    key = re.search(f'name="{what}" value="([^"]+)"', owner.get("/owner").text)[1]
    assert send(owner, "/owner", **{what: key}).status == 303


def test_an_entry_is_shown_when_the_owner_has_read_it(visitor, owner):
    assert send(visitor, name="Ada", text="What a page!").status == 303
    assert "What a page!" not in visitor.get().text
    decide(owner, "approve")
    assert "What a page!" in visitor.get().text
    decide(owner, "take-down")
    assert "What a page!" not in visitor.get().text


def test_what_is_sent_stays_text(visitor, owner):
    send(visitor, name="<b>Ada", text="<script>alert(1)</script>")
    decide(owner, "approve")
    page = visitor.get().text
    assert "&lt;b&gt;Ada" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<b>" not in page
    assert "<script>" not in page


def test_a_form_with_a_mistake_is_shown_again(visitor):
    answer = send(visitor, name="Ada", home="javascript:alert(1)", text="")
    assert answer.status == 422
    assert 'value="Ada"' in answer.text
    assert "Please fill in this field." in answer.text


def test_another_site_cannot_send_the_form(visitor):
    assert visitor.post(data={"name": "Ada", "text": "Hello"}).status == 403


def test_a_picture_is_told_by_what_is_in_it(visitor, place):
    """Not by its name, and not by the type that the browser claims."""
    page = ("cat.png", b"<script>alert(1)</script>", "image/png")
    answer = send(visitor, name="Ada", text="My cat", picture=page)
    assert answer.status == 422
    assert "Please choose a PNG, JPEG or GIF file." in answer.text
    assert not (place / "data" / "guestbook-pictures").exists()


def test_nobody_sees_a_picture_before_its_entry(visitor, owner, place):
    send(visitor, name="Ada", text="My cat", picture=("../cat.html", PNG, "text/html"))
    (file,) = (place / "data" / "guestbook-pictures").iterdir()
    assert re.fullmatch(r"[0-9a-f]{32}\.png", file.name)
    assert visitor.get(f"/picture/{file.name}").status == 404
    assert owner.get(f"/picture/{file.name}").content == PNG
    decide(owner, "approve")
    answer = visitor.get(f"/picture/{file.name}")
    assert answer.content == PNG
    assert answer.content_type == "image/png"


def test_no_other_file_is_sent(visitor):
    for name in ("", "../guestbook.txt", "%2e%2e/guestbook-owner.txt"):
        assert visitor.get(f"/picture/{name}").status == 404


def test_what_is_deleted_is_gone(visitor, owner, place):
    send(visitor, name="Ada", text="My cat", picture=("cat.png", PNG, "image/png"))
    decide(owner, "drop")
    assert list((place / "data" / "guestbook-pictures").iterdir()) == []


def test_a_password_cannot_be_guessed_for_long(visitor, owner):
    for _ in range(5):
        assert send(visitor, "/owner", password="sesame").status == 422
    assert send(visitor, "/owner", password=PASSWORD).status == 429
    assert owner.get("/owner").status == 200
