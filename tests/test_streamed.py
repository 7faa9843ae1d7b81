"""Bodies that come piece by piece: what goes out of them, and what never passes for the whole."""

import pytest
from child import environment

from cgikit import Response
from cgikit.environ import MetaVariables


def request(**variables: str) -> MetaVariables:
    return MetaVariables(environment(**variables))


# --- a length that the script announces ---------------------------------------------------------


def announced(pieces: list[str], length: str) -> tuple[bytes, str]:
    """What of a body goes out, and what is said of the rest."""
    response = Response(iter(pieces), headers={"Content-Length": length})
    got = []
    try:
        for piece in response.answer(request())[2]:
            got.append(piece)
    except ValueError as error:
        return b"".join(got), str(error)
    return b"".join(got), ""


@pytest.mark.parametrize("pieces", [["abcd"], ["ab", "cd"], ["a", "", "bcd", ""]])
def test_a_body_as_long_as_announced_goes_out(pieces: list[str]) -> None:
    assert announced(pieces, "4") == (b"abcd", "")


@pytest.mark.parametrize("pieces", [[], ["abc"], ["", "abc", ""]])
def test_a_body_shorter_than_announced_is_an_error(pieces: list[str]) -> None:
    """A part that passed for the whole: servers keep such connections for the next answer."""
    body, error = announced(pieces, "4")
    assert body == "".join(pieces).encode()
    assert f"ended after {len(body)} of the 4 bytes" in error


@pytest.mark.parametrize("pieces", [["abcde"], ["abcd", "e"], ["ab", "cdefg", "h"]])
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
        with pytest.raises(ValueError, match="not a number of bytes"):
            Response(iter("x"), headers={"Content-Length": length}).answer(request())
    else:
        with pytest.raises(ValueError, match="Content-Length"):
            Response(iter("x"), headers={"Content-Length": length})
