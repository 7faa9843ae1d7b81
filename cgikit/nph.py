"""NPH (non-parsed header) scripts, whose output the server passes on unchanged (RFC 3875 section 5).

Such a script writes a whole HTTP response. It differs from a CGI answer only in its header, which this
module makes.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import MetaVariables


def head(status: int, fields: "list[tuple[str, str]]", request: "MetaVariables") -> bytes:
    """Return the status line and the fields, with those that the server would have added (bytes)."""
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
