"""Measures the same request in other ways beside CGI: warm, and by a persistent process.

Each way is what users run: the engine of `cgikit fastcgi` (docs/reference/warm.md), and the script
itself on a listening socket (docs/reference/persistent.md), in processes that are ended at the end.
Requests go over a UNIX socket that only this user can reach. Nothing is computed: what is not
measured has a reason instead.
"""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

from ..checking.account import Account
from ..gateway.listener import listen
from ..regularfile import open_regular
from ..warm.program import Programs, runs_python
from .asking import Unanswered, ask
from .server import SETTLING, TIMEOUT
from .way import Way

WARMING_UP = {"warm": 2, "persistent": 1}  # requests before the ones that are measured
SECONDS = 10.0  # for the measured requests of one way, after which no more are sent
_STARTING = 60.0  # seconds for a server to be ready
_ENDING = 30.0  # seconds for it to end; then it is killed
_MAX_SOURCE = 1 << 20  # bytes of a script that are read
_PACKAGE = str(Path(__file__).resolve().parent.parent.parent)
_LONGEST = 500  # words of an import
_CODE = (
    "import sys; sys.path[0] = sys.argv.pop(1); from cgikit.tracing.server import main; "
    "sys.exit(main())"
)


class TracedRequest:
    """A request to a script: its `.file` (str), the `.base` of the environment, which a script gets
    with every request, the `.variables` of this one (mappings of str to str), its `.body` (bytes), and
    the `.user` who runs the script if this process is root's (`Account` or None).
    """

    def __init__(
        self,
        file: str,
        base: Mapping[str, str],
        variables: Mapping[str, str],
        body: bytes = b"",
        user: Account | None = None,
    ) -> None:
        self.file = os.path.abspath(file)
        self.base = base
        self.variables = variables
        self.body = body
        self.user = user


def why_not(request: TracedRequest) -> dict[str, str]:
    """Return for warm and persistent why a script cannot be run in that way (dict of str); "" if it
    probably can. Nothing is run.
    """
    path = request.base.get("PATH", os.defpath)
    try:
        program = Programs(path).get(request.file, os.stat(request.file))
    except OSError as error:  # it has removed itself
        why = f"after its first run the script cannot be found: {error.strerror}"
        return {"warm": why, "persistent": why}
    persistent = ""
    if not runs_python(request.file):
        persistent = "it is not a Python script"
    elif not calls_run(_source(request.file)):
        persistent = "it does not call cgikit's run()"
    return {"warm": program.why, "persistent": persistent}


def compare(
    request: TracedRequest,
    runs: int,
    done: Callable[[], None] = lambda: None,
    *,
    seconds: float = TIMEOUT,
) -> list[Way]:
    """Run the script warm and as a persistent process, `runs` times each and as often as `WARMING_UP`
    says before, and return what that took (list of two `Way`). `done` is called after each request.
    `seconds` is the time limit of a request.
    """
    ways = []
    for name, why in why_not(request).items():
        way = Way(name, why)
        if not why:
            try:
                with _Server(request, name) as server:
                    _measure(way, server, runs, done, seconds)
            except Unanswered as error:
                way.why_not = str(error)
            except OSError as error:
                file = f"{error.filename}: " if error.filename else ""
                way.why_not = f"it cannot be started: {file}{error.strerror or error}"
        if way.why_not:
            way.requests.clear()
        ways.append(way)
    return ways


def _measure(
    way: Way, server: "_Server", runs: int, done: Callable[[], None], seconds: float
) -> None:
    for _ in range(WARMING_UP[way.name]):
        server.ask(seconds)
        done()
        if way.name == "warm":
            server.settle()
    end = time.monotonic() + SECONDS
    for _ in range(runs):
        way.requests.append(server.ask(seconds))
        done()
        if time.monotonic() > end:
            break
    way.why_not = server.cold()


class _Server:
    """A process that answers requests to the script in one way, until the end of the `with` block."""

    def __init__(self, request: TracedRequest, kind: str) -> None:
        self._request = request
        self._kind = kind
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()  # not ended here, but at the end of the block
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="cgikit-trace-"))  # 0700
        self._address = os.path.join(place, "socket")
        self._log = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 -- the stack's
        self._channel, theirs = socket.socketpair()
        stack.enter_context(self._channel)
        self._channel.settimeout(_STARTING)
        with theirs, contextlib.closing(listen(self._address)) as listener:
            self._process = self._popen(theirs.fileno(), listener.fileno())
        stack.callback(self._end)
        self._hear()

    def _popen(self, channel: int, listener: int) -> "subprocess.Popen[bytes]":
        request = self._request
        user = request.user if not os.geteuid() else None
        words = [sys.executable, "-c", _CODE, _PACKAGE, self._kind, request.file, str(channel)]
        return subprocess.Popen(  # noqa: S603 -- our own interpreter
            words,
            stdin=listener,
            stdout=subprocess.DEVNULL,
            stderr=self._log if self._kind == "warm" else subprocess.DEVNULL,
            env=dict(request.base),
            cwd=os.path.dirname(request.file),
            pass_fds=[channel],
            start_new_session=True,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=sorted(user.groups) if user else None,
        )

    def ask(self, seconds: float) -> tuple[float, float]:
        """Send the request; return when the first byte and the end of the answer came (float,
        microseconds). Raises `Unanswered`, also if the script fails.
        """
        request = self._request
        answer = ask(self._address, request.variables, request.body, seconds)
        if answer.status >= 500:  # the engine makes such a page of a script that fails
            raise Unanswered(f"it answered {answer.status}")
        if answer.exit_status:
            raise Unanswered(f"it ended with exit status {answer.exit_status}")
        return answer.first, answer.total

    def settle(self) -> None:
        """Wait until the engine has preloaded what it has learnt from the requests so far."""
        self._channel.settimeout(SETTLING + _STARTING)
        with contextlib.suppress(BrokenPipeError):
            self._channel.sendall(b"s")
        self._hear()

    def cold(self) -> str:
        """Return why the engine did not run the script warm (str), "" if it did."""
        self._log.seek(0)
        for line in self._log.read(_MAX_SOURCE).decode("utf-8", "replace").splitlines():
            before, mark, why = line.partition(" runs in an interpreter of its own: ")
            if mark and before.endswith(self._request.file):
                return why
        return ""

    def _hear(self) -> None:
        """Wait for the other process to say something."""
        try:
            said = self._channel.recv(1)
        except OSError:  # too late, or the connection broke
            said = b""
        if not said:
            raise Unanswered("its server did not become ready")

    def _end(self) -> None:
        """Have the process end with all that it has started."""
        self._channel.close()
        try:
            self._process.wait(_ENDING)
        except subprocess.TimeoutExpired:
            self._process.kill()  # its workers notice
            self._process.wait(_ENDING)


def calls_run(source: bytes) -> bool:
    """Whether a Python script seems to call the `run` of cgikit (bool), so that it can be persistent.
    It is only read for that, not parsed: a parser has no time limit.
    """
    for sign in (b"(", b")", b",", b";", b"\n"):
        source = source.replace(sign, b" ; " if sign == b"\n" else b" " + sign + b" ")
    words = source.split()
    names: set[bytes] = set()
    for at, word in enumerate(words):
        if word == b"from" and words[at + 1 : at + 2] in ([b"cgikit"], [b"cgikit.script"]):
            names |= _imported(words[at + 2 : at + 2 + _LONGEST])
        elif word == b"import" and words[at + 1 : at + 2] in ([b"cgikit"], [b"cgikit.script"]):
            given = (
                words[at + 3 : at + 4]
                if words[at + 2 : at + 3] == [b"as"]
                else words[at + 1 : at + 2]
            )
            names |= {name + b".run" for name in given}
    return any(word in names and words[at + 1 : at + 2] == [b"("] for at, word in enumerate(words))


def _imported(words: list[bytes]) -> set[bytes]:
    """Return the names that `run` gets by the words after "from cgikit"."""
    closing = b")" if words[1:2] == [b"("] else b";"
    names = words[1 : words.index(closing)] if closing in words else words[1:]
    found = set()
    for at, word in enumerate(names):
        if word == b"run" and names[at - 1] != b"as":
            found.add(
                names[at + 2] if names[at + 1 : at + 2] == [b"as"] and at + 2 < len(names) else word
            )
    return found


def _source(file: str) -> bytes:
    try:
        with open(open_regular(file, follow=True, patience=0), "rb") as stream:
            return stream.read(_MAX_SOURCE)
    except OSError:
        return b""
