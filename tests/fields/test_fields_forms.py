"""The form: where it leads, how it is encoded, and which forms get the token of the session."""

import io
from pathlib import Path

import pytest
from fields.asking import first
from hypothesis import given
from hypothesis import strategies as st
from reading import elements, only

from cgikit import FileStore, InvalidField, Request, fields

HERE = {"SCRIPT_NAME": "/cgi-bin/x.py", "PATH_INFO": "/a b", "HTTP_HOST": "www.example"}


@pytest.fixture
def request_with_sessions(tmp_path: Path) -> Request:
    return Request(
        {"REQUEST_METHOD": "GET", "QUERY_STRING": "q=1", **HERE},
        io.BytesIO(),
        sessions=FileStore(tmp_path / "sessions"),
    )


def token(html: str) -> str | None:
    found = [each for each in elements(html, "input") if each.get("name") == "csrf"]
    return found[0]["value"] if found else None


def test_a_form_leads_to_its_own_script() -> None:
    html = fields.form(first(**HERE), "<p>x</p>", class_="y")
    assert only(html, "form").attributes == {
        "action": "/cgi-bin/x.py/a%20b", "method": "post", "class": "y",
    }  # fmt: skip
    assert html.endswith("<p>x</p>\n</form>")


def test_an_empty_action_is_the_pages_own_url_and_no_attribute(request_with_sessions) -> None:
    html = fields.form(request_with_sessions, action="")
    assert "action" not in only(html, "form").attributes  # an empty one is not valid
    assert token(html)


def test_a_file_makes_the_form_a_multipart_one() -> None:
    file = fields.file(None, "f")
    assert only(fields.form(None, file), "form")["enctype"] == "multipart/form-data"
    quoted = fields.text(None, "a", '<input type="file"')
    assert "enctype" not in only(fields.form(None, quoted), "form").attributes
    assert "enctype" not in only(fields.form(None, file, method="get"), "form").attributes


@pytest.mark.parametrize(
    "action",
    [None, "", "/", "/cgi-bin/y.py", "y.py?a=1", "?a=1", "#end", "my page.py", "http://www.example",
     "http://www.example/x", "HTTP://www.example/".lower(), " /x "],
)  # fmt: skip
def test_forms_of_this_site_have_the_token(request_with_sessions, action: str | None) -> None:
    html = fields.form(request_with_sessions, action=action)
    assert token(html) == request_with_sessions.session.csrf_token()


@pytest.mark.parametrize(
    "action",
    ["//evil.example/", "https://evil.example/", "/\\evil.example", "\\\\evil.example",
     "/\t/evil.example",
     "\t//evil.example", " //evil.example", "http:evil.example", "http:/evil.example",
     "mailto:a@b.example",
     "http://www.example.evil/", "http://www.example@evil.example/",
     "http://www.example\\@evil.example/", "http://www.example:81/", "https://www.example/",
     "HtTpS://evil.example/", "///evil.example", "http:///evil.example", "ht\ntp://evil.example/"],
)  # fmt: skip
def test_forms_to_other_sites_have_no_token(request_with_sessions, action: str) -> None:
    assert token(fields.form(request_with_sessions, action=action)) is None


@pytest.mark.parametrize(
    "action",
    ["javascript:x", " JavaScript:x", "java\nscript:x", "\x01javascript:x", "data:text/html,x"],
)
def test_no_form_is_sent_to_a_url_that_a_browser_runs(action: str) -> None:
    with pytest.raises(ValueError, match="a form cannot be sent to a"):
        fields.form(None, action=action)


@pytest.mark.parametrize("action", ["x?a:y", "#a:b", "/a:b", "https://h/", "MAILTO:a@h"])
def test_other_actions_are_written_as_they_are(action: str) -> None:
    assert only(fields.form(None, action=action), "form")["action"] == action


@pytest.mark.parametrize("argument", ["action_", "Action", "method_", "METHOD"])
def test_the_action_cannot_be_replaced_behind_the_back_of_the_check(
    request_with_sessions, argument: str
) -> None:
    with pytest.raises(TypeError, match="of form"):
        fields.form(request_with_sessions, **{argument: "//evil.example"})


@pytest.mark.parametrize(
    "given", [{"formaction": "https://evil.example/"}, {"formaction": "//evil.example"},
              {"formmethod": "get"}, {"formmethod": "GET", "formaction": "/here"}],
)  # fmt: skip
def test_a_button_does_not_send_the_token_elsewhere(request_with_sessions, given) -> None:
    with pytest.raises(ValueError, match="would give away the token"):
        fields.button(request_with_sessions, **given)


def test_a_button_may_send_the_form_to_another_page_of_this_site(request_with_sessions) -> None:
    html = fields.button(request_with_sessions, formaction="/preview", formmethod="post")
    assert only(html, "button")["formaction"] == "/preview"


@pytest.mark.parametrize("method", ["get", "GET", "dialog"])
def test_a_form_that_shows_its_fields_in_the_url_has_no_token(
    request_with_sessions, method: str
) -> None:
    html = fields.form(request_with_sessions, method=method)
    assert token(html) is None
    assert only(html, "form")["method"] == method.lower()


def test_without_sessions_there_is_no_token() -> None:
    assert token(fields.form(first(**HERE))) is None


def test_an_invalid_field_knows_no_session() -> None:
    with pytest.raises(TypeError, match="give the request to form"):
        fields.form(InvalidField("a", "", "is blank"))


def test_a_method_that_html_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="use post, get or dialog"):
        fields.form(None, method="put")


@given(
    st.text(st.sampled_from("/ab.-_ %é\\?#"), max_size=6),
    st.text(st.sampled_from("/b ."), max_size=4),
)
def test_the_own_path_is_that_of_the_request(script: str, info: str) -> None:
    request = first(SCRIPT_NAME=script, PATH_INFO=info)
    expected = request.url(base=False, query=False)
    assert only(fields.form(request), "form")["action"] == expected
