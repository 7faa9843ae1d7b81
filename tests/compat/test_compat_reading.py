"""compat.reading: what becomes of the parts of a form, and of bodies that are none."""

import io

import pytest
from compat.made import MULTIPART, body, environ, multipart, part

from cgikit.compat import cgi, limits
from cgikit.compat.reading import is_text


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("text/plain", True),
        ("", True),
        ("application/json", True),
        ("Application/LD+JSON", True),
        ("image/svg+xml", True),
        ("image/png", False),
        ("application/octet-stream", False),
        ("multipart/byteranges", False),
    ],
)
def test_which_bodies_are_text(kind: str, expected: bool) -> None:
    assert is_text(kind) is expected


def test_a_body_may_come_without_a_length() -> None:
    content = body(part("a", b"1"), part("f", b"x" * 5_000, "n"))
    variables = environ(content, MULTIPART, CONTENT_LENGTH="")
    form = cgi.FieldStorage(io.BytesIO(content), environ=variables)
    assert (form.getvalue("a"), len(form.getvalue("f"))) == ("1", 5_000)
    variables = environ(b"", "text/plain", CONTENT_LENGTH="")
    assert cgi.FieldStorage(io.BytesIO(b"text\n"), environ=variables).value == "text\n"


@pytest.mark.parametrize("end", ["--", "", "-- \t"])
def test_the_last_delimiter_may_lack_its_hyphens(end: str) -> None:
    content = body(part("a", b"1"), end=end)
    assert cgi.FieldStorage(io.BytesIO(content), environ=environ(content, MULTIPART))["a"].value


def test_bodies_with_bare_lf_are_read() -> None:
    content = body(part("a", b"1"), part("f", b"x\ny", "n")).replace(b"\r\n", b"\n")
    form = cgi.FieldStorage(io.BytesIO(content), environ=environ(content, MULTIPART))
    assert (form.getvalue("a"), form.getvalue("f")) == ("1", b"x\ny")


def test_a_part_may_say_how_long_it_is_and_be_wrong() -> None:
    assert multipart(part("a", b"1234", None, "Content-Length: 2")).getvalue("a") == "1234"


def test_text_is_decoded_once_in_the_encoding_that_was_asked_for() -> None:
    assert multipart(part("a", b"\xfc"), encoding="latin-1").getvalue("a") == "ü"
    assert multipart(part("a", b"\xff")).getvalue("a") == "\ufffd"
    assert multipart(part("a", b"x\xc3")).getvalue("a") == "x\ufffd"
    with pytest.raises(UnicodeDecodeError):
        multipart(part("a", b"\xff"), errors="strict")


def test_parts_in_parts_in_parts_end(monkeypatch: pytest.MonkeyPatch) -> None:
    content = part("a", b"1")
    for depth in range(5):
        inner = body(content, boundary=f"b{depth}")
        content = part("a", inner, None, f"Content-Type: multipart/mixed; boundary=b{depth}")
    with pytest.raises(ValueError, match=r"nesting is 6 or more"):
        multipart(content)
    monkeypatch.setattr(limits, "nesting", 6)
    form = multipart(content)
    for _ in range(6):
        form = form["a"]
    assert form.value == "1"


def test_an_inner_multipart_does_not_count_as_deeper_than_its_neighbour() -> None:
    parts = []
    for number in range(8):
        inner = body(part("a", b"1"), boundary=f"b{number}")
        kind = f"Content-Type: multipart/mixed; boundary=b{number}"
        parts.append(part(f"p{number}", inner, None, kind))
    assert len(multipart(*parts)) == 8


def test_a_part_can_be_read_from_a_file_that_goes_on() -> None:
    """As old code has it that reads the parts itself."""
    source = io.BytesIO(b"content\r\n--XyZ\r\nnext")
    headers = {"content-disposition": 'form-data; name="a"'}
    field = cgi.FieldStorage(source, headers, b"XyZ", {"REQUEST_METHOD": "POST"})
    assert (field.value, field.done) == ("content", 0)
    assert source.read() == b"next"
