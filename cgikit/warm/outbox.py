"""Output that waits to be sent on a connection: in memory, or in a spool once that is not enough.

It is in memory while the peer is fast, and in a spool once the peer is slow, or while nothing may be
sent yet. `connections.py` decides when a peer is slow.
"""

from ..gateway.spool import Spool

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    Pieces = list[bytes | memoryview]

MAX_PIECES = 64  # that the kernel is handed in one call; it takes 1,024
MEMORY = 65_536  # bytes of a spool that are kept in memory
AT_ONCE = 65_536  # bytes that are taken out of a spool to be sent


class Outbox:
    """The bytes that wait for one socket. `.waiting` is how many (int). While `.is_held` is set,
    nothing is sent.
    """

    __slots__ = ("_pieces", "_sock", "_spool", "is_held", "waiting")

    def __init__(self, sock: "socket.socket") -> None:
        self._sock = sock
        self._pieces: Pieces = []
        self._spool: Spool | None = None
        self.waiting = 0
        self.is_held = False

    @property
    def is_spooled(self) -> bool:
        """Whether what is put is copied into a spool, so the caller need not keep it."""
        return self._spool is not None

    @property
    def is_full(self) -> bool:
        """Whether the spool takes no more, so the script has to wait."""
        return self._spool is not None and self._spool.is_full

    def put(self, pieces: "Pieces") -> None:
        """Have something sent by `flush`. Without a spool nothing is copied."""
        if self._spool is None:
            self._pieces += pieces
        else:
            for piece in pieces:
                self._spool.write(piece)
        self.waiting += sum(map(len, pieces))

    def spill(self, limit: int, directory: str) -> None:
        """Keep what waits, and what is put until all has been sent, in a spool of `limit` bytes."""
        if self._spool is None:
            self._spool = Spool(MEMORY, limit, directory)
            for piece in self._pieces:
                self._spool.write(piece)
            self._pieces.clear()

    def drop(self) -> None:
        """Forget what waits."""
        self._pieces.clear()
        self.waiting = 0
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def flush(self) -> int:
        """Send what the peer takes now; return how many bytes that was. `OSError` if the peer is gone,
        or the disk does not give back what waits on it.
        """
        total = 0
        while not self.is_held:
            total += self._send()
            if self._pieces or self._spool is None:
                break
            data = self._spool.read(AT_ONCE)
            if data:
                self._pieces.append(data)
            else:
                self._spool.close()
                self._spool = None
        self.waiting -= total
        return total

    def _send(self) -> int:
        pieces, total = self._pieces, 0
        while pieces:
            try:
                if len(pieces) == 1:
                    sent = self._sock.send(pieces[0])
                else:
                    sent = self._sock.sendmsg(pieces[:MAX_PIECES])
            except BlockingIOError:
                break
            total += sent
            whole = 0  # pieces
            while whole < len(pieces) and sent >= len(pieces[whole]):
                sent -= len(pieces[whole])
                whole += 1
            del pieces[:whole]
            if sent:
                pieces[0] = memoryview(pieces[0])[sent:]
        return total
