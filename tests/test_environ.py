"""The meta-variables: what unset, empty and malformed ones mean (RFC 3875 section 4.1)."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import environ_texts, outcome

from cgikit import BadRequest, Request
from cgikit.environ import MetaVariables

TEXTS = [
    "auth_type", "content_type", "gateway_interface", "path_info", "path_translated", "query_string",
    "remote_addr", "remote_ident", "remote_user", "script_name", "server_name", "server_port",
    "server_protocol", "server_software",
]  # fmt: skip


def meta(**environ: str) -> MetaVariables:
    return MetaVariables(environ)


@pytest.mark.parametrize("name", TEXTS)
def test_each_variable_has_an_attribute(name: str) -> None:
    assert getattr(MetaVariables({name.upper(): "Some Value"}), name) == "Some Value"
    assert getattr(Request({name.upper(): "Some Value"}), name) == "Some Value"


@pytest.mark.parametrize("name", TEXTS)
def test_empty_and_unset_mean_the_same(name: str) -> None:
    """R2."""
    assert getattr(MetaVariables({}), name) == ""
    assert getattr(MetaVariables({name.upper(): ""}), name) == ""


def test_empty_and_unset_mean_the_same_where_there_is_a_stand_in() -> None:
    """R2."""
    for environ in (
        {},
        {"REQUEST_METHOD": "", "REMOTE_HOST": "", "CONTENT_LENGTH": "", "HTTPS": ""},
    ):
        request = MetaVariables(environ)
        assert request.method == "GET"
        assert request.remote_host == ""
        assert request.content_length == 0
        assert request.is_secure is False
        assert request.protocol_version == (1, 0)
    assert meta(REMOTE_ADDR="192.0.2.1", REMOTE_HOST="").remote_host == "192.0.2.1"
    assert meta(REMOTE_ADDR="192.0.2.1", REMOTE_HOST="a.example").remote_host == "a.example"


def test_values_keep_their_case_and_methods_too() -> None:
    """R2: methods are case-sensitive; "get" is not GET."""
    assert meta(REQUEST_METHOD="get").method == "get"
    assert meta(SCRIPT_NAME="/A").script_name == "/A"


@pytest.mark.parametrize("name", ["query_string", "remote_user", "auth_type"])
def test_what_an_internal_redirect_renamed_is_found(name: str) -> None:
    """R33: httpd keeps the original in REDIRECT_* after ErrorDocument and RewriteRule."""
    variable = name.upper()
    assert getattr(MetaVariables({"REDIRECT_" + variable: "old"}), name) == "old"
    assert getattr(MetaVariables({variable: "", "REDIRECT_" + variable: "old"}), name) == "old"
    assert getattr(MetaVariables({variable: "new", "REDIRECT_" + variable: "old"}), name) == "new"


@pytest.mark.parametrize("name", sorted({*TEXTS} - {"query_string", "remote_user", "auth_type"}))
def test_nothing_else_is_taken_from_a_redirect(name: str) -> None:
    assert getattr(MetaVariables({"REDIRECT_" + name.upper(): "old"}), name) == ""


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("", 0),
        ("0", 0),
        ("42", 42),
        ("0042", 42),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, 10**18),
        ("1" * 9999, 10**18),
    ],
)
def test_content_length(text: str, length: int) -> None:
    """S15. A length beyond all limits is only that: the limit refuses it, int() does not choke."""
    assert meta(CONTENT_LENGTH=text).content_length == length


@pytest.mark.parametrize(
    "text",
    [
        "-1",
        "-0",
        "+1",
        "1_0",
        "\u0664\u0662",
        "\uff14\uff12",
        "²",
        "1, 1",
        "1,1",
        "1 1",
        " 1",
        "1 ",
        "1\n",
        "0x10",
        "1.0",
        "1e3",
        "abc",
        " ",
        "\udcff",
        "1\t",
        "NaN",
    ],
)
def test_a_length_that_two_readers_could_take_differently_is_refused(text: str) -> None:
    """S15, R8."""
    with pytest.raises(BadRequest, match="Content-Length") as caught:
        _ = meta(CONTENT_LENGTH=text).content_length
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("HTTP/1.0", (1, 0)),
        ("HTTP/1.1", (1, 1)),
        ("HTTP/2.0", (2, 0)),
        ("HTTP/2", (2, 0)),
        ("HTTP/01.010", (1, 10)),
        ("http/1.1", (1, 1)),
        ("INCLUDED", (1, 0)),
        ("", (1, 0)),
        ("HTTP/", (1, 0)),
        ("HTTP/1.", (1, 0)),
        ("HTTP/.1", (1, 0)),
        ("HTTP/-1.1", (1, 0)),
        ("HTTP/1.1.1", (1, 0)),
        ("HTTP/\uff11.\uff11", (1, 0)),
        ("HTTP/" + "9" * 5000 + ".0", (1, 0)),
    ],
)
def test_protocol_version(text: str, version: tuple[int, int]) -> None:
    """R4: as integers, leading zeros ignored; what cannot be read promises least."""
    assert meta(SERVER_PROTOCOL=text).protocol_version == version


def test_protocol_versions_compare_as_numbers() -> None:
    """R4: 2.4 is older than 2.13."""
    old, new = meta(SERVER_PROTOCOL="HTTP/2.4"), meta(SERVER_PROTOCOL="HTTP/2.13")
    assert old.protocol_version < new.protocol_version


@pytest.mark.parametrize(
    ("environ", "secure"),
    [
        ({}, False),
        ({"HTTPS": "on"}, True),
        ({"HTTPS": "ON"}, True),
        ({"HTTPS": "1"}, True),
        ({"HTTPS": "off"}, False),
        ({"HTTPS": "0"}, False),
        ({"HTTPS": "no"}, False),
        ({"HTTPS": "maybe"}, False),
        ({"REQUEST_SCHEME": "https"}, True),
        ({"REQUEST_SCHEME": "http"}, False),
        ({"HTTPS": "off", "REQUEST_SCHEME": "https"}, True),
        ({"SERVER_PORT": "443"}, False),
        ({"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ({"HTTP_HTTPS": "on"}, False),
    ],
)
def test_is_secure(environ: dict[str, str], secure: bool) -> None:
    """S20: what a client can send never makes a request secure."""
    assert MetaVariables(environ).is_secure is secure


@pytest.mark.parametrize(
    ("name", "nph"),
    [
        ("/cgi-bin/nph-a.py", True),
        ("nph-a", True),
        ("/nph-dir/a.py", False),
        ("/a-nph-.py", False),
        ("", False),
    ],
)
def test_is_nph(name: str, nph: bool) -> None:
    """R42."""
    assert meta(SCRIPT_NAME=name).is_nph is nph


variables = st.sampled_from(
    [
        *("CONTENT_LENGTH", "SERVER_PROTOCOL", "HTTPS", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"),
        *("HTTP_HOST", "SERVER_NAME", "SERVER_PORT"),
    ]
)


@given(st.dictionaries(variables, environ_texts))
def test_any_environment_gives_values_or_our_error(environ: dict[str, str]) -> None:
    request = MetaVariables(environ)
    assert isinstance(outcome(lambda: request.content_length), int | BadRequest)
    assert isinstance(outcome(request.url), str | BadRequest)
    assert isinstance(outcome(lambda: request.origin), str | BadRequest)
    for name in ("method", "protocol_version", "is_secure", "is_nph", "remote_host"):
        getattr(request, name)


@pytest.mark.parametrize("cls", [MetaVariables, Request])
def test_3_9_the_class_itself_can_be_asked_for_every_attribute(cls: type) -> None:
    """`help(Request)` and every tool that lists a class got an AttributeError."""
    for name in dir(cls):
        getattr(cls, name)
    assert cls.path_info.__doc__.startswith("The URL path after the script's name")
    assert "path_info" in dict(inspect.getmembers(cls))
