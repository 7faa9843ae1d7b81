"""Non-parsed headers: a whole HTTP response, where the server passes on what the script writes as it
is (RFC 3875 section 5).

Only the head differs from a CGI answer, and only it is made here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import MetaVariables


def head(status: int, fields: "list[tuple[str, str]]", request: "MetaVariables") -> bytes:
    """Return the status line and fields, with those that the server would have added (bytes)."""
    from time import time

    from .dates import format_http_date
    from .status import REASONS

    version = "HTTP/1.1" if request.protocol_version >= (1, 1) else "HTTP/1.0"
    own = [("Date", format_http_date(time())), ("Connection", "close")]
    if request.server_software.isascii() and request.server_software.isprintable():
        own.insert(0, ("Server", request.server_software or "cgikit"))
    given = {name.lower() for name, _ in fields}
    own = [field for field in own if field[0].lower() not in given]
    lines = [f"{version} {status:d} {REASONS.get(status, 'Unknown')}"]
    lines += [f"{name}: {value}" for name, value in own + fields]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")
