"""Declarations: what a field of a form may contain, said once for the check and for the page.

The kinds and their rules are in `conversion.py`, the attributes of inputs for them here (HTML section
4.10.5). A declaration keeps nothing of a request.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

#: By kind: the type of the input.
TYPES = {
    "str": "text",
    "text": None,
    "password": None,
    "email": "email",
    "url": "url",
    "int": "number",
    "float": "number",
    "decimal": "number",
    "date": "date",
    "datetime": "datetime-local",
    "bool": None,
    "file": None,
}
_LENGTHS = frozenset({"str", "text", "password", "email", "url"})
_NO_BOUNDS = frozenset({"bool"})


class Field:
    """What one field of a form may contain. `declare` makes it."""

    def __init__(
        self,
        name: str,
        kind: str,
        label: str | None,
        required: bool,
        default: "Any",
        min: "Any",
        max: "Any",
        pattern: str | None,
        choices: "Iterable[object] | None",
        multiple: bool,
        accept: str | None,
        strip: bool,
        check: "Callable[[Any], str | None] | None",
        messages: "Mapping[str, str]",
    ) -> None:
        self.name = name
        self.kind = kind
        self.label = label
        self.required = required
        self.default = default
        self.min = min
        self.max = max
        self.pattern = pattern
        self.choices = choices
        self.multiple = multiple
        self.accept = accept
        self.strip = strip
        self.check = check
        self.messages = messages

    def __repr__(self) -> str:
        return f"<Field {self.name!r} {self.kind}>"

    @property
    def input(self) -> str:
        """The type of input for `fields.text`. Raises `ValueError` for a password."""
        self.refuse_password()
        return TYPES[self.kind] or "text"

    def refuse_password(self) -> None:
        """Raise `ValueError` for a password, which must not be shown again."""
        if self.kind == "password":
            raise ValueError(f"the field {self.name!r} is a password; show it by fields.password")

    @property
    def bounds_are_lengths(self) -> bool:
        """Whether `min` and `max` are numbers of characters."""
        return self.kind in _LENGTHS

    def attributes(self, function: str) -> dict[str, object]:
        """Return the attributes that the field gets from fields.`function`, by their names in HTML."""
        found: dict[str, object] = {}
        if function != "checkboxes":  # HTML cannot require one box of a group
            found["required"] = self.required or None
        if function in {"text", "textarea", "password"}:
            if self.bounds_are_lengths:
                found |= {"minlength": self.min, "maxlength": self.max}
            else:
                step = "any" if self.kind in {"float", "decimal"} else None
                found |= {"min": self.min, "max": self.max, "step": step}
        if function in {"text", "password"}:
            found["pattern"] = self.pattern
        if function == "file":
            found |= {"accept": self.accept, "multiple": self.multiple or None}
        return found


def declare(
    name: str,
    kind: "str | type" = "str",
    *,
    label: str | None = None,
    required: bool = False,
    default: "Any" = None,
    min: "Any" = None,
    max: "Any" = None,
    pattern: str | None = None,
    choices: "Iterable[object] | None" = None,
    multiple: bool = False,
    accept: str | None = None,
    strip: bool | None = None,
    check: "Callable[[Any], str | None] | None" = None,
    messages: "Mapping[str, str] | None" = None,
) -> Field:
    """Declare a field for `check` (`Field`).

    `kind` is str, int, float, bool, `datetime.date`, `datetime.datetime`, `decimal.Decimal`, or one of
    "text" (several lines), "password", "email", "url" and "file"; or the name of the type. `min`
    and `max` bound a number, a date, the length of a text, the bytes of a file. `pattern` is a regular
    expression that the whole text has to match, `accept` lists types and endings of files. `choices`
    are those of `select`; the value is the chosen item itself. With `multiple`, the value is
    a list. `check` gets the value and returns a message for the visitor, or None.

    Raises `ValueError` for a declaration that contradicts itself, and for a bound of the wrong type.
    `check` looks at the pattern, when a form was sent.
    """
    word = kind if isinstance(kind, str) else kind.__name__
    word = word.lower().removesuffix("-local")
    _refuse(name, word, min, max, pattern, choices, accept, kind)
    if choices is not None:
        choices = choices if hasattr(choices, "items") else list(choices)
    found = dict(messages or {})
    if found:
        from .messages import known

        known(found)
    return Field(
        name, word, label, required, default, min, max, pattern, choices, multiple, accept,
        word != "password" if strip is None else strip, check, found,
    )  # fmt: skip


def _refuse(
    name: str,
    word: str,
    min: object,
    max: object,
    pattern: str | None,
    choices: object,
    accept: str | None,
    kind: object,
) -> None:
    """Raise `ValueError` for what cannot be declared."""
    if not name:
        raise ValueError("a field needs a name; browsers do not send one without it")
    if word not in TYPES:
        raise ValueError(f"kind={kind!r} is not valid; use one of {', '.join(TYPES)}")
    where = f"the field {name!r}"
    if pattern is not None and word not in _LENGTHS:
        raise ValueError(f"{where} is of the kind {word}, which has no pattern; use kind=str")
    if accept is not None and word != "file":
        raise ValueError(f"{where} is not a file; accept is for kind='file'")
    if choices is not None and word not in {"str", "int", "float"}:
        raise ValueError(
            f"{where} has kind={word!r}, which cannot have choices; use str, int or float"
        )
    bounds = {key: bound for key, bound in (("min", min), ("max", max)) if bound is not None}
    if bounds and (word in _NO_BOUNDS or choices is not None):
        raise ValueError(f"{where} has nothing that min and max could bound; leave them out")
    for key, bound in bounds.items():
        wanted = _fault_of_bound(word, bound)
        if wanted:
            raise ValueError(f"{where} has {key}={bound!r}, which is not {wanted}; give one")
    if len(bounds) == 2 and min > max:  # type: ignore[operator]
        raise ValueError(f"{where} has min={min!r} above max={max!r}; swap them")


def _fault_of_bound(word: str, bound: "Any") -> str:
    """Return what a bound of a field of this kind has to be, or "" if it is that."""
    if word in {"date", "datetime"}:
        from datetime import date, datetime

        moment = isinstance(bound, datetime)
        if word == "date":
            return "" if isinstance(bound, date) and not moment else "a date"
        return "" if moment and bound.tzinfo is None else "a datetime without a time zone"
    if word not in {"int", "float", "decimal"}:
        unit = "bytes" if word == "file" else "characters"
        return "" if isinstance(bound, int) and bound >= 0 else f"a number of {unit} (int)"
    if isinstance(bound, int | float):
        return "" if bound == bound else "a number"  # NaN bounds nothing
    from decimal import Decimal

    return "" if isinstance(bound, Decimal) and not bound.is_nan() else "a number"
