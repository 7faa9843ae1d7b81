"""The URL of a request, built from its meta-variables (RFC 3875 section 3.3, RFC 3986).

This module decides which hosts a page may link to and which characters of a path are escaped, and
ensures that a URL without a host never begins with two slashes. `MetaVariables.url` uses it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping
    from typing import Protocol

    class Described(Protocol):
        """The meta-variables of a request, as `environ.MetaVariables` has them."""

        @property
        def script_name(self) -> str:
            """SCRIPT_NAME."""

        @property
        def path_info(self) -> str:
            """PATH_INFO."""

        @property
        def query_string(self) -> str:
            """QUERY_STRING."""

        @property
        def server_name(self) -> str:
            """SERVER_NAME."""

        @property
        def server_port(self) -> str:
            """SERVER_PORT."""

        @property
        def is_secure(self) -> bool:
            """Whether the web server was asked over HTTPS."""

        @property
        def environ(self) -> Mapping[str, str]:
            """All variables."""


# pchar of RFC 3986 section 3.3, and the slash
_PATH = frozenset(
    b"/-._~!$&'()*+,;=:@0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_HOST = frozenset("-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ADDRESS = frozenset("0123456789abcdefABCDEF:.")
_DEFAULT_PORT = {"http": "80", "https": "443"}


def build(
    request: "Described",
    base: bool,
    path_info: bool,
    query: "bool | Mapping[str, object]",
    forwarded: bool,
    allowed_hosts: "Container[str] | None",
    codec: str = "utf-8",
) -> str:
    """Return the parts of the URL that are asked for; see `MetaVariables.url`."""
    path = request.script_name + (request.path_info if path_info else "")
    path = _quote_path("/" + path.lstrip("/"))
    fields = request.query_string if query is True else ""
    if not isinstance(query, bool):
        fields = changed_query(request.query_string, query, codec)
    if fields:
        path += "?" + _quote_query(fields)
    if not base:
        return path
    return origin(request, forwarded, allowed_hosts) + path


def origin(
    request: "Described", forwarded: bool = False, allowed_hosts: "Container[str] | None" = None
) -> str:
    """Return the scheme and the host, with its port unless it is the scheme's own."""
    scheme, host = _scheme_and_host(request, forwarded)
    name, port = split_host(host)
    # "example.com." is the same host, fully qualified (RFC 1034 section 3.1).
    if not (
        allowed_hosts is None or name in allowed_hosts or name.removesuffix(".") in allowed_hosts
    ):
        from .errors import BadRequest

        raise BadRequest(
            f"the host {name[:100]!r} is not one of this site; use the address of the site itself"
        )
    if port and port != _DEFAULT_PORT[scheme]:
        name = f"{name}:{port}"
    return f"{scheme}://{name}"


def _scheme_and_host(request: "Described", forwarded: bool) -> tuple[str, str]:
    """Return the scheme and the host, with its port if that is known."""
    scheme = "https" if request.is_secure else "http"
    port = ""
    host = request.environ.get("HTTP_HOST", "")
    if forwarded:
        claimed = _last(request.environ.get("HTTP_X_FORWARDED_PROTO", "")).lower()
        scheme = claimed if claimed in _DEFAULT_PORT else scheme
        host = _last(request.environ.get("HTTP_X_FORWARDED_HOST", "")) or host
        port = _last(request.environ.get("HTTP_X_FORWARDED_PORT", ""))
    if not host:
        host = request.server_name
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"  # some servers give an IPv6 address without brackets
        port = port or request.server_port
    # The port in the host is the one that the client used; the other may be that of an inner server.
    if port and not split_host(host)[1]:
        host = f"{host.removesuffix(':')}:{port}"
    return scheme, host


def split_host(host: str) -> tuple[str, str]:
    """Return the name (lower case) and the port ("" if none) in a Host value; otherwise `BadRequest`.

    A name consists of letters, digits, dots, dashes and underscores, or is an IPv6 address in brackets
    (RFC 9110 section 7.2, without percent-escapes, which no real host name has).
    """
    name, colon, port = host.partition("]") if host.startswith("[") else host.partition(":")
    if host.startswith("["):
        valid = bool(colon) and _is_ipv6(name[1:]) and (not port or port.startswith(":"))
        name, port = name + "]", port[1:]
    else:
        valid = bool(name) and _HOST.issuperset(name) and not name.startswith(".")
    number = port or "0"
    if not (valid and number.isascii() and number.isdigit() and len(number) < 6) or (
        int(number) > 65_535
    ):
        from .errors import BadRequest

        raise BadRequest(
            f"Host: {host[:100]!r} is not a valid host name; a name or an address is expected, with an "
            "optional port"
        )
    return name.lower(), port


def _last(value: str) -> str:
    # Proxies append, as httpd's mod_proxy does: only the last one comes from the trusted proxy.
    return value.rpartition(",")[2].strip()


def _is_ipv6(text: str) -> bool:
    from ipaddress import IPv6Address  # rarely needed: most hosts have names

    try:
        return _ADDRESS.issuperset(text) and bool(IPv6Address(text))
    except ValueError:
        return False


def _quote_path(path: str) -> str:
    raw = path.encode("utf-8", "surrogateescape")
    return "".join([chr(b) if b in _PATH else f"%{b:02X}" for b in raw])


def _quote_query(query: str) -> str:
    # A query is encoded already: only characters that no URL can contain are escaped.
    raw = query.encode("utf-8", "surrogateescape")
    return "".join([chr(b) if 0x20 < b < 0x7F and b not in b"\"#<>'" else f"%{b:02X}" for b in raw])


def changed_query(query: str, changes: "Mapping[str, object]", codec: str = "utf-8") -> str:
    """Return a query string with some of its fields changed (str); the others keep their bytes and
    their order.

    Each name of `changes` gets the value, or the list of values, that stands there, where its first
    field was, or at the end. None and an empty list remove it. `str()` is applied to other values.
    Names and values are encoded by `codec` (from `charsets.of_page`).
    """
    from .querystring import build, unquote

    new = {name: list(_values(changes, name)) for name in changes}
    out: list[str] = []
    for field in query.encode("utf-8", "surrogateescape").split(b"&"):
        name = unquote(field.partition(b"=")[0].replace(b"+", b" ")).decode(codec, "replace")
        if name not in changes:
            out.append(field.decode("utf-8", "surrogateescape"))
        elif name in new:
            out.append(build(_encoded(name, new.pop(name), codec)))
    out += [build(_encoded(name, values, codec)) for name, values in new.items()]
    return "&".join(filter(None, out))


def _values(changes: "Mapping[str, object]", name: str) -> "Iterator[object]":
    """Yield the values that a field is to have: all that a `MultiMap` has."""
    getlist = getattr(changes, "getlist", None)
    value = getlist(name) if getlist else changes[name]
    for one in value if isinstance(value, list | tuple) else (value,):
        if one is not None:
            yield one


def _encoded(name: str, values: "list[object]", codec: str) -> "Iterator[tuple[str, str]]":
    """Yield a field's name with each of its values, so that `build` writes them in `codec`: as a
    browser does, with a reference such as `&#8364;` for a character that the charset lacks.
    """
    for value in values:
        pair = name, str(value)
        if codec != "utf-8":
            raw = [text.encode(codec, "xmlcharrefreplace") for text in pair]
            pair = (
                raw[0].decode("utf-8", "surrogateescape"),
                raw[1].decode("utf-8", "surrogateescape"),
            )
        yield pair


def quote_reference(reference: str) -> str:
    """Return a URL with every character escaped that no URL can contain (str, ASCII): spaces, quotes,
    and, as UTF-8, everything outside ASCII. Existing escapes stay unchanged.
    """
    raw = reference.encode("utf-8", "surrogateescape")
    return "".join([chr(b) if 0x20 < b < 0x7F and b not in b'"<>' else f"%{b:02X}" for b in raw])
