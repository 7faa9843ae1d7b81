"""The meta-variables of a CGI request (RFC 3875 section 4.1).

Everything is read from a mapping that is given; the process's own environment is fetched in
`process.py`. Here is decided what an unset, empty or malformed meta-variable means, and nowhere else.
The URL they spell is made in `url.py`, HTTP_* are shown by `requestheaders.py`; the query string's
inside belongs to `querystring.py`, the body to `body.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import overload

    from .requestheaders import RequestHeaders


class Variable:
    """An attribute that shows one meta-variable as a str, "" when it is unset or empty.

    With `redirected`, REDIRECT_name stands in: httpd keeps the original there after an internal
    redirect (ErrorDocument, RewriteRule). A descriptor, because twenty properties take thrice the
    time to load.
    """

    def __init__(self, name: str, doc: str, redirected: bool = False) -> None:
        self.name = name
        self.__doc__ = doc
        self.redirected = redirected

    if TYPE_CHECKING:

        @overload
        def __get__(self, request: None, owner: type) -> "Variable": ...
        @overload
        def __get__(self, request: "MetaVariables", owner: type | None = None) -> str: ...

    def __get__(
        self, request: "MetaVariables | None", owner: type | None = None
    ) -> "str | Variable":
        if request is None:  # of the class: tools that list or document one ask for it
            return self
        value = request.environ.get(self.name, "")
        if not value and self.redirected:
            value = request.environ.get("REDIRECT_" + self.name, "")
        return value


class MetaVariables:
    """What the server says about a request, by the names of RFC 3875 in lower case.

    Every one is a str and "" when the variable is unset: an empty value and none mean the same
    (section 4.1). Values keep their case. `.environ` is the mapping itself.
    """

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = environ

    auth_type = Variable("AUTH_TYPE", "How the server authenticated the client: 'Basic'.", True)
    content_type = Variable("CONTENT_TYPE", "The body's media type with its parameters, as sent.")
    gateway_interface = Variable("GATEWAY_INTERFACE", "The version of CGI: 'CGI/1.1'.")
    path_info = Variable("PATH_INFO", "The URL path after the script's name, decoded: '' or '/…'.")
    path_translated = Variable("PATH_TRANSLATED", "path_info as a file: a hint, never checked.")
    query_string = Variable("QUERY_STRING", "The query, encoded; Request.query is it parsed.", True)
    remote_addr = Variable("REMOTE_ADDR", "The client's IP address, or the nearest proxy's.")
    remote_ident = Variable("REMOTE_IDENT", "What RFC 1413 said of the user: not to be trusted.")
    remote_user = Variable("REMOTE_USER", "The user the server authenticated.", True)
    script_name = Variable("SCRIPT_NAME", "The URL path of the script, decoded: '' or '/…'.")
    server_name = Variable("SERVER_NAME", "The server's host name, as configured or as asked for.")
    server_port = Variable("SERVER_PORT", "The port the request came in on, in digits.")
    server_protocol = Variable("SERVER_PROTOCOL", "The request's protocol: 'HTTP/1.1'.")
    server_software = Variable("SERVER_SOFTWARE", "The server's name and version.")

    @property
    def method(self) -> str:
        """The request method, "GET" when the server names none."""
        return self.environ.get("REQUEST_METHOD") or "GET"

    @property
    def remote_host(self) -> str:
        """The client's host name, or its address where the server does not look names up."""
        return self.environ.get("REMOTE_HOST") or self.remote_addr

    @property
    def content_length(self) -> int:
        """The body's length in bytes (int), 0 without a body.

        Only ASCII digits count (RFC 9110 section 8.6): a sign, an underscore, a list or other digits
        raise `BadRequest`, because two readers of one length that disagree smuggle requests.
        """
        text = self.environ.get("CONTENT_LENGTH", "")
        if not text:
            return 0
        if not (text.isascii() and text.isdigit()):
            from .errors import BadRequest

            raise BadRequest(f"Content-Length {text[:50]!r} is not a length: digits only")
        # No limit is near 10**18, and int() refuses more than 4,300 digits.
        return int(text) if len(text) <= 18 else 10**18

    @property
    def protocol_version(self) -> tuple[int, int]:
        """`server_protocol`'s version as two ints, so that 1.10 is later than 1.9 (RFC 3875 section
        4.1.16); (1, 0) when it has none, which promises least. "HTTP/2" is 2.0.
        """
        version = self.server_protocol.rpartition("/")[2]
        major, _, minor = (version if "." in version else version + ".0").partition(".")
        if all(part.isascii() and part.isdigit() and len(part) < 10 for part in (major, minor)):
            return int(major), int(minor)
        return 1, 0

    @property
    def is_secure(self) -> bool:
        """Whether the request came over TLS to this server (HTTPS, REQUEST_SCHEME)."""
        if self.environ.get("HTTPS", "").lower() in {"on", "1", "yes", "true"}:
            return True
        return self.environ.get("REQUEST_SCHEME", "").lower() == "https"

    @property
    def is_nph(self) -> bool:
        """Whether the server took the script for a non-parsed-header one, by its name (section 5)."""
        return self.script_name.rpartition("/")[2].startswith("nph-")

    @property
    def headers(self) -> "RequestHeaders":
        """The request's header fields, by name in any case."""
        from .requestheaders import RequestHeaders

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
        `allowed_hosts` (lower case, without port; a dot at the end of the host does not matter), raises
        `BadRequest`: a page must not link to wherever a client says. X-Forwarded-Proto, -Host and -Port
        count only with `forwarded=True`, or if it holds REMOTE_ADDR: anyone can send them. The port is
        for a host that names none itself. Of a list in them the last counts, which the nearest proxy
        has added; those before it came from outside. A str for `forwarded` or `allowed_hosts` raises
        `TypeError`: a part of a name would be "in" it.
        """
        from .url import build

        if isinstance(forwarded, str) or isinstance(allowed_hosts, str):
            raise TypeError("forwarded and allowed_hosts take a set or a list of names, not a str")
        if not isinstance(forwarded, bool):
            forwarded = self.remote_addr in forwarded
        return build(self, base, path_info, query, forwarded, allowed_hosts)
