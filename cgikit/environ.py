"""The meta-variables of a CGI request (RFC 3875 section 4.1).

They are read from a mapping; `process.py` gets the environment of the process. This module alone
decides what an unset, empty or malformed meta-variable means. `url.py` builds URLs from them,
`requestheaders.py` reads HTTP_*, `querystring.py` parses the query string, `body.py` reads the body.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping
    from typing import overload

    from .requestheaders import RequestHeaders


class Variable:
    """An attribute that gives one meta-variable as a str, or "" if it is unset or empty.

    With `redirected`, REDIRECT_name is read if the variable itself is empty: httpd keeps the original
    value there after an internal redirect (ErrorDocument, RewriteRule). This is a descriptor because
    twenty properties take three times as long to load.
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
        if request is None:  # tools that list or document a class ask the class for it
            return self
        value = request.environ.get(self.name, "")
        if not value and self.redirected:
            value = request.environ.get("REDIRECT_" + self.name, "")
        return value


class MetaVariables:
    """What the server says about a request, under the names of RFC 3875 in lower case.

    Each attribute is a str, "" if the variable is unset: an empty value means the same (section 4.1).
    Values keep their case. `.environ` is the mapping itself.
    """

    _codec = "utf-8"  # of the query's fields

    def __init__(self, environ: "Mapping[str, str]") -> None:
        self.environ = environ

    auth_type = Variable("AUTH_TYPE", "How the server authenticated the client: 'Basic'.", True)
    content_type = Variable("CONTENT_TYPE", "The body's media type with its parameters, as sent.")
    gateway_interface = Variable("GATEWAY_INTERFACE", "The version of CGI: 'CGI/1.1'.")
    path_info = Variable("PATH_INFO", "The URL path after the script's name, decoded: '' or '/…'.")
    path_translated = Variable("PATH_TRANSLATED", "path_info as a file: a hint, never checked.")
    query_string = Variable("QUERY_STRING", "The query, encoded; Request.query parses it.", True)
    remote_addr = Variable("REMOTE_ADDR", "The IP address of the client or the nearest proxy.")
    remote_ident = Variable("REMOTE_IDENT", "The user's name by RFC 1413: not to be trusted.")
    remote_user = Variable("REMOTE_USER", "The user whom the server authenticated.", True)
    script_name = Variable("SCRIPT_NAME", "The URL path of the script, decoded: '' or '/…'.")
    server_name = Variable("SERVER_NAME", "The server's host name, configured or requested.")
    server_port = Variable("SERVER_PORT", "The port that received the request, in digits.")
    server_protocol = Variable("SERVER_PROTOCOL", "The request's protocol: 'HTTP/1.1'.")
    server_software = Variable("SERVER_SOFTWARE", "The server's name and version.")

    @property
    def method(self) -> str:
        """The request method; "GET" if the server gives none."""
        return self.environ.get("REQUEST_METHOD") or "GET"

    @property
    def remote_host(self) -> str:
        """The client's host name, or its address if the server does not look up names."""
        return self.environ.get("REMOTE_HOST") or self.remote_addr

    @property
    def content_length(self) -> int:
        """The length of the body in bytes (int); 0 without a body.

        Only ASCII digits are accepted (RFC 9110 section 8.6). A sign, an underscore, a list and other
        digits raise `BadRequest`: two programs that read a length differently allow request smuggling.
        """
        text = self.environ.get("CONTENT_LENGTH", "")
        if not text:
            return 0
        if not (text.isascii() and text.isdigit()):
            from .errors import BadRequest

            raise BadRequest(
                f"Content-Length: {text[:50]!r} is not a valid length; send the number of bytes, in "
                "digits"
            )
        # No limit is near 10**18, and int() refuses more than 4,300 digits.
        return int(text) if len(text) <= 18 else 10**18

    @property
    def protocol_version(self) -> tuple[int, int]:
        """The version in `server_protocol` as two ints, so that 1.10 is later than 1.9 (RFC 3875
        section 4.1.16). "HTTP/2" gives (2, 0). Without a version it is (1, 0), which promises least.
        """
        version = self.server_protocol.rpartition("/")[2]
        major, _, minor = (version if "." in version else version + ".0").partition(".")
        if all(part.isascii() and part.isdigit() and len(part) < 10 for part in (major, minor)):
            return int(major), int(minor)
        return 1, 0

    @property
    def is_secure(self) -> bool:
        """Whether the request reached this server over TLS (HTTPS, REQUEST_SCHEME)."""
        if self.environ.get("HTTPS", "").lower() in {"on", "1", "yes", "true"}:
            return True
        return self.environ.get("REQUEST_SCHEME", "").lower() == "https"

    @property
    def is_nph(self) -> bool:
        """Whether the server treats the script as an NPH script, because of its name (section 5)."""
        return self.script_name.rpartition("/")[2].startswith("nph-")

    @property
    def headers(self) -> "RequestHeaders":
        """The header fields of the request; the case of names does not matter."""
        from .requestheaders import RequestHeaders

        return RequestHeaders(self.environ)

    @property
    def origin(self) -> str:
        """The scheme and the host with which the client asked (str): "https://shop.example:8443".

        It has neither a path nor a trailing slash (RFC 6454 section 6.2). The host is that of `url()`:
        what the client sent. One that is not a valid host name raises `BadRequest`.
        """
        from .url import origin

        return origin(self)

    def url(
        self,
        *,
        base: bool = True,
        path_info: bool = True,
        query: "bool | Mapping[str, object]" = True,
        forwarded: "bool | Container[str]" = False,
        allowed_hosts: "Container[str] | None" = None,
    ) -> str:
        """Return the URL of this request (str, ASCII, percent-encoded), or the parts that are wanted.

        `base` is the scheme and the host. Without it the URL begins with one "/", never with "//",
        which browsers read as another host. `path_info` and `query` are the parts after the script.

        A mapping as `query` changes fields of the query: each name gets the value, or the list of
        values, that is given, in the place of its first one, or at the end; None removes it. All other
        fields stay as they were sent. `url(query={"page": 2})` links to another page of a search.

        The host is that of the Host header, or SERVER_NAME. If it is not a valid host name, or not in
        `allowed_hosts` (lower case, without a port; a dot at the end of the host does not matter), this
        raises `BadRequest`: a client must not choose where a page links to.

        X-Forwarded-Proto, -Host and -Port are used only with `forwarded=True`, or if REMOTE_ADDR is in
        `forwarded`: anyone can send them. If they are lists, the last item is used, which the nearest
        proxy has added; the others come from outside. The port applies to a host that has none. A str
        for `forwarded` or `allowed_hosts` raises `TypeError`, because any part of a name is "in" it.
        """
        from .url import build

        if isinstance(forwarded, str) or isinstance(allowed_hosts, str):
            raise TypeError(
                "forwarded and allowed_hosts must be a set or a list of names, not a str"
            )
        if not (isinstance(query, bool) or hasattr(query, "keys")):
            raise TypeError(
                f"query is a {type(query).__name__}; give True, False, or a mapping of the fields to "
                'change, as in {"page": 2}'
            )
        if not isinstance(forwarded, bool):
            forwarded = self.remote_addr in forwarded
        return build(self, base, path_info, query, forwarded, allowed_hosts, self._codec)
