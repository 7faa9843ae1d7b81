"""Cookies: the Cookie header read, the Set-Cookie value built (RFC 6265bis).

Reading is tolerant pair by pair, as browsers' and servers' cookies really look; building is strict.
Names are never decoded: `%5f%5fHost-id` must not become `__Host-id` (CVE-2021-41819). Values are
percent-decoded, and percent-encoded when built, so that any text survives the round trip.
"""

from .limits import DEFAULT_LIMITS, Limits
from .multidict import MultiDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

# cookie-octet (RFC 6265 section 4.1.1) less "%", which escapes all the others
_OCTETS = frozenset(
    b"!#$&'()*+-./0123456789:<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_`abcdefghijklmnopqrstuvwxyz{|}~"
)
# What makes a browser drop a cookie (RFC 6265bis section 5.6). str.isprintable() would also drop one
# with a no-break space or a joined emoji, which scripts in pages do store.
_CONTROLS = frozenset(chr(code) for code in (*range(9), *range(10, 32), 127))
_SAMESITE = {"lax": "Lax", "strict": "Strict", "none": "None"}
_PRIORITY = {"low": "Low", "medium": "Medium", "high": "High"}
_LABEL = frozenset("-_0123456789abcdefghijklmnopqrstuvwxyz")
_1601 = -11_644_473_600  # what is earlier is not a date of a cookie (RFC 6265bis section 5.1.1)


def parse(header: str, *, limits: Limits = DEFAULT_LIMITS) -> MultiDict:
    """Parse a Cookie header into a `MultiDict` in the order sent (RFC 6265bis section 5.8.3).

    A browser sends the cookie of the longer path first, so the first of a name is the one meant. A
    pair without `=`, without a name or with a control character is left out and hides no other.
    Only space and tab are stripped; one pair of quotes around a value is removed; bytes that are not
    UTF-8 become U+FFFD. More than `limits.cookies` pairs raise `LimitExceeded` (431). The inverse, for
    one cookie, is `build`.
    """
    seen = header.count(";") + 1
    if seen > limits.cookies:
        from .errors import LimitExceeded

        raise LimitExceeded("cookies", limits.cookies, seen, status=431)
    if not header.isascii():  # raw UTF-8, as the environment hands it over
        try:
            raw = header.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:  # half of a UTF-16 pair: never from an environment
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
    return MultiDict(pairs)


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
) -> str:
    """Build a Set-Cookie value (str); the inverse of its first pair is `parse`.

    `max_age` is in seconds (0 or less deletes); `expires` is what `dates.moment` takes. `samesite`
    is "Lax", "Strict", "None" or None for no attribute; `priority` is "Low", "Medium" or "High", which
    Chromium keeps longest where a site has too many cookies. The default is a session cookie for the
    whole site, out of reach of page scripts and of other sites' forms.

    Raises `ValueError` for everything a browser would drop without a word: a name that is no token,
    controls, `__Secure-` without `secure`, `__Host-` without `secure` and path "/" or with a domain,
    `__Http-` without `httponly`, SameSite=None or Partitioned without `secure`, a domain that is not a
    host name, an end before 1601, more than 4,096 bytes of name and value or 1,024 of an attribute
    (RFC 6265bis sections 4.1 and 5.7). `TypeError` for an argument of another type.
    """
    from .headers import is_token

    if not is_token(name):
        raise ValueError(f"cookie name {name[:100]!r} is not a token; use letters, digits, - and _")
    encoded = _encode(name, value)
    if len(name) + len(encoded) > 4096:
        raise ValueError(
            f"cookie {name}: {len(name) + len(encoded)} bytes, but browsers drop more than 4096"
        )
    _check_prefix(name, path, domain, secure, httponly)
    parts = [f"{name}={encoded}"]
    parts += _end(name, max_age, expires)
    if domain is not None:
        parts.append(f"Domain={_host(name, _attribute(name, 'domain', domain))}")
    if path is not None:
        if isinstance(path, str) and not path.startswith("/"):
            raise ValueError(f"cookie {name}: the path {path[:100]!r} must begin with /")
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
    """Build the Set-Cookie value (str) that makes a client forget a cookie.

    `path` and `domain` tell which one, as they do when it is set; `partitioned` which of a browser's
    jars. In an answer to another site's page, browsers heed no Set-Cookie but that of SameSite=None.
    `secure` goes by itself with what needs it. Raises as `build` does.
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
            raise TypeError(f"cookie {name}: max_age is an int of seconds, not {max_age!r}")
        parts.append(f"Max-Age={max_age}")
    if expires is not None:
        from .dates import format_http_date, moment

        if isinstance(expires, bool):
            raise TypeError(f"cookie {name}: expires is a moment, not {expires!r}")
        when = moment(expires)
        if when < _1601:
            raise ValueError(
                f"cookie {name}: expires={expires!r} is before 1601, which browsers do not take for a "
                "date; give 0 to delete the cookie"
            )
        parts.append(f"Expires={format_http_date(when)}")
    return parts


def _check_prefix(
    name: str, path: str | None, domain: str | None, secure: bool, httponly: bool
) -> None:
    # Browsers compare the prefixes in any case, so "__HOST-" is bound by the same rules.
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
    """Return the domain of a cookie, which must be a host name to be one's own (RFC 6265bis section
    5.1.3).
    """
    labels = domain.lower().removeprefix(".").split(".")
    if len(domain) > 254 or not all(
        0 < len(label) < 64 and _LABEL.issuperset(label) for label in labels
    ):
        raise ValueError(
            f"cookie {cookie}: domain={domain[:100]!r} is not a host name; give one such as "
            "'example.com', without a port, or leave it out"
        )
    return domain


def _attribute(cookie: str, attribute: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"cookie {cookie}: {attribute} is a str, not {value!r}")
    bad = not value or ";" in value or not (value.isascii() and value.isprintable())
    if bad or len(value) > 1024:
        raise ValueError(f"cookie {cookie}: {attribute}={value[:100]!r} cannot be sent")
    return value


def _encode(name: str, value: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"cookie {name}: the value is a str, not {type(value).__name__}")
    try:
        raw = value.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"cookie {name}: the value holds half of a surrogate pair") from None
    if _OCTETS.issuperset(raw):
        return value
    return "".join([chr(b) if b in _OCTETS else f"%{b:02X}" for b in raw])
