"""Commands with closed or full standard streams, and with encodings that have few characters."""

import contextlib
import io
import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import until

from cgikit.cli.streams import can_write

SCRIPT = "#!/bin/sh\necho Content-Type: text/plain\necho\necho $QUERY_STRING\n"
COMMANDS = {
    "trace": "trace --no-compare a.sh",
    "check": "check --no-run a.sh",
    "config": "config --list",
    "sessions": "sessions count .",
    "new": "new made",
    "help": "--help",
    "bare": "",
    "version": "--version",
}
CLOSED = "standard output is closed; give it a file or /dev/null"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "a.sh").write_text(SCRIPT)
    (tmp_path / "a.sh").chmod(0o755)
    return tmp_path


def shell(place: Path, words: str, **variables: str) -> "subprocess.CompletedProcess[bytes]":
    """Run `cgikit` with words that a shell reads, buffered as in a user's shell."""
    environment = {n: text for n, text in os.environ.items() if n != "PYTHONUNBUFFERED"}
    line = f"{shlex.quote(sys.executable)} -m cgikit {words}"
    return subprocess.run(
        ["/bin/sh", "-c", line],
        cwd=place,
        env={**environment, **variables},
        capture_output=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_standard_output(place: Path, name: str) -> None:
    """Python has None for it: each command ended with a traceback."""
    done = shell(place, f"{COMMANDS[name]} >&-")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    if name == "sessions":
        assert b" is not a store: " in done.stderr
    else:
        assert CLOSED in done.stderr.decode()


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_standard_output(place: Path, name: str) -> None:
    done = shell(place, f"{COMMANDS[name]} >/dev/full")
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    if name != "sessions":  # it has nothing to print: there is no store
        assert b": No space left on device\n" in done.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("where", ["2>&-", "<&-", "2>/dev/full"])
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_other_streams_change_neither_output_nor_exit_status(
    tmp_path_factory: pytest.TempPathFactory, name: str, where: str
) -> None:
    """Python ended with 120 where standard error was full. What `print(file=None)` is given goes to
    standard output.
    """
    done = []
    for words in (COMMANDS[name], f"{COMMANDS[name]} {where}"):
        place = tmp_path_factory.mktemp("place")
        (place / "a.sh").write_text(SCRIPT)
        (place / "a.sh").chmod(0o755)
        done.append(shell(place, words))
    assert done[1].returncode == done[0].returncode
    if name != "trace":  # whose numbers are never the same
        assert done[1].stdout == done[0].stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_nothing_but_closed_streams(place: Path, name: str) -> None:
    done = shell(place, f"{COMMANDS[name]} <&- >&- 2>&-")
    assert done.returncode == 1
    assert (done.stdout, done.stderr) == (b"", b"")


def test_a_file_does_not_take_the_place_of_a_closed_stream(place: Path) -> None:
    """The next file that is opened got descriptor 1, and what was printed went into it."""
    done = shell(place, "trace --no-compare --svg a.svg a.sh name=Ada >&-")
    assert CLOSED in done.stderr.decode()
    assert (place / "a.svg").read_text().startswith("<svg ")
    assert (place / "a.svg").read_text().endswith("</svg>\n")


@pytest.fixture
def pipe() -> Iterator[int]:
    """A pipe whose reader has ended."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "sessions"])
def test_a_reader_that_has_ended(place: Path, pipe: int, name: str) -> None:
    environment = {n: text for n, text in os.environ.items() if n != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", *COMMANDS[name].split()],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=pipe,
        stderr=subprocess.PIPE,
        timeout=60,
    )
    assert done.returncode == 1
    for words in (b"Traceback", b"Exception ignored", b"Broken pipe"):
        assert words not in done.stderr


@pytest.mark.parametrize(
    ("variables", "block"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, "#"),
        ({"PYTHONIOENCODING": "cp437"}, "█"),
        ({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, "#"),
        ({"LC_ALL": "C"}, "█"),  # Python makes it UTF-8
    ],
)
def test_bars_in_an_encoding(place: Path, variables: dict[str, str], block: str) -> None:
    environment = {"PYTHONIOENCODING": "", "PYTHONUTF8": "", "PYTHONCOERCECLOCALE": "", **variables}
    environment = {name: text for name, text in environment.items() if text}
    user = "" if os.geteuid() else "--user root "  # without it, root is told whom it runs as
    done = shell(place, f"trace --no-compare {user}a.sh", **environment, COLUMNS="20")
    assert (done.returncode, done.stderr) == (0, b"")
    encoding = variables.get("PYTHONIOENCODING", "utf-8")
    bars = [line for line in done.stdout.decode(encoding).splitlines() if line.endswith(block)]
    assert {line.split()[0] for line in bars} >= {"exec", "program"}


def test_a_name_that_an_encoding_does_not_have(place: Path) -> None:
    (place / "a.sh").rename(place / "€.sh")
    done = shell(place, "trace --no-compare €.sh", PYTHONIOENCODING="latin-1")
    assert done.returncode == 0
    assert done.stdout.startswith(b"\\u20ac.sh: exit status 0, ")


def test_a_server_goes_on_without_its_console(place: Path) -> None:
    """It ended at once, with a traceback."""
    words = [sys.executable, "-m", "cgikit", "serve", "-p", "0", "."]
    closed = ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>log', "sh", *words]
    with subprocess.Popen(closed, cwd=place) as process:
        try:
            assert until(lambda: _answers(process.pid) or process.poll() is not None)
            assert process.poll() is None, (place / "log").read_text()
        finally:
            process.terminate()
            process.wait(60)
    assert process.returncode == 0
    assert "Traceback" not in (place / "log").read_text()


def _answers(pid: int) -> bool:
    """Whether a process answers at the socket on which it listens (Linux). One that only listens may
    not yet handle signals.
    """
    own = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            own.add(os.readlink(each))
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ports = [w[1] for w in lines if w[3] == "0A" and f"socket:[{w[9]}]" in own]
    for port in ports:
        with socket.create_connection(("127.0.0.1", int(port.partition(":")[2], 16))) as asking:
            asking.sendall(b"GET / HTTP/1.0\r\n\r\n")
            return asking.recv(4) == b"HTTP"
    return False


@pytest.mark.parametrize(
    ("encoding", "text", "expected"),
    [("ascii", "a", True), ("latin-1", "ü", True), ("latin-1", "█", False), ("utf-8", "█", True)],
)
def test_which_characters_a_stream_has(encoding: str, text: str, expected: bool) -> None:
    assert can_write(text, io.TextIOWrapper(io.BytesIO(), encoding)) is expected
