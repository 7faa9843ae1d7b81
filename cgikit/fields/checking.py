"""The check of a whole form: all of its values, and all of its errors at once.

This module alone decides where a form's values come from, and when it counts as sent. The rules for
single values are in `conversion.py`.
"""

from ..multidict import MultiMap
from .conversion import Refused, accepted, check_pattern, convert
from .faults import Errors
from .forms import TOKEN
from .messages import MESSAGES, known

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from ..multidict import MultiDict
    from ..request import Request
    from ..upload import Upload
    from .declared import Field

# Codes that concern the field, not one of its values
_MISSING = frozenset({"required", "unchosen", "unchecked", "nofile"})


def check(
    request: "Request",
    declared: "Iterable[Field]",
    *,
    csrf: bool = True,
    messages: "Mapping[str, str] | None" = None,
) -> "tuple[dict[str, Any], Errors]":
    """Return the values of a form by name, and its errors (`Errors`), which are false if the form was
    sent and is valid.

    The fields are read from the body of a POST, or from the query of a GET. A GET without any of the
    fields is a first visit, for which `errors` is true and empty. The value of a blank field is its
    `default`, or else "" for text, False for a box, [] for `multiple`, None for all others. Once the
    form was sent, an unchecked box is False and an empty group [], whatever the default. A field with
    an error has None.

    If there are sessions, a form has to be posted with the token that `form` gives it: a POST without
    it raises `FormExpired` (403), and every GET is a first visit. `csrf=False` is for forms without a
    token, such as those that are sent by GET. `messages` replaces messages by their codes.

    Raises `ValueError` if a field is declared twice, or has a pattern that is not valid.
    """
    fields: dict[str, Field] = {}
    for field in declared:
        if field.name in fields:
            raise ValueError(f"the field {field.name!r} is declared twice; use multiple=True")
        fields[field.name] = field
    known(messages or ())
    files: MultiMap[Upload] = MultiMap()
    guarded = csrf and request.has_sessions
    if request.method in {"GET", "HEAD"}:
        texts = request.query
        # Any link can have a query, and no link has the token.
        sent = not guarded and any(name in texts for name in fields)
    else:
        texts, files, sent = request.form, request.files, True
        if guarded:
            request.session.check_csrf(texts.get(TOKEN))
    errors = Errors(request, fields, sent)
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if sent:
            check_pattern(field)
            values[name] = _value(field, texts, files, errors, messages or {})
        else:
            values[name] = _unfilled(field, field.default)
    return values, errors


def _value(
    field: "Field",
    texts: "MultiDict",
    files: "MultiMap[Upload]",
    errors: Errors,
    messages: "Mapping[str, str]",
) -> "Any":
    """Return the value of one field; add its message to `errors` if it is not valid."""
    found: list[Any] = []
    try:
        many = None if field.multiple else 1
        values: Iterable[Any]
        if field.kind == "file":
            values = (accepted(field, upload) for upload in files.getlist(field.name)[:many])
        else:
            values = convert(field, texts.getlist(field.name)[:many])
        # One by one, so that len(found) is the index of the invalid value.
        for value in values:
            found.append(value)
        filled = [each for each in found if each is not None]
        if field.choices is not None:  # no form sends a choice twice
            filled = list(dict.fromkeys(filled))
        value = _field_value(field, filled)
    except Refused as refused:
        words = {**MESSAGES, **messages, **field.messages}[refused.code]
        for key, bound in refused.values.items():
            words = words.replace(f"{{{key}}}", str(bound))
        errors[field.name] = words
        if refused.code not in _MISSING:
            errors.positions[field.name] = len(found)  # those before it are valid
        return None
    message = field.check(value) if field.check is not None and filled else None
    if message:
        errors[field.name] = message
        return None
    return value


def _field_value(field: "Field", found: "list[Any]") -> "Any":
    """Return the value of a field for what was found; raise `Refused` if it is required and blank."""
    is_box = field.kind == "bool"  # a number may be 0, which is False
    if field.required and (not found or (is_box and found == [False])):
        if field.kind == "file":
            raise Refused("nofile")
        if is_box:
            raise Refused("unchecked")
        raise Refused("unchosen" if field.choices is not None else "required")
    if not found:
        # Browsers do not send what is unchecked: its default would check it again.
        return _unfilled(field, None if is_box or field.multiple else field.default)
    return found if field.multiple else found[0]


def _unfilled(field: "Field", default: "Any") -> "Any":
    """Return the value of a blank field."""
    if field.multiple:
        return list(default or ())
    if default is None and field.choices is None:
        return False if field.kind == "bool" else "" if field.bounds_are_lengths else None
    return default
