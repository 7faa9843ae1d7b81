"""Fields with choices: in which forms the choices are given, and which of them are chosen."""

import pytest
from fields.asking import by_get, by_post, first
from reading import by_id, elements, only

from cgikit import InvalidField, fields

COLOURS = {"r": "Red", "g": "Green", "b": "Blue"}


def selected(html: str) -> list[str]:
    return [each["value"] for each in elements(html, "option") if "selected" in each.attributes]


def checked(html: str) -> list[str]:
    return [each["value"] for each in elements(html, "input") if "checked" in each.attributes]


@pytest.mark.parametrize(
    "choices",
    [COLOURS, list(COLOURS.items()), iter(COLOURS.items())],
)
def test_choices_are_a_mapping_or_pairs(choices) -> None:
    options = elements(fields.select(None, "c", choices), "option")
    assert {each["value"]: "".join(each.text) for each in options} == COLOURS


def test_choices_are_values_of_any_kind() -> None:
    options = elements(fields.select(None, "n", [1, 2.5, "x"], 2.5), "option")
    assert [each["value"] for each in options] == ["1", "2.5", "x"]
    assert selected(fields.select(None, "n", [1, 2.5, "x"], 2.5)) == ["2.5"]


@pytest.mark.parametrize(
    "choices",
    [
        {"": "-", "Fruit": ["apple", "pear"], "Nuts": {"h": "Hazel"}},
        [("", "-"), ("Fruit", ["apple", "pear"]), ("Nuts", {"h": "Hazel"})],
    ],
)
def test_a_label_that_is_a_list_or_a_mapping_is_a_group(choices) -> None:
    html = fields.select(None, "c", choices, "h")
    assert [each["label"] for each in elements(html, "optgroup")] == ["Fruit", "Nuts"]
    options = elements(html, "option")
    assert [each["value"] for each in options] == ["", "apple", "pear", "h"]
    assert selected(html) == ["h"]


@pytest.mark.parametrize("choices", ["abc", [["a", "b"]], [{"a": "b"}], {"a": {"b": {"c": "d"}}}])
def test_what_are_no_choices_is_refused(choices) -> None:
    with pytest.raises(TypeError):
        fields.select(None, "c", choices)


def test_one_of_a_select() -> None:
    assert selected(fields.select(first(), "c", COLOURS, "g")) == ["g"]
    assert selected(fields.select(by_post(("c", "b")), "c", COLOURS, "g")) == ["b"]
    assert selected(fields.select(by_get(("c", "b")), "c", COLOURS, "g")) == ["b"]
    assert selected(fields.select(first(), "c", COLOURS)) == []


def test_a_value_that_is_no_choice_chooses_nothing_and_is_not_shown() -> None:
    html = fields.select(by_post(("c", "<purple>")), "c", COLOURS, "g")
    assert selected(html) == []
    assert "purple" not in html


def test_two_choices_of_one_value_are_not_both_selected() -> None:
    assert selected(fields.select(by_post(("c", "a")), "c", ["a", "a"])) == ["a"]
    assert checked(fields.radios(by_post(("c", "a")), "c", ["a", "a"])) == ["a"]


def test_several_of_a_select() -> None:
    def several(source, **more) -> list[str]:
        return selected(fields.select(source, "c", COLOURS, ["r", "g"], multiple=True, **more))

    assert several(first()) == ["r", "g"]
    assert several(by_post(("c", "b"), ("c", "r"))) == ["r", "b"]
    assert several(by_post()) == []
    assert (
        several(
            by_get(("page", "2")),
        )
        == []
    )
    assert several(by_get(("page", "2")), sent=False) == ["r", "g"]
    assert selected(fields.select(None, "c", COLOURS, "r", multiple=True)) == ["r"]
    assert "multiple" in only(fields.select(None, "c", [], multiple=True), "select").attributes


def test_a_group_of_boxes_refuses_required_which_html_does_not_know() -> None:
    with pytest.raises(
        TypeError, match=r"cannot be given to checkboxes: .* 'g' with required=True"
    ):
        fields.checkboxes(None, "g", ["a"], required=True)
    assert "required" not in fields.checkboxes(None, "g", ["a"], required=False)


def test_a_required_select_is_one_only_where_html_allows_it() -> None:
    def required(choices, **more) -> bool:
        html = fields.select(None, "c", choices, required=True, **more)
        return "required" in only(html, "select").attributes

    assert required({"": "Choose", "a": "A"})
    assert not required(["a"])
    assert not required([])
    assert not required([("Group", ["", "a"])])
    assert required(["a"], multiple=True)


def test_an_option_without_a_text_has_a_label() -> None:
    assert only(fields.select(None, "c", [""]), "option")["label"] == " "


def test_radios() -> None:
    html = fields.radios(by_post(("c", "b")), "c", COLOURS, "g", label="Colour", required=True)
    assert checked(html) == ["b"]
    assert only(html, "legend").text == ["Colour"]
    assert ["".join(each.text).strip() for each in elements(html, "label")] == list(
        COLOURS.values()
    )
    assert all("required" in each.attributes for each in elements(html, "input"))
    assert checked(fields.radios(first(), "c", COLOURS, "g")) == ["g"]
    assert checked(fields.radios(by_post(), "c", COLOURS)) == []


def test_check_boxes_that_were_all_unchecked_stay_so() -> None:
    assert checked(fields.checkboxes(first(), "c", COLOURS, ["r", "g"])) == ["r", "g"]
    assert checked(fields.checkboxes(by_post(("c", "b")), "c", COLOURS, ["r", "g"])) == ["b"]
    assert checked(fields.checkboxes(by_post(), "c", COLOURS, ["r", "g"])) == []
    assert checked(fields.checkboxes(by_post(), "c", COLOURS, ["r"], sent=False)) == ["r"]


def test_the_message_of_a_group_is_the_groups() -> None:
    error = InvalidField("c", "x", "is not one of these")
    html = fields.radios(error, "c", COLOURS, label="Colour", hint="One of them")
    group = only(html, "fieldset")
    assert group["role"] == "radiogroup"
    assert group["aria-invalid"] == "true"
    assert group["aria-describedby"] == "field-c:hint field-c:error"
    assert by_id(html, "field-c:error").text == ["Colour is not one of these."]
    html = fields.checkboxes(error, "c", COLOURS, label="Colour", class_="wide")
    group = only(html, "fieldset")
    assert (group["class"], group["aria-describedby"]) == ("wide", "field-c:error")
    assert "aria-invalid" not in group.attributes
    assert [each["aria-invalid"] for each in elements(html, "input")] == ["true"] * 3


def test_groups_inside_a_group_of_buttons() -> None:
    html = fields.radios(None, "c", {"Warm": ["r"], "Cold": ["g", "b"]}, "b", label="Colour")
    legends = ["".join(each.text) for each in elements(html, "legend")]
    assert legends == ["Colour", "Warm", "Cold"]
    assert checked(html) == ["b"]
