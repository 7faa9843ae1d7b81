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
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from house import ROOT
from nobody import as_nobody
from requirement import need, need_address
from serving import Server, alive, serve, serve_here, until

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
        stops = "(Ctrl-C stops; /_cgikit/ shows the requests)"
        assert server.lines[0] == f"Serving {tmp_path} at {server.url} {stops}"
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
    why = "Address already in use; choose another --port"
    expected = f"cgikit serve: cannot listen on 127.0.0.1 port {port}: {why}\n"
    assert (status, out, err) == (1, "", expected)


def test_the_port_comes_from_the_environment() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, _, err = command("serve", str(SCRIPTS), environment={"PORT": port})
    assert (status, f"port {port}" in err) == (1, True)


def test_a_bad_port_of_the_environment_is_called_by_its_name() -> None:
    """It blamed --port, which nobody had given."""
    status, _, err = command("serve", str(SCRIPTS), environment={"PORT": "abc"})
    why = "'abc' is not a port from 0 to 65535; unset it, or give --port"
    assert (status, err) == (1, f"cgikit serve: the environment variable PORT: {why}\n")
    for environment, port in (({"PORT": "abc"}, "99999"), ({"PORT": ""}, "99999")):
        status, _, err = command("serve", str(SCRIPTS), "--port", port, environment=environment)
        assert status == 2
        assert "argument --port" in err


def test_what_is_closed_to_us_is_not_said_to_be_missing(tmp_path: Path) -> None:
    """A directory that we cannot read was served, empty; one in such a directory "does not exist"."""
    closed = tmp_path / "closed"
    (closed / "cgi-bin").mkdir(parents=True)
    closed.chmod(0)
    paths = ("closed", "closed/cgi-bin")
    try:
        said = tuple(as_nobody(tmp_path, "serve", path, "--port", "0") for path in paths)
    finally:
        closed.chmod(0o700)
    assert said == (
        (1, "cgikit serve: closed cannot be read by this user: chmod a+rx closed\n"),
        (1, "cgikit serve: closed/cgi-bin cannot be reached: Permission denied\n"),
    )


def test_a_missing_directory_is_one_line(tmp_path: Path) -> None:
    status, out, err = command("serve", str(tmp_path / "no"), "--port", "0")
    assert (status, out, err) == (1, "", f"cgikit serve: {tmp_path}/no does not exist\n")


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
    expected = "cgikit serve: waitress is not installed: pip install 'waitress>=3.0.1,<3.1'\n"
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
    assert command()[0] == 0  # help


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


# --- what it serves beside executable files ------------------------------------------------------

WAYS = [(), ("--warm",)]
ENVIRONMENT = "#!/usr/bin/env python3\nimport os\nprint('Content-Type: text/plain\\n')\n"


def program(path: Path, text: str, mode: int = 0o755) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def fetch(server: Server, path: str, **headers: str) -> str:
    with urlopen(Request(f"{server.url}{path}", headers=headers)) as answer:
        return str(answer.read().decode())


@pytest.mark.parametrize("way", WAYS)
def test_a_single_script_answers_everything(tmp_path: Path, way: tuple[str, ...]) -> None:
    shown = "print([os.environ[n] for n in ('SCRIPT_NAME', 'PATH_INFO', 'DOCUMENT_ROOT')])\n"
    script = program(tmp_path / "app.py", ENVIRONMENT + shown)
    with serve(script, *way) as server:
        assert server.lines[0].startswith(f"Serving {script}")
        assert fetch(server, "") == f"['', '/', '{tmp_path}']\n"
        assert fetch(server, "a%20b/c?d=e") == f"['', '/a b/c', '{tmp_path}']\n"


def test_a_single_file_that_cannot_run_is_one_line(tmp_path: Path) -> None:
    script = program(tmp_path / "app.py", "", 0o644)
    status, _, err = command("serve", str(script), "--port", "0")
    assert (status, err) == (1, f"cgikit serve: {script} is not executable: chmod +x {script}\n")


@pytest.mark.parametrize("way", WAYS)
def test_an_index_script(tmp_path: Path, way: tuple[str, ...]) -> None:
    program(tmp_path / "index.cgi", ENVIRONMENT + "print(os.environ['SCRIPT_NAME'])\n")
    with serve(tmp_path, "--index", "index.cgi", *way) as server:
        assert fetch(server, "") == "/index.cgi\n"


@pytest.mark.parametrize("way", WAYS)
def test_an_interpreter_by_extension_gets_no_option_from_a_query(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    """php-cgi took a query of `-s` for its option: CVE-2012-1823. R41."""
    need("php-cgi")
    program(
        tmp_path / "a.php",
        "<?php echo $_SERVER['SCRIPT_NAME'], ' ', $_SERVER['PATH_INFO'] ?: '-', ' ', "
        "$_GET['n'] ?? '-', ' ', file_get_contents('php://input');",
        0o644,
    )
    with serve(tmp_path, "--run", ".php=php-cgi", *way) as server:
        assert fetch(server, "a.php?n=5") == "/a.php - 5 "
        assert fetch(server, "a.php/b?n=5") == "/a.php /b 5 "
        with urlopen(f"{server.url}a.php", data=b"body=1") as answer:
            assert answer.read() == b"/a.php - - body=1"
        for query in ("-s", "%2ds", "-dallow_url_include%3d1+-s", "+-s"):
            assert fetch(server, f"a.php?{query}") == "/a.php - - "


def test_any_interpreter_gets_the_file_and_the_words(tmp_path: Path) -> None:
    program(tmp_path / "a.prog", "printf 'Content-Type: text/plain\\n\\n'; echo $0 $@\n", 0o644)
    with serve(tmp_path, "--run", ".prog=sh") as server:
        assert fetch(server, "a.prog?b+c") == f"{tmp_path}/a.prog b c\n"
        assert fetch(server, "a.prog?b+-c") == f"{tmp_path}/a.prog\n"


@pytest.mark.parametrize("way", WAYS)
def test_a_link_that_may_lead_out(tmp_path: Path, way: tuple[str, ...]) -> None:
    root = tmp_path / "root"
    root.mkdir()
    program(tmp_path / "tool.py", ENVIRONMENT + "print(os.environ['SCRIPT_NAME'])\n")
    for name in ("tool.py", "other.py"):
        (root / name).symlink_to(tmp_path / "tool.py")
    with serve(root, "--follow", "tool.py", *way) as server:
        assert fetch(server, "tool.py") == "/tool.py\n"
        with pytest.raises(HTTPError, match="404"):
            fetch(server, "other.py")


@pytest.mark.parametrize("way", WAYS)
def test_a_script_that_checks_passwords_itself(tmp_path: Path, way: tuple[str, ...]) -> None:
    shown = "print(os.environ.get('HTTP_AUTHORIZATION'))\n"
    program(tmp_path / "a.py", ENVIRONMENT + shown)
    with serve(tmp_path, "--pass", "HTTP_AUTHORIZATION", *way) as server:
        assert fetch(server, "a.py", Authorization="Basic eDp5") == "Basic eDp5\n"
    with serve(tmp_path, *way) as server:
        assert fetch(server, "a.py", Authorization="Basic eDp5") == "None\n"


@pytest.mark.parametrize(
    ("options", "status", "why"),
    [
        (["--env", "HTTP_AUTHORIZATION"], 2, "use --pass HTTP_AUTHORIZATION"),
        (["--pass", "HTTP_PROXY"], 2, "HTTP_PROXY"),
        (["--run", "php=php-cgi"], 2, ".php=php-cgi"),
        (["--run", ".php"], 2, ".php=php-cgi"),
        (["--run", ".php=no-such-program"], 2, "not a program on the PATH"),
        (["--index", "a/b"], 2, "'a/b'"),
        (["--index", ".a"], 2, "'.a'"),
        (["--follow", "nothing"], 1, "no such link"),
    ],
)
def test_wrong_rules(tmp_path: Path, options: list[str], status: int, why: str) -> None:
    done = command("serve", str(tmp_path), "--port", "0", *options)
    assert (done[0], why in done[2]) == (status, True), done
    assert "Traceback" not in done[2]


def test_rules_for_a_directory_are_refused_for_a_script(tmp_path: Path) -> None:
    script = program(tmp_path / "a.py", ENVIRONMENT)
    status, _, err = command("serve", str(script), "--static", "--port", "0")
    assert status == 1
    assert "is a single script" in err


@pytest.mark.parametrize("way", WAYS)
def test_a_script_without_its_x_bit_is_on_the_console_with_what_to_do(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    """Only the page said it."""
    program(tmp_path / "off.py", "", 0o644)
    with serve(tmp_path, *way) as server:
        with pytest.raises(HTTPError):
            fetch(server, "off.py")
        server.wait_for(r"^/off\.py: off\.py is not executable\. chmod \+x \S*off\.py$")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("a.py", "--static"),
            "is a single script; --index, --static and --follow need a directory",
        ),
        ((".", "--follow", "a.py"), "is not a symbolic link and needs no --follow"),
        ((".", "--allow-host", "http://x/"), "is not a host name such as my.example"),
        ((".", "--allow-host", "x:80"), "is not a host name such as my.example"),
        ((".", "--timeout", "0"), "is not a number of seconds, more than 0 and at most 86400"),
        ((".", "--env", "FOO=a b"), "set it first: FOO='a b' cgikit …, and give --env FOO"),
        ((".", "--env", "FOO-"), "is not the name of a variable"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused_with_words(
    tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    program(tmp_path / "a.py", "")
    status, out, err = command("serve", str(tmp_path / words[0]), "--port", "0", *words[1:])
    assert (status > 0, out) == (True, "")
    assert says in err


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with serve(tmp_path, "--env", "NOSUCH") as server:
        server.wait_for("^NOSUCH is not set in this environment$")


def test_make_demo_gives_port_as_the_variable_that_was_set() -> None:
    """PORT=abc was an error about --port, which nobody had given."""
    words = [need("make"), "-n", "demo", "PORT=abc"]
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL
    )
    assert 'PORT="abc"' in done.stdout
    assert "--port" not in done.stdout


def test_without_root_it_serves_cgi_bin_or_the_current_directory(tmp_path: Path) -> None:
    (tmp_path / "cgi-bin").mkdir()
    (tmp_path / "empty").mkdir()
    for place, served in ((tmp_path, "cgi-bin"), (tmp_path / "empty", str(tmp_path / "empty"))):
        with serve_here(place, "-p", "0") as server:
            assert server.lines[0].startswith(f"Serving {served} at {server.url} ")


@pytest.mark.parametrize("place", ["/", "home"])
def test_neither_the_root_nor_a_home_is_served_unless_it_is_named(
    tmp_path: Path, place: str
) -> None:
    """Any page in a browser could have run each executable file below."""
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", "serve", "-p", "0"],
        cwd=tmp_path if place == "home" else "/",
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "give the directory of the scripts: cgikit serve DIR" in done.stderr
    assert done.stderr.count("\n") == 1


FORGED = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


def test_a_page_of_another_site_makes_no_script_run(tmp_path: Path) -> None:
    """It cannot read the answer, but it could delete something, or fill a form in."""
    script = tmp_path / "do.sh"
    script.write_text("#!/bin/sh\ntouch done\nprintf 'Content-Type: text/plain\\n\\nok'\n")
    script.chmod(0o755)
    with serve(tmp_path) as server:
        for body in (None, b"all=1"):
            with pytest.raises(HTTPError) as caught:
                urlopen(Request(f"{server.url}do.sh", data=body, headers=FORGED))
            with caught.value as answer:
                assert answer.code == 403
                assert b"--allow-origin https://evil.example" in answer.read()
        server.wait_for("/do.sh: A page of another site made this request: https://evil.example")
    assert not (tmp_path / "done").exists()
    with (
        serve(tmp_path, "--allow-origin", "https://evil.example") as server,
        urlopen(Request(f"{server.url}do.sh", data=b"all=1", headers=FORGED)) as answer,
    ):
        assert answer.read() == b"ok"
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("origin", ["shop.example", "https://shop.example/", "http://a b", ""])
def test_an_origin_that_is_none(tmp_path: Path, origin: str) -> None:
    status, _, err = command("serve", str(tmp_path), "--allow-origin", origin)
    assert (status, f"{origin!r} is not an origin such as" in err) == (2, True)


@pytest.mark.parametrize("way", WAYS)
def test_the_network_panel_of_a_browser_shows_where_the_time_went(
    tmp_path: Path, way: tuple[str, ...]
) -> None:
    script = tmp_path / "a.py"
    script.write_text("#!/usr/bin/env python3\nprint('Content-Type: text/plain\\n\\na')\n")
    script.chmod(0o755)
    with serve(tmp_path, *way) as server:
        with urlopen(f"{server.url}a.py") as answer:
            steps = re.findall(r"(\w+)(?:;desc=\"[^\"]+\")?;dur=", answer.headers["Server-Timing"])
        assert steps == ["start", "script", "total"]
        with pytest.raises(HTTPError) as caught:
            urlopen(f"{server.url}nothing")
        with caught.value as answer:
            assert answer.headers["Server-Timing"].startswith("total;dur=")
