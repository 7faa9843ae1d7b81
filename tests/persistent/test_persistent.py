"""run() on a listening socket: the same handler, the same answers, nothing left for the next one."""

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from child import environment, run_script
from forking import FORKING, HELD, LEAVING, LEAVING_PIECES
from persisting import Application, application, start
from posting import MULTIPART, file, multipart
from requirement import need
from serving import DEADLINE, until

from cgikit.gateway.fastcgiclient import Ended
from cgikit.gateway.listener import listen

HANDLERS = """
import os, subprocess
SHARED = Response("shared")
SEEN = []
def shared(request):
    SHARED.set_cookie("visitor", request.query["id"])
    return SHARED
def printing(request):
    print("oops")
def sending(request):
    Response("sent").send()
def broken():
    yield "half"
    raise RuntimeError("the rest is missing")
def counting(request):
    SEEN.append(1)
    return f"{os.getpid()} {len(SEEN)}"
def logging(request):
    print("one", "line", file=sys.stderr)
    sys.stderr.write("no end of the line")
    return "logged"
def bad_header(request):
    raise HTTPError(400, "x", {"X-Bad": "a\\nb"})
def cookie(request):
    response = Response("c"); response.set_cookie("a", "b"); return response
def announced(*pieces):
    return Response(iter(pieces), headers={"Content-Length": "5"})
def late():
    yield "abcde"
    raise RuntimeError("after the last byte")
def shrinking(request):
    open("shrinking", "wb").write(b"x" * 300_000)
    response = Response.file("shrinking")
    os.truncate("shrinking", 100_000)
    return response
PAGES = {
    "short": lambda r: announced("ab", "c"),
    "over": lambda r: announced("abc", "defg"),
    "late": lambda r: Response(late(), headers={"Content-Length": "5"}),
    "shrinking": shrinking,
    "html": lambda r: "<p>ü " + r.query.get("name", ""),
    "json": lambda r: Response.json(r.query.pairs()),
    "text": lambda r: Response.text("a", 201),
    "cookie": cookie,
    "empty": lambda r: Response("", 204),
    "redirect": lambda r: Response.redirect("/there"),
    "local": lambda r: Response.local_redirect("/there?x"),
    "stream": lambda r: Response.stream(["a", "b" * 100_000, "c"]),
    "file": lambda r: Response.file(__file__),
    "missing": lambda r: r.query["missing"],
    "gone": lambda r: (_ for _ in ()).throw(HTTPError(410, "gone <for> good")),
    "bug": lambda r: 1 / 0,
    "exit": lambda r: sys.exit(3),
    "unusual": lambda r: (_ for _ in ()).throw(BaseException("of no usual kind")),
    "none": lambda r: None,
    "printing": printing,
    "bad header": bad_header,
    "echo": lambda r: Response.text(repr((r.form.pairs(), sorted(r.files)))),
    "whole": lambda r: Response.text(r.text()),
    "shared": shared,
    "sending": sending,
    "broken": lambda r: Response.stream(broken()),
    "closing": lambda r: setattr(r, "close", lambda: 1 / 0) or "answered",
    "counting": counting,
    "logging": logging,
    "environ": lambda r: Response.json([k for k in os.environ if k[:5] in ("HTTP_", "QUERY")]),
    "input": lambda r: Response.json(subprocess.run(
        ["cat"], capture_output=True, text=True, timeout=20).stdout),
}
run(lambda request: PAGES[request.path_info[1:]](request), limits=Limits(body=1_000_000))
"""

#: Pages that are the same under CGI, to the byte: name and query.
SAME = [
    ("html", "name=Ada"), ("html", ""), ("json", "a=1&b=%C3%A4"), ("text", ""), ("cookie", ""),
    ("empty", ""), ("redirect", ""), ("stream", ""), ("file", ""), ("missing", ""),
    ("gone", ""), ("input", ""), ("environ", ""),
]  # fmt: skip

#: Pages that fail, and what the log says of them.
FAILING = [
    ("bug", "ZeroDivisionError"),
    ("exit", "SystemExit: 3"),
    ("unusual", "BaseException: of no usual kind"),
    ("none", "<lambda> returned NoneType"),
    ("printing", "the handler printed 'oops'"),
    ("bad header", "header X-Bad"),
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    more = {"CGIKIT_STDERR": "server"}  # in one place with the answer
    with application(tmp_path_factory.mktemp("app"), HANDLERS, **more) as running:
        yield running
        assert running.process.poll() is None


# --- the same as under CGI ----------------------------------------------------------------------


@pytest.mark.parametrize(("page", "query"), SAME)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_answer_is_that_of_a_cgi_script(
    app: Application, page: str, query: str, method: str
) -> None:
    variables = {"PATH_INFO": f"/{page}", "QUERY_STRING": query, "REQUEST_METHOD": method}
    directory = app.log.parent
    under_cgi = run_script(directory, (directory / "app.py").read_text(), **variables)
    # The file's name is in its answer, and only a CGI script has the request in its environment.
    if page == "file":
        assert app.ask(**variables).body == (
            b"" if method == "HEAD" else (directory / "app.py").read_bytes()
        )
    elif page == "environ":
        assert app.ask(**variables).body == (b"" if method == "HEAD" else b"[]")
    else:
        assert app.ask(**variables) == under_cgi


@pytest.mark.parametrize(("page", "text"), FAILING)
def test_a_failure_has_the_same_page_and_the_same_lines_in_the_log(
    app: Application, page: str, text: str
) -> None:
    answer = app.ask(PATH_INFO=f"/{page}")
    directory = app.log.parent
    under_cgi = run_script(directory, (directory / "app.py").read_text(), PATH_INFO=f"/{page}")
    number = re.search("incident ([0-9a-f]{8})", answer.page)
    assert number is not None
    assert answer.head[0] == "Status: 500 Internal Server Error"
    assert answer.errors.splitlines()[-1].startswith(f"[incident {number[1]}] ")
    assert text in answer.errors
    unnumbered = re.sub("[0-9a-f]{8}", "", answer.page)
    assert unnumbered == re.sub("[0-9a-f]{8}", "", under_cgi.page)


def test_a_form_and_a_file(app: Application) -> None:
    body = multipart(file("f", "x.txt", b"content"))
    answer = app.ask(
        body, PATH_INFO="/echo", REQUEST_METHOD="POST", CONTENT_TYPE=MULTIPART,
        CONTENT_LENGTH=str(len(body)),
    )  # fmt: skip
    assert answer.page == "([], ['f'])"


def test_a_body_as_long_as_it_says(app: Application) -> None:
    """More that comes is not the request's (RFC 3875 section 4.2); less is an error."""
    post = {"PATH_INFO": "/whole", "REQUEST_METHOD": "POST"}
    assert app.ask(b"abcdef", **post, CONTENT_LENGTH="3").page == "abc"
    assert app.ask(b"abcdef", **post, CONTENT_LENGTH="0").page == ""
    short = app.ask(b"abc", **post, CONTENT_LENGTH="6")
    assert (short.status, "ended after 3 of the 6" in short.page) == (400, True)
    assert app.ask(b"", **post, CONTENT_LENGTH="1000001").status == 413


def test_a_script_named_nph_gets_no_http_head(app: Application) -> None:
    answer = app.ask(PATH_INFO="/text", SCRIPT_NAME="/cgi-bin/nph-app.py")
    assert answer.head[0] == "Status: 201 Created"


@pytest.mark.parametrize(("method", "status"), [("GET", 302), ("HEAD", 302), ("POST", 303)])
def test_a_local_redirect_goes_to_the_client(app: Application, method: str, status: int) -> None:
    """Servers that do not follow one over FastCGI answered 200 with an empty page."""
    answer = app.ask(PATH_INFO="/local", REQUEST_METHOD=method)
    assert (answer.status, answer.field("Location")) == (status, "/there?x")


def test_debug_shows_the_traceback_where_it_is_asked_for(app: Application, tmp_path: Path) -> None:
    assert "ZeroDivisionError" not in app.ask(PATH_INFO="/bug").page
    assert "ZeroDivisionError" not in app.ask(PATH_INFO="/bug", CGIKIT_DEBUG="1").page  # the peer's
    assert "ZeroDivisionError" not in app.ask(PATH_INFO="/bug", HTTP_CGIKIT_DEBUG="1").page
    with application(tmp_path, HANDLERS, CGIKIT_DEBUG="1") as debugging:
        assert "ZeroDivisionError" in debugging.ask(PATH_INFO="/bug").page


# --- nothing is left ----------------------------------------------------------------------------


def test_one_process_answers_one_request_after_another(app: Application) -> None:
    pid, first = app.ask(PATH_INFO="/counting").page.split()
    assert pid == str(app.process.pid)
    assert app.ask(PATH_INFO="/counting").page == f"{pid} {int(first) + 1}"


def test_nobody_gets_the_cookies_of_another_visitor(app: Application) -> None:
    first = app.ask(PATH_INFO="/shared", QUERY_STRING="id=1")
    assert "visitor=1" in (first.field("Set-Cookie") or "")
    second = app.ask(PATH_INFO="/shared", QUERY_STRING="id=2")
    assert second.status == 500
    assert second.field("Set-Cookie") is None
    assert "StateError: the handler returned a response that was used before" in second.errors


def test_what_a_handler_sends_by_itself_goes_nowhere(app: Application) -> None:
    answer = app.ask(PATH_INFO="/sending")
    assert answer.status == 500
    assert "sys.stdout is a PersistentOutput, which cannot take bytes" in answer.errors


def test_an_answer_that_breaks_off_has_no_end(app: Application) -> None:
    with app.connect() as peer:
        peer.request(PATH_INFO="/broken")
        answer = peer.answer()
        assert peer.ended is None
    assert answer.body == b"half"
    assert "RuntimeError: the rest is missing" in answer.errors
    assert app.ask(PATH_INFO="/html").status == 200


@pytest.mark.parametrize(
    ("page", "body", "error"),
    [
        ("short", b"abc", "ended after 3 of the 5 bytes"),
        ("shrinking", b"x" * 100_000, "the file became shorter"),
    ],
)
@pytest.mark.parametrize("keep", [True, False])
def test_a_part_of_what_was_announced_has_no_end(
    app: Application, page: str, body: bytes, error: str, keep: bool
) -> None:
    with app.connect() as peer:
        peer.request(keep=keep, PATH_INFO=f"/{page}")
        answer = peer.answer()
        assert (answer.body, peer.ended) == (body, None)
    assert error in answer.errors


@pytest.mark.parametrize(
    ("page", "error"),
    [("over", "longer than its Content-Length, 5"), ("late", "after the last byte")],
)
def test_what_goes_wrong_behind_what_was_announced_cuts_nothing(
    app: Application, page: str, error: str
) -> None:
    with app.connect() as peer:
        for _ in range(2):
            peer.request(keep=True, PATH_INFO=f"/{page}")
            answer = peer.answer()
            assert (answer.body, peer.ended) == (b"abcde", Ended(1, 0, 0))
            assert error in answer.errors


def test_what_fails_after_the_answer_is_in_the_log_and_no_more(app: Application) -> None:
    assert app.ask(PATH_INFO="/closing").page == "answered"
    assert app.ask(PATH_INFO="/counting").page.split()[0] == str(app.process.pid)
    assert "ZeroDivisionError" in app.logged()


def test_uploads_and_sessions_end_with_the_request(tmp_path: Path) -> None:
    (tmp_path / "uploads").mkdir()
    code = """
import os
def visit(request):
    request.session["visits"] = request.session.get("visits", 0) + 1
    kept = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
            if os.path.islink(f"/proc/self/fd/{fd}")]
    before = sum("/uploads/" in name for name in kept)
    return f"{request.session['visits']} {before} {len(request.files)}"
run(visit, sessions=FileStore("sessions"), upload_dir="uploads")
"""
    body = multipart(file("f", "x", b"x" * 200_000))
    post = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    with application(tmp_path, code) as app:
        first = app.ask(body, **post)
        cookie = (first.field("Set-Cookie") or "").partition(";")[0]
        assert first.page == "1 0 1"
        assert app.ask(body, **post, HTTP_COOKIE=cookie).page == "2 0 1"
        assert app.ask(body, **post).page == "1 0 1"
        assert until(lambda: os.listdir(tmp_path / "uploads") == [])  # after the answer


LOGGING = """
def page(request):
    print("one line", file=sys.stderr)
    sys.stderr.write("no end of the line")
    return "logged"
run(page)
"""


def test_the_log_goes_to_the_web_server_where_that_is_asked_for(app: Application) -> None:
    answer = app.ask(PATH_INFO="/logging")
    assert answer.errors == "one line\nno end of the line"
    assert app.ask(PATH_INFO="/html").errors == ""


@pytest.mark.parametrize("wish", ["", "log"])
def test_the_log_is_the_process_s_own_standard_error_and_no_other(
    tmp_path: Path, wish: str
) -> None:
    """It was the web server's while a request was open, and our own otherwise: both had to be read."""
    with application(tmp_path, LOGGING, CGIKIT_STDERR=wish) as app:
        answer = app.ask()
        assert (answer.page, answer.errors) == ("logged", "")
        assert app.logged() == "one line\nno end of the line"


@pytest.mark.parametrize("errors", ["2>&-", "2>/dev/null"])
def test_a_process_whose_own_log_goes_nowhere_has_the_web_server_s(
    tmp_path: Path, errors: str
) -> None:
    """spawn-fcgi and lighttpd start scripts so."""
    (tmp_path / "app.py").write_text(f"import sys\nfrom cgikit import run\n{LOGGING}")
    with listen(str(tmp_path / "s")) as listener:
        process = subprocess.Popen(
            ["sh", "-c", f'exec "$@" {errors}', "sh", sys.executable, str(tmp_path / "app.py")],
            stdin=listener,
            env=os.environ | {"CGIKIT_STDERR": ""},
        )
        app = Application(process, listener, tmp_path / "log")
        try:
            assert app.ask().errors == "one line\nno end of the line"
        finally:
            assert app.stop() == 0


def test_the_log_of_nobody_s_request_is_the_process_s_own(tmp_path: Path) -> None:
    code = """
import time
def lost(request):
    sys.stdin.read() if sys.stdin else None
    for _ in range(500):
        print("x" * 10_000, file=sys.stderr)
    return "done"
print("loaded", file=sys.stderr)
run(lost)
print("at the end", file=sys.stderr)
"""
    with application(tmp_path, code) as app:
        with app.connect() as peer:
            peer.request()
        assert until(lambda: "x" * 10_000 in app.logged())
        app.stop()
        assert app.logged().startswith("loaded\n")
        assert app.logged().endswith("at the end\n")


# --- how it is started --------------------------------------------------------------------------


def test_over_tcp(tmp_path: Path) -> None:
    with application(tmp_path, HANDLERS, address="127.0.0.1:0") as app:
        assert app.ask(PATH_INFO="/text").page == "a"


def test_by_systemd(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from cgikit import run\nrun(lambda request: 'activated')")
    with listen(str(tmp_path / "s")) as listener:
        handing = f'exec 3<&{listener.fileno()}; export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", handing, "bash", sys.executable, str(tmp_path / "app.py")],
            stdin=subprocess.DEVNULL,
            pass_fds=[listener.fileno()],
        )
        app = Application(process, listener, tmp_path / "log")
        try:
            assert app.ask().page == "activated"
        finally:
            assert app.stop() == 0


def test_by_systemd_with_more_than_one_socket(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("from cgikit import run\nrun(lambda request: 'never')")
    done = subprocess.run(
        ["sh", "-c", 'export LISTEN_PID=$$ LISTEN_FDS=2; exec "$@"', "sh", sys.executable, "app.py"],
        cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "cgikit: systemd passed 2 sockets; exactly one is needed\n"


@pytest.mark.parametrize("workers", ["", "2"])
def test_with_nothing_but_the_socket(tmp_path: Path, workers: str) -> None:
    """FastCGI section 2.2: no other descriptor is open. None of ours may take the place of the log."""
    code = (
        "import os\nfrom cgikit import run\n"
        "def page(request):\n"
        "    os.write(2, b'to a closed log'); os.write(1, b'to nowhere')\n"
        "    return repr([os.readlink(f'/proc/self/fd/{fd}') for fd in range(3)])\n"
        "run(page)\n"
    )
    (tmp_path / "app.py").write_text(code)
    with listen(str(tmp_path / "s")) as listener:
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" >&- 2>&-', "sh", sys.executable, str(tmp_path / "app.py")],
            stdin=listener,
            env={**os.environ, "CGIKIT_WORKERS": workers},
        )
        app = Application(process, listener, tmp_path / "log")
        try:
            answer = app.ask()
            assert (answer.page, answer.errors) == (repr(["/dev/null"] * 3), "")
            assert app.ask().status == 200
        finally:
            assert app.stop() == 0


def test_by_fcgi_s_own_tool_and_asked_by_it(tmp_path: Path) -> None:
    """libfcgi's client and starter, which nobody here has written."""
    tool = need("cgi-fcgi")
    script = tmp_path / "app.py"
    script.write_text(
        f"#!{sys.executable}\nimport os\nfrom cgikit import run\n"
        "open('pid', 'w').write(str(os.getpid()))\n"
        "run(lambda request: f\"{request.query['a']} {request.text()}\")\n"
    )
    script.chmod(0o755)
    address = str(tmp_path / "s")
    subprocess.run([tool, "-start", "-connect", address, str(script)], cwd=tmp_path, check=True)
    assert until((tmp_path / "pid").exists)
    assert until(lambda: (tmp_path / "pid").read_text())
    try:
        done = subprocess.run(
            [tool, "-bind", "-connect", address],
            env=environment(QUERY_STRING="a=b", REQUEST_METHOD="POST", CONTENT_LENGTH="4"),
            input=b"body",
            capture_output=True,
            check=True,
        )
    finally:
        os.kill(int((tmp_path / "pid").read_text()), 15)
    assert done.stdout.endswith(b"\n\nb body")


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CGIKIT_WORKERS", "0"), ("CGIKIT_WORKERS", "1001"), ("CGIKIT_WORKERS", "-1"),
        ("CGIKIT_WORKERS", "many"), ("CGIKIT_WORKERS", "²"), ("CGIKIT_REQUESTS", "0"),
    ],
)  # fmt: skip
def test_a_number_that_makes_no_sense(tmp_path: Path, variable: str, value: str) -> None:
    with application(tmp_path, "run(lambda request: '')", **{variable: value}) as app:
        assert app.process.wait(30) == 1
        assert app.logged().startswith(f"{variable}={value} is not valid; give a number from 1 to ")


def test_a_log_that_is_none(tmp_path: Path) -> None:
    with application(tmp_path, "run(print)", CGIKIT_STDERR="syslog") as app:
        assert app.process.wait(DEADLINE) == 1
        assert app.logged() == "CGIKIT_STDERR=syslog is not valid; give log or server\n"


def test_a_socket_that_does_not_listen_is_no_reason_to_stay(tmp_path: Path) -> None:
    """As under inetd, or where sshd hands over a socket: the script was started by hand."""
    (tmp_path / "app.py").write_text("from cgikit import run\nrun(lambda request: 'by hand')")
    left, right = socket.socketpair()
    with left, right:
        done = subprocess.run(
            [sys.executable, "app.py"], cwd=tmp_path, stdin=left, capture_output=True, timeout=30
        )
    assert done.stdout.endswith(b"\n\nby hand")


def test_a_cgi_script_never_looks_for_a_socket(tmp_path: Path) -> None:
    code = "run(lambda request: ' '.join(sys.modules))"
    loaded = run_script(tmp_path, code).page.split()
    assert [name for name in loaded if "persistent" in name or "gateway" in name] == []


def test_a_large_download(tmp_path: Path) -> None:
    content = os.urandom(30_000_000)
    (tmp_path / "large").write_bytes(content)
    with application(tmp_path, "run(lambda request: Response.file('large'))") as app:
        body = app.ask().body
    assert hashlib.sha256(body).digest() == hashlib.sha256(content).digest()


def test_a_second_generation_takes_over(tmp_path: Path) -> None:
    """The socket stays with whoever made it; the successor is started on it before the first ends."""
    with application(tmp_path, "run(lambda request: 'old')") as old:
        assert old.ask().page == "old"
        new = start(tmp_path, "run(lambda request: 'new')", old.listener, "new.py")
        try:
            assert old.stop() == 0
            assert new.ask(QUERY_STRING="x").page == "new"
        finally:
            assert new.stop() == 0


# --- handlers that fork ---------------------------------------------------------------------------


@pytest.mark.parametrize("workers", ["", "1"])
@pytest.mark.parametrize(
    ("path", "leave", "status"),
    [("", *way) for way in LEAVING] + [("/pieces", *way) for way in LEAVING_PIECES],
)
def test_the_child_of_a_handler_is_no_second_server(
    tmp_path: Path, path: str, leave: str, status: int, workers: str
) -> None:
    """It would send a second answer, accept connections, and never end."""
    variables = {"QUERY_STRING": f"leave={leave.replace(' ', '+')}", "PATH_INFO": path}
    end = "." if path and leave != "last piece" else ""
    with application(tmp_path, FORKING + "run(page)", CGIKIT_WORKERS=workers) as app:
        for _ in range(2):
            with app.connect() as peer:
                peer.request(keep=True, **variables)
                answer = peer.answer()
                assert (answer.page, peer.ended) == (f"parent: {status}{end}", Ended(1, 0, 0))
                assert answer.errors == ""
                peer.request(**variables)
                assert peer.answer().page == f"parent: {status}{end}"
                assert peer.is_closed()
        assert app.logged().count("the child was here\n") == 4
        assert len(app.children()) == len(workers)


def test_a_signal_to_the_child_of_a_handler_does_not_end_the_worker(tmp_path: Path) -> None:
    code = """
import os, signal
def page(request):
    pid = os.fork()
    if not pid:
        while True:
            signal.pause()
    os.kill(pid, signal.SIGTERM)
    return f"{os.getpid()} {os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])}"
run(page)
"""
    with application(tmp_path, code) as app:
        for _ in range(3):
            assert app.ask().page == f"{app.process.pid} {-signal.SIGTERM}"


def test_the_child_of_a_handler_leaves_its_session_and_uploads_alone(tmp_path: Path) -> None:
    body = multipart(file("f", "x", b"x" * 200_000))
    post = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    with application(tmp_path, HELD + "run(page, sessions=FileStore('sessions'))") as app:
        first = app.ask(body, **post)
        assert first.page == "1 200000"
        cookie = (first.field("Set-Cookie") or "").partition(";")[0]
        assert app.ask(body, **post, HTTP_COOKIE=cookie).page == "2 200000"


HOME = """
import os
COUNTER = Counter("data/n")
def hits(request):
    number = COUNTER.increment()
    os.chdir("/")
    return f"{number} {Counter('data/n').value}"
run(hits)
"""


def test_a_process_that_was_started_in_the_root_works_beside_its_script(tmp_path: Path) -> None:
    """9/2.1: under systemd the working directory is `/`, under CGI it is the script's."""
    with application(tmp_path, HOME, work_in="/", CGIKIT_WORKERS="2") as app:
        assert [app.ask().page for _ in range(3)] == ["1 1", "2 2", "3 3"]
        assert app.stop() == 0
        said = [line for line in app.logged().splitlines() if "started in /" in line]
    changed = f"cgikit: started in /; changed to {tmp_path}, the directory of the script"
    assert said == [f"{changed} (set WorkingDirectory for another)"]
    assert (tmp_path / "data/n").read_text() == "3\n"


def test_a_process_that_was_started_elsewhere_stays_there(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    with application(tmp_path, HOME, work_in=str(tmp_path / "work")) as app:
        assert [app.ask().page for _ in range(2)] == ["1 1", "2 2"]
        assert app.stop() == 0
        assert "started in" not in app.logged()
    assert (tmp_path / "work/data/n").read_text() == "2\n"
