"""application/x-www-form-urlencoded: the corpus, the limits, and the decoder against urllib's."""

import sys
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode

import corpus
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from properties import any_texts, as_environ, noisy, outcome, texts

from cgikit import BadRequest, CGIError, LimitExceeded, Limits, MultiDict
from cgikit.querystring import build, keywords, parse, unquote

ROOMY = Limits(fields=1_000_000)


@pytest.mark.parametrize(("raw", "expected"), corpus.cases("querystring"))
def test_corpus(raw: bytes, expected: dict) -> None:
    """S19: UTF-8 only, bad bytes become U+FFFD, `_charset_` is data."""
    semicolons = expected.get("semicolons", False)
    pairs = [tuple(pair) for pair in expected["pairs"]]
    assert parse(raw, semicolons=semicolons).pairs() == pairs
    assert parse(as_environ(raw), semicolons=semicolons).pairs() == pairs
    if "strict" in expected:
        with pytest.raises(BadRequest) as caught:
            parse(raw, semicolons=semicolons, errors="strict")
        assert expected["strict"] in caught.value.message
    else:
        assert parse(raw, semicolons=semicolons, errors="strict").pairs() == pairs


def test_the_corpus_is_whole() -> None:
    assert corpus.strays("querystring") == []


def as_urllib(raw: bytes) -> list[tuple[str, str]]:
    """urllib's answer. It takes bytes as ASCII, so they go in as Latin-1 escapes."""
    text = "".join(chr(b) if b < 0x80 else f"%{b:02X}" for b in raw)
    return parse_qsl(text, keep_blank_values=True)


urlencoded = st.lists(
    st.sampled_from(b"&=+%;\\ux").map(lambda b: bytes((b,)))
    | st.integers(0, 255).map(lambda b: b"%%%02x" % b)
    | st.binary(max_size=2)
).map(b"".join)


@given(urlencoded)
@example(b"%")
@example(b"a=%1e&%1f=\x1e")
def test_equals_urllib(raw: bytes) -> None:
    """The two rules are the same over all bytes: there is no case where they must differ."""
    assert parse(raw, limits=ROOMY).pairs() == as_urllib(raw)


@given(noisy)
def test_equals_urllib_over_text(text: str) -> None:
    assert parse(text, limits=ROOMY).pairs() == as_urllib(text.encode())


@given(urlencoded, st.sampled_from(["replace", "strict"]))
def test_both_paths_agree(raw: bytes, errors: str) -> None:
    """Decoding the whole string at once is only faster; a field `%1e` forces the way field by field."""
    fast = outcome(parse, raw, errors=errors, limits=ROOMY)
    slow = outcome(parse, raw + b"&%1e", errors=errors, limits=ROOMY)
    if isinstance(fast, CGIError):
        assert str(slow) == str(fast)
    else:
        assert slow.pairs() == [*fast.pairs(), ("\x1e", "")]


@given(any_texts | noisy, st.booleans(), st.sampled_from(["replace", "strict"]))
def test_any_text_gives_fields_or_our_error(text: str, semicolons: bool, errors: str) -> None:
    got = outcome(parse, text, semicolons=semicolons, errors=errors)
    assert isinstance(got, MultiDict | BadRequest)


@given(st.binary())
def test_unquote_equals_urllib(raw: bytes) -> None:
    from urllib.parse import unquote_to_bytes

    assert unquote(raw) == unquote_to_bytes(raw)


@pytest.mark.parametrize("offset", range(-4, 5))
def test_unquote_does_not_cut_an_escape_between_blocks(offset: int) -> None:
    """It decodes 64 KiB at a time; a bad escape makes it leave the fast way."""
    raw = b"%zz" + b"a" * (65_536 - 3 + offset) + b"%41%4%42" + b"b" * 65_536 + b"%43%"
    assert unquote(raw) == b"%zz" + b"a" * (65_536 - 3 + offset) + b"A%4B" + b"b" * 65_536 + b"C%"


@given(st.data())
def test_unquote_of_blocks_in_which_every_byte_occurs(data: st.DataObject) -> None:
    """A byte that stands for a bad `%` while the block is decoded occurs in the data as well."""
    common = data.draw(st.binary(min_size=1, max_size=40))
    piece = data.draw(urlencoded)
    raw = (bytes(range(256)) + b"%4") * data.draw(st.integers(0, 3)) + (common + piece) * 700
    assert unquote(raw) == unquote_to_bytes(raw)


@pytest.mark.parametrize("size", [65_535, 65_536, 65_537, 200_000])
def test_unquote_finds_a_stand_in_among_bytes_that_are_all_common(size: int) -> None:
    raw = (bytes(range(256)) + b"%%41%zz%") * (size // 256)
    assert unquote(raw[:size]) == unquote_to_bytes(raw[:size])


# --- limits (S14) -----------------------------------------------------------------------------


@pytest.mark.parametrize("raw", [b"&".join([b"a=1"] * 10), b"&&".join([b"a"] * 10) + b"&&"])
def test_as_many_fields_as_the_limit_pass(raw: bytes) -> None:
    assert len(parse(raw, limits=Limits(fields=10)).pairs()) == 10


@pytest.mark.parametrize("count", [11, 100])
@pytest.mark.parametrize("semicolons", [False, True])
def test_more_fields_are_refused_by_name(count: int, semicolons: bool) -> None:
    raw = (b";" if semicolons else b"&").join([b"a=%zz"] * count)
    with pytest.raises(LimitExceeded) as caught:
        parse(raw, semicolons=semicolons, limits=Limits(fields=10))
    error = caught.value
    assert (error.limit, error.allowed, error.seen, error.status) == ("fields", 10, count, 413)
    assert "fields=10" in str(error)
    assert str(count) in str(error)


def test_ten_thousand_and_one_fields_are_refused_by_default() -> None:
    with pytest.raises(LimitExceeded) as caught:
        parse(b"&".join([b"a=1"] * 10_001))
    assert (caught.value.allowed, caught.value.seen) == (1000, 10_001)


def test_no_fields_fit_a_limit_of_none() -> None:
    assert parse(b"&&", limits=Limits(fields=0)).pairs() == []
    with pytest.raises(LimitExceeded):
        parse(b"a", limits=Limits(fields=0))


def test_the_limit_is_checked_before_anything_is_decoded() -> None:
    with pytest.raises(LimitExceeded):
        parse(b"%ff&%ff", errors="strict", limits=Limits(fields=1))


# --- ISINDEX (R11, R41) -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        ("word", ["word"]),
        ("a+b%20c", ["a", "b c"]),
        ("a++b+", ["a", "b"]),
        ("a%3Db", ["a=b"]),
        ("a%2Bb", ["a+b"]),
        ("%C3%BC+%ff", ["ü", "�"]),
        ("a&b", ["a&b"]),
        ("-v+--help", ["-v", "--help"]),
        ("a=b+c", []),
        ("a+b=", []),
    ],
)
def test_keywords(query: str, words: list[str]) -> None:
    assert keywords(query) == words
    assert keywords(query.encode()) == words


@given(any_texts | noisy)
def test_keywords_of_any_text(text: str) -> None:
    assert isinstance(outcome(keywords, text), list | BadRequest)


@given(st.lists(texts.filter(bool)))
def test_keywords_come_back(words: list[str]) -> None:
    query = "+".join(build([(word, "")])[:-1].replace("+", "%20") for word in words)
    assert keywords(query) == words


# --- building ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "query"),
    [
        ([], ""),
        ({}, ""),
        ([("a", "1"), ("a", "2")], "a=1&a=2"),
        ({"a": ["1", "2"], "b": ("3",), "c": []}, "a=1&a=2&b=3"),
        ({"a": 1, "b": None, "c": 1.5}, "a=1&b=None&c=1.5"),
        ([("a b", "c&d=e+f")], "a+b=c%26d%3De%2Bf"),
        ([("", "")], "="),
        ([("ü", "~*-._")], "%C3%BC=%7E*-._"),
        ([("a", "'\"<>#?/\\\r\n\0")], "a=%27%22%3C%3E%23%3F%2F%5C%0D%0A%00"),
        (MultiDict([("a", "1"), ("b", "2"), ("a", "3")]), "a=1&b=2&a=3"),
    ],
)
def test_build(fields: object, query: str) -> None:
    assert build(fields) == query


@given(st.lists(st.tuples(texts, texts), max_size=10))
def test_build_equals_urllib(pairs: list[tuple[str, str]]) -> None:
    from urllib.parse import urlencode

    # urllib follows RFC 3986 in two characters, we the serialiser of WHATWG.
    assert build(pairs) == urlencode(pairs).replace("%2A", "*").replace("~", "%7E")


@pytest.mark.parametrize("fields", [[("a", "\ud800")], [("\udfff\ud800", "")]])
def test_half_a_surrogate_pair_cannot_be_built(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(ValueError, match="surrogate") as caught:
        build(fields)
    assert not isinstance(caught.value, CGIError)  # the script's mistake, not the request's


# --- work, counted ------------------------------------------------------------------------------

MIB = 1 << 20


@pytest.mark.parametrize(
    "piece", [b"%", b"%zz", b"%4", b"%%41", b"%\\", b"%\0", b"%4%z=%"], ids=repr
)
def test_3_7_percent_signs_that_are_no_escapes_take_calls_by_the_block(piece: bytes) -> None:
    """8 MiB of "%" took 12 seconds: each of them raised an error of its own."""
    raw = piece * (MIB // len(piece))
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        found = unquote(raw)
    finally:
        sys.setprofile(None)
    assert calls < 32 * (MIB // 65_536 + 1)
    assert found == unquote_to_bytes(raw)


@given(st.lists(st.sampled_from([b"%", b"%4", b"%41", b"%00", b"\0", b"\\", b"z", b"\xff"])))
def test_any_mixture_of_escapes_and_strays_decodes_as_urllib_has_it(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    assert unquote(raw) == unquote_to_bytes(raw)


# --- charsets -----------------------------------------------------------------------------------


def test_3_7_fields_of_a_latin_1_page() -> None:
    raw = b"n%E4me=%80+%fc&\xfc=%&x=\x1e%1f"
    expected = [("näme", "€ ü"), ("ü", "%"), ("x", "\x1e\x1f")]
    assert parse(raw, codec="cp1252").pairs() == expected
    assert parse(as_environ(raw), codec="cp1252").pairs() == expected
    assert parse(b"a=%81", codec="cp1252").pairs() == [("a", "\ufffd")]
    with pytest.raises(BadRequest, match="field 'a' is not valid CP1252"):
        parse(b"a=%81", codec="cp1252", errors="strict")


@given(st.lists(st.tuples(st.text("aä€ &=+%"), st.text("aä€ &=+%")), max_size=5), st.booleans())
def test_a_page_in_any_charset_equals_urllib(pairs: list[tuple[str, str]], cyrillic: bool) -> None:
    codec = "shift_jis" if cyrillic else "cp1252"
    clean = [
        (n.encode(codec, "ignore").decode(codec), v.encode(codec, "ignore").decode(codec))
        for n, v in pairs
    ]
    raw = urlencode(clean, encoding=codec)
    assert parse(raw, codec=codec).pairs() == [pair for pair in clean if raw]
