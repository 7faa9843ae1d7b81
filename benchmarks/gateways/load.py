"""Load over HTTP: wrk, and the answer looked at before and counted after.

wrk, because it takes the least of the two cores that the servers need too (ab takes five times as
much for the same rate), and reports percentiles of every request. It is a closed loop: each of its
connections sends the next request when it has the answer to the last.
"""

import json
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

from gateways.contenders import Contender

# bytes: compared with requests times the length of one right answer, so that an answer that is
# empty, or is a page about an error, does not count as one.
REPORT = """\
done = function(summary, latency, requests)
    local failed = summary.errors
    io.write(string.format(
        '\\n{"requests": %d, "seconds": %f, "bytes": %d, "p50": %f, "p99": %f, "failed": %d}\\n',
        summary.requests, summary.duration / 1e6, summary.bytes,
        latency:percentile(50) / 1e6, latency:percentile(99) / 1e6,
        failed.connect + failed.read + failed.write + failed.status + failed.timeout))
end
"""


SLACK = 24  # bytes by which answers may differ: less than the content has


class Wrong(Exception):
    """An answer is not the one right answer, or is missing."""


@dataclass(frozen=True)
class Load:
    """One run of wrk. Latencies in seconds."""

    requests: int
    seconds: float
    bytes: int
    p50: float
    p99: float
    failed: int

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


def request_bytes(port: int, target: str) -> bytes:
    """Return a GET exactly as wrk sends it."""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()


def ask(port: int, target: str) -> bytes:
    """Ask once, and return the whole answer as it came, framing included."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(request_bytes(port, target))
        answer = b""
        while not _complete(answer):
            piece = connection.recv(65536)
            if not piece:
                break
            answer += piece
    return answer


def _fields(head: bytes) -> dict[bytes, bytes]:
    lines = head.lower().split(b"\r\n")[1:]
    return {name: value.strip() for name, _, value in (line.partition(b":") for line in lines)}


def _complete(answer: bytes) -> bool:
    head, blank, body = answer.partition(b"\r\n\r\n")
    fields = _fields(head)
    if not blank:
        return False
    if b"content-length" in fields:
        return len(body) >= int(fields[b"content-length"])
    return body.endswith(b"0\r\n\r\n") if b"transfer-encoding" in fields else False


def body_of(answer: bytes) -> bytes:
    """Return an answer's content, without transfer coding; b"" unless it is a 200 with HTML."""
    head, _, body = answer.partition(b"\r\n\r\n")
    fields = _fields(head)
    if not head.startswith(b"HTTP/1.1 200 ") or b"html" not in fields.get(b"content-type", b""):
        return b""
    if fields.get(b"transfer-encoding") != b"chunked":
        return body
    content = b""
    while body:
        size, _, rest = body.partition(b"\r\n")
        length = int(size, 16)
        content, body = content + rest[:length], rest[length + 2 :] if length else b""
    return content


def wrk(who: Contender, query: str, seconds: float, connections: int, home: Path) -> Load:
    """Load one contender for a time."""
    script = home / "report.lua"
    if not script.exists():
        script.write_text(REPORT)
    target = f"{who.path}?{query}"
    command = ["wrk", "--threads", "1", "--connections", str(connections), "--latency"]
    command += ["--timeout", "20s", "--duration", f"{max(1, round(seconds))}s"]
    command += ["--script", str(script), f"http://127.0.0.1:{who.port}{target}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout.strip().rpartition("\n")[2]))


def checked(
    who: Contender, query: str, expected: str, seconds: float, connections: int, home: Path
) -> Load:
    """Check one answer, load, and check that all were of its length. Raises Wrong.

    Requests that failed are counted in what is returned: whoever shows the rate shows them too.
    """
    answer = ask(who.port, f"{who.path}?{query}")
    if expected and body_of(answer).strip() != expected.encode():
        raise Wrong(f"{who.name}: expected {expected!r}, got {answer!r:.2000}")
    load = wrk(who, query, seconds, connections, home)
    while not load.requests and seconds < 30:  # the first answers take longer than that
        seconds *= 2
        load = wrk(who, query, seconds, connections, home)
    # One answer's length more or less for each connection, which may be within one when wrk ends;
    # and room for what servers add and leave out: "Connection: close", a weak validator's "W/".
    least = (load.requests - load.failed - connections) * (len(answer) - SLACK)
    most = (load.requests + connections) * (len(answer) + SLACK)
    if not load.requests or (not load.failed and not least <= load.bytes <= most):
        raise Wrong(f"{who.name}: {load}, and an answer has {len(answer)} bytes")
    return load
