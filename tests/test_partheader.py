"""The header of a part: names as all kinds of clients write them, and what is not understood."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import texts

from cgikit import BadRequest, CGIError, LimitExceeded, Limits, UnsupportedMediaType
from cgikit.partheader import Lines, Part

START = "Content-Disposition: "


def header(*lines: str | bytes, codec: str = "utf-8", limits: Limits | None = None) -> Part:
    """The part that has these lines."""
    made = Lines(b"b", codec, limits or Limits())
    for line in lines:
        made.add(line.encode() if isinstance(line, str) else line)
    return made.part()


def named(rest: str) -> tuple[str, str | None]:
    part = header(START + rest)
    return part.name, part.filename


@pytest.mark.parametrize(
    ("rest", "name", "filename"),
    [
        ('form-data; name="a"', "a", None),
        ('form-data;\tname="d"', "d", None),
        ('\tform-data\t;\tname\t=\t"d"\t;\tfilename="x"\t', "d", "x"),
        ("form-data; name=a; filename=b c.txt", "a", "b c.txt"),
        ('FORM-DATA; NAME="a"; FileName="x"', "a", "x"),
        ('attachment; name="a"; filename="x"', "a", "x"),
        ('form-data; name="a";', "a", None),
        ("form-data; name='a'", "'a'", None),
        ('form-data;; ;name="a"', "a", None),
        ('form-data; name=""', "", None),
        ('form-data; name="a;b=c"; filename=";"', "a;b=c", ";"),
        ('form-data; name="a%22b%0D%0Ac"', 'a"b\r\nc', None),
        ('form-data; name="100%25"', "100%25", None),
        ('form-data; name="a"; filename="say \\"hi\\"; x.txt"', "a", 'say "hi"; x.txt'),
        ('form-data; name="a\\"; filename="C:\\x\\"', "a\\", "C:\\x\\"),
        ('form-data; name="a"; filename="\\\\host\\x"', "a", "\\\\host\\x"),
        ("form-data; name=\"a\"; filename*=UTF-8''%E2%82%AC", "a", "€"),
        ("form-data; name=\"a\"; filename*=iso-8859-1'de'%E4", "a", "ä"),
        ('form-data; name="a"; filename="x"; filename*=UTF-8\'\'y', "a", "x"),
        ('form-data; name="a"; filename*=UTF-8\'\'y; filename="x"', "a", "x"),
        ("form-data; name=a; filename=\"=?utf-8?B?w6Q=?=\"; filename*=utf-8''%C3%A4", "a", "ä"),
        ('form-data; name=a; filename="=?utf-8?B?w6Q=?="', "a", "=?utf-8?B?w6Q=?="),
    ],
)
def test_what_clients_write(rest: str, name: str, filename: str | None) -> None:
    assert named(rest) == (name, filename)


@pytest.mark.parametrize(
    "rest",
    [
        "",
        "form-data",
        "form-data; filename=x",
        'form-data; name="a',
        'form-data; name="a"x',
        'form-data; name=a"b',
        'form-data; name="a"; name="b"',
        'form-data; name="a"; filename="x"; FILENAME="y"',
        "form-data; name*=UTF-8''a",
        'form-data; name="a"; filename="x',
        "form-data; name=a; nonsense",
        'form-data name="a"',
        "form-data; name=a; filename*=x",
        "form-data; name=a; filename*=UTF-8''%FF",
        "form-data; name=a; filename*=UTF-8''a%00b",
        "form-data; name=a; filename*=utf-7''a",
        'form-data; name=a; filename*0="x"',
    ],
)
def test_3_2_a_name_that_is_not_understood_is_refused(rest: str) -> None:
    with pytest.raises(BadRequest):
        named(rest)


def test_3_6_other_fields_of_a_part_are_ignored() -> None:
    for line in ("Content-Length: 99", "X.Foo: 1", b"X-Path: \xff", "Content-Length: -"):
        assert header(START + "form-data; name=a", line).name == "a"
    with pytest.raises(BadRequest, match="is not a field"):
        header(START + "form-data; name=a", "X Foo: 1")


def test_the_type_and_its_charset() -> None:
    part = header(START + "form-data; name=a", 'CONTENT-TYPE: Text/Plain; Charset="UTF-8"')
    assert (part.content_type, part.charset) == ("text/plain", "utf-8")


def test_folded_lines_are_one_and_count_as_one() -> None:
    limits = Limits(part_headers=1, part_header=43)
    lines = (START + "form-data;", " name=a;", "\tb=c")
    assert header(*lines, limits=limits).name == "a"
    with pytest.raises(LimitExceeded, match="part_header=43"):
        header(*lines, " d=efghij", limits=limits)
    with pytest.raises(BadRequest, match="continues no line"):
        header(" name=a")


@pytest.mark.parametrize("bad", [b"\0", b"\n", b"\r"])
def test_no_control_that_ends_a_line_or_a_text_gets_into_a_header(bad: bytes) -> None:
    with pytest.raises(BadRequest, match="contains NUL, CR or LF"):
        header(b"A: b" + bad + b"c")


def test_a_boundary_in_a_header_is_refused() -> None:
    """A part without a blank line would otherwise swallow the next one."""
    with pytest.raises(BadRequest, match="a blank line must precede it"):
        header(START + 'form-data; name="a"', "--b")


@pytest.mark.parametrize(
    "name", ["Content-Disposition", "content-TYPE", "Content-Transfer-Encoding"]
)
def test_a_field_that_is_read_may_be_there_once(name: str) -> None:
    with pytest.raises(BadRequest, match=f"has {name.title()} twice; send it once"):
        header(f"{name}: 8bit", f"{name.upper()}: 8bit")


@pytest.mark.parametrize("encoding", ["", "7bit", "8BIT", " Binary "])
def test_encodings_that_change_nothing_are_fine(encoding: str) -> None:
    assert header(START + "form-data; name=a", f"Content-Transfer-Encoding:{encoding}").name == "a"


@pytest.mark.parametrize("encoding", ["base64", "BASE64", "quoted-printable", "x-gzip"])
def test_other_encodings_are_refused(encoding: str) -> None:
    with pytest.raises(UnsupportedMediaType, match="send it without a transfer encoding"):
        header(START + "form-data; name=a", f"Content-Transfer-Encoding: {encoding}")


def test_lines_and_their_length_are_limited() -> None:
    limits = Limits(part_headers=2, part_header=30)
    line = START + "form-data; name=a"
    assert header("A: b", line, limits=Limits(part_headers=2, part_header=len(line))).name == "a"
    with pytest.raises(LimitExceeded, match="part_headers"):
        header("A: b", "A: b", "A: b", limits=limits)
    with pytest.raises(LimitExceeded, match="part_header"):
        header("A: " + "b" * 28, limits=limits)
    with pytest.raises(BadRequest, match="has no Content-Disposition"):
        header("A: " + "b" * 27, limits=limits)


def test_a_header_is_empty_after_its_part_was_made() -> None:
    lines = Lines(b"b", "utf-8", Limits(part_headers=1))
    for name in ("a", "b"):
        lines.add(f"{START}form-data; name={name}".encode())
        assert lines.part().name == name


def test_names_of_latin_1_pages() -> None:
    line = START.encode() + b'form-data; name="\xe4\x80"'
    assert header(line, codec="cp1252").name == "ä€"
    with pytest.raises(BadRequest, match="not valid UTF-8"):
        header(line)


def escaped(text: str) -> str:
    return text.replace("\n", "%0A").replace("\r", "%0D").replace('"', "%22")


@given(texts, st.none() | texts)
@example("a\\", "C:\\")
@example("\\", '\\"; name=')
def test_what_a_browser_writes_comes_out_again(name: str, filename: str | None) -> None:
    name, filename = (
        text and "".join(c for c in text if c not in "\0%") for text in (name, filename)
    )
    rest = f'form-data; name="{escaped(name or "")}"'
    if filename is not None:
        rest += f'; filename="{escaped(filename)}"'
    assert named(rest) == (name or "", filename)


@given(st.text("form-data; name=\"=%\\*'\ta:") | st.text(max_size=40))
def test_any_header_is_a_part_or_refused(text: str) -> None:
    try:
        part = header(*text.splitlines())
    except CGIError:
        return
    assert isinstance(part.name, str)
