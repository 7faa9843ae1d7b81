"""The header fields of an answer: what can be set, and what never gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import CONTROLS, any_texts, noisy, placements

from cgikit import CGIError, Response
from cgikit.headers import TOKEN, Headers, check_field, is_token

#: Every way by which text can become a header of an answer: (setter, what it takes).
SETTERS = {
    "Headers": lambda name, value: Headers([(name, value)]),
    "Headers from a mapping": lambda name, value: Headers({name: value}),
    "Headers.add": lambda name, value: Headers().add(name, value),
    "Headers[]": lambda name, value: Headers().__setitem__(name, value),
    "Headers[] again": lambda name, value: Headers([("X-A", "1")]).__setitem__(name, value),
    "Response": lambda name, value: Response("", headers=[(name, value)]),
    "Response.headers.add": lambda name, value: Response("").headers.add(name, value),
    "Response.headers[]": lambda name, value: Response("").headers.__setitem__(name, value),
}


@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("bad", CONTROLS)
def test_no_control_gets_into_a_name_or_a_value(setter: str, bad: str) -> None:
    """S1: every control byte, every setter, first, in the middle and last."""
    for text in placements(bad):
        with pytest.raises(ValueError, match="only printable ASCII can be sent") as caught:
            SETTERS[setter]("X-A", text)
        assert not isinstance(caught.value, CGIError)  # the script's mistake, a 500
        assert caught.value.args[0].isprintable()  # S22: the log gets one line
        with pytest.raises(ValueError, match="is not a token"):
            SETTERS[setter](text, "value")


@pytest.mark.parametrize(
    "name", ["", " ", "a b", "a:", ":a", "a\\", "ü", "(a)", "a,b", "a;b", "a=b", 'a"', "a/b"]
)
def test_names_are_tokens(name: str) -> None:
    """R19: no space before the colon."""
    assert not is_token(name)
    with pytest.raises(ValueError, match="is not a token"):
        check_field(name, "a")


@pytest.mark.parametrize("value", ["ü", "€", "\udcff", "a\xa0b", "\u202e"])
def test_values_are_ascii(value: str) -> None:
    with pytest.raises(ValueError, match="percent-encode or quote"):
        check_field("a", value)


@pytest.mark.parametrize("value", [" a", "a ", " "])
def test_values_begin_and_end_with_something(value: str) -> None:
    """Readers strip them, so what is sent would not be what is read."""
    with pytest.raises(ValueError, match="begins or ends with a space"):
        check_field("a", value)


@given(any_texts | noisy, any_texts | noisy | st.text(st.characters(max_codepoint=0x7F)))
def test_what_passes_is_one_line(name: str, value: str) -> None:
    """S1, by the reader's rules: one line, split at the first colon, gives the same two back."""
    try:
        check_field(name, value)
    except ValueError:
        return
    line = f"{name}: {value}"
    assert line.splitlines() == [line]
    assert line.encode("ascii").split(b":", 1)[0].decode() == name
    assert line.partition(":")[2].strip() == value


def test_token_characters_are_those_of_the_rfc() -> None:
    """RFC 9110 section 5.6.2: any VCHAR except delimiters."""
    visible = {chr(c) for c in range(0x21, 0x7F)}
    assert visible - set('"(),/:;<=>?@[\\]{}') == TOKEN


# --- the collection ---------------------------------------------------------------------------


def test_names_in_any_case() -> None:
    headers = Headers({"Content-Type": "text/plain"})
    assert headers["content-type"] == headers.get("CONTENT-TYPE") == "text/plain"
    assert "CoNtEnT-tYpE" in headers
    assert 1 not in headers
    assert headers.get("X") is None
    assert headers.get("X", "d") == "d"
    with pytest.raises(KeyError, match="X"):
        headers["X"]


def test_duplicates_are_kept_in_order() -> None:
    headers = Headers([("Vary", "a"), ("X", "1"), ("vary", "b")])
    assert headers.getlist("VARY") == ["a", "b"]
    assert headers["Vary"] == "a"
    assert headers.items() == [("Vary", "a"), ("X", "1"), ("vary", "b")]
    assert list(headers) == ["Vary", "X", "vary"]
    assert len(headers) == 3
    assert headers.getlist("Z") == []


def test_setting_replaces_all_of_the_name_in_place() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3"), ("C", "4"), ("A", "5")])
    headers["a"] = "6"
    assert headers.items() == [("a", "6"), ("B", "2"), ("C", "4")]
    headers["D"] = "7"
    assert headers.items()[-1] == ("D", "7")


def test_a_refused_value_changes_nothing() -> None:
    headers = Headers([("A", "1")])
    with pytest.raises(ValueError, match="printable"):
        headers["A"] = "2\r\nB: 3"
    with pytest.raises(ValueError, match="printable"):
        headers.add("A", "\n")
    assert headers.items() == [("A", "1")]


def test_deleting() -> None:
    headers = Headers([("A", "1"), ("B", "2"), ("a", "3")])
    del headers["a"]
    assert headers.items() == [("B", "2")]
    with pytest.raises(KeyError):
        del headers["A"]


def test_items_is_a_copy() -> None:
    headers = Headers([("A", "1")])
    headers.items().append(("B\n", "2"))
    assert len(headers) == 1
    assert repr(headers) == "Headers([('A', '1')])"
