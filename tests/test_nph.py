"""Non-parsed headers: a whole HTTP response (RFC 3875 section 5, rule R12)."""

import io
import re

import pytest
from child import environment, run_script

from cgikit import Response
from cgikit.dates import parse_http_date
from cgikit.environ import MetaVariables


def sent(response: Response, **variables: str) -> tuple[list[str], bytes]:
    out = io.BytesIO()
    response.send(out, MetaVariables(environment(SCRIPT_NAME="/cgi-bin/nph-x.py", **variables)))
    head, _, body = out.getvalue().partition(b"\r\n\r\n")
    assert re.search(rb"[^\r]\n|\r[^\n]", head) is None
    return head.decode("ascii").split("\r\n"), body


def test_a_whole_response() -> None:
    head, body = sent(Response("<p>\n"))
    assert re.fullmatch(r"Date: .* GMT", head[2])
    assert parse_http_date(head[2][6:]) is not None
    del head[2]
    assert head == [
        "HTTP/1.1 200 OK",
        "Server: test",
        "Connection: close",
        "Content-Type: text/html; charset=utf-8",
        "Content-Length: 4",
    ]
    assert body == b"<p>\n"


@pytest.mark.parametrize(
    ("protocol", "version"),
    [
        ("HTTP/1.1", "HTTP/1.1"),
        ("HTTP/1.0", "HTTP/1.0"),
        ("HTTP/1.10", "HTTP/1.1"),
        ("HTTP/2.0", "HTTP/1.1"),
        ("HTTP/0.9", "HTTP/1.0"),
        ("INCLUDED", "HTTP/1.0"),
        ("", "HTTP/1.0"),
    ],
)
def test_the_protocol_is_honoured(protocol: str, version: str) -> None:
    head, _ = sent(Response("x", 404), SERVER_PROTOCOL=protocol)
    assert head[0] == f"{version} 404 Not Found"
    assert "Connection: close" in head


def test_a_status_is_in_the_status_line_alone() -> None:
    head, _ = sent(Response.redirect("/a"), REQUEST_METHOD="POST")
    assert head[0] == "HTTP/1.1 303 See Other"
    assert not [line for line in head if line.startswith("Status")]


def test_no_body_with_head() -> None:
    head, body = sent(Response("x"), REQUEST_METHOD="HEAD")
    assert "Content-Length: 1" in head
    assert body == b""


def test_what_the_script_sets_comes_once() -> None:
    date = "Sun, 06 Nov 1994 08:49:37 GMT"
    head, _ = sent(Response("x", headers={"Date": date, "server": "mine"}))
    assert [line for line in head if line.lower().startswith("date")] == [f"Date: {date}"]
    assert [line for line in head if line.lower().startswith("server")] == ["server: mine"]


@pytest.mark.parametrize("name", ["Connection", "Transfer-Encoding", "Keep-Alive"])
def test_no_other_connection_is_signalled(name: str) -> None:
    with pytest.raises(ValueError, match="only the server may send it"):
        sent(Response("x", headers={name: "keep-alive"}))


@pytest.mark.parametrize("software", ["a\r\nX: y", "a\x00", "ü"])
def test_s1_a_servers_name_injects_nothing(software: str) -> None:
    head, _ = sent(Response("x"), SERVER_SOFTWARE=software)
    assert not [line for line in head if line.startswith(("Server", "X"))]


def test_a_server_without_a_name() -> None:
    assert "Server: cgikit" in sent(Response("x"), SERVER_SOFTWARE="")[0]


def test_a_streamed_script(tmp_path) -> None:
    answer = run_script(
        tmp_path,
        "run(lambda request: Response.stream(iter(['a', 'b']), 'text/plain'))",
        SCRIPT_NAME="/nph-x.py",
    )
    assert answer.head[0] == "HTTP/1.1 200 OK"
    assert answer.body == b"ab"
    assert (answer.errors, answer.code) == ("", 0)


def test_an_error_page(tmp_path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", SCRIPT_NAME="/nph-x.py")
    assert answer.head[0] == "HTTP/1.1 500 Internal Server Error"
    assert "<h1>500 Internal Server Error</h1>" in answer.page
