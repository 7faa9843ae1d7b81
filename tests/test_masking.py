"""masking: no secret in source lines, in values, in forms."""

import argparse
import collections
import dataclasses
import functools
import http.cookies
import os
from typing import Any, NamedTuple

import pytest

from cgikit.compat.cgi import FieldStorage
from cgikit.masking import HIDDEN, is_secret, masked_source, shown


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
    assert shown("x", form["a"]) == f"MiniFieldStorage('a', {HIDDEN})"
    assert "u:p" not in shown("x", {"REQUEST_METHOD": "GET", "DATABASE": "mysql://u:p@h"})
    monkeypatch.setenv("AA_CREDENTIAL", "hunter2")
    monkeypatch.setenv("AA_OTHER", "hunter2")
    assert "hunter2" not in shown("environ", os.environ)


@dataclasses.dataclass
class Account:
    user: str
    password: str
    inner: object = None


class Login(NamedTuple):
    user: str
    password: str


class Headers:
    """One whose repr shows pairs."""

    def __repr__(self) -> str:
        return "Headers([('Token', 'hunter2'), ('a', \"b\")], password='hunter2')"


def carriers() -> "dict[str, Any]":
    """All that may have a secret inside of it."""
    form = FieldStorage(environ={"QUERY_STRING": "n=abc&password=hunter2"})
    cookies = http.cookies.SimpleCookie("sid=hunter2")
    environ = os._Environ(
        {b"AA_SECRET": b"hunter2"},
        os.environ.encodekey,
        os.environ.decodekey,
        os.environ.encodevalue,
        os.environ.decodevalue,
    )
    plain = {"password": "hunter2"}
    return {
        "form": form,
        "form.getvalue": form.getvalue,
        "form.list": form.list,
        "a field": form["password"],
        "environ": environ,
        "environ.get": environ.get,
        "environ.items": environ.items(),
        "environ.values": environ.values(),
        "cookies": cookies,
        "cookies.output": cookies.output,
        "a morsel": cookies["sid"],
        "morsels": list(cookies.values()),
        "pairs": [("password", "hunter2")],
        "pairs in a tuple": (["password", "hunter2"],),
        "pairs of bytes": {(b"password", b"hunter2")},
        "items": plain.items(),
        "values": plain.values(),
        "defaultdict": collections.defaultdict(str, plain),
        "ChainMap": collections.ChainMap(plain),
        "UserDict": collections.UserDict(plain),
        "UserDict.get": collections.UserDict(plain).get,
        "deque": collections.deque([plain]),
        "dataclass": Account("ada", "hunter2"),
        "dataclass of a form": Account("ada", "x", form),
        "named tuple": Login("ada", "hunter2"),
        "arguments": argparse.Namespace(password="hunter2"),
        "partial": functools.partial(form.getvalue, password="hunter2"),
        "a query": "n=abc&password=hunter2&x=y",
        "a body": b"n=abc&password=hunter2&x=y",
        "a cookie field": "a=b; token=hunter2",
        "json": '{"password": "hunter2"}',
        "own repr": Headers(),
    }


@pytest.mark.parametrize("name", carriers())
def test_no_owner_and_no_container_shows_a_secret(name: str) -> None:
    for value in (carriers()[name], [carriers()[name]], {"a": carriers()[name]}):
        text = shown("x", value)
        assert "hunter2" not in text
        assert "failed" not in text


def test_a_method_has_the_names_of_its_class_and_its_own() -> None:
    form = FieldStorage(environ={"QUERY_STRING": "n=abc"})
    assert shown("x", form.getvalue) == "<bound method FieldStorage.getvalue>"
    assert shown("x", dict.fromkeys).startswith("<built-in method")
    assert shown("x", http.cookies.SimpleCookie("a=b")) == "<SimpleCookie with the names ['a']>"
