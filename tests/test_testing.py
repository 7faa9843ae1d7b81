"""The client for tests: what a handler and a script file are asked, and what comes back."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hiding import hiding

from cgikit import (
    WSGI,
    Counter,
    FileStore,
    HTTPError,
    Limits,
    Response,
    StateError,
    StorageError,
    escape,
)
from cgikit.testing import Answer, Client, ScriptError


def echo(request) -> Response:
    """What came in."""
    names = "REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING CONTENT_TYPE CONTENT_LENGTH".split()
    environ = {name: request.environ.get(name) for name in names}
    headers = {k: v for k, v in request.environ.items() if k.startswith("HTTP_")}
    return Response.json({"environ": environ, "headers": headers, "body": request.text()})


ECHO = """#!{python}
import json, os, sys
length = int(os.environ.get("CONTENT_LENGTH") or 0)
body = sys.stdin.buffer.read(length)
names = "REQUEST_METHOD SCRIPT_NAME PATH_INFO QUERY_STRING CONTENT_TYPE CONTENT_LENGTH".split()
environ = {{name: os.environ.get(name) for name in names}}
headers = {{k: v for k, v in os.environ.items() if k.startswith("HTTP_")}}
print("Content-Type: application/json\\n")
print(json.dumps({{"environ": environ, "headers": headers, "body": body.decode(),
                  "cwd": os.getcwd(), "all": dict(os.environ)}}))
"""


def script(path: Path, text: str, mode: int = 0o755) -> Path:
    """A script file; `{python}` is this interpreter."""
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text.format(python=sys.executable))
    path.chmod(mode)
    return path


@pytest.fixture(params=["handler", "script"])
def echoing(request, tmp_path, cgi_client) -> Client:
    """A handler and a script that answer with what came in."""
    if request.param == "handler":
        return cgi_client(echo)
    return cgi_client(script(tmp_path / "app.py", ECHO))


# --- what is sent -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "info", "query"),
    [
        ("", "", ""),
        ("/", "/", ""),
        ("/a/b", "/a/b", ""),
        ("/a%20b/é?x=%41", "/a b/é", "x=%41"),
        ("?x=1", "", "x=1"),
        ("/cgi-bin/app.py/x?y", "/x", "y"),
        ("http://localhost/cgi-bin/app.py?y=ü", "", "y=%C3%BC"),
    ],
)
def test_a_path_is_taken_apart_as_servers_do(echoing, path, info, query) -> None:
    environ = echoing.get(path).json()["environ"]
    assert environ["SCRIPT_NAME"] == "/cgi-bin/app.py"
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == (info, query)
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["CONTENT_LENGTH"] is None


def test_params_are_added_to_the_query(echoing) -> None:
    answer = echoing.get("?a=1", params={"b": ["2", "3"], "c": "ä b"})
    assert answer.json()["environ"]["QUERY_STRING"] == "a=1&b=2&b=3&c=%C3%A4+b"


def test_a_form_is_urlencoded(echoing) -> None:
    came = echoing.post(data={"name": "Ada", "note": "a\nb"}).json()
    assert came["body"] == "name=Ada&note=a%0D%0Ab"
    assert came["environ"]["CONTENT_TYPE"] == "application/x-www-form-urlencoded"
    assert came["environ"]["CONTENT_LENGTH"] == str(len(came["body"]))


def test_json_is_sent_with_its_type(echoing) -> None:
    came = echoing.put(json={"a": [1, None]}).json()
    assert came["body"] == '{"a": [1, null]}'
    assert came["environ"]["CONTENT_TYPE"] == "application/json"
    assert came["environ"]["REQUEST_METHOD"] == "PUT"


def test_content_goes_out_as_it_is(echoing) -> None:
    came = echoing.patch(content="x=é", headers={"content-type": "text/x"}).json()
    assert came["body"] == "x=é"
    assert came["environ"]["CONTENT_TYPE"] == "text/x"


def test_a_post_of_nothing_says_so(echoing) -> None:
    assert echoing.post().json()["environ"]["CONTENT_LENGTH"] == "0"
    assert echoing.delete().json()["environ"]["CONTENT_LENGTH"] is None


def test_headers_of_the_client_and_of_the_request(echoing) -> None:
    echoing.headers["X-One"] = "1"
    headers = echoing.get(headers={"Accept-Language": "de"}).json()["headers"]
    assert headers == {
        "HTTP_HOST": "localhost",
        "HTTP_X_ONE": "1",
        "HTTP_ACCEPT_LANGUAGE": "de",
    }


@pytest.mark.parametrize("name", ["Authorization", "Proxy", "X_Under", "Transfer-Encoding"])
def test_a_header_that_no_script_would_get_is_an_error(echoing, name) -> None:
    with pytest.raises(ValueError, match="servers do not pass the header"):
        echoing.get(headers={name: "x"})


def test_a_header_with_a_line_end_is_an_error(echoing) -> None:
    with pytest.raises(ValueError, match="line end"):
        echoing.get(headers={"X-A": "1\r\nX-B: 2"})


def test_variables_can_be_set_and_taken_away(echoing) -> None:
    answer = echoing.get(environ={"HTTP_AUTHORIZATION": "Basic x", "QUERY_STRING": None})
    assert answer.json()["headers"]["HTTP_AUTHORIZATION"] == "Basic x"
    assert answer.json()["environ"]["QUERY_STRING"] is None


def test_one_body_and_no_more(echoing) -> None:
    with pytest.raises(TypeError, match="one body"):
        echoing.post(data={"a": "1"}, json=1)
    with pytest.raises(TypeError, match="as content"):
        echoing.post(data=b"a=1")


@pytest.mark.parametrize("path", ["x", "https://example.org/", "//other/x"])
def test_a_path_that_leads_elsewhere_is_an_error(path) -> None:
    client = Client(echo)
    if path.startswith("//"):
        assert client.get(path).json()["environ"]["PATH_INFO"] == "/other/x"
        return
    with pytest.raises(ValueError, match=r"not a path|another site"):
        client.get(path)


def test_the_site_has_an_address() -> None:
    def handler(request):
        return Response.text(f"{request.url()} {request.environ.get('HTTPS')}")

    client = Client(handler, base_url="https://example.org:8443", script_name="/x")
    assert client.get("/y").text == "https://example.org:8443/x/y on"
    with pytest.raises(ValueError, match="base_url"):
        Client(handler, base_url="example.org")


# --- files ------------------------------------------------------------------------------------


def test_files_are_uploaded_beside_fields() -> None:
    def handler(request):
        one, two = request.files.getlist("u")
        return Response.json(
            [request.form["note"], one.filename, one.content_type, two.filename, len(two.read())]
        )

    files = {"u": [("n.txt", b"hi"), ('a"b.png', b"\0" * 100_000)]}
    answer = Client(handler).post(data={"note": "ö"}, files=files)
    assert answer.json() == ["ö", "n.txt", "text/plain", 'a"b.png', 100_000]


# --- answers ----------------------------------------------------------------------------------


def test_an_answer_has_all_that_a_client_sees() -> None:
    def handler(request):
        response = Response("<p>é</p>", 201)
        response.set_cookie("who", "Ada Lovelace")
        return response

    answer = Client(handler).get()
    assert (answer.status, answer.status_code, answer.reason) == (201, 201, "Created")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.content_type == "text/html"
    assert (answer.text, answer.content) == ("<p>é</p>", "<p>é</p>".encode())
    assert answer.cookies == {"who": "Ada Lovelace"}
    assert (answer.exit_status, answer.error, answer.stderr) == (None, None, "")
    assert answer.url == "/cgi-bin/app.py"
    assert repr(answer) == "<Answer 201 Created, text/html; charset=utf-8, 9 bytes>"


def test_text_is_read_by_its_charset() -> None:
    def handler(request):
        return Response("né", content_type="text/plain; charset=iso-8859-1")

    answer = Client(handler).get()
    assert answer.content == b"n\xe9"
    assert answer.text == "né"


def test_a_str_is_a_page() -> None:
    assert Client(lambda request: f"<b>{escape(request.query['n'])}</b>").get("?n=<").text == (
        "<b>&lt;</b>"
    )


def test_head_has_no_content(echoing) -> None:
    answer = echoing.head()
    assert answer.content == b""
    assert answer.status == 200


def test_a_stream_is_gathered_and_closed() -> None:
    closed = []

    def pieces():
        try:
            yield "a"
            yield "b"
        finally:
            closed.append(True)

    assert Client(lambda request: Response.stream(pieces())).get().text == "ab"
    assert closed == [True]


def test_a_file_is_read(tmp_path) -> None:
    (tmp_path / "x.txt").write_text("0123456789")
    client = Client(lambda request: Response.file(tmp_path / "x.txt"))
    assert client.get().text == "0123456789"
    answer = client.get(headers={"Range": "bytes=2-4"})
    assert (answer.status, answer.text) == (206, "234")


def test_relative_paths_begin_where_the_test_is(tmp_path, monkeypatch) -> None:
    client = Client(lambda request: str(Counter("count").increment()))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert client.get().text == "1"
    assert client.get().text == "2"


def test_an_application_brings_its_options(tmp_path) -> None:
    def handler(request):
        request.session["n"] = request.session.get("n", 0) + 1
        return str(request.limits.body)

    application = WSGI(handler, sessions=FileStore(tmp_path), limits=Limits(body=7))
    client = Client(application)
    assert client.get().text == "7"
    assert client.session["n"] == 1


# --- errors -----------------------------------------------------------------------------------


def broken(request) -> str:
    return str(1 / int(request.query_string or 0))


def test_a_bug_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        Client(broken).get()


def test_a_bug_is_answered_where_that_was_said() -> None:
    answer = Client(broken, raise_errors=False).get()
    assert answer.status == 500
    assert isinstance(answer.error, ZeroDivisionError)
    assert "ZeroDivisionError" in answer.stderr
    assert "ZeroDivisionError" not in answer.text
    assert "ZeroDivisionError" in Client(broken, raise_errors=False, debug=True).get().text


@pytest.mark.parametrize("raised", [SystemExit(3), StorageError("x", "no room")])
def test_what_the_log_would_have_as_an_incident_is_raised(raised) -> None:
    def handler(request):
        raise raised

    with pytest.raises(type(raised)):
        Client(handler).get()
    assert Client(handler, raise_errors=False).get().status == 500


def test_an_answer_with_a_status_is_no_bug() -> None:
    def handler(request):
        raise HTTPError(int(request.query["s"]), "Not today.")

    client = Client(handler)
    for status in (404, 503):
        answer = client.get(f"?s={status}")
        assert answer.status == status
        assert "Not today." in answer.text
        assert isinstance(answer.error, HTTPError)
    assert client.get().status == 400  # the field is missing


def test_printing_is_an_error_as_under_a_server() -> None:
    def handler(request):
        print("hello")
        return ""

    with pytest.raises(StateError, match="the handler printed"):
        Client(handler).get()


def test_a_stream_that_fails_is_raised_or_kept() -> None:
    def pieces():
        yield "a" * 10
        raise RuntimeError("halfway")

    def handler(request):
        return Response.stream(pieces())

    with pytest.raises(RuntimeError):
        Client(handler).get()
    answer = Client(handler, raise_errors=False).get()
    assert (answer.status, answer.text) == (200, "a" * 10)
    assert isinstance(answer.error, RuntimeError)
    assert "halfway" in answer.stderr


def test_a_handler_that_forks_leaves_one_test_running() -> None:
    def handler(request):
        pid = os.fork()
        if not pid:
            return "child"
        return str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))

    assert Client(handler).get().text == "0"


# --- cookies and sessions ---------------------------------------------------------------------


def remember(request) -> Response:
    response = Response.text(" ".join(f"{k}={v}" for k, v in request.cookies.pairs()))
    if "set" in request.query:
        response.set_cookie("n", request.query["set"])
    if "drop" in request.query:
        response.delete_cookie("n")
    return response


def test_cookies_are_kept_sent_and_forgotten() -> None:
    client = Client(remember, cookies={"old": "1"})
    client.get("?set=a+b")
    assert client.cookies["n"] == "a b"
    assert client.get().text == "old=1 n=a b"
    assert client.get("?drop").cookies == {"n": ""}
    assert client.get().text == "old=1"
    client.cookies["n"] = "ö"
    del client.cookies["old"]
    assert client.get().text == "n=ö"
    client.cookies.clear()
    assert client.get().text == ""


def count(request) -> str:
    request.session["n"] = request.session.get("n", 0) + 1
    return str(request.session["n"])


def test_a_session_lasts_and_can_be_looked_at(tmp_path) -> None:
    client = Client(count, sessions=FileStore(tmp_path))
    assert dict(client.session) == {}
    assert [client.get().text for _ in range(3)] == ["1", "2", "3"]
    assert dict(client.session) == {"n": 3}
    with pytest.raises(TypeError):
        client.session["n"] = 1
    assert Client(count, sessions=FileStore(tmp_path)).get().text == "1"  # another visitor


def test_a_session_can_be_prepared(tmp_path) -> None:
    client = Client(count, sessions=FileStore(tmp_path), base_url="https://example.org")
    with client.session_transaction() as session:
        session["n"] = 41
    assert client.get().text == "42"
    with pytest.raises(ZeroDivisionError), client.session_transaction() as session:
        session["n"] = 1 / 0
    assert client.get().text == "43"


def test_a_client_without_a_store_says_what_is_missing() -> None:
    with pytest.raises(StateError, match="sessions=FileStore"):
        _ = Client(count).session


def test_a_misspelt_option_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="limit is not an option"):
        Client(count, limit=Limits())


# --- redirects --------------------------------------------------------------------------------


def moving(request) -> Response | str:
    steps = {
        "/start": Response.redirect("/cgi-bin/app.py/end?x=1"),
        "/keep": Response.redirect("end", 307),
        "/round": Response.redirect("/cgi-bin/app.py/round"),
        "/out": Response.redirect("https://example.org/"),
        "/up": Response.redirect("/elsewhere"),
        "/local": Response.local_redirect("/cgi-bin/app.py/end?local"),
    }
    if request.path_info in steps:
        return steps[request.path_info]
    return f"{request.method} {request.path_info} {request.query_string} {request.text()}"


def test_a_redirect_is_followed_on_request() -> None:
    client = Client(moving)
    first = client.post("/start", data={"a": "1"})
    assert (first.status, first.location, first.is_redirect) == (
        303,
        "/cgi-bin/app.py/end?x=1",
        True,
    )
    answer = client.post("/start", data={"a": "1"}, follow_redirects=True)
    assert answer.text == "GET /end x=1 "
    assert answer.url == "/cgi-bin/app.py/end?x=1"
    assert [step.status for step in answer.history] == [303]
    assert Client(moving, follow_redirects=True).post("/keep", data={"a": "1"}).text == (
        "POST /end  a=1"
    )


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"), (302, "POST", "GET"), (303, "POST", "GET"), (303, "PUT", "GET"),
        (303, "HEAD", "HEAD"), (302, "HEAD", "HEAD"), (301, "PUT", "PUT"), (302, "DELETE", "DELETE"),
        (307, "POST", "POST"), (308, "POST", "POST"), (308, "PATCH", "PATCH"),
    ],
)  # fmt: skip
def test_the_method_and_the_body_after_a_redirect(status, method, then) -> None:
    """The type of a body went along to a GET that has none."""
    seen = []

    def app(request) -> Response:
        seen.append((request.method, request.content_type, request.text()))
        if request.path_info == "/end":
            return Response("x")
        return Response.redirect("/cgi-bin/app.py/end", status)

    client = Client(app, follow_redirects=True)
    has_body = method in ("POST", "PUT", "PATCH", "DELETE")
    headers = {"Content-Type": "text/x-a", "X-Kept": "1"} if has_body else {"X-Kept": "1"}
    sent = {"content": b"b"} if has_body else {}
    answer = client.request(method, "/start", headers=headers, **sent)
    assert answer.status == 200
    body = ("text/x-a", "b") if then == method and has_body else ("", "")
    assert seen[1] == (then, *body)


@pytest.mark.parametrize(
    ("location", "end"),
    [
        ("/cgi-bin/app.py/b?x#part", "/cgi-bin/app.py/b?x"),
        ("/cgi-bin/app.py/a/../b", "/cgi-bin/app.py/b"),
        ("http://localhost/cgi-bin/app.py/c", "/cgi-bin/app.py/c"),
        ("http://LOCALHOST:80/cgi-bin/app.py/c", "/cgi-bin/app.py/c"),
        ("http://localhost:81/cgi-bin/app.py/c", None),
        ("https://localhost/cgi-bin/app.py/c", None),
        ("//example.org/cgi-bin/app.py/c", None),
        ("http://user@example.org/cgi-bin/app.py/c", None),
        ("/cgi-bin/app.pyx", None),
        ("/cgi-bin/app.py/../other.py", None),
        ("http://[/", None),
        ("http://localhost:x/", None),
    ],
)
def test_where_a_redirect_may_lead(location, end) -> None:
    def app(request) -> Response:
        if request.path_info == "/a/start" and not request.query_string:
            return Response("", status=302, headers={"Location": location})
        return Response("x")

    client = Client(app, follow_redirects=True)
    if end is None:
        with pytest.raises(ValueError, match="this client cannot request"):
            client.get("/a/start")
    else:
        assert client.get("/a/start").url == end


def test_a_local_redirect_is_shown_or_followed() -> None:
    client = Client(moving)
    shown = client.get("/local")
    assert shown.local_redirect == "/cgi-bin/app.py/end?local"
    assert client.post("/local", follow_redirects=True).text == "GET /end local "


@pytest.mark.parametrize("path", ["/out", "/up"])
def test_a_redirect_that_cannot_be_followed_says_where_it_leads(path) -> None:
    with pytest.raises(ValueError, match="cannot request"):
        Client(moving).get(path, follow_redirects=True)


def test_redirects_without_an_end_are_an_error() -> None:
    with pytest.raises(ValueError, match="more than 20"):
        Client(moving).get("/round", follow_redirects=True)


# --- script files -----------------------------------------------------------------------------


def test_a_script_gets_the_environment_of_a_server(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    came = Client(script(tmp_path / "app.py", ECHO)).get().json()
    assert came["cwd"] == str(tmp_path.resolve())
    assert came["all"]["GATEWAY_INTERFACE"] == "CGI/1.1"
    assert came["all"]["SERVER_SOFTWARE"] == "cgikit-testing"
    assert not {"SECRET_TOKEN", "PYTHONPATH"} & set(came["all"])


def test_stderr_and_the_exit_status_are_kept(tmp_path) -> None:
    text = "#!/bin/sh\necho oops >&2\necho Content-Type: text/plain\necho\necho hi\nexit 3\n"
    client = Client(script(tmp_path / "x.sh", text), raise_errors=False)
    answer = client.get()
    assert (answer.status, answer.text) == (200, "hi\n")
    assert (answer.stderr, answer.exit_status) == ("oops\n", 3)
    assert isinstance(answer.error, ScriptError)


def test_a_script_that_fails_is_raised_with_what_it_said(tmp_path) -> None:
    text = "#!{python}\nprint('Content-Type: text/html\\n', flush=True)\n1 / 0\n"
    with pytest.raises(ScriptError, match="ZeroDivisionError") as caught:
        Client(script(tmp_path / "x.py", text)).get()
    assert caught.value.answer.status == 200
    assert caught.value.answer.exit_status == 1
    assert "exited with status 1" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#!/bin/sh\necho hello\n", "line 1: hello"),
        ("#!/bin/sh\n", "printed nothing"),
        ("#!/bin/sh\nkill -9 $$\n", "SIGKILL"),
        ("#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 9\\n\\nhi'\n", "2 bytes"),
        ("#!/nowhere/perl\n", "does not exist"),
    ],
)
def test_what_is_no_answer_is_an_error_with_its_reason(tmp_path, text, said) -> None:
    path = script(tmp_path / "x.cgi", text)
    with pytest.raises(ScriptError, match=said):
        Client(path).get()
    answer = Client(path, raise_errors=False).get()
    assert said in str(answer.error)
    assert answer.status in {200, 500}


def test_a_script_that_hangs_is_ended(tmp_path) -> None:
    path = script(tmp_path / "x.sh", "#!/bin/sh\nexec sleep 600\n")
    answer = Client(path, timeout=0.2, raise_errors=False).get()
    assert answer.status == 504
    assert answer.exit_status in {-signal.SIGTERM, -signal.SIGKILL}


def test_any_language_with_an_interpreter(tmp_path) -> None:
    path = script(tmp_path / "x.sh", "echo Content-Type: text/plain\necho\necho $1\n", 0o644)
    with pytest.raises(PermissionError, match="chmod"):
        Client(path)
    assert Client(path, interpreter="sh").get("?word").text == "word\n"
    with pytest.raises(FileNotFoundError, match="interpreter"):
        Client(path, interpreter="no-such-program")
    with pytest.raises(FileNotFoundError):
        Client(tmp_path / "missing.py")


def test_a_script_has_options_of_its_own(tmp_path) -> None:
    with pytest.raises(TypeError, match="debug"):
        Client(script(tmp_path / "x.sh", "#!/bin/sh\n"), debug=True)


def test_local_redirects_reach_the_scripts_beside(tmp_path) -> None:
    first = script(tmp_path / "a.sh", "#!/bin/sh\nprintf 'Location: /cgi-bin/app.py/x\\n\\n'\n")
    script(tmp_path / "app.py", ECHO)
    client = Client(first)
    assert client.get().local_redirect == "/cgi-bin/app.py/x"
    environ = client.post(data={"a": "1"}, follow_redirects=True).json()["environ"]
    assert environ["SCRIPT_NAME"] == "/cgi-bin/app.py"
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/x")


def test_a_directory_is_a_site(tmp_path) -> None:
    script(tmp_path / "in" / "app.py", ECHO)
    client = Client(tmp_path)
    environ = client.get("/in/app.py/y?z").json()["environ"]
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == ("/in/app.py", "/y")
    assert client.get("/missing.py").status == 404
    assert client.get("/in/").status == 404
    assert client.get("/..%2f").status == 404


def test_a_script_reached_by_a_link(tmp_path) -> None:
    script(tmp_path / "real" / "app.py", ECHO)
    (tmp_path / "cgi").mkdir()
    (tmp_path / "cgi" / "link.py").symlink_to(tmp_path / "real" / "app.py")
    answer = Client(tmp_path / "cgi" / "link.py").get()
    assert answer.json()["environ"]["SCRIPT_NAME"] == "/cgi-bin/link.py"


def test_cookies_go_to_scripts(tmp_path) -> None:
    text = (
        "#!/bin/sh\nprintf 'Set-Cookie: n=1\\nContent-Type: text/plain\\n\\n'\necho $HTTP_COOKIE\n"
    )
    with Client(script(tmp_path / "x.sh", text)) as client:
        assert client.get().text == "\n"
        assert client.get().text == "n=1\n"


def test_a_session_of_a_script_can_be_prepared(tmp_path) -> None:
    text = (
        "#!{python}\nfrom cgikit import FileStore, run\n"
        "run(lambda request: str(request.session.get('n')), sessions=FileStore('data'))\n"
    )
    client = Client(script(tmp_path / "x.py", text), sessions=FileStore(tmp_path / "data"))
    with client.session_transaction() as session:
        session["n"] = 7
    assert client.get().text == "7"


def test_a_non_parsed_script(tmp_path) -> None:
    text = "#!/bin/sh\nprintf 'HTTP/1.1 418 Teapot\\r\\nContent-Type: text/plain\\r\\n\\r\\nhi'\n"
    answer = Client(script(tmp_path / "nph-x.sh", text)).get()
    assert (answer.status, answer.text) == (418, "hi")


# --- the plugin -------------------------------------------------------------------------------


def test_the_fixture_closes_all_clients_even_if_one_fails(tmp_path) -> None:
    """A script that could not be stopped left those of the other clients running."""
    (tmp_path / "test_it.py").write_text(
        """from cgikit.testing import Client
closed = []
Client.close = lambda self: (closed.append(self), 1 / (len(closed) - 2))
def test_it(cgi_client):
    for _ in range(3):
        cgi_client(lambda request: "x")
def test_then():
    assert len(closed) == 3
"""
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_it.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert "2 passed, 1 error" in done.stdout, done.stdout


def test_the_fixture_is_there(cgi_client, tmp_path) -> None:
    assert isinstance(cgi_client(echo).get(), Answer)


def test_the_plugin_imports_nothing_until_it_is_used() -> None:
    code = (
        "import sys, pytest; before = set(sys.modules); import cgikit.testing.plugin; "
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["cgikit", "cgikit.testing", "cgikit.testing.plugin"]


def test_the_face_is_lazy_and_whole() -> None:
    import cgikit.testing

    assert [name for name in cgikit.testing.__all__ if name not in dir(cgikit.testing)] == []
    with pytest.raises(AttributeError, match="no attribute 'TestClient'"):
        _ = cgikit.testing.TestClient


# --- old scripts -------------------------------------------------------------------------------

OLD = """#!{python}
import cgi
print("Content-Type: text/plain\\n")
print(cgi.FieldStorage().getvalue("name"), cgi.__name__)
"""


def test_an_old_script_runs_with_compat(tmp_path) -> None:
    modern = {"PYTHONPATH": hiding(tmp_path / "modern")}
    client = Client(script(tmp_path / "old.py", OLD), compat=True, environ=modern)
    assert client.get(params={"name": "Ada"}).text == "Ada cgikit.compat.cgi\n"
    assert "PYTHONPATH" in Client(script(tmp_path / "e.py", ECHO), compat=True).get().json()["all"]


@pytest.mark.parametrize("begun", [False, True], ids=["silent", "begun"])
def test_an_old_script_is_told_what_to_do_here(tmp_path, begun) -> None:
    """It said "Start this server with --compat", where there is no server."""
    printed = "print('Content-Type: text/plain\\n', flush=True)\n" if begun else ""
    text = f"#!{{python}}\n{printed}raise ModuleNotFoundError(\"No module named 'cgi'\")\n"
    with pytest.raises(ScriptError) as caught:
        Client(script(tmp_path / "old.py", text)).get()
    said = str(caught.value)
    assert (
        "removed the module cgi. Give the Client compat=True, or write a replacement beside" in said
    )
    assert "server" not in said


def test_compat_is_not_for_handlers() -> None:
    with pytest.raises(TypeError, match=r"cgikit\.compat\.install\(\)"):
        Client(echo, compat=True)


def test_a_traceback_that_was_printed_is_named(tmp_path) -> None:
    text = (
        "#!{python}\nimport sys\nfrom cgikit.compat import cgitb\ncgitb.enable()\n"
        "print('Content-Type: text/html\\n', flush=True)\n1 / 0\n"
    )
    with pytest.raises(ScriptError, match=r"exited with status 1\. .*\.answer\.text") as caught:
        Client(script(tmp_path / "crash.py", text)).get()
    assert "ZeroDivisionError" in caught.value.answer.text
