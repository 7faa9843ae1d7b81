"""Compression: what a client gets that takes gzip, and what one that does not."""

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from child import environment
from hypothesis import given
from hypothesis import strategies as st

from cgikit import Request, Response
from cgikit.compression import LEAST, pieces

LONG = "<p>gr\xfcn</p>\n" * 200
DATA = LONG.encode()
TAKEN = "gzip, deflate, br, zstd"  # as browsers send it


def request(accepted: str = TAKEN, **variables: str) -> Request:
    return Request(environment(HTTP_ACCEPT_ENCODING=accepted, **variables))


def answer(response: Response, asked: Request) -> tuple[int, dict[str, str], bytes]:
    response.compressed = True
    status, fields, body = response.answer(asked)
    data = b"".join(body)
    response.close()
    assert len({name.lower() for name, _ in fields}) == len(fields)
    return status, dict(fields), data


# --- the bytes ----------------------------------------------------------------------------------


CHUNKS = st.lists(st.binary(max_size=2_000), max_size=8)


@given(CHUNKS)
def test_gunzip_gives_what_was_compressed(chunks: list[bytes]) -> None:
    assert gzip.decompress(b"".join(pieces(chunks))) == b"".join(chunks)


@given(CHUNKS)
def test_however_it_is_divided(chunks: list[bytes]) -> None:
    once = b"".join(pieces([b"".join(chunks)], flushed=False))
    assert b"".join(pieces(chunks, flushed=False)) == once


@given(CHUNKS)
def test_each_piece_can_be_read_when_it_comes(chunks: list[bytes]) -> None:
    """Without a flush zlib keeps 16 KB, and a page that is sent while it is made would not appear."""
    reader = zlib.decompressobj(31)
    made: list[bytes] = []

    def source() -> Iterator[bytes]:
        for chunk in chunks:
            made.append(chunk)
            yield chunk

    read = b""
    for piece in pieces(source()):
        assert piece
        read += reader.decompress(piece)
        assert read == b"".join(made)
    assert (reader.eof, reader.unused_data) == (True, b"")


def test_the_same_body_has_the_same_bytes() -> None:
    """A time in the header would give every answer another length of life in a cache."""
    packed = b"".join(pieces([DATA]))
    assert packed[:2] == b"\x1f\x8b"
    assert packed[4:8] == b"\0\0\0\0"


# --- the header ---------------------------------------------------------------------------------


BODIES: dict[str, Callable[[], Response]] = {
    "text": lambda: Response(LONG),
    "bytes": lambda: Response(DATA, content_type="application/json"),
    "list": lambda: Response([LONG]),
    "generator": lambda: Response.stream(iter([LONG[:7], "", LONG[7:]])),
    "announced": lambda: Response(iter([DATA]), headers={"Content-Length": str(len(DATA))}),
}


@pytest.mark.parametrize("kind", BODIES)
def test_a_text_is_compressed(kind: str) -> None:
    _, fields, body = answer(BODIES[kind](), request())
    assert gzip.decompress(body) == DATA
    assert (fields["Content-Encoding"], fields["Vary"]) == ("gzip", "Accept-Encoding")
    if kind in {"text", "bytes"}:
        assert fields["Content-Length"] == str(len(body))
    else:
        assert "Content-Length" not in fields


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "*;q=0", "gzip;q=0.1, identity;q=0.2"])
def test_a_client_that_does_not_take_it_gets_it_as_it_is(kind: str, accepted: str) -> None:
    _, fields, body = answer(BODIES[kind](), request(accepted))
    assert body == DATA
    assert "Content-Encoding" not in fields
    assert fields["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("kind", BODIES)
@pytest.mark.parametrize("accepted", [TAKEN, ""])
def test_head_has_the_fields_of_get(kind: str, accepted: str) -> None:
    _, fields, _ = answer(BODIES[kind](), request(accepted))
    _, of_head, body = answer(BODIES[kind](), request(accepted, REQUEST_METHOD="HEAD"))
    assert (of_head, body) == (fields, b"")


def test_it_is_not_done_unasked() -> None:
    """A page with a secret in it would tell it by its length (BREACH)."""
    _, fields, body = Response(LONG).answer(request())
    assert (b"".join(body), "Vary" in dict(fields)) == (DATA, False)


@pytest.mark.parametrize(
    ("size", "done"), [(LEAST - 1, False), (LEAST, True)], ids=["shorter", "as long"]
)
def test_a_short_body_is_sent_as_it_is(size: int, done: bool) -> None:
    _, fields, body = answer(Response("x" * size), request())
    assert (fields.get("Content-Encoding") == "gzip", len(body) < size) == (done, done)
    assert fields["Vary"] == "Accept-Encoding"


def test_what_does_not_get_smaller_is_sent_as_it_is() -> None:
    noise = b"".join(sha256(bytes([number])).digest() for number in range(100))
    _, fields, body = answer(Response(noise, content_type="text/plain"), request())
    assert (body, "Content-Encoding" in fields) == (noise, False)


@pytest.mark.parametrize(
    ("content_type", "done"),
    [
        ("text/css", True),
        ("TEXT/HTML; charset=utf-8", True),
        ("application/problem+json", True),
        ("image/svg+xml", True),
        ("application/xhtml+xml; charset=utf-8", True),
        ("image/png", False),
        ("application/zip", False),
        ("application/octet-stream", False),
        ("text/event-stream", False),
        ("multipart/x-mixed-replace; boundary=x", False),
    ],
)
def test_only_text_is_compressed(content_type: str, done: bool) -> None:
    _, fields, body = answer(Response(DATA, content_type=content_type), request())
    assert ("Content-Encoding" in fields, "Vary" in fields, body == DATA) == (done, done, not done)


@pytest.mark.parametrize(
    "stream",
    [lambda: Response.events(["x" * 2000]), lambda: Response.push([LONG])],
    ids=["events", "push"],
)
def test_what_goes_on_is_never_compressed(stream: Callable[[], Response]) -> None:
    assert "Content-Encoding" not in answer(stream(), request())[1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Content-Encoding", "br"),
        ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
        ("Content-Digest", "sha-256=:AAA=:"),
        ("Repr-Digest", "sha-256=:AAA=:"),
    ],
)
def test_bytes_of_which_something_is_said_stay(name: str, value: str) -> None:
    _, fields, body = answer(Response(DATA, headers={name: value}), request())
    assert (body, fields[name]) == (DATA, value)
    assert fields.get("Content-Encoding", "br") == "br"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Cookie", "Cookie, Accept-Encoding"),
        ("accept-encoding", "accept-encoding"),
        ("*", "*"),
    ],
)
@pytest.mark.parametrize("accepted", [TAKEN, ""])
def test_vary_keeps_what_it_has(before: str, after: str, accepted: str) -> None:
    assert answer(Response(LONG, headers={"Vary": before}), request(accepted))[1]["Vary"] == after


def test_two_fields_vary_become_one() -> None:
    response = Response(LONG, headers=[("Vary", "Cookie"), ("vary", "Accept")])
    assert answer(response, request())[1]["Vary"] == "Cookie, Accept, Accept-Encoding"


@pytest.mark.parametrize(("tag", "weak"), [('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')])
def test_the_etag_becomes_weak(tag: str, weak: str) -> None:
    """A strong one says: the same bytes. They are others for a client that does not take gzip."""
    assert answer(Response(LONG, headers={"ETag": tag}), request())[1]["ETag"] == weak
    assert answer(Response(LONG, headers={"ETag": tag}), request(""))[1]["ETag"] == tag


def test_304_has_the_vary_and_the_etag_of_200() -> None:
    response = Response(LONG, status=304, headers={"ETag": '"a"', "Vary": "Cookie"})
    status, fields, body = answer(response, request())
    assert (status, body) == (304, b"")
    assert fields == {"ETag": 'W/"a"', "Vary": "Cookie, Accept-Encoding"}


@pytest.mark.parametrize("location", [Response.redirect, Response.local_redirect])
def test_a_redirect_works(location: Callable[[str], Response]) -> None:
    response = location("/x")
    response.compressed = True
    out = io.BytesIO()
    response.send(out, request())
    assert b"Location: /x\n" in out.getvalue()


# --- files --------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file.txt"
    path.write_bytes(DATA)
    return path


def test_a_file_is_compressed(file: Path) -> None:
    status, fields, body = answer(Response.file(file), request())
    assert (status, gzip.decompress(body)) == (200, DATA)
    assert fields["ETag"].startswith('W/"')
    assert not fields.keys() & {"Content-Length", "Accept-Ranges"}


def test_a_client_that_has_the_file_gets_304(file: Path) -> None:
    _, fields, _ = answer(Response.file(file), request())
    tag = fields["ETag"]
    status, fields, body = answer(Response.file(file), request(HTTP_IF_NONE_MATCH=tag))
    assert (status, fields["ETag"], body) == (304, tag, b"")
    assert fields["Vary"] == "Accept-Encoding"


def test_a_range_is_sent_as_it_is(file: Path) -> None:
    status, fields, body = answer(Response.file(file), request(HTTP_RANGE="bytes=1-1500"))
    assert (status, body) == (206, DATA[1:1501])
    assert "Content-Encoding" not in fields


def test_a_compressed_file_is_not_gone_on_with(file: Path) -> None:
    """Bytes of the file would be appended to a half of its gzip: the weak tag prevents that."""
    _, fields, _ = answer(Response.file(file), request())
    again = request(HTTP_RANGE="bytes=20-", HTTP_IF_RANGE=fields["ETag"])
    status, _, body = answer(Response.file(file), again)
    assert (status, gzip.decompress(body)) == (200, DATA)


def test_a_file_that_the_server_sends_is_not_ours_to_compress(file: Path) -> None:
    _, fields, body = answer(Response.file(file, x_sendfile=True), request())
    assert ("Content-Encoding" in fields, body) == (False, b"")


def test_a_body_that_ends_early_is_cut_in_gzip_too() -> None:
    """The end of the gzip file is what tells the client that it has all of it."""
    response = Response(iter([LONG]), headers={"Content-Length": str(len(DATA) + 1)})
    response.compressed = True
    _, _, body = response.answer(request())
    got: list[bytes] = []
    with pytest.raises(ValueError, match="ended after"):
        got.extend(body)
    with pytest.raises(EOFError):
        gzip.decompress(b"".join(got))
