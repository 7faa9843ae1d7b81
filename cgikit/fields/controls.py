"""Internal. What all fields have in common: what was sent for one, its label, hint and error message,
and how elements, attributes and ids are written in valid HTML, whatever text they are made of.

This module alone decides where the remembered values come from, whether a form was sent at all, how a
label and a message are tied to their field (HTML section 4.10.4, WAI-ARIA 1.2), how the name of a
Python argument becomes that of an attribute, and how an id is made of a field's name. It is one module,
because each import adds to the start-up of a form.
"""

from ..html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..errors import InvalidField
    from ..multidict import MultiDict
    from ..request import Request
    from .declared import Field
    from .faults import Errors

    Source = Request | Errors | InvalidField | None

_NAME_CHARS = frozenset("-.:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_ID_CHARS = frozenset("-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# Enumerated attributes: written "true" or "false", not present or absent
_ENUMERATED = frozenset({"contenteditable", "draggable", "spellcheck"})
# Attributes that the functions set, and what to do instead: browsers would ignore a second one
_RESERVED = {
    "action": "use action= of form",
    "checked": "use default=, or checked= of checkbox",
    "enctype": "form sets it",
    "method": "use method= of form",
    "name": "give it as the second argument",
    "selected": "use default=",
    "type": "use type= of text and button, or the function for that type of field",
    "value": "use default=, or value= of checkbox, button and hidden",
}
_UNFILLED = frozenset({"file", "password"})


class Control:
    """One field while its HTML is built: one of those with its name, or `whole`, the only one for all
    of its values.

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
        *,
        whole: bool = False,
    ) -> None:
        if not name:
            raise ValueError("a field needs a name; browsers do not send one without it")
        self.name = name
        self.index = index
        self.whole = whole
        self.id = id or identifier(name, index)
        self.label = label
        self.hint = hint
        self.message = ""
        self.values: list[str] = []
        self.sent = False
        self.declared: Field | None = None
        if isinstance(source, Exception):
            self._recall_error(source)
        elif isinstance(source, dict):
            self._recall_errors(source)
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

    def _recall_errors(self, errors: "Errors") -> None:
        self.sent = errors.sent
        if self.sent:
            self.values = sent_fields(errors.request)[0].getlist(self.name)
        if self.whole or errors.positions.get(self.name, 0) == self.index:
            self.message = errors.get(self.name, "")
        self.declared = declared = errors.declared.get(self.name)
        if declared is not None and self.label is None:
            self.label = declared.label

    def default(self, given: object) -> object:
        """Return the default that was given, or else the declared one."""
        return self.declared.default if given is None and self.declared is not None else given

    def value(self, default: object) -> str:
        """Return the text that the field shows: what was sent at its position, or `default`."""
        if self.index < len(self.values):
            return self.values[self.index]
        return written(self.default(default))

    def attributes(self, function: str, arguments: "Mapping[str, object]") -> dict[str, object]:
        """Return the attributes of fields.`function`: those that were declared, those that tie the hint
        and the message to the field, and those that were given as keyword arguments.
        """
        given = spelled(arguments, function)
        declared = {} if self.declared is None else self.declared.attributes(function)
        ids = [str(given.get("aria-describedby") or "")]
        ids += [f"{self.id}:hint"] if self.hint else []
        ids += [f"{self.id}:error"] if self.message else []
        described = " ".join(filter(None, ids)) or None
        invalid = True if self.message else None
        return {**declared, "aria-invalid": invalid, **given, "aria-describedby": described}

    def labelled(self, element: str) -> str:
        """Return the element with its label before it, and the hint and the message after it."""
        parts = [element]
        if self.label is not None:
            parts.insert(0, f"{tag('label', {'for': self.id})}{escaped(self.label)}</label>")
        return "\n".join(parts + self.notes())

    def notes(self) -> list[str]:
        """Return the hint and the message as elements."""
        notes = []
        for kind, note in (("hint", self.hint), ("error", self.message)):
            if note:
                start = tag("span", {"class": f"field-{kind}", "id": f"{self.id}:{kind}"})
                notes.append(f"{start}{escaped(note)}</span>")
        return notes


def sent_fields(request: "Request") -> "tuple[MultiDict, bool]":
    """Return the fields of the query (GET) or of the form (POST), and whether a form was submitted.

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


def escaped(value: object) -> str:
    """Return `str(value)` escaped; U+FFFD replaces what HTML forbids, halves of surrogate pairs too."""
    string = str(value)
    if not string.isprintable():  # the usual case: no printable character is forbidden
        string = "".join(["\ufffd" if _is_forbidden(ord(char)) else char for char in string])
    return escape(string)


def _is_forbidden(code: int) -> bool:
    """Return whether a character is a parse error even as a character reference: controls other than
    white space, noncharacters, halves of surrogate pairs (HTML, "Preprocessing the input stream").
    """
    if code < 0xA0:
        return (code < 0x20 and code not in {9, 10, 12, 13}) or code >= 0x7F
    return 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE


def tag(element: str, attributes: "Mapping[str, object]") -> str:
    """Return a start tag. None and False leave an attribute out, True gives it no value."""
    parts = [element]
    for name, value in attributes.items():
        if isinstance(value, bool) and (name.startswith("aria-") or name in _ENUMERATED):
            value = "true" if value else "false"
        if value is True:
            parts.append(name)
        elif value is not None and value is not False:
            parts.append(f'{name}="{escaped(value)}"')
    return f"<{' '.join(parts)}>"


def spelled(arguments: "Mapping[str, object]", function: str) -> dict[str, object]:
    """Return the keyword arguments of fields.`function` by the names of their attributes.

    An underscore at the end is dropped (`class_`), the others become hyphens (`data_id`, `aria_label`).
    Raises `TypeError` for an attribute that the field's function sets itself, `ValueError` for a name
    that is not valid.
    """
    found: dict[str, object] = {}
    for argument, value in arguments.items():
        name = argument.removesuffix("_").replace("_", "-").lower()
        if name in _RESERVED and not (function == "form" and name == "name"):
            advice = _RESERVED[name]
            if function == "form" and name not in {"action", "enctype", "method"}:
                advice = "it is not an attribute of a form"
            elif function in _UNFILLED and name == "value":
                advice = "such a field is never filled"
            raise TypeError(f"{argument}= cannot be given to {function}: {advice}")
        if not (name[:1].isalpha() and _NAME_CHARS.issuperset(name)):
            raise ValueError(
                f"{argument!r} is not a valid name of an attribute; use ASCII letters, digits and "
                "underscores, which become hyphens"
            )
        found[name] = value
    return found


def identifier(name: str, index: int = 0) -> str:
    """Return the id of a field: the same for the same name, and another one for any other name.

    Characters other than ASCII letters, digits, `-` and `_` become their code between two dots. `:` and
    `=` occur only in what is appended to an id.
    """
    return f"field-{plain(name)}" + (f":{index + 1}" if index else "")


def plain(name: str) -> str:
    """Return a text as a part of an id."""
    if _ID_CHARS.issuperset(name):
        return name
    return "".join([char if char in _ID_CHARS else f".{ord(char):x}." for char in name])
