"""Mappings of names to one or more values: queries, forms, cookies and uploads.

This module decides which of several values a plain look-up returns (always the first), and how text is
converted to an int, a date or a choice. It parses nothing from the wire.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime
    from typing import Any, TypeVar

    T = TypeVar("T")
    V = TypeVar("V")
else:
    from _collections_abc import Mapping  # always loaded; collections.abc costs another 2 ms

    V = object

# The default of a getter without a default: then a missing field is an error.
REQUIRED: "Any" = object()

# The same words as in configparser
_BOOLEANS = {
    "1": True, "yes": True, "true": True, "on": True,
    "0": False, "no": False, "false": False, "off": False,
}  # fmt: skip


class MultiMap(Mapping[str, V]):
    """An ordered, read-only mapping of str names to one or more values.

    `[name]` and `.get(name)` always return the first value, `.getlist(name)` all of them. Iteration and
    `len()` use distinct names; `.pairs()` has every pair in its original order. `[name]` raises
    `InvalidField` (400), which is also a `KeyError`, for a name that was not sent.
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: "Iterable[tuple[str, V]]" = ()) -> None:
        # A copy, so later changes of the caller's list have no effect.
        self._pairs = list(pairs)
        self._index: dict[str, list[V]] | None = None

    def _lists(self) -> "dict[str, list[V]]":
        # Built at the first look-up: a script that only iterates over the pairs does not need it.
        index = self._index
        if index is None:
            index = self._index = {}
            for name, value in self._pairs:
                if name in index:
                    index[name].append(value)
                else:
                    index[name] = [value]
        return index

    def __getitem__(self, name: str) -> "V":
        values = self._lists().get(name)
        if values is None:
            from .errors import MissingField

            # A plain KeyError would be a 500, an error of the script; but the client omitted the field.
            raise MissingField(name, self if isinstance(self, MultiDict) else None)
        return values[0]

    # Its type is that of Mapping.get, which would create an error only to drop it.
    if not TYPE_CHECKING:

        def get(self, name, default=None):
            """Return the first value of `name`, or `default`."""
            values = self._lists().get(name)
            return default if values is None else values[0]

    def __iter__(self):  # type: ignore[no-untyped-def]  # Iterator[str]; inherited from Mapping
        return iter(self._lists())

    def __len__(self) -> int:
        return len(self._lists())

    def __contains__(self, name: object) -> bool:
        return name in self._lists()

    def getlist(self, name: str) -> "list[V]":
        """Return all values of `name` in their order (a new list, empty if there are none)."""
        return list(self._lists().get(name, ()))

    def pairs(self) -> "list[tuple[str, V]]":
        """Return all (name, value) pairs in their order (a new list)."""
        return list(self._pairs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiMap):
            return self._pairs == other._pairs
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # compared by content, like every mapping

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


class MultiDict(MultiMap[str]):
    """A `MultiMap` of text with getters that convert and check a value.

    Every getter uses the first value. For a missing or blank field it returns `default`. Without a
    default, and for text that cannot be converted, it raises `InvalidField` (400), which names the
    field. The getters have the same names as those of configparser.
    """

    __slots__ = ()

    def _text(self, name: str, default: object) -> str | None:
        """Return the stripped text of the field, or None if the default applies."""
        text = self.get(name, "").strip()
        if text:
            return text
        if default is REQUIRED:
            raise self._invalid(name, self.get(name), "is blank" if name in self else "is missing")
        return None

    def getint(
        self, name: str, default: "int | T" = REQUIRED, *, min: int | None = None,
        max: int | None = None,
    ) -> "int | T":  # fmt: skip
        """Return the field as an int from `min` to `max` (inclusive).

        It must consist of ASCII digits with an optional sign, at most as many as Python converts
        (4,300 unless configured otherwise).
        """
        text = self._text(name, default)
        if text is None:
            return default
        digits = text[1:] if text[0] in "+-" else text
        # int() alone would accept "1_000" and the digits of every script in Unicode.
        try:
            if not (digits.isascii() and digits.isdigit()):
                raise ValueError
            number = int(text)
        except ValueError:
            raise self._invalid(name, text, "is not a whole number") from None
        return self._between(name, text, number, min, max)

    def getfloat(
        self, name: str, default: "float | T" = REQUIRED, *, min: float | None = None,
        max: float | None = None,
    ) -> "float | T":  # fmt: skip
        """Return the field as a finite float from `min` to `max` (inclusive)."""
        text = self._text(name, default)
        if text is None:
            return default
        try:
            if not text.isascii() or "_" in text:
                raise ValueError
            number = float(text)
            if number - number != 0:  # inf and nan would pass the comparisons below
                raise ValueError
        except ValueError:
            raise self._invalid(name, text, "is not a number") from None
        return self._between(name, text, number, min, max)

    def getboolean(self, name: str, default: "bool | T" = REQUIRED) -> "bool | T":
        """Return True for 1, yes, true and on, and False for 0, no, false and off, in any case.

        Browsers do not send a checkbox that is not checked: give `default=False` for one.
        """
        text = self._text(name, default)
        if text is None:
            return default
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise self._invalid(name, text, "is neither yes nor no")
        return value

    def getchoice(
        self, name: str, choices: "Iterable[str]", default: "str | T" = REQUIRED
    ) -> "str | T":
        """Return the field (str) if it is exactly one of `choices`."""
        text = self._text(name, default)
        if text is None:
            return default
        allowed = list(choices)
        value = self[name]
        if value not in allowed:
            raise self._invalid(name, value, f"is not one of {', '.join(allowed)[:200]}")
        return value

    def getdate(
        self, name: str, default: "date | T" = REQUIRED, *, dayfirst: bool = False
    ) -> "date | T":
        """Return the field as a `datetime.date`: ISO 8601 (as `<input type=date>` sends it), or a date
        in words. `dayfirst=True` reads 1/2/2030 as 1 February.
        """
        text = self._text(name, default)
        if text is None:
            return default
        from .dates import parse_date

        try:
            return parse_date(text, dayfirst=dayfirst)
        except ValueError:
            raise self._invalid(name, text, "is not a date; write it as YYYY-MM-DD") from None

    def getdatetime(
        self, name: str, default: "datetime | T" = REQUIRED, *, dayfirst: bool = False
    ) -> "datetime | T":
        """Return the field as a `datetime.datetime`, aware only if it has an offset: ISO 8601 (as
        `<input type=datetime-local>` sends it), or a date and time in words.
        """
        text = self._text(name, default)
        if text is None:
            return default
        from .dates import parse_datetime

        try:
            return parse_datetime(text, dayfirst=dayfirst)
        except ValueError:
            raise self._invalid(
                name, text, "is not a date and time; write it as YYYY-MM-DD HH:MM"
            ) from None

    def _between(self, name: str, text: str, number: "T", min: object, max: object) -> "T":
        """Return `number`; raise `InvalidField` if it is outside the bounds that are given."""
        if min is not None and number < min:  # type: ignore[operator]  # an int or a float, as `min` is
            raise self._invalid(name, text, f"is less than {min}")
        if max is not None and number > max:  # type: ignore[operator]
            raise self._invalid(name, text, f"is more than {max}")
        return number

    def _invalid(self, name: str, value: str | None, reason: str) -> Exception:
        from .errors import InvalidField  # imported where it is raised: most requests are valid

        return InvalidField(name, value, reason, self)
