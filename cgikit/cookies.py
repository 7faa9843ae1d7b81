"""Cookies: parse a Cookie header, build a Set-Cookie value (RFC 6265bis).

Parsing is tolerant, because real cookies break the rules: an invalid pair is skipped and hides no
other. Building is strict. Names are never decoded: `%5f%5fHost-id` must not become `__Host-id`
(CVE-2021-41819). Values are percent-encoded when built and decoded when parsed, so that any text
survives the round trip.
"""

from .limits import DEFAULT_LIMITS, Limits
from .multidict import MultiDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from typing import Literal

    from .signing import Keys

# cookie-octet (RFC 6265 section 4.1.1) without "%", which escapes all other bytes
_OCTETS = frozenset(
    b"!#$&'()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"
)
# Browsers drop a cookie that contains one of these (RFC 6265bis section 5.6). str.isprintable() would
# also refuse no-break spaces and joined emoji, which scripts in pages do store.
_CONTROLS = frozenset(chr(code) for code in (*range(9), *range(10, 32), 127))
_SAMESITE = {"lax": "Lax", "strict": "Strict", "none": "None"}
_PRIORITY = {"low": "Low", "medium": "Medium", "high": "High"}
_LABEL = frozenset("-_0123456789abcdefghijklmnopqrstuvwxyz")
_1601 = -11_644_473_600  # the earliest date in a cookie (RFC 6265bis section 5.1.1)


class Cookies(MultiDict):
    """The cookies of a request: a `MultiDict` that can check signatures."""

    __slots__ = ()

    def signed(self, name: str, signed_with: "Keys", *, max_age: int | None) -> str | None:
        """Return the value of a cookie that was set with `signed_with`; None if there is none, or it
        was changed, signed with none of these keys, signed more than `max_age` seconds ago, or more
        than 60 seconds in the future (a wrong clock).

        With `max_age=None`, a cookie of any age is accepted. Several cookies can have one name, with
        different paths: the first one with a valid signature counts, so that one that somebody else has
        set hides none. `ValueError` for a key that is too short; see `signing.sign`.
        """
        import time

        from .signing import unsign

        now = time.time()
        if signed_with and not isinstance(signed_with, str | bytes):
            signed_with = list(signed_with)  # which an iterator gives only once
        found = None
        for sent in self.getlist(name) or [""]:  # without a cookie, wrong keys are an error too
            value = unsign(name, sent, signed_with, now, max_age=max_age)
            found = value if found is None else found
        return found


def parse(header: str, *, limits: Limits = DEFAULT_LIMITS) -> Cookies:
    """Parse a Cookie header into `Cookies`, in the order in which they were sent.

    Browsers send the cookie with the longer path first (RFC 6265bis section 5.8.3), so the first of
    several with one name is the one to use. A pair without `=`, without a name or with a control
    character is skipped. Only spaces and tabs are stripped, and one pair of quotes around a value.
    Bytes that are not UTF-8 become U+FFFD. More than `limits.cookies` pairs raise `LimitExceeded`
    (431). The inverse, for one cookie, is `build`.
    """
    seen = header.count(";") + 1
    if seen > limits.cookies:
        from .errors import LimitExceeded

        raise LimitExceeded("cookies", limits.cookies, seen, status=431)
    if not header.isascii():  # bytes of UTF-8, as the environment represents them
        try:
            raw = header.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a UTF-16 pair, which no environment contains
            raw = header.encode("utf-8", "replace")
        header = raw.decode("utf-8", "replace")
    clean = header.isprintable()
    pairs = []
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        value = value.strip(" \t")
        if not equals or not name or not (clean or _CONTROLS.isdisjoint(pair)):
            continue
        if len(value) > 1 and value[0] == value[-1] == '"':
            value = value[1:-1]
        if "%" in value:
            from .querystring import unquote

            value = unquote(value.encode("utf-8", "replace")).decode("utf-8", "replace")
        pairs.append((name, value))
    return Cookies(pairs)


def build(
    name: str,
    value: str,
    *,
    max_age: int | None = None,
    expires: "int | float | str | datetime | None" = None,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    httponly: bool = True,
    samesite: str | None = "Lax",
    partitioned: bool = False,
    priority: str | None = None,
    signed_with: "Keys | Literal[False]" = False,
) -> str:
    """Build a Set-Cookie value (str). The inverse, for its name and value, is `parse`.

    `max_age` is in seconds (0 or less deletes the cookie); `expires` is a value that `dates.moment`
    accepts. `samesite` is "Lax", "Strict", "None", or None for no attribute. `priority` is "Low",
    "Medium" or "High": if a site has too many cookies, Chromium deletes those of low priority first.
    With `signed_with`, the keys of `signing.sign`, the value is signed for this name; `Cookies.signed`
    returns it. The default is a session cookie for the whole site, which scripts in pages cannot read
    and which forms of other sites do not send.

    Raises `ValueError` for everything that a browser would silently drop: a name that is not a token,
    control characters, `__Secure-` without `secure`, `__Host-` without `secure` and path "/" or with a
    domain, `__Http-` without `httponly`, SameSite=None or Partitioned without `secure`, a domain that
    is not a host name, an expiry before 1601, more than 4,096 bytes of name and value, or more than
    1,024 of an attribute (RFC 6265bis sections 4.1 and 5.7). `TypeError` for a wrong type.
    """
    from .headers import is_token

    if not is_token(name):
        raise ValueError(
            f"the cookie name {name[:100]!r} is not a token; use letters, digits, - and _"
        )
    if signed_with is not False:  # None is an error: the variable with the key is not set
        value = _sign(name, value, signed_with)
    encoded = _encode(name, value)
    if len(name) + len(encoded) > 4096:
        raise ValueError(
            f"cookie {name}: name and value have {len(name) + len(encoded)} bytes, but browsers drop "
            "cookies of more than 4096; store less, or use a session"
        )
    _check_prefix(name, path, domain, secure, httponly)
    parts = [f"{name}={encoded}"]
    parts += _end(name, max_age, expires)
    if domain is not None:
        parts.append(f"Domain={_host(name, _attribute(name, 'domain', domain))}")
    if path is not None:
        if isinstance(path, str) and not path.startswith("/"):
            raise ValueError(f"cookie {name}: path={path[:100]!r} must begin with /")
        parts.append(f"Path={_attribute(name, 'path', path)}")
    parts += _flags(name, secure, httponly, samesite, partitioned)
    if priority is not None:
        parts.append(f"Priority={_choice(name, 'priority', priority, _PRIORITY)}")
    return "; ".join(parts)


def forget(
    name: str,
    *,
    path: str | None = "/",
    domain: str | None = None,
    secure: bool = False,
    samesite: str | None = "Lax",
    partitioned: bool = False,
) -> str:
    """Build the Set-Cookie value (str) that makes a client delete a cookie.

    `path`, `domain` and `partitioned` must be those that it was set with: they identify the cookie.
    `samesite` also matters: in a response to a request from another site, browsers ignore every
    Set-Cookie without SameSite=None. `secure` is added where another argument needs it. Raises the same
    errors as `build`.
    """
    if name.lower().startswith(("__secure-", "__host-", "__http-")) or partitioned:
        secure = True
    if isinstance(samesite, str) and samesite.lower() == "none":
        secure = True
    return build(
        name,
        "",
        max_age=0,
        expires=0,
        path=path,
        domain=domain,
        secure=secure,
        samesite=samesite,
        partitioned=partitioned,
    )


def _end(
    name: str, max_age: int | None, expires: "int | float | str | datetime | None"
) -> list[str]:
    parts = []
    if max_age is not None:
        if not isinstance(max_age, int) or isinstance(max_age, bool):
            raise TypeError(f"cookie {name}: max_age must be an int (seconds), not {max_age!r}")
        parts.append(f"Max-Age={max_age}")
    if expires is not None:
        from .dates import format_http_date, moment

        if isinstance(expires, bool):
            raise TypeError(
                f"cookie {name}: expires must be a number, a str or a datetime, not {expires!r}"
            )
        when = moment(expires)
        if when < _1601:
            raise ValueError(
                f"cookie {name}: expires={expires!r} is before 1601, which browsers ignore; give 0 to "
                "delete the cookie"
            )
        parts.append(f"Expires={format_http_date(when)}")
    return parts


def _check_prefix(
    name: str, path: str | None, domain: str | None, secure: bool, httponly: bool
) -> None:
    # Browsers ignore the case of a prefix, so the same rules hold for "__HOST-".
    lowered = name.lower()
    if lowered.startswith(("__secure-", "__host-", "__http-")) and not secure:
        raise ValueError(f"cookie {name}: this prefix needs secure=True")
    if lowered.startswith("__host-") and (path != "/" or domain is not None):
        raise ValueError(f"cookie {name}: __Host- needs path='/' and no domain")
    if lowered.startswith(("__http-", "__host-http-")) and not httponly:
        raise ValueError(f"cookie {name}: this prefix needs httponly=True")


def _flags(
    name: str, secure: bool, httponly: bool, samesite: str | None, partitioned: bool
) -> list[str]:
    flags = []
    if secure:
        flags.append("Secure")
    if httponly:
        flags.append("HttpOnly")
    if samesite is not None:
        spelled = _choice(name, "samesite", samesite, _SAMESITE)
        if spelled == "None" and not secure:
            raise ValueError(f"cookie {name}: samesite='None' needs secure=True")
        flags.append(f"SameSite={spelled}")
    if partitioned:
        if not secure:
            raise ValueError(f"cookie {name}: partitioned=True needs secure=True")
        flags.append("Partitioned")
    return flags


def _choice(cookie: str, attribute: str, value: str, choices: dict[str, str]) -> str:
    spelled = choices.get(value.lower()) if isinstance(value, str) else None
    if spelled is None:
        known = ", ".join([repr(choice) for choice in choices.values()])
        error = ValueError if isinstance(value, str) else TypeError
        raise error(
            f"cookie {cookie}: {attribute}={value!r} is not one of {known}; None leaves it out"
        )
    return spelled


def _host(cookie: str, domain: str) -> str:
    """Return the domain of a cookie; raise `ValueError` if it is not a host name (RFC 6265bis section
    5.1.3).
    """
    labels = domain.lower().removeprefix(".").split(".")
    if len(domain) > 254 or not all(
        0 < len(label) < 64 and _LABEL.issuperset(label) for label in labels
    ):
        raise ValueError(
            f"cookie {cookie}: domain={domain[:100]!r} is not a valid host name; give one such as "
            "'example.com', without a port, or leave it out"
        )
    return domain


def _attribute(cookie: str, attribute: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"cookie {cookie}: {attribute} must be a str, not {value!r}")
    bad = not value or ";" in value or not (value.isascii() and value.isprintable())
    if bad or len(value) > 1024:
        raise ValueError(
            f"cookie {cookie}: {attribute}={value[:100]!r} cannot be sent; give 1 to 1024 printable "
            "ASCII characters without ';'"
        )
    return value


def _sign(name: str, value: str, signed_with: "Keys") -> str:
    import time

    from .signing import sign

    _encode(name, value)  # raises for what is not text, and names the cookie
    return sign(name, value, signed_with, time.time())


def _encode(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"cookie {name}: the value must be a str, not {type(value).__name__}")
    try:
        raw = value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(
            f"cookie {name}: the value contains a lone surrogate, which is not text; encode it"
        ) from None
    if _OCTETS.issuperset(raw):
        return value
    return "".join([chr(b) if b in _OCTETS else f"%{b:02X}" for b in raw])
