"""Response: the bytes that go out, and what can never be made to go out."""

import contextlib
import io
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from child import environment, run_script, start, write_script

from cgikit import Request, Response, StateError
from cgikit.environ import MetaVariables
from cgikit.response import head

#: Every control of ASCII, and what some reader takes for a line end or a control beyond it (S1).
CONTROLS = [*map(chr, range(0x20)), "\x7f", *map(chr, range(0x80, 0xA0)), "\u2028", "\u2029"]
PLACES = ["{}abc", "ab{}c", "abc{}"]


def request(**variables: str) -> MetaVariables:
    return MetaVariables(environment(**variables))


def sent(response: Response, **variables: str) -> bytes:
    out = io.BytesIO()
    assert response.send(out, request(**variables)) is True
    return out.getvalue()


# --- S1: nothing splits a header ----------------------------------------------------------------


def set_content_type(response, text):
    response.content_type = "text/" + text


def set_expires(response, text):
    response.expires = text


def set_cache_control(response, text):
    response.cache_control = text


def set_status(response, text):
    response.status = text


def set_header(response, text):
    response.headers["X-Name"] = text


def set_header_name(response, text):
    response.headers[text] = "value"


SETTERS = {
    "headers value, constructor": lambda _, text: Response(headers={"X-Name": text}),
    "headers name, constructor": lambda _, text: Response(headers=[(text, "value")]),
    "content_type, constructor": lambda _, text: Response(content_type="text/" + text),
    "content_type in headers": lambda _, text: Response(headers={"Content-Type": "text/" + text}),
    "status, constructor": lambda _, text: Response(status=text),
    "content_type": set_content_type,
    "status": set_status,
    "headers[]": set_header,
    "headers[], name": set_header_name,
    "headers.add": lambda response, text: response.headers.add("X-Name", text),
    "headers.add, name": lambda response, text: response.headers.add(text, "value"),
    "expires": set_expires,
    "cache_control": set_cache_control,
    "attachment": lambda response, text: response.attachment(text),
    "redirect path": lambda _, text: Response.redirect("/" + text),
    "redirect URL": lambda _, text: Response.redirect("http://host/" + text),
    "redirect, relative": lambda _, text: Response.redirect("x" + text),
    "stream type": lambda _, text: Response.stream([], content_type="a/" + text),
    "cookie name": lambda response, text: response.set_cookie(text, "v"),
    "cookie path": lambda response, text: response.set_cookie("n", "v", path="/" + text),
    "cookie domain": lambda response, text: response.set_cookie("n", "v", domain=text),
    "cookie expires": lambda response, text: response.set_cookie("n", "v", expires=text),
    "cookie samesite": lambda response, text: response.set_cookie("n", "v", samesite=text),
    "deleted cookie": lambda response, text: response.delete_cookie(text),
    "deleted cookie's path": lambda response, text: response.delete_cookie("n", path="/" + text),
    "file type": lambda _, text: Response.file(__file__, content_type="text/" + text),
    "file name": lambda _, text: Response.file(__file__, filename=text),
    "X-Accel-Redirect": lambda _, text: Response.file(__file__, x_accel_redirect="/" + text),
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("setter", SETTERS)
def test_s1_a_control_is_refused_where_it_is_set(setter: str, place: str) -> None:
    for control in CONTROLS:
        response = Response("body")
        before = response.headers.items()
        with pytest.raises(ValueError, match=r"."):
            SETTERS[setter](response, place.format(control))
        assert response.headers.items() == before, repr(control)


@pytest.mark.parametrize("place", PLACES)
def test_s1_a_control_in_a_cookies_value_is_encoded(place: str) -> None:
    for control in CONTROLS:
        response = Response("")
        response.set_cookie("name", place.format(control))
        (line,) = [x for x in sent(response).split(b"\n") if x.startswith(b"Set-Cookie")]
        assert line.isascii()
        assert line.decode().isprintable()


@pytest.mark.parametrize("place", PLACES)
def test_s1_a_file_whose_name_holds_a_control_is_not_handed_over(tmp_path, place: str) -> None:
    for control in CONTROLS[1:]:  # NUL is in no file name
        path = tmp_path / place.format(control).replace("/", "")
        path.write_text("x")
        with pytest.raises(ValueError, match="X-Sendfile"):
            Response.file(path, x_sendfile=True)
        path.unlink()


@pytest.mark.parametrize("nph", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_s1_the_last_look_finds_what_was_set_behind_the_back(place: str, nph: bool) -> None:
    script = "/nph-x" if nph else "/x"
    for control in CONTROLS:
        text = place.format(control)
        for field in ((text, "value"), ("X-Name", text)):
            response = Response("body")
            response.headers._fields.append(field)
            out = io.BytesIO()
            with pytest.raises(ValueError, match="header"):
                response.send(out, request(SCRIPT_NAME=script))
            assert out.getvalue() == b""
        response = Response.redirect("/")
        response._redirect.location = "/" + text  # type: ignore[union-attr]
        with pytest.raises(ValueError, match=r"."):
            response.send(out, request(SCRIPT_NAME=script))
        response = Response()
        response._status = text
        with pytest.raises(ValueError, match=r"."):
            response.send(out, request(SCRIPT_NAME=script))
        assert out.getvalue() == b""


# --- exactly these bytes ------------------------------------------------------------------------

HTML = b"Content-Type: text/html; charset=utf-8\n"


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response("<p>ü"), HTML + "Content-Length: 5\n\n<p>ü".encode()),
        (Response(), HTML + b"Content-Length: 0\n\n"),
        (Response.html("x", 201), b"Status: 201 Created\n" + HTML + b"Content-Length: 1\n\nx"),
        (Response("x", 599), b"Status: 599 Unknown\n" + HTML + b"Content-Length: 1\n\nx"),
        (
            Response.text("a\r\nb"),
            b"Content-Type: text/plain; charset=utf-8\nContent-Length: 4\n\na\r\nb",
        ),
        (
            Response.json({"k": ["ü", 1, None]}),
            b"Content-Type: application/json\nContent-Length: 19\n\n"
            + '{"k":["ü",1,null]}'.encode(),
        ),
        (
            Response(b"\x89PNG", content_type="image/png"),
            b"Content-Type: image/png\nContent-Length: 4\n\n\x89PNG",
        ),
        (
            Response("ü", content_type="Text/Plain; Charset=ISO-8859-1"),
            b"Content-Type: Text/Plain; Charset=ISO-8859-1\nContent-Length: 1\n\n\xfc",
        ),
        (
            Response("ü", content_type="TEXT/CSS"),
            b"Content-Type: TEXT/CSS; charset=utf-8\nContent-Length: 2\n\n" + "ü".encode(),
        ),
        (
            Response("ü", headers={"content-type": "text/plain"}),
            b"Content-Type: text/plain; charset=utf-8\nContent-Length: 2\n\n" + "ü".encode(),
        ),
        (Response(["a", b"b", ""]), HTML + b"\nab"),
        (Response(("a", "b")), HTML + b"\nab"),
        (
            Response.stream(iter(["ü"]), "text/plain"),
            b"Content-Type: text/plain; charset=utf-8\n\n" + "ü".encode(),
        ),
        (Response("gone", 204), b"Status: 204 No Content\n\n"),
        (Response("gone", 205), b"Status: 205 Reset Content\n\n"),
        (
            Response("x", headers=[("Vary", "Cookie"), ("Vary", "Accept")]),
            b"Vary: Cookie\nVary: Accept\n" + HTML + b"Content-Length: 1\n\nx",
        ),
    ],
)
def test_r14_r15_r20_r25_a_document_on_the_wire(response: Response, expected: bytes) -> None:
    assert sent(response) == expected


def test_r9_head_has_the_same_fields_and_no_body() -> None:
    for make in (lambda: Response("body"), lambda: Response.redirect("/a")):
        head, _, body = sent(make()).partition(b"\n\n")
        assert body
        assert sent(make(), REQUEST_METHOD="HEAD") == head + b"\n\n"


def test_r9_head_never_runs_a_stream() -> None:
    ran = []

    def chunks():
        ran.append(1)
        yield "x"

    assert sent(Response.stream(chunks()), REQUEST_METHOD="HEAD") == HTML + b"\n"
    assert ran == []


@pytest.mark.parametrize("status", [204, 205, 304])
def test_no_body_no_field_about_one(status: int) -> None:
    fields = {
        "Content-Encoding": "x",
        "Content-Language": "en",
        "Content-Location": "/here",
        "Content-Security-Policy": "default-src 'self'",
        "ETag": '"1"',
        "Content-Length": "3",
    }
    raw = sent(Response(iter(["abc"]), status, fields))
    assert raw.split(b"\n")[1:] == [
        b"Content-Location: /here",
        b"Content-Security-Policy: default-src 'self'",
        b'ETag: "1"',
        b"",
        b"",
    ]


def test_the_length_is_ours_where_it_is_known() -> None:
    assert b"Content-Length: 1\n" in sent(Response("x", headers={"Content-Length": "99"}))


@pytest.mark.parametrize(
    "name",
    "Connection Keep-Alive Proxy-Connection TE Trailer Transfer-Encoding Upgrade Status STATUS".split(),
)
def test_r23_the_servers_own_fields_are_refused(name: str) -> None:
    out = io.BytesIO()
    with pytest.raises(ValueError, match="only the server may send it"):
        Response("x", headers={name: "1"}).send(out, request())
    assert out.getvalue() == b""


@pytest.mark.parametrize(
    "name",
    "Content-Type Location Content-Length Expires Last-Modified ETag Content-Disposition".split(),
)
def test_r19_a_field_that_comes_once_is_sent_once(name: str) -> None:
    response = Response(iter(()), 302, [(name, "/1"), (name.lower(), "/2")])
    with pytest.raises(ValueError, match="only once"):
        sent(response)


@pytest.mark.parametrize("status", [0, 100, 199, 600, 1000, True, 200.0, "200", None])
def test_r22_a_status_is_a_status(status: object) -> None:
    with pytest.raises(ValueError, match="200 to 599"):
        Response(status=status)


def test_r15_no_body_without_a_type() -> None:
    response = Response("x")
    del response.headers["Content-Type"]
    with pytest.raises(ValueError, match="Content-Type"):
        sent(response)
    with pytest.raises(ValueError, match="content_type='' is not valid"):
        Response("x", content_type="")


@pytest.mark.parametrize("charset", ["utf-7", "UTF-7", '"utf-7"'])
def test_s19_no_utf_7(charset: str) -> None:
    with pytest.raises(ValueError, match="UTF-7"):
        Response("x", content_type=f"text/html; charset={charset}")


@pytest.mark.parametrize("charset", ["cp037", "nonsense", "hex", "x" * 8_000])
def test_s19_an_answer_has_a_charset_that_is_known(charset: str) -> None:
    response = Response("x", content_type=f"text/html; charset={charset}")
    with pytest.raises(LookupError, match="use utf-8"):
        sent(response)


@pytest.mark.parametrize(
    ("status", "location"), [(200, "/x"), (200, "http://h/"), (302, "x"), (302, ""), (302, "?a")]
)
def test_r16_r17_r21_a_location_is_that_of_a_redirect(status: int, location: str) -> None:
    with pytest.raises(ValueError, match=r"Response\.redirect"):
        sent(Response("x", status, {"Location": location}))


def test_a_created_things_location() -> None:
    assert b"Location: /things/1\n" in sent(Response("", 201, {"Location": "/things/1"}))


def test_half_a_surrogate_pair_breaks_no_page() -> None:
    # PATH_INFO /%FF comes as "\udcff"; a page that shows it must not become an error
    assert sent(Response("a\udcffb")).endswith(b"\n\na?b")
    assert sent(Response.json("\udcff")).endswith(b'\n\n"\\udcff"')


def test_what_a_charset_lacks_is_an_error_and_nothing_is_written() -> None:
    out = io.BytesIO()
    with pytest.raises(ValueError, match=r"contains '☃', which.* lacks; use charset=utf-8"):
        Response("☃", content_type="text/plain; charset=iso-8859-1").send(out, request())
    assert out.getvalue() == b""


@pytest.mark.parametrize("chunks", [False, True])
def test_what_a_visitor_types_into_an_old_page_can_be_shown(chunks: bool) -> None:
    """`run(page, charset="iso-8859-1")` read %80 as "€", which then was no ISO-8859-1: a 500."""
    asked = Request({"QUERY_STRING": "a=%80%FC&b=%26%239731;"}, charset="iso-8859-1")
    typed = f"<p>{asked.query['a']}☃</p>"
    page = Response([typed] if chunks else typed, content_type="text/html; charset=iso-8859-1")
    assert sent(page).endswith(b"\n\n<p>\x80\xfc&#9731;</p>")


def test_half_a_surrogate_pair_breaks_no_page_in_another_charset() -> None:
    for charset in ("iso-8859-1", "utf8", "shift_jis"):
        page = Response("a\udcffb", content_type=f"text/html; charset={charset}")
        assert sent(page).endswith(b"\n\na?b")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_has_no_such_number(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        Response.json(value)


def test_json_has_no_such_thing() -> None:
    with pytest.raises(TypeError):
        Response.json(object())


def test_a_dict_is_no_body() -> None:
    """Its names were sent, one after the other."""
    with pytest.raises(TypeError, match=r"Response\.json"):
        Response({"a": 1}).answer(request())  # type: ignore[arg-type]


# --- redirects ----------------------------------------------------------------------------------


def redirected(response: Response, **variables: str) -> tuple[str, str]:
    lines = sent(response, **variables).partition(b"\n\n")[0].decode().split("\n")
    fields = dict(line.split(": ", 1) for line in lines)
    assert fields["Content-Type"] == "text/html; charset=utf-8"
    return fields["Status"], fields["Location"]


@pytest.mark.parametrize(
    ("method", "chosen", "protocol", "status"),
    [
        ("GET", None, "HTTP/1.1", "302 Found"),
        ("HEAD", None, "HTTP/1.1", "302 Found"),
        ("POST", None, "HTTP/1.1", "303 See Other"),
        ("DELETE", None, "HTTP/2.0", "303 See Other"),
        ("POST", None, "HTTP/1.0", "302 Found"),
        ("POST", 302, "HTTP/1.1", "302 Found"),
        ("GET", 301, "HTTP/1.1", "301 Moved Permanently"),
        ("POST", 307, "HTTP/1.1", "307 Temporary Redirect"),
        ("POST", 308, "HTTP/1.1", "308 Permanent Redirect"),
        ("POST", 307, "HTTP/1.0", "302 Found"),
        ("GET", 303, "HTTP/1.0", "302 Found"),
        ("GET", 308, "HTTP/1.0", "301 Moved Permanently"),
        ("GET", 301, "HTTP/1.0", "301 Moved Permanently"),
    ],
)
def test_r10_r18_redirects(method: str, chosen: int | None, protocol: str, status: str) -> None:
    response = Response.redirect("/next?a=1#x", chosen)
    got = redirected(response, REQUEST_METHOD=method, SERVER_PROTOCOL=protocol)
    assert got == (status, "/next?a=1#x")


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://example.org/a?b", "https://example.org/a?b"),
        ("/ü", "/%C3%BC"),
        ("other", "/cgi-bin/other"),
        ("../other?x=1", "/other?x=1"),
        ("?page=2", "/cgi-bin/script.py?page=2"),
    ],
)
def test_r21_locations(location: str, expected: str) -> None:
    assert redirected(Response.redirect(location))[1] == expected


def test_r16_a_local_redirect_is_a_location_and_nothing_else() -> None:
    response = Response.local_redirect("/page?x=ü")
    assert sent(response, REQUEST_METHOD="POST") == b"Location: /page?x=%C3%BC\n\n"


@pytest.mark.parametrize("path", ["", "page", "//host/", "https://host/", "/a b", "/\\host"])
def test_r16_a_local_redirect_stays_on_this_server(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|location|site"):
        Response.local_redirect(path)


def test_r16_a_local_redirect_that_would_lose_a_field_is_an_error() -> None:
    response = Response.local_redirect("/page")
    response.set_cookie("name", "value")
    with pytest.raises(ValueError, match=r"Response\.redirect"):
        sent(response)
    with pytest.raises(ValueError, match="not from an NPH script"):
        sent(Response.local_redirect("/page"), SCRIPT_NAME="/nph-script")


def test_a_local_redirect_goes_to_the_client_where_the_server_has_none() -> None:
    """It used to be recognized by its looks: a status of 200 with a Location."""
    for method, status in (("GET", 302), ("POST", 303)):
        asked = request(REQUEST_METHOD=method, SCRIPT_NAME="/nph-script")
        answered = Response.local_redirect("/page?x=ü").answer(asked, local_redirects=False)
        expected = Response.redirect("/page?x=ü", local=True).answer(asked)
        assert answered == expected
        assert answered[:2] == (status, [
            ("Content-Type", "text/html; charset=utf-8"),
            ("Location", "/page?x=%C3%BC"),
            ("Content-Length", str(len(b"".join(answered[2])))),
        ])  # fmt: skip
    response = Response.local_redirect("/page")
    response.headers["X-A"] = "1"
    with pytest.raises(ValueError, match="can send only its location"):
        response.answer(request(), local_redirects=False)


def test_the_document_of_a_redirect_is_escaped() -> None:
    body = sent(Response.redirect("/a?b=1&c='")).partition(b"\n\n")[2]
    assert body == b'<p>Go on to <a href="/a?b=1&amp;c=&#x27;">/a?b=1&amp;c=&#x27;</a>.</p>\n'


@pytest.mark.parametrize("status", [200, 300, 304, 305, 404])
def test_no_redirect_with_another_status(status: int) -> None:
    with pytest.raises(ValueError, match="is not a redirect; use 301"):
        Response.redirect("/", status)


# --- single fields ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("784111777", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC), "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT"),
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
    ],
)
def test_expires(when: object, expected: str) -> None:
    response = Response("")
    assert response.expires is None
    response.expires = when
    assert response.expires == expected
    assert f"Expires: {expected}\n".encode() in sent(response)


def test_expires_from_now_on() -> None:
    from cgikit.dates import parse_http_date

    def seconds(when: str) -> int:
        response = Response("")
        response.expires = when
        return parse_http_date(response.expires)

    earlier = seconds("now")
    half_an_hour, yesterday = seconds("+30m"), seconds("-1d")
    later = seconds("now")
    assert earlier <= half_an_hour - 1800 <= later
    assert earlier <= yesterday + 86_400 <= later


@pytest.mark.parametrize("when", ["", "soon", "+30", "m", "+1x", datetime(2030, 1, 1)])
def test_no_moment_to_expire(when: object) -> None:
    with pytest.raises(ValueError, match=r"valid date|time zone"):
        Response("").expires = when


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.pdf", "attachment; filename=a.pdf"),
        (
            'a "b".txt',
            "attachment; filename=\"a _b_.txt\"; filename*=UTF-8''a%20%22b%22.txt",
        ),
        (
            "a\\ü.txt",
            "attachment; filename=a__.txt; filename*=UTF-8''a%5C%C3%BC.txt",
        ),
        ("100%25.txt", "attachment; filename=100%25.txt; filename*=UTF-8''100%2525.txt"),
        (
            "größe €.txt",
            "attachment; filename=\"gr__e _.txt\"; filename*=UTF-8''gr%C3%B6%C3%9Fe%20%E2%82%AC.txt",
        ),
        ("a;b=c.txt", 'attachment; filename="a;b=c.txt"'),
    ],
)
def test_a_download_has_a_name(name: str, expected: str) -> None:
    response = Response("")
    response.attachment(name)
    assert f"Content-Disposition: {expected}\n".encode() in sent(response)


@pytest.mark.parametrize("name", ["", "a/b", "/etc/passwd"])
def test_a_download_has_no_such_name(name: str) -> None:
    with pytest.raises(ValueError, match="not a valid file name"):
        Response("").attachment(name)


def test_cookies() -> None:
    response = Response("")
    response.set_cookie("a", "ü;")
    response.set_cookie(
        "__Host-b", "1", max_age=60, expires=0, secure=True, samesite="None", partitioned=True
    )
    response.delete_cookie("__Secure-c", domain="example.org")
    epoch = "Expires=Thu, 01 Jan 1970 00:00:00 GMT"
    assert response.headers.getlist("Set-Cookie") == [
        "a=%C3%BC%3B; Path=/; HttpOnly; SameSite=Lax",
        f"__Host-b=1; Max-Age=60; {epoch}; Path=/; Secure; HttpOnly; SameSite=None; Partitioned",
        f"__Secure-c=; Max-Age=0; {epoch}; Domain=example.org; Path=/; Secure; HttpOnly; SameSite=Lax",
    ]
    assert sent(response).count(b"\nSet-Cookie: ") == 3


# --- sending ------------------------------------------------------------------------------------


def test_a_second_send_is_an_error() -> None:
    response = Response("x")
    out = io.BytesIO()
    response.send(out, request())
    with pytest.raises(StateError, match="sent already"):
        response.send(out, request())
    assert out.getvalue().endswith(b"\n\nx")


def test_a_response_is_claimed_by_one_request() -> None:
    response, first, second = Response("a"), request(), request()
    response.claim(first)
    response.claim(first)  # the same request may ask again
    with pytest.raises(StateError, match="was used before; make a new one for each request"):
        response.claim(second)


def test_of_many_threads_one_claims_a_response() -> None:
    for _ in range(200):
        response, won = Response("a"), []
        barrier = threading.Barrier(4)

        def claim(response: Response = response, won: list = won, barrier=barrier) -> None:
            barrier.wait()
            with contextlib.suppress(StateError):
                response.claim(request())
                won.append(1)

        threads = [threading.Thread(target=claim) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert won == [1]


def test_a_response_that_was_sent_is_not_claimed() -> None:
    response, asked = Response("a"), request()
    response.claim(asked)
    assert response.send(io.BytesIO(), asked)
    with pytest.raises(StateError, match="was used before"):
        response.claim(asked)


def test_a_response_that_another_face_sent_is_not_sent_again() -> None:
    response = Response("a")
    status, fields, body = response.answer(request())
    assert head(status, fields, request()) + b"".join(body) == sent(Response("a"))
    response.mark_sent()
    for again in (response.send, response.claim):
        with pytest.raises(StateError):
            again(request=request())
    assert response.answer(request())[0] == 200


def test_one_response_answers_two_requests_each_in_its_own_way() -> None:
    response = Response.redirect("other.py")
    statuses = []
    for variables in ({"REQUEST_METHOD": "POST"}, {"REQUEST_METHOD": "GET"}):
        status, fields, _ = response.answer(request(SCRIPT_NAME="/a/x.py", **variables))
        statuses.append((status, dict(fields)["Location"]))
    assert statuses == [(303, "/a/other.py"), (302, "/a/other.py")]


@pytest.mark.parametrize("pieces", [iter(["a"]), (piece for piece in ["a"])])
def test_an_iterator_answers_one_request(pieces) -> None:
    response = Response(pieces)
    assert b"".join(response.answer(request())[2]) == b"a"
    with pytest.raises(StateError, match="it can be read only once"):
        response.answer(request())


@pytest.mark.parametrize(("status", "method"), [(200, "HEAD"), (204, "GET"), (304, "GET")])
def test_a_body_that_is_not_sent_is_closed(status: int, method: str) -> None:
    closed = []

    class Pieces:
        def __iter__(self):
            return iter(["a"])

        def close(self) -> None:
            closed.append(True)

    response = Response(Pieces(), status)
    assert response.answer(request(REQUEST_METHOD=method))[2] == ()
    assert closed == [True]


def test_a_response_that_broke_off_is_not_sent_again() -> None:
    def chunks():
        yield "a"
        raise KeyError

    response, out = Response.stream(chunks()), io.BytesIO()
    with pytest.raises(KeyError):
        response.send(out, request())
    with pytest.raises(StateError):
        response.send(out, request())
    assert out.getvalue() == HTML + b"\na"


def test_a_stream_is_closed_however_it_ends() -> None:
    closed = []

    def chunks():
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(1)

    class Full(io.BytesIO):
        def write(self, data):
            if data == b"b":
                raise OSError("full")
            return super().write(data)

    with pytest.raises(OSError, match="full"):
        Response.stream(chunks()).send(Full(), request())
    assert closed == [1]


def test_an_output_that_takes_little_at_a_time_gets_everything() -> None:
    # python -u makes sys.stdout.buffer the system's own write, which may take less than it is given
    class Narrow(io.RawIOBase):
        got = b""

        def writable(self):
            return True

        def write(self, data):
            self.got += bytes(data[:7])
            return min(7, len(data))

    out = Narrow()
    Response("abc" * 100).send(out, request())
    assert out.got.endswith(b"\n\n" + b"abc" * 100)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_each_chunk_is_out_before_the_next_is_made(tmp_path, unbuffered: str) -> None:
    source = """
def chunks():
    yield "first"
    assert sys.stdin.readline() == "go on\\n"  # that of the reader of "first"
    yield "second"
Response.stream(chunks(), "text/plain").send()
"""
    env = environment(PYTHONUNBUFFERED=unbuffered)
    with start(write_script(tmp_path, source), env) as process:
        expected = b"Content-Type: text/plain; charset=utf-8\n\nfirst"
        assert process.stdout.read(len(expected)) == expected
        assert process.communicate(b"go on\n") == (b"second", b"")
    assert process.returncode == 0


def test_a_large_body_through_an_output_that_does_not_block(tmp_path) -> None:
    # left so by a server, a full pipe would take half of the answer and lose the rest
    source = """
import os
os.set_blocking(1, False)
Response("x" * 1_000_000).send()
"""
    for unbuffered in ("", "1"):
        answer = run_script(tmp_path, source, PYTHONUNBUFFERED=unbuffered)
        assert answer.errors == ""
        assert len(answer.body) == 1_000_000


def test_send_without_a_binary_output_says_so(tmp_path) -> None:
    answer = run_script(
        tmp_path, "import io\nsys.stdout = io.StringIO()\nResponse('x').send()", PYTHONUNBUFFERED=""
    )
    assert "StateError: sys.stdout is a StringIO" in answer.errors


def test_the_plain_style(tmp_path) -> None:
    source = "Response.html(f\"<p>{escape(Request().params.get('name', 'world'))}\").send()"
    answer = run_script(tmp_path, source, QUERY_STRING="name=%3Cb%3E")
    assert answer.output == HTML + b"Content-Length: 12\n\n<p>&lt;b&gt;"
    assert (answer.errors, answer.code) == ("", 0)


def test_two_responses_of_one_process(tmp_path) -> None:
    answer = run_script(tmp_path, "Response('a').send()\nResponse('b').send()")
    assert answer.body == b"a"
    assert "StateError: a response was sent already" in answer.errors
    assert answer.code == 1


def test_a_redirect_to_dev_null_is_no_error(tmp_path) -> None:
    script = write_script(tmp_path, "print(Response('x').send(), file=sys.stderr)")
    done = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" "$1" >/dev/null', sys.executable, str(script)],
        env=environment(),
        capture_output=True,
        check=True,
    )
    assert done.stderr == b"True\n"
