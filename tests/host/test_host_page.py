"""The host's pages: everything escaped (S4), nothing told to strangers, nothing loaded."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cgikit
from cgikit.host.listing import Entry
from cgikit.host.page import appendix, error_page, listing_page
from cgikit.host.problem import Problem

LIBRARY = f"{Path(cgikit.__file__).parent}/"
HOSTILE = "<script>alert(1)</script>\"'&\x1b\udc80"


class Tags(HTMLParser):
    """The names of the elements, all their attributes, and the text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_s4_everything_is_escaped() -> None:
    problem = Problem(500, HOSTILE, HOSTILE, evidence=HOSTILE)
    page = Tags(error_page(problem, details=True, script=HOSTILE, log=[HOSTILE]))
    assert "script" not in page.names
    assert page.text.count("<script>alert(1)</script>") == 5
    assert "\x1b" not in page.text.partition("What the server saw")[2].partition("All")[0][:60]


def test_s4_the_listing_is_escaped() -> None:
    page = Tags(listing_page(f"/{HOSTILE}/", [Entry(HOSTILE, HOSTILE, HOSTILE, HOSTILE)]))
    assert "script" not in page.names
    links = [value for name, value in page.attributes if name == "href"]
    assert all(link == "../" or (link or "").startswith("/%3Cscript%3E") for link in links)


LOG = [
    "a warning",
    "[incident 0123abcd] Traceback (most recent call last):",
    *(
        f"[incident 0123abcd] {line}"
        for line in (
            f'  File "{LIBRARY}script.py", line 100, in run',
            "    respond(handler, request).send(request=request)",
            "    ^^^^^^^^^^^^^^^^^^^^^^^^^",
            f'  File "{LIBRARY}streamed.py", line 5, in _encoded',
            '  File "/srv/cgikit/page.py", line 7, in rows',
            "    yield 1 / 0",
            f'  File "{LIBRARY}multidict.py", line 9, in get',
            "    raise x",
            "ZeroDivisionError: division by zero",
        )
    ),
    "[incident 99999999] other",
    "the end",
]
SHOWN = [
    "a warning",
    "[incident 0123abcd] Traceback (most recent call last):",
    '  File "/srv/cgikit/page.py", line 7, in rows',
    "    yield 1 / 0",
    "ZeroDivisionError: division by zero",
    "[incident 99999999] other",
    "the end",
]


def test_the_owner_reads_the_script_s_own_frames_and_a_number_once() -> None:
    """Sixteen lines of cgikit's stood first, each behind the number of the incident."""
    assert appendix("x.py failed.", "text/plain", LOG).decode().splitlines()[2:] == [
        "x.py failed.",
        *SHOWN,
    ]
    box = Tags(appendix("x.py failed.", "text/html", LOG)).text
    assert box == "x.py failed." + "\n".join(SHOWN) + "\n"
    page = Tags(error_page(Problem(500, "a"), details=True, log=LOG)).text
    assert "\n".join(SHOWN) in page


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 503, 504])
def test_s4_without_details_nothing_is_told(status: int) -> None:
    problem = Problem(status, "canary", "canary", evidence="canary")
    page = error_page(problem, details=False, script="/canary.py", log=["canary"])
    assert b"canary" not in page
    assert str(status).encode() in page


def test_nothing_is_loaded_from_elsewhere() -> None:
    for page in (
        Tags(error_page(Problem(500, "a", "b", evidence="c"), details=True)),
        Tags(listing_page("/", [Entry("a.py")])),
    ):
        assert not {"link", "img", "script", "iframe"} & set(page.names)
        assert not [value for name, value in page.attributes if "//" in (value or "")]


@given(st.text(max_size=30), st.text(max_size=30), st.booleans())
def test_any_text_makes_a_page(what: str, name: str, details: bool) -> None:
    problem = Problem(500, what, what, evidence=what)
    names = Tags(error_page(problem, details=details, script=name, log=[what])).names
    allowed = {"html", "head", "meta", "title", "style", "body", "main", "p", "h1", "h2"}
    assert set(names) <= allowed | {"b", "pre", "code", "footer", "a"}


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (413, "What you sent is too large for this server."),
        (431, "What your browser sends with a request is too large for this server."),
        (503, "The server is busy. Try again in a moment."),
        (507, "The server has no room for what was sent. Try again later."),
    ],
)
def test_a_visitor_is_told_what_a_visitor_can_mend(status: int, words: str) -> None:
    page = error_page(Problem(status, "limit.body=1073741824"), details=False).decode()
    assert words in page
    assert "limit.body" not in page
