"""Children of a test: processes that share nothing with it but pipes, so each step waits for a word.

with Forked(work) as child: child.hear() == "ready"; child.tell("go on")
"""

import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from typing import Self


class Line:
    """One end of a conversation: words, one a line, in both directions."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader = os.fdopen(reader, "rb", buffering=0)
        self._writer = os.fdopen(writer, "wb", buffering=0)

    def tell(self, word: str) -> None:
        self._writer.write(word.encode() + b"\n")

    def hear(self) -> str:
        """The next word; "" when the other end is gone."""
        return self._reader.readline().decode().rstrip("\n")

    def close(self) -> None:
        self._reader.close()
        self._writer.close()


class Forked:
    """A child that calls `work(line)`; leaving the block waits for it, and fails if it failed."""

    def __init__(self, work: Callable[[Line], object]) -> None:
        down, up = os.pipe(), os.pipe()
        with warnings.catch_warnings():
            warnings.simplefilter(
                "ignore", DeprecationWarning
            )  # a server's threads, in a whole run
            self.pid = os.fork()
        if not self.pid:
            os.close(down[1])
            os.close(up[0])
            status = 1
            try:
                work(Line(down[0], up[1]))
                status = 0
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
            finally:
                os._exit(status)
        os.close(down[0])
        os.close(up[1])
        self._line = Line(up[0], down[1])
        self.tell, self.hear = self._line.tell, self._line.hear
        self.status: int | None = None

    def wait(self) -> int:
        if self.status is None:
            self.status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
            self._line.close()
        return self.status

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # the child may be waiting for a word that will never come
            self.kill()
        else:
            assert self.wait() in {0, -signal.SIGKILL}
