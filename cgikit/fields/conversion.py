"""Internal. Converts submitted text to values: one function per kind, none of which trusts the browser.

Numbers, dates and yes or no are read by the getters of `MultiDict`. This module alone decides what a
line of text may contain, which files are accepted, and which message is due. Every rule takes time in
proportion to the text, but for the script's own patterns, which get texts of bounded length.
"""

from ..errors import InvalidField, size_in_words
from ..multidict import MultiDict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from ..upload import Upload
    from .declared import Field

#: Characters of a text that a pattern is tried on, if `max` does not allow more
PATTERN_LENGTH = 1_000

# Line ends and control characters: they could start a new header field in a mail
_CONTROLS = frozenset(map(chr, (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)))
_CONTROLS_IN_TEXT = _CONTROLS - frozenset("\t\n\u2028\u2029")


class Refused(Exception):
    """The value is not valid: `.code` is the code of its message, `.values` what that names."""

    def __init__(self, code: str, values: "Mapping[str, object] | None" = None) -> None:
        super().__init__(code)
        self.code = code
        self.values = values or {}


def convert(field: "Field", texts: "Iterable[str]") -> "Iterator[Any]":
    """Yield the value of each text; None if it is blank. Raises `Refused` at the first invalid one."""
    if field.choices is None:
        for text in texts:
            yield _converted(field, text)
        return
    from .choices import originals

    known = originals(field.choices)
    for text in texts:
        if text and text not in known:
            raise Refused("choice")
        yield known[text] if text else None


def _converted(field: "Field", text: str) -> "Any":
    if field.kind in _TEXTS:
        return _TEXTS[field.kind](field, text)
    return None if not text.strip() else _VALUES[field.kind](field, text)


def check_pattern(field: "Field") -> None:
    """Raise `ValueError` if the declared pattern is not a regular expression.

    `declare` would have to import `re` for it, which is half of the start of Python, at each visit.
    """
    if field.pattern is not None:
        import re

        try:
            re.compile(field.pattern)
        except re.error as error:
            raise ValueError(
                f"the field {field.name!r} has pattern={field.pattern!r}, which is not a valid "
                f"regular expression: {error}; correct it"
            ) from None


def accepted(field: "Field", upload: "Upload") -> "Upload":
    """Return the file; raise `Refused` if it is too small, too large, or of another type.

    The type is what the client says: it is a help for visitors, and proves nothing.
    """
    if field.min is not None and upload.size < field.min:
        raise Refused("small", {"min": size_in_words(field.min)})
    if field.max is not None and upload.size > field.max:
        raise Refused("large", {"max": size_in_words(field.max)})
    wanted = [each.strip().lower() for each in (field.accept or "").split(",")]
    wanted = [each for each in wanted if each]
    if wanted and not any(_is_of(upload, each) for each in wanted):
        raise Refused("type", {"accept": ", ".join(wanted)})
    return upload


def _is_of(upload: "Upload", wanted: str) -> bool:
    if wanted.startswith("."):
        return upload.client_filename.lower().endswith(wanted)
    kind = upload.content_type.partition(";")[0].strip().lower()
    if wanted.endswith("/*"):
        return kind.startswith(wanted[:-1])
    return kind == wanted


# --- text -----------------------------------------------------------------------------------


def _line(field: "Field", text: str) -> str | None:
    text = text.strip() if field.strip else text
    if not _CONTROLS.isdisjoint(text) or not _is_text(text):
        raise Refused("line")
    return _sized(field, text)


def _lines(field: "Field", text: str) -> str | None:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip() if field.strip else text
    if not _CONTROLS_IN_TEXT.isdisjoint(text) or not _is_text(text):
        raise Refused("control")
    return _sized(field, text)


def _email(field: "Field", text: str) -> str | None:
    from .inputtypes import is_email

    address = _line(field, text)
    if address and not is_email(address):
        raise Refused("email")
    return address


def _url(field: "Field", text: str) -> str | None:
    from .inputtypes import is_url

    address = _line(field, text)
    if address and not is_url(address):
        raise Refused("url")
    return address


def _sized(field: "Field", text: str) -> str | None:
    """Return the text if its length is within the bounds and it matches the pattern; None if empty."""
    if not text:
        return None
    if field.max is not None and len(text) > field.max:
        raise Refused("long", {"max": field.max})
    if field.min is not None and len(text) < field.min:
        raise Refused("short", {"min": field.min})
    if field.pattern is not None:
        import re

        long = field.max is None and len(text) > PATTERN_LENGTH
        if long or re.fullmatch(field.pattern, text) is None:
            raise Refused("pattern")
    return text


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


# --- values ---------------------------------------------------------------------------------


def _int(field: "Field", text: str) -> object:
    return _bounded(field, _got(text, "getint", "int"), "less", "more")


def _float(field: "Field", text: str) -> object:
    return _bounded(field, _got(text, "getfloat", "number"), "less", "more")


def _decimal(field: "Field", text: str) -> object:
    from decimal import Decimal

    text = text.strip()
    whole, _, fraction = text.removeprefix(text[:1] if text[0] in "+-" else "").partition(".")
    digits = whole + fraction
    # No exponent: 1e999999999 is a short text, and a number that fills the memory.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= PATTERN_LENGTH):
        raise Refused("number")
    return _bounded(field, Decimal(text), "less", "more")


def _bool(field: "Field", text: str) -> object:
    return _got(text, "getboolean", "bool")


def _date(field: "Field", text: str) -> object:
    return _bounded(field, _got(text, "getdate", "date"), "early", "late")


def _datetime(field: "Field", text: str) -> object:
    found = _got(text, "getdatetime", "datetime")
    if found.tzinfo is not None:  # an <input type=datetime-local> has no zone
        raise Refused("datetime")
    return _bounded(field, found, "early", "late")


def _got(text: str, getter: str, code: str) -> "Any":
    try:
        return getattr(MultiDict([("", text)]), getter)("")
    except InvalidField:
        raise Refused(code) from None


def _bounded(field: "Field", value: "Any", less: str, more: str) -> "Any":
    if field.min is not None and value < field.min:
        raise Refused(less, {"min": field.min})
    if field.max is not None and value > field.max:
        raise Refused(more, {"max": field.max})
    return value


_TEXTS = {"str": _line, "password": _line, "text": _lines, "email": _email, "url": _url}
_VALUES = {
    "int": _int,
    "float": _float,
    "decimal": _decimal,
    "bool": _bool,
    "date": _date,
    "datetime": _datetime,
}
