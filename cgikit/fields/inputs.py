"""Single fields: text of all types, text areas, passwords, hidden fields, files, check boxes.

HTML sections 4.10.5 (input) and 4.10.11 (textarea). Fields with a list of choices are
in `choices.py`. What is remembered, and how it is written, is decided in `controls.py`.
"""

from .controls import Control, escaped, plain, spelled, tag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .controls import Source

# The types of `text`, and the `inputmode` of each if its value is shown as plain text
_KEYBOARDS = {
    "text": None,
    "search": None,
    "tel": None,
    "email": "email",
    "url": "url",
    "number": "decimal",
    "range": "decimal",
    "color": "text",
    "date": "text",
    "time": "text",
    "datetime-local": "text",
    "month": "text",
    "week": "text",
}
# Attributes that are valid only for some types
_LINES = frozenset({"text", "search", "tel", "email", "url"})
_OF_NUMBERS = ("min", "max", "step")
_OF_LINES = ("minlength", "maxlength", "pattern")


def text(
    source: "Source",
    name: str,
    default: object = None,
    *,
    type: str | None = None,
    label: str | None = None,
    hint: str | None = None,
    index: int = 0,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a text field, filled with what was sent, or else with `default` (HTML).

    `type` is one of text, search, tel, email, url, number, range, color, date, time, datetime-local,
    month and week. A value that is not valid for the type is shown in a plain text field, because
    browsers would drop it. The second field with the same name has `index=1`, and so on.
    """
    control = Control(source, name, label, hint, id, index)
    kind = type or ("text" if control.declared is None else control.declared.input)
    if kind not in _KEYBOARDS:
        raise ValueError(f"type={kind!r} is not valid; {_advice(kind)}")
    value = control.value(default).replace("\r", "").replace("\n", "")
    found = control.attributes("text", attributes)
    if value and _KEYBOARDS[kind] and not _is_obviously_valid(kind, value):
        from .inputtypes import fits

        values = [value]
        if kind == "email" and found.get("multiple"):
            values = [each.strip() for each in value.split(",")]
        if not all(fits(kind, each) for each in values):
            found.setdefault("inputmode", _KEYBOARDS[kind])
            found.pop("multiple", None)
            kind = "text"
    for name_of in _OF_NUMBERS if kind in _LINES else _OF_LINES:
        found.pop(name_of, None)
    own = {"type": kind, "id": control.id, "name": name, "value": value or None}
    return control.labelled(tag("input", own | found))


def textarea(
    source: "Source",
    name: str,
    default: object = None,
    *,
    label: str | None = None,
    hint: str | None = None,
    index: int = 0,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a field of several lines, filled with what was sent, or else with `default` (HTML)."""
    control = Control(source, name, label, hint, id, index)
    if control.declared is not None:
        control.declared.refuse_password()
    own = {"id": control.id, "name": name}
    start = tag("textarea", own | control.attributes("textarea", attributes))
    # HTML parsers drop a line end right after <textarea>; this one keeps the text's own.
    return control.labelled(f"{start}\n{escaped(control.value(default))}</textarea>")


def password(
    source: "Source",
    name: str,
    *,
    label: str | None = None,
    hint: str | None = None,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a password field (HTML). It is never filled: caches and histories keep pages."""
    return _blank("password", source, name, label, hint, id, attributes)


def file(
    source: "Source",
    name: str,
    *,
    label: str | None = None,
    hint: str | None = None,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a field for a file, or with `multiple=True` for several (HTML).

    No browser lets a page fill it. `form` makes the form around it a multipart form.
    """
    return _blank("file", source, name, label, hint, id, attributes)


def hidden(source: "Source", name: str, value: object, **attributes: object) -> str:
    """Return a hidden field with exactly this value (HTML).

    What was sent is never used: any link could set it.
    """
    control = Control(None, name, None, None, None)
    own = {"type": "hidden", "name": name, "value": value}
    return control.labelled(tag("input", own | spelled(attributes, "hidden")))


def checkbox(
    source: "Source",
    name: str,
    *,
    value: str = "on",
    checked: bool = False,
    label: str | None = None,
    hint: str | None = None,
    sent: bool | None = None,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a check box, checked as it was sent, and if nothing was sent, as `checked` says (HTML).

    Browsers do not send a box that is not checked: whether the form was sent is read from the request,
    as docs/reference/fields.md says, or given as `sent`.
    """
    control = Control(source, name, label, hint, id)
    if value != "on" and id is None:
        control.id += f"={plain(value)}"
    if control.sent if sent is None else sent:
        checked = value in control.values
    elif control.default(None):
        checked = True
    own = {
        "type": "checkbox",
        "id": control.id,
        "name": name,
        # "on" is what a box without a value sends
        "value": value,
        "checked": checked,
    }
    box = tag("input", own | control.attributes("checkbox", attributes))
    if control.label is not None:
        box += f" {tag('label', {'for': control.id})}{escaped(control.label)}</label>"
    return "\n".join([box, *control.notes()])


def _blank(
    kind: str,
    source: "Source",
    name: str,
    label: str | None,
    hint: str | None,
    id: str | None,
    attributes: dict[str, object],
) -> str:
    control = Control(source, name, label, hint, id, whole=True)
    own = {"type": kind, "id": control.id, "name": name}
    return control.labelled(tag("input", own | control.attributes(kind, attributes)))


def _is_obviously_valid(kind: str, value: str) -> bool:
    """Return True for the usual numbers and addresses, for which `inputtypes` need not be imported."""
    if kind == "number":
        return value.isascii() and value.isdigit() and len(value) < 16
    if kind != "email" or len(value) > 63 or not value.isascii():
        return False
    local, _, domain = value.partition("@")
    return local.isalnum() and all(part.isalnum() for part in domain.split("."))


def _advice(kind: str) -> str:
    if kind in {"password", "file", "hidden", "checkbox"}:
        return f"use fields.{kind}"
    if kind == "radio":
        return "use fields.radios"
    if kind in {"submit", "reset", "button", "image"}:
        return "use fields.button"
    return f"use one of {', '.join(_KEYBOARDS)}"
