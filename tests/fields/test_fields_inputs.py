"""Single fields: how each is filled, and which are never filled."""

import pytest
from fields.asking import by_get, by_post, first
from hypothesis import given
from hypothesis import strategies as st
from reading import by_id, elements, only, textarea

from cgikit import InvalidField, fields
from cgikit.fields.inputs import _KEYBOARDS, _is_obviously_valid
from cgikit.fields.inputtypes import fits

VALID = {
    "text": "x", "search": "x", "tel": "x", "email": "a@b.example", "url": "https://a.example/",
    "number": "1.5", "range": "2", "color": "#a0b1c2", "date": "2030-01-31", "time": "23:59",
    "datetime-local": "2030-01-31T23:59", "month": "2030-01", "week": "2030-W05",
}  # fmt: skip


def test_every_type_of_a_text_field_has_a_value_here() -> None:
    assert set(VALID) == set(_KEYBOARDS)


@pytest.mark.parametrize("kind", sorted(VALID))
def test_a_value_of_its_type_stays_in_its_type(kind: str) -> None:
    html = fields.text(by_post(("a", VALID[kind])), "a", type=kind, min=0, minlength=1)
    found = only(html, "input")
    assert (found["type"], found["value"]) == (kind, VALID[kind])
    # HTML allows one of the two: the one that has a meaning for the type.
    of_text = kind in {"text", "search", "tel", "email", "url"}
    assert (found.get("min"), found.get("minlength")) == ((None, "1") if of_text else ("0", None))


@pytest.mark.parametrize("kind", sorted(set(VALID) - {"text", "search", "tel"}))
def test_what_a_type_cannot_show_is_not_lost_but_shown_as_text(kind: str) -> None:
    html = fields.text(by_post(("a", "tomorrow")), "a", type=kind, min=0, max=3, step=1, list="l")
    found = only(html, "input")
    assert (found["type"], found["value"], found["list"]) == ("text", "tomorrow", "l")
    assert {"min", "max", "step"}.isdisjoint(found.attributes)
    blank = only(fields.text(by_post(("a", "")), "a", type=kind), "input")
    assert blank["type"] == kind
    assert "value" not in blank.attributes


@pytest.mark.parametrize(
    ("kind", "advice"),
    [("password", "fields.password"), ("file", "fields.file"), ("hidden", "fields.hidden"),
     ("checkbox", "fields.checkbox"), ("radio", "fields.radios"), ("submit", "fields.button"),
     ("image", "fields.button"), ("colour", "one of text, search")],
)  # fmt: skip
def test_a_type_that_is_no_text_names_its_function(kind: str, advice: str) -> None:
    with pytest.raises(ValueError, match=advice):
        fields.text(None, "a", type=kind)


def test_a_text_field_has_one_line() -> None:
    assert only(fields.text(by_post(("a", "x\r\ny\n")), "a"), "input")["value"] == "xy"


@pytest.mark.parametrize("text", ["\nx", "\n\nx", "\r\nx\r\ny", "\rx", "x\n", "\n", "", " \t x"])
def test_a_text_area_keeps_its_line_ends_the_first_one_too(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert textarea(fields.textarea(by_post(("a", text)), "a")) == lines


@given(st.text(st.sampled_from("\r\n </textarea>&\"'é")))
def test_any_text_comes_back_from_a_text_area(text: str) -> None:
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    assert textarea(fields.textarea(by_post(("a", text)), "a")) == lines


@pytest.mark.parametrize("source", [by_post(("a", "secret")), by_get(("a", "secret")),
                                    InvalidField("a", "secret", "is wrong")])  # fmt: skip
def test_a_password_and_a_file_are_never_filled(source) -> None:
    for html in (fields.password(source, "a"), fields.file(source, "a")):
        assert "secret" not in html
        assert "value" not in only(html, "input").attributes


def test_a_password_takes_no_default() -> None:
    with pytest.raises(TypeError):
        fields.password(None, "a", "secret")
    with pytest.raises(TypeError, match="such a field is never filled"):
        fields.password(None, "a", value="secret")


@pytest.mark.parametrize("source", [by_post(("a", "theirs")), by_get(("a", "theirs")),
                                    InvalidField("a", "theirs", "is wrong")])  # fmt: skip
def test_a_hidden_field_has_the_scripts_value_whatever_was_sent(source) -> None:
    found = only(fields.hidden(source, "a", "ours"), "input")
    assert found.attributes == {"type": "hidden", "name": "a", "value": "ours"}


def is_checked(html: str) -> bool:
    return "checked" in only(html, "input").attributes


def test_a_box_that_was_unchecked_stays_so_after_the_form_was_sent() -> None:
    assert is_checked(fields.checkbox(first(), "news", checked=True))
    assert not is_checked(fields.checkbox(by_post(("a", "")), "news", checked=True))
    assert not is_checked(fields.checkbox(by_post(), "news", checked=True))
    assert not is_checked(fields.checkbox(by_get(("a", "")), "news", checked=True))
    assert is_checked(fields.checkbox(by_post(("news", "on")), "news"))
    assert is_checked(fields.checkbox(by_get(("news", "on")), "news"))


def test_a_script_may_know_better_whether_the_form_was_sent() -> None:
    another = by_get(("page", "2"))
    assert is_checked(fields.checkbox(another, "news", checked=True, sent=False))
    assert not is_checked(fields.checkbox(first(), "news", checked=True, sent=True))


def test_boxes_of_one_name_are_told_apart_by_their_values() -> None:
    request = by_post(("likes", "tea"), ("likes", "milk"))
    boxes = [
        fields.checkbox(request, "likes", value=each, label=each)
        for each in ("tea", "coffee", "milk")
    ]
    assert [is_checked(box) for box in boxes] == [True, False, True]
    ids = [only(box, "input")["id"] for box in boxes]
    assert len(set(ids)) == 3
    assert [only(box, "label")["for"] for box in boxes] == ids


def test_a_box_has_its_message_too() -> None:
    html = fields.checkbox(InvalidField("terms", None, "is not accepted"), "terms", label="Terms")
    assert only(html, "input")["aria-describedby"] == "field-terms:error"
    assert by_id(html, "field-terms:error").text == ["Terms is not accepted."]


def test_buttons() -> None:
    assert fields.button(first()) == '<button type="submit">Send</button>'
    found = only(fields.button(first(), "do", value="save", label="Save it", class_="x"), "button")
    assert found.attributes == {"type": "submit", "name": "do", "value": "save", "class": "x"}
    assert found.text == ["Save it"]
    with pytest.raises(ValueError, match="use submit, reset or button"):
        fields.button(first(), type="image")


def test_all_ids_of_a_form_with_each_kind_of_field_differ() -> None:
    request = by_post(("a", "1"))
    html = "".join(
        make(request, name, label=name, hint="x")
        for make in (fields.text, fields.textarea, fields.password, fields.file, fields.checkbox)
        for name in (f"{make.__name__}", f"{make.__name__}-error", f"{make.__name__}:error")
    )
    ids = [each["id"] for each in elements(html) if "id" in each.attributes]
    assert len(ids) == len(set(ids)) == 30


@pytest.mark.parametrize("kind", ["email", "number"])
@given(st.text(st.sampled_from("a@.-1e+é_ ٣"), max_size=8))
def test_the_quick_way_takes_nothing_that_the_slow_one_refuses(kind: str, value: str) -> None:
    if _is_obviously_valid(kind, value):
        assert fits(kind, value)


def test_the_quick_way_takes_what_is_usual() -> None:
    assert _is_obviously_valid("email", "ada@mail.example.org")
    assert _is_obviously_valid("number", "42")
    assert not _is_obviously_valid("email", "@example.org")
    assert not _is_obviously_valid("email", "ada@example..org")
    assert not _is_obviously_valid("date", "42")


def test_several_addresses_are_a_value_of_a_field_for_several() -> None:
    def shown(value: str) -> tuple[str, bool]:
        html = fields.text(by_post(("to", value)), "to", type="email", multiple=True)
        found = only(html, "input")
        return found["type"], "multiple" in found.attributes

    assert shown("a@b.example, c@d.example") == ("email", True)
    assert shown("a@b.example, c") == ("text", False)
