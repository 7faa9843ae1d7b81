"""The front in Python, for hosts without Perl and for `--in-place`: the same steps as in Perl.

It runs under `-IS`, without site-packages, and imports nothing that is not part of the interpreter
but `_socket`.
"""

from .machine import filled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

TEMPLATE = rb'''#!@PYTHON@ -IS
# Runs the script @SHOWN@ in a process that has Python loaded already.
#
# "cgikit accelerate" made this file; "cgikit accelerate --undo" removes it. A web server runs it as the
# CGI program, and it hands its environment and its standard streams to a process that waits in the
# directory below. Where there is none, or at the slightest doubt, it runs the script itself.
# The page "accelerate" of cgikit's documentation says how.

import _signal
import posix
import sys

SCRIPT = @SCRIPT@
COMMAND = @COMMAND@  # runs it directly
BASE, TAIL = @BASE@, @TAIL@  # the directory is BASE/HOST-TAIL: homes may be shared by machines
PYTHON = @PYTHONTEXT@
DAEMON = [b"-c", @CODE@, @PACKAGE@]
USER, IDLE = @USER@, @IDLE@
STOPPING = (_signal.SIGTERM, _signal.SIGHUP, _signal.SIGINT)

ARGUMENTS = [word.encode(sys.getfilesystemencoding(), "surrogateescape") for word in sys.argv[1:]]
PLACE = BASE + b"/" + posix.uname().nodename.encode() + b"-" + TAIL


def read(file):
    fd = posix.open(file, posix.O_RDONLY | posix.O_CLOEXEC)
    data = b""
    while piece := posix.read(fd, 65_536):
        data += piece
    posix.close(fd)
    return data


def time_of(name):
    try:
        return posix.stat(PLACE + name).st_mtime
    except OSError:
        return None


def touch(name, moment):
    posix.close(posix.open(PLACE + name, posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC, 0o600))
    posix.utime(PLACE + name, (moment, moment))


def start(environment):
    """Start a process for later requests, if one came within the last IDLE seconds."""
    import fcntl
    import time

    now, before, asked = time.time(), time_of(b"/wait"), time_of(b"/asked")
    if before is not None and now < before < now + 90_000:  # else the clock was wrong
        return
    touch(b"/asked", now)
    if asked is None or now - asked > IDLE:
        return
    lock = posix.open(PLACE + b"/lock", posix.O_WRONLY | posix.O_CREAT | posix.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        posix.close(lock)
        return  # there is one, or it is being started
    touch(b"/wait", now + 30)  # in case it fails before it can say so
    pid = posix.fork()
    if pid:
        posix.waitpid(pid, 0)
        posix.close(lock)
        return
    try:
        posix.setsid()  # a server may end the group of a script with it
        if not posix.fork():
            become_daemon(lock, environment)
    finally:
        posix._exit(0)


def become_daemon(lock, environment):
    reader, writer = posix.pipe()
    for fd, number in ((reader, 0), (writer, 1), (writer, 2)):
        posix.dup2(fd, number)  # the server waits until nobody has its streams
    kept = {b"LD_BIND_NOW": b"1"}
    for name, value in environment.items():
        exact = name in (b"PATH", b"HOME", b"TZ", b"LANG", b"LANGUAGE")
        if exact or name.startswith((b"LC_", b"PYTHON", b"LD_")):
            kept[name] = value
    posix.umask(0o077)
    posix.set_inheritable(lock, True)
    posix.execve(PYTHON, [PYTHON, *DAEMON, PLACE, b"%d" % lock], kept)


def hand_over(block, environment):
    """Have the waiting process run the script, and end as it ends. Returns why not, as a letter."""
    if posix.getuid() != USER or posix.geteuid() != USER:
        return ""
    try:
        found = posix.lstat(PLACE)
    except OSError:
        return ""
    if found.st_uid != USER or found.st_mode & 0o170077 != 0o40000:
        return ""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        return "s"  # closed: the socket would get its number
    import _socket

    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    sock.settimeout(0.25)
    try:
        sock.connect(PLACE + b"/s")
    except BlockingIOError:
        return "f"
    except OSError:
        start(environment)
        return "n"
    peer = sock.getsockopt(_socket.SOL_SOCKET, 17, 12)  # SO_PEERCRED
    if int.from_bytes(peer[4:8], sys.byteorder) != USER:
        return "o"
    umask = posix.umask(0o077)
    posix.umask(umask)
    fields = [b"cgikit 1", SCRIPT, posix.getcwdb(), b"%d" % umask, b"%d" % len(ARGUMENTS)]
    told = b"\0".join([*fields, *ARGUMENTS, block])
    told = len(told).to_bytes(4, "big") + told
    streams = b"".join([fd.to_bytes(4, sys.byteorder) for fd in (0, 1, 2)])
    rights = [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)]
    flags = _socket.MSG_NOSIGNAL | _socket.MSG_DONTWAIT
    try:
        # Not before somebody is there to take them: streams on the way would keep the server waiting
        said = sock.recv(400)
    except TimeoutError:
        return "l"
    if said != b"H\n":
        return "r" if said else "l"
    if sock.sendmsg([told], rights, flags) != len(told):
        return "m"
    try:
        said = sock.recv(400).split()
    except TimeoutError:
        return "l"
    if len(said) != 3 or said[0] != b"R":
        return "r" if said else "l"
    if int(said[2]) != posix.getpid():
        return "s"  # it sees other process ids
    child = int(said[1])
    former = {number: _signal.getsignal(number) for number in STOPPING}
    for number, handler in former.items():
        if handler != _signal.SIG_IGN:
            _signal.signal(number, lambda number, frame: pass_on(child, number))
    try:
        sock.send(b"G", _socket.MSG_NOSIGNAL)
    except OSError:
        for number, handler in former.items():
            _signal.signal(number, handler)
        return "l"
    # From here on the script runs there, and never here
    wait(sock)


def pass_on(child, number):
    try:
        posix.kill(child, number)
    except OSError:
        pass  # it has just ended


def wait(sock):
    """End as the script ends. Never returns."""
    number, said = 9, b""
    try:
        for fd in (0, 1, 2):
            try:
                posix.close(fd)
            except OSError:
                pass
        sock.settimeout(None)
        status = None
        while data := sock.recv(400):
            said += data
            for line in said.split(b"\n")[:-1]:
                kind, value = line.split()
                if kind == b"K":
                    number, said = int(value), b"K"
                    break
                status = int(value)
                if kind == b"E":
                    posix._exit(status)
            if said == b"K":
                break
        if status is not None and said != b"K":
            posix._exit(status)
    finally:
        if number != 9:
            _signal.signal(number, _signal.SIG_DFL)
        posix.kill(posix.getpid(), number)
        posix._exit(128 + number)


def main():
    try:
        block = read("/proc/self/environ")
    except OSError:
        block = b"".join([name + b"=" + value + b"\0" for name, value in posix.environ.items()])
    environment = {}
    for entry in block.split(b"\0"):
        name, equals, value = entry.partition(b"=")
        if name and equals:
            environment.setdefault(name, value)
    try:
        why = hand_over(block, environment)
    except (OSError, ValueError):
        why = "s"
    try:
        if why and (time_of(b"/direct") is None or posix.stat(PLACE + b"/direct").st_size < 1_000_000):
            flags = posix.O_WRONLY | posix.O_CREAT | posix.O_APPEND | posix.O_CLOEXEC
            fd = posix.open(PLACE + b"/direct", flags, 0o600)
            posix.write(fd, why.encode())
            posix.close(fd)
    except OSError:
        pass  # it is only counted
    # What Python has changed for itself would reach a script in another language
    _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
    try:
        posix.execve(COMMAND[0], [*COMMAND, *ARGUMENTS], environment)
    except OSError as error:
        posix.write(2, SCRIPT + b" cannot be started: " + error.strerror.encode() + b"\n")
        posix._exit(127)


main()
'''


def text(values: dict[bytes, bytes], command: "Sequence[bytes]" = ()) -> bytes:
    """Return the front (bytes). `values` are what both fronts have to know, without quotes; `command`
    is what runs the script directly, if it is not a program itself.
    """
    words = tuple(command) or (values[b"SCRIPT"],)
    quoted = {name: repr(value).encode() for name, value in values.items()}
    plain = {name: values[name] for name in (b"SHOWN", b"PYTHON", b"USER", b"IDLE")}
    own = {b"PYTHONTEXT": quoted[b"PYTHON"], b"COMMAND": repr(words).encode()}
    return filled(TEMPLATE, {**quoted, **plain, **own})
