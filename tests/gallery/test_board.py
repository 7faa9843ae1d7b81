"""The message board of the gallery: messages and answers, what is refused or waits, the owner."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cgikit import FileStore
from cgikit.testing import Answer, Client

from .loading import copied, load, token

GOOD = {"name": "Ada <b>", "subject": "Engines & <i>", "text": "One\r\n\r\ntwo <u>"}
OLD = "parent: {}\nname: Rob\nsubject: Old\ntime: 1000000000\n\nAs board.pl kept it\n"


@pytest.fixture
def board(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "board").mkdir(parents=True)
    return load("board")


@pytest.fixture
def client(board: Any, tmp_path: Path) -> Client:
    return visitor(board, tmp_path)


def visitor(board: Any, tmp_path: Path) -> Client:
    return Client(board.board, sessions=FileStore(tmp_path / "sessions"))


def send(client: Client, path: str = "", waited: bool = True, **changed: str) -> Answer:
    page = client.get(path)
    if waited:
        with client.session_transaction() as session:
            session["begun"] -= 10
    return client.post(path, data={**GOOD, **changed, "csrf": token(page.text)})


def files(tmp_path: Path) -> list[str]:
    found = (tmp_path / "data" / "board").iterdir()
    return sorted(path.name for path in found if path.suffix in {".txt", ".waiting"})


def test_a_message_waits_and_is_a_file(client: Client, tmp_path: Path) -> None:
    assert send(client).status == 303
    assert files(tmp_path) == ["1.waiting"]
    lines = (tmp_path / "data" / "board" / "1.waiting").read_bytes().split(b"\n")
    assert lines[:3] == [b"parent: ", b"name: Ada <b>", b"subject: Engines & <i>"]
    assert lines[4:] == [b"", b"One", b"", b"two <u>"]
    page = client.get().text
    assert "as soon as the owner has read it" in page
    assert "There are no messages yet" in page
    assert client.get("/1").status == 404


def test_answers_are_below_what_they_answer(client: Client, board: Any, tmp_path: Path) -> None:
    board.MODERATED = False
    send(client, subject="First")
    send(client, "/1", subject="Second")
    send(client, "/2", subject="Third")
    send(client, subject="Another")
    assert files(tmp_path) == ["1.txt", "2.txt", "3.txt", "4.txt"]
    index = client.get().text
    assert index.index("Another") < index.index("First")
    assert "2 answers" in index
    assert "Second" not in index
    page = client.get("/1").text
    assert page.index('id="message-2"') < page.index('id="message-3"')
    assert "Ada &lt;b&gt;" in page
    assert "One\n\ntwo &lt;u&gt;" in page
    assert 'value="Re: First"' in page
    assert "In answer to Ada &lt;b&gt;" in client.get("/3").text


def test_a_message_changes_no_other(client: Client, board: Any, tmp_path: Path) -> None:
    """CVE-1999-0930: `followup` named other messages, which WWWBoard rewrote."""
    board.MODERATED = False
    directory = tmp_path / "data" / "board"
    (directory / "7.txt").write_text(OLD.format(""))  # and the file of the last number is lost
    assert send(client, followup="7,7", parent="7").status == 303
    assert send(client, "/7", followup="7").status == 303
    assert files(tmp_path) == ["7.txt", "8.txt", "9.txt"]
    assert (directory / "7.txt").read_text() == OLD.format("")
    assert client.post("/8.waiting", data=GOOD).status == 404


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\x85", "\u2028"])
def test_a_name_cannot_write_a_line_of_the_head(client: Client, tmp_path: Path, end: str) -> None:
    answer = send(client, name=f"Eve{end}parent: 1")
    assert answer.status == 422
    assert "in one line" in answer.text
    assert files(tmp_path) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": " "}, "Please fill in this field."),
        ({"subject": "x" * 101}, "100"),
        ({"text": "x" * 5001}, "5000"),
        ({"text": "http://a https://b http://c"}, "no more than 2 links"),
    ],
)
def test_a_mistake_is_said_and_nothing_lost(
    client: Client, tmp_path: Path, changed: dict[str, Any], said: str
) -> None:
    answer = send(client, **changed)
    assert answer.status == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert files(tmp_path) == []


def test_programs_are_slowed_down_or_forgotten(client: Client, board: Any, tmp_path: Path) -> None:
    assert send(client, homepage="https://watches.example").status == 303
    board.LEAST_SECONDS = 3600  # however slow the machine
    assert "That was quick" in send(client, waited=False).text
    assert client.post(data=GOOD).status == 403  # from another site
    board.LEAST_SECONDS, board.MOST_WAITING = 0, 1
    assert send(client).status == 303
    assert send(client, text="Another").status == 503
    assert files(tmp_path) == ["1.waiting"]


def test_files_of_another_program_do_no_harm(client: Client, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "board"
    (directory / "1.txt").write_text(OLD.format("2"))
    (directory / "2.txt").write_text(OLD.format("1"))  # each answers the other
    (directory / "3.txt").write_text(OLD.format("99"))  # what was deleted
    for name, content in (("4", b""), ("5", b"name: x\n\ny"), ("x", b"?"), ("\u0664", b"?")):
        (directory / f"{name}.txt").write_bytes(content)
    (directory / "6.txt").write_bytes(OLD.format("3").replace("Rob", "J\xfcrgen").encode("latin-1"))
    page = client.get().text
    assert page.count('<article class="card">') == 2
    assert client.get("/2").text.count('id="message-') == 1
    assert "J\ufffdrgen" in client.get("/3").text


def test_a_long_thread_is_shown(client: Client, tmp_path: Path) -> None:
    for number in range(1, 1500):
        path = tmp_path / "data" / "board" / f"{number}.txt"
        path.write_text(OLD.format(number - 1 or ""))
    assert client.get("/1").text.count('id="message-') == 1499
    assert "1498 answers" in client.get().text


def test_threads_come_in_pages(client: Client, board: Any, tmp_path: Path) -> None:
    board.PER_PAGE = 2
    for number in (1, 2, 3):
        (tmp_path / "data" / "board" / f"{number}.txt").write_text(OLD.format(""))
    assert client.get().text.count('<article class="card">') == 2
    assert client.get("?page=2").text.count('<article class="card">') == 1
    assert client.get("?page=3").status == 400


def log_in(client: Client, password: str = "open sesame") -> Answer:
    page = client.get("/owner")
    return client.post("/owner", data={"csrf": token(page.text), "password": password})


@pytest.fixture
def owner(board: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A visitor who knows the password, which was set at a terminal."""
    monkeypatch.setattr("getpass.getpass", lambda prompt: "open sesame")
    board.set_password()
    return visitor(board, tmp_path)


def press(client: Client, button: str, number: str) -> int:
    page = client.get("/owner").text
    return int(client.post("/owner", data={"csrf": token(page), button: number}).status)


def test_the_owner_shows_deletes_and_takes_down(
    client: Client, owner: Client, tmp_path: Path
) -> None:
    send(client, text="One")
    send(client, text="Two")
    before = dict(owner.cookies)
    assert log_in(owner).status == 303
    assert dict(owner.cookies) != before
    assert press(owner, "approve", "1") == 303
    assert press(owner, "drop", "2") == 303
    assert files(tmp_path) == ["1.txt"]
    assert press(owner, "drop", "1") == 303  # which is only for what waits
    assert press(owner, "take-down", "../board-owner") == 303
    assert files(tmp_path) == ["1.txt"]
    assert press(owner, "take-down", "1") == 303
    assert files(tmp_path) == ["1.waiting"]
    assert (tmp_path / "data" / "board-owner.txt").exists()


def test_nobody_else_decides(client: Client, owner: Client, tmp_path: Path) -> None:
    send(client)
    assert press(client, "approve", "1") == 422  # it is the log-in form, without a password
    log_in(owner)
    assert owner.post("/owner", data={"approve": "1"}).status == 403  # from another site
    assert press(owner, "log-out", "1") == 303
    assert "Password" in owner.get("/owner").text
    assert files(tmp_path) == ["1.waiting"]


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


def test_the_password_is_not_in_its_file(owner: Client, tmp_path: Path) -> None:
    """CVE-1999-0953: WWWBoard's was in a file for everybody."""
    assert log_in(owner, "WebBoard").status == 422
    file = tmp_path / "data" / "board-owner.txt"
    assert "sesame" not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_without_a_password_nobody_is_the_owner(client: Client) -> None:
    assert "There is no password yet" in client.get("/owner").text
    assert client.post("/owner", data={"password": ""}).status == 200


def test_no_message_is_lost(tmp_path: Path) -> None:
    script = copied("board", tmp_path)
    store = FileStore(tmp_path / "data" / "sessions")
    with ThreadPoolExecutor(4) as visitors:
        answers = visitors.map(
            lambda n: send(Client(script, sessions=store), name=f"Visitor {n}").status, range(8)
        )
        assert list(answers) == [303] * 8
    assert files(tmp_path) == [f"{n}.waiting" for n in range(1, 9)]


def test_a_second_click_sends_one_message(client: Client, tmp_path: Path) -> None:
    assert [send(client).status for _ in range(2)] == [303, 303]
    assert files(tmp_path) == ["1.waiting"]


def test_one_network_cannot_fill_what_waits(client: Client, board: Any, tmp_path: Path) -> None:
    board.MOST_SENT = 2
    for number, status in enumerate((303, 303, 422)):
        client.environ["REMOTE_ADDR"] = f"2001:db8::{number}"
        answer = send(client, text=f"HTTP is fine; httpd, http2. {number}")
        assert answer.status == status
    assert "come back later" in answer.text
    client.environ["REMOTE_ADDR"] = "192.0.2.1"
    assert send(client).status == 303
    assert len(files(tmp_path)) == 3


def test_the_owner_deletes_all_that_waits(client: Client, owner: Client, tmp_path: Path) -> None:
    for text in ("One", "Two"):
        send(client, text=text)
    log_in(owner)
    assert press(owner, "approve", "1") == 303
    assert press(owner, "drop-all", "1") == 303
    assert files(tmp_path) == ["1.txt"]


def test_a_clock_that_was_set_back_refuses_nobody(client: Client) -> None:
    client.get()
    with client.session_transaction() as session:
        session["begun"] += 3600
    assert send(client).status == 303


def test_a_name_can_be_seen(client: Client, tmp_path: Path) -> None:
    answer = send(client, name="\u200b")
    assert answer.status == 422
    assert "can be seen" in answer.text
    assert files(tmp_path) == []


def test_a_folder_or_a_time_that_is_no_date_does_no_harm(client: Client, tmp_path: Path) -> None:
    directory = tmp_path / "data" / "board"
    (directory / "90.txt").mkdir()
    (directory / "1.txt").write_text(OLD.format("").replace("1000000000", "9" * 20))
    assert client.get().text.count('<article class="card">') == 1


def test_the_files_are_nobody_elses(tmp_path: Path) -> None:
    script = copied("board", tmp_path)
    send(Client(script, sessions=FileStore(tmp_path / "data" / "sessions")))
    written = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o077 for path in written} == {0}
