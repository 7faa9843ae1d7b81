"""WSGI under real servers: all that the examples do, and what servers treat differently."""

import contextlib
import hashlib
import http.client
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sessions.redis_server import RedisServer

from .curl import curl
from .server import Server
from .test_examples import *  # noqa: F403 -- every check of the examples, on the servers below
from .wsgi_servers import gunicorn


@pytest.fixture(scope="session")
def server(under_wsgi: Server) -> Server:
    """Each WSGI server in turn, where the tests of the examples expect one that speaks CGI."""
    return under_wsgi


@contextlib.contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    """A connection for several requests, where the server keeps it."""
    url = urlsplit(server.base_url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    try:
        yield connection
    finally:
        connection.close()


def test_a_local_redirect_leads_to_the_other_page(server: Server) -> None:
    answer = curl(server.url("kinds.py/local"), "--location")
    assert (answer.status, "Hello, local!" in answer.text) == (200, True)
    assert curl(server.url("kinds.py/local")).status == 302
    assert curl(server.url("kinds.py/local"), "--data", "x=1").status == 303


def test_a_stream_arrives_whole(server: Server) -> None:
    answer = curl(server.url("kinds.py/stream"))
    assert answer.body == b"".join(b"%d\n" % n for n in range(100_000))


def test_a_body_that_fails_is_cut_and_logged(server: Server) -> None:
    with connected(server) as connection:
        connection.request("GET", "/cgi-bin/kinds.py/cut")
        answer = connection.getresponse()
        chunked = answer.getheader("Transfer-Encoding") == "chunked"
        assert chunked is (server.name != "uwsgi")
        if chunked and server.name not in ENDS_QUIETLY:
            with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
                answer.read()
        else:
            assert answer.read().startswith(b"first\n")
    assert "RuntimeError: the body failed on its way" in server.error_log()


@pytest.mark.parametrize(("kind", "length"), [("short", 10_000), ("shrink", 300_000)])
def test_what_follows_a_part_does_not_pass_for_the_rest_of_it(
    server: Server, kind: str, length: int
) -> None:
    """The next answer, another visitor's behind a proxy, came inside of the first one's body."""
    curl(server.url("kinds.py/make"))
    url = urlsplit(server.base_url)
    with socket.create_connection((url.hostname, url.port), 60) as connection:
        for path in (kind, "print"):
            request = f"GET {url.path}kinds.py/{path} HTTP/1.1\r\nHost: {url.netloc}\r\n\r\n"
            connection.sendall(request.encode())
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while data := connection.recv(65_536):
                received += data
                if b"fine" in received:
                    break
    head, _, body = received.partition(b"\r\n\r\n")
    if head.startswith(b"HTTP/1.1 500"):
        return  # nothing was out yet
    assert b"content-length: %d" % length in head.lower()
    assert len(body) < length
    assert body.strip(b"x") == b""
    assert "incident" in server.error_log()


@pytest.mark.parametrize("kind", ["over", "late"])
def test_what_goes_wrong_after_the_last_byte_does_not_cut_the_answer(
    server: Server, kind: str
) -> None:
    for _ in range(2):
        assert curl(server.url(f"kinds.py/{kind}")).body == b"x" * 10_000
    assert "incident" in server.error_log()


#: It ends the answer as if it were whole.
ENDS_QUIETLY = {"apache-mod_wsgi"}


@pytest.mark.parametrize("kind", ["fail", "exit"])
def test_a_bug_is_a_page_and_a_traceback_in_the_log(server: Server, kind: str) -> None:
    answer = curl(server.url(f"kinds.py/{kind}"))
    assert answer.status == 500
    incident = answer.text.partition("incident ")[2][:8]
    assert f"[incident {incident}] Traceback" in server.error_log()
    assert curl(server.url("hello.py")).status == 200


def test_a_print_is_not_in_the_answer(server: Server) -> None:
    answer = curl(server.url("kinds.py/print"))
    assert (answer.status, answer.text) == (200, "fine")


def test_a_file_its_ranges_and_its_head(server: Server) -> None:
    assert curl(server.url("kinds.py/make")).text == "made", server.error_log()
    whole = (server.directory / "data" / "file.bin").read_bytes()
    url = server.url("kinds.py/file")
    got = curl(url)
    assert hashlib.sha256(got.body).digest() == hashlib.sha256(whole).digest()
    assert got.header("Content-Length") == str(len(whole))
    for first, last in ((0, 99), (1_000_001, 2_000_000), (len(whole) - 1, len(whole) - 1)):
        part = curl(url, "--range", f"{first}-{last}")
        assert (part.status, part.body) == (206, whole[first : last + 1])
    head = curl(url, "--head")
    assert (head.status, head.header("Content-Length")) == (200, str(len(whole)))
    same = curl(url, "--header", f"If-None-Match: {got.header('ETag')}")
    assert (same.status, same.body) == (304, b"")


def test_text_that_is_not_ascii_arrives_as_under_cgi(server: Server) -> None:
    url = server.url("kinds.py/environ/%C3%BC%E2%82%AC%FF?q=%C3%BC")
    environ = curl(url, "--header", "Cookie: c=ü", "--header", "X-Word: ü€").json()
    assert environ["PATH_INFO"] == "/environ/ü€\udcff"
    assert environ["SCRIPT_NAME"] == "/cgi-bin/kinds.py"
    assert environ["QUERY_STRING"] == "q=%C3%BC"
    assert (environ["HTTP_COOKIE"], environ["HTTP_X_WORD"]) == ("c=ü", "ü€")


def test_the_environment_is_the_requests_alone(server: Server) -> None:
    environ = curl(server.url("kinds.py/environ"), "--header", "Proxy: http://evil/").json()
    assert "HTTP_PROXY" not in environ
    assert [name for name in environ if "." in name] == []
    needed = {"REQUEST_METHOD", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "REMOTE_ADDR"}
    assert needed <= set(environ)


@pytest.mark.parametrize("size", [0, 1, 70_000, 1_000_000])
def test_a_chunked_body_arrives_or_is_refused(server: Server, size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    chunked = ["--header", "Transfer-Encoding: chunked", "--data-binary", "@-"]
    answer = curl(server.url("kinds.py/echo"), "--request", "PUT", *chunked, stdin=body)
    if server.name in WITHOUT_CHUNKS:
        assert answer.status == WITHOUT_CHUNKS[server.name]
    else:
        assert (answer.status, answer.body == body) == (200, True)


#: It does not say where a chunked body ends.
WITHOUT_CHUNKS = {"uwsgi": 411}


def ask(
    server: Server,
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
) -> tuple[int, bytes]:
    """Ask once more on the same connection; on a new one where the server closes it unannounced."""
    connection.request(method, f"/cgi-bin/{path}", body)
    answer = connection.getresponse()
    got = answer.status, answer.read()
    if server.name == "uwsgi":
        connection.close()
    return got


@pytest.mark.parametrize("code", [204, 205, 304])
def test_what_follows_an_answer_without_a_body_is_the_next_one(server: Server, code: int) -> None:
    with connected(server) as connection:
        for _ in range(2):
            assert ask(server, connection, "GET", f"kinds.py/status?code={code}") == (code, b"")
            assert ask(server, connection, "HEAD", "hello.py") == (200, b"")


def test_a_body_that_nobody_reads_neither_cuts_the_answer_nor_becomes_a_request(
    server: Server,
) -> None:
    body = b"GET /cgi-bin/kinds.py/fail HTTP/1.1\r\nHost: x\r\n\r\n" * 200_000
    with connected(server) as connection:
        for _ in range(3):
            assert ask(server, connection, "POST", "kinds.py/unread", body) == (200, b"not read")


def test_the_working_directory_is_that_of_the_scripts(server: Server) -> None:
    assert curl(server.url("kinds.py/where")).json()[2] == str(server.directory)


def test_two_servers_share_the_sessions_in_one_redis(tmp_path: Path) -> None:
    with RedisServer("redis-server") as redis:
        environ = {"SESSIONS": redis.url}
        with gunicorn(tmp_path / "a", "shared", environ) as one:
            with gunicorn(tmp_path / "b", "shared", environ) as other:
                first = curl(one.url(""))
                assert first.text == "1", one.error_log()
                cookie = ["--cookie", first.header("Set-Cookie").partition(";")[0]]

                def visit(number: int) -> int:
                    server = (one, other)[number % 2]
                    return int(curl(server.url(""), *cookie).text)

                with ThreadPoolExecutor(8) as visitors:
                    seen = sorted(visitors.map(visit, range(40)))
                assert seen == list(range(2, 42))  # each visit counted once, on whichever machine
            # One machine is gone, and no visitor has lost his session.
            assert curl(one.url(""), *cookie).text == "42"
            assert curl(one.url("")).text == "1"  # another visitor
