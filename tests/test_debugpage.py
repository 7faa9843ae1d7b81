"""The page of a bug for its owner: what comes first, which frame is open, and all of it escaped."""

import html
import io
import re
from functools import partial
from pathlib import Path

import pytest
from child import environment, run_script

from cgikit import Request, Response
from cgikit.debugpage import details, origin, title_of
from cgikit.wsgi import WSGI

DEBUG = environment(CGIKIT_DEBUG="1")


def visible(page: str) -> str:
    """The text of a page without what a reader has to unfold first."""
    closed = re.sub(r"<details><summary>(.*?)</summary>.*?</details>", r"\1", page, flags=re.S)
    body = re.sub(r"<style>.*?</style>", "", closed, flags=re.S)
    return html.unescape(re.sub(r"<[^>]+>", "", body))


def test_the_exception_comes_first_and_the_own_frame_is_open(tmp_path: Path) -> None:
    """The first screen said "You did nothing wrong", to the owner; the exception stood far below."""
    source = """
def divide(request):
    total = 1
    return str(total / int(request.query.get("by", "0")))

run(divide)
"""
    page = run_script(tmp_path, source, env=DEBUG).page
    assert "<title>ZeroDivisionError: division by zero</title>" in page
    seen = visible(page)
    assert "nothing wrong" not in seen.partition("Visitors see only this")[0]
    order = [
        seen.index(text) for text in ("ZeroDivisionError: ", "in divide", "total = 1", "incident")
    ]
    assert order == sorted(order)
    assert (
        '<mark>    6      return str(total / int(request.query.get("by", "0")))</mark>'
        in html.unescape(page)
    )
    assert "most recent call last" not in seen  # to unfold, with the environment
    assert "most recent call last" in page
    assert "REQUEST_METHOD" not in seen


def test_the_own_frame_is_the_script_s_where_a_library_failed(tmp_path: Path) -> None:
    source = """
import json
def load(request):
    return json.loads("{")
run(load)
"""
    seen = visible(run_script(tmp_path, source, env=DEBUG).page)
    assert 'return json.loads("{")' in seen
    assert "in load" in seen
    assert "decoder.py" not in seen


def test_without_an_own_frame_the_traceback_is_open(tmp_path: Path) -> None:
    """The handler returned what is no answer: nothing of the script's is on the stack."""
    page = run_script(
        tmp_path, "def f(request):\n    return 5\n\nrun(lambda r: None)", env=DEBUG
    ).page
    assert "<h1>TypeError: " in page
    assert "in &lt;lambda&gt;</summary>" in page  # the handler
    assert "<details open><summary>Traceback</summary>" in page


LATE = """
import functools
def wrapped(handler):
    @functools.wraps(handler)
    def around(request):
        return handler(request)
    return around

@wrapped
def page(request):
    return Response("x", content_type="text/plain; charset=nonsense")
"""


def test_an_error_after_the_handler_names_the_handler_and_the_page(tmp_path: Path) -> None:
    """The log had cgikit's own frames only, and neither the script nor the URL."""
    where = environment(SCRIPT_NAME="/cgi-bin/old.py", PATH_INFO="/a\nb", QUERY_STRING="secret=1")
    answer = run_script(tmp_path, f"{LATE}run(page)", env=where)
    lines = [line.partition("] ")[2] for line in answer.errors.splitlines()]
    assert answer.status == 500
    assert lines[0] == r"The answer to GET /cgi-bin/old.py/a\nb failed. It came from"
    assert re.fullmatch(rf'  File "{tmp_path}/\S+", line \d+, in page', lines[1])
    assert lines[2] == "Traceback (most recent call last):"
    assert "secret" not in answer.errors
    seen = visible(run_script(tmp_path, f"{LATE}run(page)", env=DEBUG).page)
    assert ", in page" in seen
    assert "def page(request):" in seen


def test_an_error_in_the_handler_names_it_once(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", env=environment())
    assert "The answer to" not in answer.errors


def test_an_error_after_the_handler_is_named_under_wsgi_too() -> None:
    code = compile(LATE, "/srv/old.py", "exec")
    names: dict[str, object] = {"Response": Response}
    exec(code, names)
    environ = {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "SCRIPT_NAME": "/old"}
    answer = WSGI(names["page"])({**environ, "REQUEST_METHOD": "GET"}, lambda *_: None)  # type: ignore
    assert b"incident" in b"".join(answer)
    said = environ["wsgi.errors"].getvalue()  # type: ignore[attr-defined]
    assert "The answer to GET /old failed. It came from" in said
    assert 'File "/srv/old.py", line 9, in page' in said


class Handler:
    """A handler that is an object."""

    def __call__(self, request: Request) -> Response:
        return Response("x", content_type="text/plain; charset=nonsense")


@pytest.mark.parametrize(
    ("handler", "named"),
    [
        (Handler(), "Handler.__call__"),
        (partial(Handler.__call__, None), "Handler.__call__"),
        (dict, ""),
    ],
)
def test_a_handler_that_is_no_function_is_named_if_it_is_python_s(
    handler: object, named: str
) -> None:
    request = Request({"REQUEST_METHOD": "GET"})
    request.handler = handler
    lines = origin(KeyError("x"), request)
    assert [line.rpartition("in ")[2] for line in lines[1:]] == ([named] if named else [])
    assert origin(KeyError("x"), Request({})) == []


def test_a_visitor_is_shown_nothing_of_it(tmp_path: Path) -> None:
    page = run_script(tmp_path, "run(lambda request: 1 / 0)", env=environment()).page
    assert "<h1>500 Internal Server Error</h1>" in page
    assert "nothing wrong" in page
    assert "<details" not in page
    assert "ZeroDivisionError" not in page


@pytest.mark.parametrize("error", ["1 / 0", "StorageError('/data/x', 'disk gone')"])
def test_the_owner_is_shown_all_that_visitors_read(tmp_path: Path, error: str) -> None:
    """ "All that visitors are shown" left out the paragraph above the number."""
    source = f"def f(request):\n    if 1: raise {error}\nrun(f)".replace("raise 1", "1")
    shown, hidden = (run_script(tmp_path, source, env=env).page for env in (DEBUG, environment()))
    read = visible(hidden).split("incident")[0].replace("500 Internal Server Error", "", 1)
    last = visible(shown).partition("Visitors see only this:")[2]
    assert last.split("incident")[0].split() == read.split()


def test_the_owner_is_told_what_a_visitor_is_not(tmp_path: Path) -> None:
    """A visitor's 413 named `body=1048576`."""
    source = "run(lambda request: request.query['a'], limits=Limits(query=2))"
    for debug in ("", "1"):
        env = environment(CGIKIT_DEBUG=debug, QUERY_STRING="a=1")
        page = run_script(tmp_path, source, env=env).page
        assert "<p>The address of this page is too long.</p>" in page
        assert ("query=2" in page) == bool(debug)


@pytest.mark.parametrize(
    ("error", "status", "title"),
    [
        ("StorageError('/data/x', 'disk gone')", 500, "StorageError: /data/x: disk gone"),
        ("LockTimeout('/data/x', 2.0)", 503, "LockTimeout: "),
        ("CGIError('odd')", 500, "CGIError: odd"),
    ],
)
def test_a_failure_that_has_a_status_is_shown_as_one(
    tmp_path: Path, error: str, status: int, title: str
) -> None:
    """The owner was told no more than visitors where the error was one of cgikit's own."""
    source = f"def f(request):\n    raise {error}\n\nrun(f)"
    answer = run_script(tmp_path, source, env=DEBUG)
    assert answer.status == status
    # The name is with its module, as in a traceback
    (found,) = re.findall("<h1>(?:cgikit[.]errors[.])?(.*?)</h1>", answer.page)
    assert found.startswith(title)
    assert f"raise {error}" in html.unescape(answer.page)
    assert (answer.field("Retry-After") is not None) == (status == 503)
    hidden = run_script(tmp_path, source, env=environment())
    assert hidden.status == status
    assert "/data" not in hidden.page


def test_what_a_visitor_is_told_is_not_said_twice(tmp_path: Path) -> None:
    source = "def f(request):\n    raise HTTPError(404, 'There is only a cat.')\nrun(f)"
    assert run_script(tmp_path, source, env=DEBUG).page.count("only a cat") == 1


ATTACK = "<script>alert(1)</script>"


def test_s4_all_of_it_is_escaped() -> None:
    code = compile(f"def f():\n    raise KeyError({ATTACK!r})", f"/tmp/{ATTACK}.py", "exec")
    names: dict[str, object] = {}
    exec(code, names)
    try:
        names["f"]()  # type: ignore[operator]
    except KeyError as error:
        markup = details(error, ATTACK, {ATTACK: ATTACK})
    assert "<script" not in markup
    assert markup.count("&lt;script&gt;") == 3  # the traceback, a name, a value
    assert "script&gt;.py, line 2, in f" in markup


def raised(source: str) -> BaseException:
    try:
        exec(source, {})
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("source", "title"),
    [
        ("raise KeyError('a')", "KeyError: 'a'"),
        ("raise ValueError('one\\ntwo')", "ValueError: one"),
        ("raise ValueError", "ValueError"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("compile('a b', 'x.py', 'exec')", "SyntaxError: invalid syntax"),
        ("raise ExceptionGroup('all', [OSError('x')])", "ExceptionGroup: all (1 sub-exception)"),
        ("raise ValueError('x' * 10_000)", f"ValueError: {'x' * 288}…"),
        ("e = OSError('x'); e.add_note('more'); raise e", "OSError: x"),
    ],
)
def test_the_title_is_one_line(source: str, title: str) -> None:
    assert title_of(raised(source)) == title


def test_a_source_that_is_gone_leaves_its_place() -> None:
    code = compile("\n\n1 / 0", "/nowhere/gone.py", "exec")
    try:
        exec(code)
    except ZeroDivisionError as error:
        markup = details(error, "", {})
    assert "gone.py, line 3, in &lt;module&gt;" in markup
    assert "<mark>" not in markup


def test_the_line_that_failed_may_be_the_first_or_the_last(tmp_path: Path) -> None:
    for lines, line in ((["1 / 0"], 1), (["a = 1"] * 9 + ["1 / 0"], 10)):
        path = tmp_path / f"short{line}.py"
        path.write_text("\n".join(lines))
        try:
            exec(compile(path.read_text(), path, "exec"), {})
        except ZeroDivisionError as error:
            markup = details(error, "", {})
        assert f"<mark>{line:5}  1 / 0</mark>" in markup


def test_an_installed_package_is_not_the_script_s_own(tmp_path: Path) -> None:
    package = tmp_path / "site-packages"
    package.mkdir()
    (package / "installed_thing.py").write_text("def fail():\n    1 / 0\n")
    source = f"""
sys.path.append({str(package)!r})
import installed_thing
run(lambda request: installed_thing.fail())
"""
    seen = visible(run_script(tmp_path, source, env=DEBUG).page)
    assert "run(lambda request: installed_thing.fail())" in seen
    assert "installed_thing.py" not in seen
