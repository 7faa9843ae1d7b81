"""New standard streams for each request of a child that serves several.

What a stream has read ahead, or not yet written, is a visitor's: it goes with the stream. They are what
an interpreter makes at its start, over the same descriptors.
"""

import io
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NAMES = ("stdin", "stdout", "stderr")


class Streams:
    """Makes streams like those that this interpreter has now."""

    def __init__(self) -> None:
        self._forms = [self._form(getattr(sys, name)) for name in _NAMES]

    @staticmethod
    def _form(stream: "Any") -> "dict[str, Any]":
        return {
            "encoding": stream.encoding,
            "errors": stream.errors,
            "line_buffering": stream.line_buffering,
            "write_through": stream.write_through,
        }

    def renew(self) -> None:
        """Replace the standard streams."""
        for fd, (name, form) in enumerate(zip(_NAMES, self._forms, strict=True)):
            raw = io.FileIO(fd, "r" if fd == 0 else "w", closefd=False)
            raw.name = f"<{name}>"
            buffer = io.BufferedReader(raw) if fd == 0 else io.BufferedWriter(raw)
            stream = io.TextIOWrapper(buffer, newline="\n", **form)
            stream.mode = "r" if fd == 0 else "w"  # type: ignore[misc]
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)
