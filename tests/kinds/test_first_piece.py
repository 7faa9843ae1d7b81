"""The kind: a header that says 200 before it is known that there is an answer.

A generator that failed before its first piece was an empty page with status 200. So every way of
answering asks `Response.answer` first, which makes the first piece, and writes after that. All places
that ask are listed here, and each failure is tried in each way.
"""

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import indent

import house
import pytest
from child import PROLOGUE, environment, run_script, start, write_script
from persisting import Application, application
from test_wsgi import call

#: Every place that asks a response what to send: what it writes by then, and who makes the error page.
ASKING = {
    "persistent.answer.Answerer._send": "the header comes after it; `Answerer._answer_error`",
    "push._part": "a page is made whole before any of it goes out",
    "response.Response.send": "the header comes after it; `script._answer_error`",
    "testing.handlers._send": "nothing goes out; `HandlerTarget._answered`",
    "wsgi._Answer.__init__": "`start_response` comes after it; `WSGI._answer`",
}


def test_every_place_that_asks_a_response_is_listed() -> None:
    found = {
        place
        for module in house.read()
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "answer"
    }
    assert found == set(ASKING)


#: Bodies, the status that a visitor gets, and what the log says.
BODIES = {
    "fails at once": ("1 / 0; yield 'x'", "", 500, "ZeroDivisionError"),
    "fails after nothing": ("yield from (); raise KeyError('gone')", "", 500, "KeyError: 'gone'"),
    "has an answer of its own": ("raise HTTPError(404, 'no such row'); yield", "", 404, ""),
    "is no text": ("yield 42", "", 500, "a piece of the body is int 42"),
    "is a part of nothing": ("yield None", "", 500, "a piece of the body is NoneType None"),
    "has no such letter": ("yield '☃'", "latin", 500, "contains '☃', which this charset lacks"),
    "is longer than announced": ("yield 'abcdef'", "5", 500, "longer than its Content-Length, 5"),
    "is nothing, 5 announced": ("yield from ()", "5", 500, "ended after 0 of the 5 bytes"),
    "prints": ("print('here'); yield 'x'", "", 500, "the handler printed"),
    "ends the process": ("sys.exit(3); yield 'x'", "", 500, "SystemExit: 3"),
}
CODE = """
def pieces(request):
    {body}
def page(request):
    response = Response.stream(pieces(request), content_type="text/plain{charset}")
    if {length!r}:
        response.headers["Content-Length"] = {length!r}
    return response
"""


def code(name: str) -> str:
    body, more, *_ = BODIES[name]
    latin = more == "latin"
    return CODE.format(
        body=body, charset="; charset=iso-8859-1" if latin else "", length="" if latin else more
    )


@pytest.fixture(scope="module")
def persistent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """All the bodies in one process, by PATH_INFO."""
    source = "pages = {}\n"
    for name in BODIES:
        made = indent(code(name), "    ")
        source += f"def make():\n{made}\n    return page\npages[{name!r}] = make()\n"
    source += "run(lambda request: pages[request.path_info[1:]](request))"
    with application(tmp_path_factory.mktemp("first"), source, CGIKIT_STDERR="server") as app:
        yield app


def cgi(name: str, directory: Path) -> tuple[int, str, str]:
    answer = run_script(directory, f"{code(name)}\nrun(page)")
    assert answer.code == 0, answer.errors
    return answer.status, answer.page, answer.errors


def wsgi(name: str, directory: Path) -> tuple[int, str, str]:
    names: dict[str, Callable[..., object]] = {}
    exec(compile(f"{PROLOGUE}{code(name)}\napp = WSGI(page)", name, "exec"), names)
    got = call(names["app"])
    return int(got.status[:3]), got.body.decode(), got.log


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (way, name)
        for way in ("cgi", "persistent", "wsgi")
        for name in BODIES
        if (way, name) != ("wsgi", "prints")  # standard output is the server's there
    ],
)
def test_what_fails_before_the_first_piece_is_no_empty_page(
    tmp_path: Path, persistent: Application, way: str, name: str
) -> None:
    """It was 200 and nothing, which a cache or a program takes for the answer."""
    _, _, status, logged = BODIES[name]
    if way == "persistent":
        answer = persistent.ask(PATH_INFO=f"/{name}")
        got = (answer.status, answer.page, answer.errors)
    else:
        got = (cgi if way == "cgi" else wsgi)(name, tmp_path)
    assert got[0] == status
    assert logged in got[2]
    assert ("no such row" if status == 404 else "incident") in got[1]


def test_without_run_nothing_goes_out(tmp_path: Path) -> None:
    """The server makes a 500 of it, as of every script that ends without an answer."""
    answer = run_script(tmp_path, f"{code('fails at once')}\npage(Request()).send()")
    assert (answer.output, answer.code) == (b"", 1)
    assert "ZeroDivisionError" in answer.errors


# --- a header that is to be out at once ---------------------------------------------------------

SLOW = """
import os, time
def pieces():
    yield b""
    while not os.path.exists("go"):
        time.sleep(0.01)
    yield "done"
def page(request):
    return Response.stream(pieces(), content_type="text/plain")
run(page)
"""
HEADER = b"Content-Type: text/plain; charset=utf-8\n\n"


def test_an_empty_first_piece_sends_the_header_at_once_under_cgi(tmp_path: Path) -> None:
    with start(write_script(tmp_path, SLOW), environment()) as process:
        assert process.stdout is not None
        assert process.stdout.read(len(HEADER)) == HEADER
        (tmp_path / "go").touch()
        assert process.communicate() == (b"done", b"")


def test_an_empty_first_piece_sends_the_header_at_once_over_fastcgi(tmp_path: Path) -> None:
    with application(tmp_path, SLOW) as app, app.connect() as peer:
        peer.request()
        seen = b""
        while seen != HEADER:
            seen += b"".join([event.data for event in peer.events()])
        (tmp_path / "go").touch()
        assert peer.answer().output == b"done"


# --- a process that is forked while the first piece is made -------------------------------------

FORKS = """
import os
def pieces():
    pid = os.fork()
    if pid:
        os.waitpid(pid, 0)
    yield str(bool(pid))
run(lambda request: Response.stream(pieces(), content_type="text/plain"))
"""


def test_a_child_that_the_first_piece_forks_sends_nothing_under_cgi(tmp_path: Path) -> None:
    answer = run_script(tmp_path, FORKS)
    assert (answer.output, answer.errors) == (HEADER + b"True", "")


def test_a_child_that_the_first_piece_forks_sends_nothing_over_fastcgi(tmp_path: Path) -> None:
    with application(tmp_path, FORKS) as app:
        assert [app.ask().output for _ in range(2)] == [HEADER + b"True"] * 2
