"""maskedenviron: what a page shows of the environment (S4)."""

import pytest

from cgikit import debug
from cgikit.maskedenviron import masked


def test_the_public_name_is_in_debug() -> None:
    assert debug.masked({"B": "1", "A": "2"}) == masked({"A": "2", "B": "1"})


#: All that RFC 3875, section 4.1, has.
OF_CGI = """
AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE GATEWAY_INTERFACE PATH_INFO PATH_TRANSLATED REMOTE_ADDR
REMOTE_HOST REMOTE_IDENT REMOTE_USER REQUEST_METHOD SCRIPT_NAME SERVER_NAME SERVER_PORT
SERVER_PROTOCOL SERVER_SOFTWARE
""".split()


@pytest.mark.parametrize("name", OF_CGI)
def test_cgi_s_own_variables_are_shown(name: str) -> None:
    """REMOTE_HOST and REMOTE_USER were hidden, though the page says that these are shown."""
    assert masked({name: "x", f"REDIRECT_{name}": "y"}) == {name: "x", f"REDIRECT_{name}": "y"}


@pytest.mark.parametrize("name", ["HTTP_HOST", "HTTP_ORIGIN", "SERVER_NAME"])
def test_a_user_in_a_host_is_hidden(name: str) -> None:
    assert masked({name: "ada:geheim@localhost"}) == {name: "(hidden)"}


@pytest.mark.parametrize("name", ["PATH_INFO", "PATH_TRANSLATED", "REQUEST_URI"])
def test_parameters_of_a_path_are_hidden(name: str) -> None:
    shown = "/a;jsessionid=(hidden)/b;c"
    assert masked({name: "/a;jsessionid=0123=4/b;c"}) == {name: shown}


def test_what_is_shown_of_the_environment() -> None:
    environ = {
        "HTTP_HOST": "h",
        "CGIKIT_DEBUG": "1",
        "PATH_INFO": "/x",
        "PATH": "/bin",
        "HTTP_USER_AGENT": "x",
    }
    assert masked(environ) == environ
    assert list(masked({"B": "1", "A": "2"})) == ["A", "B"]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("QUERY_STRING", "a=1&b=2", "a=(hidden)&b=(hidden)"),
        ("QUERY_STRING", "", ""),
        ("QUERY_STRING", "word", "(hidden)"),
        ("QUERY_STRING", "dG9rZW4=", "(hidden)"),
        ("QUERY_STRING", "dG9rZQ==", "(hidden)"),
        ("QUERY_STRING", "=x&&a=b=c", "(hidden)&(hidden)&a=(hidden)"),
        ("REDIRECT_QUERY_STRING", "a=1", "a=(hidden)"),
        ("REDIRECT_REDIRECT_QUERY_STRING", "a=1", "a=(hidden)"),
        ("REQUEST_URI", "/x/y?a=1", "/x/y?a=(hidden)"),
        ("REQUEST_URI", "/x/y", "/x/y"),
        ("REQUEST_URI", "/x?", "/x?"),
        ("REQUEST_URI", "http://u:p@h/x?a=1", "(hidden)"),
        ("REDIRECT_URL", "/x?a=1", "/x?a=(hidden)"),
        ("REDIRECT_REQUEST_URI", "/x?a=1", "/x?a=(hidden)"),
        ("REDIRECT_STATUS", "404", "404"),
        ("REDIRECT_HTTP_HOST", "h", "h"),
        ("SCRIPT_URI", "http://h/x?1", "http://h/x?(hidden)"),
    ],
)
def test_s4_of_a_query_the_names_are_shown(name: str, value: str, shown: str) -> None:
    assert masked({name: value}) == {name: shown}


def test_s4_a_query_of_many_fields_is_cut() -> None:
    assert len(masked({"QUERY_STRING": "a=1&" * 20_000})["QUERY_STRING"]) < 2_000
