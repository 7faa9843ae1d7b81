"""Meta-variables: R29 to R38, R41; S2, S3, S24, S27."""

import os
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.environ import (
    ServerRequest,
    http_variables,
    inherited,
    meta_variables,
    with_old_modules,
)
from cgikit.host.path import Script, locate, url_path

SCRIPT = Script("/srv/cgi/a.py", "/a.py")
GET = ServerRequest("GET", "/a.py")


def variables(request: ServerRequest = GET, script: Script = SCRIPT) -> dict[str, str]:
    return meta_variables(request, script, "/srv/cgi", "test/1")


def test_r33_what_is_always_set() -> None:
    found = variables()
    assert found == {
        "DOCUMENT_ROOT": "/srv/cgi",
        "GATEWAY_INTERFACE": "CGI/1.1",
        "PATH_INFO": "",
        "QUERY_STRING": "",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1",  # R36
        "REQUEST_METHOD": "GET",
        "REQUEST_SCHEME": "http",
        "REQUEST_URI": "/a.py",
        "SCRIPT_FILENAME": "/srv/cgi/a.py",
        "SCRIPT_NAME": "/a.py",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_SOFTWARE": "test/1",
    }


def test_r35_path_translated_comes_with_path_info() -> None:
    script = Script("/srv/cgi/a.py", "/a.py", "/x/y")
    assert variables(script=script)["PATH_TRANSLATED"] == "/srv/cgi/x/y"
    assert "PATH_TRANSLATED" not in variables()


def test_r31_r32_body_variables_if_and_only_if_there_is_a_body() -> None:
    post = ServerRequest("POST", "/a.py", content_length=0, content_type="text/plain")
    assert variables(post)["CONTENT_LENGTH"] == "0"
    assert variables(post)["CONTENT_TYPE"] == "text/plain"
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE"} & variables().keys()


def test_r30_and_https() -> None:
    request = ServerRequest("GET", "/a.py", scheme="https", auth_type="Basic", remote_user="kim")
    found = variables(request)
    assert (found["AUTH_TYPE"], found["REMOTE_USER"], found["HTTPS"]) == ("Basic", "kim", "on")
    assert not {"AUTH_TYPE", "REMOTE_USER", "HTTPS"} & variables().keys()


def test_r37_fields_of_one_name_are_joined() -> None:
    fields = [("Accept", "a"), ("Cookie", "x=1"), ("accept", "b"), ("Cookie", "y=2")]
    assert http_variables(fields) == {"HTTP_ACCEPT": "a, b", "HTTP_COOKIE": "x=1; y=2"}


@pytest.mark.parametrize(
    "name",
    ["Proxy", "PROXY", "Authorization", "Proxy-Authorization", "Content-Length", "content-type"],
)
def test_s2_r37_not_passed(name: str) -> None:
    assert http_variables([(name, "evil")]) == {}


@pytest.mark.parametrize("name", ["X_Foo", "X Foo", "X.Foo", "", "X=Y", "é", "X\0", "X\n"])
def test_s3_names_that_could_pass_for_others(name: str) -> None:
    assert http_variables([(name, "evil"), ("X-Foo", "good")]) == {"HTTP_X_FOO": "good"}


def test_values() -> None:
    fields = [("A", "x\0y"), ("B", "a\r\n b"), ("C", "ü\x85"), ("D", "\udcff")]
    assert http_variables(fields) == {"HTTP_B": "a b", "HTTP_C": "ü\x85", "HTTP_D": "\udcff"}


def test_a_header_cannot_set_a_meta_variable() -> None:
    request = ServerRequest("GET", "/a.py", headers=(("Script-Name", "/x"), ("Host", "h")))
    found = variables(request)
    assert (found["SCRIPT_NAME"], found["HTTP_SCRIPT_NAME"]) == ("/a.py", "/x")


def test_s24_allow_list() -> None:
    own = {
        "PATH": "/bin",
        "LANG": "C",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SECRET": "s",
        "PATHOLOGY": "p",
        "LC_x": "n",
        "LD_PRELOAD": "l",
    }
    assert inherited(own) == {"PATH": "/bin", "LANG": "C", "LC_ALL": "C", "TZ": "UTC"}
    assert inherited(own, ["SECRET", "UNSET"], path_first="/venv/bin") == {
        "PATH": "/venv/bin:/bin",
        "LANG": "C",
        "LC_ALL": "C",
        "TZ": "UTC",
        "SECRET": "s",
    }


def test_a_local_redirect_is_a_new_request() -> None:
    post = ServerRequest("POST", "/a", "q", content_length=3, content_type="x/y")
    assert post.redirected("/b?c") == ServerRequest("GET", "/b", "c")
    assert ServerRequest("HEAD", "/a").redirected("/b").method == "HEAD"


# The letters of names that hold in a URL as they are, and those that do not
letters = st.sampled_from(string.ascii_letters + "%+?#;=& äß€:@~.\udc80")
parts = st.text(letters, min_size=1, max_size=8).filter(lambda p: set(p) != {"."})


@given(st.lists(parts, max_size=4), st.booleans(), st.text(string.printable[:94].replace("#", "")))
def test_r29_the_script_uri_round_trips(
    tmp_path_factory: pytest.TempPathFactory, rest: list[str], slash: bool, query: str
) -> None:
    root = tmp_path_factory.getbasetemp() / "r29"
    root.mkdir(exist_ok=True)
    script = root / "sü b%20.py"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    info = "".join("/" + part for part in rest) + ("/" if slash else "")
    first = locate(str(root), url_path("/sü b%20.py" + info))
    assert isinstance(first, Script)
    found = meta_variables(ServerRequest("GET", "/", query), first, str(root), "s")
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == ("/sü b%20.py", info)
    uri = url_path(found["SCRIPT_NAME"] + found["PATH_INFO"])
    assert locate(str(root), uri) == first
    assert found["QUERY_STRING"] == query
    assert Path(first.file) == script


def test_old_modules_come_first_on_the_path() -> None:
    made = with_old_modules({"PYTHONPATH": "/x", "PATH": "/bin"})
    first, second = made["PYTHONPATH"].split(":")
    assert (second, made["PATH"]) == ("/x", "/bin")
    assert os.path.isfile(f"{first}/cgi.py")
    assert with_old_modules({})["PYTHONPATH"] == first
