"""Where a client's requests go, and the header fields that a server passes on to scripts.

From the address that the client is given (`base_url`) come the host's name, the port and the scheme of
all requests. What a server keeps from scripts is an error here and not left out without a word: a test
that sends it expects something of it.
"""

from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from ..host.environ import ServerRequest, http_variables

SOFTWARE = "cgikit-testing"
_PORTS = {"http": 80, "https": 443}
# What may stand in a path or query; "%" begins an escape that is there already
_IN_PATH = "/%!$&'()*+,;=:@-._~"
_IN_QUERY = _IN_PATH + "?"


class Site:
    """The server as it is called: `scheme`, `host`, `port` (int), `netloc` as in the Host field."""

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/"):
            raise ValueError(
                f"base_url={base_url!r} is not the address of a site; give one such as "
                "'https://example.org'"
            )
        self.scheme = parts.scheme
        self.host = parts.hostname
        self.port = parts.port or _PORTS[parts.scheme]
        self.netloc = parts.netloc.rpartition("@")[2]

    @property
    def is_secure(self) -> bool:
        """Whether it is asked over TLS."""
        return self.scheme == "https"

    def has(self, url: str) -> bool:
        """Whether a whole URL is one of this site's."""
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
        return (parts.scheme, parts.hostname, port) == (self.scheme, self.host, self.port)

    def request(
        self,
        method: str,
        target: str,
        headers: Iterable[tuple[str, str]],
        content: bytes | None,
        content_type: str,
    ) -> ServerRequest:
        """Return a request as a server sees it. `ValueError` for a field that scripts would not get."""
        path, _, query = target.partition("?")
        fields = [("Host", self.netloc)]
        for name, value in headers:
            if name.lower() == "content-type":
                content_type = value
            elif name.lower() == "host":
                fields[0] = (name, value)
            else:
                self._check(name, value)
                fields.append((name, value))
        if content is None and method in {"POST", "PUT", "PATCH"}:
            content = b""  # which says that there is none
        return ServerRequest(
            method=method,
            path=quote(path, safe=_IN_PATH),
            query=quote(query, safe=_IN_QUERY),
            headers=tuple(fields),
            content_length=None if content is None else len(content),
            content_type=content_type,
            scheme=self.scheme,
            server_name=self.host,
            server_port=str(self.port),
            remote_port="50000",
        )

    def _check(self, name: str, value: str) -> None:
        if any(c in value for c in "\r\n\0"):
            raise ValueError(f"header {name}: the value {value[:60]!r} has a line end or a NUL")
        if not http_variables([(name, value)]):
            variable = "HTTP_" + name.upper().replace("-", "_")
            raise ValueError(
                f"servers do not pass the header {name} to scripts; if yours does, give "
                f"environ={{{variable!r}: {value!r}}}"
            )
