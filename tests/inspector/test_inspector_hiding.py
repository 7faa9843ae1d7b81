"""Secrets: hidden where they were sent, and wherever else they are."""

import pytest
from inspecting import inspected

from cgikit.inspector.hiding import Hiding, masked_head, masked_target, without_cookies
from cgikit.inspector.listpage import rows
from cgikit.inspector.maskedbody import masked_form
from cgikit.inspector.parts import Parts
from cgikit.inspector.requestpage import request_page

SECRET = "s3cr3t!value"
ENCODED = "s3cr3t%21value"
HOST = ("Host", "localhost:8000")
ECHO = f"Content-Type: text/plain\n\nYou said {SECRET} and {ENCODED}.".encode()
FORM = "application/x-www-form-urlencoded"
MULTIPART = (
    f'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n{SECRET}\r\n--b--\r\n'.encode()
)


@pytest.mark.parametrize(
    "given",
    [
        {"target": f"/x.py?password={ENCODED}"},
        {"body": f"a=1&user_password={ENCODED}".encode(), "content_type": FORM, "method": "POST"},
        {"body": MULTIPART, "content_type": "multipart/form-data; boundary=b", "method": "POST"},
        {
            "body": f'{{"a": [{{"api_key": "{SECRET}"}}]}}'.encode(),
            "content_type": "application/json",
        },
        {
            "body": MULTIPART.replace(b"--b--", b"--b") + 99_999 * b"x",
            "content_type": "multipart/form-data; boundary=b",
        },
        {
            "body": f'{{"password": "{SECRET}", "rest": "{99_999 * "x"}"}}'.encode(),
            "content_type": "application/json",
        },
        {"headers": (HOST, ("Cookie", f"session={SECRET}"))},
        {"headers": (HOST, ("Authorization", f"Bearer {SECRET}"))},
        {"headers": (HOST, ("X-Api-Key", SECRET))},
        {"headers": (HOST, ("X-Whatever", SECRET))},
        {"headers": (("Host", f"ada:{SECRET}@localhost:8000"),)},
        {"headers": (HOST, ("Referer", f"http://ada:{SECRET}@localhost:8000/"))},
        {"headers": (HOST, ("Origin", f"http://ada:{SECRET}@localhost:8000"))},
        {"target": f"/x.py;jsessionid={SECRET}/more"},
        {
            "environment": {"PATH_INFO": f"/a;jsessionid={SECRET}"},
            "target": f"/x.py/a;jsessionid={SECRET}",
        },
        {"body": f"a=1;password={ENCODED}".encode(), "content_type": FORM, "method": "POST"},
        {"stdout": f"X-Auth-Token: {SECRET}\n".encode() + ECHO},
        {"stdout": f'Content-Type: application/json\n\n{{"token": "{SECRET}"}}'.encode()},
        {"stdout": f'Set-Cookie: sid="a; b {SECRET}"; HttpOnly\nStatus: 200\n\n'.encode()},
        {"stdout": f'Set-Cookie: sid="{SECRET} b c"; HttpOnly\n\n{SECRET} b c'.encode()},
        {"environment": {"DATABASE_URL": SECRET}},
        {"environment": {"APP_SECRET": SECRET}},
        {"stdout": f"Set-Cookie: sid={SECRET}; HttpOnly\n".encode() + ECHO},
        {"stderr": f"password={SECRET}\n".encode(), "target": f"/x.py?password={ENCODED}"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_a_secret_is_nowhere_on_the_page(given) -> None:  # type: ignore[no-untyped-def]
    exchange = inspected(**{"stdout": ECHO, **given})
    page = request_page(exchange, "token").decode()
    assert SECRET not in page
    assert "(hidden)" in page


def test_the_answer_that_sets_a_cookie_is_shown_without_its_value() -> None:
    exchange = inspected()
    exchange.headers = (("Set-Cookie", f"sid={SECRET}; Path=/"),)
    page = request_page(exchange, "token").decode()
    assert SECRET not in page
    assert "sid=(hidden); Path=/" in page


def test_what_is_not_a_secret_stays() -> None:
    exchange = inspected("/x.py?name=Ada", stdout=b"Content-Type: text/html\n\nHello, Ada")
    hiding = Hiding(exchange, Parts(exchange).fields)
    assert hiding.value("name", "Ada") == "Ada"
    assert hiding.output(b"A: b\r\n\r\nHello, Ada") == "A: b\\r\n\\r\nHello, Ada"
    shown = hiding.environment({"QUERY_STRING": "name=Ada&pin_token=x", "REQUEST_URI": "/x?a=b"})
    assert shown == {"QUERY_STRING": "name=Ada&pin_token=(hidden)", "REQUEST_URI": "/x?a=b"}


def test_a_short_password_is_hidden_in_its_field() -> None:
    exchange = inspected(method="POST", body=b"password=ab&x=1", content_type=FORM)
    assert Hiding(exchange).body(b"password=ab&x=1", FORM) == "password=(hidden)&x=1"


def test_headers_of_the_request_are_shown_by_the_allow_list() -> None:
    hiding = Hiding(inspected())
    assert hiding.header("User-Agent", "curl") == "curl"
    assert hiding.header("X-Anything", "value") == "(hidden)"
    assert hiding.header("cookie", "a=b") == "(hidden)"
    assert hiding.header("Referer", "http://a/?b=c&token=d") == "http://a/?b=c&token=(hidden)"


def test_names_may_be_encoded() -> None:
    assert masked_form("pass%77ord=x&a=&token=") == "pass%77ord=(hidden)&a=&token="
    assert masked_target("/a?b=c&secret=d") == "/a?b=c&secret=(hidden)"
    assert masked_target("/a") == "/a"


def test_every_cookie_that_is_set_is_hidden() -> None:
    head = "SET-COOKIE : a=b; Path=/\r\nX: y\nset-cookie: c\nSet-Cookie:\n"
    assert without_cookies(head) == (
        "SET-COOKIE : a=(hidden); Path=/\r\nX: y\nset-cookie: (hidden)\nSet-Cookie:\n"
    )


def test_fields_of_an_answer_are_shown_by_the_allow_list() -> None:
    head = "Content-Type: text/html; charset=utf-8\r\nX-Odd: 1\nX-Request: 0123456789\nX-Pwd: 1"
    assert masked_head(head) == (
        "Content-Type: text/html; charset=utf-8\r\nX-Odd: 1\nX-Request: (hidden)\nX-Pwd: (hidden)"
    )


def test_output_without_a_header_block_is_no_header_block() -> None:
    hiding = Hiding(inspected())
    assert hiding.output(b"The answer is: forty-two\n") == "The answer is: forty-two\n"
    assert hiding.output(b"Answer: forty-two\n") == "Answer: forty-two\n"
    assert hiding.output(b"Set-Cookie: a=b\nAnswer: 42\n") == "Set-Cookie: a=(hidden)\nAnswer: 42\n"


@pytest.mark.parametrize(
    "target",
    ["/x.py?second", "/a@b/c", "/x;v=1/y", "localhost:8000", "https://h/me@host", "/x/?next=a@b"],
)
def test_what_only_looks_like_a_user_stays(target: str) -> None:
    assert masked_target(target) == target


def test_a_user_and_a_session_in_a_url_are_hidden() -> None:
    taken: list[str] = []
    shown = masked_target("http://ada:geheim@h/x;JSESSIONID=ABC;v=1/y?a=b", taken.append)
    assert shown == "http://(hidden)@h/x;JSESSIONID=(hidden);v=1/y?a=b"
    assert taken == ["ada:geheim", "geheim", "ABC"]


@pytest.mark.parametrize("name", ["sid", "SID", "PHPSESSID", "CGISESSID", "session_id"])
def test_the_names_of_session_ids(name: str) -> None:
    assert masked_form(f"{name}=abcdefgh&side=1") == f"{name}=(hidden)&side=1"


def test_fields_may_be_separated_by_semicolons() -> None:
    assert masked_form("a=1;password=x;b=2") == "a=1;password=(hidden);b=2"


def test_the_list_hides_what_the_page_hides() -> None:
    exchange = inspected(
        target="/x.py?next=SecretCookie77", headers=(HOST, ("Cookie", "a=SecretCookie77"))
    )
    assert "SecretCookie77" not in rows([exchange])


def test_a_query_of_words_is_no_secret() -> None:
    for words in ("second", "a+b", "two+words"):
        target = f"/x.py?{words}"
        exchange = inspected(target=target, environment={"QUERY_STRING": words})
        assert target in rows([exchange])
        assert Hiding(exchange).target(target) == target
