"""Many slow clients at once: half send a body, half read an answer, a byte a second each."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateways.contenders import Contender
from gateways.fcgi import get, opening, record

BODY = 10_000  # bytes announced by those that send: none comes to its end
UPLOAD, DOWNLOAD = "transfer/upload.py", "transfer/download.py"
FILE = "file=small.bin"


class SlowClients:
    """`count` connections, moved on once a second by a thread. `.alive` are those not closed yet."""

    def __init__(
        self, address: Path | int, count: int, send: tuple[bytes, bytes], read: bytes
    ) -> None:
        """`send`: what opens a request with a body, and each next piece; `read`: a request."""
        self.address, self._piece = address, send[1]
        self._senders = [self._open(send[0]) for _ in range(count // 2)]
        self._readers = [self._open(read) for _ in range(count - count // 2)]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._move)
        self._thread.start()

    def _open(self, first: bytes) -> socket.socket:
        kind = socket.AF_INET if isinstance(self.address, int) else socket.AF_UNIX
        made = socket.socket(kind)
        made.settimeout(30)
        # A small window, so that what is not read stays with the server and not in our kernel.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        where = ("127.0.0.1", self.address) if isinstance(self.address, int) else str(self.address)
        made.connect(where)
        made.sendall(first)
        made.setblocking(False)
        return made

    @property
    def alive(self) -> int:
        """How many connections the server has not closed."""
        return len(self._senders) + len(self._readers)

    def _move(self) -> None:
        while not self._ended.wait(1.0):
            self._senders = [one for one in self._senders if self._sent(one)]
            self._readers = [one for one in self._readers if self._read(one)]

    def _sent(self, one: socket.socket) -> bool:
        try:
            one.send(self._piece)
            return bool(one.recv(1))  # an answer before the body's end: it was refused
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _read(self, one: socket.socket) -> bool:
        try:
            return bool(one.recv(1))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def close(self) -> None:
        """Let go of all."""
        self._ended.set()
        self._thread.join()
        for one in self._senders + self._readers:
            one.close()


@contextmanager
def over_http(who: Contender, count: int) -> Iterator[SlowClients]:
    """Hold slow clients of a web server until the block ends."""
    root = who.path.removesuffix(who.script)
    post = (
        f"POST {root}{UPLOAD} HTTP/1.1\r\nHost: 127.0.0.1:{who.port}\r\n"
        f"Content-Type: application/octet-stream\r\nContent-Length: {BODY}\r\n\r\n"
    )
    download = f"GET {root}{DOWNLOAD}?{FILE} HTTP/1.1\r\nHost: 127.0.0.1:{who.port}\r\n\r\n"
    clients = SlowClients(who.port, count, (post.encode(), b"x"), download.encode())
    yield from _held(clients)


@contextmanager
def over_fastcgi(path: Path, count: int) -> Iterator[SlowClients]:
    """Hold slow clients of a FastCGI socket: a web server that passes on each byte as it comes."""
    post = opening(
        f"/cgi-bin/{UPLOAD}",
        "",
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/octet-stream",
        CONTENT_LENGTH=str(BODY),
    )
    download = get(f"/cgi-bin/{DOWNLOAD}", FILE)
    clients = SlowClients(path, count, (post, record(5, b"x")), download)
    yield from _held(clients)


def _held(clients: SlowClients) -> Iterator[SlowClients]:
    try:
        time.sleep(2)  # each has moved at least once: those that are refused at once are gone
        yield clients
    finally:
        clients.close()
