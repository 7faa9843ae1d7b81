"""Content negotiation: what a client prefers among what a script offers (RFC 9110 section 12)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import environ_texts, noisy

from cgikit import Request, Response, accept

TYPES = ["text/html", "application/json", "text/plain"]
RFC_9110 = (
    "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, "
    "text/plain;format=fixed;q=0.4, */*;q=0.5"
)
CHROMIUM = (
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,"
    "*/*;q=0.8,application/signed-exchange;v=b3;q=0.7"
)


@pytest.mark.parametrize(
    ("header", "offered", "best"),
    [
        ("", TYPES, "text/html"),
        (" , ,", TYPES, "text/html"),
        ("*/*", TYPES, "text/html"),
        ("application/json", TYPES, "application/json"),
        ("image/png", TYPES, None),
        ("text/plain;q=0.5, application/json;q=0.4", TYPES, "text/plain"),
        ("application/json, text/plain", TYPES, "application/json"),  # the order of the server
        ("text/plain, application/json", TYPES, "application/json"),
        ("text/*;q=0.5, */*;q=0.1", TYPES, "text/html"),
        ("text/*;q=0.5, */*", TYPES, "application/json"),
        ("text/html;q=0, */*", TYPES, "application/json"),
        ("text/html;q=0", ["text/html"], None),
        ("*/*, text/*;q=0", TYPES, "application/json"),
        ("TEXT/HTML", ["text/html"], "text/html"),
        ("text/html", ["Text/HTML"], "Text/HTML"),
        ("text/html;Q=0.2, text/plain;q=0.3", TYPES, "text/plain"),
        ("text/html ; q=0.2 , text/plain\t; q=0.3", TYPES, "text/plain"),
        # The example of RFC 9110 section 12.5.1
        (RFC_9110,
         ["text/html", "image/jpeg", "text/plain;format=fixed", "text/plain",
          "text/plain;format=flowed"],
         "text/plain;format=flowed"),
        ("text/plain;format=fixed;q=0.4, text/plain;q=0.7, image/jpeg;q=0.5",
         ["text/plain;format=fixed", "image/jpeg"], "image/jpeg"),
        ("text/html;level=1", ["text/html"], None),
        ("text/html;level=1", ["text/html;charset=utf-8;level=1"], "text/html;charset=utf-8;level=1"),
        ("text/html;charset=UTF-8", ["text/html; charset=utf-8"], "text/html; charset=utf-8"),
        ('a/b;x="1,2";q=0.1, a/c', ["a/b;x=\"1,2\"", "a/c"], "a/c"),
        ('a/b;x="1\\",a/c', ["a/c"], None),  # the quote is escaped, so the comma is inside
        ('a/b;x="1\\\\",a/c', ["a/c"], "a/c"),
        # After the weight too: the grammar that gave other meanings to those is gone
        ("text/html;q=0.1;level=1, text/plain;q=0.2", ["text/html;level=1", "text/plain"],
         "text/plain"),
        # What is not valid is skipped by itself
        ("text/html;q=2, text/plain;q=0.1", TYPES, "text/plain"),
        ("text/html;q=x, text/plain;q=0.1", TYPES, "text/plain"),
        ("text/html;q=-1, text/plain;q=0.1", TYPES, "text/plain"),
        ("text/html;q=1.001, text/plain;q=0.1", TYPES, "text/plain"),
        ("text/html;q=., text/plain;q=0.1", TYPES, "text/plain"),
        ("text/html;q=\u0660, text/plain;q=0.1", TYPES, "text/plain"),
        ("html, */html, text/, /html, t t/html, text/plain;q=0.1", TYPES, "text/plain"),
        ("html;q=0", TYPES, "text/html"),
        # What Java's HttpURLConnection sends
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", TYPES, "text/html"),
        ("text/plain, *; q=.2", ["image/png", "text/plain"], "text/plain"),
        # What Firefox and Chromium send for a page
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
         ["application/json", "text/html"], "text/html"),
        (CHROMIUM, ["application/json", "image/webp"],
         "image/webp"),
        ("text/html;q=1.000, text/plain;q=0.999", ["text/plain", "text/html"], "text/html"),
        ("text/html;q=0.1239999, text/plain;q=0.124", ["text/html", "text/plain"], "text/plain"),
        ("text/html;q=0.1, text/html;q=0.9, text/plain;q=0.5", TYPES, "text/html"),
    ],
)  # fmt: skip
def test_types(header: str, offered: list[str], best: str | None) -> None:
    assert accept.types(header, offered) == best


@pytest.mark.parametrize(
    ("header", "offered", "best"),
    [
        ("", ["en", "de"], "en"),
        ("de", ["en", "de"], "de"),
        ("fr", ["en", "de"], None),
        ("*", ["en", "de"], "en"),
        ("de;q=0.5, *", ["de", "en"], "en"),
        ("en", ["en-GB"], "en-GB"),  # basic filtering
        ("en-GB", ["en"], "en"),  # lookup
        ("en-GB", ["en", "en-GB"], "en-GB"),
        ("en-GB", ["en-US"], None),
        ("en", ["eng", "e"], None),
        ("zh-Hant-TW, de;q=0.9", ["de", "zh-Hant"], "zh-Hant"),
        ("en-GB;q=0, en", ["en-GB", "en-US"], "en-US"),
        ("en-GB;q=0", ["en", "en-GB"], None),
        ("en-GB;q=0, *;q=0.5", ["en-GB", "en"], "en"),
        ("de-AT, de;q=0.8, en;q=0.7", ["en", "de"], "de"),
        ("DE", ["de"], "de"),
        ("en_US, deutschland, de-, -de, 1de, de;q=0.1", ["en-US", "de"], "de"),
        ("da, en-gb;q=0.8, en;q=0.7", ["en-US", "en-GB"], "en-GB"),  # the example of RFC 9110
    ],
)
def test_languages(header: str, offered: list[str], best: str | None) -> None:
    assert accept.languages(header, offered) == best


@pytest.mark.parametrize(
    ("header", "offered", "best"),
    [
        ("", ["utf-8", "iso-8859-1"], "utf-8"),
        ("iso-8859-5, unicode-1-1;q=0.8", ["utf-8", "unicode-1-1"], "unicode-1-1"),
        ("ISO-8859-1,utf-8;q=0.7,*;q=0.7", ["utf-8", "iso-8859-1"], "iso-8859-1"),
        ("ISO-8859-1;q=0.1,*;q=0.7", ["iso-8859-1", "utf-8"], "utf-8"),
        ("ascii", ["utf-8"], None),
        ("utf-8;q=0, *", ["utf-8"], None),
    ],
)
def test_charsets(header: str, offered: list[str], best: str | None) -> None:
    assert accept.charsets(header, offered) == best


@pytest.mark.parametrize(
    ("header", "offered", "best"),
    [
        ("", ["gzip", "identity"], "identity"),  # RFC 9110 permits any; that client decodes none
        ("", ["gzip"], None),
        ("gzip", ["identity", "gzip"], "gzip"),
        ("gzip, deflate, br, zstd", ["gzip", "identity"], "gzip"),
        ("br", ["gzip", "identity"], "identity"),
        ("br", ["gzip"], None),
        ("gzip;q=0", ["gzip", "identity"], "identity"),
        ("gzip;q=0.001", ["identity", "gzip"], "gzip"),
        ("identity;q=0, gzip;q=0.1", ["identity", "gzip"], "gzip"),
        ("identity;q=0", ["identity"], None),
        ("*;q=0", ["identity", "gzip"], None),
        ("*;q=0, identity;q=0.1", ["gzip", "identity"], "identity"),
        ("*", ["gzip", "identity"], "gzip"),
        ("gzip;q=0.5, identity;q=0.8", ["gzip", "identity"], "identity"),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", ["gzip", "identity"], "gzip"),
        ("x-gzip", ["gzip"], "gzip"),
        ("x-gzip;q=0.9, gzip;q=0", ["gzip"], None),
        ("GZIP", ["gzip"], "gzip"),
        ("g zip, gzip;q=2, br", ["gzip", "br"], "br"),
    ],
)
def test_encodings(header: str, offered: list[str], best: str | None) -> None:
    assert accept.encodings(header, offered) == best


ALL = [
    (accept.types, "a/b", ["a", "a/*", "*/*", "a/b c", "", "/b", "a/", "ä/b"]),
    (accept.languages, "en", ["en_US", "*", "", "en-", "abcdefghi", "dé", "1a"]),
    (accept.charsets, "utf-8", ["", "utf 8", "a,b"]),
    (accept.encodings, "gzip", ["", "gzip;q=1", "a,b"]),
]
FUNCTIONS = [row[0] for row in ALL]


@pytest.mark.parametrize(("function", "good", "bad"), ALL)
def test_an_offer_that_is_not_valid_is_the_script_s_fault(function, good, bad) -> None:
    for offer in bad:
        for header in ("", good):
            with pytest.raises(ValueError, match=r"the offer .* is not valid; give one such as '"):
                function(header, [good, offer])
    with pytest.raises(TypeError, match=r"is a str; give a list of them: \['"):
        function(good, good)
    assert function(good, []) is None
    assert function(good, iter([good])) == good


@pytest.mark.parametrize(("function", "good", "bad"), ALL)
def test_what_comes_after_a_hundred_members_is_ignored(function, good, bad) -> None:
    assert function("x/y-z," * 99 + good, [good]) == good
    assert function(f"{good};q=0," + "x/y-z," * 98 + good, [good]) == good
    assert function(f"{good};q=0," + "x/y-z," * 99 + good, [good]) is None


@pytest.mark.parametrize("function", FUNCTIONS)
@given(header=environ_texts | noisy, weights=st.lists(noisy, max_size=3))
def test_any_header_gives_an_offer_or_none(function, header, weights) -> None:
    offered = ["text/html", "a/b;c=d"] if function is accept.types else ["en", "identity"]
    text = header + "".join([f",{offered[0]};q={weight}" for weight in weights])
    assert function(text, offered) in (None, *offered)


@pytest.mark.parametrize("function", FUNCTIONS)
@given(data=st.data())
def test_a_member_that_is_not_valid_changes_nothing(function, data) -> None:
    offered = ["a/b", "c/d", "e/f"] if function is accept.types else ["en", "gzip", "identity"]
    weight = st.sampled_from(["", ";q=0", ";q=0.5", ";q=1"])
    members = data.draw(
        st.lists(st.tuples(st.sampled_from([*offered, "*"]), weight).map("".join), min_size=1)
    )
    at = data.draw(st.integers(0, len(members)))
    bad = data.draw(st.sampled_from(["", "?", "@", "a b", "a/b;q=3", "en;q=", "[]", "é"]))
    broken = [*members[:at], bad, *members[at:]]
    assert function(",".join(broken), offered) == function(",".join(members), offered)


def test_a_request_is_asked() -> None:
    request = Request({
        "HTTP_ACCEPT": "application/json",
        "HTTP_ACCEPT_LANGUAGE": "de-AT",
        "HTTP_ACCEPT_CHARSET": "utf-8",
        "HTTP_ACCEPT_ENCODING": "gzip",
    })  # fmt: skip
    assert request.accepts(["text/html", "application/json"]) == "application/json"
    assert request.accepts(["text/html"]) is None
    assert request.accepts_language(["en", "de"]) == "de"
    assert request.accepts_charset(["iso-8859-1", "utf-8"]) == "utf-8"
    assert request.accepts_encoding(["identity", "gzip"]) == "gzip"
    silent = Request({"HTTP_ACCEPT": ""})
    assert silent.accepts(["text/html"]) == "text/html"
    assert silent.accepts_language(["en"]) == "en"
    assert silent.accepts_charset(["utf-8"]) == "utf-8"
    assert silent.accepts_encoding(["gzip", "identity"]) == "identity"


@pytest.mark.parametrize(
    ("present", "names", "merged"),
    [
        ("", ["Accept"], "Accept"),
        ("Cookie", ["Accept"], "Cookie, Accept"),
        ("accept , Cookie,,", ["Accept", "ACCEPT-Language"], "accept, Cookie, ACCEPT-Language"),
        ("*", ["Accept"], "*"),
        ("Accept", ["*"], "*"),
        ("Accept, Cookie", [], "Accept, Cookie"),
    ],
)
def test_vary(present: str, names: list[str], merged: str) -> None:
    assert accept.vary(present, names) == merged


@pytest.mark.parametrize("name", ["", "a b", "Accept, Cookie", "a\r\nb", "ä"])
def test_vary_takes_names_only(name: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a header field; give one such as"):
        accept.vary("", [name])


def test_a_response_has_one_vary_field() -> None:
    response = Response("x")
    response.headers.add("Vary", "Cookie")
    response.headers.add("Vary", "Origin")
    response.vary("Accept", "Accept-Language")
    response.vary("accept")
    assert response.headers.getlist("Vary") == ["Cookie, Origin, Accept, Accept-Language"]
