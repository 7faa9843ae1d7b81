"""The guestbook of the gallery: signing, what is refused or waits, and the owner's decisions."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from reading import elements

from cgikit import FileStore
from cgikit.testing import Answer, Client

from .loading import copied, load, token

GOOD = {"name": "Ada <b>", "home": "https://example.org/?a=1&b=2", "text": "One\ntab\there <i>"}


@pytest.fixture
def guestbook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return load("guestbook")


@pytest.fixture
def client(guestbook: Any, tmp_path: Path) -> Client:
    return visitor(guestbook, tmp_path)


def visitor(guestbook: Any, tmp_path: Path) -> Client:
    return Client(guestbook.guestbook, sessions=FileStore(tmp_path / "sessions"))


def sign(client: Client, changed: dict[str, str] | None = None, waited: bool = True) -> Answer:
    page = client.get()
    if waited:
        with client.session_transaction() as session:
            session["begun"] -= 10
    return client.post(data={**GOOD, **(changed or {}), "csrf": token(page.text)})


def waiting(tmp_path: Path) -> list[str]:
    file = tmp_path / "data" / "guestbook-waiting.json"
    return list(json.loads(file.read_text()).values()) if file.exists() else []


def shown(tmp_path: Path) -> list[str]:
    file = tmp_path / "data" / "guestbook.txt"
    return file.read_text().split("\n")[:-1] if file.exists() else []


def test_an_entry_waits_and_is_a_line(client: Client, tmp_path: Path) -> None:
    assert sign(client).status == 303
    [line] = waiting(tmp_path)
    assert line.split("\t")[1:] == ["Ada <b>", GOOD["home"], "One\u2028tab here <i>"]
    assert shown(tmp_path) == []
    page = client.get().text
    assert "as soon as the owner has read it" in page
    assert "0 entries" in page


def test_without_moderation_an_entry_is_shown(
    client: Client, guestbook: Any, tmp_path: Path
) -> None:
    guestbook.MODERATED = False
    sign(client)
    page = client.get().text
    assert "Ada &lt;b&gt;</a>" in page
    assert 'href="https://example.org/?a=1&amp;b=2" rel="nofollow ugc"' in page
    assert "One\ntab here &lt;i&gt;" in page


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": " "}, "Please fill in this field."),
        ({"text": "x" * 1001}, "1000"),
        ({"home": "javascript:alert(1)"}, "https://"),
        ({"text": "http://a https://b http://c"}, "no more than 2 links"),
    ],
)
def test_a_mistake_is_said_and_nothing_lost(
    client: Client, tmp_path: Path, changed: dict[str, str], said: str
) -> None:
    answer = sign(client, changed)
    assert answer.status == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert waiting(tmp_path) == shown(tmp_path) == []


def test_a_form_that_came_too_fast_keeps_what_was_typed(
    client: Client, guestbook: Any, tmp_path: Path
) -> None:
    guestbook.LEAST_SECONDS = 3600  # however slow the machine
    answer = sign(client, waited=False)
    assert answer.status == 422
    assert "That was quick" in answer.text
    assert "Ada &lt;b&gt;" in answer.text
    assert waiting(tmp_path) == []


def test_a_program_is_thanked_and_forgotten(client: Client, tmp_path: Path) -> None:
    assert sign(client, {"subject": "Cheap watches"}).status == 303
    assert waiting(tmp_path) == shown(tmp_path) == []


def test_entries_come_ten_a_page_newest_first(client: Client, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    lines = "".join(f"100000000{n % 10}\tVisitor {n}\t\tHello\n" for n in range(12))
    (tmp_path / "data" / "guestbook.txt").write_text(lines)  # as guestbook.pl keeps them
    first, second = (client.get(f"?page={number}").text for number in (1, 2))
    assert first.index("Visitor 11<") < first.index("Visitor 2<")
    assert "Visitor 1<" not in first
    assert second.index("Visitor 1<") < second.index("Visitor 0<")
    assert client.get("?page=3").status == 400


def test_lines_of_another_program_do_no_harm(
    client: Client, guestbook: Any, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    lines = (
        b"",
        b"no entry",
        b"x\ty\tz\tt",
        b"1\tEve\tjavascript:alert(1)\tHi",
        b"2\tJ\xfcrgen\t\tHo",
    )
    (tmp_path / "data" / "guestbook.txt").write_bytes(b"".join(line + b"\n" for line in lines))
    page = client.get().text
    assert "2 entries" in page
    assert "javascript" not in page
    [key] = [guestbook.digest(each) for each in guestbook.entries() if "rgen" in each]
    guestbook.take_down(key)
    kept = (tmp_path / "data" / "guestbook.txt").read_bytes()
    assert kept == b"".join(line + b"\n" for line in lines[:-1])
    assert [line.split("\t")[1] for line in waiting(tmp_path)] == ["J\ufffdrgen"]


def test_not_more_wait_than_are_allowed(client: Client, guestbook: Any, tmp_path: Path) -> None:
    guestbook.MOST_WAITING = 1
    sign(client)
    assert sign(client, {"text": "Another entry"}).status == 503
    assert len(waiting(tmp_path)) == 1


def log_in(client: Client, password: str = "open sesame") -> Answer:
    page = client.get("/owner")
    return client.post("/owner", data={"csrf": token(page.text), "password": password})


@pytest.fixture
def owner(guestbook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A visitor who knows the password, which was set at a terminal."""
    monkeypatch.setattr("getpass.getpass", lambda prompt: "open sesame")
    guestbook.set_password()
    return visitor(guestbook, tmp_path)


def press(client: Client, button: str, key: str = "1") -> int:
    page = client.get("/owner").text
    return int(client.post("/owner", data={"csrf": token(page), button: key}).status)


def test_the_owner_shows_deletes_and_takes_down(
    client: Client, owner: Client, tmp_path: Path
) -> None:
    for name in ("Good", "Bad"):
        sign(client, {"name": name})
    file = tmp_path / "data" / "guestbook-waiting.json"
    good, bad = json.loads(file.read_text())
    assert log_in(owner).status == 303
    assert press(owner, "approve", good) == 303
    assert press(owner, "drop", bad) == 303
    assert [line.split("\t")[1] for line in shown(tmp_path)] == ["Good"]
    assert waiting(tmp_path) == []
    page = owner.get("/owner").text
    key = next(e["value"] for e in elements(page, "button") if e.get("name") == "take-down")
    press(owner, "take-down", str(key))
    assert shown(tmp_path) == []
    assert [line.split("\t")[1] for line in waiting(tmp_path)] == ["Good"]


def test_nobody_else_decides(client: Client, owner: Client, tmp_path: Path) -> None:
    sign(client)
    [key] = json.loads((tmp_path / "data" / "guestbook-waiting.json").read_text())
    assert press(client, "approve", key) == 422  # it is the log-in form, without a password
    log_in(owner)
    assert owner.post("/owner", data={"approve": key}).status == 403  # from another site
    assert press(owner, "log-out") == 303
    assert "Password" in owner.get("/owner").text
    assert shown(tmp_path) == []


def test_the_id_of_before_the_log_in_is_worth_nothing(owner: Client) -> None:
    owner.get("/owner")
    before = dict(owner.cookies)
    log_in(owner)
    assert dict(owner.cookies) != before


def test_after_five_guesses_a_network_has_to_wait_and_nobody_else(owner: Client) -> None:
    """A count of all would let a stranger keep the owner out for ever."""
    for last in range(5):  # a customer has more IPv6 addresses than there are guesses
        owner.environ["REMOTE_ADDR"] = f"2001:db8::{last}"
        assert log_in(owner, "guess").status == 422
    answer = log_in(owner)
    assert answer.status == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 600
    owner.environ["REMOTE_ADDR"] = "2001:db8:0:1::1"
    assert log_in(owner).status == 303


def test_the_password_is_not_in_the_file(owner: Client, tmp_path: Path) -> None:
    file = tmp_path / "data" / "guestbook-owner.txt"
    assert "sesame" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_password_nobody_is_the_owner(client: Client) -> None:
    assert "There is no password yet" in client.get("/owner").text
    assert client.post("/owner", data={"password": ""}).status == 200
    assert client.get("/nothing").status == 404


def test_no_entry_is_lost(tmp_path: Path) -> None:
    script = copied("guestbook", tmp_path)
    store = FileStore(tmp_path / "data" / "sessions")
    with ThreadPoolExecutor(4) as visitors:
        answers = visitors.map(
            lambda n: sign(Client(script, sessions=store), {"name": f"Visitor {n}"}).status,
            range(8),
        )
        assert list(answers) == [303] * 8
    names = sorted(line.split("\t")[1] for line in waiting(tmp_path))
    assert names == [f"Visitor {n}" for n in range(8)]


def test_a_second_click_signs_once(client: Client, tmp_path: Path) -> None:
    assert [sign(client).status for _ in range(2)] == [303, 303]
    assert len(waiting(tmp_path)) == 1
    sign(client, {"text": "Another entry"})
    assert len(waiting(tmp_path)) == 2


def test_one_network_cannot_fill_what_waits(client: Client, guestbook: Any, tmp_path: Path) -> None:
    guestbook.MOST_SIGNED = 2
    for number, status in enumerate((303, 303, 422)):
        client.environ["REMOTE_ADDR"] = f"2001:db8::{number}"
        answer = sign(client, {"text": f"HTTP is fine; httpd, http2. {number}"})
        assert answer.status == status
    assert "come back later" in answer.text
    client.environ["REMOTE_ADDR"] = "192.0.2.1"
    assert sign(client).status == 303
    assert len(waiting(tmp_path)) == 3


def test_the_owner_deletes_all_that_waits(client: Client, owner: Client, tmp_path: Path) -> None:
    for name in ("One", "Two"):
        sign(client, {"text": name})
    log_in(owner)
    assert press(owner, "drop-all") == 303
    assert waiting(tmp_path) == shown(tmp_path) == []
    assert "Delete all" not in owner.get("/owner").text


def test_a_clock_that_was_set_back_refuses_nobody(client: Client) -> None:
    client.get()
    with client.session_transaction() as session:
        session["begun"] += 3600
    assert sign(client).status == 303


def test_a_picture_is_gone_if_its_entry_cannot_be_kept(
    client: Client, guestbook: Any, tmp_path: Path
) -> None:
    sign(client)
    guestbook.MOST_WAITING = 1
    page = client.get().text
    files = {"picture": ("cat.gif", b"GIF89a", "image/gif")}
    data = {**GOOD, "text": "My cat", "csrf": token(page)}
    assert client.post(data=data, files=files).status == 503
    assert list((tmp_path / "data" / "guestbook-pictures").iterdir()) == []


def test_a_time_that_is_no_date_is_left_out(client: Client, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "guestbook.txt"
    file.write_text("99999999999999999999\tEve\t\tHi\n1000000000\tAda\t\tHo\n")
    assert "1 entry" in client.get().text


def test_the_files_are_nobody_elses(tmp_path: Path) -> None:
    script = copied("guestbook", tmp_path)
    sign(Client(script, sessions=FileStore(tmp_path / "data" / "sessions")))
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
