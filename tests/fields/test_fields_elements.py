"""Elements of fields are valid HTML, whatever is in them: attributes, escapes, ids."""

from collections.abc import Callable

import pytest
from fields.asking import by_post
from hypothesis import given
from hypothesis import strategies as st
from reading import elements, only

from cgikit import fields
from cgikit.fields import controls
from cgikit.fields.controls import identifier

HOSTILE = "\"'><script>alert(1)</script>&amp; \0\x01\x7f\x85\ud800\ufffe"
SEEN = "\"'><script>alert(1)</script>&amp; \ufffd\ufffd\ufffd\ufffd\ufffd\ufffd"

#: Each function with the hostile text in every argument that takes text. A new function fails below.
CALLS: dict[str, Callable[[str], str]] = {
    "text": lambda x: fields.text(None, x, x, label=x, hint=x, id=x, title=x),
    "textarea": lambda x: fields.textarea(None, x, x, label=x, hint=x, id=x, title=x),
    "password": lambda x: fields.password(None, x, label=x, hint=x, id=x, title=x),
    "file": lambda x: fields.file(None, x, label=x, hint=x, id=x, title=x),
    "hidden": lambda x: fields.hidden(None, x, x, title=x),
    "checkbox": lambda x: fields.checkbox(None, x, value=x, label=x, hint=x, id=x, title=x),
    "button": lambda x: fields.button(None, x, label=x, value=x, title=x),
    "select": lambda x: fields.select(None, x, {x: x, "g": [x]}, x, label=x, hint=x, id=x, title=x),
    "radios": lambda x: fields.radios(None, x, {x: [x]}, x, label=x, hint=x, id=x, title=x),
    "checkboxes": lambda x: fields.checkboxes(None, x, [x], [x], label=x, hint=x, id=x, title=x),
    "form": lambda x: fields.form(None, action=x, title=x),
}


def test_every_function_that_makes_html_is_tried_below() -> None:
    assert set(CALLS) == set(fields.__all__) - {"Errors", "Field", "check", "declare"}


@pytest.mark.parametrize("name", sorted(CALLS))
def test_nothing_gets_out_of_its_place(name: str) -> None:
    html = CALLS[name](HOSTILE)
    html.encode()
    assert not set(html) & set("\0\x01\x7f\x85\ufffe")
    found = elements(html)
    assert "script" not in {each.name for each in found}
    seen = {value for each in found for value in each.attributes.values()}
    seen |= {"".join(each.text).strip() for each in found}
    # The action of a form is a URL, whose spaces are escaped.
    assert (SEEN.replace(" ", "%20") if name == "form" else SEEN) in seen


@given(st.text())
def test_text_comes_out_as_it_went_in_but_for_what_no_document_may_contain(text: str) -> None:
    allowed = "".join(
        char for char in text if char in "\t\n\f" or (char.isprintable() or ord(char) > 0xA0)
    )
    kept = "".join(
        char for char in allowed if not 0xD800 <= ord(char) < 0xE000 and char not in NONCHARACTERS
    )
    assert only(f'<p title="{controls.escaped(kept)}"></p>', "p")["title"] == kept


NONCHARACTERS = {chr(n) for n in range(0xFDD0, 0xFDF0)} | {
    chr(plane + low) for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)
}


def test_names_of_attributes() -> None:
    html = fields.text(
        None, "a", class_="x", for_="y", data_some_id=3, aria_label="z", inputMode="none"
    )
    found = only(html, "input")
    assert found.attributes | {"type": "", "id": "", "name": ""} == {
        "type": "", "id": "", "name": "", "class": "x", "for": "y", "data-some-id": "3",
        "aria-label": "z", "inputmode": "none",
    }  # fmt: skip


def test_attributes_that_are_true_or_not() -> None:
    html = fields.text(None, "a", required=True, disabled=False, readonly=None, aria_busy=False,
                       aria_live=True, spellcheck=False, draggable=True, maxlength=0)  # fmt: skip
    assert only(html, "input").attributes == {
        "type": "text", "id": "field-a", "name": "a", "required": "", "aria-busy": "false",
        "aria-live": "true", "spellcheck": "false", "draggable": "true", "maxlength": "0",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["", "_", "a b", "a>", 'a"', "a=", "1a", "ä", "a\0"])
def test_a_name_that_is_no_attribute_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a valid name of an attribute"):
        fields.text(None, "a", **{name: "x"})


@pytest.mark.parametrize("name", ["value", "checked", "selected", "enctype", "Value", "value_"])
def test_an_attribute_that_the_function_sets_is_not_written_twice(name: str) -> None:
    with pytest.raises(TypeError, match=f"^{name}= cannot be given to textarea: "):
        fields.textarea(None, "a", **{name: "x"})


@pytest.mark.parametrize(
    ("function", "attribute", "advice"),
    [
        ("text", "enctype", "form sets it"), ("text", "value", "use default="),
        ("form", "enctype", "form sets it"), ("form", "value", "it is not an attribute of a form"),
        ("form", "type", "it is not an attribute of a form"),
        ("file", "value", "such a field is never filled"),
        ("password", "value", "such a field is never filled"),
        ("hidden", "checked", "use default="), ("button", "checked", "use default="),
        ("select", "name_", "give it as the second argument"),
    ],
)  # fmt: skip
def test_a_refused_attribute_has_advice_that_is_true_for_its_function(
    function: str, attribute: str, advice: str
) -> None:
    given = {"hidden": ("a", "b"), "select": ("a", ["b"])}.get(function, ("a",))
    with pytest.raises(TypeError, match=f"^{attribute}= cannot be given to {function}: {advice}"):
        getattr(fields, function)(None, *given, **{attribute: "x"})


def test_a_form_can_have_a_name() -> None:
    assert only(fields.form(None, "x", name="a"), "form")["name"] == "a"


NAMES = st.text(st.sampled_from("ab1.:=-_ \0\x02é\U0001f600\ud800\"'[]"), min_size=1, max_size=4)


@given(st.sets(NAMES, min_size=2, max_size=6))
def test_different_names_have_different_ids_and_each_is_valid(names: set[str]) -> None:
    ids = [
        made
        for name in names
        for made in (
            identifier(name), identifier(name, 1), f"{identifier(name)}:error",
            f"{identifier(name)}:hint", f"{identifier(name)}={controls.plain(name)}",
        )
    ]  # fmt: skip
    assert len(ids) == len(set(ids))
    assert all(each.isascii() and each.isprintable() and " " not in each for each in ids)


def test_the_same_name_has_the_same_id_each_time() -> None:
    request = by_post(("a", "1"))
    assert fields.text(request, "a[0]") == fields.text(request, "a[0]")
    assert only(fields.text(request, "a[0]"), "input")["id"] == "field-a.5b.0.5d."
    assert only(fields.text(request, "a[0]"), "input")["name"] == "a[0]"
