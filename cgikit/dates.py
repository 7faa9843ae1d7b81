"""Dates: the format of HTTP, the values that `expires` accepts, and dates that people type.

Implements IMF-fixdate and the two obsolete forms (RFC 9110 section 5.6.7) with epoch seconds and
without `datetime`, which takes 3 ms to import. python-dateutil reads dates in words; it is imported
only if the text is not ISO 8601. The clock is read only for "now", relative times and two-digit years.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime, tzinfo

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "M": 30 * 86_400, "y": 365 * 86_400}
_LATEST = 253_402_300_799  # 9999-12-31T23:59:59Z: the year of an HTTP date has four digits
_EARLIEST = -62_135_596_800  # 0001-01-01T00:00:00Z
_MAX_TEXT = 100  # characters of a date that a person types; dateutil does not take linear time


def format_http_date(seconds: float) -> str:
    """Return `seconds` since the epoch as an IMF-fixdate: "Sun, 06 Nov 1994 08:49:37 GMT".

    Raises `ValueError` outside the years 1 to 9999. The inverse is `parse_http_date`.
    """
    from time import gmtime

    if not _EARLIEST <= seconds <= _LATEST:
        raise ValueError(
            f"{seconds!r} seconds since the epoch are outside the years 1 to 9999; an HTTP date must "
            "be within them"
        )
    y, mon, d, h, m, s, weekday, *_ = gmtime(seconds)
    return f"{_DAYS[weekday]}, {d:02d} {_MONTHS[mon - 1]} {y:04d} {h:02d}:{m:02d}:{s:02d} GMT"


def parse_http_date(text: str) -> int | None:
    """Return the epoch seconds (int) of an HTTP date in any of its three forms, or None if invalid.

    It is not an error because a condition with an invalid date must be ignored (RFC 9110 section
    13.1.3). The inverse is `format_http_date`.
    """
    words = text.replace(",", " ").replace("-", " ").split()
    try:
        if len(words) == 5:  # asctime: Sun Nov  6 08:49:37 1994
            _, month, day, clock, year = words
        else:  # IMF-fixdate, or RFC 850 with dashes and a two-digit year
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
    """Return `when` as epoch seconds (int), for Expires and cookies.

    An int or float is epoch seconds; a `datetime` must be aware; a str is "now", a number with a unit
    relative to now ("+30m", "-1d", "1.5h"; the units are s, m, h, d, M for 30 days and y for 365 days),
    epoch seconds in digits, or an HTTP date. Another str raises `ValueError`, another type `TypeError`.
    `now` (epoch seconds) replaces the clock.
    """
    if isinstance(when, str):
        return _moment_in_words(when, now)
    if isinstance(when, int | float):
        if when - when != 0:  # infinite, for which int() raises OverflowError, or not a number
            raise ValueError(f"{when!r} is not a valid date or time; give finite epoch seconds")
        return int(when)
    offset: Callable[[], object] | None = getattr(when, "utcoffset", None)
    if offset is None:
        raise TypeError(
            f"a date or time must be a number, a str or a datetime, not {type(when).__name__}"
        )
    if offset() is None:
        raise ValueError(f"{when!r} has no time zone; give it one, such as datetime.timezone.utc")
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
            f"{text[:100]!r} is not a valid date or time; write now, +30m, -1d, epoch seconds or an "
            "HTTP date"
        )
    return seconds


def parse_date(text: str, *, dayfirst: bool = False) -> "date":
    """Return the date in `text`: ISO 8601, or in words (python-dateutil); otherwise `ValueError`.

    `dayfirst=True` reads 1/2/2030 as 1 February.
    """
    from datetime import date

    _short(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return _in_words(text, dayfirst).date()


def parse_datetime(text: str, *, dayfirst: bool = False) -> "datetime":
    """Return the date and time in `text`, as `parse_date` does; aware if `text` has an offset. In ISO
    8601 a T, a t or a space is between the date and the time.
    """
    from datetime import date, datetime

    _short(text)
    try:
        # `datetime.fromisoformat` accepts any character there.
        day = text.replace("t", "T").replace(" ", "T").partition("T")[0]
        if date.fromisoformat(day) == (found := datetime.fromisoformat(text)).date():
            return found
    except ValueError:
        pass
    return _in_words(text, dayfirst)


def _short(text: str) -> None:
    """Raise `ValueError` for a text that is too long for a date."""
    if len(text) > _MAX_TEXT:
        raise ValueError(
            f"a date of {len(text)} characters is too long; write at most {_MAX_TEXT}, as YYYY-MM-DD"
        )


def _in_words(text: str, dayfirst: bool) -> "datetime":
    from datetime import datetime

    if not (text.isascii() and text.isprintable()):  # dateutil accepts the digits of every script
        raise ValueError(f"{text!r} is not a valid date; write it as YYYY-MM-DD")
    from dateutil import parser

    # After a year at the beginning comes the month: dateutil would read 2030-01-02 as 1 February.
    dayfirst = dayfirst and not text[:4].isdigit()
    # dateutil takes the missing parts of a date from a default. Parsing with two defaults that have no
    # part in common shows whether it did: "May 2030" is not a day and must not silently become one.
    for sign in "+-":  # browsers print "GMT+0200", which dateutil would read as -02:00
        for zone in ("GMT", "UTC", "Z", "z"):
            text = text.replace(zone + sign, sign)
    found: datetime
    try:
        found, again = [
            parser.parse(text, dayfirst=dayfirst, default=datetime(*ymd), tzinfos=_zone)
            for ymd in ((2000, 1, 1), (2004, 2, 2))
        ]
    except Exception as error:  # any: decimal.InvalidOperation for 29 digits and an "M"
        raise ValueError(f"{text!r} is not a valid date; write it as YYYY-MM-DD") from error
    if found != again:
        raise ValueError(f"{text!r} is not a complete date; write it as YYYY-MM-DD")
    return found


def _zone(name: str | None, offset: int | None) -> "tzinfo | None":
    """Return the time zone that dateutil found in a text, as a name and an offset in seconds.

    All names but UTC are refused. dateutil ignores names that it does not know ("10:00 EST" loses its
    zone), gives others the meaning that they have at the server's place, and reverses the sign of
    "EST-5", as POSIX does.
    """
    if name is None and offset is None:
        return None
    from datetime import timedelta, timezone

    if offset is None or (offset and name is not None):
        raise ValueError(f"the time zone {name!r} is not supported; write an offset such as +02:00")
    return timezone(timedelta(seconds=offset))


def _digits(text: str) -> int:
    """Return the number in at most 12 ASCII digits; int() alone accepts signs, underscores and the
    digits of other scripts.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise ValueError(f"{text[:100]!r} is not a valid number; write at most 12 digits")
    return int(text)


def _epoch(
    year: int, month: int, day: int, hour: int, minute: int, second: int, *, short: bool
) -> int:
    # A year more than 50 years ahead belongs to the last century (RFC 9110 section 5.6.7).
    if short:
        from time import gmtime

        this = gmtime().tm_year
        year += this - this % 100
        if year > this + 50:
            year -= 100
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    if not (year >= 1 and 1 <= day <= lengths[month - 1]):
        raise ValueError(f"{year:04}-{month:02}-{day:02} does not exist; check the day")
    if hour > 23 or minute > 59 or second > 60:
        raise ValueError(f"{hour:02}:{minute:02}:{second:02} does not exist; check the time")
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 - 719_162
    days += sum(lengths[: month - 1]) + day - 1
    return days * 86_400 + hour * 3600 + minute * 60 + second
