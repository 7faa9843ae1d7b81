"""Compressed answers behind every server: curl, and not our own code, reads the gzip."""

import gzip

import pytest

from .curl import curl
from .server import Server

PAGE = "<p>grün</p>\n".encode() * 200
PATHS = ["compressed.py", "compressed.py?stream=1"]


def check_compressed(server: Server, path: str) -> None:
    answer = curl(server.url(path), "--compressed")
    assert answer.status == 200, server.error_log()
    assert answer.body == PAGE
    assert answer.headers["content-encoding"] == ["gzip"]
    assert answer.headers["vary"] == ["Accept-Encoding"]
    raw = curl(server.url(path), "--header", "Accept-Encoding: gzip").body
    assert gzip.decompress(raw) == PAGE


@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_takes_gzip_gets_it(server: Server, path: str) -> None:
    check_compressed(server, path)


@pytest.mark.parametrize("path", PATHS)
def test_another_client_gets_the_page(server: Server, path: str) -> None:
    answer = curl(server.url(path))
    assert (answer.body, answer.header("Vary")) == (PAGE, "Accept-Encoding")
    assert not answer.header("Content-Encoding")


@pytest.mark.parametrize("path", PATHS)
def test_a_client_that_takes_gzip_gets_it_under_wsgi(under_wsgi: Server, path: str) -> None:
    check_compressed(under_wsgi, path)
