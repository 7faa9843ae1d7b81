"""A connection of the web server as its worker keeps it, and what waits to be sent on it.

What is done with it is in `connections.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from cgikit.gateway.fastcgi import FastCGI
    from cgikit.gateway.scgi import SCGI

    from .exchange import Exchange

    Pieces = list[bytes | memoryview]

MOST_PIECES = 64  # that the kernel is handed at once; it takes 1,024


class Connection:
    """One connection of the web server: its codec, what waits to be sent, the request in hand."""

    __slots__ = ("closing", "codec", "exchange", "fd", "heard", "mask", "outbox", "sock", "waiting")

    def __init__(self, sock: "socket.socket", codec: "FastCGI | SCGI", now: float) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.codec = codec
        self.exchange: Exchange | None = None
        self.outbox: Pieces = []
        self.waiting = 0  # bytes in the outbox
        self.closing = 0.0  # when it has to be closed at last; 0: it stays
        self.heard = now  # when something moved last
        self.mask = 0  # what it is polled for

    def put(self, pieces: "Pieces") -> None:
        """Have something sent by `flush`; nothing of it is copied."""
        self.outbox += pieces
        self.waiting += sum(map(len, pieces))

    def flush(self) -> int:
        """Send what the peer takes now; return its size in bytes. `OSError` where the peer is gone."""
        outbox, total = self.outbox, 0
        while outbox:
            try:
                if len(outbox) == 1:
                    sent = self.sock.send(outbox[0])
                else:
                    sent = self.sock.sendmsg(outbox[:MOST_PIECES])
            except BlockingIOError:
                break
            total += sent
            whole = 0  # pieces
            while whole < len(outbox) and sent >= len(outbox[whole]):
                sent -= len(outbox[whole])
                whole += 1
            del outbox[:whole]
            if sent:
                outbox[0] = memoryview(outbox[0])[sent:]
        self.waiting -= total
        return total
