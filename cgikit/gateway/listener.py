"""Listening sockets: made at an address, or handed over by whoever started the process.

UNIX sockets are for those who may open them (their mode), TCP sockets for this machine unless it is
asked for in so many words: whoever reaches the socket can say of himself what he likes. Nothing is
accepted or read here.
"""

import errno
import os
import socket
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

BACKLOG = 4_096  # as many as Linux lets wait by default (net.core.somaxconn)
_FIRST = 3  # the first descriptor that systemd hands over (sd_listen_fds(3))
_LOCKING = 5.0  # seconds until a directory that another process has locked is given up
_MAX_PATH = 107  # bytes of a UNIX socket's path


class ListenError(OSError):
    """There can be no listening at that address. The message says why and what to do."""

    def __str__(self) -> str:
        return self.strerror or ""  # without the number in front, which is nobody's word


class Listener(socket.socket):
    """A listening socket. `.address` is its address as people write it (str): a path, or HOST:PORT."""

    address = ""
    _path = ""  # of the file that was made here, and which file it is
    _identity = (0, 0)

    def remove(self) -> None:
        """Close it, and delete the file of a UNIX socket that `listen` made, unless another process
        has put its own there since. Such a socket takes nobody any more, whoever else has it open; what
        has connected already can still be accepted there. It can be called again.

        Closing alone leaves the file: workers that are forked close the socket, too.
        """
        if self._path:
            try:
                with _Locked(self._path):
                    # While the socket is open nobody else's file can have the number of its inode.
                    if _identity(self._path) == self._identity:
                        os.unlink(self._path)
            except OSError:
                pass  # it is gone, or the directory is: nothing is left to tidy up
            self._path = ""
            try:
                self.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # not every system can
        number = self.fileno()
        if 0 <= number <= 2:  # free, the number would be that of the next file that is opened
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, number)
            os.close(null)
            self.detach()
        else:
            self.close()


def listen(
    address: str, *, mode: int = 0o600, backlog: int = BACKLOG, public: bool = False
) -> Listener:
    """Return a socket that listens at `address`: the path of a UNIX socket, or HOST:PORT.

    A UNIX socket has `mode` (permission bits) from its first moment. One that a dead process left
    there is replaced; one that is alive, and any other file, is not. TCP is for loopback addresses
    unless `public`. Port 0 takes a free one. Raises `ListenError`.
    """
    host, port = split_address(address)
    try:
        if port is None:
            return _listen_unix(address, mode, backlog)
        return _listen_tcp(host, port, backlog, public)
    except ListenError:
        raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise ListenError(error.errno, f"cannot listen at {address}: {reason}") from error


def split_address(address: str) -> tuple[str, int | None]:
    """Return the host and the port of HOST:PORT, or the path of a UNIX socket and None.

    Whatever has a "/" is a path. `ListenError` for what can be neither.
    """
    host, colon, port = address.rpartition(":")
    if "/" in address or not (colon or address.isdigit() or not address):
        return address, None
    if host and port.isascii() and port.isdigit() and int(port[:6]) < 65_536:
        return host.removeprefix("[").removesuffix("]"), int(port)
    raise ListenError(
        errno.EINVAL,
        f"{address!r} is no address: give the path of a UNIX socket, or HOST:PORT",
    )


def inherited(environ: "MutableMapping[str, str] | None" = None) -> Listener | None:
    """Return the listening socket that this process was started with, or None.

    It is systemd's (LISTEN_PID, LISTEN_FDS, sd_listen_fds(3)), or descriptor 0, where web servers and
    spawn-fcgi put it (FastCGI section 2.2). systemd's variables are taken out of `environ`
    (`os.environ` without one), so that no child takes them for its own. Raises `ListenError` if
    systemd hands over more than one socket, or something else.
    """
    environ = os.environ if environ is None else environ
    if environ.get("LISTEN_PID") == str(os.getpid()):
        count = environ.get("LISTEN_FDS", "")
        for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            environ.pop(name, None)
        if count != "1":
            raise ListenError(
                errno.EINVAL, f"systemd hands over {count or 'no'} sockets; one is used"
            )
        if not is_listening(_FIRST):
            raise ListenError(errno.EINVAL, "systemd hands over no listening stream socket")
        os.set_inheritable(_FIRST, False)
        return _adopted(_FIRST)
    return _adopted(0) if is_listening(0) else None


def is_listening(descriptor: int) -> bool:
    """Tell whether a descriptor is a stream socket that listens."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        # A duplicate: closing the object must not close what may be standard input.
        with socket.socket(fileno=os.dup(descriptor)) as probe:
            return probe.type == socket.SOCK_STREAM and bool(
                probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            )
    except OSError:
        return False


def allowed_peers(value: str) -> frozenset[str] | None:
    """Return the addresses in FCGI_WEB_SERVER_ADDRS, or None if it is empty: all are allowed.

    FastCGI section 3.2, which knows IPv4 only; addresses of IPv6 are understood in every spelling, with
    brackets or without. What is no address allows nobody.
    """
    return frozenset(map(_plain, value.split(","))) if value else None


def is_allowed(connection: socket.socket, peers: frozenset[str] | None) -> bool:
    """Tell whether an accepted connection comes from one of `peers`; None are all.

    Where there is a list, a UNIX socket is refused, as FastCGI section 3.2 has it.
    """
    if peers is None:
        return True
    try:
        peer = connection.getpeername()
    except OSError:
        return False  # gone already
    return isinstance(peer, tuple) and _plain(peer[0]) in peers


def send_at_once(connection: socket.socket) -> None:
    """Let a connection that was accepted send each piece at once (TCP_NODELAY), and notice a peer whose
    machine is gone (SO_KEEPALIVE). Otherwise the second piece of an answer waits until the peer has
    acknowledged the first, which it puts off by 40 ms.
    """
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except OSError:
            pass  # the peer is gone already, as whoever reads will see


def _plain(address: str) -> str:
    """Return an address in its one spelling, anything else unchanged."""
    address = address.strip().removeprefix("[").removesuffix("]")
    if ":" not in address:
        return address
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, UnicodeError):
        return address
    # A socket for both versions of IP shows IPv4 in a coat
    return socket.inet_ntop(socket.AF_INET6, packed).removeprefix("::ffff:")


def _adopted(descriptor: int) -> Listener:
    listener = Listener(fileno=descriptor)
    listener.address = _name(listener.getsockname())
    return listener


def _name(address: "str | bytes | tuple[str, int]") -> str:
    if isinstance(address, tuple):
        host, port = address[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return os.fsdecode(address) or "an unnamed socket"


def _listen_tcp(host: str, port: int, backlog: int, public: bool) -> Listener:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    for *_, address in found:
        where = str(address[0])
        if not public and not where.startswith("127.") and where != "::1":
            raise ListenError(
                errno.EACCES,
                f"{host} is not of this machine alone, and whoever reaches the socket can run every "
                "script as anybody: give --public if a firewall is before it, or 127.0.0.1 or [::1]",
            )
    family, kind, protocol, _, address = found[0]
    listener = Listener(family, kind, protocol)
    try:
        # Or a restart would have to wait until the last connections are forgotten.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    listener.address = _name(listener.getsockname())
    return listener


def _listen_unix(path: str, mode: int, backlog: int) -> Listener:
    if not 0 <= mode <= 0o777:
        raise ListenError(errno.EINVAL, f"{mode:o} is no mode of a socket: 600, 660 or 666")
    path = os.path.abspath(path)  # it is removed at the end, wherever the process works by then
    if len(os.fsencode(path)) > _MAX_PATH:
        raise ListenError(
            errno.ENAMETOOLONG, f"{path} is too long for a UNIX socket, which has {_MAX_PATH} bytes"
        )
    listener = Listener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _Locked(path):
            _clear(path)
            # The mode comes with the file: changing it later would leave it open for a moment.
            before = os.umask(0o777 & ~mode)
            try:
                listener.bind(path)
            finally:
                os.umask(before)
            listener._path, listener._identity = path, _identity(path)
            listener.listen(backlog)
    except BaseException:
        listener.remove()
        raise
    listener.address = path
    return listener


def _clear(path: str) -> None:
    """Delete the socket that a dead process left; raise `ListenError` for what is not that."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(errno.EEXIST, f"{path} is there, and is no socket: it is left alone")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)  # one that is alive and busy would let us wait
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass
    raise ListenError(errno.EADDRINUSE, f"another process listens at {path}; end it first")


class _Locked:
    """Holds the lock on a directory while a socket in it is looked at and replaced.

    Without it, two that start at once both find the dead socket, and the later one deletes the
    earlier one's new socket. The directory itself is locked: no lock file is left behind.
    """

    def __init__(self, path: str) -> None:
        self._directory = os.path.dirname(path) or "."

    def __enter__(self) -> None:
        import fcntl

        self._descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        end = time.monotonic() + _LOCKING
        while True:
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if not isinstance(error, BlockingIOError) or time.monotonic() > end:
                    os.close(self._descriptor)
                    raise
            time.sleep(0.01)

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)


def _identity(path: str) -> tuple[int, int]:
    found = os.lstat(path)
    return found.st_dev, found.st_ino
