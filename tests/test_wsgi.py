"""wsgi.py: a handler as a WSGI application, called by the standard library's checker and by a server
with threads.
"""

import contextlib
import io
import os
import subprocess
import sys
import threading
import tracemalloc
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest

from cgikit import (
    WSGI,
    BadRequest,
    Counter,
    FileStore,
    HTTPError,
    Limits,
    Request,
    Response,
    SQLiteStore,
)
from cgikit.wsgi import Truncated, meta_variables

Application = Callable[..., Iterable[bytes]]


@dataclass
class Got:
    """What came out of an application: status line, fields, body, and what it logged."""

    status: str
    fields: list[tuple[str, str]]
    body: bytes
    log: str
    input: io.BytesIO

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.fields if key.lower() == name.lower()), None)


def environment(method: str = "GET", path: str = "/", body: bytes = b"", **more: Any) -> dict:
    environ: dict[str, Any] = {}
    path, _, query = path.partition("?")
    setup_testing_defaults(environ)
    environ.update(REQUEST_METHOD=method, PATH_INFO=path, QUERY_STRING=query)
    environ.update({"SERVER_PROTOCOL": "HTTP/1.1", "wsgi.errors": io.StringIO()})
    # Beyond the body there is more: whoever reads on gets what is not his.
    environ["wsgi.input"] = io.BytesIO(body + b"GET /next HTTP/1.1")
    if body:
        environ["CONTENT_LENGTH"] = str(len(body))
    environ.update({name.replace("__", "."): value for name, value in more.items()})
    return environ


def call(application: Application, method: str = "GET", path: str = "/", **more: Any) -> Got:
    """Call an application as a server does, between the checks of wsgiref.validate."""
    environ = environment(method, path, **more)
    stream, given = environ["wsgi.errors"], environ["wsgi.input"]
    started: list[Any] = []

    def start_response(status: str, fields: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, fields]
        return lambda data: None

    # The checker's own input takes only what PEP 3333 allows: read(size), readline, …
    answer = validator(application)(environ, start_response)
    try:
        body = b"".join(answer)
    finally:
        answer.close()  # type: ignore[attr-defined]
    return Got(*started, body, stream.getvalue(), given)


def app(handler: Callable[[Request], Response | str], **options: Any) -> WSGI:
    return WSGI(handler, **options)


# --- every kind of answer passes the checker ----------------------------------------------------


def test_a_page() -> None:
    got = call(app(lambda request: "<p>ü</p>"))
    assert got.status == "200 OK"
    assert got.fields == [("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "9")]
    assert got.body == "<p>ü</p>".encode()
    assert got.log == ""


def test_head_has_the_length_and_no_body() -> None:
    got = call(app(lambda request: "<p>x</p>"), "HEAD")
    assert got.header("Content-Length") == "8"
    assert got.body == b""


@pytest.mark.parametrize("status", [204, 304])
def test_answers_without_a_body(status: int) -> None:
    got = call(app(lambda request: Response("gone", status)))
    assert got.status[:3] == str(status)
    assert got.body == b""
    assert got.header("Content-Type") is None


def test_205_has_length_0() -> None:
    got = call(app(lambda request: Response("gone", 205)))
    assert (got.status, got.body) == ("205 Reset Content", b"")
    assert got.header("Content-Length") == "0"


def test_an_empty_page() -> None:
    got = call(app(lambda request: Response("")))
    assert (got.body, got.header("Content-Length")) == (b"", "0")


def test_cookies_stay_several_fields() -> None:
    def handler(request: Request) -> Response:
        answer = Response("x")
        answer.set_cookie("a", "ü")
        answer.set_cookie("b", "2")
        return answer

    got = call(app(handler))
    cookies = [value for name, value in got.fields if name == "Set-Cookie"]
    assert [cookie.partition(";")[0] for cookie in cookies] == ["a=%C3%BC", "b=2"]


def test_a_stream_comes_piece_by_piece() -> None:
    seen: list[str] = []

    def pieces() -> Iterator[str]:
        for piece in ("one", "", "two"):
            seen.append(piece)
            yield piece
        seen.append("end")

    environ = environment()
    answer = iter(app(lambda request: Response.stream(pieces()))(environ, lambda *_: None))
    assert seen == ["one"]  # the first one, so that a failure before it is still a page
    assert (next(answer), seen) == (b"one", ["one"])
    assert next(answer) == b"two"
    assert list(answer) == []
    assert seen == ["one", "", "two", "end"]


def test_a_stream_under_the_checker() -> None:
    got = call(app(lambda request: Response.stream(["a", b"b", "", "ü"])))
    assert got.body == "abü".encode()
    assert got.header("Content-Length") is None
    assert call(app(lambda request: Response.stream([]))).body == b""
    assert call(app(lambda request: Response.stream(["a"])), "HEAD").body == b""


@pytest.mark.parametrize("wrapper", [None, FileWrapper])
def test_a_file_its_ranges_and_conditions(tmp_path: Path, wrapper: Any) -> None:
    path = tmp_path / "data.bin"
    path.write_bytes(bytes(range(256)) * 2000)
    application = app(lambda request: Response.file(path))
    more = {"wsgi__file_wrapper": wrapper} if wrapper else {}
    whole = call(application, **more)
    assert whole.body == path.read_bytes()
    assert whole.header("Content-Length") == "512000"
    part = call(application, HTTP_RANGE="bytes=300000-300999", **more)
    assert part.status == "206 Partial Content"
    assert part.body == path.read_bytes()[300000:301000]
    assert call(application, HTTP_RANGE="bytes=-7", **more).body == path.read_bytes()[-7:]
    none = call(application, HTTP_RANGE="bytes=999999-", **more)
    assert (none.status[:3], none.body) == ("416", b"")
    same = call(application, HTTP_IF_NONE_MATCH=whole.header("ETag"), **more)
    assert (same.status, same.body) == ("304 Not Modified", b"")
    assert call(application, "HEAD", **more).body == b""


def test_a_file_that_grows_is_sent_as_long_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n")

    def wrapper(file: Any, size: int) -> Iterable[bytes]:
        with path.open("ab") as more:
            more.write(b"second\n")
        return FileWrapper(file, size)

    got = call(app(lambda request: Response.file(path)), wsgi__file_wrapper=wrapper)
    assert got.body == b"first\n"


@pytest.mark.parametrize("wrapper", [None, FileWrapper])
def test_a_file_that_shrinks_breaks_the_answer_off(tmp_path: Path, wrapper: Any) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"x" * 1_000_000)
    more = {"wsgi__file_wrapper": wrapper} if wrapper else {}
    environ = environment(**more)
    answer = app(lambda request: Response.file(path))(environ, lambda *_: None)
    pieces = iter(answer)
    next(pieces)
    path.write_bytes(b"")
    with pytest.raises(Truncated):
        list(pieces)
    assert "became shorter" in environ["wsgi.errors"].getvalue()
    answer.close()  # type: ignore[attr-defined]


def test_only_a_whole_file_shows_its_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    os.utime(path, (1e9, 1e9))
    given: list[Any] = []

    def wrapper(file: Any, size: int) -> Iterable[bytes]:
        given.append(file)
        return FileWrapper(file, size)

    application = app(lambda request: Response.file(path))
    call(application, wsgi__file_wrapper=wrapper)
    call(application, wsgi__file_wrapper=wrapper, HTTP_RANGE="bytes=2-5")
    call(application, wsgi__file_wrapper=wrapper, HTTP_RANGE="bytes=0-5")
    assert [hasattr(file, "fileno") for file in given] == [True, False, False]


@pytest.mark.parametrize("regrown", [False, True])
def test_a_server_that_took_the_descriptor_of_a_file_is_told_that_it_changed(
    tmp_path: Path, regrown: bool
) -> None:
    """gunicorn's sendfile ends early where the file does, and its next answer came in the gap."""
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    os.utime(path, (1e9, 1e9))
    environ = environment(wsgi__file_wrapper=lambda file, size: file)
    file: Any = app(lambda request: Response.file(path))(environ, lambda *_: None)
    assert os.read(file.fileno(), 5) == b"01234"
    path.write_bytes(b"0123456789" if regrown else b"01234")
    with pytest.raises(Truncated):
        file.close()
    assert "the file changed while it was sent" in environ["wsgi.errors"].getvalue()
    file.close()


def test_a_file_that_is_still_being_written_does_not_show_its_descriptor(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first\n")
    environ = environment(wsgi__file_wrapper=lambda file, size: file)
    file: Any = app(lambda request: Response.file(path))(environ, lambda *_: None)
    assert not hasattr(file, "fileno")
    assert file.read() == b"first\n"
    with path.open("ab") as more:
        more.write(b"second\n")
    file.close()
    assert environ["wsgi.errors"].getvalue() == ""


@pytest.mark.parametrize(("method", "status"), [("GET", "302"), ("HEAD", "302"), ("POST", "303")])
def test_redirects(method: str, status: str) -> None:
    application = app(lambda request: Response.redirect("next?x=ü"))
    got = call(application, method, SCRIPT_NAME="/app", path="/here")
    assert (got.status[:3], got.header("Location")) == (status, "/app/next?x=%C3%BC")
    assert bool(got.body) == (method != "HEAD")


@pytest.mark.parametrize(("method", "status"), [("GET", "302"), ("POST", "303")])
def test_a_local_redirect_goes_to_the_client(method: str, status: str) -> None:
    got = call(app(lambda request: Response.local_redirect("/other?x=ü")), method)
    assert (got.status[:3], got.header("Location")) == (status, "/other?x=%C3%BC")
    assert got.header("Content-Type")


def test_a_local_redirect_with_a_header_is_an_error_as_under_cgi() -> None:
    def handler(request: Request) -> Response:
        answer = Response.local_redirect("/other")
        answer.set_cookie("a", "1")
        return answer

    got = call(app(handler))
    assert got.status == "500 Internal Server Error"
    assert "a local redirect can send only its location" in got.log


# --- the request --------------------------------------------------------------------------------


def seen(**more: Any) -> Request:
    found: list[Request] = []

    def handler(request: Request) -> str:
        found.append(request)
        return "x"

    call(app(handler), **more)
    return found[0]


def test_only_text_that_is_no_servers_own_gets_in() -> None:
    variables = meta_variables(
        environment(server__socket=object(), mod_wsgi__version="x", HTTP_PROXY="http://evil", X=1)
    )
    assert all(type(value) is str for value in variables.values())
    assert [name for name in variables if "." in name] == []
    assert not {"HTTP_PROXY", "X"} & set(variables)
    assert {"REQUEST_METHOD", "PATH_INFO", "SERVER_NAME"} <= set(variables)


def wire(text: str) -> str:
    """As WSGI shows it."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


@pytest.mark.parametrize("text", ["ü€😀", "\udcff\udcfe", "plain", "\xa0"])
def test_text_is_what_a_cgi_script_would_find(text: str) -> None:
    request = seen(
        path=wire(f"/{text}?q={text}"),
        SCRIPT_NAME=wire(f"/app{text}"),
        HTTP_COOKIE=wire(f"c={text}"),
        HTTP_X_WORD=wire(text),
    )
    environ = dict(os.environ)
    try:
        os.environ["CGIKIT_WIRE"] = text  # the system's own way there and back
        expected = os.environb[b"CGIKIT_WIRE"].decode("utf-8", "surrogateescape")
    finally:
        os.environ.clear()
        os.environ.update(environ)
    assert request.path_info == "/" + expected
    assert request.script_name == "/app" + expected
    assert request.headers["X-Word"] == expected
    shown = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    assert request.query["q"] == shown
    assert request.cookies["c"] == shown


def test_text_that_was_decoded_already_is_left_alone() -> None:
    assert meta_variables({"PATH_INFO": "/€"}) == {"PATH_INFO": "/€"}


def test_https_is_what_the_server_says() -> None:
    assert seen(wsgi__url_scheme="https").is_secure
    assert seen(wsgi__url_scheme="https").url().startswith("https://")
    assert not seen().is_secure


def test_nul_is_refused() -> None:
    got = call(app(lambda request: "x"), path="/a\0b")
    assert got.status == "400 Bad Request"
    assert got.log == ""


def test_a_body_is_read_to_its_length_and_no_further() -> None:
    request: list[bytes] = []

    def handler(asked: Request) -> str:
        request.append(asked.body)
        return "x"

    got = call(app(handler), "POST", body=b"a" * 100_000, CONTENT_TYPE="text/plain")
    assert request == [b"a" * 100_000]
    assert got.input.read() == b"GET /next HTTP/1.1"


def test_what_is_left_of_a_body_is_read_and_no_more() -> None:
    body = b"a" * 300_000
    whole = call(app(lambda request: "x"), "POST", body=body)
    assert whole.input.read() == b"GET /next HTTP/1.1"
    part = call(app(lambda request: str(len(request.stream.read(5)))), "POST", body=body)
    assert (part.body, part.input.read()) == (b"5", b"GET /next HTTP/1.1")
    stream = call(app(lambda request: Response.stream(["a", "b"])), "POST", body=body)
    assert stream.input.read() == b"GET /next HTTP/1.1"
    failed = call(app(fail), "POST", body=body)
    assert failed.input.read() == b"GET /next HTTP/1.1"


def test_a_stream_may_read_the_body_while_it_answers() -> None:
    def handler(request: Request) -> Response:
        return Response.stream(iter(lambda: request.stream.read(1000), b""))

    body = bytes(range(256)) * 100
    got = call(app(handler), "POST", body=body, CONTENT_TYPE="text/plain")
    assert got.body == body


def test_a_client_that_waits_to_be_asked_is_not_asked() -> None:
    got = call(app(lambda request: "x"), "POST", body=b"body", HTTP_EXPECT="100-continue")
    assert got.input.read() == b"bodyGET /next HTTP/1.1"


def test_a_form_with_a_file() -> None:
    def handler(request: Request) -> Response:
        upload = request.files["f"]
        return Response.text(f"{request.form['n']} {upload.filename} {len(upload.read())}")

    body = (
        b'--x\r\nContent-Disposition: form-data; name="n"\r\n\r\n\xc3\xbc\r\n'
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n\r\n'
        + b"y" * 200_000
        + b"\r\n--x--\r\n"
    )
    got = call(app(handler), "POST", body=body, CONTENT_TYPE="multipart/form-data; boundary=x")
    assert got.body.decode() == "ü a.txt 200000"


@pytest.mark.parametrize("length", ["50", "abc", "-1"])
def test_a_wrong_length_is_the_clients_error(length: str) -> None:
    environ = environment("POST", CONTENT_LENGTH=length, CONTENT_TYPE="text/plain")
    environ["wsgi.input"] = io.BytesIO(b"short")
    status: list[str] = []
    body = app(lambda request: request.body.decode())(environ, lambda s, h: status.append(s))
    assert status == ["400 Bad Request"]
    assert b"".join(body)
    assert environ["wsgi.errors"].getvalue() == ""


def test_a_client_that_leaves_is_no_bug() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("client went away")

    environ = environment("POST", CONTENT_LENGTH="5", CONTENT_TYPE="text/plain")
    environ["wsgi.input"] = Broken()
    status: list[str] = []
    app(lambda request: request.body.decode())(environ, lambda s, h: status.append(s))
    assert status == ["400 Bad Request"]


def chunked(application: WSGI, body: bytes, ended: bool = True) -> tuple[str, bytes]:
    environ = environment("POST", CONTENT_TYPE="application/x-www-form-urlencoded")
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ["CONTENT_LENGTH"] = ""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = ended
    status: list[str] = []
    answer = b"".join(application(environ, lambda s, h: status.append(s)))
    return status[0], answer


@pytest.mark.parametrize("size", [1, 300_000])
def test_a_chunked_body_is_gathered_where_it_ends(size: int) -> None:
    application = app(lambda request: Response.text(str(len(request.form["a"]))))
    assert chunked(application, b"a=" + b"x" * size) == ("200 OK", str(size).encode())


def test_a_chunked_body_without_an_end_needs_a_length() -> None:
    application = app(lambda request: request.form["a"])
    assert chunked(application, b"a=1", ended=False)[0] == "411 Length Required"


def test_a_chunked_body_over_the_limit_is_not_read_on() -> None:
    application = app(lambda request: request.form["a"], limits=Limits(body=1000))
    assert chunked(application, b"a=" + b"x" * 10**7)[0] == "413 Content Too Large"
    exact = app(lambda request: str(len(request.form["a"])), limits=Limits(body=1002))
    assert chunked(exact, b"a=" + b"x" * 1000) == ("200 OK", b"1000")


def test_limits_errors_upload_dir_and_progress_are_those_of_run(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    body = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        + b"y" * 200_000
        + b"\r\n--x--\r\n"
    )

    def handler(request: Request) -> str:
        links = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                 if os.path.lexists(f"/proc/self/fd/{fd}")]  # fmt: skip
        assert request.files["f"].size == 200_000
        links = []
        for fd in os.listdir("/proc/self/fd"):
            with contextlib.suppress(OSError):
                links.append(os.readlink(f"/proc/self/fd/{fd}"))
        return str(any(link.startswith(str(tmp_path)) for link in links))

    application = app(
        handler, upload_dir=str(tmp_path), progress=lambda done, total: seen.append((done, total))
    )
    multipart = "multipart/form-data; boundary=x"
    assert call(application, "POST", body=body, CONTENT_TYPE=multipart).body == b"True"
    assert seen[-1] == (len(body), len(body))
    small = app(lambda request: str(request.files), limits=Limits(file=10))
    assert call(small, "POST", body=body, CONTENT_TYPE=multipart).status[:3] == "413"
    strict = app(lambda request: request.query["a"], errors="strict")
    assert call(strict, path="/?a=%ff").status[:3] == "400"


# --- errors -------------------------------------------------------------------------------------


def fail(request: Request) -> str:
    raise RuntimeError("secret\nforged")


def test_a_bug_is_a_page_with_a_number_and_a_traceback_in_the_log() -> None:
    got = call(app(fail))
    assert got.status == "500 Internal Server Error"
    number = got.body.decode().partition("incident ")[2][:8]
    assert f"[incident {number}] RuntimeError: secret" in got.log
    assert all(line.startswith(f"[incident {number}] ") for line in got.log.splitlines())
    assert b"secret" not in got.body


@pytest.mark.parametrize("on", [True, False])
def test_debug_shows_the_traceback(on: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (b"secret" in call(app(fail, debug=on)).body) is on
    monkeypatch.setenv("CGIKIT_DEBUG", "1" if on else "0")
    assert (b"secret" in call(app(fail)).body) is on


def test_an_environment_of_the_client_does_not_turn_debug_on() -> None:
    assert b"secret" not in call(app(fail), CGIKIT_DEBUG="1", HTTP_CGIKIT_DEBUG="1").body


def test_errors_of_the_request_are_their_own_pages() -> None:
    def refuse(request: Request) -> str:
        raise HTTPError(405, "no", [("Allow", "GET")])

    got = call(app(refuse), "DELETE")
    assert (got.status, got.header("Allow"), got.log) == ("405 Method Not Allowed", "GET", "")
    assert call(app(lambda request: request.query["x"])).status == "400 Bad Request"


@pytest.mark.parametrize(
    "handler",
    [
        lambda request: None,
        lambda request: Response("x", headers={"Connection": "close"}),
        lambda request: (_ for _ in ()).throw(SystemExit(3)),
        lambda request: (_ for _ in ()).throw(HTTPError(404, "x", [("Connection", "close")])),
        lambda request: Response.stream(iter_fails()),
    ],
)
def test_whatever_goes_wrong_before_the_body_is_a_page(handler: Any) -> None:
    got = call(app(handler))
    assert got.status == "500 Internal Server Error"
    assert "incident" in got.log


def iter_fails() -> Iterator[str]:
    raise RuntimeError("before the first piece")
    yield "x"


def test_a_body_that_fails_on_its_way_is_logged_and_cut() -> None:
    closed: list[bool] = []

    def pieces() -> Iterator[str]:
        try:
            yield "one"
            raise RuntimeError("in the middle")
        finally:
            closed.append(True)

    environ = environment()
    answer = app(lambda request: Response.stream(pieces()))(environ, lambda *_: None)
    stream = iter(answer)
    assert next(stream) == b"one"
    with pytest.raises(Truncated) as caught:
        next(stream)
    log = environ["wsgi.errors"].getvalue()
    number = str(caught.value)[-8:]
    assert f"[incident {number}] RuntimeError: in the middle" in log
    answer.close()  # type: ignore[attr-defined]
    assert closed == [True]


def test_a_print_hurts_nobody(capsys: pytest.CaptureFixture[str]) -> None:
    def handler(request: Request) -> str:
        print("to nobody")
        return "fine"

    assert call(app(handler)).body == b"fine"
    assert capsys.readouterr().out == "to nobody\n"


# --- closing ------------------------------------------------------------------------------------


class Closing:
    """A body that counts how often it is closed."""

    def __init__(self, pieces: list[str]) -> None:
        self.pieces = pieces
        self.closed = 0

    def __iter__(self) -> Iterator[str]:
        return iter(self.pieces)

    def close(self) -> None:
        self.closed += 1


@pytest.mark.parametrize("read", [0, 1, 3])
def test_close_closes_the_body_and_the_uploads_once(read: int) -> None:
    body = Closing(["a", "b"])
    asked: list[Request] = []

    def handler(request: Request) -> Response:
        asked.append(request)
        request.files["f"].file.fileno  # noqa: B018
        return Response.stream(body)

    form = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n'
        + b"y" * 100_000
        + b"\r\n--x--\r\n"
    )
    environ = environment("POST", body=form, CONTENT_TYPE="multipart/form-data; boundary=x")
    answer = app(handler)(environ, lambda *_: None)
    pieces = iter(answer)
    for _ in range(read):
        next(pieces, None)
    assert not asked[0].files["f"].file.closed  # a stream may still read them
    answer.close()  # type: ignore[attr-defined]
    answer.close()  # type: ignore[attr-defined]
    assert body.closed == 1
    assert asked[0].files["f"].file.closed
    assert next(pieces, None) is None


def test_a_server_that_refuses_the_header_gets_its_error_and_all_is_closed() -> None:
    body = Closing(["a"])

    def start_response(*_: Any) -> Any:
        raise AssertionError("refused")

    with pytest.raises(AssertionError, match="refused"):
        app(lambda request: Response.stream(body))(environment(), start_response)
    assert body.closed == 1


def test_what_fails_while_closing_is_logged() -> None:
    def pieces() -> Iterator[str]:
        try:
            yield "a"
            yield "b"
        finally:
            raise RuntimeError("in the end")

    environ = environment()
    answer = app(lambda request: Response.stream(pieces()))(environ, lambda *_: None)
    next(iter(answer))
    answer.close()  # type: ignore[attr-defined]
    assert "in the end" in environ["wsgi.errors"].getvalue()


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    before = len(os.listdir("/proc/self/fd"))
    for more in ({}, {"wsgi__file_wrapper": FileWrapper}):
        call(app(lambda request: Response.file(path)), **more)
        call(app(lambda request: Response.file(path)), "HEAD", **more)
        abandoned = app(lambda request: Response.file(path))(environment(**more), lambda *_: None)
        abandoned.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_session_is_saved_before_anything_is_sent(tmp_path: Path) -> None:
    store = FileStore(str(tmp_path / "sessions"))

    def handler(request: Request) -> str:
        request.session["n"] = request.session.get("n", 0) + 1
        return str(request.session["n"])

    first = call(app(handler, sessions=store))
    cookie = (first.header("Set-Cookie") or "").partition(";")[0]
    assert call(app(handler, sessions=store), HTTP_COOKIE=cookie).body == b"2"

    def change_and_fail(request: Request) -> str:
        request.session["n"] = 100
        raise BadRequest("no")

    call(app(change_and_fail, sessions=store), HTTP_COOKIE=cookie)
    assert call(app(handler, sessions=store), HTTP_COOKIE=cookie).body == b"3"


def test_a_response_answers_one_request(tmp_path: Path) -> None:
    kept = Response("kept")

    def handler(request: Request) -> Response:
        request.session["visitor"] = request.query["name"]
        return kept

    application = app(handler, sessions=FileStore(str(tmp_path / "sessions")))
    assert call(application, path="/?name=ada").header("Set-Cookie")
    second = call(application, path="/?name=bob")
    assert (second.status[:3], second.header("Set-Cookie")) == ("500", None)
    assert "StateError: the handler returned a response that was used before" in second.log


def test_what_is_no_answer_is_said_with_the_handlers_name() -> None:
    def nothing(request: Request) -> None:
        return None

    assert "nothing returned NoneType; return a Response" in call(app(nothing)).log  # type: ignore


# --- threads ------------------------------------------------------------------------------------

THREADS = 16
TURNS = 6


@contextlib.contextmanager
def waitress(application: WSGI) -> Iterator[str]:
    """Serve an application with real threads on loopback; gives the URL."""
    from waitress.server import create_server

    server = create_server(application, listen="127.0.0.1:0", threads=THREADS)
    loop = threading.Thread(target=server.run)
    loop.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        # In the loop's own thread, which ends when nothing is left to wait for.
        server.trigger.pull_trigger(lambda: server.asyncore.close_all(server._map))
        loop.join(20)
        server.task_dispatcher.shutdown()
        assert not loop.is_alive()


def ask(url: str, data: bytes | None = None, **fields: str) -> tuple[str, dict[str, str]]:
    fields = {name.replace("_", "-"): value for name, value in fields.items()}
    with urllib.request.urlopen(urllib.request.Request(url, data, fields), timeout=30) as answer:
        return answer.read().decode(), dict(answer.headers)


def crowd(handler: Callable[[Request], str], turn: Callable[[str, int, int], None], **options: Any):
    """Serve `handler`, and call `turn(url, thread, number)` from as many threads as it has."""
    with waitress(WSGI(handler, **options)) as url, ThreadPoolExecutor(THREADS) as clients:
        start = threading.Barrier(THREADS)

        def visit(thread: int) -> None:
            start.wait(20)
            for number in range(TURNS):
                turn(url, thread, number)

        for done in [clients.submit(visit, thread) for thread in range(THREADS)]:
            done.result()


@pytest.mark.parametrize("kind", ["file", "sqlite"])
def test_threads_lose_no_count_no_session_and_no_upload(tmp_path: Path, kind: str) -> None:
    sessions = tmp_path / "state" / "sessions"
    store = FileStore(str(sessions)) if kind == "file" else SQLiteStore(str(sessions) + ".db")
    sessions.parent.mkdir()
    counter = Counter(str(tmp_path / "count"))
    kept = tmp_path / "kept"
    kept.mkdir()
    bodies: dict[str, bytes] = {}

    def handler(request: Request) -> str:
        counter.increment()
        upload = request.files["f"]
        upload.save(kept / upload.filename)
        request.session["n"] = request.session.get("n", 0) + 1
        return str(request.session["n"])

    # Two clients a session, so that they wait for each other.
    cookies: dict[int, str] = {}

    def turn(url: str, thread: int, number: int) -> None:
        name = f"{thread}-{number}"
        bodies[name] = os.urandom(60_000 + 1_000 * thread)  # some in memory, some in files
        form = (
            f'--xyz\r\nContent-Disposition: form-data; name="f"; filename="{name}"\r\n\r\n'.encode()
            + bodies[name]
            + b"\r\n--xyz--\r\n"
        )
        kind = "multipart/form-data; boundary=xyz"
        _, fields = ask(url, form, Content_Type=kind, Cookie=cookies[thread // 2])
        assert "Set-Cookie" not in fields

    def first(request: Request) -> str:
        request.session["n"] = 0
        return "0"

    for pair in range(THREADS // 2):
        got = call(app(first, sessions=store))
        cookies[pair] = (got.header("Set-Cookie") or "").partition(";")[0]
    before = os.umask(0o027)
    try:
        crowd(handler, turn, sessions=store, upload_dir=str(tmp_path))
        assert os.umask(0o027) == 0o027
    finally:
        os.umask(before)
    assert counter.value == THREADS * TURNS
    assert {path.name: path.read_bytes() for path in kept.iterdir()} == bodies
    assert {path.stat().st_mode & 0o777 for path in kept.iterdir()} == {0o640}
    for cookie in cookies.values():
        read = app(lambda request: str(request.session["n"]), sessions=store)
        assert call(read, HTTP_COOKIE=cookie).body == str(2 * TURNS).encode()


def test_threads_do_not_see_the_umask_change() -> None:
    from cgikit.upload import _umask

    before, interval = os.umask(0o027), sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            seen = set(threads.map(lambda _: _umask(), range(4_000)))
        assert seen == {0o027}
    finally:
        sys.setswitchinterval(interval)
        assert os.umask(before) == 0o027


def test_no_thread_can_import_a_stand_in() -> None:
    source = (
        "import sys, cgikit.wsgi; from cgikit.pushparser import library; "
        "assert not {'tempfile', 'urllib.parse'} & set(sys.modules); library(); "
        "print({'tempfile', 'urllib.parse'} <= set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr


# --- memory -------------------------------------------------------------------------------------


class Endless(io.RawIOBase):
    """An input that holds nothing and gives `head`, and then as many bytes as it is asked for."""

    def __init__(self, head: bytes) -> None:
        self.head = head

    def read(self, size: int = -1, /) -> bytes:
        data, self.head = self.head[:size], self.head[size:]
        return data or bytes(size)


def test_bodies_go_through_without_being_held(tmp_path: Path) -> None:
    size = 64 << 20

    def handler(request: Request) -> Response:
        total = sum(len(piece) for piece in iter(lambda: request.stream.read(1 << 16), b""))
        return Response.stream(bytes(1 << 16) for _ in range(total >> 16))

    environ = environment("PUT", CONTENT_LENGTH=str(size), CONTENT_TYPE="text/plain")
    environ["wsgi.input"] = Endless(b"")
    tracemalloc.start()
    try:
        answer = WSGI(handler)(environ, lambda *_: None)
        assert sum(len(piece) for piece in answer) == size
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
    answer.close()  # type: ignore[attr-defined]


# --- handlers that fork ---------------------------------------------------------------------------


def leave(how: str) -> str:
    if how == "raise":
        raise ValueError("in the child")
    if how.startswith("exit"):
        sys.exit(int(how[4:]))
    return "the child's answer"


@pytest.mark.parametrize(("how", "status"), [("", 0), ("raise", 1), ("exit0", 0), ("exit7", 7)])
def test_the_child_of_a_handler_is_no_second_server(
    how: str, status: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would send a second answer on the same connection, and serve on."""

    def page(request: Request) -> str:
        pid = os.fork()
        if not pid:
            return leave(how)
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    got = call(app(page))
    assert (got.body, got.log) == (str(status).encode(), "")
    assert ("ValueError: in the child" in capfd.readouterr().err) is (how == "raise")
