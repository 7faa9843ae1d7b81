"""Internal. What all fields have in common: what was sent for one, its label, hint and error message.

This module alone decides where the remembered values come from, whether a form was sent at all, and how
a label and a message are tied to their field (HTML section 4.10.4, WAI-ARIA 1.2).
"""

from .markup import identifier, tag, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..errors import InvalidField
    from ..multidict import MultiDict
    from ..request import Request

    Source = Request | InvalidField | None


class Control:
    """One field on its way into the page.

    `.values` is what was sent under its name (list of str), `.sent` whether the form was sent at all,
    `.message` its error message ("" if none).
    """

    def __init__(
        self,
        source: "Source",
        name: str,
        label: str | None,
        hint: str | None,
        id: str | None,
        index: int = 0,
    ) -> None:
        if not name:
            raise ValueError("a field needs a name; browsers do not send one without it")
        self.name = name
        self.index = index
        self.id = id or identifier(name, index)
        self.label = label
        self.hint = hint
        self.message = ""
        self.values: list[str] = []
        self.sent = False
        if isinstance(source, Exception):
            self._recall_error(source)
        elif source is not None:
            fields, self.sent = sent_fields(source)
            self.values = fields.getlist(name)

    def _recall_error(self, error: "InvalidField") -> None:
        self.sent = True
        if error.sent is not None:
            self.values = error.sent.getlist(self.name)
        elif error.field == self.name and error.value is not None:
            self.values = [error.value]
        if error.field == self.name and self.index == 0:
            self.message = f"{self.label or self.name[:100]} {error.reason}."

    def value(self, default: object) -> str:
        """Return the text that the field shows: what was sent at its position, or `default`."""
        if self.index < len(self.values):
            return self.values[self.index]
        return written(default)

    def describing(self, given: "Mapping[str, object]") -> dict[str, object]:
        """Return the attributes that tie the hint and the message to the field, and `given`."""
        ids = [str(given.get("aria-describedby") or "")]
        ids += [f"{self.id}:hint"] if self.hint else []
        ids += [f"{self.id}:error"] if self.message else []
        described = " ".join(filter(None, ids)) or None
        invalid = True if self.message else None
        return {"aria-invalid": invalid, **given, "aria-describedby": described}

    def labelled(self, element: str) -> str:
        """Return the element with its label in front, and the hint and the message behind it."""
        parts = [element]
        if self.label is not None:
            parts.insert(0, f"{tag('label', {'for': self.id})}{text(self.label)}</label>")
        return "\n".join(parts + self.notes())

    def notes(self) -> list[str]:
        """Return the hint and the message as elements."""
        return [
            f"{tag('span', {'class': f'field-{kind}', 'id': f'{self.id}:{kind}'})}{text(note)}</span>"
            for kind, note in (("hint", self.hint), ("error", self.message))
            if note
        ]


def sent_fields(request: "Request") -> "tuple[MultiDict, bool]":
    """Return the fields that were sent in the way of the request's method, and whether a form was.

    A POST always is a form that was sent, even with no box of it checked; a GET if it has a query.
    """
    if request.method in {"GET", "HEAD"}:
        return request.query, bool(request.query)
    return request.form, True


def written(value: object) -> str:
    """Return a default as the text that a field has: dates as ISO 8601, None as ""."""
    if value is None:
        return ""
    isoformat = getattr(value, "isoformat", None)
    return str(value if isoformat is None else isoformat())
