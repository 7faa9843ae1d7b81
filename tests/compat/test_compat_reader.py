"""compat.reader: where a section of a multipart body ends, however the body comes."""

import io
import random

import pytest

from cgikit.compat.reader import LAST, MISSING, NEXT, Reader


class Pieces:
    """A stream that gives pieces of other sizes than it is asked for."""

    def __init__(self, content: bytes, seed: int) -> None:
        self._file = io.BytesIO(content)
        self._random = random.Random(seed)

    def read(self, size: int) -> bytes:
        return self._file.read(min(size, self._random.randint(1, 9)))

    def readline(self, size: int) -> bytes:
        return self._file.readline(min(size, self._random.randint(1, 9)))


def sections(source: object, length: int, boundary: bytes = b"b") -> list[tuple[bytes, int]]:
    """All sections of a body."""
    reader = Reader(source, length)
    found = []
    if reader.find_first(boundary):
        while True:
            content: list[bytes] = []
            end = reader.section(boundary, content.append)
            found.append((b"".join(content), end))
            if end != NEXT:
                break
    return found


BODIES = {
    b"": [],
    b"no delimiter at all": [],
    b"--b--\r\n": [],
    b"--b\r\n--b--": [(b"", LAST)],
    b"--b\r\nx\r\n--b--\r\nepilogue": [(b"x", LAST)],
    b"--b\nx\n--b--\n": [(b"x", LAST)],
    b"pre\r\namble--b\r\n--b \t\r\nx\r\n--b  \ny\r\n--b-- \r\n": [(b"x", NEXT), (b"y", LAST)],
    b"  --b\r\nx\r\n--b--": [(b"x", LAST)],
    b"--bb\r\n--b\r\nx\r\n--bb\r\n--b-\r\n--b--": [(b"x\r\n--bb\r\n--b-", LAST)],
    b"--b--\r\n--b\r\nx\r\n--b--": [(b"x", LAST)],
    b"--b\r\n\r\nx\r\r\n--b--": [(b"\r\nx\r", LAST)],
    b"--b\r\n\r\n\r\n--b\r\n\n\n--b--": [(b"\r\n", NEXT), (b"\n", LAST)],
    b"--b\r\nx --b--\r\n--b": [(b"x --b--", NEXT), (b"", MISSING)],
    b"--b\r\nx\r\n": [(b"x", MISSING)],
    b"--b\r\nx\r\n--": [(b"x\r\n--", MISSING)],
    b"--b\r\nx\r\n--b" + b" " * 2_000 + b"\r\n--b--": [(b"x\r\n--b" + b" " * 2_000, LAST)],
    b"--b\r\n" + b"\r\n--a" * 50_000 + b"\r\n--b--": [(b"\r\n--a" * 50_000, LAST)],
}


@pytest.mark.parametrize("content", BODIES, ids=range(len(BODIES)))
def test_sections_are_the_same_however_the_body_comes(content: bytes) -> None:
    expected = BODIES[content]
    assert sections(io.BytesIO(content), len(content)) == expected
    assert sections(io.BytesIO(content), -1) == expected
    assert sections(io.BytesIO(content + b"more"), len(content)) == expected
    if len(content) < 5_000:
        for seed in range(20):
            assert sections(Pieces(content, seed), len(content)) == expected
            assert sections(Pieces(content, seed), -1) == expected


def test_random_bodies_are_cut_as_lines_say() -> None:
    """The rule once more, line by line: slowly, and without a look ahead."""
    pick = random.Random(4)
    words = [b"\r\n", b"\n", b"--b", b"--b--", b"--", b"b", b" ", b"x", b"\r"]
    for turn in range(3_000):
        content = b"".join(pick.choice(words) for _ in range(pick.randrange(30)))
        expected = slowly(content)
        assert sections(Pieces(content, turn), len(content)) == expected, content
        assert sections(io.BytesIO(content), -1) == expected, content


def slowly(content: bytes) -> list[tuple[bytes, int]]:
    lines = content.splitlines(keepends=False) and io.BytesIO(content).readlines()
    while lines and lines[0].strip() != b"--b":
        lines = lines[1:]
    found: list[tuple[bytes, int]] = []
    if not lines:
        return found
    section: list[bytes] = []
    for line in lines[1:]:
        if line.rstrip() in (b"--b", b"--b--"):
            end = LAST if line.rstrip() == b"--b--" else NEXT
            found.append((without_end(b"".join(section)), end))
            section = []
            if end == LAST:
                return found
        else:
            section.append(line)
    return [*found, (without_end(b"".join(section), b"\r\n", b"\n", b"\r"), MISSING)]


def without_end(text: bytes, *ends: bytes) -> bytes:
    for end in ends or (b"\r\n", b"\n"):
        if text.endswith(end):
            return text[: -len(end)]
    return text


def test_nothing_beyond_the_last_delimiter_is_read_where_no_length_is_known() -> None:
    source = io.BytesIO(b"--b\r\nx\r\n--b--\r\nPOST /next")
    assert sections(source, -1) == [(b"x", LAST)]
    assert source.read() == b"POST /next"


def test_nothing_beyond_the_length_is_read() -> None:
    content = b"--b\r\nx\r\n--b--\r\n"
    source = io.BytesIO(content + b"POST /next")
    sections(source, len(content))
    assert source.read() == b"POST /next"


def test_a_section_that_ends_early_is_an_error() -> None:
    with pytest.raises(ValueError, match="cut off: 6 of 9 bytes came"):
        sections(io.BytesIO(b"--b\r\nx"), 9)


def test_lines_and_bytes_are_read_as_from_a_file() -> None:
    content = b"one\ntwo\nthree" + b"x" * 300_000 + b"\nlast"
    for length in (len(content), -1):
        reader = Reader(io.BytesIO(content), length)
        assert reader.readline() == b"one\n"
        assert reader.readline(2) == b"tw"
        assert reader.readline(0) == reader.read(0) == b""
        assert reader.read(2) == b"o\n"
        assert reader.consumed == 8
        assert len(reader.readline()) == 300_006
        assert reader.read() == b"last"
        assert reader.readline() == reader.read() == reader.read(5) == b""
        assert reader.consumed == len(content)


def test_a_head_ends_with_a_blank_line_or_the_body() -> None:
    reader = Reader(io.BytesIO(b"A: 1\r\n \r\nB: 2"), 14)
    assert reader.head() == b"A: 1\r\n \r\n"
    assert reader.head() == b"B: 2"
    assert reader.head() == b""


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize(
    ("inner", "outer", "content", "found"),
    [
        (b"in", b"out", b"--in\r\nx\r\n--out\r\ny\r\n--out--", (b"x", b"y")),
        (b"in", b"out", b"--in\nx\n--out \ny\n--out--", (b"x", b"y")),
        (b"in", b"out", b"--in\r\n--out\r\ny\r\n--out--", (b"", b"y")),
        (b"b", b"bb", b"--b\r\nx\r\n--bb\r\ny\r\n--bb--", (b"x", b"y")),
        (b"bb", b"b", b"--bb\r\nx\r\n--b\r\ny\r\n--b--", (b"x", b"y")),
        (b"in", b"out", b"pre--out\r\n--in\r\nx\r\n--outer\r\n--out\r\ny\r\n--out--",
         (b"x\r\n--outer", b"y")),
        (b"in", b"out", b"pre\r\n--out\r\ny\r\n--out--", (None, b"y")),
        (b"in", b"out", b"--in\r\n" + b"\r\n--i\r\n--o" * 50_000 + b"\r\n--out\r\ny\r\n--out--",
         (b"\r\n--i\r\n--o" * 50_000, b"y")),
    ],
    ids=range(8),
)  # fmt: skip
def test_a_part_ends_where_the_parts_around_it_go_on(
    inner: bytes, outer: bytes, content: bytes, found: tuple[bytes | None, bytes], length: bool
) -> None:
    pieces = [Pieces(content, seed) for seed in range(5)] if len(content) < 1_000 else []
    for source in (io.BytesIO(content), *pieces):
        reader = Reader(source, len(content) if length else -1)
        reader.enter(outer)
        written: list[bytes] = []
        is_there = reader.find_first(inner)
        if is_there:
            assert reader.section(inner, written.append) == MISSING
        reader.leave()
        assert reader.skip(outer) == NEXT
        rest: list[bytes] = []
        assert reader.section(outer, rest.append) == LAST
        assert (b"".join(written) if is_there else None, b"".join(rest)) == found


@pytest.mark.parametrize("line", [b"-" * 1_048_576, b"--a" * 349_525])
def test_a_line_of_near_delimiters_is_examined_once_for_each_piece_read(line: bytes) -> None:
    """Each was compared with the text before and after it: two seconds for a megabyte."""
    looks = 0

    class Counting(Reader):
        def _find(self, marks: list[bytes], common: bytes, start: int) -> int:
            nonlocal looks
            looks += 1
            return super()._find(marks, common, start)

    boundary = line[2:3] if line[2:3] != b"-" else b"-" * 199
    assert not Counting(io.BytesIO(line), len(line)).find_first(boundary)
    assert looks < 50
