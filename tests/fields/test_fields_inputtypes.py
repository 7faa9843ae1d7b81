"""Which values an input can have: the examples of the HTML standard, and what Python would take."""

import pytest

from cgikit.fields.inputtypes import fits, is_email, is_url

GOOD = {
    "number": "0 -0 1 -1.5 .5 1e3 1E-3 1e+3 007",
    "date": "2030-01-31 0001-01-01 9999-12-31 2028-02-29",
    "time": "00:00 23:59 12:30:59 12:30:59.5 12:30:59.123",
    "month": "2030-01 2030-12",
    "week": "2030-W01 2026-W53",
    "color": "#000000 #AbCdEf",
}
BAD = {
    "number": "1. + +1 - . e3 1e 1e+ 1e++3 1_0 nan inf 1e999 ٣ 1,5 0x1 --1 1.5.5 -",
    "date": "2030-02-29 2030-1-1 20300101 30-01-01 2030-W01-1 0000-01-01 2030-13-01 ٢030-01-01 x",
    "time": "24:00 12:60 12 12:3 12:30: 12:30:60 12:30:59. 12:30:59.1234 12:30.5 1٢:30",
    "month": "2030 2030-13 2030-1 2030-01-01",
    "week": "2030-W54 2025-W53 2030-01 2030-W1 W01",
    "color": "red #fff #0000000 #00000g 000000",
}
LOCAL = ["2030-01-31T12:30", "2030-01-31 12:30", "2030-01-31T12:30:59"]
NOT_LOCAL = ["2030-01-31", "2030-01-31T", "2030-01-31T24:00", "2030-02-31T12:00", "12:30",
             "2030-01-31T12:30Z", "2030-01-31T12:30+02:00"]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, v in GOOD.items() for t in v.split()])
def test_valid(kind: str, text: str) -> None:
    assert fits(kind, text)


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, v in BAD.items() for t in v.split()])
def test_not_valid(kind: str, text: str) -> None:
    assert not fits(kind, text)


@pytest.mark.parametrize("kind", sorted({*GOOD, "range", "email", "url", "datetime-local"}))
def test_white_space_and_nothing_are_no_values(kind: str) -> None:
    assert not fits(kind, " ")
    assert not fits(kind, "\n")
    assert not fits(kind, "")


def test_a_date_and_time() -> None:
    assert all(fits("datetime-local", text) for text in LOCAL)
    assert [text for text in NOT_LOCAL if fits("datetime-local", text)] == []


@pytest.mark.parametrize(
    "text",
    [
        "a@b",
        "ada.lovelace+x@mail.example.org",
        "o'neil@example.org",
        "a@xn--mnchen-3ya.de",
        "a@1.2",
    ],
)
def test_addresses(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text",
    ["a", "@b", "a@", "a b@c", "a@b c", "a@b..c", "a@.b", "a@b.", "a@-b", "a@b-", "a@@b", "a\n@b",
     "a@b\n", "a@b\r\nBcc: x@y", '"a"@b', "a@[1.2.3.4]", "ä@b", "a@ä", "a@" + "b" * 64,
     "a@" + "b." * 130 + "c", "a,b@c", "<a@b>",
     "=?utf-8?b?dmljdGltQHkueiwgeA==?=@x.org", "a=?us-ascii?q?b?=@x.org"],  # RFC 2047: two addresses
)  # fmt: skip
def test_no_addresses(text: str) -> None:
    assert not is_email(text)


@pytest.mark.parametrize(
    "text",
    ["https://example.org", "HTTP://example.org/a?b#c", "https://münchen.example/ü", "http://h:8080/",
     "http://[::1]:80/", "http://[::1]/", "https://h/a(b)'", "https://h?x=@", "http://h:/", "http://h./"],
)  # fmt: skip
def test_addresses_of_pages(text: str) -> None:
    assert is_url(text)


@pytest.mark.parametrize(
    "text",
    ["", "example.org", "//h", "/a", "javascript:alert(1)", "data:text/html,x", "ftp://h/", "https://",
     "https:///a", "https://?x", "https://h x/", "https://h/\n", "https://u@h/", "https://u:p@h/",
     "https://h\\@e/", "https:h", "http://h:port@x", "https://:80/", "https://h:123456/", "https://h/\0",
     "https://<h>/", "https://h:٣/", " https://h/", "javascript://%0Aalert(1)",
     "http://[x", "http://[x]/", "http://a:foo/", "http://a:80:90/", "http://.", "http://a..b/",
     "http://::1/", "http://a:65536/", "http://" + ":1" * 30_000, "http://[" + ":" * 30_000 + "]/",
     "http://" + "a" * 254],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_no_addresses_of_pages(text: str) -> None:
    assert not is_url(text)
