"""The process's own request and answer: its environment, its standard input, its standard output, and
the directory that its relative paths begin in.

The only module of the script's side that touches `os.environ`, `sys.stdin` and `sys.stdout`, so
everything above it can also be used with values that the caller passes. Nothing is parsed or built
here.
"""

import io
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import BinaryIO, NoReturn, Protocol, TextIO

    class Written(Protocol):
        """A part of an answer that is not bytes but writes itself, as a file does."""

        def write_to(self, out: BinaryIO) -> None:
            """Write all of it; `out` is flushed."""


# Variables that name files: they are in the encoding of the file system.
_FILES = frozenset(
    "CONTEXT_DOCUMENT_ROOT DOCUMENT_ROOT HOME PATH PATH_TRANSLATED PWD SCRIPT_FILENAME TMPDIR".split()
)
# Attributes of the standard streams: what was done with a stream is kept on the stream.
_SENT = "_cgikit_sent"
_INPUT = "_cgikit_input"
_ENDS = "_cgikit_ends"  # set by `uncaught.py`
# An attribute of the script's own module: each warm child has a new one.
_START = "_cgikit_start"
#: The exit status of a script whose answer is not whole (EX_SOFTWARE of sysexits.h). Servers that heed
#: it, as those of cgikit do, cut the connection.
CUT = 70
_MAX_DRAINED = 1 << 30  # bytes
_PIECE = 131_072  # bytes
_SILENCE = 5_000  # milliseconds without a byte of the body


def environ() -> "Mapping[str, str]":
    """Return this process's environment, as `request_text` makes it."""
    return request_text(os.environ)


def request_text(variables: "Mapping[str, str]") -> "Mapping[str, str]":
    """Return variables as UTF-8 text, with surrogate escapes for other bytes. `os.fsdecode` has decoded
    them by the server's locale, which says nothing about what browsers send.

    Variables that name files are left as the functions that open files take them.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return variables
    return {
        name: text
        if name.removeprefix("REDIRECT_") in _FILES
        else os.fsencode(text).decode("utf-8", "surrogateescape")
        for name, text in variables.items()
    }


def pid() -> int:
    """Return this process's number."""
    return os.getpid()


def end(error: BaseException) -> "NoReturn":
    """End this process, in whatever thread, with the status that `error` would give a script, after
    printing what it would print. It never returns.

    It is for a process that a handler has forked under a server: the exit handlers of the server must
    not run in it.
    """
    code = error.code if isinstance(error, SystemExit) else None
    status = code if isinstance(code, int) else int(code is not None)
    try:
        if not isinstance(error, SystemExit):
            status = 1
            sys.excepthook(type(error), error, error.__traceback__)
        elif isinstance(code, str):
            sys.stderr.write(code + "\n")
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
    finally:
        os._exit(status & 0xFF)


def absolute(path: "str | os.PathLike[str]") -> str:
    """Return a path (str) as one that no later `os.chdir` turns into another file's: a relative one
    is taken from `start_directory()`. Nothing else is changed: links and `..` stay.
    """
    name = os.fsdecode(path)
    if not name or name[0] == "/":
        return name
    return os.path.join(start_directory(), name)


def start_directory() -> str:
    """Return the one directory (str) that all relative paths of this process are taken from.

    It is the working directory at the time of the first relative path, or before the first request is
    answered. In a process that was started in `/`, as systemd does, it is the script's own directory,
    as under CGI. It is "" if the working directory was removed, or cannot be reached by its name:
    relative paths are then left as they are.
    """
    main = sys.modules["__main__"]
    start: str | None = getattr(main, _START, None)
    if start is None:
        start = _found_start(vars(main))
        setattr(main, _START, start)
    return start


def start_in(directory: str | None) -> str | None:
    """Let relative paths begin in `directory` from now on, or where they would by themselves (None);
    return what was said before. For tests, in which one process runs many scripts.
    """
    main = vars(sys.modules["__main__"])
    former: str | None = main.pop(_START, None)
    if directory is not None:
        main[_START] = directory
    return former


def _found_start(main: "Mapping[str, object]") -> str:
    try:
        here = os.getcwd()
        if here == "/":
            return _script_directory(main) or here
        # The process might not be allowed to enter a parent directory: then only "." works.
        return here if os.path.samefile(os.path.join(here, "."), ".") else ""
    except OSError:
        return ""


def _script_directory(main: "Mapping[str, object]") -> str:
    """Return the directory of the script that this process runs, or "" if it runs none: a server's own
    program (`bin/gunicorn`, `python -m`) is not a place for data.
    """
    file = main.get("__file__")
    if not isinstance(file, str) or main.get("__spec__") is not None:
        return ""
    directory = os.path.dirname(os.path.abspath(file))
    if os.path.basename(directory) in {"bin", "sbin"} or not os.path.isdir(f"{directory}/."):
        return ""
    return directory


def arguments() -> list[str]:
    """Return the arguments that this process was started with (list of str), the script first."""
    return sys.argv


def stdin() -> "BinaryIO":
    """Return this process's standard input as a binary file without a buffer.

    A buffered reader would read beyond the body to fill its buffer (RFC 3875 section 4.2). A closed
    standard input counts as an empty one.
    """
    if sys.stdin is None:
        return io.BytesIO()
    if not hasattr(sys.stdin, _INPUT):
        setattr(sys.stdin, _INPUT, CountedInput(sys.stdin))
    return getattr(sys.stdin, _INPUT)  # type: ignore[no-any-return]


class CountedInput:
    """A text stream's bytes, read without a buffer and counted in `taken`."""

    def __init__(self, stream: "TextIO") -> None:
        self._raw: BinaryIO = getattr(stream.buffer, "raw", stream.buffer)
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes."""
        data = self._raw.read(size) or b""
        self.taken += len(data)
        return data

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._raw.fileno()


def send(chunks: "Iterable[bytes | Written]", whole: bool = False) -> bool:
    """Write one whole response to standard output, and flush after each chunk; return whether all of it
    was sent.

    False means that the client has disconnected. `whole` says that no chunk need be made from the rest
    of the request's body. Raises `StateError` if a response was sent before, or if something was
    printed and is still in Python's buffer; the buffer is then emptied, so that a clean error page can
    follow.
    """
    out = getattr(sys.stdout, "guarded", sys.stdout)
    if out is None or out.closed:
        return False  # started without a standard output: there is nobody to answer
    if not hasattr(out, "buffer"):
        raise misuse(
            f"sys.stdout is a {type(out).__name__}, which cannot take bytes; give another stdout"
        )
    if getattr(out, _SENT, False):
        raise misuse("a response was sent already; a request has only one")
    stray = _take_back(out)
    if stray:
        shown = stray[:80].decode("utf-8", "replace")
        raise misuse(
            f"output was printed before the response: {shown!r}; put it into the response, or print "
            "it with file=sys.stderr"
        )
    setattr(out, _SENT, True)
    _leave_fast()
    if whole:
        _drain_stdin()
    # Outside of the try: a pipe that breaks while a chunk is made is the script's.
    for chunk in _parents(chunks):
        try:
            write(out.buffer, chunk)
        except OSError as error:
            _discard(out)
            if isinstance(error, BrokenPipeError | ConnectionResetError):
                return False
            raise
    if not whole:
        _drain_stdin()
    return True


def _parents(chunks: "Iterable[bytes | Written]") -> "Iterator[bytes | Written]":
    """Yield the chunks in this process only. A process that was forked while a chunk was made raises
    `SystemExit`: a request has one answer.
    """
    own = os.getpid()
    for chunk in chunks:
        if os.getpid() != own:
            raise SystemExit(0)
        yield chunk
    if os.getpid() != own:
        raise SystemExit(0)


def drain(read: "Callable[[int], bytes]", left: int) -> None:
    """Read and drop the last `left` bytes of a body, 1 GiB at most: `read` returns at most as many
    bytes as it is asked for, and none where there are no more.
    """
    left = min(left, _MAX_DRAINED)
    while left > 0 and (data := read(min(left, _PIECE))):
        left -= len(data)


def _drain_stdin() -> None:
    """Read and drop the rest of the body if standard input is a socket.

    mod_cgid passes the body through a UNIX socket. Closing that with unread bytes resets it, and the
    client gets only part of the answer, or nothing. Also, mod_cgid reads no answer before it has sent
    the body: if a long answer came first, both would wait forever. With a pipe neither happens.
    """
    length = os.environ.get("CONTENT_LENGTH", "")
    if not length:
        return
    import stat

    try:
        if not stat.S_ISSOCK(os.fstat(0).st_mode):
            return
        left = int(length) - getattr(getattr(sys.stdin, _INPUT, None), "taken", 0)
        import select

        poll = select.poll()
        poll.register(0, select.POLLIN)
        drain(lambda size: os.read(0, size) if poll.poll(_SILENCE) else b"", left)
    except (OSError, ValueError):
        return  # standard input is closed, or the length is not a number: nothing can be drained


def write(out: "BinaryIO", chunk: "bytes | Written") -> None:
    """Write all of a chunk, and flush."""
    if not isinstance(chunk, bytes):
        chunk.write_to(out)
        return
    done = out.write(chunk)
    # Under `python -u` this is the system call, which a signal can end early. A file-like object that
    # returns no count has taken everything.
    while done is not None and done < len(chunk):
        done += out.write(memoryview(chunk)[done:])
    out.flush()


def was_sent() -> bool:
    """Return whether a response was already sent to this process's standard output."""
    return getattr(getattr(sys.stdout, "guarded", sys.stdout), _SENT, False)


def restore_stdout() -> None:
    """Put the first standard output back if the script has replaced it by what takes no bytes."""
    if not hasattr(sys.stdout, "buffer"):
        sys.stdout = sys.__stdout__


def drop_printed() -> None:
    """Drop what was printed and is still in the buffers of Python, so that a clean page can follow."""
    if sys.stdout is not None and hasattr(sys.stdout, "buffer") and not sys.stdout.closed:
        _take_back(sys.stdout)


def flush() -> None:
    """Send what was printed. Nobody waits for it if the client has disconnected."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except (OSError, ValueError):
        pass  # closed, or nobody reads it


def append(data: bytes) -> None:
    """Write to the end of an answer that was printed. Nobody waits for it if the client has
    disconnected.
    """
    try:
        write(sys.stdout.buffer, data)
        _drain_stdin()
    except OSError:
        _discard(sys.stdout)


def clear_frames(error: BaseException) -> None:
    """Let go of what the functions have held that an error has left."""
    place = error.__traceback__
    while place is not None:
        try:
            place.tb_frame.clear()
        except RuntimeError:
            pass  # it is still running
        place = place.tb_next


def answer_exhausted(error: BaseException) -> None:
    """Log an error and answer 500, with nothing that would have to be imported or opened: a script that
    has used up its descriptors or its memory can do neither.
    """
    places = [f"{type(error).__name__}: {str(error)[:200]!r}"]
    place = error.__traceback__
    while place is not None:
        places.append(f"  File {place.tb_frame.f_code.co_filename!r}, line {place.tb_lineno}")
        place = place.tb_next
    write_log("".join([f"[cgikit] {line}\n" for line in places[:1] + places[1:][-20:]]))
    name = environ().get("SCRIPT_NAME", "").rpartition("/")[2]
    start, end = (b"HTTP/1.0", b"\r\n") if name.startswith("nph-") else (b"Status:", b"\n")
    page = b"<!DOCTYPE html>\n<title>500 Internal Server Error</title>\n<p>The script failed.</p>\n"
    lines = [
        start + b" 500 Internal Server Error",
        b"Content-Type: text/html; charset=utf-8",
        b"",
        page,
    ]
    out = getattr(sys.stdout, "guarded", sys.stdout)
    try:
        setattr(out, _SENT, True)
        # Past the buffer of Python: to empty that, a descriptor is needed.
        os.write(out.fileno(), end.join(lines))
    except (OSError, ValueError, AttributeError):
        pass  # closed, or nobody reads it


class GuardedOutput:
    """Replaces `sys.stdout` while a handler runs: printing raises `StateError` immediately.

    What a handler prints would come before the header, or inside the body, and the answer would fail
    far from the line at fault. As a context manager it installs and removes itself.
    """

    def __init__(self) -> None:
        self.guarded = sys.stdout

    def write(self, text: str) -> int:
        """Refuse."""
        raise misuse(
            f"the handler printed {text[:60]!r}; return it in the response, or print it with "
            "file=sys.stderr"
        )

    def writelines(self, lines: "Iterable[str]") -> None:
        """Refuse."""
        self.write("".join(lines))

    @property
    def buffer(self) -> "BinaryIO":
        """Refuse: what is written there would be sent too."""
        raise misuse("the handler wrote to sys.stdout.buffer; return bytes in the response instead")

    def __getattr__(self, name: str) -> object:
        return getattr(self.guarded, name)

    def __enter__(self) -> None:
        sys.stdout = self

    def __exit__(self, *_: object) -> None:
        if sys.stdout is self:
            sys.stdout = self.guarded


def _take_back(out: "TextIO") -> bytes:
    """Return what was printed but not yet written, and empty the buffers.

    Python does not show what its buffers hold, so they are flushed into a pipe. Under `python -u`
    nothing is buffered.
    """
    try:
        fd = out.fileno()
    except (OSError, ValueError, AttributeError):
        return b""  # not a real file, as in a test or an interactive shell
    # Otherwise a write that would block is lost, and half of the answer with it.
    os.set_blocking(fd, True)
    saved = os.dup(fd)
    reader, writer = os.pipe()
    # On file systems with large blocks, Python's buffers are larger than a pipe.
    os.set_blocking(writer, False)
    taken = b""
    try:
        os.dup2(writer, fd)
        os.close(writer)
        while True:
            try:
                out.flush()
                break
            except BlockingIOError:
                taken += os.read(reader, 65_536)
    finally:
        os.dup2(saved, fd)
        os.close(saved)
    try:
        return taken + os.read(reader, 65_536)
    finally:
        os.close(reader)


def _leave_fast() -> None:
    """Arrange that this process ends without finalizing the interpreter, once the script has ended.

    That saves 2 of the 13 ms that a bare start and end of Python take. It is done only in a CGI process
    that was started as a script; whether something could be lost is then decided in `leaving.py`.
    """
    if not os.environ.get("REQUEST_METHOD") or "__file__" not in vars(sys.modules["__main__"]):
        return
    # Handlers run in reverse: one that was registered before would come after this one, and be lost.
    # Those of `uncaught.py` are for scripts that send nothing.
    if exit_handlers() == getattr(sys.stdout, _ENDS, 0):
        import atexit

        atexit.register(_leave)


def exit_handlers() -> int | None:
    """Return how many exit handlers are registered (int); None where this Python does not say."""
    import atexit

    count = getattr(atexit, "_ncallbacks", None)
    return None if count is None else count()


def _leave() -> None:
    from . import leaving

    leaving.leave_script()


def write_log(text: str, stream: "TextIO | None" = None) -> None:
    """Write lines to the log: standard error, or `stream`. A log that cannot be written to loses them,
    and nothing else: no answer fails because of it.
    """
    try:
        stream = stream or sys.stderr
        if stream is not None:
            stream.write(text)
            stream.flush()
    except (OSError, ValueError):
        pass  # full, or closed


def _discard(out: "TextIO") -> None:
    # The rest of the buffer would fail again at exit, with a traceback in the log.
    try:
        fd = out.fileno()
    except (OSError, ValueError):
        return  # not a real file
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)
    out.flush()


def misuse(message: str) -> Exception:
    """Return the error for a script that sends its answer in a way that cannot work."""
    from .errors import StateError

    return StateError(message)
