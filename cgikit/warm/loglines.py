"""Lines of a log on their way out of a process, which does not wait long for a reader that has stopped.

A log is a pipe, a terminal or a file that others have open too. A plain write blocks while its reader
does not read, and all requests with it.
"""

import os
import select

PATIENCE = 1.0  # seconds for each piece; after one that was too slow no other waits


class LogLines:
    """Writes lines to a descriptor. Never raises; lines that nobody reads are dropped and counted."""

    def __init__(self, fd: int = 2) -> None:
        self._fd = fd
        self._lost = 0
        self._torn = False  # the last one was written in part
        self._poll = select.poll()
        self._poll.register(fd, select.POLLOUT)

    def __call__(self, line: str) -> None:
        """Write one line, or several with a LF between them."""
        lost = f"{self._lost} lines of the log were lost: nobody read them\n" if self._lost else ""
        torn = "\n" if self._torn else ""
        data = f"{torn}{lost}{line}\n".encode("utf-8", "backslashreplace")
        patience = 0.0 if self._lost else PATIENCE
        try:
            # A pipe that is ready takes this much without blocking
            for at in range(0, len(data), select.PIPE_BUF):
                if not self._poll.poll(patience * 1_000):
                    self._lost += 1 + line.count("\n")
                    self._torn = self._torn or at > 0
                    return
                os.write(self._fd, data[at : at + select.PIPE_BUF])
        except OSError:
            return  # it was closed
        self._lost, self._torn = 0, False
