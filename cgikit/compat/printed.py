"""Internal. How far a script has come with what it prints: whether a page of an error needs a header
(RFC 3875 section 6) in front of it.

Standard output is a pipe, which cannot be asked. So the `write` of its buffer is replaced until the
header has ended: everything that Python prints goes through it, text as well as bytes. What other
programs print, and what the script printed and flushed before, is not seen.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LONGEST_HEAD = 65_536  # bytes
_ATTRIBUTE = "_cgitb_printed"


class Printed:
    """What was written to a buffer so far, as far as it matters: it is called as its `write`."""

    def __init__(self, buffer: "Any") -> None:
        self._buffer = buffer
        self._write = buffer.write
        self._head = b""
        buffer.write = self
        setattr(buffer, _ATTRIBUTE, self)

    def __call__(self, data: "Any") -> "Any":
        """Write `data`, and look at it."""
        if self._write is None:  # taken by someone before the end of the header
            return type(self._buffer).write(self._buffer, data)
        written = self._write(data)
        self._head += bytes(memoryview(data)[: _LONGEST_HEAD + 1])
        if self._is_over():
            self._head = b"\n\n"
            self._write = None
            del self._buffer.write
        return written

    def missing(self, header: str) -> str:
        """Return what has to be printed before a page (str): `header` (one line) and an empty line,
        if nothing was printed; what is missing of it, if something was.
        """
        if not self._head:
            return f"{header}\n\n"
        if self._is_over():
            return ""
        end = "" if self._head.endswith(b"\n") else "\n"
        return f"{end}\n" if b"content-type:" in self._head.lower() else f"{end}{header}\n\n"

    def _is_over(self) -> bool:
        """Whether the header has ended, or what was printed is none."""
        head = self._head.replace(b"\r\n", b"\n")
        first, newline, _ = head.partition(b"\n")
        if newline and (b":" not in first or first.startswith(b"<")):
            return True
        return b"\n\n" in head or head.startswith(b"<") or len(head) > _LONGEST_HEAD


def watch(file: "Any") -> "Printed | None":
    """Return what is printed to a file of text from now on; None if that cannot be seen."""
    buffer = getattr(file, "buffer", None)
    known = getattr(buffer, _ATTRIBUTE, None)
    if isinstance(known, Printed):
        return known
    try:
        return Printed(buffer)
    except (AttributeError, TypeError):
        return None


def missing(file: "Any", header: str) -> str:
    """Return what has to be printed to a file before a page, as `Printed.missing` does."""
    printed = watch(file)  # before what waits is written
    try:
        file.flush()
    except (AttributeError, OSError, ValueError):
        pass  # it will be noticed when the page is written
    if printed is not None:
        return printed.missing(header)
    try:
        return "" if file.tell() else f"{header}\n\n"
    except (AttributeError, OSError, ValueError):
        return f"{header}\n\n"
