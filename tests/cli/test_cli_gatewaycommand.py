"""`cgikit fastcgi` and `cgikit scgi` as commands: what they refuse, and who may connect."""

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from gatewayserving import gateway
from nobody import as_nobody
from requirement import need_address


def refused(*words: str, code: int = 1) -> str:
    """What the command says when it refuses."""
    process = subprocess.run(
        [sys.executable, "-m", "cgikit", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert process.returncode == code, process
    assert process.stdout == ""
    return process.stderr


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_a_root_that_is_not_there_is_named(protocol: str, tmp_path: Path) -> None:
    root = str(tmp_path / "nowhere")
    assert refused(protocol, root) == f"cgikit {protocol}: {root} does not exist\n"


@pytest.mark.parametrize("protocol", ["fastcgi", "scgi"])
def test_a_root_that_this_user_cannot_enter_is_refused_as_by_serve(
    protocol: str, tmp_path: Path
) -> None:
    """It was "served": 403 to every request."""
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0)
    try:
        said = as_nobody(tmp_path, protocol, "locked", "--socket", "127.0.0.1:0")
    finally:
        locked.chmod(0o700)
    why = "locked cannot be entered by this user: chmod a+rx locked"
    assert said == (1, f"cgikit {protocol}: {why}\n")


def test_a_script_that_cannot_run_is_no_root(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("#!/bin/sh\n")
    assert "a.py is not executable" in refused("fastcgi", str(tmp_path / "a.py"))


def test_without_a_socket_there_is_nothing_to_listen_at(tmp_path: Path) -> None:
    assert "there is no socket: give --socket" in refused("fastcgi", str(tmp_path))


def test_s25_an_address_that_others_reach_is_asked_for_in_so_many_words(tmp_path: Path) -> None:
    assert "--public" in refused("fastcgi", str(tmp_path), "--socket", "0.0.0.0:0")


@pytest.mark.parametrize(
    "words",
    [
        ("--mode", "999"),
        ("--mode", "rw"),
        ("--prefix", "cgi-bin"),
        ("--workers", "0"),
        ("--workers", "1_0"),
        ("--timeout", "-1"),
        ("--memory", "1"),
        ("--children", "2000"),
        ("--env", "FOO=bar"),
        ("--env", ""),
        ("--pass", "GIT_*"),
        ("--pass", "LD_PRE*"),
    ],
)
def test_wrong_options_are_wrong_usage(words: tuple[str, str], tmp_path: Path) -> None:
    said = refused("fastcgi", str(tmp_path), "--socket", "x", *words, code=2)
    assert words[1] in said.splitlines()[-1]


@pytest.mark.parametrize(
    ("host", "peers", "answered"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "192.0.2.1,::1", False),
        ("::1", "192.0.2.1, ::1", True),
        ("::1", "[0:0:0:0:0:0:0:1]", True),
        ("::1", "127.0.0.1,2001:db8::1", False),
    ],
)
def test_fcgi_web_server_addrs_names_who_may_connect(
    tmp_path: Path, host: str, peers: str, answered: bool
) -> None:
    address = f"[{need_address(host)}]:0" if ":" in host else f"{need_address(host)}:0"
    (tmp_path / "a.sh").write_text(
        "#!/bin/sh\ntouch ran\nprintf 'Content-Type: text/plain\\n\\n'\n"
    )
    (tmp_path / "a.sh").chmod(0o755)
    options = ("--workers", "1", "--spawn")
    environment = {"FCGI_WEB_SERVER_ADDRS": peers}
    with (
        gateway("fastcgi", tmp_path, *options, address=address, environment=environment) as server,
        contextlib.suppress(OSError),
    ):  # a connection that is not wanted is closed
        server.request("/a.sh")
    assert (tmp_path / "ran").exists() is answered


def test_an_option_that_would_pass_nothing_says_what_would(tmp_path: Path) -> None:
    """--env FOO=bar and --pass 'GIT_*' were accepted, and no script got anything."""
    told = refused("fastcgi", str(tmp_path), "--socket", "x", "--env", "FOO=bar", code=2)
    assert "--env passes a variable of this environment; set it first: FOO=bar cgikit" in told
    told = refused("fastcgi", str(tmp_path), "--socket", "x", "--pass", "GIT_*", code=2)
    assert "'GIT_*' passes nothing" in told
    assert "name each of them whole" in told


def test_a_variable_that_is_not_set_is_named(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1", "--env", "NOSUCH") as server:
        server.wait_for("^cgikit fastcgi: NOSUCH is not set in this environment$")
