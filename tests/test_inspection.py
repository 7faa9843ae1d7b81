"""A request as a piece of HTML: what came is there, escaped, and no secret is."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from child import environment, run_script
from hypothesis import given
from hypothesis import strategies as st
from posting import MULTIPART, URLENCODED, field, file, multipart, post

from cgikit import FileStore, Limits, Request
from cgikit.testing import Client

CANARY = "canary-4711"


class Tables(HTMLParser):
    """The cells of each table, by its caption, as a reader sees them."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.rows: dict[str, list[tuple[str, ...]]] = {}
        self.open: list[str] = []
        self.said = ""
        self.feed(markup)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "br":
            self.said += "\n"
            return
        self.open.append(tag)
        self.said = ""
        if tag == "tr":
            self.row: tuple[str, ...] = ()

    def handle_data(self, data: str) -> None:
        self.said += data

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "caption":
            self.table = self.rows.setdefault(self.said, [])
        elif tag in {"td", "th"}:
            self.row += (self.said,)
        elif tag == "tr":
            self.table.append(self.row)


def shown(request: Request, **options: bool) -> dict[str, list[tuple[str, ...]]]:
    return Tables(request.inspect(**options)).rows


FORM = multipart(field("name", b"Ada <b>"), file("photo", "cat & co.png", b"12345", "image/png"))


def full() -> Request:
    return post(
        FORM, MULTIPART, QUERY_STRING="page=2&tag=a%26b", HTTP_HOST="h.example", SCRIPT_NAME="/x.py",
        PATH_INFO="/<p>", HTTP_COOKIE="sid=1; theme=dark", HTTP_AUTHORIZATION="Basic x",
    )  # fmt: skip


def test_names_are_shown() -> None:
    found = shown(full())
    variables = dict(found.pop("Variables"))  # type: ignore[arg-type]
    assert found == {
        "Request": [("Method", "POST"), ("URL", "http://h.example/x.py/%3Cp%3E")],
        "Query": [("page", "(1 character)"), ("tag", "(3 characters)")],
        "Form": [("name", "(7 characters)")],
        "Files": [("photo", "(12 characters), image/png, 5 bytes")],
        "Cookies": [("sid", "(hidden)"), ("theme", "(hidden)")],
    }
    assert variables["HTTP_HOST"] == "h.example"
    assert variables["HTTP_COOKIE"] == variables["HTTP_AUTHORIZATION"] == "(hidden)"
    assert variables["QUERY_STRING"] == "page=(hidden)&tag=(hidden)"


def test_values_are_shown_if_asked() -> None:
    found = shown(full(), values=True)
    assert found["Request"][1] == ("URL", "http://h.example/x.py/%3Cp%3E?page=2&tag=a%26b")
    assert found["Query"] == [("page", "2"), ("tag", "a&b")]
    assert found["Form"] == [("name", "Ada <b>")]
    assert found["Files"] == [("photo", "cat & co.png, image/png, 5 bytes")]
    assert found["Cookies"] == [("sid", "(hidden)"), ("theme", "(hidden)")]
    assert dict(found["Variables"])["QUERY_STRING"] == "page=(hidden)&tag=(hidden)"  # type: ignore[arg-type]


def test_an_empty_request() -> None:
    found = shown(Request({"SERVER_NAME": "h", "QUERY_STRING": "a="}))
    assert found["Query"] == [("(hidden)", "")]
    assert found["Form"] == found["Files"] == found["Cookies"] == [("none",)]
    assert "Session" not in found


@pytest.mark.parametrize("values", [False, True])
def test_s4_no_secret_is_shown(values: bool) -> None:
    """Whatever its name is. Fields of a form are shown only on request."""
    variables = {
        f"HTTP_{name}": f"x={CANARY}" for name in ("COOKIE", "AUTHORIZATION", "REFERER", "X_TOKEN")
    }
    variables |= {"DATABASE": CANARY, "REQUEST_URI": f"/x?a={CANARY}"}
    if not values:
        variables["QUERY_STRING"] = f"a={CANARY}&b={CANARY}"
    body = multipart(field("a", CANARY.encode()), file("f", f"{CANARY}.txt", CANARY.encode()))
    request = post(b"" if values else body, MULTIPART, **variables)
    assert CANARY not in request.inspect(values=values)


@pytest.mark.parametrize("end", ["", "=", "==", "%3D", "&a=1"])
def test_s4_a_word_without_a_value_is_no_name(end: str) -> None:
    """`?token` is a field with this name, and its table showed it."""
    word = CANARY + end
    request = post(word.encode(), URLENCODED, QUERY_STRING=word)
    assert CANARY not in request.inspect()
    others = [("a", "(1 character)")] if "a" in end else []
    found = shown(request)
    assert [(found[table][0][0], found[table][1:]) for table in ("Query", "Form")] == [
        ("(hidden)", others)
    ] * 2
    assert shown(request, values=True)["Query"][0][0].startswith(CANARY)


@pytest.mark.parametrize("values", [False, True])
def test_s4_the_session_is_shown_by_its_keys(values: bool, tmp_path: Path) -> None:
    def handler(request: Request) -> str:
        request.session.setdefault("b", CANARY)
        request.session["a"] = [CANARY]
        return request.inspect(values=values)

    client = Client(handler, sessions=FileStore(tmp_path / "s"))
    for _ in range(2):
        page = client.get().text
        assert CANARY not in page
        assert all(value not in page for value in client.cookies.values())
        assert Tables(page).rows["Session"] == [("a", "(hidden)"), ("b", "(hidden)")]


def test_a_visitor_gets_no_session_by_being_looked_at(tmp_path: Path) -> None:
    client = Client(lambda request: request.inspect(), sessions=FileStore(tmp_path / "s"))
    assert Tables(client.get().text).rows["Session"] == [("none",)]
    assert not client.cookies


def test_what_cannot_be_read_is_shown_as_an_error() -> None:
    found = shown(post(b"{}", "application/json", HTTP_HOST="a b"))
    assert found["Request"][0][0].startswith("not read: Host: 'a b' is not a valid host name")
    assert found["Form"][0][0].startswith("not read: the body is 'application/json', not a form")
    assert found["Files"] == found["Form"]

    request = post(b"a=1", URLENCODED)
    request.stream.read()
    assert shown(request)["Form"][0][0].startswith(
        "not read: request.body: the body was read already"
    )

    request = Request({"QUERY_STRING": "a=1&b=2"}, limits=Limits(fields=1))
    assert "fields=1" in shown(request)["Query"][0][0]


def test_long_values_are_cut_and_controls_are_escaped() -> None:
    request = post(
        b"a=" + b"x" * 5_000 + b"&b=1%0D%0A2%0A3&c=%00%1B%C2%85&%07=%E2%80%AE", URLENCODED
    )
    found = dict(shown(request, values=True)["Form"])  # type: ignore[arg-type]
    assert found == {
        "a": "x" * 1_000 + "… (5,000 characters)",
        "b": "1\n\n2\n\n3",
        "c": r"\x00\x1b\x85",
        r"\x07": r"\u202e",
    }


@given(st.text(), st.text(), st.text(st.characters(codec=None)))
def test_s4_everything_is_escaped(name: str, value: str, variable: str) -> None:
    request = Request({variable: value, "QUERY_STRING": "", "PATH_INFO": value})
    request._query = type(request.query)([(name, value)])
    markup = request.inspect(values=True)
    found = Tables(markup)
    assert set(found.rows) == {"Request", "Query", "Form", "Files", "Cookies", "Variables"}
    assert len(found.rows["Query"]) == 1
    assert {c for c in markup if not c.isprintable()} <= {"\n"}


def test_it_costs_nothing_until_it_is_used(tmp_path: Path) -> None:
    source = "run(lambda request: str('cgikit.inspection' in sys.modules))"
    assert run_script(tmp_path, source, env=environment()).page == "False"
