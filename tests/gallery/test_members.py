"""The members' page of the gallery: accounts, log-in, limits, sessions."""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cgikit import FileStore
from cgikit.testing import Answer, Client

from .loading import copied, load, token

PASSWORD = "four words and more"


@pytest.fixture
def members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    module = load("members")
    module.COST["n"] = 2**10  # hundreds of hashes at the real cost would take minutes
    return module


def visitor(members: Any, tmp_path: Path) -> Client:
    return Client(members.members, sessions=FileStore(tmp_path / "sessions"))


@pytest.fixture
def client(members: Any, tmp_path: Path) -> Client:
    return visitor(members, tmp_path)


def send(client: Client, path: str = "", **data: str) -> Answer:
    return client.post(path, data={**data, "csrf": token(client.get(path).text)})


def register(client: Client, name: str = "Ada", new: str = PASSWORD) -> Answer:
    return send(client, "/register", name=name, new=new)


def log_in(client: Client, name: str = "ada", password: str = PASSWORD) -> Answer:
    return send(client, name=name, password=password)


def log_out(client: Client) -> Answer:
    return client.post("/log-out", data={"csrf": token(client.get().text)})


def test_register_log_out_and_log_in(client: Client) -> None:
    assert register(client).status == 303
    assert "You are registered" in client.get().text
    assert log_out(client).status == 303
    assert "Hello" not in client.get().text
    assert log_in(client, "ADA").status == 303
    assert "Hello, ada" in client.get().text


def test_of_a_password_its_hash_is_kept(client: Client, tmp_path: Path) -> None:
    register(client)
    text = (tmp_path / "data" / "members.json").read_text()
    assert PASSWORD not in text
    salt, _, key = json.loads(text)["ada"]["password"].partition(":")
    assert (len(salt), len(key)) == (32, 128)
    other = json.loads(text)
    log_out(client)
    register(client, "Grace")
    other = json.loads((tmp_path / "data" / "members.json").read_text())
    assert other["ada"]["password"] != other["grace"]["password"], "the same salt twice"


def test_an_unknown_name_gets_the_same_answer(client: Client) -> None:
    register(client)
    log_out(client)
    said = []
    for name in ("ada", "bob"):
        answer = log_in(client, name, "wrong, wrong, wrong")
        assert answer.status == 422
        said.append(answer.text.replace(name, "NAME"))
    assert said[0] == said[1]


def test_the_id_of_a_session_changes_with_the_log_in(
    client: Client, members: Any, tmp_path: Path
) -> None:
    register(client)
    log_out(client)
    client.get()
    planted = dict(client.cookies)
    log_in(client)
    assert dict(client.cookies) != planted
    stranger = visitor(members, tmp_path)
    stranger.cookies.update(planted)
    assert "Hello" not in stranger.get().text


def test_guesses_are_limited_by_name(client: Client, members: Any, tmp_path: Path) -> None:
    register(client)
    log_out(client)
    members.MOST_GUESSES_FOR_A_NAME = 3
    stranger = visitor(members, tmp_path)
    assert [log_in(stranger, "Ada", "wrong").status for _ in range(4)] == [422, 422, 422, 429]
    answer = log_in(stranger)
    assert answer.status == 429, "the right password, too late"
    assert "Too many attempts" in answer.text


def test_guesses_are_limited_by_address(client: Client, members: Any) -> None:
    members.MOST_GUESSES_OF_AN_ADDRESS = 2
    statuses = [log_in(client, name, "wrong").status for name in ("ada", "bob", "cid")]
    assert statuses == [422, 422, 429]


def test_a_right_password_forgets_the_guesses(client: Client, members: Any) -> None:
    register(client)
    members.MOST_GUESSES_FOR_A_NAME = 2
    for _ in range(3):
        log_out(client)
        assert log_in(client, password="wrong").status == 422
        assert log_in(client).status == 303


@pytest.mark.parametrize(
    ("name", "new", "said"),
    [
        ("a", PASSWORD, "2"),
        ("-ada", PASSWORD, "Please"),
        ("a da", PASSWORD, "Please"),
        ("<b>", PASSWORD, "Please"),
        ("x" * 31, PASSWORD, "30"),
        ("Bob", "too short", "12"),
        ("Bob", "bob-and-bob-and-bob", "without your name"),
        ("Ada", PASSWORD, "This name is taken"),
        ("aDA", PASSWORD, "This name is taken"),
    ],
)
def test_what_cannot_be_registered(client: Client, name: str, new: str, said: str) -> None:
    register(client)
    log_out(client)
    answer = register(client, name, new)
    assert answer.status == 422
    assert said in answer.text.partition('role="alert"')[2]
    assert new not in answer.text


def test_not_too_many_register(client: Client, members: Any) -> None:
    members.MOST_MEMBERS = 1
    register(client)
    log_out(client)
    assert register(client, "Bob").status == 503
    members.MOST_MEMBERS, members.MOST_REGISTERED = 9, 2
    assert register(client, "Bob").status == 429


def test_a_new_password_ends_the_other_sessions(
    client: Client, members: Any, tmp_path: Path
) -> None:
    register(client)
    other = visitor(members, tmp_path)
    log_in(other)
    assert "Hello" in other.get().text
    assert send(client, "/password", password="wrong", new="another long one").status == 422
    assert send(client, "/password", password=PASSWORD, new="another long one").status == 303
    assert "Hello" in client.get().text
    assert "Hello" not in other.get().text
    assert log_in(other).status == 422
    assert log_in(other, password="another long one").status == 303


def test_nothing_changes_without_the_token(client: Client) -> None:
    assert client.post("/register", data={"name": "ada", "new": PASSWORD}).status == 403
    register(client)
    assert client.post("/log-out").status == 403
    assert client.post("/password", data={"password": PASSWORD, "new": "x" * 12}).status == 403
    assert client.get("/log-out").status == 302
    assert "Hello" in client.get().text


def test_who_is_not_logged_in_is_led_to_the_log_in(client: Client) -> None:
    for path in ("/password", "/nothing"):
        assert client.get(path).headers["Location"].endswith(".py")


def test_a_deleted_account_is_logged_out(client: Client, tmp_path: Path) -> None:
    register(client)
    (tmp_path / "data" / "members.json").write_text("{}")
    assert "Hello" not in client.get().text


def test_a_second_click_is_no_error(client: Client) -> None:
    register(client)
    assert client.post(data={"name": "ada", "password": PASSWORD, "csrf": "old"}).status == 303


def test_of_many_one_gets_the_name_and_the_files_are_private(tmp_path: Path) -> None:
    script = copied("members", tmp_path)
    with ThreadPoolExecutor(4) as visitors:
        statuses = list(visitors.map(lambda _: register(Client(script)).status, range(4)))
    assert sorted(statuses) == [303, 422, 422, 422]
    modes = [os.stat(tmp_path / "data" / name).st_mode & 0o777 for name in ("", "members.json")]
    assert modes == [0o700, 0o600]


def test_a_blocked_address_locks_nobody_out(client: Client, members: Any, tmp_path: Path) -> None:
    register(client)
    members.MOST_GUESSES_OF_AN_ADDRESS, members.MOST_GUESSES_FOR_A_NAME = 2, 3
    stranger = visitor(members, tmp_path)
    statuses = []
    for last in range(5):
        stranger.environ["REMOTE_ADDR"] = f"2001:db8::{last}"
        statuses.append(log_in(stranger, "Ada", "wrong").status)
    assert statuses == [422, 422, 429, 429, 429]
    assert log_in(visitor(members, tmp_path)).status == 303
