"""The tables of docs/from/php.md and ruby.md: both sides of a row give the same value.

Each pair is an expression of the left column and one of the right column, as they stand on the page.
They are run for the same requests: the left one by php-cgi or ruby, the right one in a handler. Rows
that are no expressions are listed, each with what tests it.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from house import ROOT
from requirement import need

from cgikit import FileStore, Request, Response, escape, querystring
from cgikit.testing import Client

PAGES = ROOT / "docs" / "from"
QUERY = "query"
POST = "post"
UPLOAD = "upload"


class Pair(NamedTuple):
    """Two expressions, the requests for which they are equal, and the value for the first of these."""

    old: str
    new: str
    requests: tuple[str, ...]
    value: object


PHP = [
    Pair("$_GET['a'] ?? 'x'", 'request.query.get("a", "x")', (QUERY, POST), "1"),
    Pair("$_GET['b'] ?? []", 'request.query.getlist("b[]")', (QUERY, UPLOAD), ["1", "2"]),
    Pair("(int) $_GET['n']", 'request.query.getint("n")', (QUERY,), 7),
    Pair("$_POST['a']", 'request.form["a"]', (POST, UPLOAD), "posted"),
    Pair("$_REQUEST['a']", 'request.params["a"]', (QUERY, POST, UPLOAD), "1"),
    Pair("file_get_contents($_FILES['f']['tmp_name'])", 'request.files["f"].read()', (UPLOAD,), "hi"),
    Pair("$_FILES['f']['name']", 'request.files["f"].filename', (UPLOAD,), "n.txt"),
    Pair("$_FILES['f']['size']", 'request.files["f"].size', (UPLOAD,), 2),
    Pair("$_FILES['f']['type']", 'request.files["f"].content_type', (UPLOAD,), "text/x-note"),
    Pair("$_COOKIE['c']", 'request.cookies.get("c")', (QUERY, POST), "crumb"),
    Pair("htmlspecialchars($s)", "escape(s)", (QUERY,), "&lt;a b=&quot;c&quot;&gt;&amp;"),
    Pair("file_get_contents('php://input')", "request.body", (POST,), "a=posted&p=x+y"),
    Pair("$_SERVER['REMOTE_ADDR']", "request.remote_addr", (QUERY,), "127.0.0.1"),
    Pair("$_SERVER['HTTP_USER_AGENT'] ?? null", 'request.headers.get("User-Agent")', (QUERY,), "T"),
]  # fmt: skip
RUBY = [
    Pair("cgi['a']", 'request.params.get("a", "")', (QUERY, POST), "1"),
    Pair("cgi.params['a']", 'request.params.getlist("a")', (QUERY,), ["1"]),
    Pair("cgi.has_key?('a')", '"a" in request.params', (QUERY, POST), True),
    Pair("cgi.keys", "list(request.params)", (QUERY,), ["a", "b[]", "n"]),
    Pair("cgi.files['f'].read", 'request.files["f"].read()', (UPLOAD,), "hi"),
    Pair("cgi.params['f'][0].original_filename", 'request.files["f"].client_filename',
         (UPLOAD,), "n.txt"),
    Pair("cgi.params['f'][0].read", 'request.files["f"].read()', (UPLOAD,), "hi"),
    Pair("cgi.cookies['c'].first", 'request.cookies.get("c")', (QUERY, POST), "crumb"),
    Pair("cgi.path_info", "request.path_info", (QUERY,), "/rest"),
    Pair("cgi.remote_addr", "request.remote_addr", (QUERY,), "127.0.0.1"),
    Pair("cgi.user_agent", 'request.headers.get("User-Agent")', (QUERY, POST), "T"),
    Pair("CGI.escapeHTML(s)", "escape(s)", (QUERY,), "&lt;a b=&quot;c&quot;&gt;&amp;"),
]  # fmt: skip

ANSWER = "an answer: test_both_answer_alike"
SETTING = "a setting, whose name is checked in test_docs.py"
#: Rows by the beginning of their left cell: why they are no pair.
OTHERS = {
    "php": {
        "`move_uploaded_file(": "a step, not a value; Upload.save is tested in test_upload.py",
        "`setcookie(": ANSWER,
        "`session_start(": ANSWER,
        "`session_regenerate_id(": "a step; tests/sessions",
        "`session_destroy(": "a step; tests/sessions",
        "`session_write_close(": "a step; tests/sessions",
        "`header('X-A": ANSWER,
        "`header('Location": ANSWER,
        "`http_response_code(": ANSWER,
        "`header('Content-Type": ANSWER,
        "`readfile(": "docs/reference/filebody.md",
        "`file_put_contents(": "docs/reference/files.md",
        "`flock(": "docs/reference/locks.md",
        "`error_log(": "standard error is the log: tests/host",
        "`display_errors": SETTING,
        "`upload_max_filesize`": SETTING,
        "`echo`": "the example of the page",
    },
    "ruby": {
        "`cgi = CGI.new`": "the beginning of each script here",
        "`CGI::Cookie.new(": ANSWER,
        "`CGI::Session.new(": ANSWER,
        "`cgi.out('text/html')": ANSWER,
        "`cgi.out('status'": ANSWER,
        "`cgi.header('status'": ANSWER,
        "`cgi.header('type'": ANSWER,
        "`CGI.escape(s)`": "functions of another shape: test_what_ruby_escapes_is_parsed",
        "`CGI.new('html5')`": "no counterpart",
        "`CGI.new(max_": SETTING,
        "`ruby script.rb": "the command line: docs/reference/script.md",
    },
}
MADE = {"php": PHP, "ruby": RUBY}


def rows(page: str) -> list[list[str]]:
    """The cells of the rows of a page's first table."""
    lines = (PAGES / f"{page}.md").read_text().splitlines()
    table = [line for line in lines if line.startswith("| ")][1:]
    return [[cell.strip() for cell in re.split(r"(?<!\\) \| ", line.strip("| "))] for line in table]


@pytest.mark.parametrize("page", MADE)
def test_every_row_is_run_or_has_its_reason(page: str) -> None:
    unused = list(MADE[page])
    reasons = set(OTHERS[page])
    for old, new in rows(page):
        pairs = [pair for pair in unused if f"`{pair.old}`" in old and pair.new in new]
        whys = {begin for begin in reasons if old.startswith(begin)}
        assert pairs or whys, f"{page}.md: nothing runs the row {old}"
        unused = [pair for pair in unused if pair not in pairs]
        reasons -= whys
    assert (unused, reasons) == ([], set())


def ask(client: Client, kind: str) -> object:
    """Send one of the requests; the value in JSON that is the answer."""
    agent = {"User-Agent": "T"}
    if kind == QUERY:
        answer = client.get("/rest?a=1&b[]=1&b[]=2&n=7", headers=agent)
    elif kind == POST:
        answer = client.post("", data={"a": "posted", "p": "x y"}, headers=agent)
    else:
        files = {"f": ("n.txt", b"hi", "text/x-note")}
        answer = client.post("?q=1", data={"a": "posted"}, files=files, headers=agent)
    assert answer.status == 200, answer.text
    return json.loads(answer.text)


SAMPLE = '<a b="c">&'


def handler(pair: Pair) -> Client:
    """A handler that answers with the value of the right side."""

    def show(request: Request) -> Response:
        value = eval(pair.new, {"request": request, "escape": escape, "s": SAMPLE})
        return Response.json(value.decode() if isinstance(value, bytes) else value)

    return Client(show, cookies={"c": "crumb"})


def php(pair: Pair, place: Path) -> Client:
    (place / "t.php").write_text(f"<?php $s = '{SAMPLE}'; echo json_encode({pair.old});\n")
    return Client(place / "t.php", interpreter=need("php-cgi"), cookies={"c": "crumb"})


def ruby(pair: Pair, place: Path) -> Client:
    (place / "t.rb").write_text(
        f"require 'cgi'\nrequire 'json'\ncgi = CGI.new\ns = '{SAMPLE}'\nvalue = {pair.old}\n"
        "cgi.out('application/json') { JSON.generate(value) }\n"
    )
    return Client(place / "t.rb", interpreter=need("ruby"), cookies={"c": "crumb"})


RUN = {"php": php, "ruby": ruby}
CASES = [pytest.param(page, pair, id=f"{page}: {pair.old}") for page in MADE for pair in MADE[page]]


@pytest.mark.parametrize(("page", "pair"), CASES)
def test_both_sides_of_a_row_are_equal(page: str, pair: Pair, tmp_path: Path) -> None:
    old, new = RUN[page](pair, tmp_path), handler(pair)
    found = [ask(new, kind) for kind in pair.requests]
    assert found == [ask(old, kind) for kind in pair.requests]
    assert found[0] == pair.value


#: Whole answers: PHP, Ruby, and a handler.
ANSWERS = {
    "cookie": (
        "setcookie('c', 'v'); echo 'x';",
        "c = CGI::Cookie.new('name' => 'c', 'value' => 'v'); cgi.out('cookie' => c) { 'x' }",
        lambda request: set_cookie(Response.text("x")),
    ),
    "location": (
        "header('Location: /x'); exit;",
        "print cgi.header('status' => '302', 'Location' => '/x')",
        lambda request: Response.redirect("/x"),
    ),
    "missing": (
        "http_response_code(404); header('X-A: 1'); echo 'x';",
        "cgi.out('status' => 'NOT_FOUND', 'X-A' => '1') { 'x' }",
        lambda request: Response("x", status=404, headers={"X-A": "1"}),
    ),
    "json": (
        "header('Content-Type: application/json'); echo json_encode([1]);",
        "cgi.out('application/json') { '[1]' }",
        lambda request: Response.json([1]),
    ),
    "text": (
        "header('Content-Type: text/plain; charset=utf-8'); echo 'x';",
        "print cgi.header('type' => 'text/plain', 'charset' => 'utf-8'), 'x'",
        lambda request: Response.text("x"),
    ),
    "session": (
        """session_save_path('.'); session_start();
        $_SESSION['n'] = ($_SESSION['n'] ?? 0) + 1; echo $_SESSION['n'];""",
        """require 'cgi/session'; session = CGI::Session.new(cgi, 'tmpdir' => '.')
        n = session['n'] = (session['n'] || 0).to_i + 1; session.close
        cgi.out('text/plain') { n.to_s }""",
        lambda request: Response.text(counted(request)),
    ),
}  # fmt: skip


def set_cookie(response: Response) -> Response:
    response.set_cookie("c", "v")
    return response


def counted(request: Request) -> str:
    request.session["n"] = request.session.get("n", 0) + 1
    return str(request.session["n"])


@pytest.mark.parametrize("what", ANSWERS)
@pytest.mark.parametrize("page", ["php", "ruby"])
def test_both_answer_alike(page: str, what: str, tmp_path: Path) -> None:
    in_php, in_ruby, in_python = ANSWERS[what]
    program = need("php-cgi" if page == "php" else "ruby")
    script = tmp_path / f"t.{page}"
    script.write_text(
        f"<?php {in_php}" if page == "php" else f"require 'cgi'\ncgi = CGI.new\n{in_ruby}\n"
    )
    old = Client(script, interpreter=program)
    new = Client(in_python, sessions=FileStore(str(tmp_path / "sessions")))
    for _ in range(2):  # the second time with the cookies of the first
        before, after = old.get(), new.get()
        assert after.status == before.status
        assert after.text == before.text or what == "location"
        assert after.headers.get("Location") == before.headers.get("Location")
        assert after.headers.get("X-A") == before.headers.get("X-A")
        assert after.cookies.get("c") == before.cookies.get("c")
        if what in ("json", "text"):
            kinds = [a.headers["Content-Type"].partition(";")[0] for a in (before, after)]
            assert kinds[0] == kinds[1]


@pytest.mark.parametrize("text", ["a b&c=d", "ä/~*", "+%"])
def test_what_ruby_escapes_is_parsed(text: str, tmp_path: Path) -> None:
    (tmp_path / "t.rb").write_text(
        "require 'cgi'\ncgi = CGI.new\ncgi.out('text/plain') { CGI.escape(cgi['a']) + \"\\n\" + "
        "CGI.unescape(ENV['QUERY_STRING'].sub('a=', '')) }\n"
    )
    client = Client(tmp_path / "t.rb", interpreter=need("ruby"))
    escaped, unescaped = client.get(f"?{querystring.build([('a', text)])}").text.split("\n")
    assert querystring.parse(f"a={escaped}")["a"] == text
    assert unescaped == text
