"""What lines of the pages for Perl's people mean: what the Perl beside them means, which runs here too.

That each line runs is what the other tests of these pages show. These are for what a line does: which
fields a form sends, what is there when nothing was sent, how long a value lasts.
"""

import io
import json
import os
import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import posting
import pytest
from requirement import need

import cgikit
from cgikit import CGIError, FileStore, Request, Session, fields, querystring

from .prepared import executed, is_command, is_script, prepare, space
from .tables import FROM, ROWS, Row

QUERY = {
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "id=5&a=query",
    "REQUEST_URI": "/cgi-bin/page?id=5&a=query",
    "SCRIPT_NAME": "/cgi-bin/page",
    "HTTP_HOST": "www.example.com",
    "SERVER_NAME": "www.example.com",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
}
LINES = [r for r in ROWS if r.python and not is_script(r.python) and not is_command(r.python)]


@pytest.fixture(autouse=True)
def _perl() -> None:
    need("perl")
    need("/usr/share/perl5/CGI.pm")


def perl(code: str, environ: dict[str, str], body: bytes = b"") -> Any:
    """The value of an expression of Perl, with CGI.pm's functions and `$q`."""
    source = f"my $q = CGI->new; print JSON::PP->new->allow_nonref->encode(scalar do {{ {code} }})"
    return json.loads(perl_output(["-MCGI=:standard", "-MJSON::PP", "-e", source], environ, body))


def perl_output(arguments: list[str], environ: dict[str, str], body: bytes = b"") -> bytes:
    done = subprocess.run(
        ["perl", *arguments],
        env={"PATH": os.environ["PATH"], **environ},
        input=body,
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def row(perl_of_it: str, page: str = "cgi-pm.md") -> Row:
    """The row of a page that has this Perl."""
    (found,) = [r for r in ROWS if r.page.name == page and f"`{perl_of_it}" in r.perl]
    return found


def given(line: str, request: Request, **more: object) -> dict[str, Any]:
    """The names after a line has run for a request; an expression's value is `value`."""
    names: dict[str, Any] = {name: getattr(cgikit, name) for name in cgikit.__all__}
    names |= {"fields": fields, "querystring": querystring, "request": request}
    names |= {"content": "<p>Hello</p>", "urlsplit": urlsplit}
    names |= more
    names["value"], _ = executed(line, names)
    return names


@pytest.mark.parametrize("one", LINES, ids=str)
def test_a_line_is_no_bug_where_nothing_was_sent(
    one: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor without a name, a file or a field gets a page, if need be a 400; never a 500."""
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    nothing = {**QUERY, "QUERY_STRING": "", "HTTP_COOKIE": "c=v"}
    names = space({"environ": nothing, "stdin": io.BytesIO()})
    status = 200
    try:
        executed(one.python, names)
    except CGIError as error:
        status = error.status
    finally:
        names["request"].drop_session()
        names["request"].close()
    assert status < 500, one.python


@pytest.mark.parametrize(("name", "data"), [("", b""), ("a.txt", b"kept")])
def test_a_file_input_left_empty_is_no_upload_by_the_row_either(name: str, data: bytes) -> None:
    body = posting.multipart(posting.file("f", name, data))
    environ = {**QUERY, "QUERY_STRING": "", **posting.environ(body, posting.MULTIPART)}
    code = "if (my $fh = $q->upload('f')) { join '', <$fh> } else { undef }"
    request = Request(environ, io.BytesIO(body))
    read = given(row("if (my $fh = $q->upload('f'))").python, request).get("data")
    request.close()
    assert (None if read is None else read.decode()) == perl(code, environ, body)
    assert read == (data or None)


class Controls(HTMLParser):
    """What a piece of HTML would send: name, value and whether it is chosen, of each control."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.found: list[tuple[str | None, str | None, bool]] = []
        self.action = ""
        self._select: str | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        have = dict(attrs)
        name, value, kind = have.get("name"), have.get("value"), have.get("type")
        if tag == "form":
            self.action = have.get("action") or ""
        elif tag == "select":
            self._select = name
        elif tag == "option":
            self.found.append((self._select, value, "selected" in have))
        elif tag in {"input", "button", "textarea"} and kind not in {"reset", "image"}:
            if kind == "button":  # sends nothing
                value = have.get("onclick")
            self.found.append((name, value or "", "checked" in have))


#: The Perl of rows, as it stands on the page, whose HTML must send what the line's HTML sends.
SENT = (
    "textfield(-name => 'a', -default => 'x', -size => 20, -maxlength => 40)",
    "textarea(-name => 'a', -rows => 5, -columns => 60)",
    "password_field(-name => 'p')",
    "filefield(-name => 'f')",
    "hidden('id')",
    "hidden(-name => 'h', -value => 'v')",
    "checkbox(-name => 'k', -checked => 1, -value => 'ON', -label => 'Keep')",
    "checkbox_group(-name => 'g', -values => ['a', 'b'], -default => ['a'])",
    "radio_group(-name => 'r', -values => ['a', 'b'], -default => 'a')",
    "popup_menu(-name => 'm', -values => ['a', 'b'], -labels => { a => 'One' })",
    "scrolling_list(-name => 'm', -values => ['a', 'b'], -size => 5, -multiple => 'true')",
    "submit(-name => 's', -value => 'Send')",
    "button(-name => 'b', -onClick => 'go()')",
)


@pytest.mark.parametrize("code", SENT)
def test_a_field_sends_what_its_perl_sends(code: str) -> None:
    environ = {**QUERY, "QUERY_STRING": "" if "checke" in code or "-default" in code else "id=5"}
    line = row(code, "cgi-forms.md").python
    assert line.startswith("fields.")
    ours = Controls(given(line, Request(environ))["value"]).found
    assert ours == Controls(perl(code, environ)).found
    assert ours


@pytest.mark.parametrize(
    "code", ["start_form`", "start_form(-action => 'a.pl', -method => 'POST')"]
)
def test_a_form_is_sent_to_where_its_perl_sends_it(code: str) -> None:
    here = "http://www.example.com" + QUERY["REQUEST_URI"]
    line = row(code, "cgi-forms.md").python
    ours = urljoin(here, Controls(given(line, Request(QUERY))["value"]).action)
    theirs = urljoin(here, Controls(perl(code.strip("`"), QUERY)).action)
    assert ours == theirs.replace("a.pl", "a.py")


@pytest.mark.parametrize(
    ("of", "before"),
    [
        ("$q->param('a', 'new')`, then `", "$q->param('a', 'new')"),
        ("$q->delete('a')`, `delete_all`, then", "$q->delete('a')"),
        ("$q->delete('a')`, `delete_all`, then", "$q->delete_all"),
    ],
)
def test_a_field_shows_what_a_changed_request_would_show(of: str, before: str) -> None:
    ours = Controls(given(row(of).python, Request(QUERY))["value"]).found
    assert ours == Controls(perl(f"{before}; $q->textfield('a')", QUERY)).found


def test_a_request_with_one_more_value_fills_a_form() -> None:
    append = "$q->append(-name => 'a', -values => ['more'])"
    names = given(row(f"{append}`, then a whole").python, Request(QUERY))
    ours = Controls(fields.checkboxes(names["changed"], "a", ["query", "more", "none"])).found
    group = "$q->checkbox_group(-name => 'a', -values => ['query', 'more', 'none'])"
    assert ours == Controls(perl(f"{append}; {group}", QUERY)).found
    assert [chosen for *_, chosen in ours] == [True, True, False]


@pytest.mark.parametrize("credentials", ["", "Basic QWRhOnNlc2FtZQ=="])
def test_the_name_of_a_visitor_without_a_password_is_none(credentials: str) -> None:
    environ = {**QUERY, "HTTP_AUTHORIZATION": credentials} if credentials else QUERY
    line = row("$q->user_name` where").python
    assert given(line, Request(environ))["name"] == ("Ada" if credentials else None)
    assert perl("$q->user_name", QUERY) is None


@pytest.mark.parametrize("https", ["", "on"])
@pytest.mark.parametrize("host", ["www.example.com", "www.example.com:8080"])
def test_host_and_port_are_those_of_the_perl(host: str, https: str) -> None:
    environ = {**QUERY, "HTTP_HOST": host, "HTTPS": https}
    for method in ("virtual_host", "virtual_port"):
        ours = given(row(f"$q->{method}").python, Request(environ))["value"]
        assert str(ours) == str(perl(f"$q->{method}", environ))


def test_a_redirect_can_set_a_cookie() -> None:
    line = row("redirect(-uri => $url, -cookie => $cookie)").python
    response = given(line, Request(QUERY))["response"]
    sent = io.BytesIO()
    response.send(sent, Request(QUERY))
    assert b"\nLocation: /thanks\n" in sent.getvalue()
    assert b"Set-Cookie: c=v;" in sent.getvalue()


#: Sets a value that expires after 300 seconds, and prints after which visits it was there.
EXPIRING = r"""
our $now = 1_000_000;
BEGIN { *CORE::GLOBAL::time = sub { $now } }
use CGI::Session;
my $id;
for my $wait (0, split / /, shift) {
    $now += $wait;
    my $s = CGI::Session->new("driver:file", $id, { Directory => "." }) or die;
    if (!$id) { $s->param("n", "v"); $s->expire("n", "+5m"); $id = $s->id }
    print $s->param("n") ? 1 : 0;
    $s->flush;
}
"""


@pytest.mark.parametrize(("waits", "there"), [((200, 200, 200), "1111"), ((200, 301, 10), "1100")])
def test_a_value_lasts_from_the_last_visit_where_its_line_is_in_every_request(
    waits: tuple[int, ...], there: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    need("/usr/share/perl5/CGI/Session.pm")
    monkeypatch.chdir(tmp_path)
    theirs = perl_output(["-e", EXPIRING, " ".join(map(str, waits))], {}).decode()
    now = 1_000_000.0
    store = FileStore("sessions", clock=lambda: now, sweep_chance=0)
    line = row("$s->expire('n', '+5m')", "cgi-session.md").python
    session = Session(store, Request(QUERY))
    session["n"] = "v"
    seen = ""
    for wait in (0, *waits):
        now += wait
        given(line, Request(QUERY), session=session)
        seen += "1" if "n" in session else "0"
        session.save()
        cookie = f"{store.cookie_name(secure=False)}={session.id}"
        session = Session(store, Request({**QUERY, "HTTP_COOKIE": cookie}))
    session.abandon()
    assert seen == theirs == there


def words(names: set[str]) -> set[str]:
    return {name for name in names if re.fullmatch(r"[A-Za-z]\w*", name)}


@pytest.mark.parametrize("page", ["cgi-forms.md", "cgi-carp.md", "cgi-session.md", "cgi-simple.md"])
def test_whoever_searches_the_page_of_cgi_pm_finds_the_names_of_the_others(page: str) -> None:
    here = {name for r in ROWS if r.page.name == "cgi-pm.md" for name in r.names()}
    there = {name for r in ROWS if r.page.name == page for name in r.names()}
    text = (FROM / "cgi-pm.md").read_text().partition("\n## On other pages\n")[2]
    (item,) = re.findall(rf"^- \[[^\]]+\]\({page}\): ((?:.+\n)+?)(?=- |\n)", text, re.M)
    assert re.findall(r"`(\w+)`", item) == sorted(words(there - here), key=str.lower)
