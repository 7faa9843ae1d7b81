"""What one connection of `cgikit serve` may do: whatever it sends, it gets one answer and one log line.

Raw requests, one a connection. A connection that was closed without a word, a traceback on the console,
two answers, or an answer that closing takes away are the faults that this kind has had.
"""

import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from serving import Server, serve, until

SCRIPTS = Path(__file__).parents[1] / "scripts"
GET = b"GET /env.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
POST = GET.replace(b"GET", b"POST")
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"

#: name: (request, status of the answer).
REQUESTS: dict[str, tuple[bytes, int]] = {
    "a chunk of no size": (CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk of a negative size": (CHUNKED + b"-5\r\nabc\r\n0\r\n\r\n", 400),
    "a chunk of 2**80 bytes": (CHUNKED + b"f" * 20 + b"\r\nabc", 413),
    "a chunk that goes on": (CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n", 400),
    "a huge extension of a chunk": (
        CHUNKED + b"5;" + b"a" * 20_000 + b"\r\nabcde\r\n0\r\n\r\n",
        400,
    ),
    "an endless extension of a chunk": (CHUNKED + b"5;" + b"a" * 20_000, 400),
    "an endless trailer": (CHUNKED + b"0\r\nX: " + b"a" * 20_000, 400),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\n", 400),
    "a length with a sign": (POST + b"Content-Length: +5\r\n\r\nabcde", 400),
    "a length of 5,000 digits": (POST + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n", 413),
    "two lengths": (POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcde", 400),
    "a length and chunks": (
        POST + b"Content-Length: 5\r\n" + CHUNKED[len(POST) :] + b"0\r\n\r\n",
        400,
    ),
    "chunks in HTTP/1.0": (CHUNKED.replace(b"1.1", b"1.0") + b"0\r\n\r\n", 411),
    "chunks twice": (POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 501),
    "another coding": (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    "a line without a colon": (GET + b"nonsense\r\n\r\n", 400),
    "a space before the colon": (GET + b"X : y\r\n\r\n", 400),
    "NUL": (GET + b"X: a\0b\r\n\r\n", 400),
    "NUL in the target": (GET.replace(b".py", b".py?a\0b") + b"\r\n", 400),
    "a bare CR": (GET + b"X: a\rb\r\n\r\n", 400),
    "bare LFs": (GET.replace(b"\r", b"") + b"\n", 400),
    "a fold of nothing": (b"GET /env.py HTTP/1.1\r\n folded: x\r\n\r\n", 400),
    "a long method": (b"A" * 60_000 + b" /env.py HTTP/1.1\r\n\r\n", 501),
    "a method in small letters": (GET.replace(b"GET", b"get") + b"\r\n", 400),
    "HTTP/0.9": (b"GET /env.py\r\n\r\n", 200),
    "HTTP/1.9": (GET.replace(b"1.1", b"1.9") + b"\r\n", 200),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/11": (b"GET /env.py HTTP/11\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    "an absolute target": (GET.replace(b"/env", b"http://localhost/env") + b"\r\n", 200),
    "a bad address in the target": (GET.replace(b"/env", b"http://[/env") + b"\r\n", 400),
    "a host as the target": (b"CONNECT localhost:80 HTTP/1.1\r\nConnection: close\r\n\r\n", 400),
    "an asterisk": (b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
    "no slash": (GET.replace(b"/env", b"env") + b"\r\n", 400),
    "Expect without a body": (GET + b"Expect: 100-continue\r\n\r\n", 200),
    "Expect and too long a body": (
        POST + b"Expect: 100-continue\r\nContent-Length: 9999999999\r\n\r\n",
        413,
    ),
    "blank lines first": (b"\r\n\r\n" + GET + b"\r\n", 200),
    "3,000 fields": (GET + b"a: b\r\n" * 3_000 + b"\r\n", 431),
    "60,000 blanks and a control": (GET + b"X:" + b" \t" * 30_000 + b"\x01\r\n\r\n", 400),
    "60,000 blanks and a letter": (GET + b"X:" + b" " * 60_000 + b"x\r\n\r\n", 200),
    "60,000 digits": (b"GET http://" + b"1" * 60_000 + b" x y HTTP/1.1\r\n\r\n", 400),
    "70,000 bytes": (GET + b"X: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    "too long a body, and 8 MiB of it": (
        POST + b"Content-Length: 9999999999\r\n\r\n" + bytes(8 << 20),
        413,
    ),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(SCRIPTS) as server:
        yield server


@pytest.mark.parametrize("name", REQUESTS)
def test_r28_a_request_gets_one_answer_and_one_line_in_the_log(server: Server, name: str) -> None:
    request, status = REQUESTS[name]
    seen, received = len(server.lines), b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:

        def send() -> None:
            with suppress(OSError):  # it has said no
                client.sendall(request)

        sender = threading.Thread(target=send)
        sender.start()
        while data := client.recv(65_536):
            received += data
        client.shutdown(socket.SHUT_RDWR)
        sender.join()
    assert [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d+) ", received)] == [status]
    assert until(lambda: len(server.lines) > seen)
    (line,) = server.lines[seen:]
    assert re.search(rf" {status} ", line)
    if status != 200:
        assert received.endswith(b"</main></body></html>\n")


def test_the_answer_to_head_that_is_refused_has_no_body(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as client:
        client.sendall(b"HEAD /env.py HTTP/1.1\r\nX: a\0b\r\n\r\n")
        received = b""
        while data := client.recv(65_536):
            received += data
    assert re.match(rb"HTTP/1\.[01] 400 ", received)
    assert received.endswith(b"\r\n\r\n")
