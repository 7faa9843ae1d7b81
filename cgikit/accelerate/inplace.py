"""A front in the place of its script: one file that holds both.

`accelerate --in-place` replaces a script by a front in Python of the same name, which keeps the text of
the script as comments. So there is no second file that a web server could send or run, wherever it
looks; the one file is replaced by one rename, so that the script is whole at any time; and `--undo`
needs nothing else. Line N of the script stays line N: an error names the line that its author knows.
"""

from hashlib import sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

MOST = 1 << 20  # bytes of a script
_LINE = b"#|"  # before each line of the script but the first
_REST = b"#> "  # before what is needed to put the script back
#: How Python runs the script of such a file directly: with the path, the streams and the name that it
#: had as a file of its own. The file's path comes first in its arguments.
START = """\
def start():
    import os, sys
    from _frozen_importlib_external import SourceFileLoader
    del sys.argv[0]
    sys.orig_argv[1:] = sys.argv
    file = sys.argv[0]
    if not sys.flags.safe_path:
        sys.path[0] = os.path.dirname(os.path.realpath(file))
    main = sys.modules["__main__"].__dict__
    del main["start"]
    main.update(__file__=file, __cached__=None, __loader__=SourceFileLoader("__main__", file))
    with open(file, "rb") as stream:
        first, *lines = stream.read().split(b"\\n")
    kept = [b"#"]
    for line in lines:
        if line[:2] != b"#|":
            break
        kept.append(line[2:])
    exec(compile(b"\\n".join(kept), file, "exec", dont_inherit=True), main)
start()
"""


class Kept:
    """A script that a front keeps: its bytes, its mode, and the time of its last change (ns), or None
    if it was changed in its front.
    """

    __slots__ = ("data", "mode", "time")

    def __init__(self, data: bytes, mode: int, time: "int | None") -> None:
        self.data = data
        self.mode = mode
        self.time = time


def command(line: bytes, script: bytes) -> "Sequence[bytes]":
    """Return what runs a kept script directly: the program of its first line, as the kernel has it."""
    return (*line.removeprefix(b"#!").split(None, 1), b"-c", START.encode(), script)


def why_not(source: bytes) -> str:
    """Return why a front cannot keep a script (str), or "" if it can."""
    if len(source) > MOST:
        return f"it has more than {MOST} bytes"
    if b"\0" in source:
        return "it has a NUL character"
    if b"\r" in source.replace(b"\r\n", b"\n"):
        return "it has a line that ends with CR alone"
    return ""


def together(front: bytes, script: Kept) -> bytes:
    """Return a file (bytes) of a front that keeps a script. Inverse: `kept`."""
    head, _, body = front.partition(b"\n")
    first, *lines = script.data.split(b"\n")
    whole = b"1" if lines and not lines[-1] else b"0"  # whether its last line has an end
    if whole == b"1":
        lines.pop()
    facts = (b"%o" % script.mode, b"%d" % (script.time or 0), whole, _digest(script.data), first)
    return b"\n".join(
        [head, *[_LINE + line for line in lines], _REST + b" ".join(facts), body],
    )


def kept(data: bytes) -> "Kept | None":
    """Return the script that a file keeps, or None if it is no such front. Inverse: `together`."""
    lines = data.split(b"\n")
    end = _end(lines)
    if not lines[0].endswith(b" -IS") or end == len(lines) or not lines[end].startswith(_REST):
        return None
    facts = lines[end].removeprefix(_REST).split(b" ", 4)
    mode, time, whole, digest, first = facts if len(facts) == 5 else [b""] * 5
    if not (mode.isdigit() and len(mode) <= 4 and time.isdigit() and len(time) < 20):
        return None
    script = b"\n".join([first, *[line.removeprefix(_LINE) for line in lines[1:end]]])
    script += b"\n" if whole == b"1" else b""
    is_same = digest == _digest(script)
    return Kept(script, int(mode, 8) & 0o7777, int(time) if is_same else None)


def front(data: bytes) -> bytes:
    """Return the front (bytes) of a file that keeps a script, or b"" if it is no such file."""
    if kept(data) is None:
        return b""
    lines = data.split(b"\n")
    return b"\n".join([lines[0], *lines[_end(lines) + 1 :]])


def source(data: bytes) -> bytes:
    """Return what Python compiles of such a file (bytes): the script, each line in its place."""
    lines = data.split(b"\n")
    return b"\n".join([b"#", *[line.removeprefix(_LINE) for line in lines[1 : _end(lines)]]])


def _end(lines: "list[bytes]") -> int:
    """Return the number of the line that follows a kept script."""
    numbers = range(1, len(lines))
    return next((n for n in numbers if not lines[n].startswith(_LINE)), len(lines))


def _digest(data: bytes) -> bytes:
    return sha256(data).hexdigest()[:16].encode()
