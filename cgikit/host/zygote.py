"""The process that is forked for every request: it holds modules ready and does nothing else.

After a fork, each page of memory that parent or child writes to has to be copied, and that is most of
what a request costs. So the process that forks is not the one that deals with connections (which is
`worker.py`): it imports little, and between two forks it runs a dozen lines. A child takes what it has
to run from the message that was meant for it.

Messages on the socket to the worker, each with its length in front:
- to here, with the script's three descriptors: what to run, as `marshal` writes it (see `Order`);
- to here, without descriptors: process ids, four bytes each, of children to reap;
- from here: 8 bytes, a child's slot and its process id (negative: the errno of the failed fork); or
  slot + 2**31 and how it ended, as `os.waitstatus_to_exitcode` has it plus 1,000, for a child that was
  reaped; or 0 there for one that lives.

The table is memory that supervisor, worker and children share: two numbers for each slot, the child's
process id, and its exit status plus one once it has left by itself.
"""

import gc
import marshal
import mmap
import os
import socket
import sys
import time

from . import preload, warm

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

MAX_SOURCE = 4 << 20  # bytes; a larger file is data behind a `#!` line, not a script to keep
MAX_CODES = 1_000
LEARNT_SIZE = 65_536  # bytes for the names of learnt modules at the end of the table
SLOTS = 1_024
TABLE = SLOTS * 8 + LEARNT_SIZE
ENDED = 1 << 31


class Zygote:
    """The forking end of a worker. `sock` leads to the worker, `table` is shared with it."""

    def __init__(self, sock: socket.socket, table: mmap.mmap, settings: "dict[str, Any]") -> None:
        self.sock = sock
        self.memory = table
        self.table = memoryview(table)[: SLOTS * 8].cast("i")
        self.limits = warm.limits(settings)
        self.codes: dict[str, tuple[object, CodeType | None]] = {}
        self.learner = preload.Learner()

    def run(self) -> None:
        """Fork and reap as told until the worker is gone. A child comes out by `warm.Leave`."""
        recvmsg, fork = self.sock.recvmsg, os.fork
        while True:
            try:
                head, ancillary, _, _ = recvmsg(4, 64)
            except ConnectionResetError:  # the worker ended with answers of ours unread
                return
            if not head:
                return
            size = int.from_bytes(head + exactly(self.sock, 4 - len(head)), "big")
            if size & ENDED:
                self._reap(exactly(self.sock, size ^ ENDED))
                continue
            fds = ancillary[0][2]
            stdin, stdout, stderr = (
                int.from_bytes(fds[i : i + 4], sys.byteorder) for i in (0, 4, 8)
            )
            data = exactly(self.sock, size)
            small = 4 + int.from_bytes(data[:4], "big")
            slot, file, stamp, is_warm = marshal.loads(data[4:small])  # noqa: S302 -- our worker's
            code = self._code(file, stamp) if is_warm else None
            try:
                pid = fork()
            except OSError as error:
                pid = -(error.errno or 1)
            if not pid:
                self._child(slot, file, code, data[small:], (stdin, stdout, stderr))
            os.close(stdin)
            os.close(stdout)
            os.close(stderr)
            self.sock.send(slot.to_bytes(4, "big") + pid.to_bytes(4, "big", signed=True))

    def _code(self, file: str, stamp: object) -> "CodeType | None":
        """Return the compiled script. What cannot be compiled has none: started anew, it says why."""
        known = self.codes.get(file)
        if known is not None and known[0] == stamp and stamp is not None:
            return known[1]
        code = None
        try:
            with open(file, "rb") as stream:
                source = stream.read(MAX_SOURCE + 1)
            if len(source) <= MAX_SOURCE:
                code = compile(source, file, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError):  # ValueError: NUL bytes
            pass
        if len(self.codes) >= MAX_CODES:
            self.codes.clear()
        self.codes[file] = stamp, code
        gc.freeze()
        return code

    def _reap(self, data: bytes) -> None:
        """Reap children that have ended, after ending what is left of their process groups: until a
        child is reaped its number cannot become another group's.
        """
        for at in range(0, len(data), 8):
            slot = int.from_bytes(data[at : at + 4], "big")
            pid = int.from_bytes(data[at + 4 : at + 8], "big")
            answer = 0
            try:
                if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None:
                    os.killpg(pid, 9)
                    answer = 1_000 + os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except ProcessLookupError:  # it had not made its group yet
                answer = 1_000 + os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except ChildProcessError:
                answer = 1_000
            self.sock.send((slot | ENDED).to_bytes(4, "big") + answer.to_bytes(4, "big"))

    def _child(
        self,
        slot: int,
        file: str,
        code: "CodeType | None",
        data: bytes,
        descriptors: tuple[int, int, int],
    ) -> None:
        """Become what runs the script. Returns never."""
        try:
            pid = os.getpid()
            self.table[slot * 2] = pid
            os.setsid()  # a group of its own to end, and no terminal of the server's
            warm.descriptors(*descriptors)
            warm.limit(self.limits)
            directory, words, names, values = marshal.loads(data)  # noqa: S302 -- our worker's

            def ended(status: int) -> None:
                self.table[slot * 2 + 1] = status + 1

            if code is not None:
                warm.run(file, code, directory, words, names, values, self._report, ended)
            variables = dict(zip(names, values, strict=True))
            warm.execute(file, words, {**os.environb, **variables})
        except warm.Leave:
            self.sock.detach()  # its number may be that of a file of the script's by now
            raise
        except BaseException as error:
            told = f"cannot start: {type(error).__name__}: {error}\n"
            os.write(2, told.encode("utf-8", "backslashreplace"))
            os._exit(127)
        os._exit(127)  # not reached

    def _report(self) -> None:
        """In a child whose script has ended: say what it had to import."""
        names = "\0".join(self.learner.learnt()).encode("utf-8", "replace")
        if names and len(names) <= LEARNT_SIZE - 8:
            at = SLOTS * 8
            self.memory[at + 4 : at + 8] = bytes(4)
            self.memory[at : at + 4] = os.getpid().to_bytes(4, "big")
            self.memory[at + 8 : at + 8 + len(names)] = names
            self.memory[at + 4 : at + 8] = len(names).to_bytes(4, "big")


def exactly(sock: socket.socket, size: int) -> bytes:
    """Receive so many bytes; end the process where the other end is gone."""
    data = sock.recv(size) if size else b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            sys.exit(0)
        data += more
    return data


def rehearse() -> None:
    """Answer some requests with the library alone. Python rewrites what it has run a few times into a
    faster form; done here, no child has to, and to copy the memory for it.
    """
    import io

    from cgikit.html import escape
    from cgikit.request import Request
    from cgikit.script import respond

    variables = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": "name=a%20b&x=1",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "/",
    }
    for _ in range(40):
        request = Request(variables, io.BytesIO())
        answer = respond(lambda r: escape(r.query.get("name", "")), request).answer(request)
        b"".join(answer[2])
        request.close()


def main() -> int:
    """Hold modules ready and fork until the worker is gone. The words are the descriptors of the
    socket and of the table. Return the exit status: that of a script in a child that leaves this way.
    """
    began = time.time_ns()
    os.environ.pop("LD_BIND_NOW", None)
    sock, table = int(sys.argv[1]), int(sys.argv[2])
    os.set_inheritable(sock, False)
    memory = mmap.mmap(table, TABLE)
    os.close(table)
    # A map closes a descriptor of its own when it ends. In a child that number is a file of the
    # script's: kept in this list, the map ends after the modules are gone and their files written
    os.register_at_fork(after_in_child=memory.__len__)
    channel = socket.socket(fileno=sock)
    size = int.from_bytes(exactly(channel, 4), "big")
    settings = marshal.loads(exactly(channel, size))  # noqa: S302 -- our parent's
    outcome: tuple[list[str], list[str]] = [], []
    if settings["warm"]:
        outcome = preload.load([*preload.OWN, *settings["preload"]], settings["learnt"])
        rehearse()
    data = marshal.dumps((preload.held(began), *outcome))
    channel.sendall(len(data).to_bytes(4, "big") + data)
    del data, outcome
    zygote = Zygote(channel, memory, settings)
    gc.collect()
    gc.freeze()
    gc.disable()  # children have it; here everything is freed by its count
    try:
        zygote.run()
    except warm.Leave as left:
        return left.status
    os._exit(0)
