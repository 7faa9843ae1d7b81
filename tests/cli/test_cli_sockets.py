"""`cgikit fastcgi` and `cgikit scgi`: options, sockets, first line and last."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from gatewayserving import FIRST_LINE, HEAD, Gateway, gateway
from requirement import need_address
from serving import alive, until

HELLO = (
    FIRST_LINE
    + HEAD
    + "import os\nprint(os.environ['SCRIPT_NAME'], os.environ['PATH_INFO'], os.environ.get('SECRET'))"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    place = tmp_path / "root"
    place.mkdir()
    (place / "hello.py").write_text(HELLO)
    (place / "hello.py").chmod(0o755)
    return place


def run(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    """Run a command that is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "cgikit", *words],
        **{
            "stdin": subprocess.DEVNULL,
            "capture_output": True,
            "text": True,
            "timeout": 60,
            **options,
        },
    )  # type: ignore[call-overload,no-any-return]


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_a_directory_at_a_unix_socket(root: Path, protocol: str) -> None:
    with gateway(protocol, root, "--workers", "3", environment={"SECRET": "x"}) as server:
        title = {"fastcgi": "FastCGI", "scgi": "SCGI"}[protocol]
        assert server.lines[0] == (
            f"Serving {root} over {title} at {server.address} "
            "(3 workers; SIGHUP reloads, SIGTERM drains)"
        )
        assert stat.S_IMODE(os.stat(server.address).st_mode) == 0o600
        assert server.request("/hello.py", PATH_INFO="/x").text == "/hello.py /x None\n"
        address = server.address
    assert not os.path.exists(address)


def test_the_mode_of_the_socket(root: Path) -> None:
    with gateway("fastcgi", root, "--workers", "1", "--mode", "0660") as server:
        assert stat.S_IMODE(os.stat(server.address).st_mode) == 0o660


def test_a_socket_that_a_dead_one_left(root: Path, tmp_path: Path) -> None:
    with gateway("fastcgi", root, "--workers", "1") as server:
        address = server.address
        busy = run("fastcgi", str(root), "--socket", address)
        assert busy.returncode == 1
        assert "another process listens" in busy.stderr
        family = server.family()
        server.process.kill()
        server.process.wait()
        assert until(
            lambda: not any(alive(pid) for pid in family)
        )  # a worker listens until its end
        assert os.path.exists(address)
        with gateway("fastcgi", root, "--workers", "1", address=address) as again:
            assert again.request("/hello.py").text


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_tcp_on_loopback(root: Path, protocol: str, host: str) -> None:
    host = f"[{need_address(host)}]" if ":" in host else need_address(host)
    with gateway(protocol, root, "--workers", "1", address=f"{host}:0") as server:
        assert server.address.startswith(f"{host}:")
        assert server.request("/hello.py").text == "/hello.py  None\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])
def test_beyond_this_machine_only_when_asked(root: Path, host: str) -> None:
    refused = run("fastcgi", str(root), "--socket", f"{host}:0")
    assert refused.returncode == 1
    assert "--public" in refused.stderr


def test_a_prefix(root: Path) -> None:
    with gateway("fastcgi", root, "--workers", "1", "--prefix", "/app/") as server:
        assert server.request("/app/hello.py", PATH_INFO="/a b").text == "/app/hello.py /a b None\n"
        # A web server that knows no script sends all of it as one
        assert server.request("", PATH_INFO="/app/hello.py/x").text == "/app/hello.py /x None\n"
        assert server.request("/hello.py").status == 404
        assert server.request("/apple/hello.py").status == 404
        assert server.request("/app").status == 404


def test_a_single_script(root: Path) -> None:
    with gateway("fastcgi", root / "hello.py", "--workers", "1") as server:
        assert server.request("/any/name", PATH_INFO="/x").text == "/any/name /x None\n"
        assert server.request("", PATH_INFO="/x/y").text == " /x/y None\n"
    with gateway("fastcgi", root / "hello.py", "--workers", "1", "--prefix", "/app") as server:
        assert server.request("/app", PATH_INFO="/x").text == "/app /x None\n"
        assert server.request("/app/x/y").text == "/app /x/y None\n"


def test_a_single_script_at_the_root_of_the_url_has_all_of_the_path(root: Path) -> None:
    """nginx and Apache call all of it SCRIPT_NAME, lighttpd PATH_INFO: scripts saw the difference."""
    with gateway("fastcgi", root / "hello.py", "--workers", "1", "--prefix", "/") as server:
        assert server.request("/a/b").text == " /a/b None\n"
        assert server.request("", PATH_INFO="/a/b").text == " /a/b None\n"
        assert server.request("/a", PATH_INFO="/b").text == " /a/b None\n"
        assert server.request("/").text == " / None\n"


def test_a_variable_that_is_named(root: Path) -> None:
    with gateway(
        "fastcgi", root, "--workers", "1", "--env", "SECRET", environment={"SECRET": "named"}
    ) as server:
        assert server.request("/hello.py").text == "/hello.py  named\n"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("/no/such/root", "--socket", "/tmp/x"), "does not exist"),
        ((".",), "there is no socket: give --socket"),
        ((".", "--socket", "/no/such/place/x"), "cannot listen"),
        ((".", "--socket", "x", "--mode", "0999"), "not a file mode"),
        ((".", "--socket", "x", "--prefix", "app"), "does not begin with a slash"),
        ((".", "--socket", "x", "--children", "0"), "not a number from 1"),
        ((".", "--socket", "x", "--workers", "-1"), "not a number|expected one argument"),
        ((".", "--socket", "x", "--timeout", "1_0"), "not a number"),
    ],
)
def test_what_cannot_be(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    import re

    done = run("fastcgi", *words, cwd=tmp_path)
    assert done.returncode in (1, 2)
    assert re.search(says, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert os.listdir(tmp_path) == []


# --- a socket that is handed over --------------------------------------------------------------------


def handed_over(
    root: Path, listener: socket.socket, descriptor: int, **environment: str
) -> Gateway:
    """Start a gateway as systemd, a web server or spawn-fcgi does: with the socket as a descriptor."""
    code = (
        "import os, sys\n"
        f"os.dup2({listener.fileno()}, {descriptor})\n"
        "if 'LISTEN_FDS' in os.environ: os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'cgikit', *sys.argv[1:]])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "fastcgi", str(root), "--workers", "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[listener.fileno(), descriptor],
        env={**os.environ, **environment},
    )
    return Gateway(process, "fastcgi", root)


@pytest.mark.parametrize(("descriptor", "environment"), [(0, {}), (3, {"LISTEN_FDS": "1"})])
def test_a_socket_that_is_handed_over(
    root: Path, tmp_path: Path, descriptor: int, environment: dict[str, str]
) -> None:
    address = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(address)
        listener.listen()
        server = handed_over(root, listener, descriptor, **environment)
        try:
            assert server.address == address
            assert server.request("/hello.py").text == "/hello.py  None\n"
            assert server.stop() == 0
        finally:
            server.stop(signal.SIGKILL)
            server.process.stdout.close()  # type: ignore[union-attr]
    assert os.path.exists(address)  # it is not ours to remove


# --- its end -------------------------------------------------------------------------------------


def test_a_log_that_nobody_reads_any_more(root: Path) -> None:
    read, write = os.pipe()
    with gateway("fastcgi", root, "--workers", "1", stderr=write) as server:
        os.close(write)
        os.close(read)
        server.script("fails.py", "raise ValueError")
        for _ in range(3):
            assert server.request("/fails.py").status == 500
        assert server.request("/hello.py").text
        assert server.stop() == 0


def test_nothing_is_said_of_a_good_life(root: Path) -> None:
    with gateway("fastcgi", root, "--workers", "2") as server:
        for _ in range(20):
            assert server.request("/hello.py").text
        assert until(lambda: not server.scripts())
        assert server.stop() == 0
    assert len(server.lines) == 1, server.lines
