"""Internal. Which values an `<input>` of a type can have (HTML sections 4.10.5.1 and 2.3).

A browser shows nothing for other ones, and what the visitor has typed would be lost. This is about
what can be shown; `check` decides what a script accepts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_LOCAL = frozenset(
    "!#$%&'*+-./=?^_`{|}~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_LABEL = frozenset("-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_HEX = frozenset("0123456789abcdefABCDEF")


def fits(kind: str, value: str) -> bool:
    """Return whether `value` is valid in an input of this type."""
    return _RULES[kind](value)


def is_email(text: str) -> bool:
    """Return whether `text` is a valid e-mail address, as browsers judge it, of at most 254 characters
    (RFC 5321 section 4.5.3.1).

    One with "=?" is not, though it is for browsers: Python's email package decodes it as an encoded
    word (RFC 2047), and what was hidden in it can be a second address.
    """
    local, at, domain = text.rpartition("@")
    if not at or not local or len(text) > 254 or "=?" in local:
        return False
    return _LOCAL.issuperset(local) and _is_host(domain)


def is_url(text: str) -> bool:
    """Return whether `text` is an http:// or https:// URL with a host and without a user name."""
    scheme, colon, rest = text.partition("://")
    host = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    name, separator, port = host.rpartition(":")
    if not separator or host.endswith("]"):
        name, port = host, ""
    return (
        bool(colon and _is_name(name))
        and scheme.lower() in {"http", "https"}
        and not set(host) & set("@\\<>\"'^`{|}%")
        and not any(char.isspace() or char < " " or char == "\x7f" for char in text)
        and (port == "" or (_digits(port) and len(port) <= 5 and port.zfill(5) < "65536"))
    )


def _is_name(host: str) -> bool:
    """Return whether this is a name or an address of a host. Names may be in any script."""
    if host.startswith("[") and host.endswith("]"):
        from ipaddress import IPv6Address

        try:
            IPv6Address(host[1:-1])
        except ValueError:
            return False
        return len(host) < 48
    return (
        len(host) <= 253
        and not set(host) & set(":[]")
        and all(host.removesuffix(".").split("."))  # no label is empty
    )


def _is_host(domain: str) -> bool:
    return all(
        0 < len(label) <= 63
        and _LABEL.issuperset(label)
        and not label.startswith("-")
        and not label.endswith("-")
        for label in domain.split(".")
    )


def _is_number(text: str) -> bool:
    mantissa, letter, exponent = text.replace("E", "e").partition("e")
    if letter and not _digits(
        exponent.removeprefix("-") if exponent[:1] == "-" else exponent.removeprefix("+")
    ):
        return False
    whole, point, fraction = mantissa.removeprefix("-").partition(".")
    if not (_digits(whole) or (point and not whole)) or (point and not _digits(fraction)):
        return False
    try:
        number = float(text)
    except ValueError:
        return False
    return number - number == 0


def _is_date(text: str) -> bool:
    year, _, rest = text.partition("-")
    month, _, day = rest.partition("-")
    return _sized(year, 4) and _sized(month, 2) and _sized(day, 2) and _exists(text)


def _exists(text: str) -> bool:
    from datetime import datetime

    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_time(text: str) -> bool:
    hour, _, rest = text.partition(":")
    minute, colon, second = rest.partition(":")
    second, point, fraction = second.partition(".")
    return (
        _below(hour, "24")
        and _below(minute, "60")
        and (_below(second, "60") if colon else not second)
        and (0 < len(fraction) <= 3 and _digits(fraction) if point else True)
    )


def _is_local(text: str) -> bool:
    date, middle, time = text.partition("T" if "T" in text else " ")
    return bool(middle) and _is_date(date) and _is_time(time)


def _is_month(text: str) -> bool:
    return _is_date(f"{text}-01")


def _is_week(text: str) -> bool:
    year, _, week = text.partition("-W")
    return _sized(year, 4) and _sized(week, 2) and _exists(f"{year}-W{week}-1")


def _is_colour(text: str) -> bool:
    return len(text) == 7 and text[0] == "#" and _HEX.issuperset(text[1:])


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _sized(text: str, size: int) -> bool:
    return len(text) == size and _digits(text)


def _below(text: str, end: str) -> bool:
    return _sized(text, 2) and text < end


_RULES: "dict[str, Callable[[str], bool]]" = {
    "email": is_email,
    "url": is_url,
    "number": _is_number,
    "range": _is_number,
    "color": _is_colour,
    "date": _is_date,
    "time": _is_time,
    "datetime-local": _is_local,
    "month": _is_month,
    "week": _is_week,
}
