"""Requests that break their own rules, under every server: a clear error, and nothing is used."""

import contextlib
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

import pytest

from .curl import Answer, curl, read
from .server import Server

MULTIPART = "multipart/form-data; boundary=limit"
URLENCODED = "application/x-www-form-urlencoded"
MIB = 1 << 20


def part(name: bytes, value: bytes) -> bytes:
    """One text field of a multipart body."""
    return b'--limit\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name, value)


def post(server: Server, body: Iterable[bytes], content_type: str, length: int) -> Answer:
    """Send a body that may not be as long as `length` says, and read the answer."""
    url = urlsplit(server.url("form.py"))
    with socket.create_connection((url.hostname, url.port), timeout=60) as connection:
        head = (
            f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: {content_type}\r\n"
            f"Content-Length: {length}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode())
        try:
            for piece in body:
                connection.sendall(piece)
                length -= len(piece)
            if length > 0:  # say that no more will come
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before its end; the answer is there already
        raw = b""
        with contextlib.suppress(ConnectionResetError):  # closed with some of the body unread
            while piece := connection.recv(65_536):
                raw += piece
    header, *rest = re.split(rb"\r?\n\r?\n", raw, maxsplit=1)
    return read(header, b"".join(rest))


def test_a_body_that_ends_early(server: Server) -> None:
    answer = post(server, [b"name=Ada&text="], URLENCODED, 100)
    assert answer.status == 400  # by httpd in its own words, which does not tell the script
    assert "ended after 14" in answer.text or server.name != "cgikit-serve"
    assert "Ada" not in answer.text


def test_a_body_that_is_longer_than_it_says(server: Server) -> None:
    answer = post(server, [b"name=Ada&text=GET /evil HTTP/1.1\r\n\r\n"], URLENCODED, 8)
    assert answer.status == 200
    assert "<td>Ada</td>" in answer.text
    assert "evil" not in answer.text


@pytest.mark.parametrize("length", ["-5", "+5", "1_0", "5, 6", "five"])
def test_s15_a_length_that_is_none(server: Server, length: str) -> None:
    answer = curl(
        server.url("form.py"), "--data", "name=Ada", "--header", f"Content-Length: {length}"
    )
    assert answer.status == 400
    assert "Ada" not in answer.text


@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
def test_s14_10001_fields(server: Server, content_type: str) -> None:
    body = b"&".join([b"a=1"] * 10_001)
    if content_type == MULTIPART:
        body = part(b"a", b"1") * 10_001 + b"--limit--\r\n"
    answer = curl(
        server.url("form.py"),
        *("--header", f"Content-Type: {content_type}", "--data-binary", "@-"),
        stdin=body,
    )
    assert answer.status == 413
    assert "too many fields (limit 1,000)" in answer.text


@pytest.mark.parametrize(("mebibytes", "words"), [(1024, ""), (65, "too large (limit 64 MB)")])
def test_s14_a_field_of_a_gibibyte(server: Server, mebibytes: int, words: str) -> None:
    """Made while it is sent. A gibibyte is what the servers refuse, 65 MiB the script."""
    start, end = part(b"a", b"").removesuffix(b"\r\n"), b"\r\n--limit--\r\n"
    body = (start, *([b"x" * MIB] * mebibytes), end)
    answer = post(server, body, MULTIPART, len(start) + mebibytes * MIB + len(end))
    assert answer.status == 413
    assert words in answer.text


def test_no_boundary(server: Server) -> None:
    body = part(b"a", b"1") + b"--limit--\r\n"
    for content_type, words in (
        ("multipart/form-data", "has no boundary"),
        ("multipart/form-data; boundary=other", "malformed multipart body"),
    ):
        answer = post(server, [body], content_type, len(body))
        assert answer.status == 400
        assert words in answer.text


def test_nul_in_a_name(server: Server) -> None:
    body = part(b"a\0b", b"1") + b"--limit--\r\n"
    answer = post(server, [body], MULTIPART, len(body))
    assert answer.status == 400
    assert "NUL" in answer.text
    # An escape is data, and stays it: WHATWG's form encoding has no forbidden characters
    answer = post(server, [b"a%00b=1"], URLENCODED, 7)
    assert "<td>a\0b</td>" in answer.text


@pytest.mark.parametrize("evil", ["%0d%0aX-Evil:%201", "%0aX-Evil:%201", "%0d%0a%0d%0a%3Cb%3E"])
def test_s1_nothing_gets_into_the_header(server: Server, evil: str) -> None:
    answer = curl(server.url(f"redirect.py?to=/x{evil}"))
    assert answer.status == 400
    cookie = curl(server.url("cookies.py"), "--data", f"do=save&colour=mint&greeting=x{evil}")
    assert cookie.status == 303
    assert any(value.startswith("greeting=x%0") for value in cookie.headers["set-cookie"])
    for found in (answer, cookie):
        assert "x-evil" not in found.headers
