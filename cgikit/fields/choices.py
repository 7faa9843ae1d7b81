"""Fields with a list of choices: selects, radio buttons, groups of check boxes.

HTML sections 4.10.7 (select), 4.10.5.1.16 (radio buttons) and 4.10.15 (fieldset). What is remembered,
and how it is written, is decided in `controls.py`.
"""

from .controls import Control, escaped, tag, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .controls import Source

    Choices = Iterable[object]  # see `listed`; a mapping is an iterable too


def select(
    source: "Source",
    name: str,
    choices: "Choices | None" = None,
    default: object = None,
    *,
    multiple: bool | None = None,
    label: str | None = None,
    hint: str | None = None,
    sent: bool | None = None,
    index: int = 0,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a select with one option per choice, filled with what was sent, or else `default` (HTML).

    `choices` are values, pairs (value, label), or a mapping of values to labels. A label that is a list
    or a mapping is a group of choices. With `multiple`, `default` is a list.

    `choices` can be omitted if they were declared.
    """
    whole = index == 0 and multiple is not False
    control = Control(source, name, label, hint, id, index, whole=whole)
    groups = listed(_choices(control, choices))
    if multiple is None:
        multiple = control.declared is not None and control.declared.multiple
    chosen = _chosen(control, default, multiple, sent)
    given = control.attributes("select", attributes)
    if given.get("required") and not multiple and not _has_blank(groups):
        given["required"] = None  # HTML allows `required` only with a blank first option
    own = {"id": control.id, "name": name, "multiple": multiple}
    parts = [tag("select", own | given)]
    for group, pairs in groups:
        if group is not None:
            parts.append(tag("optgroup", {"label": group}))
        for value, shown in pairs:
            selected = value in chosen
            if selected and not multiple:
                chosen = set()  # one option only, if two have the same value
            option = {"value": value, "selected": selected, "label": None if shown else " "}
            parts.append(f"{tag('option', option)}{escaped(shown)}</option>")
        if group is not None:
            parts.append("</optgroup>")
    return control.labelled("\n".join([*parts, "</select>"]))


def radios(
    source: "Source",
    name: str,
    choices: "Choices | None" = None,
    default: object = None,
    *,
    label: str | None = None,
    hint: str | None = None,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a group of radio buttons, filled with what was sent, or else `default` (HTML).

    `choices` are those of `select`, `label` is the group's legend. `required=True` is for the buttons,
    all other attributes for the group.
    """
    control = Control(source, name, label, hint, id, whole=True)
    given = {"role": "radiogroup", **control.attributes("radios", attributes)}
    own = {"required": given.pop("required", None)}
    chosen = _chosen(control, default, False, None)
    return _group("radio", control, choices, chosen, own, given)


def checkboxes(
    source: "Source",
    name: str,
    choices: "Choices | None" = None,
    default: "Iterable[object] | None" = None,
    *,
    label: str | None = None,
    hint: str | None = None,
    sent: bool | None = None,
    id: str | None = None,
    **attributes: object,
) -> str:
    """Return a group of check boxes, filled with what was sent, or else `default` (HTML).

    `choices` are those of `select`, `label` is the group's legend. Other attributes are the group's.
    Browsers send nothing if no box is checked: see `checkbox` for `sent`.
    """
    control = Control(source, name, label, hint, id, whole=True)
    given = control.attributes("checkboxes", attributes)
    if given.pop("required", None):
        raise TypeError(
            f"required= cannot be given to checkboxes: in HTML, no box of a group can be required; "
            f"declare the field {name!r} with required=True"
        )
    # A group cannot be invalid, boxes can (WAI-ARIA).
    own = {"aria-invalid": given.pop("aria-invalid")}
    chosen = _chosen(control, default, True, sent)
    return _group("checkbox", control, choices, chosen, own, given)


def listed(choices: "Choices") -> list[tuple[str | None, list[tuple[str, str]]]]:
    """Return choices as groups: the group's label (None for choices outside of any), and pairs of value
    and label. Raises `TypeError` for anything else.
    """
    if isinstance(choices, str):
        raise TypeError(f"choices={choices[:100]!r} is a str; give a list of choices")
    groups: list[tuple[str | None, list[tuple[str, str]]]] = []
    for value, label, is_group in _items(choices):
        if is_group:
            if value is label:
                raise TypeError(f"{value!r} is not a choice; give a value, or (value, label)")
            inner = listed(label)  # type: ignore[arg-type]  # one of the above
            if any(name is not None for name, _ in inner):
                raise TypeError(
                    f"the group {value!r} has a group in it; HTML allows one level, so give its choices"
                )
            groups.append((str(value), [pair for _, pairs in inner for pair in pairs]))
        else:
            if not groups or groups[-1][0] is not None:
                groups.append((None, []))
            groups[-1][1].append((written(value), written(label)))
    return groups


def _items(choices: "Choices") -> "Iterator[tuple[object, object, bool]]":
    """Yield each choice as its value, its label, and whether the label is a group of choices."""
    for item in choices.items() if hasattr(choices, "items") else choices:
        value, label = item if isinstance(item, tuple) and len(item) == 2 else (item, item)
        yield value, label, isinstance(label, tuple | list) or hasattr(label, "items")


def originals(choices: "Choices") -> dict[str, object]:
    """Map the submitted text of each choice to the choice itself."""
    found: dict[str, object] = {}
    for value, label, is_group in _items(choices):
        if is_group:
            inner = originals(label)  # type: ignore[arg-type]  # one of the above
            found = {**inner, **found}
        else:
            found.setdefault(written(value), value)
    return found


def _choices(control: Control, choices: "Choices | None") -> "Choices":
    if choices is None and control.declared is not None:
        choices = control.declared.choices
    if choices is None:
        raise TypeError(f"the field {control.name!r} needs choices, here or in its declaration")
    return choices


def _chosen(control: Control, default: object, several: bool, sent: bool | None) -> set[str]:
    """Return the values that are chosen."""
    if several:
        if control.sent if sent is None else sent:
            return set(control.values)
        default = control.default(default)
        if isinstance(default, str):
            return {default}
        return {written(each) for each in default or ()}  # type: ignore[attr-defined]
    # Browsers always send the chosen option or button: if nothing was sent, the default applies.
    default = control.default(default)
    return {control.value(default)} if control.values or default is not None else set()


def _has_blank(groups: list[tuple[str | None, list[tuple[str, str]]]]) -> bool:
    return bool(groups) and groups[0][0] is None and groups[0][1][0][0] == ""


def _group(
    kind: str,
    control: Control,
    choices: "Choices | None",
    chosen: set[str],
    own: dict[str, object],
    group: dict[str, object],
) -> str:
    parts = [tag("fieldset", {"id": control.id, **group})]
    if control.label is not None:
        parts.append(f"<legend>{escaped(control.label)}</legend>")
    for legend, pairs in listed(_choices(control, choices)):
        if legend is not None:
            parts.append(f"<fieldset><legend>{escaped(legend)}</legend>")
        for value, label in pairs:
            checked = value in chosen
            if checked and kind == "radio":
                chosen = set()
            attributes = {"type": kind, "name": control.name, "value": value, "checked": checked}
            parts.append(f"<label>{tag('input', attributes | own)} {escaped(label)}</label>")
        if legend is not None:
            parts.append("</fieldset>")
    return "\n".join([*parts, *control.notes(), "</fieldset>"])
