"""The example of a sign-up form: a visitor's way through it, and what others may not do with it."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from house import ROOT
from reading import by_id, elements

from cgikit import FileStore
from cgikit.testing import Client

GOOD = {"name": "Ada", "email": "ada@example.org", "password": "correct horse", "people": "2",
        "meal": "Dumplings", "days": "sat", "terms": "on"}  # fmt: skip


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.chdir(tmp_path)
    path = ROOT / "examples" / "cgi-bin" / "signup.py"
    spec = importlib.util.spec_from_file_location("signup", path)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sign_up: Callable[..., Any] = module.sign_up
    return Client(sign_up, sessions=FileStore(tmp_path / "sessions"))


def token(html: str) -> str:
    return next(each["value"] for each in elements(html, "input") if each.get("name") == "csrf")


def test_a_visitor_corrects_the_form_and_is_thanked_once(client: Client, tmp_path: Path) -> None:
    page = client.get()
    assert "field-error" not in page.text.partition("<main>")[2]
    wrong = client.post(data=GOOD | {"csrf": token(page.text), "people": "7", "terms": ""})
    assert wrong.status == 422
    assert by_id(wrong.text, "field-people:error").text == ["Please enter 6 or less."]
    assert by_id(wrong.text, "field-name")["value"] == "Ada"
    assert "correct horse" not in wrong.text
    done = client.post(data=GOOD | {"csrf": token(wrong.text)})
    assert done.status == 303
    assert (tmp_path / "data" / "signups.tsv").read_text() == "Ada\tada@example.org\t2\tDumplings\n"
    assert "Thank you, Ada." in client.get().text
    assert "Thank you" not in client.get().text


def test_a_name_that_is_taken_is_said_at_its_field(client: Client) -> None:
    page = client.get()
    answer = client.post(data=GOOD | {"csrf": token(page.text), "name": "admin"})
    assert by_id(answer.text, "field-name:error").text == ["This name is taken."]


def test_nobody_else_can_sign_a_visitor_up(client: Client, tmp_path: Path) -> None:
    client.get()
    assert client.post(data=GOOD).status == 403
    link = client.get("?" + "&".join(f"{name}={value}" for name, value in GOOD.items()))
    assert link.status == 200
    assert not (tmp_path / "data").exists()
