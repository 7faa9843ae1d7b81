"""Started by others: by lighttpd, which keeps its own processes; by spawn-fcgi, behind nginx."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

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


def free_port() -> int:
    with listen("127.0.0.1:0") as listener:
        return int(listener.getsockname()[1])


@contextmanager
def server(
    program: str, option: str, configuration: Path, text: str
) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run a web server, with `PORT` in its configuration replaced, until it is no longer needed.

    Gives the process and its port. Somebody else may take a free port before the server does.
    """
    for _ in range(3):
        port = free_port()
        configuration.write_text(text.replace("PORT", str(port)))
        command = [program, *option.split(), str(configuration)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert until(lambda port=port, it=process: it.poll() is not None or reaches(port))
            if process.poll() is None:
                yield process, port
                return
        finally:
            process.terminate()
            process.wait(DEADLINE)
    raise AssertionError(f"{program} does not start with:\n{configuration.read_text()}")


def reaches(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.connect()
    except OSError:
        return False
    finally:
        connection.close()
    return True


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
