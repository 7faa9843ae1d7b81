"""Bodies that come piece by piece: what goes out of them, and what never passes for the whole."""

import io
import mmap
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from child import environment

from cgikit import Response, StateError
from cgikit.environ import MetaVariables


def request(**variables: str) -> MetaVariables:
    return MetaVariables(environment(**variables))


# --- a length that the script announces ---------------------------------------------------------


def announced(pieces: list[str], length: str) -> tuple[bytes, str]:
    """What of a body goes out, and what is said of the rest."""
    response = Response(iter(pieces), headers={"Content-Length": length})
    got: list[bytes] = []
    try:
        for piece in response.answer(request())[2]:
            got.append(piece)
    except ValueError as error:
        return b"".join(got), str(error)
    return b"".join(got), ""


@pytest.mark.parametrize("pieces", [["abcd"], ["ab", "cd"], ["a", "", "bcd", ""]])
def test_a_body_as_long_as_announced_goes_out(pieces: list[str]) -> None:
    assert announced(pieces, "4") == (b"abcd", "")


@pytest.mark.parametrize("pieces", [["abc"], ["", "abc", ""]])
def test_a_body_shorter_than_announced_is_an_error(pieces: list[str]) -> None:
    """A part that passed for the whole: servers keep such connections for the next answer."""
    body, error = announced(pieces, "4")
    assert body == "".join(pieces).encode()
    assert f"ended after {len(body)} of the 4 bytes" in error


@pytest.mark.parametrize("pieces", [["abcd", "e"], ["ab", "cdefg", "h"], ["", "abcde"]])
def test_of_a_body_longer_than_announced_the_rest_is_not_sent(pieces: list[str]) -> None:
    """It would be read as the beginning of the next answer."""
    body, error = announced(pieces, "4")
    assert body == b"abcd"
    assert "longer than its Content-Length, 4" in error


def test_head_has_the_announced_length_and_no_body() -> None:
    response = Response(iter(["abc"]), headers={"Content-Length": "9"})
    _, fields, chunks = response.answer(request(REQUEST_METHOD="HEAD"))
    assert (("Content-Length", "9") in fields, [*chunks]) == (True, [])


@pytest.mark.parametrize("length", ["-1", "+1", "1_0", "x", "\u0662", "9" * 5_000, "1, 1"])
def test_s15_an_announced_length_that_is_none(length: str) -> None:
    if length.isascii():
        with pytest.raises(ValueError, match="is not a valid length"):
            Response(iter("x"), headers={"Content-Length": length}).answer(request())
    else:
        with pytest.raises(ValueError, match="Content-Length"):
            Response(iter("x"), headers={"Content-Length": length})


@pytest.mark.parametrize("pieces", [["abc"], ["abcd", "e"], []])
@pytest.mark.parametrize("kind", [list, tuple])
def test_a_wrong_length_of_pieces_that_are_all_there_is_found_before_the_header(
    kind: type, pieces: list[str]
) -> None:
    response = Response(kind(pieces), headers={"Content-Length": "4"})
    with pytest.raises(ValueError, match="4"):
        response.answer(request())


# --- bodies and pieces that hold bytes ----------------------------------------------------------


HELD = {
    "bytearray": bytearray(b"a\xffb"),
    "memoryview": memoryview(b"a\xffb"),
    "memoryview, every second": memoryview(b"a-\xff-b-")[::2],
    "array": array("B", b"a\xffb"),
    "subclass": type("Bytes", (bytes,), {})(b"a\xffb"),
}


@pytest.mark.parametrize("kind", HELD)
def test_what_holds_bytes_is_a_body(kind: str) -> None:
    """A memoryview was an `AttributeError` after the header, as were a bytearray's numbers."""
    _, fields, chunks = Response(HELD[kind], content_type="image/png").answer(request())
    assert (dict(fields)["Content-Length"], b"".join(chunks)) == ("3", b"a\xffb")


@pytest.mark.parametrize("kind", HELD)
def test_what_holds_bytes_is_a_piece(kind: str) -> None:
    _, _, chunks = Response(iter(["ü", HELD[kind]]), content_type="x/y").answer(request())
    got = [*chunks]
    assert got == ["ü".encode(), b"a\xffb"]
    assert {type(piece) for piece in got} <= {bytes, type(HELD["subclass"])}


def test_a_mapped_file_is_a_body(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"mapped")
    with (tmp_path / "file").open("rb") as file:
        body = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    assert [*Response(body).answer(request())[2]] == [b"mapped"]  # type: ignore[arg-type]


def test_a_buffer_that_is_filled_again_sends_what_it_held() -> None:
    buffer = bytearray(3)

    def pieces() -> Iterator[bytearray]:
        for data in (b"abc", b"def"):
            buffer[:] = data
            yield buffer

    assert [*Response(pieces()).answer(request())[2]] == [b"abc", b"def"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (42, "int 42"),
        (None, "NoneType None"),
        (object, "type <class 'object'>"),
        (array("I", [1]), "a piece of the body is int 1"),
        ([["a"]], r"a piece of the body is list \['a'\]"),
    ],
)
def test_what_is_no_body_is_named(body: object, named: str) -> None:
    with pytest.raises(TypeError, match=f"{named}; give a str"):
        Response(body).answer(request())  # type: ignore[arg-type]


# --- one response for two requests --------------------------------------------------------------


def test_a_redirect_for_two_requests_has_the_status_of_each() -> None:
    """The 303 of a POST stayed for a GET, and so did a location that was relative to the first."""
    response = Response.redirect("next")
    answers = [
        response.answer(request(REQUEST_METHOD=method, SCRIPT_NAME=name, SERVER_PROTOCOL=protocol))
        for method, name, protocol in (
            ("POST", "/a/x.py", "HTTP/1.1"),
            ("GET", "/b/x.py", "HTTP/1.1"),
            ("POST", "/c/x.py", "HTTP/1.0"),
            ("PUT", "/d/x.py", "HTTP/1.1"),
        )
    ]
    assert [(status, dict(fields)["Location"]) for status, fields, _ in answers] == [
        (303, "/a/next"), (302, "/b/next"), (302, "/c/next"), (303, "/d/next"),
    ]  # fmt: skip
    assert [body for *_, (body,) in answers] == [
        f'<p>Go on to <a href="/{place}/next">/{place}/next</a>.</p>\n'.encode() for place in "abcd"
    ]
    assert (response.status, response.headers.get("Location"), response.body) == (302, None, "")


REUSED: dict[str, Callable[[], Response]] = {
    "text": lambda: Response("abc"),
    "bytes": lambda: Response(b"abc"),
    "list": lambda: Response(["a", "bc"]),
    "bytearray": lambda: Response(bytearray(b"abc")),
    "redirect": lambda: Response.redirect("/x"),
    "local redirect": lambda: Response.local_redirect("/x"),
}
USED_UP: dict[str, Callable[[], Response]] = {
    "generator": lambda: Response(piece for piece in "abc"),
    "iterator": lambda: Response.stream(iter("abc")),
    "file object": lambda: Response(io.BytesIO(b"abc")),  # type: ignore[arg-type]
    "file": lambda: Response.file(__file__),
}
PAIRS = [("GET", "GET"), ("HEAD", "GET"), ("GET", "HEAD")]


def both(response: Response, methods: tuple[str, str]) -> list[tuple[object, object, bytes]]:
    return [
        (status, fields, b"".join(chunks))
        for status, fields, chunks in (response.answer(request(REQUEST_METHOD=m)) for m in methods)
    ]


@pytest.mark.parametrize("kind", REUSED)
def test_what_is_all_there_answers_two_requests_alike(kind: str) -> None:
    first, second = both(REUSED[kind](), ("GET", "GET"))
    assert first == second


@pytest.mark.parametrize("methods", PAIRS)
@pytest.mark.parametrize("kind", USED_UP)
def test_what_can_be_sent_once_is_not_sent_as_nothing_the_second_time(
    kind: str, methods: tuple[str, str]
) -> None:
    """The second visitor got an empty page, with status 200."""
    with pytest.raises(StateError, match="make a new response for each request"):
        both(USED_UP[kind](), methods)
