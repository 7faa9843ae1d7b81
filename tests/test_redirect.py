"""Redirects: which locations are refused, what status they get, how relative ones resolve."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import CONTROLS, environ_texts, noisy, placements, texts

from cgikit import CGIError, Response
from cgikit.environ import MetaVariables
from cgikit.redirect import check_location

BASE = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "/cgi-bin/x.py",
    "SERVER_NAME": "a.example",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
}


def answer(response: Response, **environ: str) -> tuple[int, str]:
    """The status and the Location that go out."""
    status, fields, _ = response.answer(MetaVariables({**BASE, **environ}))
    return status, dict(fields)["Location"]


@pytest.mark.parametrize(
    "location",
    [
        "",
        " ",
        "//h",
        "///h",
        "////h",
        "/\\h",
        "\\/h",
        "\\\\h",
        "\\h",
        "/a\\b",
        "http:\\\\h",
        "/\t/h",
        "\t//h",
        "/\r/h",
        "//\th",
        "ht\ttp://h",
        "java\nscript:x",
        "http://h\r\nX: y",
        "/a\0",
        " //h",
        "/ /h",
        "/a b",
        "//h ",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "jAvAsCrIpT://a.example/%0aalert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://h/",
        "mailto:a@h",
        "about:blank",
        "blob:http://h/x",
        "urn:a",
        "http:h",
        "http:/h",
        "http:///h",
        "http:////h",
        "http:?h",
        "http:#h",
        "http:",
        "http://",
        "https://?a",
        "https://#a",
        "HTTPS:h",
        "http+x://h",
        ":80",
        "a:b",
        "1:2",
        "http ://h",
        "http://a.example@h/",
        "http://a.example:80@h",
        "https://u:p@h",
        "http://a.example%2f@h",
        "/a\u202eb",
        "/a\u2028b",
        "/\u202ea",
        "/\ud800",
        "//\uff0fh",
        "//h\u2066",
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_locations_that_lead_astray_are_refused(location: str, local: bool) -> None:
    """S21: browsers drop tabs and line ends, read a backslash as a slash, and //h as a host."""
    with pytest.raises(ValueError, match=r"location|URL|site|user name") as caught:
        Response.redirect(location, local=local)
    assert not isinstance(caught.value, CGIError)


@pytest.mark.parametrize(
    "location",
    ["http://h", "https://h/", "HTTP://hostile.example/", "https://h:8443/a?b#c", "https://[::1]/"],
)
def test_other_sites_only_when_the_script_says_so(location: str) -> None:
    """S21: `local=True` is for every location that comes from outside."""
    status, sent = answer(Response.redirect(location))
    assert (status, sent) == (302, location)
    with pytest.raises(ValueError, match="leads to another site"):
        Response.redirect(location, local=True)


@pytest.mark.parametrize(
    ("location", "sent"),
    [
        ("/", "/"),
        ("/a/b?c=d#e", "/a/b?c=d#e"),
        ("/a//b", "/a//b"),
        ("/a?u=http://h/&v=//h", "/a?u=http://h/&v=//h"),
        ("/a:b", "/a:b"),
        ("/a@b", "/a@b"),
        ("/%0d%0aX", "/%0d%0aX"),
        ("/%5c%5ch", "/%5c%5ch"),
        ("/ü?ö#ä", "/%C3%BC?%C3%B6#%C3%A4"),
        ("/a\"b<c>'", "/a%22b%3Cc%3E'"),
        ("/\uff0fh", "/%EF%BC%8Fh"),
        ("y.py", "/cgi-bin/y.py"),
        ("./y.py", "/cgi-bin/y.py"),
        ("../y", "/y"),
        ("../../../y", "/y"),
        ("?x=1", "/cgi-bin/x.py?x=1"),
        ("#f", "/cgi-bin/x.py#f"),
        ("./a:b", "/cgi-bin/a:b"),
        ("ü", "/cgi-bin/%C3%BC"),
        (".", "/cgi-bin/"),
    ],
)
@pytest.mark.parametrize("local", [False, True])
def test_local_locations(location: str, sent: str, local: bool) -> None:
    """R21: a relative location is never sent, it is resolved by this request's URL."""
    assert answer(Response.redirect(location, local=local)) == (302, sent)


def test_a_relative_location_keeps_the_query_only_for_a_fragment() -> None:
    assert answer(Response.redirect("#f"), QUERY_STRING="a=1")[1] == "/cgi-bin/x.py?a=1#f"
    assert answer(Response.redirect("?b=2"), QUERY_STRING="a=1")[1] == "/cgi-bin/x.py?b=2"
    assert answer(Response.redirect("y"), PATH_INFO="/p/q")[1] == "/cgi-bin/x.py/p/y"


@pytest.mark.parametrize("bad", CONTROLS)
def test_no_control_gets_into_a_location(bad: str) -> None:
    """S1, S21."""
    for text in (
        *placements(bad, "/path"),
        *placements(bad, "http://a.example/"),
        *placements(bad, "y.py"),
    ):
        with pytest.raises(ValueError, match="is not a valid location"):
            Response.redirect(text)


#: How a browser reads a location before it follows it (WHATWG URL section 4.4).
def as_a_browser(base: str, location: str) -> str:
    location = location.strip("".join(map(chr, range(0x21))))
    for dropped in "\t\r\n":
        location = location.replace(dropped, "")
    head, hash_, fragment = location.partition("#")
    path, question, query = head.partition("?")
    return urljoin(base, path.replace("\\", "/") + question + query + hash_ + fragment)


dangerous = st.lists(
    st.sampled_from(
        "/ // \\ \t http: https: javascript: h @ : . .. ? # a.example %2f %5c ü \r\n \xa0 \u3000 \xad "
        "\u200d \u200f \uff0f \ufeff".split(" ")
    )
).map("".join)


@given(dangerous | noisy | texts, dangerous | environ_texts)
@example(".//h", "")
@example("..//h", "")
@example("", "//h")
def test_what_is_local_stays_here(location: str, path_info: str) -> None:
    """S21: whatever passes as local leads a browser to this host."""
    try:
        response = Response.redirect(location, local=True)
        sent = answer(response, SCRIPT_NAME="", PATH_INFO=path_info)[1]
    except ValueError:
        return
    assert sent.startswith("/")
    reached = urlsplit(as_a_browser("http://a.example/x", sent))
    assert (reached.scheme, reached.netloc) == ("http", "a.example")


@given(dangerous | noisy | texts)
def test_what_is_no_local_location_is_http(location: str) -> None:
    try:
        sent = check_location(location, False)
    except ValueError:
        return
    reached = urlsplit(as_a_browser("http://a.example/x", sent))
    assert reached.scheme in {"http", "https"}
    assert reached.username is None
    assert reached.netloc == "a.example" or location.lower().startswith(("http://", "https://"))


# --- status -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "status"),
    [("GET", 302), ("HEAD", 302), ("POST", 303), ("PUT", 303), ("PATCH", 303), ("DELETE", 303)],
)
def test_a_reload_does_not_send_the_form_again(method: str, status: int) -> None:
    assert answer(Response.redirect("/a"), REQUEST_METHOD=method)[0] == status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_chosen_status_stays(status: int, method: str) -> None:
    assert answer(Response.redirect("/a", status), REQUEST_METHOD=method)[0] == status


@pytest.mark.parametrize(
    ("status", "sent"), [(None, 302), (301, 301), (302, 302), (303, 302), (307, 302), (308, 301)]
)
@pytest.mark.parametrize("protocol", ["HTTP/1.0", "", "INCLUDED"])
def test_an_old_client_gets_a_code_it_knows(status: int | None, sent: int, protocol: str) -> None:
    """R10: look at SERVER_PROTOCOL before codes that only HTTP/1.1 has."""
    response = Response.redirect("/a", status)
    assert answer(response, REQUEST_METHOD="POST", SERVER_PROTOCOL=protocol)[0] == sent


@pytest.mark.parametrize("status", [200, 300, 304, 305, 306, 404, 0, -1, 3020])
def test_other_codes_are_no_redirects(status: int) -> None:
    with pytest.raises(ValueError, match="is not a redirect; use 301"):
        Response.redirect("/a", status)


def test_the_body_is_a_link_that_is_escaped() -> None:
    """R18: a client redirect with document has a type and a body. S4: which says nothing raw."""
    _, fields, chunks = Response.redirect("/a?b=1&c='\"<x>").answer(MetaVariables(BASE))
    body = b"".join(chunks)
    assert dict(fields)["Content-Type"] == "text/html; charset=utf-8"
    assert b'href="/a?b=1&amp;c=&#x27;%22%3Cx%3E"' in body
