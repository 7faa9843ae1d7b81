"""The request as a whole: pure where it is given everything, lazy everywhere."""

import gzip
import io
from pathlib import Path

import pytest
from posting import (
    MULTIPART,
    URLENCODED,
    Untouched,
    child,
    environ,
    field,
    file,
    multipart,
    post,
)

from cgikit import (
    WSGI,
    BadRequest,
    CGIError,
    LimitExceeded,
    Limits,
    Request,
    UnsupportedMediaType,
    run,
)
from cgikit.querystring import keywords

FORM = multipart(field("a", b"form"), file("f", "x.txt", b"content"))


def get(query: str = "", **more: str) -> Request:
    return Request({"REQUEST_METHOD": "GET", "QUERY_STRING": query, **more}, Untouched())


# --- query, form, params (R26: form fields first) -------------------------------------------------


def test_query_form_and_files_stay_apart() -> None:
    request = post(FORM, QUERY_STRING="a=query&b=2")
    assert request.query.pairs() == [("a", "query"), ("b", "2")]
    assert request.form.pairs() == [("a", "form")]
    assert [name for name, _ in request.files.pairs()] == ["f"]
    assert request.params.pairs() == [("a", "form"), ("a", "query"), ("b", "2")]
    assert request.params["a"] == "form"
    assert request.params.getlist("a") == ["form", "query"]
    request.close()


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_params_are_the_form_then_the_query_by_any_method(method: str) -> None:
    request = post(b"a=1&c=3", URLENCODED, method, QUERY_STRING="a=2")
    assert request.params.pairs() == [("a", "1"), ("c", "3"), ("a", "2")]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_params_of_get_are_the_query(method: str) -> None:
    request = Request(environ(b"a=body", URLENCODED, method, QUERY_STRING="a=query"), Untouched())
    assert request.params.pairs() == [("a", "query")]
    assert request.form.pairs() == request.files.pairs() == []


def test_without_a_body_params_are_the_query_and_nothing_is_read() -> None:
    for method in ("POST", "DELETE", "PUT"):
        request = Request({"REQUEST_METHOD": method, "QUERY_STRING": "a=1"}, Untouched())
        assert request.params.pairs() == [("a", "1")]


def test_a_json_body_is_no_form_and_the_query_is_still_there() -> None:
    # The old cgi module raised TypeError here, and lost the query string.
    request = post(b'{"a": 1}', "application/json", QUERY_STRING="b=2")
    for way in ("form", "files", "params"):
        with pytest.raises(UnsupportedMediaType, match=r"\.json\(\).*\.query"):
            getattr(request, way)
    assert request.query.pairs() == [("b", "2")]
    assert request.json() == {"a": 1}


def test_the_query_is_limited_before_it_is_parsed() -> None:
    assert get("a=" + "x" * 65_534).query["a"] == "x" * 65_534
    for size in (65_537, 655_360):
        with pytest.raises(LimitExceeded) as caught:
            get("x" * size).query  # noqa: B018
        error = caught.value
        assert (error.status, error.limit, error.allowed, error.seen) == (
            414,
            "query",
            65_536,
            size,
        )


def test_fields_are_limited_in_query_and_body() -> None:
    for request, way in ((get("a&" * 1001), "query"), (post(b"a&" * 1001, URLENCODED), "form")):
        with pytest.raises(LimitExceeded) as caught:
            getattr(request, way)
        error = caught.value
        assert (error.status, error.limit, error.allowed, error.seen) == (413, "fields", 1000, 1001)


def test_limits_are_the_request_s_own() -> None:
    assert Request({}, limits=Limits(fields=1)).limits.fields == 1
    with pytest.raises(LimitExceeded, match="fields=1"):
        Request({"QUERY_STRING": "a&b"}, limits=Limits(fields=1)).query  # noqa: B018
    with pytest.raises(LimitExceeded, match="cookies=1"):
        Request({"HTTP_COOKIE": "a=1; b=2"}, limits=Limits(cookies=1)).cookies  # noqa: B018


def test_bytes_that_are_not_utf8_are_refused_everywhere_if_asked() -> None:
    cases = {
        "query": Request({"QUERY_STRING": "a=%FF"}, errors="strict"),
        "form": post(b"a=%FF", URLENCODED, errors="strict"),
        "files": post(multipart(field("a", b"\xff")), errors="strict"),
    }
    for way, request in cases.items():
        with pytest.raises(BadRequest, match=r"field 'a' is not (valid )?UTF-8"):
            getattr(request, way)


def test_keywords_and_cookies() -> None:
    assert get("free+software%21").keywords == ["free", "software!"]
    assert get("a=1").keywords == []
    cookies = get(HTTP_COOKIE="a=1; b=2; a=3").cookies
    assert (cookies["a"], cookies.getlist("a"), cookies["b"]) == ("1", ["1", "3"], "2")


def test_keywords_are_those_of_the_query_of_a_post_too() -> None:
    """CGI.pm takes those of the body for a POST; they are one call away."""
    request = post(b"two+words", URLENCODED, QUERY_STRING="one")
    assert request.keywords == ["one"]
    assert keywords(request.body) == ["two", "words"]
    assert request.form.pairs() == [("two words", "")]


def test_an_empty_environment_is_a_get() -> None:
    request = Request({})
    assert (request.method, request.path_info, request.content_length) == ("GET", "", 0)
    assert request.query.pairs() == request.form.pairs() == request.cookies.pairs() == []
    assert request.body == b""
    assert repr(request) == "<Request GET >"
    request.close()


# --- lazy ----------------------------------------------------------------------------------------


def test_what_is_not_touched_is_not_read() -> None:
    class Poisoned(dict[str, str]):
        """Meta-variables of which only some may be looked at."""

        def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
            raise AssertionError(f"{name} was read")

        __getitem__ = get  # type: ignore[assignment]

    Request(Poisoned(QUERY_STRING="%"), Untouched()).close()


def test_one_bad_part_does_not_spoil_the_others() -> None:
    request = Request(
        {
            "REQUEST_METHOD": "POST",
            "CONTENT_LENGTH": "-1",
            "QUERY_STRING": "a=1",
            "HTTP_COOKIE": "c=2",
            "PATH_INFO": "/p",
        },
        Untouched(),
    )
    assert (request.query["a"], request.cookies["c"], request.path_info) == ("1", "2", "/p")
    for _ in range(2):  # and what is bad is bad each time
        with pytest.raises(BadRequest, match="Content-Length"):
            request.form  # noqa: B018


def test_parsed_once() -> None:
    request = post(b"a=1", URLENCODED, QUERY_STRING="b=2", HTTP_COOKIE="c=3")
    assert request.query is request.query
    assert request.form is request.form
    assert request.cookies is request.cookies


def test_nothing_is_imported_for_what_is_not_touched() -> None:
    code = """
import sys
from cgikit import Request
request = Request({"REQUEST_METHOD": "POST", "QUERY_STRING": "a=1", "CONTENT_LENGTH": "3"})
lazy = ("querystring", "cookies", "body", "multipart", "upload", "errors", "process", "multidict")
print(*(name for name in lazy if "cgikit." + name in sys.modules))
request.query
print(*(name for name in lazy if "cgikit." + name in sys.modules))
"""
    assert child(code).splitlines() == ["", "querystring multidict"]


# --- pure ----------------------------------------------------------------------------------------


def test_a_request_that_is_given_everything_touches_no_process_state(tmp_path: Path) -> None:
    code = f"""
import io, os, sys
from cgikit import Request

class Forbidden:
    def __getattribute__(self, name):
        raise SystemExit(f"process state was touched: {{name}}")
    __getitem__ = __iter__ = __len__ = __contains__ = __bool__ = __getattribute__

for number in (0, 1):
    os.close(number)
out = os.dup(2)
os.environ = os.environb = sys.stdin = sys.stdout = sys.argv = Forbidden()
body = {FORM!r}
environ = {environ(FORM, MULTIPART, QUERY_STRING="q=1", HTTP_COOKIE="c=2", HTTP_HOST="h")!r}
request = Request(environ, io.BytesIO(body), upload_dir={str(tmp_path)!r})
assert request.query["q"] == "1" and request.cookies["c"] == "2" and request.form["a"] == "form"
assert request.files["f"].read() == b"content" and request.params["a"] == "form"
assert request.url() == "http://h/?q=1" and request.headers["Host"] == "h"
request.files["f"].save({str(tmp_path / "x")!r})
request.close()
# Neither does one without a body to read from take the process's own.
assert Request({{"REQUEST_METHOD": "POST"}}).form.pairs() == []
request = Request({{"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "5"}})
try:
    request.body
except ValueError as error:
    assert "after 0 of the 5" in str(error)
sys.stdin = sys.stdout = None
os._exit(0)
"""
    assert child(code) == ""
    assert (tmp_path / "x").read_bytes() == b"content"


# --- this process's own --------------------------------------------------------------------------


def test_its_own_environment_and_standard_input() -> None:
    code = """
import os
from cgikit import Request
request = Request()
print(request.method, request.query.pairs(), request.form.pairs(), request.files["f"].read())
request.close()
print(os.read(0, 100))
"""
    env = environ(FORM, MULTIPART, QUERY_STRING="q=1")
    said = child(code, stdin=FORM + b"NEXT", env=env)
    assert said.splitlines() == ["POST [('q', '1')] [('a', 'form')] b'content'", "b'NEXT'"]


def test_standard_input_is_not_read_for_what_does_not_need_it() -> None:
    code = """
import os
from cgikit import Request
request = Request()
request.query, request.cookies, request.headers, request.params, request.form, request.url()
print(os.read(0, 100))
"""
    said = child(code, stdin=b"a=1", env={**environ(b"a=1", URLENCODED, "GET"), "HTTP_HOST": "h"})
    assert said == "b'a=1'\n"


ASK = """
from cgikit import BadRequest, Request
assert Request({}).body == b""
try:
    Request().body
except BadRequest as error:
    print(error)
"""


@pytest.mark.parametrize(
    "code",
    [
        f"import sys\nsys.stdin = None\n{ASK}",
        # What a server that gives no standard input starts.
        f"import os, subprocess, sys\nos.close(0)\nsubprocess.run([sys.executable, '-c', {ASK!r}])",
    ],
)
def test_a_closed_standard_input_is_a_body_that_does_not_come(code: str) -> None:
    env = environ(b"abc", "text/plain")
    assert child(code, env=env) == "the body ended after 0 of the 3 bytes announced\n"


def test_standard_input_may_be_anything_with_a_buffer() -> None:
    code = """
import io, sys
from cgikit import Request
sys.stdin = io.TextIOWrapper(io.BytesIO(b"abcNEXT"))
print(Request().body, sys.stdin.buffer.read())
"""
    assert child(code, env=environ(b"abc", "text/plain")) == "b'abc' b'NEXT'\n"


def test_given_only_a_body_it_reads_that_in_its_own_environment() -> None:
    code = """
import io
from cgikit import Request
print(Request(stdin=io.BytesIO(b"abc")).body)
"""
    assert child(code, stdin=b"xyz", env=environ(b"abc", "text/plain")) == "b'abc'\n"


def test_closing_closes_the_uploads_and_may_be_repeated(tmp_path: Path) -> None:
    request = post(multipart(file("f", "x", bytes(100_000))), upload_dir=tmp_path)
    upload = request.files["f"]
    assert not upload.file.closed
    request.close()
    request.close()
    assert upload.file.closed


def test_errors_of_the_request_are_cgi_errors_with_a_status() -> None:
    cases = {
        400: post(b"abc", source=io.BytesIO(b"ab")),
        411: Request({"REQUEST_METHOD": "POST", "HTTP_TRANSFER_ENCODING": "chunked"}),
        413: post(b"abc", limits=Limits(body=2)),
    }
    for status, request in cases.items():
        with pytest.raises(CGIError) as caught:
            request.body  # noqa: B018
        assert caught.value.status == status


# --- pages that are not in UTF-8 ------------------------------------------------------------------


def test_3_7_the_charset_of_a_page_holds_for_names_and_values_of_all_forms() -> None:
    request = post(b"n%E4me=%80", URLENCODED, QUERY_STRING="%FC=%DF", charset="iso-8859-1")
    assert request.form.pairs() == [("näme", "€")]
    assert request.query.pairs() == [("ü", "ß")]
    one = b'Content-Disposition: form-data; name="n\xe4me"\r\n\r\n\x80'
    two = b'Content-Disposition: form-data; name="f"; filename="\xfc.txt"\r\n\r\nx'
    three = b'Content-Disposition: form-data; name="u"\r\n'
    three += b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xc3\xa4"
    request = post(multipart(one, two, three), charset="windows-1252")
    assert request.form.pairs() == [("näme", "€"), ("u", "ä")]
    assert request.files["f"].client_filename == "ü.txt"
    request.close()


def test_a_charset_that_nobody_knows_is_the_programmer_s_mistake() -> None:
    with pytest.raises(ValueError, match="charset='nonsense'"):
        Request({}, charset="nonsense")
    # At once, and not with the first request: it would be an error of each one, or end a worker
    with pytest.raises(ValueError, match="charset='nonsense'"):
        run(lambda request: "", charset="nonsense")
    with pytest.raises(ValueError, match="charset='nonsense'"):
        WSGI(lambda request: "", charset="nonsense")


# --- compressed bodies ----------------------------------------------------------------------------


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate", "br", "gzip, identity"])
def test_3_7_a_compressed_body_is_no_form_and_no_json(coding: str) -> None:
    raw = gzip.compress(b"a=1", mtime=0)
    ways = [
        (URLENCODED, lambda request: request.form),
        (URLENCODED, lambda request: request.params),
        (MULTIPART, lambda request: request.files),
        ("application/json", lambda request: request.json()),
        ("text/plain", lambda request: request.text()),
    ]
    for content_type, read in ways:
        request = post(raw, content_type, HTTP_CONTENT_ENCODING=coding)
        with pytest.raises(UnsupportedMediaType, match="Content-Encoding") as caught:
            read(request)
        assert caught.value.status == 415
        assert request.body == raw  # as it came, for those who know what to do with it
    assert post(raw, URLENCODED, HTTP_CONTENT_ENCODING=coding).stream.read() == raw


def test_identity_is_no_coding() -> None:
    assert post(b"a=1", URLENCODED, HTTP_CONTENT_ENCODING="Identity").form["a"] == "1"
    assert post(b"", URLENCODED, HTTP_CONTENT_ENCODING="gzip").form.pairs() == []
