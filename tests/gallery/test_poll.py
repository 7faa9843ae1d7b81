"""The poll of the gallery: a vote each, none lost, none from elsewhere."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from reading import elements

from cgikit import FileStore
from cgikit.testing import Client

from .loading import copied, load


@pytest.fixture
def poll(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return load("poll")


@pytest.fixture
def client(poll: Any, tmp_path: Path) -> Client:
    return Client(poll.poll, sessions=FileStore(tmp_path / "sessions"))


def vote(client: Client, choice: str) -> int:
    token = next(e["value"] for e in elements(client.get().text, "input") if e["name"] == "csrf")
    return int(client.post(data={"csrf": token, "choice": choice}).status)


def test_a_browser_has_one_vote(client: Client, tmp_path: Path) -> None:
    page = client.get().text
    token = next(e["value"] for e in elements(page, "input") if e["name"] == "csrf")
    for _ in range(2):
        assert client.post(data={"csrf": token, "choice": "PHP"}).status == 303
    assert json.loads((tmp_path / "data" / "votes.json").read_text()) == {"PHP": 1}
    assert "Thank you for your vote" in client.get().text
    assert "1 vote in all" in client.get().text


def test_a_new_question_can_be_voted_on(client: Client, poll: Any) -> None:
    vote(client, "PHP")
    poll.QUESTION = "And now?"
    assert vote(client, "FastCGI") == 303
    assert "2 votes in all" in client.get().text


def test_no_vote_comes_from_elsewhere(client: Client, tmp_path: Path) -> None:
    client.get()
    assert client.post(data={"choice": "PHP"}).status == 403
    assert client.get("?choice=PHP").status == 200
    assert vote(client, "COBOL") == 422
    assert not (tmp_path / "data" / "votes.json").exists()


def test_the_result_can_be_seen_without_a_vote(client: Client) -> None:
    assert "0 votes in all" in client.get("?result").text


def test_no_vote_is_lost(tmp_path: Path) -> None:
    script = copied("poll", tmp_path)
    with ThreadPoolExecutor(4) as voters:
        statuses = list(voters.map(lambda _: vote(Client(script), "PHP"), range(12)))
    assert statuses == [303] * 12
    assert json.loads((tmp_path / "data" / "votes.json").read_text()) == {"PHP": 12}
