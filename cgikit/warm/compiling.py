"""A script's code, made by a process of its own: a compiler can die of what it reads.

`1+1+…` with some thousand terms, or as many brackets, end in RecursionError, MemoryError or, on some
versions of Python, the end of the whole process; other scripts take minutes. None of that may reach the
process that forks for all scripts. `zygote.py` decides which scripts are compiled. A script that cannot
be compiled is started cold, and its own interpreter says why.
"""

import marshal
import os
import resource
import select
import time

from cgikit.regularfile import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

    from .interpreter import Limits

MAX_SOURCE = 4 << 20  # bytes; a larger file is data after a `#!` line, not a script to keep
MAX_CODE = 64 << 20  # bytes of what it is compiled to
COMPILING = 5  # seconds; the largest modules of the standard library take a tenth of one
_KILL = 9


def compiled(
    file: str, limits: "Limits", part: "Callable[[bytes], bytes]" = bytes
) -> "CodeType | None":
    """Return the code of a script, or None if it cannot be compiled within COMPILING seconds and the
    resource limits of a script. `part` takes the script out of what is in its file.
    """
    try:
        reader, writer = os.pipe()
    except OSError:
        return None
    try:
        pid = os.fork()
    except OSError:
        os.close(reader)
        os.close(writer)
        return None
    if not pid:
        _compile(file, writer, limits, part)
    os.close(writer)
    try:
        data = _all(reader)
    finally:
        os.close(reader)
        os.kill(pid, _KILL)  # it has written everything, or is too slow
        os.waitpid(pid, 0)
    # Nothing of the script has run in the process that wrote this
    code: CodeType | None = marshal.loads(data) if data else None  # noqa: S302
    return code


def _all(reader: int) -> bytes:
    """Return all that comes out of a pipe if it is whole; b"" if it is not, or comes too late."""
    data, end = bytearray(), time.monotonic() + COMPILING
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    while len(data) < MAX_CODE:
        left = end - time.monotonic()
        if left <= 0 or not poll.poll(left * 1_000):
            return b""
        piece = os.read(reader, 1 << 16)
        if not piece:  # it may have died in the middle
            return bytes(data[8:]) if len(data) - 8 == int.from_bytes(data[:8], "big") else b""
        data += piece
    return b""


def _compile(file: str, writer: int, limits: "Limits", part: "Callable[[bytes], bytes]") -> None:
    """Compile, in a process of its own. Never returns."""
    try:
        for kind, pair in [*limits, (resource.RLIMIT_CORE, (0, 0))]:
            if kind != resource.RLIMIT_NPROC:
                resource.setrlimit(kind, pair)
        # Do not wait for a lease: all other scripts would wait too
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            source = stream.read(MAX_SOURCE + 1)
        if len(source) <= MAX_SOURCE:
            code = marshal.dumps(compile(part(source), file, "exec", dont_inherit=True))
            data = len(code).to_bytes(8, "big") + code
            while data:
                data = data[os.write(writer, data) :]
    except BaseException:  # of any kind: the script's own interpreter will report it
        os._exit(1)
    os._exit(0)
