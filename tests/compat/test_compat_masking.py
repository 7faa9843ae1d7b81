"""compat.masking: no secret in source lines, in values, in forms."""

import os

import pytest

from cgikit.compat.cgi import FieldStorage
from cgikit.compat.masking import HIDDEN, is_secret, masked_source, shown


@pytest.mark.parametrize(
    "name",
    "password db_passwd PWD SECRET_KEY token csrf_token sessionid api_key apikey DSN".split(),
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret(name)
    assert shown(name, "x") == HIDDEN


@pytest.mark.parametrize("name", "name value host path key author user title".split())
def test_other_names(name: str) -> None:
    assert not is_secret(name)
    assert shown(name, "x") == "'x'"


@pytest.mark.parametrize(
    "line",
    [
        "PASSWORD = 'hunter2'",
        'connect(host, password="hunter2")',
        '{"token": "hunter2", "a": 1}',
        "config['secret'] = b'hunter2'",
        'db_password: str = "hunter2"',
        "url = 'mysql://user:hunter2@host/db'",
        'password = "hunter2',
        r'password = "a\"hunter2"',
    ],
)
def test_secrets_in_source(line: str) -> None:
    assert "hunter2" not in masked_source(line)


def test_other_source_stays() -> None:
    source = "name = 'Ada'\nif password == given:\n    print('x')  # a: 'b'\n"
    assert masked_source(source) == source


def test_source_takes_linear_time() -> None:
    """An expression that goes back does not end with these."""
    for text in ("password" * 50_000, "password='" * 30_000, "a=" * 200_000, "x://" * 100_000):
        assert masked_source(text)
        assert masked_source(text.replace("=", " : "))


def test_values_are_short_and_never_an_error() -> None:
    class Bad:
        def __repr__(self) -> str:
            raise RuntimeError

    class Worse(Bad):
        @property
        def name(self) -> str:
            raise RuntimeError

    assert "Bad" in shown("x", Bad())
    assert "Bad" in shown("x", [Bad()])
    assert "whose repr failed: RuntimeError" in shown("x", Worse())
    assert len(shown("x", "y" * 10_000)) < 300
    assert len(shown("x", dict.fromkeys(range(10_000)))) < 1_000
    loop: list[object] = []
    loop.append(loop)
    assert len(shown("x", loop)) < 100


def test_dicts_and_forms_and_the_environment_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown("x", {"password": "p", b"token": "t", "a": 1}) == (
        f"{{'password': {HIDDEN}, b'token': {HIDDEN}, 'a': 1}}"
    )
    assert HIDDEN in shown("x", [{"a": {"password": "p"}}])
    form = FieldStorage(environ={"QUERY_STRING": "a=1&password=p"})
    assert shown("form", form) == "<FieldStorage with the fields ['a', 'password']>"
    assert shown("x", form["password"]) == f"MiniFieldStorage('password', {HIDDEN})"
    assert shown("x", form["a"]) == "MiniFieldStorage('a', '1')"
    assert "u:p" not in shown("x", {"REQUEST_METHOD": "GET", "DATABASE": "mysql://u:p@h"})
    monkeypatch.setenv("AA_CREDENTIAL", "hunter2")
    monkeypatch.setenv("AA_OTHER", "hunter2")
    assert "hunter2" not in shown("environ", os.environ)
