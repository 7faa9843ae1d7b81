"""CGI.pm as an oracle: one Perl process that answers one case after another (oracle.pl).

A message is a list of lists of bytes, or None for Perl's undef; texts are sent as UTF-8.
"""

import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

SCRIPT = Path(__file__).with_name("oracle.pl")
NONE = 0xFFFFFFFF

Item = str | bytes | None
Lists = list[list[bytes | None]]


class Died(Exception):
    """What Perl died of."""


class Oracle:
    """A Perl process with CGI.pm; a context manager. `directory` is for its temporary files."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            ["perl", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "TMPDIR": str(directory)},
            cwd=directory,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, trace: TracebackType | None
    ) -> None:
        stdin, stdout = self._streams()
        stdin.close()  # at which it ends
        stdout.close()
        self.process.wait()

    def ask(self, *lists: Sequence[Item]) -> Lists:
        """Send a case and return the answer. Raises `Died`."""
        stdin, stdout = self._streams()
        stdin.write(_packed(lists))
        stdin.flush()
        answer = [[_item(stdout) for _ in range(_number(stdout))] for _ in range(_number(stdout))]
        if answer and answer[0][0] == b"died":
            raise Died(answer[0][1])
        return answer

    def _streams(self) -> tuple[BinaryIO, BinaryIO]:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        return stdin, stdout  # type: ignore[return-value]


def _packed(lists: Sequence[Sequence[Item]]) -> bytes:
    out = [struct.pack(">I", len(lists))]
    for items in lists:
        out.append(struct.pack(">I", len(items)))
        for item in items:
            if item is None:
                out.append(struct.pack(">I", NONE))
                continue
            raw = item.encode("utf-8", "surrogateescape") if isinstance(item, str) else item
            out += [struct.pack(">I", len(raw)), raw]
    return b"".join(out)


def _number(stdout: BinaryIO) -> int:
    raw = stdout.read(4)
    if len(raw) < 4:
        raise AssertionError(
            "the Perl process has ended; run tests/perl/oracle.pl by hand to see why"
        )
    return int(struct.unpack(">I", raw)[0])


def _item(stdout: BinaryIO) -> bytes | None:
    length = _number(stdout)
    return None if length == NONE else stdout.read(length)
