"""Listening sockets: created at an address, or inherited from the parent process.

The mode of a UNIX socket says who may connect. TCP sockets are for this machine only, unless more is
requested explicitly: anyone who can connect can set REMOTE_USER. This module accepts and reads nothing.
"""

import errno
import os
import socket
import stat
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

BACKLOG = 4_096  # the default limit of Linux (net.core.somaxconn)
_FIRST = 3  # the first descriptor that systemd passes (sd_listen_fds(3))
_LOCK_TIMEOUT = 5.0  # seconds to wait for a directory that another process has locked
_MAX_PATH = 107  # bytes of a UNIX socket's path


class ListenError(OSError):
    """Listening at that address is not possible. The message says why and what to do."""

    def __str__(self) -> str:
        return self.strerror or ""  # without the error number in front


class Listener(socket.socket):
    """A listening socket. `.address` is its address (str): a path, or HOST:PORT."""

    address = ""
    _path = ""  # of the file that was created, and its device and inode
    _identity = (0, 0)

    def remove(self) -> None:
        """Close the socket, and delete the file of a UNIX socket that `listen` created, unless another
        process has replaced it. Nobody can connect any more, even if other processes have the socket
        open; they can still accept the connections that wait. May be called again.

        Closing alone keeps the file, because forked workers close the socket too.
        """
        if self._path:
            try:
                with _Locked(self._path):
                    # While the socket is open, no other file can have the same inode number
                    if _identity(self._path) == self._identity:
                        os.unlink(self._path)
            except OSError:
                pass  # the file or its directory is gone
            self._path = ""
            try:
                self.shutdown(socket.SHUT_RD)
            except OSError:
                pass  # not every system supports it
        number = self.fileno()
        # A free standard descriptor would be taken by the next file that is opened
        if 0 <= number <= 2:
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

    A UNIX socket is created with `mode` (permission bits). It replaces the socket of a process that has
    ended, but never one that is in use, nor any other file. TCP addresses must be loopback addresses
    unless `public`. Port 0 means any free port. Raises `ListenError`.
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

    Text with a "/" is a path. `ListenError` if it is neither.
    """
    host, colon, port = address.rpartition(":")
    if "/" in address or not (colon or address.isdigit() or not address):
        return address, None
    if host and port.isascii() and port.isdigit() and int(port[:6]) < 65_536:
        return host.removeprefix("[").removesuffix("]"), int(port)
    raise ListenError(
        errno.EINVAL,
        f"{address!r} is not a valid address: give the path of a UNIX socket, or HOST:PORT",
    )


def inherited(environ: "MutableMapping[str, str] | None" = None) -> Listener | None:
    """Return the listening socket with which this process was started, or None.

    It comes from systemd (LISTEN_PID, LISTEN_FDS, sd_listen_fds(3)), or is descriptor 0, where web
    servers and spawn-fcgi put it (FastCGI section 2.2). systemd's variables are removed from `environ`
    (by default `os.environ`), so that children do not use them. Raises `ListenError` if systemd passes
    several sockets, or something other than a listening stream socket.
    """
    environ = os.environ if environ is None else environ
    if environ.get("LISTEN_PID") == str(os.getpid()):
        count = environ.get("LISTEN_FDS", "")
        for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"):
            environ.pop(name, None)
        if count != "1":
            raise ListenError(
                errno.EINVAL, f"systemd passed {count or 'no'} sockets; exactly one is needed"
            )
        if not is_listening(_FIRST):
            raise ListenError(
                errno.EINVAL, "systemd did not pass a listening stream socket: use ListenStream="
            )
        os.set_inheritable(_FIRST, False)
        return _adopted(_FIRST)
    return _adopted(0) if is_listening(0) else None


def is_listening(descriptor: int) -> bool:
    """Return whether a descriptor is a stream socket that listens."""
    try:
        if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
            return False
        # A duplicate, because closing the object must not close what may be standard input
        with socket.socket(fileno=os.dup(descriptor)) as probe:
            return probe.type == socket.SOCK_STREAM and bool(
                probe.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            )
    except OSError:
        return False


def allowed_peers(value: str) -> frozenset[str] | None:
    """Return the addresses in FCGI_WEB_SERVER_ADDRS, or None if it is empty and all are allowed.

    FastCGI section 3.2 mentions IPv4 only; here IPv6 addresses may be given in any notation, with or
    without brackets. An entry that is not an address matches no peer.
    """
    return frozenset(map(_plain, value.split(","))) if value else None


def is_allowed(connection: socket.socket, peers: frozenset[str] | None) -> bool:
    """Return whether an accepted connection comes from one of `peers` (None allows all).

    If there is a list, connections over UNIX sockets are refused, as FastCGI section 3.2 requires.
    """
    if peers is None:
        return True
    try:
        peer = connection.getpeername()
    except OSError:
        return False  # the peer has already disconnected
    return isinstance(peer, tuple) and _plain(peer[0]) in peers


def send_at_once(connection: socket.socket) -> None:
    """Make an accepted connection send each piece immediately (TCP_NODELAY), and notice a peer whose
    machine is gone (SO_KEEPALIVE). Otherwise the second piece of an answer waits until the peer
    acknowledges the first, which it delays by 40 ms.
    """
    if connection.family in (socket.AF_INET, socket.AF_INET6):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        except OSError:
            pass  # the peer has already disconnected, as the next read will show


def _plain(address: str) -> str:
    """Return an address in its canonical notation; anything else unchanged."""
    address = address.strip().removeprefix("[").removesuffix("]")
    if ":" not in address:
        return address
    try:
        packed = socket.inet_pton(socket.AF_INET6, address.partition("%")[0])
    except (OSError, UnicodeError):
        return address
    # A socket for both versions of IP reports IPv4 addresses as ::ffff:a.b.c.d
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
                f"{host} is reachable from other machines, and anyone who reaches the socket can run "
                "any script as any user: use 127.0.0.1 or [::1], or give --public if a firewall "
                "protects it",
            )
    family, kind, protocol, _, address = found[0]
    listener = Listener(family, kind, protocol)
    try:
        # Otherwise a restart would have to wait until the system forgets the last connections
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
        raise ListenError(
            errno.EINVAL, f"{mode:o} is not a valid mode for a socket: use 600, 660 or 666"
        )
    # The current directory may be another one when the socket is removed
    path = os.path.abspath(path)
    if len(os.fsencode(path)) > _MAX_PATH:
        raise ListenError(
            errno.ENAMETOOLONG,
            f"{path} is longer than the {_MAX_PATH} bytes of a UNIX socket's path",
        )
    listener = Listener(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _Locked(path):
            _clear(path)
            # Created with its mode: changing that later would leave the socket open for a moment
            old_umask = os.umask(0o777 & ~mode)
            try:
                listener.bind(path)
            finally:
                os.umask(old_umask)
            listener._path, listener._identity = path, _identity(path)
            listener.listen(backlog)
    except BaseException:
        listener.remove()
        raise
    listener.address = path
    return listener


def _clear(path: str) -> None:
    """Delete the socket of a process that has ended; `ListenError` for anything else."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ListenError(errno.EEXIST, f"{path} exists and is not a socket: choose another path")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        # A busy listener would make us wait
        probe.setblocking(False)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
        except BlockingIOError:
            pass
    raise ListenError(errno.EADDRINUSE, f"another process listens at {path}: stop it first")


class _Locked:
    """Locks a directory while a socket in it is examined and replaced.

    Without the lock, two processes that start at the same time both find the old socket, and the later
    one deletes the new socket of the earlier one. The directory itself is locked, without a lock file.
    """

    def __init__(self, path: str) -> None:
        self._directory = os.path.dirname(path) or "."

    def __enter__(self) -> None:
        import fcntl

        self._descriptor = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        end = time.monotonic() + _LOCK_TIMEOUT
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
