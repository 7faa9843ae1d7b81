"""The command `cgikit serve`: its start, its errors in one line, its clean end (S23)."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from requirement import need_address
from serving import Server, alive, serve, until

import cgikit

SCRIPTS = Path(__file__).parents[1] / "scripts"


def command(*arguments: str, environment: dict[str, str] | None = None) -> tuple[int, str, str]:
    """Run `cgikit` to its end; the status, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, **(environment or {})},
    )
    return done.returncode, done.stdout, done.stderr


def get(server: Server, path: str) -> None:
    """Start a request and leave it open; daemonic, since its answer never comes."""

    def request() -> None:
        with (
            contextlib.suppress(ConnectionResetError),  # how a server may end
            socket.create_connection(("127.0.0.1", server.port)) as connection,
        ):
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            while connection.recv(1000):
                pass

    threading.Thread(target=request, daemon=True).start()


def test_it_says_where_it_serves(tmp_path: Path) -> None:
    with serve(tmp_path) as server:
        assert server.lines[0] == f"Serving {tmp_path} at {server.url} (Ctrl-C stops)"
        with urlopen(server.url) as answer:
            assert b"No scripts here yet" in answer.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_s23_the_end_leaves_no_child_and_no_noise(tmp_path: Path, number: int) -> None:
    for name in ("sleeps.sh", "stalls.sh", "endless.py", "grandchild.sh"):
        shutil.copy(SCRIPTS / name, tmp_path)
    with serve(tmp_path) as server:
        pids = []
        for name in ("sleeps.sh", "stalls.sh", "endless.py"):
            get(server, f"/{name}")
            pids.append(int(server.wait_for(rf"/{name}: pid (\d+)")[1]))
        assert all(alive(pid) for pid in pids)
        seen = len(server.lines)
        assert server.stop(number) == 0
        assert [pid for pid in pids if not until(lambda pid=pid: not alive(pid))] == []
        noise = [line for line in server.lines[seen:] if not re.match(r"GET /\S+ \d+ ", line)]
        assert noise == []


def test_s23_a_script_that_ignores_term_is_killed_at_the_end(tmp_path: Path) -> None:
    shutil.copy(SCRIPTS / "ignores-term.sh", tmp_path)
    with serve(tmp_path) as server:
        get(server, "/ignores-term.sh")
        pid = int(server.wait_for(r"pid (\d+)")[1])
        assert server.stop(signal.SIGINT) == 0
        assert until(lambda: not alive(pid))


def test_s18_the_end_does_not_wait_for_a_client_that_reads_nothing(tmp_path: Path) -> None:
    shutil.copy(SCRIPTS / "endless.py", tmp_path)
    with serve(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /endless.py HTTP/1.0\r\n\r\n")
        pid = int(server.wait_for(r"pid (\d+)")[1])
        assert client.recv(1)
        assert server.stop(signal.SIGTERM) == 0
        assert until(lambda: not alive(pid))


def test_s23_the_end_does_not_wait_for_a_console_that_nobody_reads(tmp_path: Path) -> None:
    """Its threads hang in writing what the script wrote to stderr; the script ends all the same."""
    (tmp_path / "pid").touch()
    script = tmp_path / "flood.sh"
    # PIPE is ignored, so that the end of the server alone does not end the script
    script.write_text("#!/bin/sh\ntrap '' PIPE\necho $$ >pid\nwhile :; do echo flood >&2; done\n")
    script.chmod(0o755)
    pid = 0
    arguments = [sys.executable, "-m", "cgikit", "serve", str(tmp_path), "--port", "0"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            port = int(process.stdout.readline().decode().split("/ ")[0].rpartition(":")[2])
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"GET /flood.sh HTTP/1.0\r\n\r\n")
                assert until(lambda: (tmp_path / "pid").read_text().endswith("\n"))
                pid = int((tmp_path / "pid").read_text())
                assert until(lambda: waits(pid))
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
                survived = alive(pid)
            assert not survived
            assert process.stderr.read() == b""
        finally:
            process.kill()
            if pid and alive(pid):
                os.kill(pid, signal.SIGKILL)


def waits(pid: int) -> bool:
    """Whether a process waits for the reader of its pipe, and its reader for another."""
    counter = Path(f"/proc/{pid}/io")
    before = counter.read_text()
    time.sleep(0.3)  # the condition itself: nothing is written during this time
    return "wchar: 0\n" not in before and counter.read_text() == before


def test_a_taken_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, out, err = command("serve", str(SCRIPTS), "--port", str(port))
    expected = f"cgikit serve: cannot listen on 127.0.0.1 port {port}: Address already in use\n"
    assert (status, out, err) == (1, "", expected)


def test_the_port_comes_from_the_environment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, _, err = command("serve", str(SCRIPTS), environment={"PORT": port})
    assert (status, f"port {port}" in err) == (1, True)


def test_a_missing_directory_is_one_line(tmp_path: Path) -> None:
    status, out, err = command("serve", str(tmp_path / "no"), "--port", "0")
    assert (status, out, err) == (1, "", f"cgikit serve: {tmp_path}/no is not a directory\n")


def test_an_address_that_is_not_ours_is_one_line() -> None:
    status, _, err = command("serve", str(SCRIPTS), "--host", "192.0.2.1", "--port", "0")
    assert status == 1
    assert err.startswith("cgikit serve: cannot listen on 192.0.2.1 port 0: ")
    assert err.count("\n") == 1


def test_missing_waitress_is_one_line_that_names_the_extra() -> None:
    """Without site-packages (-S) nothing but the standard library and cgikit can be imported."""
    done = subprocess.run(
        [sys.executable, "-S", "-m", "cgikit", "serve", str(SCRIPTS), "--port", "0"],
        env={**os.environ, "PYTHONPATH": str(Path(cgikit.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=30,
    )
    expected = "cgikit serve: waitress is not installed: pip install 'cgikit[serve]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", expected)


@pytest.mark.parametrize(
    "options",
    [
        ["--port", "x"],
        ["--port", "65536"],
        ["--port", "-1"],
        ["--timeout", "0"],
        ["--timeout", "nan"],
    ],
)
def test_wrong_options(options: list[str]) -> None:
    status, _, err = command("serve", str(SCRIPTS), *options)
    assert status == 2
    assert options[1] in err


def test_a_name_that_is_none_is_one_line() -> None:
    status, _, err = command("serve", str(SCRIPTS), "--host", "a..b", "--port", "0")
    assert (status, err.count("\n")) == (1, 1)


def test_a_console_that_knows_only_ascii(tmp_path: Path) -> None:
    script = tmp_path / "a.sh"
    script.write_text("#!/bin/sh\necho grüße >&2\nprintf 'Content-Type: text/plain\\n\\nok'\n")
    script.chmod(0o755)
    with serve(tmp_path, environment={"PYTHONIOENCODING": "ascii"}) as server:
        with urlopen(f"{server.url}a.sh") as answer:
            assert answer.read() == b"ok"
        server.wait_for(r"^/a.sh: gr\\xfc\\xdfe$")


def test_help_and_version() -> None:
    assert "serve" in command("--help")[1]
    assert "--timeout" in command("serve", "--help")[1]
    assert command("--version")[1].startswith("cgikit ")
    assert command()[0] == 2


def test_scripts_find_the_interpreter_that_serves(tmp_path: Path) -> None:
    script = tmp_path / "which.sh"
    script.write_text("#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\ncommand -v python3\n")
    script.chmod(0o755)
    with serve(tmp_path) as server, urlopen(f"{server.url}which.sh") as answer:
        found = Path(answer.read().decode().strip())
    assert found.parent == Path(sys.executable).parent


def test_s20_more_host_names_on_request(tmp_path: Path) -> None:
    with (
        serve(tmp_path, "--allow-host", "Dev.Example") as server,
        socket.create_connection(("127.0.0.1", server.port)) as client,
    ):
        client.sendall(b"GET / HTTP/1.0\r\nHost: dev.example:80\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.0 200")


@pytest.mark.parametrize("options", [("--host", "::1"), ("--host", "[::1]", "--warm")])
def test_ipv6(options: tuple[str, ...]) -> None:
    need_address("::1")
    with serve(SCRIPTS, *options) as server:
        assert server.url == f"http://[::1]:{server.port}/"
        with urlopen(f"{server.url}env.py") as answer:
            assert b'"SERVER_NAME": "[::1]"' in answer.read()
