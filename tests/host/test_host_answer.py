"""A part never passes for the whole: an answer that is not complete ends with its connection.

Two requests are sent at once on a connection that stays open, as a reusing proxy does: what comes back
must never hold the second answer inside the first one's body. By `cgikit serve` and, forked, by
`cgikit serve --warm`.
"""

import io
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
from serving import DEADLINE, Server, serve

from cgikit.host.spawn import Spawn
from cgikit.host.wsgi import Host

#: What is printed before the end, and the end.
LENGTH = "Content-Length: 5000\\n"
ENDS = {
    "exits": "sys.exit(0)",
    "fails": "sys.exit(1)",
    "raises": "raise RuntimeError('in the middle')",
    "killed": "os.kill(os.getpid(), 9)",
    "segv": "os.kill(os.getpid(), 11)",
}
SCRIPT = """#!/usr/bin/env python3
import os, sys
sys.stdout.write("Content-Type: text/plain\\n{fields}\\n" + "x" * {size})
sys.stdout.flush()
{end}
"""
NEXT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\nContent-Length: 6\\n\\nSECRET'\n"


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("scripts")

    def write(name: str, source: str) -> None:
        (root / name).write_text(source)
        (root / name).chmod(0o755)

    write("next.sh", NEXT)
    for name, end in ENDS.items():
        write(f"{name}.py", SCRIPT.format(fields=LENGTH, size=1000, end=end))
        write(f"{name}-empty.py", SCRIPT.format(fields=LENGTH, size=0, end=end))
        write(f"{name}-whole.py", SCRIPT.format(fields=LENGTH, size=5000, end=end))
        write(f"{name}-more.py", SCRIPT.format(fields=LENGTH, size=9000, end=end))
        write(f"{name}-unannounced.py", SCRIPT.format(fields="", size=1000, end=end))
        write(f"{name}-none.py", SCRIPT.format(fields="Status: 204 None\\n", size=0, end=end))
    return root


@pytest.fixture(scope="module", params=["spawn", "warm"])
def server(request: pytest.FixtureRequest, scripts: Path) -> Iterator[Server]:
    with serve(scripts, *(["--warm"] if request.param == "warm" else [])) as server:
        yield server


def talk(port: int, first: str, version: str = "1.1", method: str = "GET") -> tuple[bytes, bool]:
    """Send two requests at once; what came back until the end, and whether that was a reset."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
        client.sendall(
            f"{method} {first} HTTP/{version}\r\nHost: localhost\r\n\r\n"
            "GET /next.sh HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
        )
        received = b""
        try:
            while data := client.recv(65_536):
                received += data
        except ConnectionResetError:
            return received, True
        return received, False


@pytest.mark.parametrize("end", ENDS)
def test_less_than_announced_is_cut(server: Server, end: str) -> None:
    seen = len(server.lines)
    received, _ = talk(server.port, f"/{end}.py")
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"Content-Length: 5000" in head
    assert body == b"x" * 1000
    server.wait_for(rf"^/{end}.py: {end}.py .*5000.*1000 bytes. The connection was cut", seen)


@pytest.mark.parametrize("end", ENDS)
def test_nothing_of_what_was_announced_is_a_page(server: Server, end: str) -> None:
    """While nothing is out, the visitor gets an answer, and the connection is as good as before."""
    received, _ = talk(server.port, f"/{end}-empty.py")
    first, _, rest = received.partition(b"</html>\n")
    assert first.startswith(b"HTTP/1.1 500 ")
    assert b"declared Content-Length: 5000, but sent 0 bytes" in first
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b"\r\n\r\nSECRET")


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("size", ["whole", "more"])
def test_what_was_announced_is_sent_and_not_a_byte_more(
    server: Server, end: str, size: str
) -> None:
    received, _ = talk(server.port, f"/{end}-{size}.py")
    _, _, rest = received.partition(b"\r\n\r\n")
    assert rest[:5000] == b"x" * 5000
    assert rest[5000:].startswith(b"HTTP/1.1 200 ")
    assert rest.endswith(b"\r\n\r\nSECRET")


@pytest.mark.parametrize("end", ENDS)
def test_a_signal_in_mid_answer_leaves_no_last_chunk(server: Server, end: str) -> None:
    received, _ = talk(server.port, f"/{end}-unannounced.py")
    _, _, body = received.partition(b"\r\n\r\n")
    assert b"SECRET" not in body
    whole = end in {"exits", "fails", "raises"}  # as every server has it: a status is no signal
    assert body.endswith(b"\r\n0\r\n\r\n") == whole


@pytest.mark.parametrize("end", ENDS)
def test_where_the_end_of_the_connection_is_that_of_the_body_it_is_reset(
    server: Server, end: str
) -> None:
    """nginx asks by HTTP/1.0 unless it is told otherwise, and would keep the part in its cache."""
    received, reset = talk(server.port, f"/{end}-unannounced.py", "1.0")
    body = received.partition(b"\r\n\r\n")[2]
    assert body.partition(b"\n")[0] == b"x" * 1000  # then what is for the script's owner
    assert reset == (end in {"killed", "segv"})


@pytest.mark.parametrize("end", ENDS)
def test_an_answer_without_a_body_is_whole(server: Server, end: str) -> None:
    received, _ = talk(server.port, f"/{end}.py", method="HEAD")
    first, _, rest = received.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 ")
    assert rest.startswith(b"HTTP/1.1 200 ")
    received, reset = talk(server.port, f"/{end}-none.py")
    assert received.startswith(b"HTTP/1.1 204 None\r\n")
    assert received.endswith(b"\r\n\r\n")
    assert not reset


@pytest.mark.parametrize("name", ["fails", "killed"])
def test_how_a_script_ended_is_logged_once(server: Server, name: str) -> None:
    seen = len(server.lines)
    talk(server.port, f"/{name}-whole.py")
    server.wait_for(rf"^GET /{name}-whole.py 200 5000 B", seen)
    server.wait_for("^GET /next.sh", seen)
    lines = [line for line in server.lines[seen:] if f"{name}-whole" in line]  # others come late
    ends = [line for line in lines if "exited with" in line or "was killed" in line]
    assert len(ends) == 1


#: A script that fails behind its header: its other fields, the beginning of the body, how it ends, and
#: what stands behind that beginning for its owner.
FAILING = {
    "html": ("text/html", "<table><tr><td>begun", "raise RuntimeError('1 < 2')", b"1 &lt; 2"),
    "nothing yet": ("text/html; charset=utf-8", "", "raise RuntimeError('1 < 2')", b"1 &lt; 2"),
    "text": ("text/plain", "begun", "raise RuntimeError('1 < 2')", b"RuntimeError: 1 < 2\n"),
    "a status": ("text/plain", "begun", "sys.exit(3)", b"exited with status 3.\n"),
    "killed": ("text/html", "begun", "os.kill(os.getpid(), 9)", b"was killed by signal 9."),
    "no failure": ("text/html", "begun", "sys.stderr.write('a warning')", b""),
    "an image": ("image/png", "begun", "sys.exit(3)", b""),
    "xhtml": ("application/xhtml+xml", "<html>", "sys.exit(3)", b""),
    "encoded": ("text/html\\nContent-Encoding: gzip", "begun", "sys.exit(3)", b""),
    "announced": ("text/html\\nContent-Length: 5", "begun", "sys.exit(3)", b""),
    "no body": ("text/html\\nStatus: 204 No Content", "", "sys.exit(3)", b""),
}


def crash(root: Path, way: str) -> str:
    """Put a script into a directory that fails behind its header; its name."""
    kind, begun, end, _ = FAILING[way]
    script = root / f"crash-{way.replace(' ', '-')}.py"
    script.write_text(
        "#!/usr/bin/env python3\nimport os, sys\n"
        f"sys.stdout.write('Content-Type: {kind}\\n\\n{begun}')\nsys.stdout.flush()\n{end}\n"
    )
    script.chmod(0o755)
    return script.name


@pytest.mark.parametrize("way", FAILING)
def test_a_crash_behind_the_header_is_told_behind_what_came_of_the_answer(
    server: Server, scripts: Path, way: str
) -> None:
    """It was silent: a page that ended somewhere, or a white one."""
    name, begun, told = crash(scripts, way), FAILING[way][1].encode(), FAILING[way][3]
    received, _ = talk(server.port, f"/{name}", "1.0")
    status, _, body = received.partition(b"\r\n\r\n")
    assert status.partition(b" ")[2][:3] == (b"204" if way == "no body" else b"200")
    assert body[: len(begun)] == begun
    rest = body[len(begun) :]
    assert told in rest
    assert bool(rest) == bool(told)
    assert rest.isascii()
    if rest:
        assert (b'<section role="alert"' in rest) == FAILING[way][0].startswith("text/html")
        assert name.encode() in rest


def test_a_crash_is_told_to_nobody_but_the_script_s_owner(scripts: Path) -> None:
    """Neither to who asks for the header alone, nor where others can ask (`--host`)."""
    name = crash(scripts, "html")
    for details, method in ((False, "GET"), (True, "HEAD")):
        host = Host(
            str(scripts),
            Spawn(),
            environment={"PATH": "/usr/bin:/bin"},
            log=[].append,
            details=details,
        )
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": f"/{name}",
            "HTTP_HOST": "localhost",
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(),
        }
        fields: dict[str, str] = {}
        answer = host(environ, lambda _, found, *error, to=fields: to.update(found))
        assert ("Server-Timing" in fields) == details
        assert b"".join(answer) == (b"<table><tr><td>begun" if method == "GET" else b"")
        answer.close()


def test_behind_another_server_a_part_is_cut_as_well(scripts: Path) -> None:
    """The standard library's: what the application gives is all it knows."""
    lines: list[str] = []
    host = Host(str(scripts), Spawn(), environment={"PATH": "/usr/bin:/bin"}, log=lines.append)

    class Quiet(WSGIRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def get_stderr(self) -> object:  # type: ignore[override]
            return io.StringIO()  # the traceback of what cut the answer

    with make_server("127.0.0.1", 0, host, handler_class=Quiet) as server:
        for name, size in (("more", 5000), ("killed", 1000)):
            script = "exits-more.py" if name == "more" else "killed.py"
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            address = ("127.0.0.1", server.server_port)
            with socket.create_connection(address, timeout=60) as client:
                client.sendall(f"GET /{script} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                received = b""
                with suppress(ConnectionResetError):
                    while data := client.recv(65_536):
                        received += data
            thread.join(DEADLINE)
            assert received.partition(b"\r\n\r\n")[2] == b"x" * size
