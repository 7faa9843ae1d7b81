"""The lines between the parts of a form: whatever else is in them, no part is lost or made."""

from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import post

from cgikit import BadRequest, CGIError, LimitExceeded, Limits
from cgikit.delimiters import plain

HEADER = b'\r\nContent-Disposition: form-data; name=""\r\n\r\n'
NAME = b'Content-Disposition: form-data; name="%s"'


def read(chunks: Iterable[bytes], limits: Limits | None = None) -> tuple[list[bytes], bytes]:
    """The lines of all headers, and the body that the package is given."""
    lines: list[bytes] = []
    out = b"".join(piece for _, piece in plain(chunks, b"b", limits or Limits(), lines.append))
    return lines, out


def cut(body: bytes, places: Iterable[int]) -> Iterator[bytes]:
    start = 0
    for place in sorted(places):
        yield body[start:place]
        start = place
    yield body[start:]


#: A part: the lines of its header, its content or None for a part that ends with its header.
PARTS = st.lists(
    st.tuples(
        st.lists(st.sampled_from([b"A: b", b"C: d--b", b"--a: b"]), min_size=1, max_size=3),
        st.none()
        | st.lists(
            st.sampled_from([b"\r\n", b"--", b"\r\n--", b"b", b"\r", b"\n", b"x", b"\r\n\r\n"])
        ).map(b"".join),
    ),
    min_size=1,
    max_size=4,
)
PADDING = st.text(" \t", max_size=4).map(str.encode)


@given(PARTS, PADDING, st.booleans(), st.data())
def test_parts_come_out_as_they_went_in(
    parts: list[tuple[list[bytes], bytes | None]], padding: bytes, ended: bool, data: st.DataObject
) -> None:
    parts = [
        (header, content)
        for header, content in parts
        if content is None or b"\r\n--b" not in b"\r\n" + content
    ]
    body, expected = b"preamble\r\n" if data.draw(st.booleans()) else b"", b""
    for header, content in parts:
        body += b"--b" + padding + b"\r\n" + b"\r\n".join(header) + b"\r\n\r\n"
        body += b"" if content is None else content + b"\r\n"
        expected += b"\r\n--b" + HEADER + (content or b"")
    body += b"--b--" + padding + (b"\r\nepilogue" if ended else b"")
    places = data.draw(st.lists(st.integers(0, len(body)), max_size=8))
    lines, out = read(cut(body, places))
    assert lines == [line for header, _ in parts for line in header]
    assert out == expected + b"\r\n--b--"


def test_3_1_a_part_without_a_body_does_not_swallow_the_next() -> None:
    body = b"--b\r\n" + NAME % b"note" + b"\r\n\r\n--b\r\n" + NAME % b"password" + b"\r\n\r\nsecret"
    request = post(body + b"\r\n--b--", "multipart/form-data; boundary=b")
    assert request.form.pairs() == [("note", ""), ("password", "secret")]


def test_3_6_spaces_after_a_boundary_are_padding() -> None:
    body = b"--b \t\r\n" + NAME % b"a" + b"\r\n\r\n1\r\n--b-- \r\n"
    assert post(body, "multipart/form-data; boundary=b").form.pairs() == [("a", "1")]


@pytest.mark.parametrize(
    "tail",
    [
        b"--b--More\r\n--b\r\nA: b\r\n\r\nlost\r\n--b--",
        b"--b--More",
        b"--b--\r\n--b\r\nA: b\r\n\r\nlost\r\n--b--",
        b"--b--\r\nepilogue\n--b\r\n",
        b"--b--\r\n--b--\r\n",
    ],
)
def test_3_6_what_follows_the_last_boundary_is_not_lost_in_silence(tail: bytes) -> None:
    body = b"--b\r\nA: b\r\n\r\n1\r\n" + tail
    for size in (1, 2, 3, 7, len(body)):
        with pytest.raises(BadRequest, match="boundary"):
            read(cut(body, range(size, len(body), size)))


@pytest.mark.parametrize("before", [b"x", b"preamble\r\nx", b"\n", b"\r\nx\r"])
def test_text_before_the_first_boundary_in_its_line_is_refused(before: bytes) -> None:
    body = before + b"--b\r\nA: b\r\n\r\n1\r\n--b--"
    for size in (1, 2, 3, len(body)):
        with pytest.raises(BadRequest, match="precedes the first boundary in its line"):
            read(cut(body, range(size, len(body), size)))


def test_one_dash_does_not_make_a_boundary_the_last() -> None:
    body = b"--b\r\nA: b\r\n\r\n1\r\n--b-\r\nA: b\r\n\r\n2\r\n--b--"
    for size in (1, 2, 3, len(body)):
        with pytest.raises(BadRequest, match="follows a boundary; a line end is expected"):
            read(cut(body, range(size, len(body), size)))


def test_a_bare_cr_after_padding_is_no_line_end() -> None:
    body = b"--b \rA: b\r\n\r\n1\r\n--b--"
    for size in (1, 2, 3, len(body)):
        with pytest.raises(BadRequest, match="follows a boundary; a line end is expected"):
            read(cut(body, range(size, len(body), size)))


def test_s14_a_line_of_a_header_that_never_ends_is_refused_before_all_of_it_is_here() -> None:
    pieces = iter([b"--b\r\n", *[b"x"] * 1_000])
    with pytest.raises(LimitExceeded, match="part_header"):
        read(pieces, Limits(part_header=9))
    assert len([*pieces]) == 989  # it took the boundary and eleven bytes of the line


def test_a_boundary_in_the_middle_of_a_line_is_content() -> None:
    body = b"--b\r\nA: b\r\n\r\nx--b\n--b\r\n--b--"
    assert read([body])[1] == b"\r\n--b" + HEADER + b"x--b\n--b\r\n--b--"


@pytest.mark.parametrize("end", [b"", b"\r", b"\r\n", b"\n", b" ", b"\t\r\n", b"\r\nbye"])
def test_the_last_line_may_end_in_any_way(end: bytes) -> None:
    body = b"--b\r\nA: b\r\n\r\n1\r\n--b--" + end
    for size in (1, len(body)):
        assert read(cut(body, range(size, len(body), size)))[1].endswith(b"1\r\n--b--")


def test_padding_is_limited() -> None:
    limits = Limits(part_header=9)
    for count in (9, 10):
        body = b"--b" + b" " * count + b"\r\nA: b\r\n\r\n1\r\n--b--"
        for size in (1, len(body)):
            chunks = cut(body, range(size, len(body), size))
            if count == 9:
                assert read(chunks, limits)[0] == [b"A: b"]
            else:
                with pytest.raises(BadRequest, match="spaces follow a boundary"):
                    read(chunks, limits)


@given(st.lists(st.sampled_from([b"--b", b"\r\n", b"--", b" ", b"A: b", b"\n", b"x", b"\r"])))
def test_anything_is_passed_on_or_refused(pieces: list[bytes]) -> None:
    body = b"".join(pieces)

    def outcome(chunks: Iterable[bytes]) -> object:
        try:
            return read(chunks)
        except CGIError as error:
            return type(error)

    whole = outcome([body])
    assert outcome(cut(body, range(1, len(body)))) == whole
