"""MultiDict: which of several values, and how text becomes a number, a date, a choice."""

import datetime
import json
import math
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts, noisy, texts

from cgikit import InvalidField, MultiDict
from cgikit.multidict import MultiMap


def one(text: str) -> MultiDict:
    return MultiDict([("f", text)])


# --- a mapping --------------------------------------------------------------------------------

SAMPLE = MultiDict([("a", "1"), ("b", "2"), ("a", "3"), ("", "")])


def test_a_look_up_gives_the_first_value() -> None:
    """CGI.pm's param() means another thing in list context, which became a CVE; this never does."""
    assert SAMPLE["a"] == "1"
    assert SAMPLE.get("a") == "1"
    assert SAMPLE.get("x") is None
    assert SAMPLE.get("x", "d") == "d"
    assert SAMPLE[""] == ""


def test_a_field_that_did_not_come_is_the_client_s_lack() -> None:
    """It was a bare KeyError, which made a 500 with a traceback of a request without the field."""
    for empty in (SAMPLE, MultiMap([("a", 1)])):
        with pytest.raises(KeyError) as caught:
            empty["x"]
        assert isinstance(caught.value, InvalidField)
        assert (caught.value.status, caught.value.field) == (400, "x")
        assert caught.value.message == str(caught.value) == "field 'x' is missing"


def test_getlist_gives_all_values_always_as_a_list() -> None:
    assert SAMPLE.getlist("a") == ["1", "3"]
    assert SAMPLE.getlist("b") == ["2"]
    assert SAMPLE.getlist("x") == []


def test_pairs_keep_the_order_they_came_in() -> None:
    assert SAMPLE.pairs() == [("a", "1"), ("b", "2"), ("a", "3"), ("", "")]
    assert list(SAMPLE) == ["a", "b", ""]
    assert len(SAMPLE) == 3


def double_star(**fields: str) -> dict[str, str]:
    return fields


def test_it_is_a_mapping() -> None:
    assert isinstance(SAMPLE, Mapping)
    assert dict(SAMPLE) == {"a": "1", "b": "2", "": ""}
    assert double_star(**MultiDict([("a", "1"), ("a", "2")])) == {"a": "1"}
    assert list(SAMPLE.items()) == [("a", "1"), ("b", "2"), ("", "")]
    assert list(SAMPLE.values()) == ["1", "2", ""]
    assert "a" in SAMPLE
    assert "x" not in SAMPLE
    assert json.loads(json.dumps(dict(SAMPLE))) == {"a": "1", "b": "2", "": ""}
    assert not MultiDict()
    match SAMPLE:
        case {"a": first}:
            assert first == "1"
        case _:
            pytest.fail("no mapping to a match statement")


def test_equality_is_by_content() -> None:
    assert MultiDict([("a", "1")]) == MultiDict([("a", "1")])
    assert MultiDict([("a", "1"), ("a", "2")]) != MultiDict([("a", "1")])
    assert MultiDict([("a", "1"), ("b", "2")]) != MultiDict([("b", "2"), ("a", "1")])
    assert MultiDict([("a", "1")]) == {"a": "1"}
    assert MultiDict([("a", "1")]) != {"a": "2"}
    with pytest.raises(TypeError):
        hash(SAMPLE)


def test_it_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        SAMPLE["a"] = "2"
    with pytest.raises(AttributeError):
        SAMPLE.extra = 1
    source = [("a", "1")]
    fields = MultiDict(source)
    source.append(("a", "2"))
    fields.pairs().append(("a", "3"))
    fields.getlist("a").append("4")
    assert fields.pairs() == [("a", "1")]
    assert fields.getlist("a") == ["1"]


def test_any_iterable_and_any_values_will_do() -> None:
    assert MultiMap(iter([("a", 1), ("a", 2)])).getlist("a") == [1, 2]
    assert repr(MultiDict([("a", "1")])) == "MultiDict([('a', '1')])"


@given(st.lists(st.tuples(st.sampled_from("abc"), texts)))
def test_every_view_shows_the_same_pairs(pairs: list[tuple[str, str]]) -> None:
    fields = MultiDict(pairs)
    assert fields.pairs() == pairs
    for name in "abc":
        values = [value for have, value in pairs if have == name]
        assert fields.getlist(name) == values
        assert fields.get(name) == (values[0] if values else None)
    assert set(fields) == {name for name, _ in pairs}


# --- getters ----------------------------------------------------------------------------------

GETTERS = {
    "getint": (),
    "getfloat": (),
    "getboolean": (),
    "getchoice": (["a", "b"],),
    "getdate": (),
    "getdatetime": (),
}


@pytest.mark.parametrize("getter", GETTERS)
@pytest.mark.parametrize("fields", [MultiDict(), one(""), one(" \t\n ")])
def test_missing_and_blank_fields_take_the_default(getter: str, fields: MultiDict) -> None:
    arguments = GETTERS[getter]
    default = object()
    get = getattr(fields, getter)
    assert get("f", *arguments, default=default) is default
    assert get("f", *arguments, default=None) is None
    with pytest.raises(InvalidField) as caught:
        get("f", *arguments)
    assert caught.value.field == "f"
    assert caught.value.value == fields.get("f")
    assert caught.value.status == 400
    assert caught.value.reason == ("is blank" if "f" in fields else "is missing")


@pytest.mark.parametrize("getter", GETTERS)
def test_what_does_not_convert_names_the_field_even_with_a_default(getter: str) -> None:
    with pytest.raises(InvalidField) as caught:
        getattr(one("nonsense"), getter)("f", *GETTERS[getter], default=None)
    assert (caught.value.field, caught.value.value) == ("f", "nonsense")
    assert "'f'" in caught.value.message


@pytest.mark.parametrize("getter", GETTERS)
@given(text=any_texts | noisy | st.from_regex(r"[+-]?[0-9_.eE]{1,9}"))
def test_any_text_gives_a_value_or_invalid_field(getter: str, text: str) -> None:
    try:
        value = getattr(one(text), getter)("f", *GETTERS[getter])
    except InvalidField as error:
        assert error.field == "f"  # noqa: PT017
    else:
        assert isinstance(value, int | float | str | datetime.date)
        assert value == value


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("7", 7),
        ("007", 7),
        ("-3", -3),
        ("+3", 3),
        (" 5\n", 5),
        ("-0", 0),
        ("9" * 30, 10**30 - 1),
    ],
)
def test_getint(text: str, number: int) -> None:
    assert one(text).getint("f") == number


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        "\u0663",
        "\uff13",
        "²",
        "1.0",
        "1e3",
        "0x10",
        "--1",
        "+-1",
        "+",
        "-",
        "1 000",
        "1,000",
        "½",
        "1\0",
        "nan",
        "True",
        "9" * 4301,
    ],
)
def test_getint_takes_ascii_digits_only(text: str) -> None:
    """S15's rule for lengths holds for every number: int() takes underscores and other scripts."""
    with pytest.raises(InvalidField, match="whole number"):
        one(text).getint("f")


@pytest.mark.parametrize(
    ("text", "number"),
    [("0", 0), ("1.5", 1.5), ("-.5", -0.5), ("1e3", 1000), ("+2.", 2), (" 3 ", 3), ("1e-999", 0)],
)
def test_getfloat(text: str, number: float) -> None:
    assert one(text).getfloat("f") == number


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "NaN",
        "-nan",
        "inf",
        "-inf",
        "Infinity",
        "1e999",
        "-1e999",
        "1_0.0",
        "\u0663.\u0665",
        "1,5",
        "0x1p3",
        "1e",
        ".",
        "",
        "1.5\0",
    ],
)
def test_getfloat_takes_finite_ascii_numbers_only(text: str) -> None:
    """nan passes every comparison with bounds."""
    with pytest.raises(InvalidField, match=r"number|blank"):
        one(text).getfloat("f", min=0, max=10)


@pytest.mark.parametrize("getter", ["getint", "getfloat"])
def test_bounds_are_included(getter: str) -> None:
    for text in ("1", "2", "3"):
        assert getattr(one(text), getter)("f", min=1, max=3) == int(text)
    with pytest.raises(InvalidField, match="is less than 1"):
        getattr(one("0"), getter)("f", min=1, max=3)
    with pytest.raises(InvalidField, match="is more than 3"):
        getattr(one("4"), getter)("f", default=2, min=1, max=3)
    assert (
        getattr(one(""), getter)("f", default=99, min=1, max=3) == 99
    )  # the script's own business
    assert getattr(one("0"), getter)("f", max=0) == 0
    with pytest.raises(InvalidField, match="is less than 0"):
        getattr(one("-1"), getter)("f", min=0)


@given(st.integers(-(10**40), 10**40))
def test_every_int_comes_back(number: int) -> None:
    assert one(str(number)).getint("f") == number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_float_comes_back(number: float) -> None:
    found = one(repr(number)).getfloat("f")
    assert found == number
    assert math.copysign(1, found) == math.copysign(1, number)


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (("1", "yes", "true", "on", "ON", " Yes "), True),
        (("0", "no", "false", "off", "FALSE"), False),
    ],
)
def test_getboolean(texts: tuple[str, ...], value: bool) -> None:
    for text in texts:
        assert one(text).getboolean("f") is value


@pytest.mark.parametrize("text", ["2", "y", "t", "ja", "None", "\uff2f\uff2e", "01"])
def test_getboolean_takes_no_other_word(text: str) -> None:
    with pytest.raises(InvalidField, match="neither yes nor no"):
        one(text).getboolean("f", default=False)


def test_getchoice_compares_exactly() -> None:
    assert one("a").getchoice("f", ["a", "b"]) == "a"
    assert one("a").getchoice("f", iter("ab")) == "a"
    for text in ("A", " a", "ab", "c"):
        with pytest.raises(InvalidField, match="is not one of a, b"):
            one(text).getchoice("f", ["a", "b"], default="a")


def test_getdate_and_getdatetime() -> None:
    assert one("2030-05-12").getdate("f") == datetime.date(2030, 5, 12)
    assert one(" 12 May 2030 ").getdate("f") == datetime.date(2030, 5, 12)
    assert one("1/2/2030").getdate("f", dayfirst=True) == datetime.date(2030, 2, 1)
    assert one("2030-05-12T10:30").getdatetime("f") == datetime.datetime(2030, 5, 12, 10, 30)
    assert one("1/2/2030 10:30").getdatetime("f", dayfirst=True).month == 2


@pytest.mark.parametrize(
    "text", ["May 2030", "2030", "31 Feb 2030", "10:30", "tomorrow", "x" * 10_000]
)
def test_incomplete_dates_are_refused_and_the_form_is_said(text: str) -> None:
    with pytest.raises(InvalidField, match="YYYY-MM-DD"):
        one(text).getdate("f")
    with pytest.raises(InvalidField, match="YYYY-MM-DD HH:MM"):
        one(text).getdatetime("f")
