"""Cookies are kept and sent as browsers do it, for one host."""

import pytest

from cgikit.testing import Cookies

HOST, PATH = "www.example.org", "/cgi-bin/app.py"


def jar(*fields: str, path: str = PATH, secure: bool = False) -> Cookies:
    """Cookies after an answer with these Set-Cookie fields."""
    cookies = Cookies()
    for field in fields:
        cookies.take(field, HOST, path, secure)
    return cookies


@pytest.mark.parametrize(
    ("field", "path", "sent"),
    [
        ("n=1", "/cgi-bin/other.py", "n=1"),
        ("n=1", "/cgi-binx", ""),
        ("n=1", "/", ""),
        ("n=1; Path=/", "/", "n=1"),
        ("n=1; path=/cgi-bin/app.py", "/cgi-bin/app.py/x", "n=1"),
        ("n=1; Path=/cgi-bin/app", "/cgi-bin/app.py", ""),
        ("n=1; Path=here", "/cgi-bin/x", "n=1"),
        ("n = 1 ; Path=/", "/", "n=1"),
        ("n=; Path=/", "/", "n="),
        ("n", "/cgi-bin/x", ""),
        ("=1; Path=/", "/", ""),
    ],
)
def test_a_path_decides_where_it_is_sent(field, path, sent) -> None:
    assert jar(field).header(path, secure=False) == sent


@pytest.mark.parametrize(
    ("domain", "kept"),
    [
        ("www.example.org", True),
        ("EXAMPLE.org", True),
        (".example.org", True),
        ("ample.org", False),
        ("other.org", False),
        ("x.www.example.org", False),
        ("", True),
    ],
)
def test_a_domain_must_be_the_hosts_own(domain, kept) -> None:
    assert ("n" in jar(f"n=1; Domain={domain}")) is kept


@pytest.mark.parametrize(
    ("host", "domain", "kept"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "0.0.1", False),
        ("localhost", "localhost", True),
        ("www.example.org", "org", False),
        ("www.example.org", ".org", False),
    ],
)
def test_a_part_of_an_address_and_a_top_level_domain_are_no_domain(host, domain, kept) -> None:
    """They were taken; browsers drop such a cookie."""
    cookies = Cookies()
    cookies.take(f"n=1; Domain={domain}", host, PATH, False)
    assert ("n" in cookies) is kept


@pytest.mark.parametrize(("size", "kept"), [(4_095, True), (4_096, False)])
def test_a_cookie_that_is_too_long_is_dropped(size, kept) -> None:
    assert ("n" in jar("n=" + "x" * size)) is kept


def test_a_host_cookie_needs_its_path_in_words() -> None:
    """At the root the default path is "/" too, but browsers want it said."""
    assert len(jar("__Host-n=1; Secure", path="/app", secure=True)) == 0
    assert len(jar("__Host-n=1; Secure; Path=/", path="/app", secure=True)) == 1


@pytest.mark.parametrize(
    ("end", "kept"),
    [
        ("Max-Age=60", True),
        ("Max-Age=0", False),
        ("Max-Age=-1", False),
        ("Max-Age=" + "9" * 5_000, True),
        ("Max-Age=soon", True),
        ("Expires=Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("Expires=Fri, 01 Jan 2300 00:00:00 GMT", True),
        ("Expires=some day", True),
        ("Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", True),
        ("Max-Age=0; Expires=Fri, 01 Jan 2300 00:00:00 GMT", False),
    ],
)
def test_a_cookie_ends(end, kept) -> None:
    cookies = jar("n=0; Path=/", f"n=1; Path=/; {end}")
    assert cookies.get("n") == ("1" if kept else None)
    assert len(cookies) == kept


@pytest.mark.parametrize(
    ("field", "over_http", "over_https"),
    [
        ("n=1; Secure", False, True),
        ("__Secure-n=1", False, False),
        ("__Secure-n=1; Secure", False, True),
        ("__Host-n=1; Secure; Path=/", False, True),
        ("__Host-n=1; Secure", False, False),
        ("__HOST-n=1; Secure; Path=/; Domain=example.org", False, False),
        ("n=1; SameSite=None", False, False),
        ("n=1; samesite=none; Secure", False, True),
    ],
)
def test_secure_and_the_prefixes(field, over_http, over_https) -> None:
    assert len(jar(field)) == over_http
    assert len(jar(field, secure=True)) == over_https
    assert jar(field, secure=True).header("/cgi-bin/x", secure=False) == ""


def test_the_longer_path_is_sent_first_and_then_the_older_cookie() -> None:
    cookies = jar("a=1; Path=/", "b=1; Path=/", "c=1; Path=/cgi-bin", "a=2; Path=/", "a=3")
    assert cookies.header(PATH, secure=False) == "c=1; a=3; a=2; b=1"
    assert cookies["a"] == "3"
    assert list(cookies) == ["c", "a", "b"]
    del cookies["a"]
    assert cookies.header(PATH, secure=False) == "c=1; b=1"
    with pytest.raises(KeyError):
        del cookies["a"]


def test_values_are_decoded_and_encoded() -> None:
    cookies = jar("n=a%20b; Path=/")
    assert cookies["n"] == "a b"
    cookies["n"] = "ü;"
    assert cookies.header("/", secure=False) == "n=%C3%BC%3B"
    assert repr(cookies) == "Cookies({'n': 'ü;'})"
