"""Files beside the scripts over real HTTP: types, conditions, ranges."""

import os
import socket
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from serving import Server, serve

STYLE = b"body { color: teal }\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("root")
    (root / "style.css").write_bytes(STYLE)
    (root / "page.html").write_bytes(b"<meta charset=latin1>\xe4")
    (root / "large.bin.txt").write_bytes(bytes(range(256)) * 40_000)
    return root


@pytest.fixture(scope="module")
def server(root: Path) -> Iterator[Server]:
    with serve(root, "--static") as server:
        yield server


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[HTTPResponse, bytes]:
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, headers=named)
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer, body


def test_a_file_has_its_type_and_validators(server: Server) -> None:
    answer, body = ask(server, "/style.css")
    assert (answer.status, body) == (200, STYLE)
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert answer.headers["Content-Length"] == str(len(STYLE))
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert answer.headers["Last-Modified"]
    assert ask(server, "/page.html")[0].headers["Content-Type"] == "text/html"


def test_conditions(server: Server) -> None:
    answer, _ = ask(server, "/style.css")
    for headers in (
        {"If_None_Match": answer.headers["ETag"]},
        {"If_Modified_Since": answer.headers["Last-Modified"]},
    ):
        again, body = ask(server, "/style.css", **headers)
        assert (again.status, body) == (304, b"")
        assert again.headers["ETag"] == answer.headers["ETag"]
    assert ask(server, "/style.css", If_Match='"other"')[0].status == 412


def test_ranges(server: Server, root: Path) -> None:
    answer, body = ask(server, "/large.bin.txt", Range="bytes=1000-1255")
    assert (answer.status, answer.headers["Content-Range"]) == (206, "bytes 1000-1255/10240000")
    assert body == (root / "large.bin.txt").read_bytes()[1000:1256]
    answer, _ = ask(server, "/style.css", Range="bytes=100-")
    assert (answer.status, answer.headers["Content-Range"]) == (416, "bytes */21")


def test_a_large_file_comes_whole(server: Server, root: Path) -> None:
    assert ask(server, "/large.bin.txt")[1] == (root / "large.bin.txt").read_bytes()


def test_head_has_the_length_and_no_body(server: Server) -> None:
    answer, body = ask(server, "/style.css", "HEAD")
    assert (answer.status, answer.headers["Content-Length"], body) == (200, "21", b"")


def test_only_reading_is_allowed(server: Server) -> None:
    answer, _ = ask(server, "/style.css", "POST")
    assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")


def test_a_file_that_becomes_shorter_is_cut(tmp_path: Path) -> None:
    """The rest of its length would be the next answer's."""
    place = tmp_path / "film.mp4"
    with place.open("wb") as file:
        file.truncate(64 << 20)
    with serve(tmp_path, "--static") as server, socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.settimeout(60)
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /film.mp4 HTTP/1.1\r\nHost: localhost\r\n\r\n" * 2)
        received = len(client.recv(1_000))
        os.truncate(place, 1 << 20)
        while data := client.recv(65_536):
            received += len(data)
            assert b"HTTP/1.1" not in data
        assert received < 64 << 20
        server.wait_for("declared Content-Length: 67108864, but .* The connection was cut")
