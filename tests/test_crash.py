"""crash: a page in place of nothing, a part of a page that says so, and the ends of both."""

import html
from collections.abc import Iterator
from pathlib import Path

import pytest
from child import Answer, run_script
from gatewayserving import Gateway, gateway

from cgikit.crash import Begun
from cgikit.debug import error_page

ENABLE = "from cgikit import debug\ndebug.enable()\n"
GUARD = "import cgikit.guard\n"
PIECES = "def pieces():\n    yield 'x'\n    raise HTTPError(404, 'No cat.')\n"
HEADER = "print('Content-Type: text/html\\n')\n"
#: How a part of a page ends, in the middle of something.
OPEN = {
    "a cell": "<table><tr><td>",
    "an attribute": '<p><a href="x',
    "the other quotes": "<p><a href='x",
    "a tag": "<p><a href=x",
    "a comment": "<p><!-- x",
    "a script": "<p><script>var x = '<!-- ",
    "a style sheet": "<style>p { ",
    "a text field": "<textarea>",
    "a title": "<title>",
}


def failing(tmp_path: Path, source: str, **variables: str) -> Answer:
    return run_script(tmp_path, f"{source}\nraise RuntimeError('1 < 2')\n", **variables)


def test_half_a_page_that_has_not_left_is_dropped_for_a_whole_one(tmp_path: Path) -> None:
    answer = failing(tmp_path, f"{GUARD}{HEADER}print('<p>half')")
    assert answer.status == 500
    assert "half" not in answer.page
    assert "incident" in answer.page
    assert answer.code == 0


@pytest.mark.parametrize("way", OPEN)
def test_half_a_page_that_has_left_is_followed_by_the_error(tmp_path: Path, way: str) -> None:
    """It was silent: a page that ended somewhere."""
    source = f"{ENABLE}{HEADER}print({OPEN[way]!r}, end='', flush=True)"
    answer = failing(tmp_path, source)
    assert answer.status == 200
    before, closers, after = answer.page.partition("<!-- '\"> -->")
    assert before == OPEN[way]
    assert closers
    assert "RuntimeError: 1 &lt; 2" in after
    assert "most recent call last" in answer.errors
    assert answer.code == 70


def test_a_visitor_is_told_nothing_of_it(tmp_path: Path) -> None:
    answer = failing(tmp_path, f"{GUARD}{HEADER}print('half', end='', flush=True)")
    assert answer.page == "half"
    assert answer.code == 70
    assert "RuntimeError" in answer.errors


@pytest.mark.parametrize(
    ("fields", "follows"),
    [
        ("Content-Type: text/plain", True),
        ("Content-Type: image/png", False),
        ("Content-Type: text/html\\nContent-Encoding: gzip", False),
        ("Content-Type: text/html\\nContent-Length: 100", False),
        ("Location: /x", False),
    ],
)
def test_the_error_follows_where_it_can_be_read(tmp_path: Path, fields: str, follows: bool) -> None:
    source = f"{ENABLE}print('{fields}\\n\\nhalf', end='', flush=True)"
    answer = failing(tmp_path, source)
    assert answer.body.startswith(b"half")
    assert (b"RuntimeError: 1 < 2" in answer.body) == follows
    assert answer.code == 70


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("print('Content-Type: text/plain\\nContent-Length: 3\\n\\nall', end='', flush=True)", 1),
        ("print('Content-Type: text/plain\\nContent-Length: 4\\n\\nall', end='', flush=True)", 70),
        ("print('Content-Type: text/plain\\r\\nContent-Length: 3\\r\\n\\r\\nall', end='')", 0),
        ("Response.html('all').send()", 1),
    ],
)
def test_an_answer_that_is_whole_is_not_cut(tmp_path: Path, source: str, code: int) -> None:
    answer = failing(tmp_path, f"{ENABLE}{source}")
    assert answer.code == code
    if code:
        assert answer.output.endswith(b"all")
    assert "RuntimeError" in answer.errors


@pytest.mark.parametrize(
    ("begun", "head"),
    [
        ("Content-Type: text/html\\n", ["Content-Type: text/html", "Status: 500"]),
        ("Status: 201 Made\\n", ["Status: 201 Made", "Content-Type: text/html; charset=utf-8"]),
        ("X-A: b", ["X-A: b", "Status: 500", "Content-Type: text/html; charset=utf-8"]),
    ],
)
def test_a_header_that_has_begun_is_completed(tmp_path: Path, begun: str, head: list[str]) -> None:
    answer = failing(tmp_path, f"{GUARD}print('{begun}', end='', flush=True)")
    assert answer.head == head
    assert answer.page.startswith("<!DOCTYPE html>")
    assert answer.page.endswith("</html>\n")
    assert answer.code == 0


@pytest.mark.parametrize(
    ("error", "status"),
    [("raise HTTPError(404, 'No cat.')", 404), ("Request().query['a']", 400)],
)
def test_an_error_with_a_status_is_answered_by_that(
    tmp_path: Path, error: str, status: int
) -> None:
    """A script that does without `run` has the same errors."""
    answer = run_script(tmp_path, f"{GUARD}{error}\n")
    assert answer.status == status
    assert answer.errors == ""


def test_an_error_of_the_client_is_logged_where_its_page_cannot_follow(tmp_path: Path) -> None:
    """Neither the client nor the log learned of it."""
    for source in (
        f"{GUARD}{HEADER}print('x', flush=True)\nraise HTTPError(404, 'No cat.')",
        f"{PIECES}run(lambda request: Response(pieces()))",
    ):
        answer = run_script(tmp_path, source)
        assert "No cat." in answer.errors
        assert answer.code == 70


def test_a_secret_is_not_shown_behind_a_part_of_a_page(tmp_path: Path) -> None:
    source = f"{ENABLE}{HEADER}print('x', flush=True)\npassword = 'hunter2'\nint(password)"
    answer = run_script(tmp_path, source)
    assert "ValueError" in answer.page
    assert "hunter2" not in answer.page
    assert "hunter2" not in html.unescape(answer.page)


def test_a_client_that_has_gone_is_not_written_to(tmp_path: Path) -> None:
    answer = run_script(tmp_path, f"{GUARD}print('x')\n1 / 0\n", redirect=">&-")
    assert answer.code in (0, 70)
    assert answer.errors.count("Traceback") == 1


def test_a_log_of_one_s_own(tmp_path: Path) -> None:
    answer = failing(tmp_path, "from cgikit import debug\ndebug.enable(log='my.log')")
    assert answer.status == 500
    assert answer.errors == ""
    assert "RuntimeError: 1 < 2" in (tmp_path / "my.log").read_text()


def test_what_was_sent_is_read_from_its_beginning() -> None:
    begun = Begun(b"A: b\r\nContent-length: 007\r\n\r\nabc\n\nd")
    assert (begun.is_whole, begun.size, begun.length, begun.media) == (True, 29, 7, "")
    assert Begun(b"Content-Length: x\n\n").length is None
    assert not Begun(b"Content-Type: text/html\n").is_whole
    assert Begun(b"HTTP/1.1 200 OK\r\n").missing(error_page(500)).startswith(b"Content-Type: ")


# --- what a server makes of a part ----------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    with gateway("fastcgi", tmp_path_factory.mktemp("root"), "--workers", "1") as found:
        yield found


#: More than a gateway holds back, so that a part of it is with the client already.
MUCH = f"{HEADER}print('x' * 300_000, flush=True)\n"
WAYS = {
    "printed": f"{GUARD}{MUCH}1 / 0\n",
    "streamed": "from cgikit import Response, run\ndef pieces():\n    yield 'x' * 300_000\n    1 / 0\n"
    "run(lambda request: Response(pieces()))\n",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_part_does_not_pass_for_the_whole(server: Gateway, way: str) -> None:
    """Without a Content-Length, the end of the script looked like that of its answer."""
    answer = server.request(server.script(f"{way}.py", WAYS[way]))
    assert answer.body.startswith(b"x" * 1_000)
    assert answer.ended is None


def test_a_part_that_has_not_gone_out_may_become_a_page(server: Gateway) -> None:
    path = server.script("little.py", f"{GUARD}{HEADER}print('x', flush=True)\n1 / 0\n")
    answer = server.request(path)
    assert answer.ended is None or answer.status == 500


def test_the_box_shows_no_secret_of_the_cause(tmp_path: Path) -> None:
    source = f"""{ENABLE}{HEADER}print("<p>", flush=True)
def login():
    password = "hunter" + str(2) + "x"
    raise OSError(f"login refused for admin/{{password}}")
try:
    login()
except OSError as error:
    raise RuntimeError("no login") from error
"""
    answer = run_script(tmp_path, source)
    assert "RuntimeError: no login" in answer.page
    assert "login refused for admin/(hidden)" in answer.page
    assert "hunter2x" not in answer.page
