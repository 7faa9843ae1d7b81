"""The body of a request as it comes: how long it is, when it is whole, and what is too much."""

from pathlib import Path

import pytest

from cgikit.host.problem import Problem
from cgikit.warm.arrival import MEMORY, Arrival, announced_length

LIMIT = 1 << 20


def arrival(place: object = "/tmp", ends: bool = True, limit: int = LIMIT, **names: str) -> Arrival:
    return Arrival({"REQUEST_METHOD": "POST", **names}, ends, limit, str(place))


@pytest.mark.parametrize(
    ("variables", "over_fastcgi", "over_scgi"),
    [
        ({"REQUEST_METHOD": "GET"}, 0, 0),
        ({"REQUEST_METHOD": "HEAD", "CONTENT_LENGTH": ""}, 0, 0),
        ({"REQUEST_METHOD": "GET", "CONTENT_LENGTH": "5"}, 5, 5),
        ({"REQUEST_METHOD": "GET", "HTTP_TRANSFER_ENCODING": "chunked"}, None, 411),
        ({"REQUEST_METHOD": "POST"}, None, 0),
        ({"REQUEST_METHOD": "DELETE", "CONTENT_LENGTH": ""}, None, 0),
        ({"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"}, None, 411),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "0"}, 0, 0),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-1"}, None, 400),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "-2"}, 400, 400),
        ({"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9" * 19}, 400, 400),
    ],
)
def test_what_is_known_of_the_length(
    variables: dict[str, str], over_fastcgi: int | None, over_scgi: int | None
) -> None:
    for ends, expected in ((True, over_fastcgi), (False, over_scgi)):
        if expected is not None and expected >= 400:
            with pytest.raises(Problem) as caught:
                announced_length(variables, ends)
            assert caught.value.status == expected
        else:
            assert announced_length(variables, ends) == expected


def test_a_body_is_whole_when_its_length_has_come(tmp_path: Path) -> None:
    body = arrival(tmp_path, CONTENT_LENGTH="6")
    assert body.is_owed
    body.take(b"abc")
    assert (body.is_owed, body.waiting) == (True, 3)
    body.take(b"defgh")  # beyond it
    assert (body.is_owed, body.waiting) == (False, 6)
    body.take(b"more")
    body.take(b"")
    assert body.read(100) == b"abcdef"


def test_a_body_that_ends_early_is_not_passed_off_as_whole(tmp_path: Path) -> None:
    body = arrival(tmp_path, CONTENT_LENGTH="6")
    body.take(b"abc")
    with pytest.raises(Problem, match="3 of 6 bytes") as caught:
        body.take(b"")
    assert caught.value.status == 400


def test_a_body_without_a_length_is_whole_at_its_end(tmp_path: Path) -> None:
    body = arrival(tmp_path)
    body.take(b"abc")
    assert (body.is_owed, body.length) == (True, None)
    body.take(b"")
    assert (body.is_owed, body.length) == (False, 3)
    assert body.read(100) == b"abc"


def test_an_announced_body_over_the_limit_is_refused_before_it_comes() -> None:
    with pytest.raises(Problem, match="are allowed") as caught:
        arrival(CONTENT_LENGTH=str(LIMIT + 1))
    assert caught.value.status == 413
    assert arrival(CONTENT_LENGTH=str(LIMIT)).is_owed


def test_a_body_without_a_length_is_refused_at_the_limit(tmp_path: Path) -> None:
    body = arrival(tmp_path, limit=1_000)
    body.take(bytes(1_000))
    with pytest.raises(Problem) as caught:
        body.take(b"x")
    assert caught.value.status == 413


def test_a_body_that_the_script_does_not_read_goes_on_disk(tmp_path: Path) -> None:
    body = arrival(tmp_path, CONTENT_LENGTH=str(LIMIT))
    whole = b"".join(number.to_bytes(4, "big") for number in range(LIMIT // 4))
    for at in range(0, LIMIT, 65_536):
        body.take(whole[at : at + 65_536])
    assert body.waiting == LIMIT > MEMORY
    assert b"".join(iter(lambda: body.read(50_000), b"")) == whole


def test_what_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    body = arrival(tmp_path / "missing", CONTENT_LENGTH=str(LIMIT))
    body.take(bytes(MEMORY))
    with pytest.raises(Problem, match="cannot be kept") as caught:
        body.take(b"x")
    assert caught.value.status == 503


def test_what_the_script_does_not_want_is_not_kept(tmp_path: Path) -> None:
    body = arrival(tmp_path / "missing", CONTENT_LENGTH=str(LIMIT))
    body.take(b"abc")
    body.drop()
    assert body.waiting == 0
    body.take(bytes(LIMIT - 3))
    assert (body.is_owed, body.waiting, body.received) == (False, 0, LIMIT)
