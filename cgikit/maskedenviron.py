"""Internal. What an error page may show of the environment: names, and the values that are not secret.

A variable can have any name and hold a secret, so this is an allowlist: CGI's own variables (RFC 3875
section 4.1) and the header fields that all clients send. `masking.py` does the same for the variables
of a script.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

#: Stands in place of a value.
HIDDEN = "(hidden)"
# Meta-variables whose values are shown. All others are hidden: a secret can have any name.
_SHOWN = frozenset((
    "AUTH_TYPE", "CGIKIT_DEBUG", "CONTENT_LENGTH", "CONTENT_TYPE", "DOCUMENT_ROOT",
    "GATEWAY_INTERFACE", "HTTPS",
    "LANG", "LC_ALL", "PATH", "PATH_INFO", "PATH_TRANSLATED", "REDIRECT_STATUS", "REMOTE_ADDR",
    "REMOTE_HOST", "REMOTE_IDENT", "REMOTE_PORT", "REMOTE_USER", "REQUEST_METHOD",
    "REQUEST_SCHEME", "SCRIPT_FILENAME", "SCRIPT_NAME",
    "SERVER_ADDR", "SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "SERVER_SOFTWARE",
    "HTTP_ACCEPT", "HTTP_ACCEPT_CHARSET", "HTTP_ACCEPT_ENCODING", "HTTP_ACCEPT_LANGUAGE",
    "HTTP_CACHE_CONTROL", "HTTP_CONNECTION", "HTTP_DNT", "HTTP_EXPECT", "HTTP_HOST",
    "HTTP_IF_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_NONE_MATCH", "HTTP_IF_RANGE",
    "HTTP_IF_UNMODIFIED_SINCE", "HTTP_ORIGIN", "HTTP_PRAGMA", "HTTP_PRIORITY", "HTTP_RANGE",
    "HTTP_SEC_CH_UA", "HTTP_SEC_CH_UA_MOBILE", "HTTP_SEC_CH_UA_PLATFORM", "HTTP_SEC_FETCH_DEST",
    "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_USER", "HTTP_SEC_GPC",
    "HTTP_TE", "HTTP_TRANSFER_ENCODING", "HTTP_UPGRADE", "HTTP_UPGRADE_INSECURE_REQUESTS",
    "HTTP_USER_AGENT", "HTTP_X_REQUESTED_WITH",
))  # fmt: skip
_LOCATIONS = frozenset(("DOCUMENT_URI", "REDIRECT_URL", "REQUEST_URI", "SCRIPT_URI", "SCRIPT_URL"))
_NAMES = frozenset(("HTTP_HOST", "HTTP_ORIGIN", "SERVER_NAME"))  # a client may put a user into them
_PATHS = frozenset(("PATH_INFO", "PATH_TRANSLATED"))


def masked(environ: "Mapping[str, str]") -> dict[str, str]:
    """Return the environment as a page may show it: every name, and the values that are not secret.

    Those are CGI's own variables and the header fields that all clients send. Of a query the names of
    the fields are shown. A variable with the prefix REDIRECT_ is treated as the one without it.
    """
    shown = {}
    for name in sorted(environ):
        plain, value = name, environ[name]
        while plain.startswith("REDIRECT_") and plain not in _SHOWN | _LOCATIONS:
            plain = plain.removeprefix("REDIRECT_")
        if plain in _LOCATIONS:
            path, mark, query = value.partition("?")
            # An absolute URL may contain a user name and a password.
            path = HIDDEN if "@" in path else _masked_path(path)
            value = path + mark + _masked_query(query) if path != HIDDEN else HIDDEN
        elif plain == "QUERY_STRING":
            value = _masked_query(value)
        elif plain not in _SHOWN or (plain in _NAMES and "@" in value):
            value = HIDDEN
        elif plain in _PATHS:
            value = _masked_path(value)
        shown[name] = value
    return shown


def _masked_path(path: str) -> str:
    """Return a path with only the names of its parameters, such as `;jsessionid=…`."""
    first, *others = path.split(";")
    shown = [first]
    for one in others:
        name, equals, value = one.partition("=")
        _, slash, rest = value.partition("/")
        shown.append(f"{name}={HIDDEN}{slash}{rest}" if equals else one)
    return ";".join(shown)


def _masked_query(query: str) -> str:
    """Return a query with only the names of its fields. A word without a value may also be a secret,
    such as one in base64 with "=" at its end.
    """
    if not query:
        return ""
    fields = [field.partition("=") for field in query.split("&", 100)[:100]]
    return "&".join(
        [f"{n}={HIDDEN}" if n and value.strip("=") else HIDDEN for n, _, value in fields]
    )
