"""Redirects: where a client may be sent, and with which status (RFC 3875 section 6.2.4, RFC 9110
section 15.4).

This module alone decides which locations are refused because a browser would not read them as they
look. The redirect itself is a `Response`, built by `Response.redirect`.
"""

from .url import quote_reference

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .environ import MetaVariables
    from .headers import Headers


class Redirect:
    """Where a response leads: `location` (str), and how its status is found.

    `status` is the one that the script chose, or None. With `local` the location must be on this site.
    An `internal` redirect is one that the server follows itself, and the client does not see. Raises
    `ValueError` for a status that does not redirect, and for what `check_location` refuses.
    """

    def __init__(
        self, location: str, status: int | None, *, local: bool, internal: bool = False
    ) -> None:
        if status is not None and status not in {301, 302, 303, 307, 308}:
            raise ValueError(
                f"status={status!r} is not a redirect; use 301, 302, 303, 307 or 308, or leave it out"
            )
        if internal and not location.startswith("/"):
            raise ValueError(
                f"{location[:100]!r} is not a valid path of this server; it must begin with '/'"
            )
        self.location = check_location(location, local)
        self.internal = internal
        self._chosen = status is not None

    def check(self, headers: "Headers", nph: bool) -> None:
        """Raise `ValueError` if a response with these fields cannot be an internal redirect."""
        if nph or len(headers) > 1:
            raise ValueError(
                "a local redirect can send only its location, and not from an NPH script (RFC 3875 "
                "section 6.2.2); use Response.redirect to send headers or cookies"
            )

    def finish(self, status: int, request: "MetaVariables") -> tuple[int, str, str]:
        """Return the status, the location and the body (HTML) of the answer to `request`; `status` is
        that of the response.
        """
        from .html import escape

        location = self.location
        if not location[:8].lower().startswith(("/", "http://", "https://")):
            from urllib.parse import urljoin

            # HTTP allows a relative location, CGI does not (RFC 3875 section 6.3.2). The host is
            # needed: without one, urljoin makes the relative "y" of "/x.py" and "../../y".
            joined = urljoin("http://host" + request.url(base=False), location)
            location = check_location(joined.removeprefix("http://host"), False)
        if not self._chosen and request.method not in {"GET", "HEAD"}:
            status = 303
        if request.protocol_version < (1, 1):  # it has only 301 and 302 (RFC 3875 section 6.3.3)
            status = 301 if status in {301, 308} else 302
        shown = escape(location)
        return status, location, f'<p>Go on to <a href="{shown}">{shown}</a>.</p>\n'


def check_location(location: str, local: bool) -> str:
    """Return a location percent-encoded, or raise `ValueError` if a browser could end up elsewhere.

    With `local`, a location on another site also raises it.
    """
    # Browsers drop tabs and line ends from URLs and read "\\" as "/": "/\t/host" is another host.
    bad = next((char for char in "\\ " if char in location), "")
    if not location.isprintable() and not bad:
        from .characters import refused

        bad = refused(location)
    if bad or not location:
        found = f"it contains {bad!r}" if bad else "it is empty"
        raise ValueError(
            f"{location[:100]!r} is not a valid location: {found}; percent-encode its parts"
        )
    scheme, colon, rest = location.partition(":")
    if colon and not set("/?#") & set(scheme):
        if (
            scheme.lower() not in {"http", "https"}
            or not rest.startswith("//")
            or rest[2:3] in "/?#"
        ):
            raise ValueError(
                f"{location[:100]!r} is not a valid location: only http:// and https:// URLs and paths "
                "are allowed"
            )
        host = rest[2:].partition("/")[0].partition("?")[0].partition("#")[0]
        if "@" in host:
            raise ValueError(
                f"{location[:100]!r} is not a valid location: a user name hides its host; leave out "
                "what precedes the @"
            )
        if local:
            raise ValueError(f"{location[:100]!r} leads to another site; give a path of this one")
    elif location.startswith("//"):
        raise ValueError(
            f"{location[:100]!r} leads to another site; if that is intended, write https://..."
        )
    return quote_reference(location)
