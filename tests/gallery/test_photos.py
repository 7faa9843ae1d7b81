"""The photo gallery: what is taken for a photo, how it is sent, and who may add and remove."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cgikit import FileStore, Limits
from cgikit.testing import Answer, Client

from .loading import copied, load, token

PNG = b"\x89PNG\r\n\x1a\n and so on"
PASSWORD = "open sesame"


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD)
    module = load("photos")
    (tmp_path / "data").mkdir()
    module.set_password()
    return module


@pytest.fixture
def client(photos: Any, tmp_path: Path) -> Client:
    return visitor(photos, tmp_path)


def visitor(photos: Any, tmp_path: Path) -> Client:
    limits = Limits(body=100_000, file=50_000, files=1)
    return Client(photos.photos, sessions=FileStore(tmp_path / "sessions"), limits=limits)


def token_of(client: Client) -> str:
    return token(client.get("/owner").text)


def log_in(client: Client, password: str = PASSWORD) -> int:
    return int(client.post("/owner", data={"csrf": token_of(client), "password": password}).status)


def add(
    client: Client, content: bytes = PNG, name: str = "a.png", title: str = "Sea <b>"
) -> Answer:
    data = {"csrf": token_of(client), "title": title}
    return client.post("/owner", data=data, files={"photo": (name, content, "image/png")})


def listed(tmp_path: Path) -> dict[str, dict[str, str]]:
    file = tmp_path / "data" / "photos.json"
    return dict(json.loads(file.read_text())) if file.exists() else {}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (PNG, "image/png"),
        (b"\xff\xd8\xff\xe0 and so on", "image/jpeg"),
        (b"GIF89a and so on", "image/gif"),
        (b"RIFF\n\0\0\0WEBPVP8 ", "image/webp"),
    ],
)
def test_a_photo_is_shown_to_everybody_as_what_it_is(
    client: Client, photos: Any, tmp_path: Path, content: bytes, kind: str
) -> None:
    assert log_in(client) == 303
    assert add(client, content, "../../page.html").status == 303
    [key] = listed(tmp_path)
    everybody = visitor(photos, tmp_path)
    page = everybody.get().text
    assert 'alt="Sea &lt;b&gt;"' in page
    assert f'/{key}"' in page
    answer = everybody.get(f"/{key}")
    assert (answer.content, answer.content_type) == (content, kind)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert not list(tmp_path.rglob("*.html"))


@pytest.mark.parametrize(
    "content",
    [
        b"<html><script>",
        b"<svg xmlns=''>",
        b"#!/bin/sh\n",
        b"RIFF0000WAVE",
        b"x\x89PNG\r\n\x1a\n",
        b"",
    ],
)
def test_what_is_no_photo_is_not_kept(client: Client, tmp_path: Path, content: bytes) -> None:
    log_in(client)
    answer = add(client, content)
    assert answer.status == 422
    assert 'role="alert"' in answer.text
    assert listed(tmp_path) == {}
    assert not list((tmp_path / "data").glob("photos/*"))


def test_a_photo_that_is_too_large(client: Client, tmp_path: Path) -> None:
    log_in(client)
    assert add(client, PNG + b"x" * 50_000).status == 413
    assert listed(tmp_path) == {}


def test_only_the_owner_adds_and_removes(client: Client, photos: Any, tmp_path: Path) -> None:
    log_in(client)
    add(client)
    [key] = listed(tmp_path)
    stranger = visitor(photos, tmp_path)
    assert add(stranger).status == 422  # it is asked for the password
    assert stranger.post("/owner", data={"csrf": token_of(stranger), "remove": key}).status == 422
    assert client.post("/owner", data={"remove": key}).status == 403  # of another site's form
    assert list(listed(tmp_path)) == [key]
    assert client.post("/owner", data={"csrf": token_of(client), "remove": key}).status == 303
    assert listed(tmp_path) == {}
    assert list((tmp_path / "data" / "photos").iterdir()) == []
    assert client.get(f"/{key}").status == 404


@pytest.mark.parametrize("key", ["../photos-owner.txt", "..", "", "0000000000000000"])
def test_nothing_is_removed_or_shown_but_photos(client: Client, tmp_path: Path, key: str) -> None:
    log_in(client)
    add(client)
    assert client.post("/owner", data={"csrf": token_of(client), "remove": key}).status == 303
    assert len(listed(tmp_path)) == 1
    assert (tmp_path / "data" / "photos-owner.txt").exists()
    if key:
        assert client.get(f"/{key}").status in {400, 404}


def test_the_password(client: Client, photos: Any, tmp_path: Path) -> None:
    owner = tmp_path / "data" / "photos-owner.txt"
    assert owner.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in owner.read_text()
    photos.MOST_GUESSES = 2
    assert [log_in(client, each) for each in ("wrong", "wrong", PASSWORD)] == [422, 422, 429]
    owner.unlink()
    assert "There is no password yet" in client.get("/owner").text


def test_log_out(client: Client, tmp_path: Path) -> None:
    log_in(client)
    assert client.post("/owner", data={"csrf": token_of(client), "log-out": "1"}).status == 303
    assert add(client).status == 422
    assert listed(tmp_path) == {}


def test_photos_come_in_pages_the_newest_first(client: Client, photos: Any) -> None:
    photos.PER_PAGE = 2
    log_in(client)
    for number in range(3):
        add(client, title=f"Photo {number}")
    first, second = (client.get(f"?page={number}").text for number in (1, 2))
    assert first.index("Photo 2") < first.index("Photo 1")
    assert "Photo 0" not in first
    assert "Photo 0" in second
    assert client.get("?page=3").status == 400
    photos.MOST_PHOTOS = 3
    assert "The gallery is full" in add(client).text


def test_no_photo_is_lost(photos: Any, tmp_path: Path) -> None:
    script = copied("photos", tmp_path)
    clients = [Client(script) for _ in range(3)]
    assert [log_in(each) for each in clients] == [303] * 3
    with ThreadPoolExecutor(3) as owners:
        assert [answer.status for answer in owners.map(add, clients)] == [303] * 3
    assert len(listed(tmp_path)) == 3
    assert sorted(f.name for f in (tmp_path / "data" / "photos").iterdir()) == sorted(
        listed(tmp_path)
    )
