"""Messages between the processes of the warm engine: plain values with their length in front.

Supervisor, worker and zygote are one program in one version of Python, and nobody else can
reach their sockets: `marshal` is enough, and the only codec that costs a forked child nothing. The
sender and the receiver decide what a message means.
"""

import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from typing import Any

HEAD = 4  # bytes of the length


def pack(message: "Any") -> bytes:
    """Return a message as it is sent: its length, four bytes, then the value. Inverse: `Unpacker`."""
    data = marshal.dumps(message)
    return len(data).to_bytes(HEAD, "big") + data


def unpack(data: bytes) -> "Any":
    """Return the value of a message without its length."""
    return marshal.loads(data)  # noqa: S302 -- written by another of our processes


class Unpacker:
    """Takes apart what comes from a stream, in pieces of any size. Inverse: `pack`."""

    __slots__ = ("_data",)

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> "list[Any]":
        """Take a piece; return the messages that are whole now."""
        self._data += data
        found = []
        while len(self._data) >= HEAD:
            end = HEAD + int.from_bytes(self._data[:HEAD], "big")
            if len(self._data) < end:
                break
            found.append(unpack(bytes(self._data[HEAD:end])))
            del self._data[:end]
        return found


def receive(sock: "socket") -> "Any":
    """Wait for a message and return its value; end the process where the other end is gone."""
    return unpack(exactly(sock, int.from_bytes(exactly(sock, HEAD), "big")))


def exactly(sock: "socket", size: int) -> bytes:
    """Receive so many bytes; end the process if the other end is gone, or says nothing more."""
    data = b""
    while len(data) < size:
        try:
            more = sock.recv(size - len(data))
        except OSError:  # it has ended without reading all
            more = b""
        if not more:
            sys.exit(0)
        data += more
    return data
