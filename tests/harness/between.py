"""A place between the fronts of a site and its daemon, where a hand-over can be held up.

with Between(site) as between:
    with between.request("post.cgi", body) as handover:
        handover.until("ready")      # the child has said it, and the front does not know yet
        os.kill(handover.child, signal.SIGKILL)
        done = handover.finish()

What either side says is passed on as it is, with the descriptors; only the front's process id in the
child's *ready* is the one that the child would have seen without anybody between.
"""

import os
import select
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from accelerating import ENVIRONMENT, USER, Site
from serving import DEADLINE

#: What is in hand, in its order: the front has connected; the child has said that it is there; the
#: front has sent its message; the child is ready; the front has said *go*.
STEPS = ("connected", "here", "message", "ready", "go")


class Between:
    """The place between, as long as the context lasts. Requests are held up one at a time."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self._socket, self._real = site.place / "s", site.place / "t"

    def __enter__(self) -> Self:
        os.rename(self._socket, self._real)
        self._ours, theirs = socket.socketpair()
        self._pid = os.fork()
        if not self._pid:
            try:
                self._ours.close()
                self._be_user(theirs)
            finally:
                os._exit(1)
        theirs.close()
        self._listener = self._ask(b"L")
        self._listener.settimeout(DEADLINE)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.close()
        self._ours.close()
        os.waitpid(self._pid, 0)
        self._socket.unlink()
        with suppress(FileNotFoundError):  # the daemon has ended
            os.rename(self._real, self._socket)

    def _be_user(self, sock: socket.socket) -> None:
        """Listen and connect as the scripts' user, whom both sides expect. A child looks at the limits
        of the process that has connected: so this one stays.
        """
        if USER is not None:
            os.setgroups([])
            os.setgid(USER)
            os.setuid(USER)
        while command := sock.recv(1):
            with socket.socket(socket.AF_UNIX) as made:
                if command == b"L":
                    made.bind(os.fspath(self._socket))
                    made.listen(1)
                else:
                    try:
                        made.connect(os.fspath(self._real))
                    except OSError:
                        sock.send(b"-")
                        continue
                socket.send_fds(sock, [b"+"], [made.fileno()])
        os._exit(0)

    def _ask(self, command: bytes) -> socket.socket:
        self._ours.send(command)
        said, fds, _, _ = socket.recv_fds(self._ours, 1, 1)
        if said != b"+":
            raise ConnectionRefusedError
        return socket.socket(fileno=fds[0])

    def connect(self) -> socket.socket:
        """Connect to the daemon. `ConnectionRefusedError` if there is none."""
        return self._ask(b"C")

    @contextmanager
    def request(self, front: str, body: bytes) -> Iterator["Handover"]:
        """Start a POST request. Its body has no end before `finish`."""
        given = {**ENVIRONMENT, "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))}
        with self.site.start([self.site.folder / front], given) as process:
            assert process.stdin is not None
            process.stdin.write(body)  # less than a pipe holds
            process.stdin.flush()
            front_side, _ = self._listener.accept()
            with front_side:
                handover = Handover(self, process, front_side)
                try:
                    yield handover
                finally:
                    handover.close()
                    process.kill()  # unless it has ended, as it should have


class Handover:
    """One request. `step` is the one of STEPS that is in hand, or "end" for what comes after them;
    `child` is the process id of the daemon's child, 0 before it is ready.
    """

    def __init__(
        self, between: Between, process: "subprocess.Popen[bytes]", front: socket.socket
    ) -> None:
        self.process = process
        self.step = "connected"
        self.child = 0
        self._between = between
        self._front = front
        self._child: socket.socket | None = None
        self._held: tuple[socket.socket, bytes, list[int]] | None = None

    def until(self, step: str) -> bool:
        """Pass on what is said until this step is in hand; False if there will be none."""
        while self.step != step:
            if not self.advance():
                return False
        return True

    def advance(self) -> bool:
        """Pass on what is in hand, and wait for the next; False if a side has hung up."""
        self.pass_on()
        if self._child is None:
            try:
                self._child = self._between.connect()
            except ConnectionRefusedError:
                self.close()
                return False
        if self._front.fileno() < 0:
            return False
        ready, _, _ = select.select([self._front, self._child], [], [], DEADLINE)
        assert ready, f"nothing is said after {self.step}"
        said, fds = b"", list[int]()
        with suppress(ConnectionResetError):
            said, fds, _, _ = socket.recv_fds(ready[0], 1 << 18, 3)
        if not said:
            self.close()
            return False
        self._hold(ready[0], said, fds)
        return True

    def _hold(self, source: socket.socket, said: bytes, fds: list[int]) -> None:
        assert self._child is not None
        if source is self._front:
            self.step = "go" if said == b"G" else "message"
            self._held = self._child, said, fds
            return
        self.step = {b"H": "here", b"R": "ready"}.get(said[:1], "end")
        if self.step == "ready":
            self.child = int(said.split()[1])
            said = b"R %d %d\n" % (self.child, self.process.pid)
        self._held = self._front, said, fds

    def pass_on(self) -> None:
        """Pass on what is in hand, and wait for nothing."""
        if self._held is None:
            return
        target, said, fds = self._held
        self._held = None
        with suppress(BrokenPipeError, ConnectionResetError):
            socket.send_fds(target, [said], fds) if fds else target.send(said)
        for fd in fds:
            os.close(fd)  # the script's streams have no other owner

    def take_no_go(self) -> None:
        """Shut the end that *go* would be read from, as a child does that has waited too long."""
        self._front.shutdown(socket.SHUT_RD)

    def close(self) -> None:
        """Hang up on both sides."""
        if self._held is not None:
            for fd in self._held[2]:
                os.close(fd)
            self._held = None
        self._front.close()
        if self._child is not None:
            self._child.close()

    def finish(self) -> "subprocess.CompletedProcess[bytes]":
        """End the body, pass on the rest, and wait for the end of the front."""
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdin = None
        while self.advance():
            pass
        out, err = self.process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess([], self.process.returncode, out, err)
