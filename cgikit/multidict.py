"""Names with several values: the mapping that queries, forms, cookies and uploads come in.

Here is decided which of several values a plain look-up gives (always the first) and how text becomes
an int, a date or a choice. Nothing is parsed from the wire here.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime
    from typing import Any, TypeVar

    T = TypeVar("T")
    V = TypeVar("V")
else:
    from _collections_abc import Mapping  # loaded at every start; collections.abc costs 2 ms more

    V = object

REQUIRED: "Any" = (
    object()
)  # the default of a getter that has none: a missing field is then an error

# configparser's words, so that nobody has to learn new ones
_BOOLEANS = {
    "1": True, "yes": True, "true": True, "on": True,
    "0": False, "no": False, "false": False, "off": False,
}  # fmt: skip


class MultiMap(Mapping[str, V]):
    """An ordered, read-only mapping of str names to one or more values.

    `[name]` and `.get(name)` give the first value, `.getlist(name)` all of them, always. Iteration
    and `len()` go over distinct names; `.pairs()` keeps every pair in the order it came. `[name]`
    raises `InvalidField` (400) for a name that did not come, which is a `KeyError` as well.
    """

    __slots__ = ("_index", "_pairs")

    def __init__(self, pairs: "Iterable[tuple[str, V]]" = ()) -> None:
        self._pairs = list(pairs)  # a copy: read-only, also when the caller's list changes
        self._index: dict[str, list[V]] | None = None

    def _lists(self) -> "dict[str, list[V]]":
        # Built at the first look-up: a script that only loops over the pairs does not pay for it.
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

            # A plain KeyError would be the script's fault, and a 500: the client left the field out.
            raise MissingField(name)
        return values[0]

    if not TYPE_CHECKING:  # typed as Mapping has it; this one makes no error just to drop it

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
        """Return all values of `name` in the order they came (a new list, empty if there are none)."""
        return list(self._lists().get(name, ()))

    def pairs(self) -> "list[tuple[str, V]]":
        """Return every (name, value) pair in the order it came (a new list)."""
        return list(self._pairs)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, MultiMap):
            return self._pairs == other._pairs
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # equal by content, like every mapping

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._pairs!r})"


class MultiDict(MultiMap[str]):
    """A `MultiMap` of text, with getters that convert and check.

    Every getter takes the first value. A missing or blank field gives `default`; without a default,
    and whenever the text does not convert, the getter raises `InvalidField` (400), which names the
    field. The getters are named as configparser names its own.
    """

    __slots__ = ()

    def _text(self, name: str, default: object) -> str | None:
        """Return the field's stripped text, or None where the default applies."""
        text = self.get(name, "").strip()
        if text:
            return text
        if default is REQUIRED:
            raise _invalid(name, self.get(name), "is blank" if name in self else "is missing")
        return None

    def getint(
        self, name: str, default: "int | T" = REQUIRED, *, min: int | None = None,
        max: int | None = None,
    ) -> "int | T":  # fmt: skip
        """Return the field as an int between `min` and `max` (both included).

        Only ASCII digits with an optional sign count, at most as many as Python converts
        (4,300 unless configured otherwise).
        """
        text = self._text(name, default)
        if text is None:
            return default
        digits = text[1:] if text[0] in "+-" else text
        # int() alone would take "1_000" and the digits of every script in Unicode
        try:
            if not (digits.isascii() and digits.isdigit()):
                raise ValueError
            number = int(text)
        except ValueError:
            raise _invalid(name, text, "is not a whole number") from None
        return _between(name, text, number, min, max)

    def getfloat(
        self, name: str, default: "float | T" = REQUIRED, *, min: float | None = None,
        max: float | None = None,
    ) -> "float | T":  # fmt: skip
        """Return the field as a finite float between `min` and `max` (both included)."""
        text = self._text(name, default)
        if text is None:
            return default
        try:
            if not text.isascii() or "_" in text:
                raise ValueError
            number = float(text)
            if number - number != 0:  # inf and nan pass every comparison that follows
                raise ValueError
        except ValueError:
            raise _invalid(name, text, "is not a number") from None
        return _between(name, text, number, min, max)

    def getboolean(self, name: str, default: "bool | T" = REQUIRED) -> "bool | T":
        """Return True for 1, yes, true, on and False for 0, no, false, off, in any case.

        A check box that is not ticked is not sent: give `default=False` for those.
        """
        text = self._text(name, default)
        if text is None:
            return default
        value = _BOOLEANS.get(text.lower())
        if value is None:
            raise _invalid(name, text, "is neither yes nor no")
        return value

    def getchoice(
        self, name: str, choices: "Iterable[str]", default: "str | T" = REQUIRED
    ) -> "str | T":
        """Return the field if it is one of `choices`, compared exactly (str)."""
        text = self._text(name, default)
        if text is None:
            return default
        allowed = list(choices)
        value = self[name]
        if value not in allowed:
            raise _invalid(name, value, f"is not one of {', '.join(allowed)[:200]}")
        return value

    def getdate(
        self, name: str, default: "date | T" = REQUIRED, *, dayfirst: bool = False
    ) -> "date | T":
        """Return the field as a `datetime.date`: ISO 8601 (what `<input type=date>` sends), or a
        date in words; `dayfirst` says how 1/2/2030 reads.
        """
        text = self._text(name, default)
        if text is None:
            return default
        from .dates import parse_date

        try:
            return parse_date(text, dayfirst=dayfirst)
        except ValueError:
            raise _invalid(name, text, "is not a date; write it as YYYY-MM-DD") from None

    def getdatetime(
        self, name: str, default: "datetime | T" = REQUIRED, *, dayfirst: bool = False
    ) -> "datetime | T":
        """Return the field as a `datetime.datetime`, aware only if the text names an offset: ISO
        8601 (what `<input type=datetime-local>` sends), or a date and time in words.
        """
        text = self._text(name, default)
        if text is None:
            return default
        from .dates import parse_datetime

        try:
            return parse_datetime(text, dayfirst=dayfirst)
        except ValueError:
            raise _invalid(
                name, text, "is not a date and time; write it as YYYY-MM-DD HH:MM"
            ) from None


def _between(name: str, text: str, number: "T", min: object, max: object) -> "T":
    """Return `number` if it lies between the bounds that are given."""
    if min is not None and number < min:  # type: ignore[operator]  # an int or a float, as `min` is
        raise _invalid(name, text, f"is less than {min}")
    if max is not None and number > max:  # type: ignore[operator]
        raise _invalid(name, text, f"is more than {max}")
    return number


def _invalid(name: str, value: str | None, reason: str) -> Exception:
    from .errors import InvalidField  # imported where raised: most requests are good

    return InvalidField(name, value, reason)
