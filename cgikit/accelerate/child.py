"""The daemon's child: it becomes the script of one request, or says that the front has to run it.

Until the front says *go*, nothing here reads standard input or runs a line of the script.
"""

# Without their faces in Python, as in `warm/interpreter.py`
import _signal as signal  # type: ignore[import-not-found]
import io
import os
import sys
import time
from _socket import SHUT_RD, SOL_SOCKET, socket

from .. import leaving
from ..warm import interpreter
from . import likeness, message
from .scripts import Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import TextIO

    from ..warm.preload import Learner
    from ..warm.slottable import SlotTable
    from .scripts import Scripts

PATIENCE = 10.0  # seconds for a message, and then for *go*
#: In the table, instead of a status: the front has said *go*.
RUNNING = -1
_PEER = 17  # SO_PEERCRED of Linux: process, user and group, four bytes each
_NUMBER = 255  # of the connection while the script runs: its own files get the usual ones


class Child:
    """One child over its connection. `news` is where it tells the daemon something, `own` are the
    variables that the daemon started with, `added` those that its interpreter has added.
    """

    def __init__(
        self,
        connection: socket,
        scripts: "Scripts",
        table: "SlotTable",
        learner: "Learner",
        news: int,
        own: "dict[bytes, bytes]",
        added: "dict[bytes, bytes]",
        c_runs: bool,
    ) -> None:
        self._connection = connection
        self._scripts = scripts
        self._table = table
        self._learner = learner
        self._news = news
        self._own = own
        self._added = added
        self._c_runs = c_runs
        self._streams: list[int] = []
        self._about = ""
        # Before the limits are the front's: what is open has numbers that these would not allow
        self._most = interpreter.most_descriptors()

    def live(self, slot: int) -> int:
        """Serve the request. It ends this process, or raises `interpreter.Leave` to have it end in
        Python's own way.
        """
        mark = leaving.Mark()
        try:
            told, code, directory = self._prepare()
            self._await_go()
        except (OSError, ValueError, Refused) as error:
            if not isinstance(error, ConnectionError):  # `--status` has looked who is here, say
                self._tell(f"direct {self._about}{_line(error)}")  # before its front may end it
            self._say(f"D {_line(error)}\n")
            os._exit(0)
        self._table.statuses[slot] = RUNNING
        own = os.getpid()
        kept = _NUMBER
        os.dup2(self._connection.fileno(), kept, inheritable=False)
        self._connection.detach()
        identity = _identity(kept)
        stdin, stdout, stderr = self._streams
        interpreter.descriptors(stdin, stdout, stderr, 3, kept)
        os.closerange(kept + 1, self._most)
        streams = _new_stdin()
        _forget_environment()
        try:
            status = self._run(told, code, directory, mark, streams)
        except interpreter.Leave as left:
            if os.getpid() == own:
                _send(kept, identity, f"P {left.status}\n")
            raise
        self._table.statuses[slot] = status + 1
        _send(kept, identity, f"E {status}\n")
        os._exit(status)

    def _run(
        self,
        told: message.Message,
        code: "CodeType",
        directory: str,
        mark: leaving.Mark,
        streams: "list[TextIO]",
    ) -> int:
        file = os.fsdecode(told.script)
        for name, value in self._added.items():
            if name not in told.names:
                told.names.append(name)
                told.values.append(value)
        words = [os.fsdecode(word) for word in told.arguments]
        status = interpreter.run(file, code, directory, words, told.names, told.values)
        learnt = self._learner.learnt()
        if learnt:
            self._table.write_names(os.getpid(), learnt)
        interpreter.run_exit_handlers()
        return interpreter.finish(status, mark, self._learner.names, 4, self._c_runs, streams)

    # --- before *go* --------------------------------------------------------------------------

    def _prepare(self) -> "tuple[message.Message, CodeType, str]":
        """Return what to run. `Refused`, `OSError` or `ValueError` if that must be the front's work."""
        self._connection.settimeout(PATIENCE)
        self._connection.send(b"H\n")
        data = self._read()
        told = message.unpack(data)
        file = os.fsdecode(told.script)
        self._about = f"{file}: "
        beside = os.stat(os.path.dirname(file) or "/")
        if not os.path.samestat(os.stat(os.fsdecode(told.directory)), beside):
            raise Refused("the working directory is not the script's")
        differing = likeness.difference(self._own, told.names, told.values)
        if differing:
            raise Refused(f"{differing} is not as it was when the daemon started")
        directory = self._scripts.directory(file)
        if not self._scripts.is_known(file):
            self._tell(f"new {file}")
        code = self._scripts.code(file)
        front = int.from_bytes(
            self._connection.getsockopt(SOL_SOCKET, _PEER, 12)[:4], sys.byteorder
        )
        likeness.take_limits(front)
        if interpreter.most_descriptors() <= _NUMBER:
            raise Refused(f"it may open no more than {interpreter.most_descriptors()} files")
        os.umask(told.umask)
        self._connection.send(f"R {os.getpid()} {front}\n".encode())
        return told, code, directory

    def _read(self) -> bytes:
        """Return the message, and keep the descriptors that come with it."""
        head, ancillary, _, _ = self._connection.recvmsg(message.HEAD, 64)
        for _, _, fds in ancillary:
            self._streams += [
                int.from_bytes(fds[at : at + 4], sys.byteorder) for at in range(0, len(fds), 4)
            ]
        data = bytearray(head)
        if not data:
            raise ConnectionAbortedError("the front is gone")
        size = message.size_of(self._exactly(data, message.HEAD))
        del data[: message.HEAD]
        self._exactly(data, size)
        if len(self._streams) != 3:
            raise ValueError(f"the message came with {len(self._streams)} descriptors, not 3")
        return bytes(data)

    def _exactly(self, data: bytearray, size: int) -> bytes:
        end = time.monotonic() + PATIENCE
        while len(data) < size:
            piece = self._connection.recv(size - len(data))
            if not piece or time.monotonic() > end:
                raise OSError("the message of the front is not whole")
            data += piece
        return bytes(data[:size])

    def _await_go(self) -> None:
        """Return once the front has said *go*; `OSError` if it never will."""
        try:
            said = self._connection.recv(1)
        except TimeoutError:
            # From here on the front cannot say it; it may have, a moment ago
            self._connection.shutdown(SHUT_RD)
            said = self._connection.recv(1)
        if said != b"G":
            raise OSError("the front ran the script itself")

    def _say(self, text: str) -> None:
        try:
            self._connection.send(text.encode("utf-8", "replace"))
        except OSError:
            pass  # the front is gone

    def _tell(self, text: str) -> None:
        """Tell the daemon; short enough to be written whole."""
        try:
            os.write(self._news, os.fsencode(text.replace("\n", " "))[:2_000] + b"\n")
        except OSError:
            pass


def born(signals: "likeness.Signals") -> None:
    """In a child, first: be the leader of a group, and handle signals as a fresh interpreter does that
    the server has started: `signals` are those that it ignores and those that it blocks.
    """
    os.setsid()
    signal.set_wakeup_fd(-1)
    ignored, blocked = signals
    for number in likeness.HANDLED:
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
    if signal.SIGINT not in ignored:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if blocked:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


def _new_stdin() -> "list[TextIO]":
    """Make `sys.stdin` anew if it can be read twice, as a server's file can; return it. The daemon's
    stands on a pipe, and remembers that it cannot.
    """
    old = sys.__stdin__
    try:
        os.lseek(0, 0, os.SEEK_CUR)
    except OSError:
        return []
    if old is None:
        return []
    raw = open(0, "rb", closefd=False)  # noqa: SIM115 -- it stays open
    new = io.TextIOWrapper(raw, old.encoding, old.errors, newline="\n")
    vars(raw.raw).update(name="<stdin>")
    vars(new).update(mode="r")
    sys.stdin = sys.__stdin__ = new  # type: ignore[misc]
    return [new]


def _forget_environment() -> None:
    """Remove the daemon's own variables: the script has those of its request and no others."""
    for name in list(os.environb):
        del os.environb[name]


def _identity(fd: int) -> tuple[int, int]:
    found = os.fstat(fd)
    return found.st_dev, found.st_ino


def _send(fd: int, identity: tuple[int, int], text: str) -> None:
    """Say how the script ended, unless the script has closed the connection and uses its number."""
    try:
        if _identity(fd) == identity:
            os.write(fd, text.encode())
    except OSError:
        pass  # the front is gone, or the script has closed everything: the daemon says it


def _line(error: BaseException) -> str:
    text = getattr(error, "strerror", "") or str(error)
    return text.replace("\n", " ")[:300] or type(error).__name__
