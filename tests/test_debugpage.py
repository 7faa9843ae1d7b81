"""The page of a bug for its owner: what comes first, which frame is open, and all of it escaped."""

import base64
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
    assert "decoder.py, line" in seen  # to unfold
    assert "raise JSONDecodeError" not in seen


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
    assert lines[0] == r"The answer of this handler to GET /cgi-bin/old.py/a\nb failed:"
    assert re.fullmatch(rf'  File "{tmp_path}/\S+", line \d+, in page', lines[1])
    assert lines[2] == "Traceback (most recent call last):"
    assert "secret" not in answer.errors
    seen = visible(run_script(tmp_path, f"{LATE}run(page)", env=DEBUG).page)
    assert ", in page" in seen
    assert "def page(request):" in seen


def test_an_error_in_the_handler_names_it_once(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", env=environment())
    assert "The answer of" not in answer.errors


def test_an_error_after_the_handler_is_named_under_wsgi_too() -> None:
    code = compile(LATE, "/srv/old.py", "exec")
    names: dict[str, object] = {"Response": Response}
    exec(code, names)
    environ = {"wsgi.input": io.BytesIO(), "wsgi.errors": io.StringIO(), "SCRIPT_NAME": "/old"}
    answer = WSGI(names["page"])({**environ, "REQUEST_METHOD": "GET"}, lambda *_: None)  # type: ignore
    assert b"incident" in b"".join(answer)
    said = environ["wsgi.errors"].getvalue()  # type: ignore[attr-defined]
    assert "The answer of this handler to GET /old failed:" in said
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
    assert markup.count("&lt;script&gt;") >= 3  # the traceback, a name, a value
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
    first = markup.partition("</details>")[0]
    assert "gone.py" in first
    assert "<mark>" not in first


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
    assert "installed_thing.py, line 2, in fail" in seen
    assert "def fail" not in seen  # to unfold


# --- the values of variables ----------------------------------------------------------------------


def shown(source: str, tmp_path: Path, **variables: str) -> str:
    """The page of a script that fails, with what is folded, as text."""
    env = environment(CGIKIT_DEBUG="1", **variables)
    answer = run_script(tmp_path, source, env=env)
    assert answer.status == 500
    return html.unescape(answer.page)


def test_the_values_of_variables_are_beside_their_names(tmp_path: Path) -> None:
    page = shown(
        """
LIMIT = 7
def double(number):
    twice = [number, number]
    return twice[LIMIT]
run(lambda request: double("a<b"))
""",
        tmp_path,
    )
    assert "<td>number</td><td>'a<b'</td>" in page
    assert "<td>twice</td><td>['a<b', 'a<b']</td>" in page
    assert page.count("<details open>") == 1  # the script's own frame


@pytest.mark.parametrize(
    "local",
    [
        "password = 'hunter2-canary'",
        "settings = {'api_key': 'hunter2-canary'}",
        "form = request.params; other = form['password']",
        "text = 'the user said ' + request.params['password']",
        "cookies = request.cookies; value = request.cookies['sid']",
        "connect('x', password='hunter2-canary')",
        "url = 'redis://user:hunter2-canary@h/0'",
        "raise KeyError(request.params['password'])",
    ],
)
def test_s4_no_secret_is_shown_of_a_variable(tmp_path: Path, local: str) -> None:
    page = shown(
        f"""
def connect(host, password):
    raise OSError("refused " + password)
def page(request):
    {local}
    raise RuntimeError("the end")
run(page)
""",
        tmp_path,
        QUERY_STRING="name=Ada&password=hunter2-canary",
        HTTP_COOKIE="sid=hunter2-canary",
    )
    assert "hunter2-canary" not in page
    assert "(hidden)" in page


ODD_VALUES = """
import sys, time
class Odd:
    def __init__(self, how):
        self.how = how
    def __repr__(self):
        if self.how == "slow":
            time.sleep(0.3)
        if self.how == "huge":
            return "x" * 5_000_000
        if self.how == "exits":
            sys.exit(9)
        raise ValueError("no repr")
def page(request):
    a, b, c = Odd("raises"), Odd("exits"), Odd("huge")
    slow = [Odd("slow") for _ in range(9)]
    s0, s1, s2, s3, s4, s5, s6, s7, s8, s9 = slow + [1]
    large = list(range(1_000_000))
    text = "y" * 1_000_000
    raise RuntimeError("the end")
run(page)
"""


def test_a_value_of_any_kind_and_size_is_bounded(tmp_path: Path) -> None:
    page = shown(ODD_VALUES, tmp_path)
    assert "RuntimeError: the end" in page
    assert "repr failed: ValueError" in page
    assert "its repr raised SystemExit" in page
    assert "took too long" in page
    assert len(page) < 60_000


def test_a_session_is_not_opened_for_the_page(tmp_path: Path) -> None:
    source = """
def page(request):
    session = request.session
    raise RuntimeError("the end")
run(page, sessions=FileStore("sessions"))
"""
    assert "RuntimeError: the end" in shown(source, tmp_path)
    assert not (tmp_path / "sessions").exists()


def test_many_frames_and_variables_are_bounded(tmp_path: Path) -> None:
    names = "; ".join(f"v{n} = {n}" for n in range(100))
    source = f"def f(n):\n    {names}\n    return f(n + 1)\nrun(lambda request: f(0))"
    page = shown(source, tmp_path)
    assert "RecursionError" in page
    assert "more are in the traceback" in page
    assert len(page) < 400_000


def test_what_an_error_came_from_is_shown_with_its_frames(tmp_path: Path) -> None:
    page = shown(
        """
def inner():
    depth = "in the first"
    raise KeyError("first")
def page(request):
    try:
        inner()
    except KeyError as error:
        group = ExceptionGroup("all", [OSError("second"), ValueError("third")])
        raise RuntimeError("last") from group
run(page)
""",
        tmp_path,
    )
    heads = re.findall("<h2>(.*?)</h2>", page)
    assert heads == [
        "It was caused by ExceptionGroup: all (2 sub-exceptions)",
        "In the group: OSError: second",
        "In the group: ValueError: third",
    ]
    page = shown(
        "def inner():\n    depth = 'deep'\n    1 / 0\ndef page(request):\n    try:\n        inner()\n"
        "    except ZeroDivisionError:\n        raise KeyError('x')\nrun(page)",
        tmp_path,
    )
    assert "<h2>It was raised while this was handled: ZeroDivisionError: division by zero" in page
    assert "<td>depth</td><td>'deep'</td>" in page


def test_a_circle_of_errors_ends(tmp_path: Path) -> None:
    source = """
def page(request):
    a, b = KeyError("a"), KeyError("b")
    a.__cause__, b.__cause__ = b, a
    raise a
run(page)
"""
    assert shown(source, tmp_path).count("<h2>") == 1


def test_the_request_is_shown_without_values(tmp_path: Path) -> None:
    page = shown(
        "run(lambda request: 1 / 0)",
        tmp_path,
        QUERY_STRING="name=canary&x=1",
        PATH_INFO="/a",
        CONTENT_TYPE="text/plain; charset=x",
        CONTENT_LENGTH="0",
    )
    assert "<td>Request</td><td>GET /cgi-bin/script.py/a</td>" in page
    assert "<td>Fields of the query</td><td>name, x</td>" in page
    assert "canary" not in page


def test_the_fields_of_a_form_that_was_read_are_named(tmp_path: Path) -> None:
    source = "run(lambda request: request.form['missing'] and 1 / 0)\n".replace(
        "['missing'] and", "['a'] and"
    )
    env = environment(
        CGIKIT_DEBUG="1",
        REQUEST_METHOD="POST",
        CONTENT_TYPE="application/x-www-form-urlencoded",
        CONTENT_LENGTH="10",
    )
    page = run_script(tmp_path, source, env=env, stdin=b"a=canary12").page
    assert "<td>Fields of the form</td><td>a</td>" in page


def test_all_of_it_can_be_copied_as_text(tmp_path: Path) -> None:
    page = shown("run(lambda request: 1 / 0)", tmp_path)
    (text,) = re.findall("<textarea [^>]*>\n(.*?)</textarea>", page, re.DOTALL)
    assert text.startswith("Request: GET /cgi-bin/script.py\nPython 3.")
    assert text.endswith("ZeroDivisionError: division by zero")


@pytest.mark.parametrize(
    ("body", "secret"),
    [
        ("raise ValueError('no access to postgres://u:hunter2x@h/db')", "hunter2x"),
        ("raise ValueError('no such user: ' + request.form['password'])", "posted1x"),
        ("raise ValueError(f'denied: {request.authorization.password}')", "basic1pw"),
    ],
)
def test_no_secret_of_a_message_is_in_the_title(tmp_path: Path, body: str, secret: str) -> None:
    source = f"def page(request):\n    {body}\nrun(page)\n"
    form = b"password=posted1x"
    credentials = base64.b64encode(b"admin:basic1pw").decode()
    env = DEBUG | {
        "REQUEST_METHOD": "POST",
        "CONTENT_LENGTH": str(len(form)),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "HTTP_AUTHORIZATION": f"Basic {credentials}",
    }
    page = run_script(tmp_path, source, stdin=form, env=env).page
    assert "<h1>ValueError: " in page
    assert secret not in page


@pytest.mark.parametrize("guard", ["", "import cgikit.guard\n"])
@pytest.mark.parametrize("error", ["SystemExit(5)", "GeneratorExit", "MemoryError"])
def test_an_object_that_does_not_let_itself_be_shown_hides_no_error(
    tmp_path: Path, error: str, guard: str
) -> None:
    """The process ended without an answer, and without a line in the log."""
    source = f"""
class Odd(dict):
    def items(self):
        raise {error}
def handler(request):
    odd = Odd(a=1)
    return 1 / 0
{"handler(None)" if guard else "run(handler)"}
"""
    answer = run_script(tmp_path, guard + source, env=DEBUG)
    assert answer.status == 500
    assert "ZeroDivisionError" in answer.page
    assert "incident" in answer.page
    assert "ZeroDivisionError: division by zero" in answer.errors
