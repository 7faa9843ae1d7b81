"""Credentials in the Authorization field of a request, and the challenge that asks for them.

Implements RFC 9110 section 11, Basic (RFC 7617) and Bearer (RFC 6750); the parameters of other schemes
are only split. This module does not check passwords: see `htpasswd`. Servers do not pass the field to
CGI scripts unless they are told to (RFC 3875 section 4.1.18).
"""

from .errors import BadRequest, HTTPError
from .headers import is_token
from .parameters import parse_header, split_list

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# token68 of RFC 9110 section 11.2, which may end with "="
_TOKEN68 = frozenset("-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


class Authorization:
    """What a client sent to prove who it is. It is not verified.

    `.scheme` is in lower case: "basic", "bearer", "digest". `.username` and `.password` are str with
    "basic", otherwise None. `.token` is sent with "bearer" and with other schemes that have a token;
    otherwise None. `.params` are the parameters of the other schemes (names in lower case). The repr
    shows neither password nor token.
    """

    __slots__ = ("params", "password", "scheme", "token", "username")

    def __init__(
        self,
        scheme: str,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        params: "Mapping[str, str] | None" = None,
    ) -> None:
        self.scheme = scheme
        self.username = username
        self.password = password
        self.token = token
        self.params = dict(params or {})

    def __repr__(self) -> str:
        name = "" if self.username is None else f" {self.username!r}"
        return f"<Authorization {self.scheme}{name}>"


class Unauthorized(HTTPError):
    """The answer that asks for credentials (401): `raise Unauthorized("Members")`.

    `realm` is what the browser shows; it must be printable ASCII (`ValueError` otherwise). `message` is
    on the page that a browser shows if the visitor cancels. `scheme` is "Basic" or another, `params`
    are added to the challenge, such as `{"error": "invalid_token"}` for "Bearer" (RFC 6750 section 3).
    `.challenge` is the value of the WWW-Authenticate field (RFC 9110 section 11.6.1); with "Basic" it
    asks for UTF-8.
    """

    def __init__(
        self,
        realm: str,
        message: str = "Please log in.",
        *,
        scheme: str = "Basic",
        params: "Mapping[str, str] | None" = None,
    ) -> None:
        if not is_token(scheme):
            raise ValueError(f"scheme={scheme[:100]!r} is not a token; give 'Basic' or 'Bearer'")
        given = {"realm": realm}
        if scheme.lower() == "basic":
            given["charset"] = "UTF-8"
        shown = [_parameter(name, value) for name, value in (given | dict(params or {})).items()]
        self.challenge = f"{scheme} {', '.join(shown)}"
        super().__init__(401, message, [("WWW-Authenticate", self.challenge)])


def parse(value: str) -> Authorization:
    """Parse an Authorization field. Raises `BadRequest` for one that is malformed, without showing it.

    For "basic" that is anything but the base64 of UTF-8 with a colon and without control characters
    (RFC 7617 section 2), for "bearer" anything but a token. The parameters of other schemes are not
    checked.
    """
    scheme, _, rest = value.strip(" \t").partition(" ")
    scheme, rest = scheme.lower(), rest.strip(" \t")
    if not is_token(scheme):
        raise BadRequest("the Authorization field does not begin with the name of a scheme")
    if scheme == "basic":
        return _basic(rest)
    token = rest if rest and _TOKEN68.issuperset(rest.rstrip("=") or "=") else None
    if token is not None:
        return Authorization(scheme, token=token)
    if scheme == "bearer":
        raise BadRequest("the Authorization field has the scheme Bearer, but no valid token")
    params: dict[str, str] = {}
    for member in split_list(rest):
        for name, text in parse_header(";" + member)[1].items():
            params.setdefault(name, text)
    return Authorization(scheme, params=params)


def _basic(rest: str) -> Authorization:
    from binascii import a2b_base64

    try:
        username, colon, password = (
            a2b_base64(rest, strict_mode=True).decode("utf-8").partition(":")
        )
    except ValueError:  # binascii.Error and UnicodeDecodeError are both
        colon = ""
    # RFC 7617 section 2: no control characters
    if not colon or any(ch < " " or ch == "\x7f" for ch in username + password):
        raise BadRequest(
            "the Authorization field has the scheme Basic, but not the base64 of user:password in UTF-8"
        )
    return Authorization("basic", username, password)


def _parameter(name: str, value: str) -> str:
    """Return a parameter of a challenge, always quoted: old clients require quotes around the realm."""
    if not (value.isascii() and value.isprintable()):
        raise ValueError(
            f"{name}={value[:100]!r} contains other characters than printable ASCII, which clients "
            "decode differently; use printable ASCII"
        )
    if not is_token(name):
        raise ValueError(
            f"the parameter name {name[:100]!r} is not a token; use letters, digits and '-'"
        )
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{name}="{escaped}"'
