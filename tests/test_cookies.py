"""Cookies: real headers as a corpus, and everything a browser would drop refused when building."""

import datetime
import inspect

import corpus
import pytest
from hypothesis import example, given
from properties import CONTROLS, any_texts, as_environ, noisy, outcome, placements, texts

from cgikit import CGIError, LimitExceeded, Limits, MultiDict, Request, Response
from cgikit.cookies import build, forget, parse
from cgikit.debug import answer_error


@pytest.mark.parametrize(("raw", "expected"), corpus.cases("cookies"))
def test_corpus(raw: bytes, expected: dict) -> None:
    """S13: names are not decoded, only space and tab are stripped."""
    assert parse(as_environ(raw)).pairs() == [tuple(pair) for pair in expected["pairs"]]


def test_the_corpus_is_whole() -> None:
    assert corpus.strays("cookies") == []


def test_the_first_of_a_name_is_the_one_meant() -> None:
    cookies = parse("id=path; id=root")
    assert cookies["id"] == "path"
    assert cookies.getlist("id") == ["path", "root"]


@given(any_texts | noisy)
@example("\ud800=1")
def test_any_header_gives_cookies_or_our_error(header: str) -> None:
    assert isinstance(outcome(parse, header), MultiDict | CGIError)


@given(any_texts | noisy)
def test_no_bad_cookie_hides_another(junk: str) -> None:
    pairs = parse(f"first=1; {junk}; last=2").pairs()
    assert pairs[0] == ("first", "1")
    assert pairs[-1] == ("last", "2")


# --- the limit (S14) --------------------------------------------------------------------------


def test_as_many_cookies_as_the_limit_pass() -> None:
    assert len(parse("; ".join(["a=1"] * 10), limits=Limits(cookies=10)).pairs()) == 10


@pytest.mark.parametrize("count", [11, 100])
def test_more_are_refused_by_name(count: int) -> None:
    with pytest.raises(LimitExceeded) as caught:
        parse("; ".join(["a=1"] * count), limits=Limits(cookies=10))
    error = caught.value
    assert (error.limit, error.allowed, error.seen, error.status) == ("cookies", 10, count, 431)


UTC = datetime.UTC

# --- building ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "attributes"),
    [
        ({}, "Path=/; HttpOnly; SameSite=Lax"),
        ({"path": None, "httponly": False, "samesite": None}, ""),
        ({"path": "/app", "domain": "example.com"},
         "Domain=example.com; Path=/app; HttpOnly; SameSite=Lax"),
        ({"max_age": 3600}, "Max-Age=3600; Path=/; HttpOnly; SameSite=Lax"),
        ({"max_age": 0}, "Max-Age=0; Path=/; HttpOnly; SameSite=Lax"),
        ({"max_age": -1}, "Max-Age=-1; Path=/; HttpOnly; SameSite=Lax"),
        ({"secure": True, "samesite": "none", "partitioned": True},
         "Path=/; Secure; HttpOnly; SameSite=None; Partitioned"),
        ({"samesite": "STRICT"}, "Path=/; HttpOnly; SameSite=Strict"),
        ({"priority": "high"}, "Path=/; HttpOnly; SameSite=Lax; Priority=High"),
        ({"domain": ".Example.com"}, "Domain=.Example.com; Path=/; HttpOnly; SameSite=Lax"),
        ({"domain": "localhost"}, "Domain=localhost; Path=/; HttpOnly; SameSite=Lax"),
        ({"domain": "127.0.0.1"}, "Domain=127.0.0.1; Path=/; HttpOnly; SameSite=Lax"),
        ({"domain": "my_host.example"}, "Domain=my_host.example; Path=/; HttpOnly; SameSite=Lax"),
    ],
)  # fmt: skip
def test_every_attribute(options: dict, attributes: str) -> None:
    assert build("a", "1", **options) == f"a=1; {attributes}".rstrip("; ")


@pytest.mark.parametrize(
    ("expires", "date"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (-11_644_473_600, "Mon, 01 Jan 1601 00:00:00 GMT"),
        (784111777.9, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("784111777", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime.datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), "Sun, 06 Nov 1994 08:49:37 GMT"),
    ],
)
def test_expires_forms(expires: object, date: str) -> None:
    assert f"; Expires={date}; " in build("a", "1", expires=expires)


@pytest.mark.parametrize(
    "expires", ["tomorrow", "", "+1", "1; Domain=evil", datetime.datetime(2030, 1, 1), 10**15]
)
def test_what_is_no_moment_is_refused(expires: object) -> None:
    """An Expires that a browser cannot read would make a session cookie of it, unseen."""
    with pytest.raises(ValueError, match=r"valid date|time zone|outside"):
        build("a", "1", expires=expires)


@pytest.mark.parametrize("prefix", ["__Secure-", "__Host-", "__Http-", "__HOST-", "__secure-"])
def test_prefixes_need_secure(prefix: str) -> None:
    """S13, in any case, because browsers compare them so."""
    with pytest.raises(ValueError, match="secure=True"):
        build(prefix + "id", "1")
    assert build(prefix + "id", "1", secure=True).endswith("Path=/; Secure; HttpOnly; SameSite=Lax")


@pytest.mark.parametrize("options", [{"path": "/app"}, {"path": None}, {"domain": "example.com"}])
@pytest.mark.parametrize("name", ["__Host-id", "__hOST-id", "__Host-Http-id"])
def test_host_prefix_needs_the_whole_host(name: str, options: dict) -> None:
    with pytest.raises(ValueError, match="path='/' and no domain"):
        build(name, "1", secure=True, **options)


@pytest.mark.parametrize("name", ["__Http-id", "__Host-Http-id", "__HOST-HTTP-id"])
def test_http_prefix_needs_httponly(name: str) -> None:
    with pytest.raises(ValueError, match="httponly=True"):
        build(name, "1", secure=True, httponly=False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"samesite": "None"}, "secure=True"),
        ({"partitioned": True}, "secure=True"),
        ({"samesite": "Loose"}, "'Lax', 'Strict', 'None'"),
        ({"samesite": ""}, "'Lax', 'Strict', 'None'"),
        ({"priority": "urgent"}, "'Low', 'Medium', 'High'"),
        ({"domain": "example.com:80"}, "not a valid host name"),
        ({"domain": "http://example.com"}, "not a valid host name"),
        ({"domain": "a,b"}, "not a valid host name"),
        ({"domain": "a b"}, "not a valid host name"),
        ({"domain": "*.example.com"}, "not a valid host name"),
        ({"domain": "."}, "not a valid host name"),
        ({"domain": ".."}, "not a valid host name"),
        ({"domain": "a..b"}, "not a valid host name"),
        ({"domain": "..example.com"}, "not a valid host name"),
        ({"domain": "example.com."}, "not a valid host name"),
        ({"domain": "a" * 64 + ".com"}, "not a valid host name"),
        ({"domain": "a." * 127 + "b"}, "not a valid host name"),
        ({"expires": -11_644_473_601}, "before 1601"),
        ({"expires": datetime.datetime(1600, 12, 31, tzinfo=UTC)}, "before 1601"),
        ({"expires": "Sun, 06 Nov 1594 08:49:37 GMT"}, "before 1601"),
        ({"path": ""}, "begin with /"),
        ({"path": "app"}, "begin with /"),
        ({"path": "/a;b"}, "cannot be sent"),
        ({"path": "/ü"}, "cannot be sent"),
        ({"path": "/" + "a" * 1024}, "cannot be sent"),
        ({"domain": ""}, "cannot be sent"),
        ({"domain": "a;secure"}, "cannot be sent"),
        ({"domain": "münchen.de"}, "cannot be sent"),
    ],
)
def test_what_a_browser_would_drop_is_refused(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        build("a", "1", **options)
    assert not isinstance(caught.value, CGIError)


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a;b", "a,b", '"a"', "ü", "a/b", "[a]"])
def test_names_are_tokens(name: str) -> None:
    with pytest.raises(ValueError, match="token"):
        build(name, "1")


@pytest.mark.parametrize("bad", [*CONTROLS, ";"])
def test_no_control_gets_into_a_cookie(bad: str) -> None:
    """S1: every control, first, in the middle and last, in every attribute that takes text."""
    for text in placements(bad):
        with pytest.raises(ValueError, match="token"):
            build(text, "1")
        for attribute in ("path", "domain", "samesite", "expires"):
            value = "/" + text if attribute == "path" else text
            with pytest.raises(ValueError, match=r"cannot|Lax|valid date"):
                build("a", "1", **{attribute: value})
        cookie = build("a", text, samesite=None, path=None, httponly=False)
        assert cookie.isprintable()
        assert ";" not in cookie


def test_a_cookie_larger_than_browsers_keep_is_refused() -> None:
    assert build("a", "x" * 4095)
    with pytest.raises(ValueError, match="4096"):
        build("a", "x" * 4096)
    with pytest.raises(ValueError, match="4096"):
        build("a", "ü" * 700)  # 4,200 bytes when encoded


@given(texts.filter(lambda text: len(text) < 300))
def test_any_text_comes_back(value: str) -> None:
    cookie = build("a", value)
    assert cookie.isascii()
    assert cookie.isprintable()
    assert parse(cookie.partition("; ")[0]).pairs() == [("a", value)]


@pytest.mark.parametrize(
    "value", [" a b ", '"quoted"', "a;b,c", "50%", "%41", "\r\n", "\\", "ü€😀"]
)
def test_awkward_values_come_back(value: str) -> None:
    assert parse(f"x=1; {build('a', value).partition(';')[0]}; y=2")["a"] == value


@pytest.mark.parametrize("value", [3, None, b"x"])
def test_a_value_that_is_no_text_names_its_cookie(value: object) -> None:
    with pytest.raises(TypeError, match="cookie visits: the value must be a str, not"):
        build("visits", value)  # type: ignore[arg-type]


@pytest.mark.parametrize("max_age", [float("inf"), 1.5, "60", True])
def test_a_max_age_is_a_whole_number_of_seconds(max_age: object) -> None:
    """An infinite one was an OverflowError that named no cookie."""
    with pytest.raises(TypeError, match="cookie n: max_age"):
        build("n", "v", max_age=max_age)


def test_a_value_with_half_a_surrogate_pair_names_the_cookie() -> None:
    with pytest.raises(ValueError, match=r"cookie n: .*surrogate"):
        build("n", "\udcff")


@pytest.mark.parametrize("wrong", [False, 5, b"x", ["x"]])
@pytest.mark.parametrize("argument", ["path", "domain", "samesite", "priority"])
def test_an_argument_of_another_type_is_named(argument: str, wrong: object) -> None:
    """samesite=False was an `AttributeError`."""
    with pytest.raises(TypeError, match=f"cookie n: {argument}"):
        build("n", "v", **{argument: wrong})


def test_an_end_is_no_truth() -> None:
    with pytest.raises(TypeError, match="cookie n: expires"):
        build("n", "v", expires=True)


# --- forgetting ---------------------------------------------------------------------------------

GONE = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.mark.parametrize(
    ("name", "options", "attributes"),
    [
        ("a", {}, "Path=/; HttpOnly; SameSite=Lax"),
        ("a", {"path": "/x", "domain": "b.example"},
         "Domain=b.example; Path=/x; HttpOnly; SameSite=Lax"),
        ("a", {"samesite": "None"}, "Path=/; Secure; HttpOnly; SameSite=None"),
        ("a", {"samesite": None}, "Path=/; HttpOnly"),
        ("a", {"partitioned": True}, "Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned"),
        ("__Host-a", {}, "Path=/; Secure; HttpOnly; SameSite=Lax"),
        ("__Http-a", {}, "Path=/; Secure; HttpOnly; SameSite=Lax"),
    ],
)  # fmt: skip
def test_a_cookie_is_forgotten_as_it_was_set(name: str, options: dict, attributes: str) -> None:
    assert forget(name, **options).replace(f"; {GONE}", "") == f"{name}=; {attributes}"
    assert f"; {GONE}; " in forget(name, **options)


def test_what_sets_a_cookie_also_deletes_it() -> None:
    """Each argument that tells a browser which cookie it is, or whether to heed it."""
    told = set(inspect.signature(forget).parameters)
    asked = set(inspect.signature(build).parameters)
    assert asked - told == {"value", "max_age", "expires", "httponly", "priority", "signed_with"}
    for method, function in (("set_cookie", build), ("delete_cookie", forget)):
        parameters = inspect.signature(getattr(Response, method)).parameters
        assert set(parameters) - {"self"} == set(inspect.signature(function).parameters)


# --- signed -----------------------------------------------------------------------------------

OLD, NEW, OTHER = "o" * 32, b"n" * 32, "x" * 32


def sent(*responses: Response) -> Request:
    """The next request of a browser that got these."""
    fields = [value for response in responses for value in response.headers.getlist("Set-Cookie")]
    return Request({"HTTP_COOKIE": "; ".join([field.partition(";")[0] for field in fields])})


def signed(name: str, value: str, keys, **options) -> Response:
    response = Response("")
    response.set_cookie(name, value, signed_with=keys, **options)
    return response


@pytest.mark.parametrize("value", ["", "plain", "ü €", ' a;b,"c"%41=. ', "1.2.3", "\0\r\n"])
def test_a_signed_cookie_comes_back(value: str) -> None:
    request = sent(signed("user", value, NEW))
    assert request.cookies.signed("user", NEW, max_age=60) == value
    assert request.cookies.signed("user", [OTHER, NEW], max_age=None) == value
    assert request.cookies["user"].endswith(value)  # signed, not encrypted
    assert request.cookies.signed("user", OTHER, max_age=60) is None
    assert request.cookies.signed("user", NEW, max_age=-1) is None


def test_keys_are_replaced_one_after_the_other() -> None:
    before, during = sent(signed("a", "1", [OLD])), sent(signed("a", "2", [NEW, OLD]))
    assert before.cookies.signed("a", iter([NEW, OLD]), max_age=60) == "1"
    assert during.cookies.signed("a", [NEW], max_age=60) == "2"
    assert before.cookies.signed("a", [NEW], max_age=60) is None


def test_a_signature_is_for_one_name() -> None:
    header = sent(signed("colour", "admin", NEW)).environ["HTTP_COOKIE"]
    moved = Request({"HTTP_COOKIE": header.replace("colour=", "user=")})
    assert moved.cookies.signed("user", NEW, max_age=60) is None
    assert moved.cookies.signed("colour", NEW, max_age=60) is None


def test_a_cookie_that_somebody_else_set_hides_no_signed_one() -> None:
    """Another application of the host, or a page of a sister domain, can set one with a longer path."""
    genuine = sent(signed("user", "ann", NEW)).environ["HTTP_COOKIE"]
    request = Request({"HTTP_COOKIE": f"user=bob; user=1.2.3.bob; {genuine}; user=eve"})
    assert request.cookies.signed("user", iter([OTHER, NEW]), max_age=60) == "ann"
    first = sent(signed("user", "1", NEW), signed("user", "2", NEW))
    assert first.cookies.signed("user", NEW, max_age=60) == "1"


@pytest.mark.parametrize("header", ["", "user=", "user=ann", "other=1"])
def test_a_cookie_without_a_signature_is_none(header: str) -> None:
    assert Request({"HTTP_COOKIE": header}).cookies.signed("user", NEW, max_age=60) is None


@pytest.mark.parametrize("header", ["", "a=1"])
def test_a_weak_key_is_an_error_even_if_there_is_nothing_to_check(header: str) -> None:
    with pytest.raises(ValueError, match=r"has 5 bytes, but needs 32 .* make one with: python3 -c"):
        Request({"HTTP_COOKIE": header}).cookies.signed("a", "short", max_age=60)
    with pytest.raises(ValueError, match=r"has 5 bytes, but needs 32"):
        signed("a", "1", ["short"])
    with pytest.raises(ValueError, match="the list of keys is empty"):
        signed("a", "1", [])


def test_a_key_that_is_not_set_is_an_error_and_no_unsigned_cookie() -> None:
    with pytest.raises(TypeError, match="check that the variable with the key is set"):
        signed("a", "1", None)
    for cookies in (Request({}).cookies, sent(signed("a", "1", NEW)).cookies):
        with pytest.raises(TypeError, match="check that the variable with the key is set"):
            cookies.signed("a", None, max_age=60)


@pytest.mark.parametrize("age", [float("nan"), 60.0, "60"])
def test_an_age_that_is_no_number_of_seconds_is_an_error_with_any_cookie(age: object) -> None:
    """A NaN accepted a cookie of any age."""
    for cookies in (Request({}).cookies, sent(signed("a", "1", NEW)).cookies):
        with pytest.raises(TypeError, match="max_age must be an int"):
            cookies.signed("a", NEW, max_age=age)  # type: ignore[arg-type]


def test_a_signature_counts_for_the_size() -> None:
    longest = 4096 - len("a") - len("1.1700000000..") - 64
    assert sent(signed("a", "v" * longest, NEW)).cookies.signed("a", NEW, max_age=60)
    with pytest.raises(ValueError, match="cookie a: name and value have 4097 bytes"):
        signed("a", "v" * (longest + 1), NEW)


@pytest.mark.parametrize(("value", "error"), [("\ud800", "surrogate"), (5, "must be a str")])
def test_what_cannot_be_signed_names_the_cookie(value, error: str) -> None:
    with pytest.raises((ValueError, TypeError), match=f"cookie user: .*{error}"):
        signed("user", value, NEW)


def test_no_page_of_an_error_shows_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Each variable that holds one has a name that is masked."""

    def handler(request: Request) -> Response:
        keys = [secret_of_the_test, "short"]
        response = Response("")
        if request.query:
            request.cookies.signed("a", keys, max_age=5)
        response.set_cookie("a", "b", signed_with=keys)
        return response

    secret_of_the_test = "canary" + "x" * 40
    for query in ("", "read=1"):
        request = Request({"QUERY_STRING": query})
        try:
            handler(request)
        except ValueError as error:
            error.__traceback__ = error.__traceback__.tb_next.tb_next  # without the script's own
            page = answer_error(error, request, details=True)
        assert "has 5 bytes" in page.body
        assert "canary" not in page.body + capsys.readouterr().err
