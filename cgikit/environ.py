"""The meta-variables of a CGI request (RFC 3875 section 4.1), and the URL that they spell.

Everything is read from a mapping that is given; the process's own environment is fetched in
`process.py`. Here is decided what an unset, empty or malformed meta-variable means, and nowhere else.
The query string's inside belongs to `querystring.py`, the body to `body.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
else:
    from _collections_abc import Mapping  # loaded at every start; collections.abc costs 2 ms more

# pchar of RFC 3986 section 3.3, and the slash
_PATH = frozenset(
    b"/-._~!$&'()*+,;=:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_HOST = frozenset("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ADDRESS = frozenset("0123456789abcdefABCDEF:.")
_DEFAULT_PORT = {"http": "80", "https": "443"}


class MetaVariables:
    """What the server says about a request, by the names of RFC 3875 in lower case.

    Every attribute is a str and "" when the variable is unset: an empty value and none mean the same
    (section 4.1). Values keep their case. `.environ` is the mapping itself.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = environ

    def _variable(self, name: str) -> str:
        return self.environ.get(name, "")

    def _redirected(self, name: str) -> str:
        # After an internal redirect (ErrorDocument, RewriteRule) httpd keeps the original here.
        return self.environ.get(name) or self.environ.get("REDIRECT_" + name, "")

    @property
    def method(self) -> str:
        """The request method, "GET" when the server names none."""
        return self._variable("REQUEST_METHOD") or "GET"

    @property
    def query_string(self) -> str:
        """The query, still encoded; `Request.query` is it parsed."""
        return self._redirected("QUERY_STRING")

    @property
    def script_name(self) -> str:
        """The URL path of the script, decoded: "" or "/…"."""
        return self._variable("SCRIPT_NAME")

    @property
    def path_info(self) -> str:
        """What follows the script's name in the URL path, decoded: "" or "/…"."""
        return self._variable("PATH_INFO")

    @property
    def path_translated(self) -> str:
        """`path_info` as the server would map it to a file: a hint, not a checked path."""
        return self._variable("PATH_TRANSLATED")

    @property
    def auth_type(self) -> str:
        """The scheme the client was authenticated with ("Basic"), when the server did that."""
        return self._redirected("AUTH_TYPE")

    @property
    def remote_user(self) -> str:
        """The user the server authenticated."""
        return self._redirected("REMOTE_USER")

    @property
    def remote_addr(self) -> str:
        """The client's IP address; a proxy's, if one stands in front."""
        return self._variable("REMOTE_ADDR")

    @property
    def remote_host(self) -> str:
        """The client's host name, or its address where the server does not look names up."""
        return self._variable("REMOTE_HOST") or self.remote_addr

    @property
    def remote_ident(self) -> str:
        """What RFC 1413 said of the user: never to be trusted, hardly ever set."""
        return self._variable("REMOTE_IDENT")

    @property
    def server_name(self) -> str:
        """The server's host name as configured, or as the client named it."""
        return self._variable("SERVER_NAME")

    @property
    def server_port(self) -> str:
        """The port the request came in on, in digits."""
        return self._variable("SERVER_PORT")

    @property
    def server_protocol(self) -> str:
        """The protocol of the request, such as "HTTP/1.1"."""
        return self._variable("SERVER_PROTOCOL")

    @property
    def server_software(self) -> str:
        """The server's name and version."""
        return self._variable("SERVER_SOFTWARE")

    @property
    def gateway_interface(self) -> str:
        """The version of CGI, such as "CGI/1.1"."""
        return self._variable("GATEWAY_INTERFACE")

    @property
    def content_type(self) -> str:
        """The body's media type with its parameters, as sent."""
        return self._variable("CONTENT_TYPE")

    @property
    def content_length(self) -> int:
        """The body's length in bytes (int), 0 without a body.

        Only ASCII digits count (RFC 9110 section 8.6): a sign, an underscore, a list or other digits
        raise `BadRequest`, because two readers of one length that disagree smuggle requests.
        """
        text = self._variable("CONTENT_LENGTH")
        if not text:
            return 0
        if not (text.isascii() and text.isdigit()):
            from .errors import BadRequest

            raise BadRequest(f"CONTENT_LENGTH {text[:50]!r} is not a length: digits only")
        # No limit is near 10**18, and int() refuses more than 4,300 digits.
        return int(text) if len(text) <= 18 else 10**18

    @property
    def protocol_version(self) -> tuple[int, int]:
        """`server_protocol`'s version as two ints, so that 1.10 is later than 1.9 (RFC 3875 section
        4.1.16); (1, 0) when it has none, which promises least.
        """
        major, _, minor = self.server_protocol.rpartition("/")[2].partition(".")
        if all(part.isascii() and part.isdigit() and len(part) < 10 for part in (major, minor)):
            return int(major), int(minor)
        return 1, 0

    @property
    def is_secure(self) -> bool:
        """Whether the request came over TLS to this server (HTTPS, REQUEST_SCHEME)."""
        if self._variable("HTTPS").lower() in {"on", "1", "yes", "true"}:
            return True
        return self._variable("REQUEST_SCHEME").lower() == "https"

    @property
    def is_nph(self) -> bool:
        """Whether the server took the script for a non-parsed-header one, by its name (section 5)."""
        return self.script_name.rpartition("/")[2].startswith("nph-")

    @property
    def headers(self) -> "RequestHeaders":
        """The request's header fields, by name in any case."""
        return RequestHeaders(self.environ)

    def url(
        self,
        *,
        base: bool = True,
        path_info: bool = True,
        query: bool = True,
        forwarded: "bool | Container[str]" = False,
        allowed_hosts: "Container[str] | None" = None,
    ) -> str:
        """Return the URL of this request (str, ASCII, percent-encoded), in the parts asked for.

        `base` is the scheme and host; without it the URL begins with one "/", never with "//", which
        a browser would take for another host. `path_info` and `query` are what follows the script.

        The host is the Host header's, or SERVER_NAME; one that is not a host name, or that is not in
        `allowed_hosts` (lower case, without port), raises `BadRequest`: a page must not link to
        wherever a client says. X-Forwarded-Proto and -Host count only with `forwarded=True`, or if it
        holds REMOTE_ADDR: anyone can send them.
        """
        path = self.script_name + (self.path_info if path_info else "")
        path = _quote_path("/" + path.lstrip("/"))
        if query and self.query_string:
            path += "?" + _quote_query(self.query_string)
        if not base:
            return path
        scheme, host = self._origin(
            forwarded if isinstance(forwarded, bool) else self.remote_addr in forwarded
        )
        name, port = split_host(host)
        if allowed_hosts is not None and name not in allowed_hosts:
            from .errors import BadRequest

            raise BadRequest(f"host {name!r} is not one of this site's")
        if port and port != _DEFAULT_PORT.get(scheme):
            name = f"{name}:{port}"
        return f"{scheme}://{name}{path}"

    def _origin(self, forwarded: bool) -> tuple[str, str]:
        """Return the scheme and the host, with its port if it is known."""
        scheme = "https" if self.is_secure else "http"
        host = self._variable("HTTP_HOST")
        if forwarded:
            claimed = _first(self._variable("HTTP_X_FORWARDED_PROTO")).lower()
            scheme = claimed if claimed in _DEFAULT_PORT else scheme
            host = _first(self._variable("HTTP_X_FORWARDED_HOST")) or host
        if not host:
            host = self.server_name
            if ":" in host and not host.startswith("["):
                host = f"[{host}]"  # some servers give an IPv6 address bare
            if self.server_port:
                host = f"{host}:{self.server_port}"
        return scheme, host


class RequestHeaders(Mapping[str, str]):
    """The request's header fields as a read-only mapping, by name in any case.

    Built on the HTTP_* variables, where "-" has become "_"; a name with an underscore therefore finds
    nothing, so that `X_Forwarded_For` never passes for `X-Forwarded-For`. `Proxy` is never shown (it
    is no header of HTTP, and HTTP_PROXY steers clients: CVE-2016-5385).
    """

    __slots__ = ("_environ",)

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self._environ = environ

    def __getitem__(self, name: str) -> str:
        variable = name.upper().replace("-", "_")
        if variable not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            variable = "HTTP_" + variable
        value = self._environ.get(variable, "")
        if not value or "_" in name or variable == "HTTP_PROXY":
            raise KeyError(name)
        return value

    def __iter__(self) -> "Iterator[str]":
        for variable, value in self._environ.items():
            if not value or variable == "HTTP_PROXY":
                continue
            if variable.startswith("HTTP_"):
                yield variable[5:].replace("_", "-").title()
            elif variable in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
                yield variable.replace("_", "-").title()

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return f"RequestHeaders({dict(self)!r})"


def split_host(host: str) -> tuple[str, str]:
    """Split a Host value into name (lower case) and port ("" if none), or raise `BadRequest`.

    A name is letters, digits, dots, dashes and underscores, or an IPv6 address in brackets (RFC 9110
    section 7.2, less the escapes that no real host name has).
    """
    name, colon, port = host.partition("]") if host.startswith("[") else host.partition(":")
    if host.startswith("["):
        valid = bool(colon) and _ADDRESS.issuperset(name[1:]) and ":" in name
        valid = valid and (not port or port.startswith(":"))
        name, port = name + "]", port[1:]
    else:
        valid = bool(name) and _HOST.issuperset(name) and not name.startswith(".")
    if not valid or not (port.isascii() and (not port or port.isdigit()) and len(port) < 6):
        from .errors import BadRequest

        raise BadRequest(f"Host {host[:100]!r} is not a host name")
    return name.lower(), port


def _first(value: str) -> str:
    return value.partition(",")[0].strip()


def _quote_path(path: str) -> str:
    raw = path.encode("utf-8", "surrogateescape")
    return "".join([chr(b) if b in _PATH else f"%{b:02X}" for b in raw])


def _quote_query(query: str) -> str:
    # It is encoded already: only what can never stand in a URL is escaped, so that nothing changes.
    raw = query.encode("utf-8", "surrogateescape")
    return "".join(
        [chr(b) if 0x20 < b < 0x7F and b not in b"\"#<>'" else f"%{b:02X}" for b in raw]
    )
