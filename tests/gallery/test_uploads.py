"""The upload box of the gallery: what is kept, under which name, and what is refused."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from reading import elements

from cgikit import FileStore, Limits, LockTimeout, lock
from cgikit.testing import Answer, Client

from .loading import copied, load


@pytest.fixture
def uploads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return load("uploads")


@pytest.fixture
def client(uploads: Any, tmp_path: Path) -> Client:
    limits = Limits(body=100_000, file=50_000, files=3)
    store = FileStore(tmp_path / "data" / "sessions")
    return Client(uploads.uploads, sessions=store, limits=limits)


def send(client: Client, *files: tuple[str, bytes], note: str = "") -> Answer:
    page = client.get().text
    token = next(e["value"] for e in elements(page, "input") if e["name"] == "csrf")
    return client.post(data={"csrf": token, "note": note}, files=[("file", each) for each in files])


def kept(tmp_path: Path) -> dict[str, bytes]:
    folder = tmp_path / "data" / "uploads"
    return {file.name: file.read_bytes() for file in folder.glob("*")}


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../a.cgi", "a.cgi"),
        (".htaccess", "htaccess"),
        ("<b>.html", "<b>.html"),
    ],
)
def test_a_file_is_kept_under_a_name_of_the_script(
    client: Client, tmp_path: Path, sent: str, safe: str
) -> None:
    assert send(client, (sent, b"content"), note="For <you>").status == 303
    [(name, content)] = kept(tmp_path).items()
    assert content == b"content"
    assert safe not in name
    assert "." not in name
    line = (tmp_path / "data" / "uploads.txt").read_text().rstrip("\n").split("\t")
    assert line[1:] == [name, "7", safe, "For <you>"]
    assert f"{safe} (7 bytes)".replace("<b>", "&lt;b&gt;") in client.get().text
    everything = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix]
    assert not [path for path in everything if path.suffix in {".cgi", ".html"}]


def test_several_files_and_nobody_can_fetch_them(client: Client, tmp_path: Path) -> None:
    assert send(client, ("a.txt", b"1"), ("a.txt", b"2")).status == 303
    assert sorted(kept(tmp_path).values()) == [b"1", b"2"]
    for name in kept(tmp_path):
        assert client.get(f"/{name}").status == 404


def test_a_file_must_be_chosen(client: Client, tmp_path: Path) -> None:
    answer = send(client)
    assert answer.status == 422
    assert "Please" in answer.text.partition('role="alert"')[2]
    assert kept(tmp_path) == {}


@pytest.mark.parametrize("files", [[b"x" * 50_001], [b"x" * 45_000] * 3, [b"x"] * 4])
def test_what_is_too_large_is_refused_and_gone(
    client: Client, tmp_path: Path, files: list[bytes]
) -> None:
    assert send(client, *(("a.txt", content) for content in files)).status == 413
    assert kept(tmp_path) == {}


def test_the_box_can_be_full(client: Client, uploads: Any, tmp_path: Path) -> None:
    uploads.MOST_ALL = 10
    assert send(client, ("a.txt", b"123456")).status == 303
    answer = send(client, ("b.txt", b"12345"))
    assert answer.status == 507
    assert "The box is full" in answer.text
    assert list(kept(tmp_path).values()) == [b"123456"]


def test_nobody_sends_without_end(client: Client, uploads: Any, tmp_path: Path) -> None:
    uploads.MOST_AN_HOUR = 1
    assert [send(client, ("a.txt", b"1")).status for _ in range(2)] == [303, 429]
    assert len(kept(tmp_path)) == 1


def test_no_file_comes_from_elsewhere(client: Client, tmp_path: Path) -> None:
    client.get()
    assert client.post(data={"note": ""}, files={"file": ("a.txt", b"1")}).status == 403
    assert kept(tmp_path) == {}


def test_the_room_is_measured_while_others_wait(
    client: Client, uploads: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two visitors at once who both saw the last room would overfill the box."""
    measure = uploads.filled

    def measure_alone() -> int:
        with pytest.raises(LockTimeout), lock(uploads.FOLDER, timeout=0):
            pass
        return int(measure())

    monkeypatch.setattr(uploads, "filled", measure_alone)
    assert send(client, ("a.txt", b"1")).status == 303


def test_visitors_at_once_do_not_overfill_it(tmp_path: Path) -> None:
    script = copied("uploads", tmp_path)
    script.write_text(script.read_text().replace("MOST_ALL = 1 << 30", "MOST_ALL = 20"))
    with ThreadPoolExecutor(4) as visitors:
        answers = visitors.map(lambda _: send(Client(script), ("a.txt", b"12345678")), range(4))
        assert sorted(answer.status for answer in answers) == [303, 303, 507, 507]
    assert len(kept(tmp_path)) == 2
