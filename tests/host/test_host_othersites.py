"""Requests that a page of another site makes (Fetch Metadata, RFC 6454)."""

import pytest

from cgikit.host.environ import ServerRequest
from cgikit.host.othersites import check_site
from cgikit.host.problem import Problem

EVIL = ("Origin", "https://evil.example")
CROSS = ("Sec-Fetch-Site", "cross-site")
CLICK = (
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-Dest", "document"),
    ("Sec-Fetch-User", "?1"),
)
FIELDS = list[tuple[str, str]]


def refused(fields: FIELDS, *allowed: str, method: str = "GET") -> str:
    """What a request with these fields is told; "" where it is let in."""
    headers = (("Host", "localhost:8000"), *fields)
    try:
        check_site(ServerRequest(method, "/a.py", headers=headers), allowed)
    except Problem as problem:
        return f"{problem.status} {problem.log_text}"
    return ""


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("POST", []),  # curl
        ("GET", [("Referer", "https://search.example/?q")]),  # an old browser that follows a link
        ("POST", [("Origin", "http://localhost:8000")]),
        ("POST", [("Origin", "HTTP://LOCALHOST:8000")]),
        ("POST", [("Sec-Fetch-Site", "same-origin"), ("Origin", "null")]),
        ("POST", [("Sec-Fetch-Site", "same-site"), ("Origin", "http://localhost:3000")]),
        ("GET", [("Sec-Fetch-Site", "none")]),
        ("GET", [CROSS, *CLICK]),
        ("HEAD", [CROSS, *CLICK]),
    ],
)
def test_what_is_let_in(method: str, fields: FIELDS) -> None:
    assert refused(fields, method=method) == ""


@pytest.mark.parametrize(
    ("method", "fields"),
    [
        ("GET", [CROSS]),
        ("POST", [CROSS, *CLICK]),  # a form of theirs that somebody sends
        ("GET", [CROSS, *CLICK[:2]]),  # a script that goes there
        ("GET", [CROSS, CLICK[0], ("Sec-Fetch-Dest", "iframe"), CLICK[2]]),
        ("GET", [CROSS, ("Sec-Fetch-Mode", "no-cors"), *CLICK[1:]]),
        ("GET", [("Sec-Fetch-Site", "something-new")]),
        ("POST", [EVIL]),
        ("POST", [("Origin", "null")]),
        ("POST", [("Origin", "https://localhost:8000")]),
        ("POST", [("Origin", "http://localhost:8001")]),
        ("OPTIONS", [EVIL, CROSS]),
    ],
)
def test_what_is_refused(method: str, fields: FIELDS) -> None:
    assert "--allow-origin" in refused(fields, method=method)


def test_the_site_is_named_in_the_fix() -> None:
    assert "--allow-origin https://evil.example if" in refused([EVIL, CROSS])
    assert "--allow-origin http://a:81 if" in refused([CROSS, ("Referer", "http://a:81/b?c")])


def test_sites_that_are_allowed() -> None:
    """Pictures and other GET requests have no Origin: their Referer says where they come from."""
    referer = ("Referer", "https://evil.example/page")
    for fields in ([EVIL, CROSS], [referer, CROSS], [EVIL]):
        for allowed in ("https://evil.example", "*"):
            assert refused(fields, allowed, method="POST") == ""
        assert refused([*fields[:1], CROSS], "https://other.example")
    assert refused([("Origin", "null"), CROSS], "null", method="POST") == ""
    assert refused([CROSS], "null")
