"""Secrets in bodies: where they are whole, and where a body was cut or is malformed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.inspector.maskedbody import masked_body

MULTIPART = "multipart/form-data; boundary=b"
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


def masked(text: str, kind: str) -> tuple[str, list[str]]:
    taken: list[str] = []
    return masked_body(text, kind, taken.append), taken


def part(name: str, value: str, more: str = "") -> str:
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize("end", ["--b--\r\n", "", part("picture", "x" * 100)])
@pytest.mark.parametrize("kind", [MULTIPART, 'Multipart/Form-Data; charset=x; Boundary="b"'])
def test_a_part_with_a_secret_name_is_hidden(kind: str, end: str) -> None:
    text = part("user", "ada") + part("password", "geheim123") + end
    shown, taken = masked(text, kind)
    assert taken == ["geheim123"]
    assert shown == text.replace("geheim123", "(hidden)")


def test_the_name_of_a_file_is_no_name_of_a_field() -> None:
    text = part("picture", "data", '; filename="password.txt"')
    assert masked(text, MULTIPART) == (text, [])
    text = part("token", "data", '; filename="a.txt"').replace("form-data; ", "form-data;")
    assert masked(text, MULTIPART)[1] == ["data"]


def test_a_secret_that_was_cut_is_hidden_too() -> None:
    text = part("a", "1") + part("password", "geheim")[:-2]
    assert masked(text, MULTIPART) == (text.replace("geheim", "(hidden)"), ["geheim"])
    assert masked('{"a": 1, "password": "gehe', JSON) == ('{"a": 1, "password": (hidden)', ["gehe"])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"password":"geheim","b":1}', '{"password":"(hidden)","b":1}'),
        ('{"api_key" : 12345, "b": [1', '{"api_key" : "(hidden)", "b": [1'),
        ('{"pass\\u0077ord": "x\\"y", "b": ""', '{"pass\\u0077ord": "(hidden)", "b": ""'),
        ('{"secrets": {"a": "b"}, "c": 1', '{"secrets": (hidden)'),
        ('{"secrets": {"pin": "b", "token": ["c"]}, "d": 1}', '{"secrets": "(hidden)", "d": 1}'),
        ('{"secrets": ["a"', '{"secrets": (hidden)'),
        ('{"note": "\\"password\\": 1", "b": "password"', None),
        ('["password", "secret"]', None),
        ("", None),
    ],
)
def test_json_whole_or_cut(text: str, shown: str | None) -> None:
    assert masked(text, JSON)[0] == (text if shown is None else shown)
    assert masked(text, "application/problem+json; charset=utf-8")[0] == masked(text, JSON)[0]


@pytest.mark.parametrize("kind", ["text/plain", ""])
def test_a_body_without_a_type_of_its_own(kind: str) -> None:
    assert masked("user=ada\r\npassword=geheim\r\n", kind) == (
        "user=ada\r\npassword=(hidden)\r\n",
        ["geheim"],
    )
    assert masked('{"password": "geheim"}', kind)[0] == '{"password": "(hidden)"}'


def test_all_that_is_in_a_secret_object_is_taken() -> None:
    taken = masked('{"secrets": {"pin": 12345, "more": ["abcd", true, null]}}', JSON)[1]
    assert sorted(taken) == ["12345", "True", "abcd"]


@pytest.mark.parametrize("separator", "&;")
def test_a_form_is_searched_as_other_bodies_are(separator: str) -> None:
    kind = "Application/X-WWW-Form-Urlencoded; charset=utf-8"
    text = f"user=ada{separator}pass%77ord=geh%65im{separator}x=1"
    shown, taken = masked(text, kind)
    assert shown == text.replace("geh%65im", "(hidden)")
    assert taken == ["geh%65im", "geheim"]


@given(st.text(min_size=1).filter(lambda text: "(hidden)" not in text), st.integers(0, 400))
def test_no_cut_of_json_shows_a_value(value: str, end: int) -> None:
    secret = f"SECRET{value}"
    text = json.dumps({"a": "b", "password": secret, "z": 1}, ensure_ascii=False)[:end]
    assert "SECRET" not in masked(text, JSON)[0]


@given(st.text(), st.sampled_from([MULTIPART, JSON, "multipart/mixed", "text/plain", "", FORM]))
def test_any_text_is_taken(text: str, kind: str) -> None:
    shown, taken = masked(text, kind)
    assert taken or shown == text
