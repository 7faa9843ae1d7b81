"""The to-do list of the gallery: what each method does, lost updates, errors, and other sites."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cgikit.testing import Answer, Client

from .loading import copied, load

FRIEND = "https://app.example.org"


@pytest.fixture
def todo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    return load("todo")


@pytest.fixture
def client(todo: Any) -> Client:
    return Client(todo.todo, script_name="/cgi-bin/todo.py")


def value(answer: Answer) -> Any:
    return answer.json()


def problem(answer: Answer, status: int) -> str:
    assert answer.status == status
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = value(answer)
    assert found["status"] == status
    assert found["type"] == "about:blank"
    return str(found["detail"])


def add(client: Client, text: str = "Buy <milk>") -> Answer:
    return client.post("/entries", json={"text": text})


def test_an_entry_is_made_read_and_listed(client: Client) -> None:
    made = add(client)
    assert made.status == 201
    assert made.headers["Location"] == "/cgi-bin/todo.py/entries/1"
    one = client.get("/entries/1")
    assert value(one) == {"id": 1, "text": "Buy <milk>", "done": False, "etag": '"1"'}
    assert one.headers["ETag"] == made.headers["ETag"] == '"1"'
    assert value(client.get("/entries"))["entries"] == [value(one)]


def test_put_replaces_patch_changes_delete_deletes(client: Client) -> None:
    add(client)
    known = {"If-Match": '"1"'}
    put = client.put("/entries/1", json={"text": "Buy tea", "done": True}, headers=known)
    assert (put.status, put.headers["ETag"]) == (200, '"2"')
    patched = client.patch("/entries/1", json={"done": False}, headers={"If-Match": '"2"'})
    assert value(patched) == {"id": 1, "text": "Buy tea", "done": False, "etag": '"3"'}
    assert client.delete("/entries/1", headers={"If-Match": '"0", "3"'}).status == 204
    assert problem(client.get("/entries/1"), 404)
    assert value(add(client))["id"] == 2  # a number is not given twice


def test_nobody_overwrites_what_he_has_not_read(client: Client) -> None:
    add(client)
    assert client.patch("/entries/1", json={"text": "a"}, headers={"If-Match": '"1"'}).status == 200
    late = client.patch("/entries/1", json={"text": "b"}, headers={"If-Match": '"1"'})
    assert "Look at it again" in problem(late, 412)
    assert "If-Match" in problem(client.patch("/entries/1", json={"text": "b"}), 428)
    assert problem(client.delete("/entries/1"), 428)
    assert value(client.get("/entries/1"))["text"] == "a"


def test_what_is_unchanged_is_not_sent_again(client: Client) -> None:
    add(client)
    for path in ("/entries", "/entries/1"):
        etag = str(client.get(path).headers["ETag"])
        again = client.get(path, headers={"If-None-Match": etag})
        assert (again.status, again.content) == (304, b"")
    add(client)
    assert client.get("/entries", headers={"If-None-Match": '"all-1"'}).status == 200


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], "Send an object"),
        ({}, "'text' is missing"),
        ({"text": 5}, "'text' must be a string"),
        ({"text": " "}, "1 to 200 characters"),
        ({"text": "x" * 201}, "1 to 200 characters"),
        ({"text": "x", "done": 1}, "'done' must be true or false"),
        ({"text": "x", "version": 7}, "'version' is not known"),
    ],
)
def test_a_mistake_is_a_problem(client: Client, tmp_path: Path, sent: object, said: str) -> None:
    assert said in problem(client.post("/entries", json=sent), 422)
    assert not (tmp_path / "data" / "todo.json").exists()


def test_put_needs_the_whole_entry(client: Client) -> None:
    add(client)
    answer = client.put("/entries/1", json={"done": True}, headers={"If-Match": "*"})
    assert "'text' is missing" in problem(answer, 422)


def test_what_is_not_json_or_not_there_is_a_problem(client: Client) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert problem(client.post("/entries", content='{"text": "x"}', headers=form), 415)
    kind = {"Content-Type": "application/json"}
    assert problem(client.post("/entries", content="{", headers=kind), 400)
    assert problem(client.get("/nothing"), 404)
    assert problem(client.get("/entries/1/2"), 404)
    answer = client.put("/entries", json={})
    assert problem(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_other_sites_change_nothing_and_read_nothing(client: Client, todo: Any) -> None:
    other = {"Origin": "https://evil.example"}
    assert problem(client.post("/entries", json={"text": "x"}, headers=other), 403)
    for answer in (
        client.get("/entries", headers=other),
        client.options("/entries", headers=other),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Vary"] == "Origin"
    todo.ORIGINS = (FRIEND,)
    assert problem(client.post("/entries", json={"text": "x"}, headers=other), 403)
    assert problem(client.delete("/entries/1", headers={"Origin": "null"}), 403)


def test_a_named_site_may_use_it(client: Client, todo: Any) -> None:
    todo.ORIGINS = (FRIEND,)
    asked = {"Origin": FRIEND, "Access-Control-Request-Method": "PATCH"}
    preflight = client.options("/entries/1", headers=asked)
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == FRIEND
    assert "PATCH" in str(preflight.headers["Access-Control-Allow-Methods"])
    assert "If-Match" in str(preflight.headers["Access-Control-Allow-Headers"])
    made = client.post("/entries", json={"text": "x"}, headers={"Origin": FRIEND})
    assert made.status == 201
    assert made.headers["Access-Control-Allow-Origin"] == FRIEND
    missing = client.get("/entries/9", headers={"Origin": FRIEND})
    assert missing.headers["Access-Control-Allow-Origin"] == FRIEND  # it may read errors, too
    assert "Access-Control-Allow-Credentials" not in made.headers


def test_a_get_changes_nothing(client: Client, tmp_path: Path) -> None:
    add(client)
    before = (tmp_path / "data" / "todo.json").read_bytes()
    for path in ("", "/entries", "/entries/1", "/entries/1?done=true", "/entries?text=x"):
        assert client.get(path).status == 200
    assert (tmp_path / "data" / "todo.json").read_bytes() == before


def test_there_is_an_end(client: Client, todo: Any) -> None:
    todo.MOST = 1
    assert add(client).status == 201
    assert problem(add(client), 409)


def test_of_changes_at_the_same_time_one_wins(tmp_path: Path) -> None:
    script = copied("todo", tmp_path)
    with ThreadPoolExecutor(4) as clients:
        made = list(clients.map(lambda n: value(add(Client(script), f"{n}"))["id"], range(8)))
        assert sorted(made) == list(range(1, 9))
        known = {"If-Match": '"1"'}
        statuses = clients.map(
            lambda n: (
                Client(script).patch("/entries/1", json={"text": f"{n}"}, headers=known).status
            ),
            range(8),
        )
        assert sorted(statuses) == [200] + [412] * 7
    assert len(json.loads((tmp_path / "data" / "todo.json").read_text())["entries"]) == 8


def test_a_file_that_was_emptied_by_hand_is_an_empty_list(client: Client, todo: Any) -> None:
    file = Path(todo.FILE)
    file.parent.mkdir()
    file.write_text("{}")
    assert value(client.get("/entries"))["entries"] == []
    file.write_text("{}")
    assert add(client).status == 201
