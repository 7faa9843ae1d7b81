"""The errors of a form: when they are true, and how fields show them."""

import pytest
from fields.asking import by_post, first
from reading import elements, only

from cgikit import fields
from cgikit.fields import declare

DECLARED = [declare("name", required=True, label="Name"), declare("item", int, multiple=True)]


def test_errors_are_true_as_long_as_the_form_has_to_be_shown() -> None:
    _, errors = fields.check(first(), DECLARED)
    assert errors
    assert not errors.sent
    assert dict(errors) == {}
    _, errors = fields.check(by_post(("name", "")), DECLARED)
    assert errors
    assert errors.sent
    _, errors = fields.check(by_post(("name", "Ada")), DECLARED)
    assert not errors
    assert errors.sent


def test_a_script_can_add_messages_of_its_own() -> None:
    _, errors = fields.check(by_post(("name", "Ada")), DECLARED)
    errors["name"] = "This name <is> taken."
    assert errors
    html = fields.text(errors, "name")
    assert only(html, "input")["value"] == "Ada"
    assert only(html, "span").text == ["This name <is> taken."]


def test_a_first_visit_shows_no_message() -> None:
    _, errors = fields.check(first(), DECLARED)
    assert elements(fields.text(errors, "name"), "span") == []


def test_of_several_fields_of_one_name_the_one_at_fault_has_the_message() -> None:
    request = by_post(("name", "x"), ("item", "1"), ("item", ""), ("item", "x"), ("item", "y"))
    _, errors = fields.check(request, DECLARED)
    shown = [fields.text(errors, "item", index=n) for n in range(4)]
    assert ["aria-invalid" in html for html in shown] == [False, False, True, False]
    assert [only(html, "input").get("value") for html in shown] == ["1", None, "x", "y"]


def test_a_field_that_is_not_declared_can_be_shown_too() -> None:
    _, errors = fields.check(by_post(("name", "x"), ("other", "y")), DECLARED)
    assert only(fields.text(errors, "other"), "input")["value"] == "y"


def test_errors_cannot_be_mistaken_for_a_key() -> None:
    with pytest.raises(TypeError):
        hash(fields.check(first(), DECLARED)[1])
