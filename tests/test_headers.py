"""The header fields of an answer: what can be set, and what never gets in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import CONTROLS, any_texts, noisy, placements

from cgikit import CGIError, Response
from cgikit.headers import TOKEN, Headers, cgi_head, check_field, check_fields, is_token

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


# --- the header as a whole --------------------------------------------------------------------------

HTML = ("Content-Type", "text/html")


def test_a_good_header_is_fine_and_gives_its_length() -> None:
    cookies = [("Set-Cookie", "a=1"), ("set-cookie", "b=2")]
    assert check_fields(200, [HTML, *cookies]) is None
    assert check_fields(200, [HTML, ("content-length", "12")]) == 12
    assert check_fields(200, [HTML, ("Content-Length", "9" * 18)]) == 10**18 - 1


@pytest.mark.parametrize(
    "name",
    "Connection Keep-Alive Proxy-Connection TE Trailer Transfer-Encoding Upgrade Status sTATUS".split(),
)
def test_r23_fields_of_the_server_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"header {name}: only the server may send it"):
        check_fields(200, [HTML, (name, "a")])


@pytest.mark.parametrize(
    "name",
    "Content-Type Location Content-Length Content-Disposition Content-Range Date ETag Expires "
    "Last-Modified Retry-After".split(),
)
def test_r19_fields_that_may_be_there_once(name: str) -> None:
    fields = [(name, "/1"), (name.upper(), "/2")]
    with pytest.raises(ValueError, match=f"header {name.upper()}: it is there twice"):
        check_fields(302, fields)


@pytest.mark.parametrize("field", [("A b", "c"), ("A", "b\r\nc"), ("A", "ü"), ("A", "b ")])
def test_s1_every_field_is_checked_again(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=r"header"):
        check_fields(200, [HTML, field])


@pytest.mark.parametrize(
    ("status", "location"), [(200, "/a"), (200, "https://a/"), (302, "a"), (302, ""), (201, "a/b")]
)
def test_r21_a_location_belongs_to_a_redirect(status: int, location: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be sent with status \d+; use Response.redirect"):
        check_fields(status, [HTML, ("Location", location)])


@pytest.mark.parametrize(("status", "location"), [(302, "/a"), (201, "https://a/"), (302, "x://y")])
def test_r21_a_location_of_a_redirect_is_fine(status: int, location: str) -> None:
    assert check_fields(status, [HTML, ("Location", location)]) is None


@pytest.mark.parametrize("length", ["", "-1", "+1", "1_0", "1.0", "x", "1, 1", "²", "1" * 19])
def test_s15_a_length_is_digits(length: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid length|only printable ASCII"):
        check_fields(200, [HTML, ("Content-Length", length)])


def test_r22_the_header_of_a_cgi_answer() -> None:
    assert cgi_head(200, [HTML, ("A", "b")]) == b"Content-Type: text/html\nA: b\n\n"
    assert cgi_head(404, [HTML]) == b"Status: 404 Not Found\nContent-Type: text/html\n\n"
    assert cgi_head(299, []) == b"Status: 299 Unknown\n\n"


def test_r19_an_answer_has_a_field() -> None:
    assert cgi_head(200, []) == b"Status: 200 OK\n\n"
