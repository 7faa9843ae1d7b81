"""Sends one request to a FastCGI application, as a web server does, and takes the time of its answer.

The protocol is in `cgikit.gateway`; this module has the socket and the clock.
"""

import socket
import time
from collections.abc import Mapping

from ..gateway.fastcgiclient import Ended, Output, Responses, encode_request
from ..gateway.wire import WireError

MAX_OUTPUT = 1 << 26  # bytes that are read of an answer without an end
_CHUNK = 262_144
_HEAD = 4_096  # bytes that are kept


class Unanswered(Exception):
    """There was no whole answer. The message says why."""


class Asked:
    """An answer: when its `.first` byte and its end, `.total`, came (float, microseconds from just
    before the connection was opened), its `.size` (int, bytes), its `.head` (bytes, the first of it),
    and the script's exit `.exit_status` (int).
    """

    def __init__(self) -> None:
        self.first = self.total = 0.0
        self.size = 0
        self.head = b""
        self.exit_status = 0

    @property
    def status(self) -> int:
        """The HTTP status that the header block names (int), 200 if it names none."""
        for line in self.head.splitlines():
            name, colon, value = line.partition(b":")
            if not colon:
                break  # the header block ends here
            digits = value.split()[:1]
            if name.strip().lower() == b"status" and digits and len(digits[0]) == 3:
                return int(digits[0]) if digits[0].isdigit() else 200
        return 200


def ask(address: str, variables: Mapping[str, str], body: bytes, seconds: float) -> Asked:
    """Send a request to the UNIX socket at `address`, and read the answer to its end. Raises
    `Unanswered` if that has not come within `seconds`, or is cut or too long.
    """
    data = encode_request(dict(variables), body)
    found = Asked()
    begin = time.monotonic_ns()
    try:
        with socket.socket(socket.AF_UNIX) as peer:
            peer.settimeout(seconds)
            peer.connect(address)
            peer.sendall(data)
            _receive(peer, found, begin, begin / 1e9 + seconds)
    except TimeoutError:
        raise Unanswered(f"it did not answer within {seconds:g} seconds") from None
    except WireError as error:
        raise Unanswered(f"its answer is not valid FastCGI: {error}") from None
    except OSError as error:
        raise Unanswered(f"the connection broke: {error.strerror or error}") from None
    return found


def _receive(peer: socket.socket, found: Asked, begin: int, deadline: float) -> None:
    responses = Responses()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        peer.settimeout(left)
        data = peer.recv(_CHUNK)
        now = (time.monotonic_ns() - begin) / 1_000
        if not data:
            raise Unanswered("the answer was cut")
        for event in responses.receive(data):
            if isinstance(event, Output):
                found.first = found.first or now
                found.size += len(event.data)
                found.head += event.data[: _HEAD - len(found.head)]
            elif isinstance(event, Ended):
                if event.protocol_status:
                    raise Unanswered("the request was refused")
                found.total = now
                found.exit_status = event.app_status
                return
        if found.size > MAX_OUTPUT:
            raise Unanswered(f"the answer is longer than {MAX_OUTPUT >> 20} MiB")
