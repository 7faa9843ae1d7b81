"""What a web server says of a request, and what of it a script gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.path import Script
from cgikit.host.problem import Problem
from cgikit.warm.allowlist import Allowlist
from cgikit.warm.requestvariables import path_of, redirected, script_environ
from cgikit.warm.settings import Settings

SCRIPT = Script("/srv/app.py", "/app.py", "/extra")
SETTINGS = Settings(root="/srv", protocol="fastcgi")


def passed(base: dict[str, str] | None = None, **variables: str) -> dict[str, str]:
    given = {"REQUEST_METHOD": "GET", **variables}
    return script_environ(given, SCRIPT, Allowlist((), base or {}), SETTINGS)[0]


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"SCRIPT_NAME": "/a", "PATH_INFO": "/b"}, ("/a", "/b")),
        ({"SCRIPT_NAME": "/a"}, ("/a", "")),
        ({"PATH_INFO": "/b"}, ("", "/b")),
        ({"REQUEST_URI": "/a%20b/c?x=/d"}, ("/a b/c", "")),
        ({"REQUEST_URI": "http://host/a"}, ("/a", "")),
        ({"REQUEST_URI": "/"}, ("/", "")),
        ({"SCRIPT_NAME": "/a", "REQUEST_URI": "/evil"}, ("/a", "")),
        ({}, ("", "")),
    ],
)
def test_the_path_of_a_request(variables: dict[str, str], path: tuple[str, str]) -> None:
    assert path_of(variables) == path


def test_without_a_method_there_is_no_request() -> None:
    for variables in ({}, {"REQUEST_METHOD": ""}):
        with pytest.raises(Problem) as found:
            script_environ(variables, SCRIPT, Allowlist(), SETTINGS)
        assert found.value.status == 400


def test_what_must_be_there_is_there() -> None:
    """R33, R36."""
    found = passed(REMOTE_ADDR="192.0.2.1", SERVER_NAME="")
    assert found["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert found["QUERY_STRING"] == ""
    assert found["REMOTE_HOST"] == "192.0.2.1"
    assert found["SERVER_NAME"] == "localhost"
    assert {"SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE", "REMOTE_ADDR"} <= found.keys()


def test_the_script_is_named_by_us() -> None:
    """S25."""
    found = passed(
        SCRIPT_NAME="/evil",
        SCRIPT_FILENAME="/bin/sh",
        PATH_INFO="/evil",
        PATH_TRANSLATED="/etc/passwd",
    )
    assert found["SCRIPT_FILENAME"] == "/srv/app.py"
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/app.py", "/extra")
    assert found["PATH_TRANSLATED"] == "/srv/extra"
    assert passed(DOCUMENT_ROOT="/www")["PATH_TRANSLATED"] == "/www/extra"
    without = script_environ(
        {"REQUEST_METHOD": "GET", "PATH_TRANSLATED": "/x"},
        Script("/f", "/f"),
        Allowlist(),
        SETTINGS,
    )
    assert "PATH_TRANSLATED" not in without[0]  # R35


def test_what_no_script_gets_is_dropped() -> None:
    """R37, S2, S25. Which names these are is tested in test_host_allowlist.py."""
    found = passed(HTTP_PROXY="x", BASH_ENV="x", OWN="x", HTTP_X="x", REDIRECT_OWN="x")
    assert {"HTTP_X", "REDIRECT_OWN"} <= found.keys()
    assert not {"HTTP_PROXY", "BASH_ENV", "OWN"} & found.keys()
    given = {"REQUEST_METHOD": "GET", "OWN": "", "AUTH_TYPE": ""}
    assert script_environ(given, SCRIPT, Allowlist(["OWN"]), SETTINGS)[0]["OWN"] == ""


@pytest.mark.parametrize(
    "name", ["CONTENT_LENGTH", "CONTENT_TYPE", "AUTH_TYPE", "REMOTE_USER", "HTTPS"]
)
def test_empty_is_absent(name: str) -> None:
    assert name not in passed(**{name: ""})
    assert passed(**{name: "1"})[name] == "1"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_nothing_replaces_what_all_scripts_get(variables: dict[str, str]) -> None:
    base = {"PATH": "/bin", "LANG": "C.UTF-8"}
    found = passed(base, **variables | {"PATH": "/evil"})
    assert not base.keys() & found.keys()


@pytest.mark.parametrize(
    ("method", "query", "words"),
    [
        ("GET", "a+b", ["a", "b"]),
        ("HEAD", "a+b", ["a", "b"]),
        ("GET", "a=b", []),
        ("GET", "", []),
        ("POST", "a+b", []),
        ("GET", "-d+x", []),
        ("GET", "%zz", []),
        ("GET", "a%2Bb+%C3%BC", ["a+b", "ü"]),
    ],
)
def test_the_words_of_the_command_line(method: str, query: str, words: list[str]) -> None:
    """R41, S27."""
    given = {"REQUEST_METHOD": method, "QUERY_STRING": query}
    assert script_environ(given, SCRIPT, Allowlist(), SETTINGS)[1] == words


def test_a_redirected_request() -> None:
    before = {
        "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "3", "CONTENT_TYPE": "a/b", "HTTP_COOKIE": "c",
        "SCRIPT_NAME": "/old", "PATH_INFO": "/x", "QUERY_STRING": "q",
    }  # fmt: skip
    assert redirected(before, "/new%20one/y/?a=b") == {
        "REQUEST_METHOD": "GET", "HTTP_COOKIE": "c", "SCRIPT_NAME": "/new one/y/", "PATH_INFO": "",
        "QUERY_STRING": "a=b", "REQUEST_URI": "/new%20one/y/?a=b", "REDIRECT_STATUS": "200",
    }  # fmt: skip
    assert redirected({"REQUEST_METHOD": "HEAD"}, "/")["REQUEST_METHOD"] == "HEAD"
    with pytest.raises(Problem):
        redirected(before, "/../..")
