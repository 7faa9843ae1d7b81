"""The address at which `cgikit serve` listens: opening it, and saying where it is.

The port comes from the options; which names a server answers to is checked by `cgikit.host`.
"""

import errno
import socket
from ipaddress import ip_address

from cgikit.inspector.application import PREFIX


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens at a host (a name or an address) and a port (0 for any free one).

    Raises `OSError`, and `UnicodeError` for what is no host name.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def why(error: OSError | UnicodeError, number: int) -> str:
    """Return why listening failed, and what to do if that is known (str)."""
    if not isinstance(error, OSError):
        return str(error)
    other = "; choose another --port" if error.errno == errno.EADDRINUSE else ""
    if error.errno == errno.EACCES and 0 < number < 1024:
        other = "; only root may use ports below 1024: choose another --port, such as 8000"
    return f"{error.strerror or error}{other}"


def bare(host: str) -> str:
    """Return a host without the brackets that an IPv6 address has in a URL."""
    return host.removeprefix("[").removesuffix("]")


def here(address: str, port: int) -> str:
    """Return the URL at which a browser on this machine reaches a server (str)."""
    found = ip_address(address)
    if found.is_unspecified:
        address = "::1" if found.version == 6 else "127.0.0.1"
    return _url(address, port)


def announced(what: str, address: str, port: int) -> list[str]:
    """Return the lines that say where the server is, with a URL that a browser can open."""
    found = ip_address(address)
    inspected = f"; {PREFIX}/ shows the requests" if found.is_loopback else ""
    lines = [f"Serving {what} at {here(address, port)} (Ctrl-C stops{inspected})"]
    if not found.is_loopback:
        where = f" ({_url(_outward(found.version), port)})" if found.is_unspecified else ""
        lines.insert(
            0,
            f"Warning: everyone who can reach this machine{where} can run these scripts; there is no "
            "password and no encryption. cgikit serve is for development.",
        )
    return lines


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


def _outward(version: int) -> str:
    """Return the address at which other machines most likely reach this one, or its name."""
    family, other = (
        (socket.AF_INET6, "2001:db8::1") if version == 6 else (socket.AF_INET, "192.0.2.1")
    )
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            # Sends nothing: it only makes the system choose a route
            probe.connect((other, 9))
            return str(probe.getsockname()[0])
    except OSError:
        return socket.gethostname()
