"""A connection of the web server as its worker keeps it. What is done with it is in `worker.py`."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from cgikit.gateway.fastcgi import FastCGI
    from cgikit.gateway.scgi import SCGI

    from .exchange import Exchange


class Connection:
    """One connection of the web server: its codec, what waits to be sent, the request in hand."""

    __slots__ = ("closing", "codec", "exchange", "fd", "heard", "mask", "outbox", "sock", "waiting")

    def __init__(self, sock: "socket.socket", codec: "FastCGI | SCGI", now: float) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.codec = codec
        self.exchange: Exchange | None = None
        self.outbox: list[bytes] = []
        self.waiting = 0  # bytes in the outbox
        self.closing = 0.0  # when it has to be closed at last; 0: it stays
        self.heard = now  # when something moved last
        self.mask = 0  # what it is polled for
