"""The head of a request, judged before waitress takes it apart: hostile ones cost no more than long.

The work is counted (see `work.py` and `backtracking.py`), never timed: it may grow by 2.5 at most where
the input doubles. One head of 4,000 bytes took waitress seconds, and its one thread serves everybody.
"""

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from backtracking import Counted
from hypothesis import given
from hypothesis import strategies as st
from waitress.adjustments import Adjustments
from waitress.parser import HTTPRequestParser, ParsingError
from work import Work, growth, instrumented

from cgikit.cli.requesthead import FIELDS, HeadRefused, sound

SIZE = 128
RATIO = 2.5
HOST = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HOST.replace(b"GET", b"POST") + b"Transfer-Encoding: chunked\r\n\r\n"

#: Requests, by what they are made of: whole, or as far as they come.
FAMILIES: dict[str, Callable[[int], bytes]] = {
    "blanks, then a control": lambda n: HOST + b"X:" + b" \t" * (n // 2) + b"\x01\r\n\r\n",
    "blanks, then a letter": lambda n: HOST + b"X:" + b" " * n + b"x\r\n\r\n",
    "a letter, then blanks": lambda n: HOST + b"X: x" + b" " * n + b"\r\n\r\n",
    "words": lambda n: HOST + b"X:" + b" x" * (n // 2) + b"\r\n\r\n",
    "words, then a control": lambda n: HOST + b"X:" + b" x" * (n // 2) + b"\x01\r\n\r\n",
    "words and blanks": lambda n: HOST + b"X:" + b"  x  " * (n // 5) + b"\r\n\r\n",
    "a long name": lambda n: HOST + b"x" * n + b"\r\n\r\n",
    "many lines": lambda n: HOST + b"a:b\r\n" * (n // 5) + b"\r\n",
    "folded lines": lambda n: HOST + b"a: b\r\n" + b" b\r\n" * (n // 4) + b"\r\n",
    "an absolute target": lambda n: b"GET http://" + b"a" * n + b" HTTP/1.1\r\n\r\n",
    "an absolute target and words": lambda n: b"GET http://" + b"a" * n + b" b c\r\n\r\n",
    "digits for a port": lambda n: b"GET http://" + b"1" * n + b" b c HTTP/1.1\r\n\r\n",
    "digits and a wrong version": lambda n: b"GET http://" + b"1" * n + b" HTTP/x\r\n\r\n",
    "colons": lambda n: b"GET " + b":" * n + b" b c\r\n\r\n",
    "schemes": lambda n: b"GET " + b"a://" * (n // 4) + b" b c\r\n\r\n",
    "a long method": lambda n: b"A" * n + b" / HTTP/1.1\r\n\r\n",
    "spaces in the first line": lambda n: b"GET" + b" " * n + b"/ HTTP/1.1\r\n\r\n",
    "digits of a length": lambda n: HOST + b"Content-Length: " + b"1" * n + b"\r\n\r\n",
    "chunk extensions": lambda n: CHUNKED + b"1" + b";a=b" * (n // 4) + b"\x01\r\n",
    "quotes in chunk extensions": lambda n: CHUNKED + b"1" + b';a="' * (n // 4) + b"\r\n",
    "escapes in chunk extensions": lambda n: CHUNKED + b'1;a="' + b"\\" * n + b"\r\n",
    "a chunk's size": lambda n: CHUNKED + b"0" * n + b"x\r\n",
}


Read = Callable[[bytes], Any]


@pytest.fixture
def parsers() -> Iterator[tuple[Work, Read, Read]]:
    """What reads a request in `cgikit serve`, and waitress alone: every operation, and every attempt of
    their patterns, is counted.
    """
    work = Work()
    modules = instrumented(
        work, "waitress.receiver", "waitress.parser", "cgikit.cli.requesthead", "cgikit.cli.channel"
    )
    _, waitress, _, channel = modules
    for module in modules:
        for name, value in list(vars(module).items()):
            if isinstance(value, re.Pattern):
                setattr(module, name, Counted(value, work))
    server = SimpleNamespace(has_room=lambda size: True)

    def ours(request: bytes) -> Any:
        parser = channel._Parser(Adjustments(), server)
        parser.received(request)
        return parser

    def theirs(request: bytes) -> Any:
        return waitress.HTTPRequestParser(Adjustments()).received(request)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(1_000_000)
    yield work, ours, theirs
    sys.setrecursionlimit(limit)


@pytest.mark.parametrize("family", FAMILIES)
def test_s16_a_hostile_request_takes_linear_work(
    parsers: tuple[Work, Read, Read], family: str
) -> None:
    work, read, _ = parsers
    ratios = growth(lambda n: read(FAMILIES[family](n)), work, SIZE)
    assert max(ratios) <= RATIO, ratios


@pytest.mark.parametrize(
    "family", ["blanks, then a letter", "blanks, then a control", "digits for a port"]
)
def test_the_counter_sees_what_waitress_does_alone(
    parsers: tuple[Work, Read, Read], family: str
) -> None:
    work, _, read = parsers
    ratios = growth(lambda n: read(FAMILIES[family](n)), work, 32)
    assert ratios[-1] > 3.5, ratios


def head(*lines: bytes, first: bytes = b"GET /a HTTP/1.1") -> bytes:
    return b"\r\n".join([first, *lines, b"", b""])


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (head(b"Host: a"), head(b"Host:a")),
        (head(b"X: \t a  b \t"), head(b"X:a  b")),
        (head(b"X:"), head(b"X:")),
        (head(b"X: a", b" b", b"\t", b"\tc", b"Y: d"), head(b"X:a b c", b"Y:d")),
        (head(b"X: \xe4"), head(b"X:\xe4")),
        (head(first=b"GET /\xc3\xa4?\xff HTTP/1.1"), head(first=b"GET /%C3%A4?%FF HTTP/1.1")),
        (head(first=b"GET /a"), head(first=b"GET /a")),
        (head(first=b"GET /a HTTP/1.0"), head(first=b"GET /a HTTP/1.0")),
        (head(first=b"GET /a HTTP/1.9"), head(first=b"GET /a HTTP/1.1")),
        (head(*[b"a: b"] * FIELDS), head(*[b"a:b"] * FIELDS)),
    ],
)
def test_what_passes(given: bytes, passed: bytes) -> None:
    assert sound(given) == passed


CHUNKS = b"Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("given", "status", "why"),
    [
        (head(b"X: a\0b"), 400, "control"),
        (head(b"X: a\rb"), 400, "control"),
        (head(b"X: a\nb"), 400, "control"),
        (head(b"X: a\x7fb"), 400, "control"),
        (head(b"X\x01: a"), 400, "control"),
        (head(first=b"GET /\x01 HTTP/1.1"), 400, "control"),
        (head(b"nonsense"), 400, "a name and a value"),
        (head(b"X : a"), 400, "a name and a value"),
        (head(b": a"), 400, "a name and a value"),
        (head(b" folded: a"), 400, "a name and a value"),
        (head(*[b"a: b"] * (FIELDS + 1)), 431, "more than 200"),
        (head(first=b"nonsense"), 400, "does not begin with"),
        (head(first=b"GET /a b HTTP/1.1"), 400, "does not begin with"),
        (head(first=b"GET  /a HTTP/1.1"), 400, "does not begin with"),
        (head(first=b"GET\t/a HTTP/1.1"), 400, "does not begin with"),
        (head(first=b"GET /a HTTP/11"), 400, "does not end with a version"),
        (head(first=b"GET /a http/1.1"), 400, "does not end with a version"),
        (head(first=b"PRI * HTTP/2.0"), 505, "speaks HTTP/1.1"),
        (head(first=b"A" * 33 + b" / HTTP/1.1"), 501, "longer than 32"),
        (head(b"Content-Length: -5"), 400, "not a number"),
        (head(b"Content-Length: 1_0"), 400, "not a number"),
        (head(b"Content-Length:"), 400, "not a number"),
        (head(b"Content-Length: " + b"9" * 5_000), 413, "too large"),
        (head(b"Content-Length: 5", b"Content-Length: 5"), 400, "more than one"),
        (head(b"Content-Length: 5", CHUNKS), 400, "both"),
        (head(CHUNKS, first=b"POST / HTTP/1.0"), 411, "no Content-Length"),
        (head(CHUNKS, CHUNKS), 501, "not chunked"),
        (head(b"Transfer-Encoding: gzip"), 501, "not chunked"),
    ],
)
def test_s15_what_is_refused(given: bytes, status: int, why: str) -> None:
    with pytest.raises(HeadRefused, match=why) as refused:
        sound(given)
    assert refused.value.error.code == status


pieces = st.sampled_from(
    (
        *(b"GET ", b"POST ", b"/a", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b": ", b"X", b"a", b" "),
        *(b"Content-Length: ", b"12", b"Transfer-Encoding: chunked", b"http://["),
        *(b"\t", b"\xe4", b"\0", b"\n"),
    )
)


@given(st.lists(pieces, max_size=20).map(b"".join) | st.binary(max_size=60))
def test_what_passes_is_taken_by_waitress_as_it_stands(request: bytes) -> None:
    try:
        passed = sound(request + b"\r\n\r\n")
    except HeadRefused:
        return
    assert sound(passed) == passed
    with contextlib.suppress(ParsingError, ValueError):  # a target or a method that is none
        HTTPRequestParser(Adjustments()).parse_header(passed)
