"""The harness itself: each server runs a script as its own user and can be read and trusted."""

import os
import pwd
import time

import pytest

from .curl import curl
from .server import START_SECONDS, Server


def test_a_script_runs_and_sees_the_request(server: Server) -> None:
    answer = curl(server.url("probe.py/extra?a=1&b=%20"))
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/json"
    environ = answer.json()["environ"]
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["QUERY_STRING"] == "a=1&b=%20"
    assert environ["PATH_INFO"] == "/extra"
    assert server.base_url.endswith(environ["SCRIPT_NAME"].removesuffix("probe.py"))


def test_a_body_arrives(server: Server) -> None:
    answer = curl(server.url("probe.py"), "--data-binary", "@-", stdin=b"line\r\n\x00\xff")
    assert answer.json()["body"] == "line\r\n\x00\xff"
    assert answer.json()["environ"]["CONTENT_LENGTH"] == "8"


def test_what_a_script_says_on_stderr_is_in_the_log(
    server: Server, request: pytest.FixtureRequest
) -> None:
    curl(server.url("probe.py?complain"))
    # With SCGI it takes a way of its own, and may come later than the answer
    expected = request.node.get_closest_marker("xfail") is None
    deadline = time.monotonic() + (START_SECONDS if expected else 1)
    while "probe.py was here" not in server.error_log():
        assert time.monotonic() < deadline, server.error_log()
        time.sleep(0.02)


def test_a_script_runs_in_its_own_directory(server: Server) -> None:
    seen = curl(server.url("probe.py")).json()
    assert os.path.samefile(seen["directory"], server.directory)


def test_scripts_run_as_the_user_they_should(server: Server) -> None:
    expected = pwd.getpwnam(server.user).pw_uid if server.user else os.getuid()
    assert curl(server.url("probe.py")).json()["uid"] == expected


def test_what_is_missing_is_404(server: Server) -> None:
    assert curl(server.url("no-such-script.py")).status == 404


def test_r47_header_lines_end_as_http_wants(server: Server) -> None:
    answer = curl(server.url("hello.py"))
    assert answer.raw.count(b"\n") == answer.raw.count(b"\r\n") > 1


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_every_method_arrives(server: Server, method: str) -> None:
    answer = curl(server.url("probe.py"), "--request", method)
    assert answer.json()["environ"]["REQUEST_METHOD"] == method
