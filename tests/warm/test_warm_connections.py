"""Connections of a worker: slow peers, those that must give way, and answers that are cut."""

import os
import re
import resource
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.request import urlopen

import pytest
from faults.test_faults_disks import disk, fill
from gatewayserving import HEAD, Gateway, Peer, gateway
from requirement import need
from serving import DEADLINE, until
from stock import stock_nginx

from cgikit.gateway.listener import send_at_once
from cgikit.warm.connections import MAX_CONNECTIONS

MUCH = 8_000_000  # bytes; far more than a socket and a pipe take
READERS = 20  # that are slow; more than there are places


@pytest.fixture(scope="module", params=["fastcgi", "scgi"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gateway]:
    """A gateway for each protocol, with one worker that is not replaced."""
    root = tmp_path_factory.mktemp("served")
    with gateway(request.param, root, "--workers", "1", "--spawn") as server:
        yield server
        assert not [line for line in server.lines if "Traceback" in line]
        assert until(lambda: not server.scripts())


# --- bodies that a script does not read yet (2.1) -----------------------------------------------


@pytest.mark.parametrize("size", [300_000, 5_000_000, 30_000_000])
def test_the_header_of_an_answer_waits_for_the_end_of_the_body(served: Gateway, size: int) -> None:
    """nginx sends no more of a body once it has forwarded a header: the script got a tenth."""
    path = served.script(
        "early.py",
        f"{HEAD}import os, sys\nopen('begun', 'w').close()\nprint(len(sys.stdin.buffer.read()))",
    )
    (served.root / "begun").unlink(missing_ok=True)
    data = served.encode(path, bytes(size))
    with served.connect() as peer:
        peer.socket.sendall(data[:-100])
        assert until((served.root / "begun").exists)
        peer.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            peer.socket.recv(1)
        peer.socket.settimeout(60)
        peer.socket.sendall(data[-100:])
        assert peer.answer().text == f"{size}\n"


def test_a_body_that_nobody_reads_is_taken_to_its_end(served: Gateway) -> None:
    """Nothing of it is read, and the script waits for its end: both would wait for ever."""
    path = served.script(
        "late.py",
        f"{HEAD}import os, sys, time\n"
        "while not os.path.exists('all-sent'): time.sleep(0.01)\n"
        "print(len(sys.stdin.buffer.read()))",
    )
    (served.root / "all-sent").unlink(missing_ok=True)
    with served.connect() as peer:
        peer.socket.sendall(served.encode(path, bytes(MUCH)))
        served.put("all-sent", b"")
        assert peer.answer().text == f"{MUCH}\n"


def test_an_announced_answer_does_not_end_before_the_body(served: Gateway) -> None:
    """The peer would close the connection, and the script lose the rest of its input."""
    path = served.script(
        "counts.py",
        "import os, sys\nos.write(1, b'Content-Type: text/plain\\nContent-Length: 3\\n\\nok\\n')\n"
        "size = len(sys.stdin.buffer.read())\nopen('counted', 'w').write(str(size))",
    )
    (served.root / "counted").unlink(missing_ok=True)
    assert served.request(path, bytes(MUCH)).text == "ok\n"
    assert until(lambda: (served.root / "counted").exists())
    assert until(lambda: (served.root / "counted").read_text() == str(MUCH))


def test_a_page_replaces_an_answer_that_was_held(served: Gateway) -> None:
    path = served.script("fails.py", f"{HEAD}import os, sys\nos.kill(os.getpid(), 9)")
    data = served.encode(path, bytes(300_000))
    with served.connect() as peer:
        peer.socket.sendall(data[:-100])
        answer = peer.answer()
        assert answer.status == 500, (answer, served.lines)


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("size", [0, 10, 3_000_000])
def test_a_body_of_unknown_length_is_gathered(warm: Gateway, method: str, size: int) -> None:
    path = warm.script(
        "length.py",
        f"{HEAD}import os, sys\nprint(os.environ.get('CONTENT_LENGTH'), len(sys.stdin.buffer.read()))",
    )
    for announced in ("", "-1"):
        variables = {
            "CONTENT_LENGTH": announced,
            "HTTP_TRANSFER_ENCODING": "chunked",
            "REQUEST_METHOD": method,
        }
        answer = warm.request(path, bytes(size), **variables)
        assert answer.text == f"{size or None} {size}\n"


def test_a_get_does_not_wait_for_the_end_of_its_body(warm: Gateway) -> None:
    path = warm.script("quick.py", f"{HEAD}print('quick')")
    with warm.connect() as peer:
        whole = warm.encode(path, REQUEST_METHOD="GET")
        peer.socket.sendall(whole[:-8])  # without the empty record
        assert peer.answer().text == "quick\n"


def test_a_body_over_the_limit_is_refused(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1", "--body", "1") as server:
        path = server.script("ran.py", f"{HEAD}open('ran', 'w').close()")
        size = (1 << 20) + 1
        assert server.request(path, b"x", CONTENT_LENGTH=str(size)).status == 413
        assert server.request(path, bytes(size), CONTENT_LENGTH="").status == 413
        assert not (tmp_path / "ran").exists()
        server.wait_for("--body")
        assert server.request(path, bytes(size - 1)).status == 200


def test_a_body_that_the_disk_does_not_take_is_refused(tmp_path: Path) -> None:
    with disk(tmp_path, "size=256k") as place:
        fill(place)
        root = tmp_path / "root"
        root.mkdir()
        with gateway(
            "fastcgi", root, "--workers", "1", environment={"TMPDIR": str(place)}
        ) as server:
            path = server.script("ran.py", f"{HEAD}open('ran', 'w').close()")
            assert server.request(path, bytes(MUCH), CONTENT_LENGTH="").status == 507
            assert not (root / "ran").exists()
            server.wait_for("No space left")
            assert server.request(path, bytes(100_000)).status == 200


# --- answers whose peer is slow (1.13) ----------------------------------------------------------


def test_a_script_does_not_wait_for_a_slow_client(served: Gateway) -> None:
    """600 slow readers of 8 MiB held all 256 children."""
    path = served.script(
        "large.py",
        f"{HEAD}import os\nfor number in range(1_000): os.write(1, b'%07d\\n' % number * 1_000)\n"
        "open('through', 'w').close()",
    )
    (served.root / "through").unlink(missing_ok=True)
    with served.connect() as peer:
        peer.send(served.variables(path))
        assert until((served.root / "through").exists)
        assert until(lambda: not served.scripts())
        expected = b"".join(b"%07d\n" % number * 1_000 for number in range(1_000))
        assert peer.answer().body == expected


def test_more_slow_readers_than_places_behind_nginx_hold_up_nobody(tmp_path: Path) -> None:
    """Through the printed configuration, which has nginx keep nothing."""
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "nginx").mkdir()
    command = [sys.executable, "-m", "cgikit", "config", "nginx", str(root)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    more = "".join(re.findall(r"^ *fastcgi_buffer.*\n", printed, re.M))
    assert "fastcgi_buffering off;" in more
    options = ("--workers", "1", "--children", "8")
    with gateway("fastcgi", root, *options) as server, ExitStack() as stack:
        large = server.script("large.py", f"{HEAD}import os\nos.write(1, b'x' * {MUCH})")
        quick = server.script("quick.py", f"{HEAD}print('quick')")
        port = stack.enter_context(stock_nginx(tmp_path / "nginx", server, more))
        readers = []
        for _ in range(READERS):
            reader = stack.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            reader.settimeout(DEADLINE)
            reader.connect(("127.0.0.1", port))
            reader.sendall(f"GET {large} HTTP/1.0\r\n\r\n".encode())
            assert reader.recv(15) == b"HTTP/1.1 200 OK"  # and no more is read
            readers.append(reader)
        assert until(lambda: not server.scripts())
        with urlopen(f"http://127.0.0.1:{port}{quick}", timeout=DEADLINE) as answer:
            assert answer.read() == b"quick\n"
        whole = b""
        while piece := readers[0].recv(1 << 20):
            whole += piece
        assert whole.endswith(b"\r\n\r\n" + b"x" * MUCH)


def test_beyond_its_limit_an_answer_waits_for_the_client(tmp_path: Path) -> None:
    with gateway("fastcgi", tmp_path, "--workers", "1", "--spool", "1") as server:
        path = server.script(
            "large.py",
            f"{HEAD}import os\nos.write(1, b'x' * {MUCH})\nopen('through', 'w').close()",
        )
        with server.connect() as peer:
            peer.send(server.variables(path))
            assert until(server.scripts)
            assert peer.receive()
            for _ in range(10):
                assert server.request(server.script("quick.py", HEAD)).text == ""
            assert server.scripts()
            assert not (tmp_path / "through").exists()
            while not (tmp_path / "through").exists():
                assert peer.receive()


def test_an_answer_that_the_disk_does_not_take_waits_for_the_client(tmp_path: Path) -> None:
    with disk(tmp_path, "size=256k") as place:
        fill(place)
        root = tmp_path / "root"
        root.mkdir()
        with gateway(
            "fastcgi", root, "--workers", "1", environment={"TMPDIR": str(place)}
        ) as server:
            source = f"{HEAD}import os\nos.write(1, b'x' * {MUCH})"
            path = server.script("large.py", source)
            with server.connect() as peer:
                peer.send(server.variables(path))
                assert until(server.scripts)
                for _ in range(3):
                    assert server.request(server.script("quick.py", HEAD)).text == ""
                assert len(peer.answer().body) == MUCH


# --- places (1.13) ------------------------------------------------------------------------------


def beginnings(server: Gateway, path: str) -> list[bytes]:
    """What a slow peer has sent of a request: a byte, its variables in part, a part of its body."""
    whole = server.encode(path, bytes(100_000))
    return [whole[:1], whole[:40], whole[:2_000]]


def test_a_new_request_has_a_place_among_slow_ones(served: Gateway) -> None:
    """1,024 connections that had begun a request and never ended it blocked all others."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, before[1]), before[1]))
    path = served.script("quick.py", f"{HEAD}print('quick')")
    parts = beginnings(served, path)
    peers: list[Peer] = []
    try:
        for number in range(MAX_CONNECTIONS + 50):
            peers.append(served.connect())
            peers[-1].socket.sendall(parts[number % 3])
        for _ in range(20):
            assert served.request(path).text == "quick\n"
    finally:
        for peer in peers:
            peer.socket.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert served.request(path).text == "quick\n"


def test_slow_connections_leave_descriptors_for_scripts(tmp_path: Path) -> None:
    """With the usual limit of 1,024 there were none left before all places were taken."""
    limited = (need("prlimit"), "--nofile=90", "--")
    with gateway("fastcgi", tmp_path, "--workers", "1", "--spawn", before=limited) as server:
        path = server.script("quick.py", f"{HEAD}print('quick')")
        peers = [server.connect() for _ in range(120)]
        for peer in peers:
            peer.socket.sendall(server.encode(path)[:40])
        for _ in range(20):
            assert server.request(path).text == "quick\n"
        for peer in peers:
            peer.socket.close()


# --- a part is not the whole (1.11) -------------------------------------------------------------

SHORT = (
    "import os\nos.write(1, b'Content-Type: text/plain\\nContent-Length: {}\\n\\n' + b'x' * {})\n"
)


@pytest.mark.parametrize(
    "end", ["", "raise SystemExit(1)", "os.kill(os.getpid(), 9)", "os.close(1)"]
)
def test_less_than_announced_is_an_error(served: Gateway, end: str) -> None:
    """Apache ended it as complete; lighttpd put the next answer, anybody's, into the first."""
    assert served.run(SHORT.format(5_000, 1_000) + end).status == 500


@pytest.mark.parametrize("end", ["", "raise SystemExit(1)", "os.kill(os.getpid(), 9)"])
def test_less_than_announced_is_cut_where_a_part_is_out(served: Gateway, end: str) -> None:
    answer = served.run(SHORT.format(2_000_000, 1_000_000) + end)
    assert answer.body.rstrip(b"\0") in b"x" * 1_000_000
    assert not (served.protocol == "fastcgi" and answer.ended is not None)
    assert len(answer.body) < 2_000_000
    served.wait_for("announced 2000000 bytes and sent 1000000|killed by signal 9")


def test_what_is_beyond_the_announced_length_is_not_sent(served: Gateway) -> None:
    assert served.run(SHORT.format(10, 5_000)).text == "x" * 10
    source = SHORT.format(200_000, 150_000) + "os.write(1, b'y' * 150_000)"
    assert served.run(source).text == "x" * 150_000 + "y" * 50_000


@pytest.mark.parametrize(
    ("method", "status"), [("HEAD", "200 OK"), ("GET", "304 Not Modified"), ("GET", "204 None")]
)
def test_an_answer_without_a_body_may_announce_one(
    served: Gateway, method: str, status: str
) -> None:
    source = (
        f"import os\nos.write(1, b'Status: {status}\\nContent-Type: a/b\\nContent-Length: 9\\n\\n')"
    )
    answer = served.run(source, REQUEST_METHOD=method)
    assert (answer.status, answer.body, answer.ended) == (int(status[:3]), b"", 0)


def test_a_cut_is_seen_as_an_error_over_fastcgi(warm: Gateway) -> None:
    """nginx takes the end of a connection for the end of the answer, so what comes before is wrong."""
    path = warm.script(
        "killed.py", f"{HEAD}import os, time\ntime.sleep(0.1)\nos.kill(os.getpid(), 9)"
    )
    with warm.connect() as peer:
        peer.send(warm.variables(path))
        raw = b"".join(iter(peer.receive, b""))
    assert raw.endswith(bytes(8))


def test_a_cut_is_a_reset_over_scgi(tmp_path: Path) -> None:
    with gateway("scgi", tmp_path, "--workers", "1", address="127.0.0.1:0") as server:
        path = server.script(
            "killed.py", f"{HEAD}import os, time\ntime.sleep(0.1)\nos.kill(os.getpid(), 9)"
        )
        with server.connect() as peer:
            peer.send(server.variables(path))
            with pytest.raises(ConnectionResetError):
                list(iter(lambda: peer.socket.recv(65_536), b""))


# --- sockets ------------------------------------------------------------------------------------


def test_a_tcp_connection_sends_at_once() -> None:
    """The second piece of an answer came 40 ms after the first."""
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as peer,
        listener.accept()[0] as accepted,
    ):
        send_at_once(accepted)
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert accepted.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        send_at_once(accepted)  # whose peer has gone


def test_a_unix_connection_needs_nothing() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        send_at_once(ours)
        assert os.fstat(ours.fileno())
