"""Whether a request may run in a child of this daemon: what is fixed when an interpreter starts.

A variable that the interpreter, the loader or the C library reads when a process starts must be what it
was when the daemon started, since no child can start again. Everything else, the child takes over
from the front: limits, niceness, umask.
"""

# Without its face in Python, as in `warm/interpreter.py`
import _signal as signal  # type: ignore[import-not-found]
import os
import re
import resource
import sys
from _socket import SOL_SOCKET
from errno import ENOPROTOOPT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _socket import socket
    from collections.abc import Iterable, Mapping

    #: The signals that a process ignores, of those in HANDLED, and those that it blocks.
    Signals = tuple[frozenset[int], frozenset[int]]

#: Variables that are read when a process starts. HOME is one: site-packages of the user lie there.
_AT_START = re.compile(
    rb"PATH|HOME|TZ|LANG|LANGUAGE|LC_[A-Z]+|PYTHON\w*|LD_\w+|GLIBC_TUNABLES|MALLOC_\w+|GCONV_PATH|LOCPATH",
    re.DOTALL,
)
#: Those of Python that make no difference between a process that starts and a child.
_HARMLESS = frozenset(
    b"PYTHONPATH PYTHONHOME PYTHONUTF8 PYTHONIOENCODING PYTHONDONTWRITEBYTECODE PYTHONUNBUFFERED"
    b" PYTHONHASHSEED PYTHONWARNINGS PYTHONOPTIMIZE PYTHONNOUSERSITE PYTHONUSERBASE"
    b" PYTHONCOERCECLOCALE PYTHONPYCACHEPREFIX".split()
)
#: Signals that a daemon handles, and of which a child must not know it.
HANDLED = (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PEERGROUPS = 59  # SO_PEERGROUPS of Linux
_MOST_GROUPS = 1_024  # bytes, four for each
_KINDS = sorted({value for name, value in vars(resource).items() if name.startswith("RLIMIT_")})


def of_this_process() -> tuple[dict[bytes, bytes], dict[bytes, bytes]]:
    """Return the variables that were read when this process started, and those that its interpreter
    has added: LC_CTYPE where the locale is C (PEP 538).
    """
    with open("/proc/self/environ", "rb") as stream:
        entries = [entry.partition(b"=") for entry in stream.read().split(b"\0")]
    given = at_start({name: value for name, _, value in entries})
    own = at_start(os.environb)
    for values in (given, own):
        values.pop(b"LD_BIND_NOW", None)  # of the front
    return given, {name: value for name, value in own.items() if name not in given}


def at_start(variables: "Mapping[bytes, bytes]") -> dict[bytes, bytes]:
    """Return those of some variables that are read when a process starts."""
    return {name: value for name, value in variables.items() if _AT_START.fullmatch(name)}


def difference(
    own: "Mapping[bytes, bytes]", names: "Iterable[bytes]", values: "Iterable[bytes]"
) -> str:
    """Return the name of a variable (str) because of which a request cannot run here, or "".

    `own` is what `at_start` returned when the daemon started.
    """
    theirs = at_start(dict(zip(names, values, strict=True)))
    for name in theirs:
        if name.startswith(b"PYTHON") and name not in _HARMLESS:
            return os.fsdecode(name)
    if theirs == own:
        return ""
    differing = {name for name, _ in own.items() ^ theirs.items()}
    return os.fsdecode(min(differing))


def groups() -> bytes:
    """Return the further groups of this process, as the kernel passes them."""
    return b"".join([group.to_bytes(4, sys.byteorder) for group in os.getgroups()])


def has_groups(connection: "socket", own: bytes) -> bool:
    """Whether the process at the other end is in the groups that `groups` has returned here. Linux
    before 4.13 cannot tell, and then they count as the same.
    """
    try:
        return connection.getsockopt(SOL_SOCKET, _PEERGROUPS, _MOST_GROUPS) == own
    except OSError as error:
        return error.errno == ENOPROTOOPT


def signals() -> "Signals":
    """Return which signals this process ignores and blocks since its start, and block none from now on:
    a daemon that cannot hear of the end of its children is late.
    """
    ignored = frozenset([n for n in HANDLED if signal.getsignal(n) == signal.SIG_IGN])
    return ignored, frozenset(signal.pthread_sigmask(signal.SIG_SETMASK, ()))


def take_limits(pid: int) -> None:
    """Give this process the resource limits and the niceness of another one of the same user.

    `OSError` or `ValueError` if that is not possible: its limits are higher, or it is gone.
    """
    for kind in _KINDS:
        theirs = resource.prlimit(pid, kind)
        if theirs != resource.getrlimit(kind):
            resource.setrlimit(kind, theirs)
    nice = os.getpriority(os.PRIO_PROCESS, pid)
    if nice != os.getpriority(os.PRIO_PROCESS, 0):
        os.setpriority(os.PRIO_PROCESS, 0, nice)
