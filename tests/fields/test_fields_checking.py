"""The check of a whole form: all values, all errors at once, and when a form counts as sent."""

import io
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fields.asking import by_get, by_post, first
from hypothesis import given
from hypothesis import strategies as st
from posting import MULTIPART, environ, field, file, multipart
from reading import elements, only

from cgikit import FileStore, Request, fields
from cgikit.errors import FormExpired
from cgikit.fields import declare

SIGN_UP = [
    declare("name", required=True, max=60),
    declare("age", int, required=True, min=0, max=150),
    declare("born", date),
    declare("colour", choices={"r": "Red", "g": "Green"}),
    declare("likes", choices=["tea", "milk"], multiple=True),
    declare("note", "text", max=100),
    declare("terms", bool, required=True),
    declare("photo", "file", max=10),
]
GOOD = [("name", " Ada "), ("age", "36"), ("born", "1815-12-10"), ("colour", "g"), ("likes", "milk"),
        ("likes", "tea"), ("note", "a\r\nb"), ("terms", "on")]  # fmt: skip


def test_all_values_of_a_form() -> None:
    values, errors = fields.check(by_post(*GOOD), SIGN_UP)
    assert not errors
    assert values == {
        "name": "Ada", "age": 36, "born": date(1815, 12, 10), "colour": "g", "likes": ["milk", "tea"],
        "note": "a\nb", "terms": True, "photo": None,
    }  # fmt: skip


def test_all_errors_at_once_and_the_other_values_kept() -> None:
    sent = [("name", "x" * 61), ("age", "old"), ("born", "soon"), ("colour", "b"), ("likes", "gin"),
            ("note", "ok")]  # fmt: skip
    values, errors = fields.check(by_post(*sent), SIGN_UP)
    assert dict(errors) == {
        "name": "Please enter at most 60 characters.",
        "age": "Please enter a whole number.",
        "born": "Please enter a date, such as 2030-01-31.",
        "colour": "Please choose one of the options listed.",
        "likes": "Please choose one of the options listed.",
        "terms": "Please check this box.",
    }
    assert values == {"name": None, "age": None, "born": None, "colour": None, "likes": None,
                      "note": "ok", "terms": None, "photo": None}  # fmt: skip
    assert only(fields.text(errors, "age"), "input")["value"] == "old"


def test_blank_fields() -> None:
    declared = [
        declare("t"),
        declare("n", int),
        declare("b", bool),
        declare("m", multiple=True),
        declare("c", choices=["a"]),
        declare("d", int, default=7),
        declare("f", "file"),
    ]
    values, errors = fields.check(by_post(*((name, " ") for name in "tnmd")), declared)
    assert not errors
    assert values == {"t": "", "n": None, "b": False, "m": [], "c": None, "d": 7, "f": None}
    assert fields.check(first(), declared)[0] == values


@pytest.mark.parametrize("send", [by_get, by_post])
@pytest.mark.parametrize("pairs", [[], [("news", ""), ("days", " "), ("all", "")]])
def test_a_visitor_who_unchecks_what_is_checked_by_default_is_taken_at_their_word(
    send: Callable[..., Request], pairs: list[tuple[str, str]]
) -> None:
    days = ["", " ", "fri", "sat"]
    declared = [declare("other"), declare("news", bool, default=True),
                declare("days", choices=days, multiple=True, default=["fri"]),
                declare("all", int, multiple=True, default=(1, 2)),
                declare("colour", choices=["r", "g"], default="g")]  # fmt: skip
    shown = {"other": "", "news": True, "days": ["fri"], "all": [1, 2], "colour": "g"}
    assert fields.check(first(), declared)[0] == shown
    values, errors = fields.check(send(("other", "1"), *pairs), declared)
    assert not errors
    unchecked = [" "] if pairs else []  # a choice that is sent is no blank
    assert values == {"other": "1", "news": False, "days": unchecked, "all": [], "colour": "g"}
    assert "checked" not in fields.checkbox(errors, "news")
    assert "checked" not in fields.checkboxes(errors, "days", ["fri", "sat"])


def test_a_pattern_that_is_not_valid_is_reported_by_the_first_form_whatever_is_in_it() -> None:
    declared = [declare("q"), declare("code", pattern="(")]
    assert fields.check(first(), declared)[1].sent is False
    message = r"the field 'code' has pattern='\(', which is not a valid regular expression: missing"
    with pytest.raises(ValueError, match=message):
        fields.check(by_post(("q", "x")), declared)


REQUIRED = {
    "Please fill in this field.": declare("a", required=True),
    "Please choose one.": declare("a", choices=["x"], required=True),
    "Please check this box.": declare("a", bool, required=True),
    "Please choose a file.": declare("a", "file", required=True),
}


@pytest.mark.parametrize("message", REQUIRED)
@pytest.mark.parametrize("sent", [[], [("a", "")], [("a", " ")]])
def test_a_required_field_that_is_blank(message: str, sent: list[tuple[str, str]]) -> None:
    if sent == [("a", " ")] and message == "Please choose one.":
        message_then = "Please choose one of the options listed."
    else:
        message_then = message
    _, errors = fields.check(by_post(*sent), [REQUIRED[message]])
    assert dict(errors) == {"a": message_then}


@pytest.mark.parametrize(
    ("declaration", "text", "value"),
    [
        ({"kind": int, "min": 0}, "0", 0),
        ({"kind": float}, "0.0", 0.0),
        ({"kind": Decimal}, "0.00", Decimal("0.00")),
        ({"kind": int, "choices": [0, 1, 2]}, "0", 0),
        ({"kind": int, "choices": {0: "none", 1: "one"}, "multiple": True}, "0", [0]),
    ],
)
def test_zero_is_a_value_that_a_required_field_can_have(declaration, text, value) -> None:
    values, errors = fields.check(
        by_post(("n", text)), [fields.declare("n", required=True, **declaration)]
    )
    assert not errors, errors
    assert values["n"] == value


def test_a_choice_counts_once_however_often_it_is_sent() -> None:
    seats = fields.declare("seats", choices=["a", "b"], multiple=True)
    values, errors = fields.check(by_post(*[("seats", "b")] * 900, ("seats", "a")), [seats])
    assert (values["seats"], dict(errors)) == (["b", "a"], {})


def test_the_message_of_any_value_is_shown_by_the_control_of_all() -> None:
    """Where the invalid value stood tells which of several text fields has it, and nothing else."""
    days = fields.declare("days", choices=["fri", "sat"], multiple=True)
    _, errors = fields.check(by_post(("days", "fri"), ("days", "sun")), [days])
    assert errors["days"]
    for html in (fields.checkboxes(errors, "days"), fields.select(errors, "days")):
        assert errors["days"] in html
        assert 'aria-invalid="true"' in html
    photos = fields.declare("photos", "file", accept="image/*", multiple=True)
    errors = fields.Errors(by_post(("photos", "")), {"photos": photos}, sent=True)
    errors["photos"], errors.positions["photos"] = "Not a picture.", 1
    assert "Not a picture." in fields.file(errors, "photos")


def test_a_box_that_says_no_is_not_the_consent_that_was_required() -> None:
    _, errors = fields.check(by_post(("a", "no")), [declare("a", bool, required=True)])
    assert "a" in errors


def test_a_get_is_a_form_if_it_has_one_of_the_fields() -> None:
    declared = [declare("q", min=2), declare("all", bool)]
    for request in (first(), by_get(("page", "2"))):
        values, errors = fields.check(request, declared)
        assert errors
        assert values == {"q": "", "all": False}
        assert dict(errors) == {}
    values, errors = fields.check(by_get(("q", "tea")), declared)
    assert not errors
    assert values == {"q": "tea", "all": False}


def test_a_box_stays_as_the_visitor_has_left_it() -> None:
    declared = [declare("q"), declare("all", bool, default=True)]

    def is_checked(request: Request) -> bool:
        _, errors = fields.check(request, declared)
        return "checked" in only(fields.checkbox(errors, "all"), "input").attributes

    assert is_checked(first())
    assert is_checked(by_get(("page", "2")))  # a link, and no form
    assert not is_checked(by_get(("q", "x")))
    assert is_checked(by_get(("q", "x"), ("all", "on")))
    assert not is_checked(by_post())


def test_a_post_is_read_from_its_body_alone() -> None:
    request = by_post(("b", "2"), QUERY_STRING="a=1&b=1")
    assert fields.check(request, [declare("a"), declare("b")])[0] == {"a": "", "b": "2"}


def test_files() -> None:
    body = multipart(field("name", b"Ada"), file("photo", "a.png", b"12345"),
                     file("photo", "b.png", b"x" * 11))  # fmt: skip

    def check(**rules: Any) -> tuple[dict[str, Any], fields.Errors]:
        request = Request(environ(body, MULTIPART), io.BytesIO(body))
        return fields.check(request, [declare("photo", "file", **rules)])

    values, errors = check(required=True, max=10)
    assert not errors
    assert values["photo"].filename == "a.png"
    values, errors = check(multiple=True, max=10)
    assert dict(errors) == {"photo": "Please choose a file of at most 10 bytes."}
    values, errors = check(multiple=True)
    assert [each.filename for each in values["photo"]] == ["a.png", "b.png"]


def test_a_check_of_the_scripts_own() -> None:
    def odd(number: int) -> str | None:
        return None if number % 2 else "Please enter an odd number."

    declared = [declare("n", int, check=odd)]
    assert dict(fields.check(by_post(("n", "2")), declared)[1]) == {
        "n": "Please enter an odd number."
    }
    assert fields.check(by_post(("n", "3")), declared)[0] == {"n": 3}
    assert not fields.check(by_post(("n", "")), declared)[1]  # it gets no value that is none


def test_messages_can_be_replaced_for_all_fields_and_for_one() -> None:
    declared = [declare("a", int, max=9, messages={"more": "A: höchstens {max} {min} {}!"}),
                declare("b", int, max=8), declare("c", required=True)]  # fmt: skip
    german = {"more": "Höchstens {max}.", "required": "Bitte ausfüllen."}
    _, errors = fields.check(by_post(("a", "10"), ("b", "10")), declared, messages=german)
    assert dict(errors) == {
        "a": "A: höchstens 9 {min} {}!",
        "b": "Höchstens 8.",
        "c": "Bitte ausfüllen.",
    }
    with pytest.raises(ValueError, match="'requird' is not the code of a message"):
        fields.check(first(), declared, messages={"requird": "x"})


def test_a_name_that_is_declared_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="declared twice; use multiple=True"):
        fields.check(first(), [declare("a"), declare("a")])


# --- the token ------------------------------------------------------------------------------------


def with_sessions(
    tmp_path: Path, body: str = "", method: str = "POST", cookie: str = ""
) -> Request:
    data = body.encode()
    variables = environ(
        data, "application/x-www-form-urlencoded", method, HTTP_COOKIE=cookie, HTTP_HOST="h",
        SCRIPT_NAME="/x.py", QUERY_STRING="" if method == "POST" else body,
    )  # fmt: skip
    return Request(variables, io.BytesIO(data), sessions=FileStore(tmp_path / "s"))


def test_the_form_has_the_token_that_the_check_wants(tmp_path: Path) -> None:
    from cgikit import Response

    shown = with_sessions(tmp_path, method="GET")
    _, errors = fields.check(shown, [declare("a")])
    html = fields.form(errors, fields.text(errors, "a"))
    response = Response.html(html)
    shown.save_session(response)
    cookie = response.headers["Set-Cookie"].partition(";")[0]
    (token,) = [each["value"] for each in elements(html, "input") if each.get("name") == "csrf"]

    request = with_sessions(tmp_path, f"a=1&csrf={token}", cookie=cookie)
    values, errors = fields.check(request, [declare("a")])
    assert not errors
    assert values == {"a": "1"}
    request.drop_session()
    for wrong in ("a=1", "a=1&csrf=", f"a=1&csrf={token}x"):
        request = with_sessions(tmp_path, wrong, cookie=cookie)
        with pytest.raises(FormExpired):
            fields.check(request, [declare("a")])
        request.drop_session()


def test_a_link_is_no_form_where_a_token_is_wanted(tmp_path: Path) -> None:
    request = with_sessions(tmp_path, "a=1", "GET")
    _, errors = fields.check(request, [declare("a")])
    assert errors
    assert not errors.sent
    values, errors = fields.check(request, [declare("a")], csrf=False)
    assert not errors
    assert values == {"a": "1"}


def test_a_form_without_the_token_is_checked_where_none_is_wanted(tmp_path: Path) -> None:
    values, errors = fields.check(with_sessions(tmp_path, "a=1"), [declare("a")], csrf=False)
    assert (values, bool(errors)) == ({"a": "1"}, False)


PAIRS = st.lists(st.tuples(st.sampled_from([d.name for d in SIGN_UP]), st.text(max_size=8)))


@given(PAIRS)
def test_whatever_is_sent_there_are_values_and_errors_and_a_page(pairs) -> None:
    pairs = [(name, value.encode("utf-8", "replace").decode()) for name, value in pairs]
    values, errors = fields.check(by_post(*pairs), SIGN_UP)
    assert list(values) == [each.name for each in SIGN_UP]
    assert all(values[name] is None for name in errors)
    html = fields.form(
        errors,
        *(fields.text(errors, name) for name in ("name", "age", "born")),
        fields.select(errors, "colour"),
        fields.checkboxes(errors, "likes"),
        fields.textarea(errors, "note"),
        fields.checkbox(errors, "terms"),
        fields.file(errors, "photo"),
    )
    assert len(elements(html, "span")) == len(errors)
