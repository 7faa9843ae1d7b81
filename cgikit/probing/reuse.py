"""Whether the process of a script can serve several requests, and what it leaves behind if it cannot.

The script is run by `cgikit scgi --reuse` itself, with sample requests, and the gateway's log says what
was seen. How a change is seen is in `cgikit.warm`.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from typing import Any

from ..checking.account import Account
from ..checking.finding import Finding
from ..gateway.scgi import encode_request

SECONDS = 30.0  # for all requests
QUIET = 12  # requests without a word in the log, after which nothing more is expected
_STARTING = 20.0  # seconds for the gateway
_ANSWER = 10.0  # seconds for one request
_RECENT = 2.6  # seconds for which a file that was written might change again unnoticed
_LEARNING = 3.0  # seconds without a request, in which workers preload what they have learnt
_KEPT = 3  # requests that one process has to serve after another
_KEEPING = 10.0  # seconds in which it has to have done that
_PAUSE = 0.05  # seconds between two requests: workers are replaced meanwhile
_REASON = re.compile(r": its process serves no other request: (.*)")
_GIVEN_UP = ": it gets a new process for each request"
_COLD = re.compile(r" runs in an interpreter of its own: (.*)")
_IMPORTED = "it imported "
_BY_ITSELF = "Run it without --reuse: nobody can see what C code keeps for the next request."
#: What to do about a reason, by a part of it.
_FIXES = {
    "left a file": "Close what it opens, best by `with open(...) as file`.",
    "thread was still running": "Let it wait for the thread: thread.join().",
    "started a process": "Let it wait for the process, as subprocess.run() does.",
    "C code": _BY_ITSELF,
    "by ctypes": _BY_ITSELF,
    "written in C": _BY_ITSELF,
}


class Reuse:
    """What sample requests have shown of a script. `.asked` is how many there were (int), `.reasons`
    why a process served no other request (list of str), `.is_reused` whether one waits for the next
    request (bool), `.is_given_up` whether none is tried any more (bool), `.cold` why the script does
    not run warm at all (str, "" if it does).
    """

    def __init__(self) -> None:
        self.asked = 0
        self.reasons: list[str] = []
        self.is_reused = False
        self.is_given_up = False
        self.cold = ""

    def findings(self, file: str) -> list[Finding]:
        """Return what keeps a process from serving several requests (list of `Finding`), none if
        nothing does.
        """
        if self.cold:
            what = f"It does not run warm, so --reuse changes nothing: {self.cold}."
            return [Finding("not-warm", what, is_error=False, file=file)]
        if self.is_reused:
            return []
        lasting = [reason for reason in self.reasons if not reason.startswith(_IMPORTED)]
        return [
            Finding(
                "not-reused",
                f"With --reuse its process serves one request only: {reason}.",
                is_error=False,
                fix=_advice(reason),
                file=file,
            )
            for reason in lasting or self.reasons or ["no second request was served in time"]
        ]


def _advice(reason: str) -> str:
    """Return what to do about a reason for which a process serves no other request (str)."""
    for part, fix in _FIXES.items():
        if part in reason:
            return fix
    return "Keep what belongs to a request in the script; put back what it changes elsewhere."


def try_reuse(file: str, account: Account) -> Reuse:
    """Run a script for sample requests from processes that may serve several, as `account` if this
    process is root's. Return what was seen. `OSError` if the gateway cannot be started.
    """
    found = Reuse()
    with tempfile.TemporaryDirectory(prefix="cgikit-") as place:
        address = os.path.join(place, "socket")
        other: dict[str, Any] = {}
        if os.geteuid() == 0 and account.uid != 0:
            os.chown(place, account.uid, account.gid)
            groups = sorted(account.groups)
            other = {"user": account.uid, "group": account.gid, "extra_groups": groups}
        words = [sys.executable, "-m", "cgikit", "scgi", os.path.realpath(file)]
        words += ["--socket", address, "--workers", "1", "--reuse", "*", "--prefix", "/"]
        process = subprocess.Popen(  # noqa: S603 -- our own program
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd="/",  # Python would take modules from here
            process_group=0,
            **other,
            bufsize=0,
        )
        try:
            _observe(process, address, file, found)
        finally:
            _end(process)
    return found


def _observe(process: "subprocess.Popen[bytes]", address: str, file: str, found: Reuse) -> None:
    end = time.monotonic() + SECONDS
    _wait_for(process, address)
    time.sleep(max(0.0, min(_RECENT, os.stat(file).st_ctime + _RECENT - time.time())))
    quiet, text = 0, b""
    stream = process.stdout
    if stream is None:
        return
    os.set_blocking(stream.fileno(), False)
    rested = False
    while time.monotonic() < end:
        if quiet >= QUIET:
            if rested or not found.is_given_up:
                break
            # It may be its first import of a module that was seen: new workers have it preloaded
            rested, found.is_given_up, quiet = True, False, 0
            time.sleep(_LEARNING)
        _ask(address)
        found.asked += 1
        time.sleep(_PAUSE)
        quiet += 1
        with contextlib.suppress(BlockingIOError):
            text += os.read(stream.fileno(), 1 << 16)
        *lines, text = text.split(b"\n")
        for line in lines:
            if _note(line.decode("utf-8", "replace"), found):
                quiet = 0
    found.is_reused = not found.is_given_up and not found.cold and _is_kept(process.pid, address)


def _note(line: str, found: Reuse) -> bool:
    """Take a line of the log; return whether it is one about this."""
    if reason := _REASON.search(line):
        found.is_given_up = False
        if reason[1] not in found.reasons:
            found.reasons.append(reason[1])
    elif _GIVEN_UP in line:
        found.is_given_up = True
    elif cold := _COLD.search(line):
        found.cold = cold[1]
    else:
        return False
    return True


def _is_kept(gateway: int, address: str) -> bool:
    """Whether a process of the script serves one request after another: no other one was forked for
    them. On a busy machine it may take some attempts, because a process that still checks itself
    serves nobody.
    """
    end = time.monotonic() + _KEEPING
    same, before = 0, set[int]()
    while same < _KEPT and time.monotonic() < end:
        _ask(address)
        time.sleep(_PAUSE)
        now = _forked(gateway)
        same = same + 1 if now and now == before else 0
        before = now
    return same == _KEPT


def _forked(gateway: int) -> set[int]:
    """Return the processes of the script: the living children of the process that forks."""
    with contextlib.suppress(OSError):
        for pid in _children(gateway):
            with open(f"/proc/{pid}/cmdline", "rb") as stream:
                if b"warm.zygote" in stream.read(4_096):
                    return {child for child in _children(pid) if _lives(child)}
    return set()


def _lives(pid: int) -> bool:
    """Whether a process has not ended; one that waits to be reaped has."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/stat", "rb") as stream:
        return stream.read(4_096).rpartition(b") ")[2][:1] not in {b"Z", b"X", b""}
    return False


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children", "rb") as stream:
        return [int(word) for word in stream.read(65_536).split()]


def _wait_for(process: "subprocess.Popen[bytes]", address: str) -> None:
    end = time.monotonic() + _STARTING
    while process.poll() is None and time.monotonic() < end:
        try:
            _connected(address).close()
        except OSError:
            time.sleep(_PAUSE)
        else:
            return
    raise OSError("the gateway that would run it did not start")


def _connected(address: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(_ANSWER)
    try:
        sock.connect(address)
    except BaseException:
        sock.close()
        raise
    return sock


def _ask(address: str) -> None:
    """Make a request; what is answered does not matter here."""
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1", "QUERY_STRING": "", "REMOTE_ADDR": "127.0.0.1",
        "REQUEST_METHOD": "GET", "REQUEST_URI": "/", "SCRIPT_NAME": "/", "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_SOFTWARE": "cgikit check",
    }  # fmt: skip
    with contextlib.suppress(OSError), _connected(address) as sock:
        sock.sendall(encode_request(variables, b""))
        while sock.recv(1 << 16):
            pass


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_ANSWER)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_ANSWER)
    if process.stdout is not None:
        process.stdout.close()
