"""Declarations: what cannot be declared, and which attributes they give to inputs."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from fields.asking import by_post, first
from reading import elements, only

from cgikit import fields
from cgikit.fields.declared import TYPES, Field, declare


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"name": ""}, "needs a name"),
        ({"kind": "integer"}, "use one of str, text"),
        ({"kind": bytes}, "use one of str, text"),
        ({"kind": int, "pattern": "x"}, "has no pattern"),
        ({"accept": "image/*"}, "is not a file"),
        ({"kind": bool, "min": 1}, "nothing that min and max could bound"),
        ({"choices": ["a"], "max": 1}, "nothing that min and max could bound"),
        ({"kind": "email", "choices": ["a"]}, "has kind='email', which cannot have choices"),
        ({"kind": int, "min": 3, "max": 2}, "above max=2"),
        ({"kind": int, "min": "a", "max": 3}, "has min='a', which is not a number; give one"),
        ({"kind": "decimal", "max": "9.5"}, "which is not a number; give one"),
        ({"kind": float, "max": float("nan")}, "which is not a number; give one"),
        ({"kind": "decimal", "min": Decimal("nan")}, "which is not a number; give one"),
        ({"min": "2"}, "has min='2', which is not a number of characters"),
        ({"kind": "password", "min": -1}, "which is not a number of characters"),
        ({"kind": "text", "max": 2.5}, "which is not a number of characters"),
        ({"kind": "file", "max": "1 MB"}, "which is not a number of bytes"),
        ({"kind": date, "min": 1900}, "has min=1900, which is not a date; give one"),
        ({"kind": date, "max": datetime(2030, 1, 1)}, "which is not a date; give one"),
        ({"kind": datetime, "min": date(2030, 1, 1)}, "not a datetime without a time zone"),
        ({"kind": datetime, "max": datetime(2030, 1, 1, tzinfo=UTC)}, "without a time zone"),
        ({"messages": {"requird": "x"}}, "is not the code of a message; use one of required"),
    ],
)
def test_what_contradicts_itself_is_refused(rules: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        declare(**{"name": "a", **rules})


@pytest.mark.parametrize(
    ("kind", "bounds"),
    [
        (int, (1, 2.5)), (float, (-1.0, Decimal("0.5"))), ("decimal", (0, Decimal("99.99"))),
        (str, (0, 0)), ("file", (0, 1 << 20)), (date, (date(1900, 1, 1), date(2030, 1, 1))),
        (datetime, (datetime(1900, 1, 1), datetime(2030, 1, 1))),
    ],
)  # fmt: skip
def test_bounds_of_the_right_type_are_taken(kind: Any, bounds: tuple[Any, Any]) -> None:
    field = declare("a", kind, min=bounds[0], max=bounds[1])
    assert (field.min, field.max) == bounds


def test_choices_are_kept_although_they_can_be_read_once_only() -> None:
    field = declare("a", choices=(str(n) for n in range(3)))
    assert list(field.choices or ()) == list(field.choices or ()) == ["0", "1", "2"]


def shown(make: str, field: Field, **more: Any) -> dict[str, str]:
    """The attributes of the element that a function makes for a declaration."""
    _, errors = fields.check(first(), [field])
    html = getattr(fields, make)(errors, field.name, **more)
    name = {"textarea": "textarea", "select": "select"}.get(make, "input")
    found = only(html, name).attributes
    return {k: v for k, v in found.items() if k not in {"id", "name", "value"}}


CASES: list[tuple[str, Field, dict[str, str]]] = [
    ("text", declare("a"), {"type": "text"}),
    ("text", declare("a", required=True, min=2, max=60, pattern="x+"),
     {"type": "text", "required": "", "minlength": "2", "maxlength": "60", "pattern": "x+"}),
    ("text", declare("a", int, min=0, max=150), {"type": "number", "min": "0", "max": "150"}),
    ("text", declare("a", float, min=0.5), {"type": "number", "min": "0.5", "step": "any"}),
    ("text", declare("a", "decimal"), {"type": "number", "step": "any"}),
    ("text", declare("a", date, min=date(2030, 1, 1)), {"type": "date", "min": "2030-01-01"}),
    ("text", declare("a", datetime), {"type": "datetime-local"}),
    ("text", declare("a", "email", max=254), {"type": "email", "maxlength": "254"}),
    ("text", declare("a", "url"), {"type": "url"}),
    ("textarea", declare("a", "text", required=True, max=9), {"required": "", "maxlength": "9"}),
    ("password", declare("a", "password", required=True, min=8),
     {"type": "password", "required": "", "minlength": "8"}),
    ("checkbox", declare("a", bool, required=True), {"type": "checkbox", "required": ""}),
    ("checkbox", declare("a", bool, default=True), {"type": "checkbox", "checked": ""}),
    ("file", declare("a", "file", accept="image/*", multiple=True, max=9),
     {"type": "file", "accept": "image/*", "multiple": ""}),
    ("select", declare("a", choices=["x"], multiple=True, required=True),
     {"multiple": "", "required": ""}),
]  # fmt: skip


@pytest.mark.parametrize(("make", "field", "expected"), CASES, ids=range(len(CASES)))
def test_a_declaration_gives_the_input_its_attributes(
    make: str, field: Field, expected: dict[str, str]
) -> None:
    assert shown(make, field) == expected


def test_every_kind_was_declared_above() -> None:
    assert {field.kind for _, field, _ in CASES} == set(TYPES)


def test_an_argument_overrules_the_declaration() -> None:
    field = declare("a", int, label="Declared", min=1, required=True, default=4)
    given = shown("text", field, type="range", min=0, required=False)
    assert given == {"type": "range", "min": "0"}
    _, errors = fields.check(first(), [field])
    assert only(fields.text(errors, "a"), "label").text == ["Declared"]
    assert only(fields.text(errors, "a", label="Given"), "label").text == ["Given"]
    assert only(fields.text(errors, "a"), "input")["value"] == "4"
    assert only(fields.text(errors, "a", 5), "input")["value"] == "5"


def test_a_password_is_not_shown_by_another_function() -> None:
    _, errors = fields.check(by_post(("a", "secret")), [declare("a", "password")])
    with pytest.raises(ValueError, match=r"show it by fields\.password"):
        fields.text(errors, "a")
    with pytest.raises(ValueError, match=r"show it by fields\.password"):
        fields.textarea(errors, "a")


def test_declared_choices_are_those_of_the_page() -> None:
    choices = {"r": "Red", "g": "Green"}
    field = declare("c", choices=choices, default="g", label="Colour")
    _, errors = fields.check(first(), [field])
    options = elements(fields.select(errors, "c"), "option")
    assert {each["value"]: "".join(each.text) for each in options} == choices
    assert [each["value"] for each in options if "selected" in each.attributes] == ["g"]
    boxes = elements(fields.radios(errors, "c"), "input")
    assert [each["value"] for each in boxes if "checked" in each.attributes] == ["g"]
    several = declare("c", choices=choices, default=["r", "g"], multiple=True, required=True)
    _, errors = fields.check(first(), [several])
    html = fields.checkboxes(errors, "c")
    assert "required" not in html  # HTML knows no group of which one must be checked
    boxes = elements(html, "input")
    assert [each["value"] for each in boxes if "checked" in each.attributes] == ["r", "g"]


def test_without_choices_a_select_says_so() -> None:
    with pytest.raises(TypeError, match="needs choices"):
        fields.select(first(), "c")


def test_a_field_says_what_it_is() -> None:
    assert repr(declare("a", int)) == "<Field 'a' int>"
