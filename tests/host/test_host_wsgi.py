"""The host over real HTTP: a `cgikit serve` process, raw sockets, scripts in several languages.

R28, R31, R37, R40, R42, R43, R45, R46, R49; S2, S3, S18, S20, S22, S23, S26, S28.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from serving import Server, alive, serve, until

SCRIPTS = Path(__file__).parents[1] / "scripts"
MIB = 1 << 20
#: Seconds in which a script has begun, on the busiest machine, before its time is up.
BEGUN = 2


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve(SCRIPTS, "--timeout", "20") as server:
        yield server


class Reply:
    """What came back on a connection, taken apart as far as needed."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        head, _, self.rest = raw.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        self.status = int(first.split(" ")[1]) if first else 0
        self.reason = first.partition(" ")[2].partition(" ")[2]
        self.headers = {n.lower(): v for n, _, v in (line.partition(": ") for line in lines)}

    @property
    def body(self) -> bytes:
        if self.headers.get("transfer-encoding") != "chunked":
            return self.rest
        body, rest = b"", self.rest
        while True:
            size, _, rest = rest.partition(b"\r\n")
            if int(size, 16) == 0:
                assert rest == b"\r\n"
                return body
            body += rest[: int(size, 16)]
            rest = rest[int(size, 16) + 2 :]


def connect(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def exchange(server: Server, request: bytes) -> Reply:
    """Send raw bytes, read until the server closes."""
    received = b""
    with connect(server) as connection, suppress(ConnectionResetError):  # of what it has not read
        connection.sendall(request)
        while piece := connection.recv(1 << 16):
            received += piece
    return Reply(received)


def ask(
    server: Server, target: str, method: str = "GET", *headers: str, body: bytes | None = None
) -> Reply:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return exchange(server, "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b""))


def env(server: Server, *arguments: str, path: str = "/env.py", body: bytes | None = None) -> dict:
    return json.loads(ask(server, path, "POST" if body else "GET", *arguments, body=body).body)


def text(reply: Reply) -> str:
    """The visible text of a page."""
    page = re.sub("<style>.*?</style>", "", reply.body.decode(), flags=re.DOTALL)
    return re.sub("<[^>]*>", " ", page)


# --- scripts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("script", ["hello.sh", "hello.pl"])
def test_other_languages(server: Server, script: str) -> None:
    if script.endswith(".pl") and not shutil.which("perl"):
        pytest.skip("perl is not installed")
    reply = ask(server, f"/{script}/a%20b", "POST", body=b"12345")
    assert reply.status == 200
    assert b"POST /a b" in reply.body


def test_the_environment_of_a_get(server: Server) -> None:
    found = env(server, "X-Thing: 1", path="/env.py/x%20y/z?q=1&r=%20")
    environ = found["environ"]
    expected = {
        "GATEWAY_INTERFACE": "CGI/1.1",
        "HTTP_HOST": "localhost",
        "HTTP_X_THING": "1",
        "PATH_INFO": "/x y/z",
        "PATH_TRANSLATED": f"{SCRIPTS}/x y/z",
        "QUERY_STRING": "q=1&r=%20",
        "REMOTE_ADDR": "127.0.0.1",
        "REMOTE_HOST": "127.0.0.1",
        "REQUEST_METHOD": "GET",
        "REQUEST_URI": "/env.py/x%20y/z?q=1&r=%20",
        "SCRIPT_FILENAME": f"{SCRIPTS}/env.py",
        "SCRIPT_NAME": "/env.py",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": str(server.port),
        "SERVER_PROTOCOL": "HTTP/1.1",
    }
    assert {name: environ.get(name) for name in expected} == expected
    assert environ["SERVER_SOFTWARE"].startswith("cgikit/")
    assert not {"CONTENT_LENGTH", "CONTENT_TYPE", "HTTPS", "AUTH_TYPE"} & environ.keys()
    assert found["cwd"] == str(SCRIPTS)  # R49
    assert found["descriptors"] == [0, 1, 2]  # S24


def test_a_body(server: Server) -> None:
    found = env(server, "Content-Type: text/x", body=b"a\0b")
    assert found["body"] == "a\0b"
    assert found["environ"]["CONTENT_LENGTH"] == "3"
    assert found["environ"]["CONTENT_TYPE"] == "text/x"


def test_r31_a_chunked_body_arrives_with_its_length(server: Server) -> None:
    reply = exchange(
        server,
        b"POST /env.py HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
    )
    found = json.loads(reply.body)
    assert (found["body"], found["environ"]["CONTENT_LENGTH"]) == ("abcde", "5")
    assert "HTTP_TRANSFER_ENCODING" not in found["environ"]


def test_s2_s3_r37_headers(server: Server) -> None:
    environ = env(
        server,
        "Proxy: http://evil/",
        "X_Forwarded_For: forged",
        "Authorization: Basic c2VjcmV0",
        "Cookie: a=1",
        "Cookie: b=2",
        "Accept-Language: de",
        "Accept-Language: en",
    )["environ"]
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert environ["HTTP_ACCEPT_LANGUAGE"] == "de, en"
    assert not {"HTTP_PROXY", "HTTP_AUTHORIZATION", "HTTP_X_FORWARDED_FOR"} & environ.keys()


def test_s20_forwarded_headers_of_strangers_are_dropped(server: Server) -> None:
    environ = env(server, "X-Forwarded-For: 1.2.3.4", "X-Forwarded-Host: evil")["environ"]
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert not [name for name in environ if "FORWARDED" in name]


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example:80", "", "a b", "x, y"])
def test_s20_unknown_hosts(server: Server, host: str) -> None:
    reply = exchange(
        server, f"GET /env.py HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
    )
    assert reply.status == 400
    assert b"environ" not in reply.body


def test_an_absolute_target(server: Server) -> None:
    assert env(server, path="http://localhost/env.py/x?y")["environ"]["PATH_INFO"] == "/x"


def test_r41_isindex_reaches_the_command_line(server: Server) -> None:
    assert env(server, path="/env.py?a%20b+c")["argv"][1:] == ["a b", "c"]
    assert env(server, path="/env.py?-c+c")["argv"][1:] == []


def test_s24_the_servers_secrets_stay_its_own(tmp_path: Path) -> None:
    shutil.copy(SCRIPTS / "env.py", tmp_path)
    secrets = {"SECRET_KEY": "canary", "WANTED": "1"}
    with serve(tmp_path, "--env", "WANTED", environment=secrets) as server:
        environ = env(server)["environ"]
    assert "canary" not in json.dumps(environ)
    assert environ["WANTED"] == "1"


# --- answers -----------------------------------------------------------------------------------


def test_r40_head_has_no_body(server: Server) -> None:
    reply = ask(server, "/flood-stdout.py?1", "HEAD")
    assert (reply.status, reply.rest) == (200, b"")
    assert reply.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("status", ["204", "304"])
def test_statuses_without_a_body(server: Server, status: str) -> None:
    reply = ask(server, f"/status.sh?{status}")
    assert (reply.status, reply.rest) == (int(status), b"")


@pytest.mark.parametrize(
    ("query", "status", "reason"),
    [("404", 404, "Not Found"), ("299%20Odd%20words", 299, "Odd words"), ("ok", 500, None)],
)
def test_status(server: Server, query: str, status: int, reason: str | None) -> None:
    reply = ask(server, f"/status.sh?{query}")
    assert reply.status == status
    assert reply.reason == (reason or "Internal Server Error")


def test_r46_client_redirect(server: Server) -> None:
    reply = ask(server, "/client-redirect.sh")
    assert (reply.status, reply.headers["location"]) == (302, "http://example.org/x")


def test_r45_local_redirect_makes_a_new_get(server: Server) -> None:
    reply = ask(server, "/local.sh", "POST", "Content-Type: a/b", body=b"x" * MIB)
    found = json.loads(reply.body)
    assert found["body"] == ""
    environ = found["environ"]
    assert (environ["REQUEST_METHOD"], environ["PATH_INFO"]) == ("GET", "/from/local")
    assert environ["QUERY_STRING"] == "a=b"
    assert "CONTENT_LENGTH" not in environ


def test_r45_ten_local_redirects_and_no_more(server: Server) -> None:
    assert ask(server, "/count-down.sh?10").body == b"arrived\n"
    reply = ask(server, "/count-down.sh?11")
    assert reply.status == 500
    assert "More than 10 local redirects" in text(reply)
    assert ask(server, "/loop.sh").status == 500


@pytest.mark.parametrize("target", ["/%zz", "/../..", "/%00"])
def test_a_local_redirect_that_leads_nowhere_is_the_script_s_fault(
    tmp_path: Path, target: str
) -> None:
    """It was a 400, which no visitor can mend, and of which the log said nothing."""
    script = tmp_path / "redirect.sh"
    script.write_text(f"#!/bin/sh\nprintf 'Location: %s\\n\\n' {target}\n")
    script.chmod(0o755)
    with serve(tmp_path) as server:
        reply = ask(server, "/redirect.sh")
        assert reply.status == 500
        assert "is not a valid path" in text(reply)
        server.wait_for(rf"/redirect.sh: The Location .* is not a valid path\. .*\({target}: ")


def test_r16_a_local_redirect_that_does_not_end_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "redirect.sh"
    script.write_text(
        "#!/bin/sh\nprintf 'Location: /hello.sh\\n\\n'\necho pid $$ >&2\nexec sleep 1000\n"
    )
    script.chmod(0o755)
    shutil.copy(SCRIPTS / "hello.sh", tmp_path)
    with serve(tmp_path, "--timeout", str(BEGUN)) as server:
        assert ask(server, "/redirect.sh").body == b"shell GET \n"
        pid = int(server.wait_for(r"pid (\d+)")[1])
        assert until(lambda: not alive(pid))


def test_a_redirect_with_a_cookie_is_for_the_client(server: Server) -> None:
    reply = ask(server, "/redirect-cookie.sh")
    assert (reply.status, reply.headers["location"]) == (302, "/env.py")
    assert reply.headers["set-cookie"] == "a=b"


def test_r42_nph(server: Server) -> None:
    reply = ask(server, "/nph-hello.sh")
    assert (reply.status, reply.reason, reply.body) == (202, "Fine", b"raw\n")
    assert reply.headers["x-made-by"] == "nph"
    assert ask(server, "/nph-bad.sh").status == 500


def test_output_streams_line_by_line(server: Server, tmp_path: Path) -> None:
    """The second line is written only after the first one has been received."""
    go = tmp_path / "go"
    with connect(server) as connection:
        request = f"GET /progress.sh?{go} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        connection.sendall(request.encode())
        received = b""
        while b"first\n" not in received:
            received += connection.recv(1000)
        assert b"second" not in received
        go.touch()
        while data := connection.recv(1000):
            received += data
    assert Reply(received).body == b"first\nsecond\n"


def test_keep_alive_with_a_length(server: Server) -> None:
    """Two requests on one connection: what a page of ours is framed by is right."""
    once = b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /missing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connect(server) as connection:
        connection.sendall(once)
        received = b""
        while b"</html>" not in received:
            received += connection.recv(1 << 16)
        connection.sendall(last)
        received += b"".join(iter(lambda: connection.recv(1 << 16), b""))
    assert received.count(b"HTTP/1.1 404") == 2


def test_curl_uploads_and_downloads(server: Server, tmp_path: Path) -> None:
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(os.urandom(20 * MIB))
    url = f"{server.url}echo.py"
    upload = ["curl", "-sS", "--noproxy", "*", "-o", back, "--data-binary", f"@{sent}"]
    subprocess.run([*upload, url], check=True)
    assert back.read_bytes() == sent.read_bytes()
    chunked = ["-H", "Transfer-Encoding: chunked"]  # with Expect: 100-continue
    subprocess.run([*upload, *chunked, url], check=True)
    assert back.read_bytes() == sent.read_bytes()


# --- what goes wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/nothing.py", 404, "Nothing is served at /nothing.py"),
        ("/no-output-quiet.sh", 500, "printed nothing"),
        ("/no-output.sh", 500, "exited with status 3 .* reason on stderr"),
        ("/killed.sh", 500, "killed by signal 11 .SIGSEGV"),
        ("/no-blank-line.sh", 500, "no blank line after the headers.* line 2: &lt;p&gt;Hello"),
        ("/no-headers.sh", 500, "does not begin with headers.* line 1: Hello"),
        ("/cut-headers.sh", 500, "ends before the blank line"),
        ("/bad-header.sh", 500, "space before its colon"),
        ("/no-type.sh", 500, "neither Content-Type nor"),
        ("/missing-program.py", 500, "&#x27;pyton3&#x27; is not on the PATH"),
        ("/missing-interpreter.py", 500, "The interpreter #!/usr/bin/pyton3 does not exist"),
        ("/no-shebang", 500, "no #! line"),
        ("/a%2Fb", 404, "encoded slash"),
        ("/../x", 400, "more `..` segments than"),
        ("/%00", 400, "NUL"),
        ("/env.py/%z", 400, "not followed by two hexadecimal digits"),
    ],
)
def test_pages_say_what_to_fix(server: Server, path: str, status: int, words: str) -> None:
    reply = ask(server, path)
    assert reply.status == status
    assert re.search(words, text(reply), re.DOTALL), text(reply)
    assert reply.headers["x-content-type-options"] == "nosniff"  # S28
    assert b"<script>" not in reply.body  # S4


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A directory with files that no repository should hold."""
    (tmp_path / "off.py").write_text('#!/usr/bin/env python3\n"""Not yet."""\n')
    dos = tmp_path / "dos.py"
    dos.write_bytes(b"#!/usr/bin/env python3\r\nprint('Content-Type: a/b\\n')\r\n")
    dos.chmod(0o755)
    (tmp_path / "data.txt").write_text("private")
    (tmp_path / "<b>.py").write_text("#!/bin/sh\n# About <i>this</i>\n")
    (tmp_path / "sub").mkdir()
    shutil.copy(SCRIPTS / "hello.sh", tmp_path / "sub")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_files_that_cannot_run(odd: Path) -> None:
    with serve(odd) as server:
        reply = ask(server, "/off.py")
        assert (reply.status, f"chmod +x {odd}/off.py" in text(reply)) == (403, True)
        reply = ask(server, "/dos.py")
        assert reply.status == 500
        assert "Windows line ends" in text(reply)
        assert r"python3\r" in text(reply)
        reply = ask(server, "/data.txt")
        assert (reply.status, b"private" in reply.body) == (403, False)


def test_the_listing(odd: Path) -> None:
    with serve(odd) as server:
        reply = ask(server, "/")
        page = reply.body.decode()
        assert 'href="/sub/"' in page
        assert 'href="/%3Cb%3E.py"' in page
        assert "&lt;b&gt;.py" in page
        assert "About &lt;i&gt;this&lt;/i&gt;" in page
        assert "Not yet." in page
        assert f"chmod +x {odd}/off.py" in page
        assert "data.txt" not in page
        assert "empty" not in page
        assert "hello.sh" in ask(server, "/sub/").body.decode()
        assert ask(server, "/sub?x=1").headers["location"] == "/sub/?x=1"
        assert ask(server, "/sub/hello.sh/p").body == b"shell GET /p\n"
        assert ask(server, "/", "POST", body=b"x").status == 405
        assert ask(server, "/", "HEAD").rest == b""


def test_r43_a_script_without_headers_is_a_504(tmp_path: Path) -> None:
    for name in ("sleeps.sh", "stalls.sh", "ignores-term.sh"):
        shutil.copy(SCRIPTS / name, tmp_path)
    with serve(tmp_path, "--timeout", str(BEGUN)) as server:
        reply = ask(server, "/sleeps.sh")
        assert reply.status == 504
        assert f"within {BEGUN} seconds" in text(reply)
        reply = ask(server, "/stalls.sh")
        assert reply.status == 200
        # The answer had begun: it is cut, without the last chunk, so that nobody takes it for whole
        assert b"begun\n" in reply.rest
        assert not reply.rest.endswith(b"0\r\n\r\n")
        server.wait_for(
            rf"/stalls.sh: stalls.sh was stopped after {BEGUN} seconds \(idle time limit\)"
        )
        assert ask(server, "/ignores-term.sh").status == 504
        pids = [
            int(server.wait_for(rf"/{name}.sh: pid (\d+)")[1])
            for name in ("sleeps", "stalls", "ignores-term")
        ]
        assert [pid for pid in pids if not until(lambda pid=pid: not alive(pid))] == []
        assert not [line for line in server.lines if "Traceback" in line]


@pytest.mark.parametrize("script", ["sleeps.sh", "endless.py"])
def test_s23_a_client_that_leaves_ends_its_script(tmp_path: Path, script: str) -> None:
    shutil.copy(SCRIPTS / script, tmp_path)
    with serve(tmp_path) as server:
        with connect(server) as connection:
            connection.sendall(f"GET /{script} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            pid = int(server.wait_for(r"pid (\d+)")[1])
            assert alive(pid)
        assert until(lambda: not alive(pid))
        server.wait_for(rf"GET /{script} .*\(client disconnected\)")


def test_a_client_that_has_the_whole_answer_may_leave_and_the_script_goes_on(
    tmp_path: Path,
) -> None:
    """It was ended, and the request logged as one whose client left."""
    script = tmp_path / "after.sh"
    script.write_text(
        "#!/bin/sh\n"
        "printf 'Content-Type: text/plain\\nContent-Length: 3\\n\\nyes'\n"
        "while [ ! -e go ]; do sleep 0.05; done\n"
        "sleep 0.5  # longer than the host takes to look for the client\n"
        "echo done > result\n"
    )
    script.chmod(0o755)
    with serve(tmp_path) as server:
        with connect(server) as connection:
            connection.sendall(b"GET /after.sh HTTP/1.1\r\nHost: localhost\r\n\r\n")
            received = b""
            while not received.endswith(b"yes"):
                received += connection.recv(4096)
        (tmp_path / "go").touch()
        line = server.wait_for(r"GET /after.sh 200 .*")[0]
        assert "client disconnected" not in line
        assert (tmp_path / "result").read_text() == "done\n"


def test_s26_100_mib_of_stderr(server: Server) -> None:
    reply = ask(server, "/flood-stderr.py?100", "POST", body=b"x" * MIB)
    assert reply.body == f"{MIB}\n".encode()


def test_s14_memory_stays_flat_in_both_directions(tmp_path: Path) -> None:
    for name in ("count.py", "flood-stdout.py"):
        shutil.copy(SCRIPTS / name, tmp_path)
    with serve(tmp_path) as server:
        ask(server, "/count.py", "POST", body=b"warm")
        before = resident(server)
        with connect(server) as connection:
            request = "GET /flood-stdout.py?200 HTTP/1.1\r\nHost: localhost\r\n\r\n"
            connection.sendall(request.encode())
            received = connection.recv(1 << 16)
            size = len(received)
            while not received.endswith(b"0\r\n\r\n"):
                received = connection.recv(1 << 20)
                size += len(received)
        assert size > 200 * MIB
        with connect(server) as connection:
            size = 200 * MIB
            request = f"POST /count.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
            connection.sendall(request.encode() + b"Connection: close\r\n\r\n")
            for _ in range(200):
                connection.sendall(bytes(MIB))
            reply = Reply(b"".join(iter(lambda: connection.recv(1 << 16), b"")))
            assert reply.body == f"{size}\n".encode()
        assert peak(server) - before < 16 * MIB


def resident(server: Server) -> int:
    return memory(server, "VmRSS")


def peak(server: Server) -> int:
    return memory(server, "VmHWM")


def memory(server: Server, name: str) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024


def test_backpressure_a_script_waits_for_its_client(tmp_path: Path) -> None:
    shutil.copy(SCRIPTS / "endless.py", tmp_path)
    with serve(tmp_path) as server, connect(server) as connection:
        connection.sendall(b"GET /endless.py HTTP/1.1\r\nHost: localhost\r\n\r\n")
        pid = int(server.wait_for(r"pid (\d+)")[1])

        def written() -> int:
            counters = Path(f"/proc/{pid}/io").read_text()
            return int(re.search(r"wchar: (\d+)", counters)[1])

        def stands_still() -> bool:
            before = written()
            time.sleep(0.3)  # the condition itself: no progress during this time
            return before > MIB and written() == before

        assert until(stands_still)
        assert written() < 32 * MIB


def test_s22_the_log_cannot_be_forged(server: Server) -> None:
    assert ask(server, "/noisy.py").body == b"ok\n"
    server.wait_for(r"^/noisy.py: two \\x1b\[31mred\\x1b\[0m\\rGET /forged 200$")
    assert not any(line.startswith("GET /forged") for line in server.lines)


@pytest.mark.parametrize(
    ("request_", "status", "line"),
    [
        (b"POST /a HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, r"POST /a 400 .*not a number"),
        (
            b"POST /b HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % (1 << 31),
            413,
            r"POST /b 413 .*too large",
        ),
        (b"nonsense\x1b\r\n\r\n", 400, r"nonsense\\x1b 400 "),
        (b"GET /c HTTP/1.1\r\nX: ".ljust(65_536, b"x"), 431, r"\(a request\) 431 .*too large"),
    ],
    ids=["length", "too long a body", "no request", "too long a header"],
)
def test_what_waitress_refuses_is_logged_as_well(
    server: Server, request_: bytes, status: int, line: str
) -> None:
    with connect(server) as connection:
        connection.sendall(request_)
        assert Reply(connection.recv(65_536)).status == status
    assert server.wait_for(line)


@pytest.mark.parametrize(
    ("start", "why"),
    [
        (
            b"Content-Length: 100\r\n\r\n1234567",
            "the body ended after 7 bytes of the 100 announced",
        ),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "the body ended before its last chunk"),
    ],
    ids=["length", "chunked"],
)
def test_a_body_that_ends_early_is_said_to_the_client_and_to_the_log(
    server: Server, start: bytes, why: str
) -> None:
    """The connection was closed without a word, and the log had no line."""
    with connect(server) as connection:
        connection.sendall(b"POST /env.py?short HTTP/1.1\r\nHost: localhost\r\n" + start)
        connection.shutdown(socket.SHUT_WR)
        reply = Reply(b"".join(iter(lambda: connection.recv(65_536), b"")))
    assert (reply.status, reply.body) == (400, f"{why}\n".encode())
    assert server.wait_for(rf"POST /env.py\?short 400 \({why}\)")


def test_a_target_that_is_not_ascii_is_escaped(server: Server) -> None:
    reply = exchange(server, b"GET /env.py/\xc3\xa4?n=\xc3\xa4 HTTP/1.0\r\n\r\n")
    environ = json.loads(reply.body)["environ"]
    assert environ["PATH_INFO"] == "/\xe4"
    assert environ["QUERY_STRING"] == "n=%C3%A4"


def test_requests_are_logged(server: Server) -> None:
    ask(server, "/hello.sh/logged?x=1")
    server.wait_for(r"^GET /hello.sh/logged\?x=1 200 \d+ B \d+ ms$")
    ask(server, "/no-headers.sh/logged")
    server.wait_for("^/no-headers.sh: The output does not begin with headers.")
    ask(server, "/wrong-length.sh")
    server.wait_for("^/wrong-length.sh: .* declared Content-Length: 100, but sent 5 bytes")


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /env.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET /env.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1_0\r\n\r\n",
        b"GET /env.py HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST /env.py HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET /env.py HTTP/1.1\r\nConnection: close\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"GET /env.py?a\0b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"POST /env.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9999999999999\r\n\r\n",
        b"GET /env.py HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    ],
)
def test_r28_bad_requests_are_refused_and_the_server_goes_on(
    server: Server, request_bytes: bytes
) -> None:
    reply = exchange(server, request_bytes)
    assert reply.status in (400, 411, 413, 431, 501)
    assert ask(server, "/hello.sh").status == 200


def test_a_shortage_of_descriptors_is_a_503_and_the_server_goes_on(tmp_path: Path) -> None:
    """The limit is lowered in the running server: EMFILE is real."""
    shutil.copy(SCRIPTS / "hello.sh", tmp_path)
    with serve(tmp_path) as server:
        ask(server, "/hello.sh")
        pid = server.process.pid
        used = max(int(name) for name in os.listdir(f"/proc/{pid}/fd")) + 1
        subprocess.run(["prlimit", "--pid", str(pid), f"--nofile={used + 3}:4096"], check=True)
        reply = ask(server, "/hello.sh")
        assert (reply.status, reply.headers["retry-after"]) == (503, "5")
        subprocess.run(["prlimit", "--pid", str(pid), "--nofile=1024:4096"], check=True)
        assert ask(server, "/hello.sh").status == 200
