"""HTTP_* shown as header fields, by name in any case."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import environ_texts

from cgikit import Request
from cgikit.requestheaders import RequestHeaders

ENVIRON = {
    "HTTP_USER_AGENT": "Mozilla",
    "HTTP_X_FORWARDED_FOR": "192.0.2.1",
    "HTTP_PROXY": "http://evil.example/",
    "HTTP_EMPTY": "",
    "CONTENT_TYPE": "text/plain",
    "CONTENT_LENGTH": "3",
    "HTTP_CONTENT_TYPE": "text/evil",
    "HTTPS": "on",
    "PATH": "/bin",
}


@pytest.mark.parametrize("name", ["User-Agent", "user-agent", "USER-AGENT"])
def test_names_in_any_case(name: str) -> None:
    headers = RequestHeaders(ENVIRON)
    assert headers[name] == "Mozilla"
    assert headers.get(name) == "Mozilla"
    assert name in headers
    assert Request(ENVIRON).headers[name] == "Mozilla"


@pytest.mark.parametrize(
    "name", ["X_Forwarded_For", "X_FORWARDED_FOR", "X-Forwarded_For", "HTTP_USER_AGENT"]
)
def test_a_name_with_an_underscore_finds_nothing(name: str) -> None:
    """S3: X_Foo must not pass for X-Foo."""
    headers = RequestHeaders(ENVIRON)
    assert headers["X-Forwarded-For"] == "192.0.2.1"
    assert name not in headers
    with pytest.raises(KeyError):
        headers[name]


@pytest.mark.parametrize(
    "name", ["Proxy", "PROXY", "Empty", "Https", "Path", "HTTPS", "", "Absent"]
)
def test_what_is_no_header_is_not_shown(name: str) -> None:
    """S2: HTTP_PROXY is what httpoxy sends; R2: an empty header is none."""
    headers = RequestHeaders(ENVIRON)
    assert name not in headers
    assert headers.get(name, "default") == "default"
    assert name.title() not in list(headers)


def test_content_type_and_length_are_the_server_s() -> None:
    """Some servers set HTTP_CONTENT_TYPE as well; dict() then had the name twice."""
    headers = RequestHeaders(ENVIRON)
    assert headers["Content-Type"] == "text/plain"
    assert headers["content-length"] == "3"
    assert sorted(headers) == ["Content-Length", "Content-Type", "User-Agent", "X-Forwarded-For"]
    assert len(headers) == 4
    assert "text/evil" not in dict(headers).values()


def test_it_is_a_read_only_mapping() -> None:
    headers = RequestHeaders({"HTTP_A": "1"})
    assert isinstance(headers, Mapping)
    assert dict(headers) == {"A": "1"}
    assert headers == {"A": "1"}
    assert repr(headers) == "RequestHeaders({'A': '1'})"
    with pytest.raises(TypeError):
        headers["A"] = "2"


names = st.sampled_from(
    ["HTTP_A", "HTTP_A_B", "HTTP_a", "HTTP_", "HTTP", "CONTENT_TYPE", "HTTP_CONTENT_TYPE", "HTTP_ß"]
)


@given(st.dictionaries(names | environ_texts, environ_texts))
def test_every_name_shown_is_found_once(environ: dict[str, str]) -> None:
    headers = RequestHeaders(environ)
    shown = list(headers)
    assert len(shown) == len(set(shown)) == len(headers)
    assert set(dict(headers).values()) <= set(environ.values())
