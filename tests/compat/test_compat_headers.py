"""compat.headers: values with parameters, and the header of a part."""

import pytest

from cgikit.compat.headers import PartHeaders, parse_header


@pytest.mark.parametrize(
    ("line", "main", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("", "", {}),
        (" a ; ", "a", {}),
        ('a; B="x;y" ; c = d;', "a", {"b": "x;y", "c": "d"}),
        ('a; b="x\\"y;z"; c=1', "a", {"b": 'x"y;z', "c": "1"}),
        ('f; filename="C:\\dir\\n.txt"', "f", {"filename": "C:\\dir\\n.txt"}),
        ('f; filename="\\\\\\\\host"', "f", {"filename": "\\\\host"}),
        ("a; b=1; b=2; word", "a", {"b": "2"}),
        ('a; b="unclosed; c=1', "a", {"b": '"unclosed; c=1'}),
        ("a; b=x=y", "a", {"b": "x=y"}),
        ('a; b="', "a", {"b": '"'}),
    ],
)
def test_a_value_is_taken_apart(line: str, main: str, parameters: dict[str, str]) -> None:
    assert parse_header(line) == (main, parameters)


def test_a_header_is_a_mapping_without_case() -> None:
    headers = PartHeaders.read("A: 1\r\nb:2\nA: 3\r\nFolded: x\r\n y\r\n\r\n")
    assert headers["a"] == "1"
    assert headers["B"] == "2"
    assert headers["c"] is None
    assert headers["folded"] == "x\r\n y"
    assert "FOLDED" in headers
    assert 1 not in headers
    assert headers.get("c", "x") == "x"
    assert headers.get_all("a") == ["1", "3"]
    assert headers.get_all("c", []) == []
    assert headers.keys() == ["A", "b", "A", "Folded"]
    assert list(headers) == headers.keys()
    assert headers.values()[1] == "2"
    assert headers.items()[2] == ("A", "3")
    assert len(headers) == 4
    del headers["a"]
    headers["d"] = "4"
    assert headers.keys() == ["b", "Folded", "d"]
    assert repr(headers).startswith("PartHeaders([")


def test_a_line_that_is_no_field_ends_a_header() -> None:
    assert PartHeaders.read("A: 1\r\nno field\r\nB: 2\r\n").keys() == ["A"]
    assert PartHeaders.read("A B: 1\r\n").keys() == []
    assert PartHeaders.read("\r\n").keys() == []
    assert PartHeaders.read(" x\r\nA: 1").keys() == []


def test_a_header_becomes_a_message_where_one_is_asked_for() -> None:
    headers = PartHeaders.read('Content-Type: text/plain; charset="UTF-8"\r\n')
    assert headers.get_content_type() == "text/plain"
    assert headers.get_content_charset() == "utf-8"
    with pytest.raises(AttributeError):
        _ = headers.nothing
    with pytest.raises(AttributeError):
        _ = headers._nothing
