"""What tests of the two executors share: a body out of nothing, and a run's output."""

from cgikit.host.executor import Run

MIB = 1 << 20


class Zeros:
    """A body of so many zero bytes, made as it is read."""

    def __init__(self, size: int) -> None:
        self.left = size

    def read(self, size: int, /) -> bytes:
        size = min(size, self.left)
        self.left -= size
        return bytes(size)


def everything(run: Run) -> bytes:
    """All that a script prints."""
    return b"".join(iter(run.read, b""))


def body_of(output: bytes) -> bytes:
    """What follows the header block."""
    return output.partition(b"\n\n")[2]
