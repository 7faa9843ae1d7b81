"""A script that fails outside of `run`, under every server: what its client gets.

docs/reference/errors.md has the same tables.
"""

from urllib.parse import urlsplit

import pytest

from .rawhttp import Answer, exchange, read
from .server import Server

#: It has no statuses.
ALWAYS_200 = {"python-cgihttprequesthandler"}
#: It sends the log to the client, between the header and the page or inside of them.
LOGS_TO_THE_CLIENT = {"mini-httpd"}
#: Servers that cut an answer without a length if its script says that it is not whole.
CUT = {
    "apache-mod_proxy_fcgi",
    "cgikit-serve",
    "cgikit-serve-warm",
    "lighttpd-fastcgi",
    "nginx-fastcgi",
}
#: They drop the Content-Length of a script unless `ap_trust_cgilike_cl` is set, and cut nothing.
SILENT = {"apache-mod_cgi", "apache-mod_cgid", "apache-mod_proxy_scgi"}


def ask(server: Server, path: str) -> Answer:
    url = urlsplit(server.url(path))
    assert url.hostname is not None
    assert url.port is not None
    request = (
        f"GET {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nConnection: close\r\n\r\n"
    )
    return read(exchange(url.hostname, url.port, request.encode()), "GET", "HTTP/1.1")


@pytest.mark.parametrize("path", ["fails.py?import", "fails.py?buffered"])
def test_a_script_that_fails_before_it_has_sent_anything_has_a_page(
    server: Server, path: str
) -> None:
    answer = ask(server, path)
    assert answer.status == (200 if server.name in ALWAYS_200 else 500), server.error_log()
    assert answer.body.startswith(b"<!DOCTYPE html>")
    assert b"</html>" in answer.body
    assert "incident" in server.error_log() or server.name in LOGS_TO_THE_CLIENT


def test_a_script_that_python_cannot_read_has_a_page(server: Server) -> None:
    """No line of it runs: only the program of its first line can answer."""
    broken = server.directory / "broken.py"
    broken.write_text("#!/usr/bin/env -S python3 -m cgikit run\nprint('x'\n")
    broken.chmod(0o755)
    answer = ask(server, "broken.py")
    if server.name in LOGS_TO_THE_CLIENT:
        return  # a traceback of a syntax error does not even look like a header
    assert answer.status == (200 if server.name in ALWAYS_200 else 500), server.error_log()
    assert answer.body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("way", ["printed", "announced"])
def test_who_can_tell_that_an_answer_is_cut(server: Server, way: str) -> None:
    answer = ask(server, f"fails.py?{way}")
    assert answer.status == 200
    told = server.name in CUT if way == "printed" else server.name not in SILENT
    assert answer.complete == (not told)
    # A connection that is cut can lose its last pieces.
    assert answer.body.count(b"x") >= (1 if told else 300_000)
