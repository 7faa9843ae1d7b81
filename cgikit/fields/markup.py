"""Internal. Elements, attributes and ids in valid HTML, whatever text they are made of.

This module alone decides how the name of a Python argument becomes that of an attribute, what becomes
of characters that no HTML document may contain, and how an id is made of a field's name.
"""

from ..html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# Controls other than white space, and noncharacters: a parse error even as a character reference (HTML,
# section "Preprocessing the input stream")
_FORBIDDEN = dict.fromkeys(
    (
        *range(9),
        0x0B,
        *range(0x0E, 0x20),
        *range(0x7F, 0xA0),
        *range(0xFDD0, 0xFDF0),
        *(plane | low for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)),
    ),
    "\ufffd",
)
_NAME = frozenset("-.:0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_PLAIN = frozenset("-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
# Attributes that are written "true" or "false", and are not true by being there
_WORDS = frozenset({"contenteditable", "draggable", "spellcheck"})
# What the functions set themselves: a second one would be ignored by browsers
_OWN = {
    "checked": "the argument `checked` of checkbox, or `default`",
    "enctype": "nothing: form sets it",
    "name": "the second argument",
    "selected": "the argument `default`",
    "type": "the function for that type of field",
    "value": "the argument `default`",
}


def text(value: object) -> str:
    """Return `str(value)` escaped; U+FFFD replaces what HTML forbids, halves of surrogate pairs too."""
    string = str(value).translate(_FORBIDDEN)
    try:
        string.encode()
    except UnicodeEncodeError:
        string = "".join(["\ufffd" if "\ud800" <= char <= "\udfff" else char for char in string])
    return escape(string)


def tag(element: str, attributes: "Mapping[str, object]") -> str:
    """Return a start tag. None and False leave an attribute out, True gives it no value."""
    parts = [element]
    for name, value in attributes.items():
        if isinstance(value, bool) and (name.startswith("aria-") or name in _WORDS):
            value = "true" if value else "false"
        if value is True:
            parts.append(name)
        elif value is not None and value is not False:
            parts.append(f'{name}="{text(value)}"')
    return f"<{' '.join(parts)}>"


def spelled(arguments: "Mapping[str, object]") -> dict[str, object]:
    """Return keyword arguments by the names of the attributes that they stand for.

    An underscore at the end is dropped (`class_`), the others become hyphens (`data_id`, `aria_label`).
    Raises `TypeError` for an attribute that the field's function sets itself, `ValueError` for a name
    that is not valid.
    """
    found: dict[str, object] = {}
    for argument, value in arguments.items():
        name = argument.removesuffix("_").replace("_", "-").lower()
        if name in _OWN:
            raise TypeError(f"{argument}= is not an attribute to give here; use {_OWN[name]}")
        if not (name[:1].isalpha() and _NAME.issuperset(name)):
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
    if _PLAIN.issuperset(name):
        return name
    return "".join([char if char in _PLAIN else f".{ord(char):x}." for char in name])
