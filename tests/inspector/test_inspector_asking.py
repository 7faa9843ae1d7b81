"""The request that a replay sends: the recorded one, or what the form made of it."""

import re
from html import unescape

import pytest
from inspecting import inspected

from cgikit.host.problem import Problem
from cgikit.inspector.asking import Asked, Draft, same
from cgikit.inspector.editpage import edit_page
from cgikit.inspector.exchange import Exchange
from cgikit.multidict import MultiDict

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
PARTS = (
    b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n'
    b"Content-Type: application/x-y\r\n\r\n\x00\xff\r\n--b--\r\n"
)
HEADERS = (("Host", "localhost:8000"), ("Cookie", "sid=abcdefgh"), ("X-Key", "k1k2k3k4"))


def sent_back(exchange: Exchange) -> list[tuple[str, str]]:
    """What a browser sends of the page with the form: all fields as they are."""
    text = edit_page(1, Draft(exchange), "token").decode()
    found = []
    pattern = r"<input ([^>]*)>|<textarea ([^>]*)>\n(.*?)</textarea>|<select ([^>]*)>(.*?)</select>"
    for match in re.finditer(pattern, text, re.S):
        attributes = match[1] or match[2] or match[4]
        name = re.search(r'name="([^"]*)"', attributes)
        value = re.search(r'value="([^"]*)"', attributes)
        if match[4]:
            value = re.search(r"<option selected>([^<]*)", match[5])
        content = match[3] if match[2] else value[1] if value else ""
        found.append((name[1], re.sub(r"\r?\n", "\r\n", unescape(content))))
    return found


def changed(exchange: Exchange, **values: str) -> Asked:
    """What is sent if somebody changes the first field of each of these names."""
    fields = sent_back(exchange)
    for name, value in values.items():
        name = name.replace("_", "-")
        index = next(i for i, field in enumerate(fields) if field[0] == name)
        fields[index] = (name, value)
    return Draft(exchange).asked(MultiDict(fields))


RECORDED = {
    "a page": inspected("/x%20y.py?a=1&a=%C3%A9&plus=a+b&token=abcd", headers=HEADERS),
    "an odd query": inspected("/x.py?one+two&&=&%zz", headers=HEADERS),
    "a form": inspected(
        method="POST", headers=HEADERS, body=b"a=%0A1&password=s3cret&&b=+", content_type=FORM
    ),
    "files": inspected(method="POST", headers=HEADERS, body=PARTS, content_type=MULTIPART),
    "text": inspected(
        method="PUT",
        headers=HEADERS,
        body=b'{"password": "s3cret"}\n',
        content_type="application/json",
    ),
    "bytes": inspected(method="PUT", headers=HEADERS, body=bytes(range(256)), content_type="x/y"),
    "an empty body": inspected(method="POST", headers=HEADERS, body=b""),
    "controls": inspected(
        method="POST", body=b"a=%00%1b&b=%0D", content_type=FORM, headers=HEADERS
    ),
}


@pytest.mark.parametrize("exchange", RECORDED.values(), ids=RECORDED)
def test_a_form_that_nobody_changed_is_the_recorded_request(exchange: Exchange) -> None:
    """Secrets too, which the page does not show."""
    asked, recorded = changed(exchange), same(exchange)
    assert (asked.request, asked.body) == (recorded.request, recorded.body)


@pytest.mark.parametrize("exchange", RECORDED.values(), ids=RECORDED)
def test_no_secret_is_in_the_form(exchange: Exchange) -> None:
    text = str(sent_back(exchange))
    for secret in ("s3cret", "abcdefgh", "k1k2k3k4", "'abcd'"):
        assert secret not in text


def test_what_is_changed_is_sent() -> None:
    asked = changed(
        RECORDED["a page"],
        method="DELETE",
        path="/other é",
        query_value="2 &",
        headers="Host: localhost:1\r\nCookie: (hidden)\r\nX-New: é\r\n",
    )
    request = asked.request
    assert (request.method, request.path) == ("DELETE", "/other%20%C3%A9")
    assert request.query == "a=2+%26&a=%C3%A9&plus=a+b&token=abcd"
    assert request.headers == (
        ("Host", "localhost:1"),
        ("Cookie", "sid=abcdefgh"),
        ("X-New", "é"),
    )


def test_a_field_of_a_form_is_changed_and_the_others_stay() -> None:
    asked = changed(RECORDED["a form"], form_value="new")
    assert asked.body == b"a=new&password=s3cret&b=+"
    assert asked.request.content_length == len(asked.body)
    asked = changed(RECORDED["files"], form_value="new")
    assert b"\r\n\r\nnew\r\n" in asked.body
    assert b"\r\n\r\n\x00\xff\r\n" in asked.body
    boundary = asked.request.content_type.partition("boundary=")[2]
    assert asked.body.startswith(f"--{boundary}\r\n".encode())


def test_a_body_of_text_is_changed() -> None:
    assert changed(RECORDED["text"], body="{}").body == b"{}"
    with pytest.raises(Problem, match="hidden"):
        changed(RECORDED["text"], body='{"password": "(hidden)", "a": 1}')


def test_a_page_becomes_a_form() -> None:
    exchange = inspected("/x.py")
    asked = changed(exchange, method="POST", form_name="a", form_value="b c")
    assert (asked.body, asked.request.content_type) == (b"a=b+c", FORM)


def test_a_request_without_a_body_has_none() -> None:
    asked = changed(RECORDED["a form"], method="GET")
    assert (asked.body, asked.request.content_length) == (None, None)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"method": "GE T"}, "not a method"),
        ({"method": "GET\r\nX: y"}, "not a method"),
        ({"method": ""}, "not a method"),
        ({"path": "x"}, "not a path"),
        ({"path": "(hidden)"}, "not a path"),
        ({"path": ""}, "not a path"),
        ({"headers": "Host localhost"}, "not a header field"),
        ({"headers": "X Y: z"}, "not a header field"),
        ({"headers": ": z"}, "not a header field"),
        ({"headers": "X-Other: (hidden)"}, "X-Other has"),
        ({"query_value": "a(hidden)b"}, "a has"),
    ],
)
def test_what_is_not_a_request_is_refused(values: dict[str, str], words: str) -> None:
    with pytest.raises(Problem, match=re.escape(words)) as caught:
        changed(RECORDED["a page"], **values)
    assert caught.value.status == 400
    assert caught.value.fix


def test_the_framing_is_never_the_forms() -> None:
    asked = changed(
        RECORDED["a form"],
        headers=f"Host: a\nContent-Length: 5\nTransfer-Encoding: chunked\nContent-Type: {FORM}",
    )
    assert asked.request.headers == (("Host", "a"),)
    assert asked.request.content_length == len(asked.body)


def test_a_body_that_was_not_kept_cannot_be_sent() -> None:
    cut = inspected(method="POST", body=b"x" * 100, room=50)
    unread = inspected(method="POST", body=b"x")
    unread.runs.clear()
    for exchange in (cut, unread):
        for use in (same, Draft):
            with pytest.raises(Problem, match="body") as caught:
                use(exchange)
            assert caught.value.status == 409


@pytest.mark.parametrize(
    "fields",
    [[], [("method", "GET")], [("path", "/")], [("method", "GET"), ("path", "\ud800")]],
    ids=str,
)
def test_a_form_with_missing_fields_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(Problem) as caught:
        Draft(RECORDED["a form"]).asked(MultiDict(fields))
    assert caught.value.status == 400


def test_half_a_character_in_a_path_is_replaced() -> None:
    fields = [("method", "GET"), ("path", "/\ud800")]
    assert Draft(RECORDED["a form"]).asked(MultiDict(fields)).request.path == "/%3F"
