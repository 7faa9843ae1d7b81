"""Behind web servers: started by them or by others, and what each of them does with bodies and ends."""

import contextlib
import hashlib
import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fronts import FRONTS, behind, server
from persisting import application
from requirement import need
from serving import DEADLINE, alive, until

from cgikit.gateway.listener import listen

SCRIPT = f"""#!{sys.executable}
import os, sys
from cgikit import run
def page(request):
    print("a line for the log", file=sys.stderr)
    return f"{{os.getpid()}} {{request.method}} {{request.query.get('a')}} {{len(request.body)}}"
run(page)
"""


def script(directory: Path) -> Path:
    path = directory / "page.py"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def ask(port: int, body: bytes | None = None) -> list[str]:
    """The words of the page, for a GET, or for a POST with a body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        connection.request("POST" if body is not None else "GET", "/page?a=b", body)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text.split()
    finally:
        connection.close()


def test_lighttpd_starts_it_and_ends_it(tmp_path: Path) -> None:
    configuration = f"""
server.port = PORT
server.bind = "127.0.0.1"
server.document-root = "{tmp_path}"
server.errorlog = "{tmp_path}/error.log"
server.modules = ( "mod_fastcgi" )
fastcgi.server = ( "/page" => ((
    "bin-path" => "{script(tmp_path)}",
    "socket" => "{tmp_path}/s",
    "max-procs" => 2,
    "check-local" => "disable"
)) )
"""
    started = server(need("lighttpd"), "-D -f", tmp_path / "lighttpd.conf", configuration)
    with started as (lighttpd, port):
        pid, *rest = ask(port)
        assert rest == ["GET", "b", "0"]
        assert ask(port, b"x" * 200_000)[1:] == ["POST", "b", "200000"]
        # A process that is killed is started again by lighttpd, not by us.
        os.kill(int(pid), signal.SIGKILL)
        assert until(lambda: not alive(int(pid)))
        others = {int(ask(port)[0]) for _ in range(4)}
        assert int(pid) not in others
        lighttpd.send_signal(signal.SIGTERM)
        assert until(lambda: not any(alive(pid) for pid in others))
    assert "a line for the log" in (tmp_path / "error.log").read_text()


def test_nginx_keeps_connections_to_what_spawn_fcgi_has_started(tmp_path: Path) -> None:
    spawned = subprocess.run(
        [
            need("spawn-fcgi"),
            "-s",
            str(tmp_path / "s"),
            "-P",
            str(tmp_path / "pid"),
            "--",
            str(script(tmp_path)),
        ],
        env={**os.environ, "CGIKIT_WORKERS": "2"},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert spawned.returncode == 0
    parent = int((tmp_path / "pid").read_text())
    # As root nginx would give its workers to somebody who cannot read here.
    user = "user root;" if os.geteuid() == 0 else ""
    configuration = f"""
{user}
daemon off;
pid {tmp_path}/nginx.pid;
error_log {tmp_path}/error.log;
events {{}}
http {{
    access_log off;
    client_body_temp_path {tmp_path}/body;
    proxy_temp_path {tmp_path}/proxy;
    fastcgi_temp_path {tmp_path}/fastcgi;
    uwsgi_temp_path {tmp_path}/uwsgi;
    scgi_temp_path {tmp_path}/scgi;
    upstream page {{
        server unix:{tmp_path}/s;
        keepalive 4;
    }}
    server {{
        listen 127.0.0.1:PORT;
        location /page {{
            include /etc/nginx/fastcgi_params;
            fastcgi_keep_conn on;
            fastcgi_pass page;
        }}
    }}
}}
"""
    try:
        with server(need("nginx"), "-c", tmp_path / "nginx.conf", configuration) as (_, port):
            for _ in range(10):
                workers = {ask(port)[0]}
                assert ask(port, b"x" * 200_000)[1:] == ["POST", "b", "200000"]
            # A worker that ends closes what nginx holds open; nginx and the next worker get over it.
            for pid in workers:
                os.kill(int(pid), signal.SIGTERM)
                assert until(lambda pid=pid: not alive(int(pid)))
            for _ in range(10):
                assert ask(port)[1:] == ["GET", "b", "0"]
                assert ask(port, b"x")[1:] == ["POST", "b", "1"]
    finally:
        os.kill(parent, signal.SIGTERM)
        assert until(lambda: not alive(parent))
    assert "a line for the log" in (tmp_path / "error.log").read_text()


def test_httpd_keeps_connections_to_workers_that_are_replaced(tmp_path: Path) -> None:
    """It sends the next request at once, and answers 503 where the connection is closed just then."""
    modules = "/usr/lib/apache2/modules"
    names = ("mpm_event", "authz_core", "proxy", "proxy_fcgi")
    load = "\n".join(f"LoadModule {name}_module {modules}/mod_{name}.so" for name in names)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    configuration = f"""
{load}
{user}
ServerName localhost
Listen 127.0.0.1:PORT
PidFile {tmp_path}/httpd.pid
ErrorLog {tmp_path}/error.log
DefaultRuntimeDir {tmp_path}
ProxyPass "/page" "fcgi://127.0.0.1:APP/page" enablereuse=on
"""
    with listen("127.0.0.1:0") as listener:
        application = subprocess.Popen(
            [script(tmp_path)],
            stdin=listener,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "CGIKIT_WORKERS": "2", "CGIKIT_REQUESTS": "10"},
        )
        configuration = configuration.replace("APP", str(listener.getsockname()[1]))
        try:
            started = server(need("apache2"), "-DFOREGROUND -f", tmp_path / "conf", configuration)
            with started as (_, port), ThreadPoolExecutor(8) as clients:
                workers = {words[0] for words in clients.map(ask, [port] * 600)}
            assert len(workers) > 10
        finally:
            application.terminate()
            application.wait(DEADLINE)


#: Handlers that leave the body, read it late, or answer in other ways that servers treat differently.
BODIES = """
import hashlib, os
def digest(request):
    seen = hashlib.sha256()
    while data := request.stream.read(50_000):
        seen.update(data)
    return f"{request.environ.get('CONTENT_LENGTH')} {seen.hexdigest()}"
def late(request):
    yield "begun "
    yield digest(request)
def shrinking(request):
    open("shrinking", "wb").write(b"x" * 300_000)
    response = Response.file("shrinking")
    os.truncate("shrinking", 100_000)
    return response
def broken():
    yield "x" * 100_000
    raise RuntimeError("the rest is missing")
PAGES = {
    "short": lambda request: Response(iter(["x" * 1_000]), headers={"Content-Length": "10000"}),
    "shrinking": shrinking,
    "broken": lambda request: Response.stream(broken()),
    "fine": lambda request: "fine",
    "ignore": lambda request: "x" * 300_000,
    "stream": lambda request: Response.stream("x" * 1_000 for _ in range(300)),
    "file": lambda request: Response.file("large"),
    "late": lambda request: Response.stream(late(request)),
    "digest": digest,
    "local": lambda request: Response.local_redirect("/elsewhere?a=b"),
}
run(lambda request: PAGES[request.query["page"]](request), limits=Limits(body=10_000_000))
"""


def exchange(
    port: int, page: str, body: bytes | None = None, chunked: bool = False
) -> tuple[int, dict[str, str], bytes]:
    """One request on a connection of its own: status, fields, body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    try:
        pieces = [body[at : at + 50_000] for at in range(0, len(body), 50_000)] if body else []
        connection.request(
            "GET" if body is None else "POST",
            f"/page?page={page}",
            iter(pieces) if chunked else body,
            encode_chunked=chunked,
            headers={"Transfer-Encoding": "chunked"} if chunked else {},
        )
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


@pytest.fixture(params=sorted(FRONTS))
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """Each web server before one process: its name and its port."""
    (tmp_path / "large").write_bytes(b"x" * 300_000)
    (tmp_path / "site").mkdir()
    running = application(tmp_path, BODIES, address="127.0.0.1:0")
    with running as app, behind(request.param, tmp_path, app) as port:
        yield request.param, port


@pytest.mark.parametrize("page", ["ignore", "stream", "file"])
def test_a_body_that_nobody_reads_costs_the_next_request_nothing(
    front: tuple[str, int], page: str
) -> None:
    """nginx gave 502 to the next visitor on a kept connection, whose handler was never called."""
    _, port = front
    for _ in range(10):
        status, _, content = exchange(port, page, b"y" * 200_000)
        assert (status, content) == (200, b"x" * 300_000)
        status, _, content = exchange(port, "stream")
        assert (status, content) == (200, b"x" * 300_000)


@pytest.mark.parametrize("size", [10_000, 300_000, 5_000_000])
def test_a_body_that_is_read_after_the_answer_has_begun_is_whole(
    front: tuple[str, int], size: int
) -> None:
    """nginx sends no more of it once it has seen a header, and the client got 200 and nothing."""
    _, port = front
    body = os.urandom(size)
    status, _, content = exchange(port, "late", body)
    expected = f"begun {size} {hashlib.sha256(body).hexdigest()}"
    assert (status, content.decode()) == (200, expected)


@pytest.mark.parametrize("size", [5, 100_000, 5_000_000])
def test_a_chunked_body_arrives_with_its_length(front: tuple[str, int], size: int) -> None:
    """httpd above 16 KB and Caddy always send no CONTENT_LENGTH; the end of STDIN tells."""
    _, port = front
    body = os.urandom(size)
    status, _, content = exchange(port, "digest", body, chunked=True)
    assert (status, content.decode()) == (200, f"{size} {hashlib.sha256(body).hexdigest()}")


def test_a_chunked_body_over_the_limit_is_refused(front: tuple[str, int]) -> None:
    _, port = front
    assert exchange(port, "digest", b"x" * 11_000_000, chunked=True)[0] == 413


@pytest.mark.parametrize(("body", "status"), [(None, 302), (b"x=1", 303)])
def test_a_local_redirect_goes_to_the_client(
    front: tuple[str, int], body: bytes | None, status: int
) -> None:
    """httpd and Caddy answer 200 with an empty page to a location without a status."""
    _, port = front
    got, fields, _ = exchange(port, "local", body)
    assert got == status
    assert fields["Location"].endswith("/elsewhere?a=b")


#: They take the end of the connection for that of the answer, unless a length was announced.
ENDS_QUIETLY = {("lighttpd", "broken"), ("caddy", "broken")}


@pytest.mark.parametrize(
    ("page", "length"), [("short", 10_000), ("shrinking", 300_000), ("broken", None)]
)
def test_a_part_of_an_answer_passes_for_no_whole(
    front: tuple[str, int], page: str, length: int | None
) -> None:
    """Two requests on one connection: the second answer came inside of the first one's body."""
    name, port = front
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
    with contextlib.closing(connection):
        connection.connect()
        for path in (page, "fine"):
            head = f"GET /page?page={path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
            connection.sock.sendall(head.encode())
        answer = http.client.HTTPResponse(connection.sock)
        with contextlib.closing(answer):
            answer.begin()
            if answer.status >= 500:
                return  # the server had sent nothing yet
            if (name, page) in ENDS_QUIETLY:
                assert answer.read() == b"x" * 100_000
                return
            if answer.getheader("Transfer-Encoding") != "chunked":
                assert answer.getheader("Content-Length") == str(length)
            with pytest.raises((http.client.IncompleteRead, ConnectionError)) as caught:
                answer.read()
    if isinstance(caught.value, http.client.IncompleteRead):
        assert caught.value.partial.strip(b"x") == b""


def test_the_next_visitor_gets_an_answer_after_one_that_broke_off(front: tuple[str, int]) -> None:
    _, port = front
    for page in ("short", "shrinking", "broken"):
        with contextlib.suppress(http.client.HTTPException, ConnectionError):
            exchange(port, page)
        status, _, content = exchange(port, "fine")
        assert (status, content) == (200, b"fine")
