"""Every example, asked by curl under every server: what a user of the examples would see."""

import hashlib
import html
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from .curl import Answer, curl
from .interpreter import ROOT
from .server import Server

EXAMPLES = sorted(path.name for path in (ROOT / "examples" / "cgi-bin").glob("*.py"))

#: Quotes, umlauts, a percent sign, a semicolon: each has broken some reader of file names.
FILE_NAME = "Käse \"extra\"; 100% 'fein'.txt"


def rows(answer: Answer) -> list[tuple[str, ...]]:
    """The cells of every row of the page's table, as text."""
    found = re.findall(r"<tr>(.*?)</tr>", answer.text, re.DOTALL)
    cells = [re.findall(r"<td>(.*?)</td>", row, re.DOTALL) for row in found]
    return [tuple(html.unescape(cell) for cell in row) for row in cells]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_answers_a_plain_get(server: Server, name: str) -> None:
    answer = curl(server.url(name), "--get", "--data", "pause=0" if name == "progress.py" else "")
    assert answer.status == 200, server.error_log()
    assert answer.header("Content-Type") in {"text/html; charset=utf-8", "application/json"}
    assert answer.body


@pytest.mark.parametrize("name", ["hello.py", "api.py", "progress.py"])
def test_head_has_the_header_and_no_body(server: Server, name: str) -> None:
    answer = curl(server.url(name), "--head")
    assert answer.status == 200, server.error_log()
    assert answer.header("Content-Type")


def test_hello_greets_and_escapes(server: Server) -> None:
    answer = curl(server.url("hello.py"), "--get", "--data-urlencode", "name=<b>Jürgen</b>")
    assert "Hello, &lt;b&gt;Jürgen&lt;/b&gt;!" in answer.text


def test_environment_shows_the_request_and_no_more(server: Server) -> None:
    url = server.url("environment.py/extra/path?a=1&b=<2>")
    answer = curl(url, "--globoff", "--header", "X-Canary: <script>")
    shown = dict(row for row in rows(answer) if len(row) == 2)
    assert shown["REQUEST_METHOD"] == "GET"
    assert shown["PATH_INFO"] == "/extra/path"
    assert shown["QUERY_STRING"] == "a=1&b=<2>"
    assert shown["REMOTE_ADDR"] == "127.0.0.1"
    assert "<script>" in shown.values()
    assert "<script>" not in answer.text
    assert "PATH" not in shown


def test_form_shows_a_query_in_its_order(server: Server) -> None:
    answer = curl(server.url("form.py?name=J%C3%BCrgen+K.&likes=tea&likes=coffee&empty="))
    assert rows(answer) == [
        ("method", "", "GET"),
        ("query", "name", "Jürgen K."),
        ("query", "likes", "tea"),
        ("query", "likes", "coffee"),
        ("query", "empty", ""),
    ]


def test_form_shows_a_post_apart_from_its_query(server: Server) -> None:
    fields = ["--data-urlencode", "name=a&b=c", "--data-urlencode", "text=one\ntwo €"]
    assert rows(curl(server.url("form.py?from=post"), *fields)) == [
        ("method", "", "POST"),
        ("query", "from", "post"),
        ("form", "name", "a&b=c"),
        ("form", "text", "one\ntwo €"),
    ]


def test_form_takes_files_with_difficult_names(server: Server, tmp_path: Path) -> None:
    path = tmp_path / FILE_NAME
    path.write_bytes(b"content \x00\r\n--not a boundary\r\n")
    quoted = str(path).replace('"', '\\"')
    answer = curl(server.url("form.py"), "--form", "name=ü", "--form", f'file=@"{quoted}"')
    shown = rows(answer)
    assert shown[:2] == [("method", "", "POST"), ("form", "name", "ü")]
    # curl writes the quotes as %22, as browsers do; the name comes out as it was.
    assert shown[2] == ("file", "file", f"{FILE_NAME} ({path.stat().st_size} bytes)")
    assert str(tmp_path) not in answer.text


def test_upload_counts_and_digests_what_was_sent(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "big.bin"
    path.write_bytes(bytes(range(256)) * 20_000)
    answer = curl(server.url("upload.py"), "--form", f"file=@{path};type=application/x-test")
    assert answer.status == 200, server.error_log()
    assert f"<dd>{256 * 20_000} bytes</dd>" in answer.text
    assert hashlib.sha256(path.read_bytes()).hexdigest() in answer.text
    assert "<dd>application/x-test</dd>" in answer.text


def test_cookies_are_kept_and_forgotten(server: Server, tmp_path: Path) -> None:
    jar = ["--cookie-jar", str(tmp_path / "jar"), "--cookie", str(tmp_path / "jar")]
    url = server.url("cookies.py")
    form = ["--data-urlencode", "greeting=Grüß <Gott>", "--data", "colour=mint&do=save"]
    saved = curl(url, *jar, *form)
    assert saved.status == 303, server.error_log()
    assert len(saved.headers["set-cookie"]) == 2
    assert "Grüß &lt;Gott&gt;" in curl(url, *jar).text
    forgotten = curl(url, *jar, "--data", "colour=mint&do=forget")
    # Not asked of curl's jar: 7.88 brings a cookie back when two are deleted by one answer.
    assert [value.partition(";")[0] for value in forgotten.headers["set-cookie"]] == [
        "greeting=",
        "colour=",
    ]
    assert all("Max-Age=0" in value for value in forgotten.headers["set-cookie"])


def test_redirect_leads_to_this_site(server: Server) -> None:
    answer = curl(server.url("redirect.py?to=hello.py%3Fname%3DAda"), "--location")
    assert "Hello, Ada!" in answer.text
    assert b" 302 " in answer.raw


def test_redirect_after_post_is_303_and_arrives_as_get(server: Server) -> None:
    answer = curl(server.url("redirect.py"), "--data", "x=1", "--location")
    assert b" 303 " in answer.raw
    assert "Hello, poster!" in answer.text


@pytest.mark.parametrize("target", ["https://example.org/", "//example.org/", "/%5Cexample.org/"])
def test_s21_redirect_never_leads_elsewhere(server: Server, target: str) -> None:
    answer = curl(server.url(f"redirect.py?to={target}"))
    assert answer.status == 400
    assert not answer.header("Location")


def test_api_speaks_json_both_ways(server: Server) -> None:
    assert curl(server.url("api.py/v1")).json()["path"] == "/v1"
    json = ["--header", "Content-Type: application/json", "--data"]
    answer = curl(server.url("api.py"), *json, '{"numbers": [1, 2.5, 3]}')
    assert answer.json() == {"sum": 6.5, "count": 3}


@pytest.mark.parametrize(
    "body",
    ["", "{", '{"numbers": "x"}', "[1]", "\xff", '{"numbers": [true]}', '{"numbers": [1e308, 1e308]}',
     '{"numbers": [0.5, 1%s]}' % ("0" * 400)],
)  # fmt: skip
def test_api_refuses_what_is_not_its_json(server: Server, body: str) -> None:
    json = ["--header", "Content-Type: application/json", "--data-binary", "@-"]
    assert curl(server.url("api.py"), *json, stdin=body.encode("latin-1")).status == 400


def test_api_names_the_methods_it_has(server: Server) -> None:
    answer = curl(server.url("api.py"), "--request", "DELETE")
    assert answer.status == 405
    assert answer.header("Allow") == "GET, HEAD, POST"


def test_r27_a_body_that_is_refused_gets_its_answer(server: Server) -> None:
    # mod_cgid hands the body over by a socket: a script that leaves some of it unread resets the
    # connection, and its answer is cut short.
    json = ["--header", "Content-Type: application/json", "--header", "Expect:"]
    answer = curl(server.url("api.py"), *json, "--data-binary", "@-", stdin=b" " * 20_000_000)
    assert answer.status == 413
    assert "too large (limit 8 MB)" in answer.text


def test_progress_arrives_to_the_end(server: Server) -> None:
    answer = curl(server.url("progress.py?pause=0"))
    assert answer.text.count("<i></i>") == 10
    assert "Done." in answer.text


def test_clock_counts_its_events(server: Server) -> None:
    answer = curl(server.url("clock.py/events?count=3&pause=0"))
    assert answer.header("Content-Type") == "text/event-stream; charset=utf-8"
    ticks = re.sub(r"\d\d:\d\d:\d\d", "TIME", answer.text)
    assert ticks == ":\n\nretry: 1000\n\n" + "".join(
        f"id: {number}\ndata: TIME\n\n" for number in (1, 2, 3)
    )


@pytest.mark.parametrize("sent", ["abc", "9" * 1_024], ids=["word", "longest"])
def test_a_clock_begins_anew_after_an_id_that_it_never_sent(server: Server, sent: str) -> None:
    """The id after 1,024 nines is too long for an id: any visitor could fill the log with errors."""
    url = server.url("clock.py/events?count=1&pause=0")
    answer = curl(url, "--header", f"Last-Event-ID: {sent}")
    assert "\n\nid: 1\ndata: " in answer.text


def test_counter_loses_no_visitor(server: Server) -> None:
    def visit(_: int) -> int:
        found = re.search(r"<b>(\d{6})</b>", curl(server.url("hits.py")).text)
        assert found, server.error_log()
        return int(found[1])

    first = visit(0)
    with ThreadPoolExecutor(8) as visitors:
        numbers = sorted(visitors.map(visit, range(16)))
    assert numbers == list(range(first + 1, first + 17))
    kept = (server.directory / "data" / "count.dat").read_text()
    assert kept == f"{first + 16}\n"


def test_a_wrong_field_is_named(server: Server) -> None:
    answer = curl(server.url("hits.py?digits=many"))
    assert answer.status == 400
    assert "digits" in answer.text
