"""The body: no byte too many, none too few, nothing before the length is known (RFC 3875 4.2)."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from posting import (
    MULTIPART,
    URLENCODED,
    Untouched,
    child,
    clean_environ,
    descriptors,
    field,
    file,
    multipart,
    post,
)
from properties import outcome

import cgikit.body
from cgikit import (
    BadRequest,
    CGIError,
    HTTPError,
    LimitExceeded,
    Limits,
    Request,
    StateError,
    UnsupportedMediaType,
)
from cgikit.body import BodyStream, decode_json

FORM = multipart(field("a", b"1"), file("f", "x.txt", b"content"))

#: Every way to read a body: how, and a body and a type that fit it.
WAYS: dict[str, tuple[Callable[[Request], Any], bytes, str]] = {
    "body": (lambda request: request.body, b"raw \x00 bytes", "application/octet-stream"),
    "text": (lambda request: request.text(), "für".encode(), "text/plain; charset=utf-8"),
    "json": (lambda request: request.json(), b'{"a": [1]}', "application/json"),
    "stream": (lambda request: request.stream.read(), b"raw", "application/octet-stream"),
    "stream by lines": (lambda request: list(request.stream), b"a\nb\nc", "text/plain"),
    "stream by bytes": (
        lambda request: [request.stream.read(1) for _ in range(4)],
        b"abcd",
        "text/plain",
    ),
    "urlencoded form": (lambda request: request.form, b"a=1&b=2", URLENCODED),
    "multipart form": (lambda request: request.form, FORM, MULTIPART),
    "multipart files": (lambda request: request.files, FORM, MULTIPART),
    "params": (lambda request: request.params, b"a=1&b=2", URLENCODED),
}
ways = pytest.mark.parametrize("way", WAYS)
FITTING = {"json": "application/json"}  # the type that a way needs


def of_length(length: str, **more: str) -> Request:
    """A request whose body must not be touched."""
    return post(b"", URLENCODED, source=Untouched(), **{"CONTENT_LENGTH": length, **more})


def ask(request: Request, way: str) -> Any:
    """The attribute, called if it is a method."""
    value = getattr(request, way)
    return value() if callable(value) else value


# --- R5: exactly CONTENT_LENGTH bytes -----------------------------------------------------------


@ways
def test_not_a_byte_beyond_the_length_is_read(way: str) -> None:
    read, body, content_type = WAYS[way]
    reader, writer = os.pipe()
    with open(reader, "rb", buffering=0) as source:
        os.write(writer, body + b"NEXT")
        os.close(writer)
        request = post(body, content_type, source=source)
        read(request)
        assert os.read(reader, 100) == b"NEXT"
        request.close()


@ways
def test_a_body_that_ends_early_is_an_error_that_says_how_early(way: str) -> None:
    read, body, content_type = WAYS[way]
    request = post(body, content_type, source=io.BytesIO(body[:-2]))
    with pytest.raises(BadRequest) as caught:
        read(request)
    assert caught.value.status == 400
    assert f"ended after {len(body) - 2} of the {len(body)} bytes" in str(caught.value)


@ways
def test_a_body_that_never_comes_is_an_error(way: str) -> None:
    read, body, content_type = WAYS[way]
    request = Request(
        {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))}
    )
    with pytest.raises(BadRequest, match="ended after 0 of the"):
        read(request)


@ways
def test_a_body_in_single_bytes_is_the_same_body(way: str) -> None:
    read, body, content_type = WAYS[way]

    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(1)

    def seen(value: Any) -> Any:
        if isinstance(value, dict | list | str | bytes):
            return value
        return [(name, getattr(one, "client_filename", one)) for name, one in value.pairs()]

    whole, dripping = post(body, content_type), post(body, content_type, source=Dripping(body))
    assert seen(read(dripping)) == seen(read(whole))
    whole.close()
    dripping.close()


def test_pieces_are_not_small_however_slowly_they_arrive() -> None:
    # A client that sends two bytes at a time would otherwise cost 25 times what it sends: every
    # piece is an object of its own until the last one is there.
    class Dripping(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(2)

    pieces = list(BodyStream(Dripping(b"x" * 300_001), 300_001).chunks())
    assert min(map(len, pieces[:-1])) >= 32_768
    assert b"".join(pieces) == b"x" * 300_001


@given(st.binary(max_size=300), st.lists(st.integers(-1, 40), max_size=30), st.binary(max_size=9))
def test_any_reads_give_the_body_and_nothing_else(
    body: bytes, sizes: list[int], rest: bytes
) -> None:
    source = io.BytesIO(body + rest)
    stream = BodyStream(source, len(body))
    seen = b"".join(stream.read(size) for size in sizes) + stream.read()
    assert seen == body
    assert stream.read() == stream.read(5) == b""
    assert source.read() == rest


def test_the_stream_is_a_file() -> None:
    stream = post(b"h\xc3\xb6\n1;2\n", "text/csv").stream
    assert isinstance(stream, io.BufferedIOBase)
    assert stream.readable()
    assert not stream.writable()
    assert list(io.TextIOWrapper(stream, encoding="utf-8")) == ["hö\n", "1;2\n"]


def test_readinto_fills_no_more_than_is_left() -> None:
    stream = BodyStream(io.BytesIO(b"abcdefNEXT"), 6)
    buffer = bytearray(4)
    assert (stream.readinto(buffer), bytes(buffer)) == (4, b"abcd")
    assert (stream.readinto(buffer), bytes(buffer)) == (2, b"efcd")
    assert stream.readinto(buffer) == 0


def test_a_stream_gives_what_came_before_it_breaks_off() -> None:
    stream = BodyStream(io.BytesIO(b"abc"), 5)
    assert stream.read(2) == b"ab"
    assert stream.read(10) == b"c"
    with pytest.raises(BadRequest, match="ended after 3 of the 5 bytes"):
        stream.read(10)


# --- R8, S15: the length is checked before anything is read --------------------------------------


@pytest.mark.parametrize("way", ["body", "stream", "form", "files", "params", "text", "json"])
@pytest.mark.parametrize(
    "length",
    [
        "-5",
        "-0",
        "+1",
        "1_0",
        " 10",
        "10 ",
        "10, 10",
        "10,10",
        "1e3",
        "0x10",
        "\u0661\u0662",
        "1.0",
        "ten",
        "\udcb2",
        "1\n",
        "10\x00",
    ],
)
def test_a_length_that_is_none_is_refused_unread(way: str, length: str) -> None:
    request = of_length(length, CONTENT_TYPE=FITTING.get(way, URLENCODED))
    with pytest.raises(BadRequest, match="is not a valid length") as caught:
        ask(request, way)
    assert caught.value.status == 400


@pytest.mark.parametrize("way", ["body", "stream", "form", "files", "params", "text", "json"])
@pytest.mark.parametrize("length", [str((64 << 20) + 1), str(1 << 30), "9" * 19, "9" * 5000])
@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
def test_a_length_over_the_limit_is_refused_unread(
    way: str, length: str, content_type: str
) -> None:
    request = of_length(length, CONTENT_TYPE=FITTING.get(way, content_type))
    with pytest.raises(LimitExceeded) as caught:
        ask(request, way)
    error = caught.value
    assert (error.status, error.limit, error.allowed) == (413, "body", 64 << 20)
    assert error.seen == min(int(length[:19]), 10**18)


@pytest.mark.parametrize("way", ["body", "text", "json", "form"])
def test_what_must_fit_into_memory_is_refused_unread(way: str) -> None:
    request = of_length(str((8 << 20) + 1), CONTENT_TYPE=FITTING.get(way, URLENCODED))
    with pytest.raises(LimitExceeded) as caught:
        ask(request, way)
    assert (caught.value.limit, caught.value.allowed) == ("memory", 8 << 20)
    assert caught.value.seen == (8 << 20) + 1


@pytest.mark.parametrize("limit", ["body", "memory"])
@pytest.mark.parametrize("way", ["body", "urlencoded form", "text"])
def test_the_limits_of_the_whole_are_exact(limit: str, way: str) -> None:
    read, body, content_type = WAYS[way]
    size = len(body)
    read(post(body, content_type, limits=Limits(**{limit: size})))
    for allowed in (size - 1, size // 10):
        with pytest.raises(LimitExceeded) as caught:
            read(post(body, content_type, source=Untouched(), limits=Limits(**{limit: allowed})))
        error = caught.value
        assert (error.limit, error.allowed, error.seen) == (limit, allowed, size)


def test_a_body_larger_than_memory_can_be_streamed() -> None:
    assert post(b"x" * 100, limits=Limits(memory=10)).stream.read() == b"x" * 100


@pytest.mark.parametrize("way", ["body", "text", "json", "stream", "form"])
@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART])
@pytest.mark.parametrize("length", ["", None])
def test_a_chunked_body_without_a_length_is_411(
    way: str, content_type: str, length: str | None
) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "application/json" if way == "json" else content_type,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    request = Request(environ, Untouched())
    with pytest.raises(HTTPError, match="Content-Length") as caught:
        ask(request, way)
    assert caught.value.status == 411


@pytest.mark.parametrize("length", ["", "0", "000"])
def test_no_body_is_an_empty_one_and_reads_nothing(length: str) -> None:
    assert of_length(length).body == b""
    assert of_length(length).text() == ""
    assert of_length(length).stream.read() == b""
    assert of_length(length).form.pairs() == []
    assert of_length(length).files.pairs() == []
    with pytest.raises(BadRequest, match="not JSON"):
        of_length(length, CONTENT_TYPE="application/json").json()


def test_a_form_that_is_not_asked_for_is_not_read() -> None:
    post(FORM, source=Untouched()).close()


# --- read once -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("stream", "body"),
        ("stream", "form"),
        ("stream", "files"),
        ("form", "body"),
        ("form", "stream"),
        ("files", "stream"),
        ("body", "stream"),
        ("body", "form"),
    ],
)
def test_reading_a_body_in_two_ways_says_what_is_wrong(first: str, second: str) -> None:
    request = post(FORM)
    getattr(request, first)
    with pytest.raises(StateError, match=r"request\.\w+: the body was read already") as caught:
        getattr(request, second)
    assert not isinstance(caught.value, CGIError)  # the script's mistake, not the client's
    request.close()


def test_what_was_wrong_with_a_body_is_said_again() -> None:
    """A script that caught the 400 and asked again got a StateError, and its client a 500."""
    for ask in ("form", "files", "body", "params"):
        request = post(FORM[:-10])
        with pytest.raises(BadRequest) as caught:
            _ = request.form
        with pytest.raises(BadRequest) as again:
            getattr(request, ask)
        assert again.value is caught.value
        request.close()
    request = Request({"REQUEST_METHOD": "PUT", "CONTENT_LENGTH": "9"}, io.BytesIO(b"short"))
    for _ in range(2):
        with pytest.raises(BadRequest, match="ended after 5 of the 9"):
            _ = request.body


def test_the_same_way_twice_gives_the_same() -> None:
    request = post(FORM)
    assert request.form is request.form
    assert request.files is request.files
    request.close()
    request = post(b"[1]", "application/json")
    assert request.body is request.body
    assert request.json() == request.json() == [1]
    assert request.text() == "[1]"
    request = post(b"abc")
    assert request.stream is request.stream


def test_what_is_in_memory_serves_every_way_that_works_from_memory() -> None:
    request = post(b"a=1", URLENCODED)
    assert request.form.pairs() == [("a", "1")]
    assert request.body == b"a=1"
    assert request.text() == "a=1"
    assert request.params.pairs() == [("a", "1")]


# --- forms, by method and type -------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "REPORT"])
def test_every_method_but_get_and_head_may_bring_a_form(method: str) -> None:
    assert post(b"a=1&a=2", URLENCODED, method).form.getlist("a") == ["1", "2"]
    with_file = post(FORM, MULTIPART, method)
    assert with_file.form.pairs() == [("a", "1")]
    assert with_file.files["f"].read() == b"content"
    with_file.close()


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("content_type", [URLENCODED, MULTIPART, "application/json"])
def test_get_and_head_have_no_form_whatever_they_bring(method: str, content_type: str) -> None:
    request = post(FORM, content_type, method, source=Untouched(), QUERY_STRING="q=1")
    assert request.form.pairs() == request.files.pairs() == []
    assert request.params.pairs() == [("q", "1")]
    assert post(b"x", content_type, method).body == b"x"  # but it is there for who wants it


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "text/plain", "", "multipart/mixed; boundary=x", "x", ";", "\udcff"],
)
@pytest.mark.parametrize("way", ["form", "files", "params"])
def test_what_is_no_form_is_415_and_says_what_to_use(content_type: str, way: str) -> None:
    request = post(b'{"a": 1}', content_type, source=Untouched())
    with pytest.raises(UnsupportedMediaType) as caught:
        getattr(request, way)
    assert caught.value.status == 415
    assert caught.value.content_type == content_type
    for use in (".json()", ".text()", ".body", ".stream", ".query"):
        assert use in str(caught.value)


@pytest.mark.parametrize(
    "content_type",
    [URLENCODED, URLENCODED.upper(), URLENCODED + "; charset=UTF-8", f" {URLENCODED} ;x"],
)
def test_the_type_is_compared_as_a_type(content_type: str) -> None:
    assert post(b"a=1", content_type).form["a"] == "1"


def test_bytes_that_are_not_utf8() -> None:
    assert post(b"a=%FF", URLENCODED).form["a"] == "\ufffd"
    with pytest.raises(BadRequest, match=r"'a' is not (valid )?UTF-8"):
        post(b"a=%FF", URLENCODED, errors="strict").form  # noqa: B018


# --- JSON (RFC 8259) -----------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "GET"])
@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON; charset=utf-8", "application/vnd.api+json"],
)
def test_json_by_any_method(method: str, content_type: str) -> None:
    value = {"name": "Zoë", "n": [1, 2.5, -3, None, True], "e": {}}
    assert post(json.dumps(value).encode(), content_type, method).json() == value


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", URLENCODED, MULTIPART, "text/json", "x"]
)
def test_a_body_that_does_not_say_it_is_json_is_not(content_type: str) -> None:
    # Another site's page can post text/plain, or no type at all, without asking.
    with pytest.raises(UnsupportedMediaType) as caught:
        post(b"{}", content_type, source=Untouched()).json()
    assert caught.value.content_type == content_type


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"NaN", "NaN is not JSON"),
        (b"[Infinity]", "Infinity is not JSON"),
        (b'{"a": -Infinity}', "-Infinity is not JSON"),
        (b"[1e999]", "1e999"),
        (b"[-1e999]", "-1e999"),
        (b'"\xff"', "utf-8"),
        (b'"\xed\xa0\x80"', "utf-8"),
        (b"\xff\xfe[\x001\x00]\x00", "utf-8"),
        (b'{"a": 1,}', r"line 1 column \d"),
        (b'{\n"a" 1}', r"line 2 column 5"),
        (b"{'a': 1}", "line 1"),
        (b'"a\nb"', "control character"),
        (b"[1] [2]", "Extra data"),
        (b"", "line 1 column 1"),
        (b"1" * 5000, "digits"),
    ],
)
def test_what_is_not_json_is_400(body: bytes, reason: str) -> None:
    with pytest.raises(BadRequest, match=f"(?s)the body is not JSON.*{reason}") as caught:
        post(body, "application/json").json()
    assert caught.value.status == 400


@pytest.mark.parametrize(
    ("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")]
)
def test_json_nests_as_deep_as_the_limit_and_no_deeper(opening: bytes, closing: bytes) -> None:
    per_turn = opening.count(b"[") + opening.count(b"{")

    def nested(depth: int) -> bytes:
        turns = depth // per_turn
        return opening * turns + b"1" + closing * turns

    limits = Limits(json_depth=10)
    post(nested(10), "application/json", limits=limits).json()
    for depth in (10 + per_turn, 100):
        with pytest.raises(LimitExceeded) as caught:
            post(nested(depth), "application/json", limits=limits).json()
        assert (caught.value.limit, caught.value.allowed) == ("json_depth", 10)
        assert caught.value.seen > 10


def test_brackets_in_text_and_side_by_side_are_no_depth() -> None:
    value = ["[[[[{{{{" * 50] + [[[]]] * 500
    assert post(json.dumps(value).encode(), "application/json").json() == value


def test_json_as_deep_as_memory_allows_does_not_end_the_process() -> None:
    body = b"[" * (8 << 20)
    for limit, limits in {
        "json_values": Limits(),
        "json_depth": Limits(json_values=1 << 30),
    }.items():
        with pytest.raises(LimitExceeded) as caught:
            post(body, "application/json", limits=limits).json()
        assert caught.value.limit == limit


@given(st.binary() | st.text().map(str.encode) | st.text('[]{}",:0123eE+-.\\u ').map(str.encode))
def test_any_bytes_give_a_value_or_a_cgi_error(body: bytes) -> None:
    value = outcome(post(body, "application/json").json)
    if not isinstance(value, CGIError):
        json.dumps(value, allow_nan=False)  # and it is one that JSON can say again


# --- text and its charset (S19) ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("text/plain", "für 1 €".encode()),
        ("", "für 1 €".encode()),
        ("text/plain; charset=UTF-8", "für 1 €".encode()),
        ('text/plain; charset="utf-8"', "für 1 €".encode()),
        ("text/plain; charset=iso-8859-15", "für 1 €".encode("iso-8859-15")),
        ("text/plain; charset=windows-1252", "für 1 €".encode("cp1252")),
        ("text/plain; charset=utf-16", "für 1 €".encode("utf-16")),
        ("text/plain; charset=Shift_JIS", "日本".encode("shift_jis")),
    ],
)
def test_text_is_decoded_by_its_charset(content_type: str, raw: bytes) -> None:
    assert post(raw, content_type).text() in {"für 1 €", "日本"}


#: Not charsets at all, or such as nobody may choose for us: UTF-7, EBCDIC and the escapes spell "<" in
#: letters, idna and punycode take quadratic time.
NO_CHARSETS = [
    *"utf-7 UTF7 utf_7 u7 U7 unicode-1-1-utf-7 csUnicode11UTF7".split(),
    *"cp037 IBM500 ebcdic-cp-us cp1140".split(),  # EBCDIC: "L" is "<"
    *"unicode_escape unicode-escape raw_unicode_escape idna punycode undefined".split(),
    *"rot13 rot_13 hex base64 bz2 zip zlib uu quopri mbcs oem aliases nonsense".split(),
    *"x-user-defined ../../etc/passwd ä . .. a.b os encodings".split(),
    *("utf 7", "utf-8\x00", "\x00", "\udcff", "u" * 4000),
]


@pytest.mark.parametrize("charset", NO_CHARSETS)
def test_what_is_no_charset_is_415(charset: str) -> None:
    raw = b"+ADw-script+AD4-"
    with pytest.raises(UnsupportedMediaType, match="send UTF-8") as caught:
        post(raw, f'text/plain; charset="{charset}"').text()
    assert caught.value.status == 415
    if charset.isprintable():
        part = field("a", raw, f'Content-Type: text/plain; charset="{charset}"')
        with pytest.raises(UnsupportedMediaType, match="send UTF-8"):
            post(multipart(part)).form  # noqa: B018


def test_text_that_does_not_fit_its_charset_is_400() -> None:
    with pytest.raises(BadRequest, match="not valid utf-8"):
        post(b"\xff", "text/plain").text()
    with pytest.raises(BadRequest, match="not valid us-ascii"):
        post(b"\xff", "text/plain; charset=us-ascii").text()


@given(st.text(max_size=40), st.binary(max_size=40))
def test_any_charset_gives_text_or_a_cgi_error(charset: str, raw: bytes) -> None:
    request = post(raw, f'text/plain; charset="{charset}"')
    assert isinstance(outcome(request.text), str | CGIError)


# --- JSON: how much becomes of it -----------------------------------------------------------------


def counted(value: object) -> int:
    """How many values and names a value has; empty arrays and objects count twice."""
    if isinstance(value, dict):
        return (1 + sum(1 + counted(inner) for inner in value.values())) if value else 2
    if isinstance(value, list):
        return (1 + sum(map(counted, value))) if value else 2
    return 1


JSON_TEXT = st.text(max_size=8) | st.sampled_from(
    ["\\", '"', '\\"', ",:[{", '\\\\",', "\\" * 5, "é€"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | JSON_TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(JSON_TEXT, inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.booleans(), st.integers(2, 9))
def test_json_values_are_counted_exactly(value: object, ascii: bool, block: int) -> None:
    """Whatever stands in strings, and wherever the text is cut."""
    raw = json.dumps(value, ensure_ascii=ascii).encode()
    count = counted(value)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cgikit.body, "_BLOCK", block)
        assert decode_json(raw, Limits(json_values=count)) == value
        if count > 1:
            with pytest.raises(LimitExceeded) as caught:
                decode_json(raw, Limits(json_values=count - 1))
            assert (caught.value.limit, caught.value.seen) == ("json_values", count)
            assert caught.value.status == 413


def test_json_text_may_be_long_and_have_commas() -> None:
    text = 'one, two: [three], {four}, "five", \\ ' * 100_000
    assert decode_json(json.dumps([text, text]).encode(), Limits()) == [text, text]


#: What takes the most memory for its length.
DENSE_JSON = {
    "objects": b'{"":0}',
    "empty objects": b"{}",
    "empty arrays": b"[]",
    "arrays in arrays": b"[[[]]]",
    "numbers": b"1.5",
    "large numbers": b"-99999999999",
    "short texts": b'"ab"',
    "wide texts": '"\U0001f600"'.encode(),
    "objects with names of their own": b'{"%d":{}}',
    "strings with escapes": rb'"\"\\"',
}


@pytest.mark.parametrize("kind", DENSE_JSON)
def test_1_9_s14_json_takes_no_more_memory_than_its_limits_allow(kind: str, tmp_path: Any) -> None:
    """8 MiB of it became 360 MB. Refused, it takes what reading it takes; else 100 bytes a value."""
    code = f"""{MEASURE}
import json
one = {DENSE_JSON[kind]!r}
def many(count):
    items = (one % n for n in range(count)) if b"%" in one else (one for n in range(count))
    return b"[" + b",".join(items) + b"]"
def post(raw):
    environ = {{"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json"}}
    return Request({{**environ, "CONTENT_LENGTH": str(len(raw))}}, io.BytesIO(raw))
post(b"[1]").json()
large = post(many((8 << 20) // (len(one) + 9 * (b"%" in one) + 1) - 1))
def refused():
    try:
        large.json()
    except LimitExceeded as error:
        assert error.limit == "json_values", error
    else:
        raise SystemExit("not refused")
first = growth(refused)
marks = 1 + sum(one.count(mark) for mark in (b",", b":", b"[", b"{{"))
whole = post(many(Limits.json_values // marks - 1))
print(first, growth(lambda: whole.json()))
"""
    refused, allowed = map(int, child(code, str(tmp_path)).split())
    assert refused <= (8 + 8 + 8) << 10  # in pieces, whole, and a little
    assert allowed <= (8 + 20 + 8) << 10


# --- S14: memory and descriptors -----------------------------------------------------------------

#: Defines `Endless`, a source of any length that takes no memory, and `growth(action)`: by how many
#: KiB the peak of this process's memory rises during it. VmHWM, because ru_maxrss begins with what
#: the parent had at the time of the fork.
MEASURE = """
import io, sys
from cgikit import LimitExceeded, Limits, Request
import cgikit.body, cgikit.pushparser, cgikit.upload, cgikit.errors, cgikit.querystring
cgikit.pushparser.library()

class Endless(io.RawIOBase):
    def __init__(self, head):
        self.head, self.given, self.block = head, 0, bytes(1 << 18)
    def readable(self):
        return True
    def read(self, size=-1, /):
        if self.head:
            piece, self.head = self.head[:size], self.head[size:]
        else:
            piece = self.block[:size]
        self.given += len(piece)
        return piece

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))

def growth(action):
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    before = status("VmRSS")
    action()
    return status("VmHWM") - before

GIB = 1 << 30
TYPE = "multipart/form-data; boundary=b"

def request(head=b"", type=TYPE, **limits):
    source = Endless(head)
    environ = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": type, "CONTENT_LENGTH": str(GIB)}
    return Request(environ, source, limits=Limits(**limits), upload_dir=sys.argv[1]), source
"""


@pytest.mark.parametrize(
    ("head", "limits", "exceeded"),
    [
        ('b""', "", "body"),
        (r"""b'--b\r\nContent-Disposition: form-data; name="f"\r\n\r\n'""", "body=GIB", "field"),
        (r"""b'--b\r\nContent-Disposition: form-data; name="' """, "body=GIB", "part_header"),
        (
            r"""b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'""",
            "body=GIB",
            "file",
        ),
    ],
)
def test_a_gibibyte_stops_at_its_limit_and_takes_no_memory(
    head: str, limits: str, exceeded: str, tmp_path: Any
) -> None:
    code = f"""{MEASURE}
req, source = request({head}, {limits})
def read():
    try:
        req.form
    except LimitExceeded as error:
        assert error.limit == {exceeded!r}, error
    else:
        raise SystemExit("not refused")
print(growth(read), source.given)
"""
    grown, given = map(int, child(code, str(tmp_path)).split())
    assert grown <= 8 << 10
    allowed = {"body": -1, "part_header": 0}.get(exceeded, getattr(Limits, exceeded))
    assert given <= allowed + (1 << 18)
    assert list(tmp_path.iterdir()) == []


def test_a_gibibyte_can_be_streamed_in_flat_memory(tmp_path: Any) -> None:
    code = f"""{MEASURE}
req, source = request(type="application/octet-stream", body=GIB)
def read():
    while req.stream.read(1 << 18):
        pass
print(growth(read), source.given)
"""
    grown, given = map(int, child(code, str(tmp_path)).split())
    assert grown <= 8 << 10
    assert given == 1 << 30


def test_a_large_upload_through_a_pipe_takes_flat_memory(tmp_path: Any) -> None:
    size = 300 << 20
    head = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n'
    tail = b"\r\n--b--\r\n"
    sender = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"""
import sys
out = sys.stdout.buffer
out.write({head!r})
block = bytes(range(256)) * 4096
for _ in range({size >> 20}):
    out.write(block)
out.write({tail!r})
""",
        ],
        stdout=subprocess.PIPE,
        env=clean_environ(),
    )
    code = f"""{MEASURE}
req = Request(limits=Limits(body=GIB, file=GIB), upload_dir=sys.argv[1])
print(growth(lambda: req.files["f"].save(sys.argv[1] + "/saved")))
upload = req.files["f"]
print(upload.size)
upload.file.seek(-512, 2)
print(upload.read() == bytes(range(256)) * 2)
req.close()
"""
    assert sender.stdout is not None
    length = len(head) + size + len(tail)
    env = {
        "REQUEST_METHOD": "POST",
        "CONTENT_TYPE": "multipart/form-data; boundary=b",
        "CONTENT_LENGTH": str(length),
    }
    try:
        grown, seen, intact = child(
            code, str(tmp_path), stdin=sender.stdout.fileno(), env=env
        ).split()
    finally:
        sender.stdout.close()
        sender.wait(timeout=30)
    assert int(grown) <= 8 << 10
    assert (int(seen), intact) == (size, "True")
    assert [path.name for path in tmp_path.iterdir()] == ["saved"]
    assert (tmp_path / "saved").stat().st_size == size
    (tmp_path / "saved").unlink()


@ways
def test_no_way_leaves_a_descriptor_open(way: str, tmp_path: Any) -> None:
    read, body, content_type = WAYS[way]
    before = descriptors()
    request = post(body, content_type, upload_dir=tmp_path)
    read(request)
    request.close()
    short = post(body, content_type, source=io.BytesIO(body[:-1]), upload_dir=tmp_path)
    with pytest.raises(BadRequest):
        read(short)
    short.close()
    assert descriptors() == before
