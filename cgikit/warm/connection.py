"""A connection of the web server as its worker keeps it, and what waits to be sent on it.

What waits is in memory while the peer is fast, and in a spool once it is slow, or must not be sent yet.
What is done with connections, and when one is slow, is in `connections.py`.
"""

from cgikit.gateway.pace import Pace

from ..gateway.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from cgikit.gateway.fastcgi import FastCGI
    from cgikit.gateway.scgi import SCGI

    from .exchange import Exchange

    Pieces = list[bytes | memoryview]

MAX_PIECES = 64  # that the kernel is handed at once; it takes 1,024
MEMORY = 65_536  # bytes of a spool that are kept in memory
AT_ONCE = 65_536  # bytes that are taken out of a spool to be sent


class Connection:
    """One connection of the web server: its codec, what waits to be sent, the request in hand.

    `.inward` and `.outward` tell how fast the peer sends what it owes and takes what waits for it.
    While `.is_held` is set, nothing is sent.
    """

    __slots__ = (
        "_outbox", "_spool", "closing", "codec", "exchange", "fd", "inward", "is_held", "mask",
        "outward", "sock", "waiting",
    )  # fmt: skip

    def __init__(self, sock: "socket.socket", codec: "FastCGI | SCGI", now: float) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.codec = codec
        self.exchange: Exchange | None = None
        self._outbox: Pieces = []
        self._spool: Spool | None = None
        self.waiting = 0  # bytes that are to be sent
        self.is_held = False
        self.closing = 0.0  # when it has to be closed at last; 0: it stays
        self.inward = Pace(now)
        self.outward = Pace(now)
        self.mask = 0  # what it is polled for

    @property
    def is_spooled(self) -> bool:
        """Whether what is put is copied into a spool, and nobody has to keep it."""
        return self._spool is not None

    @property
    def is_full(self) -> bool:
        """Whether the spool takes no more: whoever writes has to wait."""
        return self._spool is not None and self._spool.is_full

    def put(self, pieces: "Pieces") -> None:
        """Have something sent by `flush`. Without a spool nothing of it is copied."""
        if self._spool is None:
            self._outbox += pieces
        else:
            for piece in pieces:
                self._spool.write(piece)
        self.waiting += sum(map(len, pieces))

    def spill(self, limit: int, directory: str) -> None:
        """Keep what waits, and what is put until all has been sent, in a spool of `limit` bytes."""
        if self._spool is None:
            self._spool = Spool(MEMORY, limit, directory)
            for piece in self._outbox:
                self._spool.write(piece)
            self._outbox.clear()

    def drop(self) -> None:
        """Forget what waits."""
        self._outbox.clear()
        self.waiting = 0
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def flush(self) -> int:
        """Send what the peer takes now; return its size in bytes. `OSError` where the peer is gone, or
        the disk does not give back what waits on it.
        """
        total = 0
        while not self.is_held:
            total += self._send()
            if self._outbox or self._spool is None:
                break
            data = self._spool.read(AT_ONCE)
            if data:
                self._outbox.append(data)
            else:
                self._spool.close()
                self._spool = None
        self.waiting -= total
        return total

    def _send(self) -> int:
        outbox, total = self._outbox, 0
        while outbox:
            try:
                if len(outbox) == 1:
                    sent = self.sock.send(outbox[0])
                else:
                    sent = self.sock.sendmsg(outbox[:MAX_PIECES])
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
        return total
