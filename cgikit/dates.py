"""Dates: HTTP's own format, the moments that `expires` takes, and dates that people type.

Implements IMF-fixdate and the two obsolete forms (RFC 9110 section 5.6.7) over epoch seconds, without
`datetime`, which costs 3 ms of import. Dates in words are left to python-dateutil, which is imported
only when ISO 8601 does not fit. Only "now", relative moments and years of two digits read the clock.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, tzinfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "M": 30 * 86_400, "y": 365 * 86_400}
_LAST = 253_402_300_799  # 9999-12-31T23:59:59Z: HTTP dates have four digits for the year
_FIRST = -62_135_596_800  # 0001-01-01T00:00:00Z
_LONGEST = 100  # characters of a date that a person types; parsers of prose are not linear


def format_http_date(seconds: float) -> str:
    """Return `seconds` since the epoch as an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".

    Raises `ValueError` outside the years 1 to 9999. The inverse is `parse_http_date`.
    """
    from time import gmtime

    if not _FIRST <= seconds <= _LAST:
        raise ValueError(f"{seconds!r} seconds since the epoch is outside the years 1 to 9999")
    y, mon, d, h, m, s, weekday, *_ = gmtime(seconds)
    return f"{_DAYS[weekday]}, {d:02d} {_MONTHS[mon - 1]} {y:04d} {h:02d}:{m:02d}:{s:02d} GMT"


def parse_http_date(text: str) -> int | None:
    """Return the epoch seconds (int) of an HTTP date in any of its three forms, or None.

    A condition with a date that cannot be read is to be ignored (RFC 9110 section 13.1.3), hence no
    error. The inverse is `format_http_date`.
    """
    words = text.replace(",", " ").replace("-", " ").split()
    try:
        if len(words) == 5:  # asctime: Sun Nov  6 08:49:37 1994
            _, month, day, clock, year = words
        else:  # IMF-fixdate, or RFC 850 with dashes and a year of two digits
            _, day, month, year, clock, zone = words
            if zone != "GMT":
                return None
        if len(year) not in {2, 4}:
            return None
        hour, minute, second = clock.split(":")
        numbers = [_digits(part) for part in (year, day, hour, minute, second)]
        return _epoch(numbers[0], _MONTHS.index(month) + 1, *numbers[1:], short=len(year) == 2)
    except ValueError:
        return None


def moment(when: "int | float | str | datetime", now: float | None = None) -> int:
    """Return the epoch seconds (int) that `when` means, for Expires and cookies.

    An int or float is epoch seconds; a `datetime` must be aware; a str is "now", a number with a
    unit ("+30m", "-1d", "1.5h"; s, m, h, d, M of 30 days, y of 365 days), digits (epoch seconds), or
    an HTTP date. Anything else raises `ValueError`. `now` (epoch seconds) stands for the clock.
    """
    if isinstance(when, str):
        return _moment_in_words(when, now)
    if isinstance(when, int | float):
        if when - when != 0:  # of inf, int() would raise OverflowError
            raise ValueError(f"{when!r} is no moment")
        return int(when)
    offset: Callable[[], object] | None = getattr(when, "utcoffset", None)
    if offset is None:
        raise TypeError(f"a moment is a number, a str or a datetime, not {type(when).__name__}")
    if offset() is None:
        raise ValueError(f"{when!r} has no time zone: give it one, such as datetime.timezone.utc")
    return int(when.timestamp())


def _moment_in_words(text: str, now: float | None) -> int:
    if now is None:
        from time import time

        now = time()
    if text == "now":
        return int(now)
    try:
        if text[-1:] in _SECONDS:
            sign, number = (text[0], text[1:-1]) if text[0] in "+-" else ("+", text[:-1])
            _digits(number.replace(".", "", 1))
            return int(now + float(sign + number) * _SECONDS[text[-1]])
        if text.isdigit():
            return _digits(text)
    except ValueError:
        pass
    seconds = parse_http_date(text)
    if seconds is None:
        raise ValueError(
            f"{text[:100]!r} is no moment: write now, +30m, -1d, epoch seconds or an HTTP date"
        )
    return seconds


def parse_date(text: str, *, dayfirst: bool = False) -> "date":
    """Return the date in `text`: ISO 8601, or in words by python-dateutil; else `ValueError`.

    `dayfirst=True` reads 1/2/2030 as 1 February.
    """
    from datetime import date

    try:
        return date.fromisoformat(text)
    except ValueError:
        return _in_words(text, dayfirst).date()


def parse_datetime(text: str, *, dayfirst: bool = False) -> "datetime":
    """Return the date and time in `text`, as `parse_date` does; aware if the text has an offset."""
    from datetime import datetime

    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _in_words(text, dayfirst)


def _in_words(text: str, dayfirst: bool) -> "datetime":
    from datetime import datetime

    if len(text) > _LONGEST:
        raise ValueError(f"a date of {len(text)} characters is too long")
    if not (text.isascii() and text.isprintable()):  # dateutil takes the digits of every script
        raise ValueError(f"{text!r} is not a date")
    from dateutil import parser

    # Where the year stands first, the month follows: dateutil alone makes 1 February of 2030-01-02.
    dayfirst = dayfirst and not text[:4].isdigit()
    # dateutil fills in what the text leaves out from a default. Two defaults that share no part of
    # the date show whether it did: "May 2030" is not a day, and must not silently become one.
    for sign in "+-":  # "GMT+0200", as browsers print dates: dateutil takes it for -02:00
        for zone in ("GMT", "UTC", "Z", "z"):
            text = text.replace(zone + sign, sign)
    found: datetime
    try:
        found, again = [
            parser.parse(text, dayfirst=dayfirst, default=datetime(*ymd), tzinfos=_zone)
            for ymd in ((2000, 1, 1), (2004, 2, 2))
        ]
    except Exception as error:  # of any kind: decimal.InvalidOperation for 29 digits and an "M"
        raise ValueError(f"{text!r} is not a date") from error
    if found != again:
        raise ValueError(f"{text!r} is not a whole date")
    return found


def _zone(name: str | None, offset: int | None) -> "tzinfo | None":
    """Return the time zone of a text by what dateutil found in it: a name, an offset in seconds.

    Names but UTC are refused: dateutil drops those it does not know ("10:00 EST" loses its zone),
    reads others by where the server stands, and turns the sign of "EST-5" round as POSIX does.
    """
    if name is None and offset is None:
        return None
    from datetime import timedelta, timezone

    if offset is None or (offset and name is not None):
        raise ValueError(f"the time zone {name!r} is not an offset such as +02:00")
    return timezone(timedelta(seconds=offset))


def _digits(text: str) -> int:
    """Convert at most 12 ASCII digits; int() alone takes signs, underscores and other scripts."""
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ValueError(f"{text[:100]!r} is not a number")
    return int(text)


def _epoch(
    year: int, month: int, day: int, hour: int, minute: int, second: int, *, short: bool
) -> int:
    if short:  # RFC 9110: a year over 50 years ahead means the last century
        from time import gmtime

        this = gmtime().tm_year
        year += this - this % 100
        if year > this + 50:
            year -= 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (year >= 1 and 1 <= day <= lengths[month - 1]):
        raise ValueError("no such day")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError("no such time")
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    days += sum(lengths[: month - 1]) + day - 1
    return days * 86_400 + hour * 3600 + minute * 60 + second
