"""What fields remember, where from, and how label, hint and message belong to them."""

import io

import pytest
from fields.asking import by_get, by_post, first
from reading import by_id, elements, only

from cgikit import InvalidField, MultiDict, Request, fields


def value(html: str) -> str | None:
    return only(html, "input").get("value")


def test_a_field_shows_its_default_until_the_form_was_sent() -> None:
    assert value(fields.text(first(), "name", "Ada")) == "Ada"
    assert value(fields.text(by_get(("name", "Bo")), "name", "Ada")) == "Bo"
    assert value(fields.text(by_post(("name", "Bo")), "name", "Ada")) == "Bo"
    assert value(fields.text(by_post(("name", "")), "name", "Ada")) is None


def test_without_a_source_nothing_is_remembered() -> None:
    assert value(fields.text(None, "name", "Ada")) == "Ada"


def test_a_post_fills_its_fields_from_the_body_only() -> None:
    request = by_post(("a", "body"), QUERY_STRING="a=query&b=query")
    assert value(fields.text(request, "a")) == "body"
    assert value(fields.text(request, "b")) is None


def test_a_head_is_answered_like_a_get() -> None:
    assert value(fields.text(by_get(("a", "1"), REQUEST_METHOD="HEAD"), "a")) == "1"


def test_several_fields_of_one_name_are_filled_by_position() -> None:
    request = by_post(("item", "one"), ("x", ""), ("item", ""), ("item", "three"))
    shown = [value(fields.text(request, "item", "new", index=n)) for n in range(4)]
    assert shown == ["one", None, "three", "new"]
    html = "".join(fields.text(request, "item", label="Item", index=n) for n in range(3))
    assert [each["id"] for each in elements(html, "input")] == [
        "field-item", "field-item:2", "field-item:3",
    ]  # fmt: skip


def test_a_label_a_hint_and_a_message_belong_to_the_field() -> None:
    error = InvalidField("age", "x", "is not a whole number")
    html = fields.text(error, "age", label="Age", hint="In years", aria_describedby="more")
    found = only(html, "input")
    assert only(html, "label")["for"] == found["id"]
    assert only(html, "label").text == ["Age"]
    assert found["aria-invalid"] == "true"
    assert found["aria-describedby"] == "more field-age:hint field-age:error"
    assert by_id(html, "field-age:hint").text == ["In years"]
    assert by_id(html, "field-age:error").text == ["Age is not a whole number."]


def test_a_field_without_a_fault_has_no_trace_of_one() -> None:
    found = only(fields.text(by_post(("age", "1")), "age"), "input")
    assert {"aria-invalid", "aria-describedby"}.isdisjoint(found.attributes)


def test_another_id_is_the_labels_the_hints_and_the_messages_too() -> None:
    html = fields.text(InvalidField("a", "", "is blank"), "a", label="A", hint="h", id="second-a")
    assert only(html, "label")["for"] == "second-a"
    assert only(html, "input")["aria-describedby"] == "second-a:hint second-a:error"


@pytest.mark.parametrize(
    "ask",
    [lambda f: f.getint("age"), lambda f: f.getint("age", max=3), lambda f: f["age "],
     lambda f: f.getint("blank"), lambda f: f.getint("none"), lambda f: f.getchoice("age", ["1"])],
)  # fmt: skip
def test_an_error_of_a_getter_fills_the_whole_form_again(ask) -> None:
    request = by_post(("name", "Ada"), ("age", "4x"), ("blank", " "), ("likes", "b"))
    with pytest.raises(InvalidField) as caught:
        ask(request.form)
    error = caught.value
    assert value(fields.text(error, "name", "default")) == "Ada"
    assert value(fields.text(error, "age", "default")) == "4x"
    assert [
        "checked" in each.attributes
        for each in elements(fields.checkboxes(error, "likes", ["a", "b"], ["a"]), "input")
    ] == [False, True]


def test_a_file_that_is_missing_fills_nothing_with_uploads() -> None:
    with pytest.raises(InvalidField) as caught:
        by_post(("a", "1")).files["photo"]
    assert value(fields.text(caught.value, "a", "default")) == "default"
    assert "Photo is missing." in fields.file(caught.value, "photo", label="Photo")


def test_an_error_that_a_script_has_made_fills_its_own_field() -> None:
    error = InvalidField("age", "4x", "is odd")
    assert value(fields.text(error, "age")) == "4x"
    assert value(fields.text(error, "name", "Ada")) == "Ada"
    assert value(fields.text(InvalidField("age", None, "is missing"), "age", "7")) == "7"


def test_one_message_is_shown_once_where_several_fields_have_the_name() -> None:
    error = InvalidField("a", "x", "is odd")
    assert "is odd" not in fields.text(error, "a", index=1)


def test_a_default_that_is_a_date_is_written_as_browsers_read_it() -> None:
    from datetime import date, datetime

    assert value(fields.text(None, "d", date(2030, 1, 31), type="date")) == "2030-01-31"
    moment = datetime(2030, 1, 31, 12, 30)
    found = only(fields.text(None, "d", moment, type="datetime-local"), "input")
    assert (found["type"], found["value"]) == ("datetime-local", "2030-01-31T12:30:00")
    assert value(fields.text(None, "n", 0)) == "0"


def test_a_field_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="needs a name"):
        fields.text(None, "")


def test_a_body_that_is_no_form_is_said_and_not_taken_for_an_empty_one() -> None:
    from cgikit import CGIError

    request = Request(
        {"REQUEST_METHOD": "POST", "CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "2"},
        io.BytesIO(b"{}"),
    )
    with pytest.raises(CGIError) as caught:
        fields.text(request, "a")
    assert caught.value.status == 415


def test_the_fields_of_an_error_survive_a_pickle() -> None:
    import pickle

    error = pickle.loads(pickle.dumps(InvalidField("a", "x", "is odd", MultiDict([("a", "x")]))))
    assert error.sent == MultiDict([("a", "x")])
