"""run(): whatever a handler does, the client gets one answer and the log the truth."""

import re
from pathlib import Path

import pytest
from child import environment, run_script, start, write_script
from forking import FORKING, HELD, LEAVING, LEAVING_PIECES
from posting import MULTIPART, file, multipart


def incident(answer) -> str:
    """The number on every line of the log, which must be one and the same, and the page's."""
    lines = answer.errors.splitlines()
    numbers = {re.match(r"\[incident ([0-9a-f]{8})\] |$", line)[1] for line in lines}
    assert len(numbers) == 1, answer.errors
    (number,) = numbers
    assert number is not None, answer.errors
    return number


# --- what a handler may return ------------------------------------------------------------------


def test_a_string_is_html(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: '<p>ü')")
    expected = "Content-Type: text/html; charset=utf-8\nContent-Length: 5\n\n<p>ü"
    assert answer.output == expected.encode()
    assert (answer.errors, answer.code) == ("", 0)


def test_a_response_is_sent(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: Response.json({'a': request.query['a']}))",
                        QUERY_STRING="a=1")  # fmt: skip
    assert answer.output == b'Content-Type: application/json\nContent-Length: 9\n\n{"a":"1"}'


@pytest.mark.parametrize(
    ("value", "kind"),
    [("None", "NoneType"), ("('x', 200)", "tuple"), ("b'x'", "bytes"), ("404", "int")],
)
def test_anything_else_is_a_bug_that_says_so(tmp_path: Path, value: str, kind: str) -> None:
    answer = run_script(tmp_path, f"def page(request):\n    return {value}\nrun(page)")
    assert answer.status == 500
    assert f"TypeError: page returned {kind}; return a Response or a str of HTML" in answer.errors


# --- errors that are answers --------------------------------------------------------------------

ERRORS = [
    ("HTTPError(404, 'no <such> page')", 404, "no &lt;such&gt; page"),
    ("HTTPError(410)", 410, ""),
    ("HTTPError(499, 'odd')", 499, "odd"),
    ("BadRequest('lying length')", 400, "lying length"),
    ("InvalidField('a<b', 'x', 'must be a number')", 400, "field &#x27;a&lt;b&#x27; must be"),
    ("LimitExceeded('fields', 5, 6)", 413, "(limit 5)"),
    ("LimitExceeded('query', 5, 6, status=414)", 414, "too long"),
    ("UnsupportedMediaType('send a form')", 415, "send a form"),
]


@pytest.mark.parametrize(("error", "status", "text"), ERRORS)
def test_a_cgi_error_is_its_own_page(tmp_path: Path, error: str, status: int, text: str) -> None:
    answer = run_script(tmp_path, f"def f(request):\n    raise {error}\nrun(f)")
    assert answer.status == status
    assert f"<h1>{status} " in answer.page
    assert text in answer.page
    assert answer.field("Cache-Control") == "no-store"
    assert answer.field("Content-Length") == str(len(answer.body))
    assert (answer.errors, answer.code) == ("", 0)  # the client's mistake is no entry in the log


@pytest.mark.parametrize(
    ("error", "status", "text"),
    [
        ("LockTimeout('data/count.lock', 5)", 503, "Another request is using the same data"),
        ("StorageError('data/count', 'the disk is gone')", 500, "could not read or write"),
        ("HTTPError(503, 'maintenance')", 503, "maintenance"),
        ("CGIError('odd')", 500, "odd"),
    ],
)
def test_what_the_server_is_to_blame_for_is_logged(
    tmp_path: Path, error: str, status: int, text: str
) -> None:
    answer = run_script(tmp_path, f"def f(request):\n    raise {error}\nrun(f)")
    assert answer.status == status
    assert text in answer.page
    assert f"incident {incident(answer)}</pre>" in answer.page
    assert "data/" not in answer.page
    assert ("data/count: the disk is gone" in answer.errors) == ("Storage" in error)


def test_the_headers_of_an_error_are_sent(tmp_path: Path) -> None:
    source = "def f(request):\n    raise HTTPError(405, headers=(('Allow', 'GET, HEAD'),))\nrun(f)"
    answer = run_script(tmp_path, source, REQUEST_METHOD="POST")
    assert (answer.status, answer.field("Allow")) == (405, "GET, HEAD")
    locked = run_script(tmp_path, "def f(request):\n    raise LockTimeout('x', 1)\nrun(f)")
    assert locked.field("Retry-After") == "5"


def test_an_error_page_has_no_body_for_head(tmp_path: Path) -> None:
    source = "def f(request):\n    raise HTTPError(404)\nrun(f)"
    answer = run_script(tmp_path, source, REQUEST_METHOD="HEAD")
    assert (answer.status, answer.body) == (404, b"")
    assert int(answer.field("Content-Length")) > 100


@pytest.mark.parametrize(
    "headers",
    ["(('X', 'a\\r\\nSet-Cookie: b=1'),)", "(('Connection', 'close'),)", "((1, 2),)", "5"],
)
def test_s1_an_error_whose_headers_cannot_be_sent_is_a_bug(tmp_path: Path, headers: str) -> None:
    source = f"""
class Broken(CGIError):
    status = 404
    headers = {headers}
def f(request):
    raise Broken("broken")
run(f)
"""
    answer = run_script(tmp_path, source)
    assert answer.status == 500
    assert f"incident {incident(answer)}</pre>" in answer.page
    assert answer.field("Set-Cookie") is None
    assert "Broken: broken" in answer.errors  # the first cause is not hidden by the second


def test_an_error_with_no_http_status_is_a_bug(tmp_path: Path) -> None:
    source = "class Odd(CGIError):\n    status = 99\ndef f(request):\n    raise Odd()\nrun(f)"
    answer = run_script(tmp_path, source)
    assert answer.status == 500
    assert incident(answer) in answer.page


def test_a_lying_length_through_run(tmp_path: Path) -> None:
    answer = run_script(
        tmp_path,
        "run(lambda request: request.form.get('a'))",
        stdin=b"a=1",
        REQUEST_METHOD="POST",
        CONTENT_LENGTH="99",
        CONTENT_TYPE="application/x-www-form-urlencoded",
    )
    assert (answer.status, answer.errors) == (400, "")


def test_r13_a_surrogate_in_a_message_is_no_empty_answer(tmp_path: Path) -> None:
    source = "def f(request):\n    raise HTTPError(404, request.path_info)\nrun(f)"
    env = {**environment(), "PATH_INFO": "/\udcff"}
    answer = run_script(tmp_path, source, env=env)
    assert (answer.status, answer.errors) == (404, "")
    assert "<p>/?</p>" in answer.page


# --- bugs ---------------------------------------------------------------------------------------

BUG = """
def f(request):
    secret = "the-local-variable"
    return 1 / 0
"""


def test_a_bug_is_a_500_with_a_number(tmp_path: Path) -> None:
    answer = run_script(tmp_path, BUG + "run(f)")
    assert (answer.status, answer.code) == (500, 0)
    assert f"incident {incident(answer)}</pre>" in answer.page
    assert "ZeroDivisionError: division by zero" in answer.errors
    assert 'script.py", line 6, in f' in answer.errors
    for word in ("ZeroDivision", "script.py", "Traceback", "the-local-variable"):
        assert word not in answer.page


def test_each_bug_has_its_own_number(tmp_path: Path) -> None:
    assert len({incident(run_script(tmp_path, BUG + "run(f)")) for _ in range(3)}) == 3


@pytest.mark.parametrize(
    ("call", "variables", "shown"),
    [
        ("run(f)", {"CGIKIT_DEBUG": "1"}, True),
        ("run(f, debug=True)", {}, True),
        ("run(f, debug=True)", {"CGIKIT_DEBUG": "0"}, True),
        ("run(f, debug=False)", {"CGIKIT_DEBUG": "1"}, False),
        ("run(f)", {"CGIKIT_DEBUG": "0"}, False),
        ("run(f)", {"CGIKIT_DEBUG": ""}, False),
        ("run(f)", {"HTTP_CGIKIT_DEBUG": "1", "QUERY_STRING": "CGIKIT_DEBUG=1"}, False),
    ],
)
def test_the_traceback_is_shown_only_when_asked_for(
    tmp_path: Path, call: str, variables: dict[str, str], shown: bool
) -> None:
    answer = run_script(tmp_path, BUG + call, **variables)
    assert answer.status == 500
    assert ("ZeroDivisionError: division by zero" in answer.page) == shown
    assert incident(answer) in answer.page


@pytest.mark.parametrize("code", ["", "0", "3", "'sorry'"])
def test_system_exit_in_the_handler_is_answered(tmp_path: Path, code: str) -> None:
    answer = run_script(tmp_path, f"def f(request):\n    sys.exit({code})\nrun(f)")
    assert answer.status == 500
    assert "SystemExit" in answer.errors
    assert incident(answer) in answer.page


@pytest.mark.parametrize("error", ["BaseException('odd')", "GeneratorExit()"])
def test_an_exception_of_any_kind_in_the_handler_is_answered(tmp_path: Path, error: str) -> None:
    answer = run_script(tmp_path, f"def f(request):\n    raise {error}\nrun(f)")
    assert answer.status == 500
    assert error.partition("(")[0] in answer.errors
    assert incident(answer) in answer.page


def test_a_bug_in_a_stream_that_has_begun_is_logged_alone(tmp_path: Path) -> None:
    source = """
def chunks():
    yield "begin"
    raise KeyError("late")
run(lambda request: Response.stream(chunks(), "text/plain"))
print("not reached")
"""
    answer = run_script(tmp_path, source)
    assert answer.output == b"Content-Type: text/plain; charset=utf-8\n\nbegin"
    assert "KeyError: 'late'" in answer.errors
    incident(answer)
    assert answer.code == 70


def test_a_chunk_that_is_no_text_breaks_off(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: Response(['a', 5, 'b']))")
    assert answer.body == b"a"
    assert answer.code == 70
    incident(answer)


def test_a_body_that_is_no_body_is_a_bug(tmp_path: Path) -> None:
    for body in ("5", "None"):
        answer = run_script(tmp_path, f"run(lambda request: Response({body}))")
        assert answer.status == 500
        assert "TypeError" in answer.errors


def test_s22_a_client_cannot_forge_a_line_of_the_log(tmp_path: Path) -> None:
    source = "def f(request):\n    raise KeyError(request.query['a'])\nrun(f)"
    forged = "%0A[incident%2000000000]%20fine%1B[2J%C2%85%E2%80%A8%E2%80%AE%00"
    answer = run_script(tmp_path, source, QUERY_STRING="a=" + forged)
    incident(answer)
    source = "class E(Exception):\n    pass\n" + source.replace("KeyError", "E")
    answer = run_script(tmp_path, source, QUERY_STRING="a=" + forged)
    incident(answer)  # the message's own line ends are there, but each line has the real number
    assert all(line.isprintable() for line in answer.errors.splitlines())
    assert "\\x1b[2J" in answer.errors


def test_uploads_are_gone_after_a_bug(tmp_path: Path) -> None:
    source = """
def f(request):
    assert len(request.files["f"].read()) == 100_000
    raise KeyError
run(f, upload_dir="waiting")
import os
print(os.listdir("waiting"), [os.readlink(f"/proc/self/fd/{n}") for n in (3,)
      if os.path.exists(f"/proc/self/fd/{n}")], file=sys.stderr)
"""
    (tmp_path / "waiting").mkdir()
    body = (
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'
        + b"x" * 100_000
        + b"\r\n--B--\r\n"
    )
    answer = run_script(
        tmp_path,
        source,
        stdin=body,
        REQUEST_METHOD="POST",
        CONTENT_LENGTH=str(len(body)),
        CONTENT_TYPE="multipart/form-data; boundary=B",
    )
    assert answer.status == 500
    assert answer.errors.splitlines()[-1] == "[] []"


def test_a_keyboard_interrupt_is_not_swallowed(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "def f(request):\n    raise KeyboardInterrupt\nrun(f)")
    assert (answer.output, answer.code) == (b"", -2)


def test_limits_reach_the_request(tmp_path: Path) -> None:
    source = "run(lambda request: str(len(request.query)), limits=Limits(fields=1))"
    assert run_script(tmp_path, source, QUERY_STRING="a=1").body == b"1"
    assert run_script(tmp_path, source, QUERY_STRING="a=1&b=2").status == 413


@pytest.mark.parametrize(
    ("errors", "status"), [("errors='strict'", 400), ("errors='replace'", 200)]
)
def test_errors_reach_the_request(tmp_path: Path, errors: str, status: int) -> None:
    source = f"run(lambda request: request.query['a'], {errors})"
    assert run_script(tmp_path, source, QUERY_STRING="a=%FF").status == status


# --- S27: argv ----------------------------------------------------------------------------------


def test_s27_argv_is_never_read_under_a_server(tmp_path: Path) -> None:
    source = "run(lambda request: repr(request.query.pairs()))"
    for words in (["a=1"], ["/path?a=1"], ["-x", "--help"], ["word"]):
        assert run_script(tmp_path, source, *words).body == b"[]"


def test_s27_argv_is_not_even_touched(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "del sys.argv\nrun(lambda request: 'x')")
    assert (answer.body, answer.errors) == (b"x", "")


def test_the_script_can_be_run_by_a_server_with_a_body_still_unread(tmp_path: Path) -> None:
    # the server may still be writing; that is no error of the script's
    env = environment(REQUEST_METHOD="POST", CONTENT_LENGTH="1000000")
    with start(write_script(tmp_path, "run(lambda request: 'x')"), env) as process:
        output, errors = process.communicate(b"x" * 1_000_000)
    assert output.endswith(b"\n\nx")
    assert errors == b""


# --- answers that break off -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sent", "error"),
    [
        ('"abc"', b"abc", "ended after 3 of the 5 bytes"),
        ('"abcdefg"', b"abcde", "longer than its Content-Length, 5"),
        ('iter(["abcde", 1])', b"abcde", "int"),
    ],
)
def test_an_answer_of_another_length_than_announced_is_logged_and_ends_with_status_70(
    tmp_path: Path, body: str, sent: bytes, error: str
) -> None:
    code = f"run(lambda request: Response(iter({body}), headers={{'Content-Length': '5'}}))"
    answer = run_script(tmp_path, code)
    assert (answer.body, answer.code) == (sent, 70)
    assert error in answer.errors
    assert incident(answer)


@pytest.mark.parametrize("sendfile", [True, False])
def test_a_file_that_shrinks_is_not_filled_up_and_ends_with_status_70(
    tmp_path: Path, sendfile: bool
) -> None:
    (tmp_path / "data").write_bytes(b"x" * 300_000)
    code = """
import os
def page(request):
    response = Response.file("data")
    os.truncate("data", 100_000)
    return response
"""
    code += "run(page)" if sendfile else "del os.sendfile\nrun(page)"
    answer = run_script(tmp_path, code)
    assert (answer.body, answer.code) == (b"x" * 100_000, 70)
    assert answer.field("Content-Length") == "300000"
    assert "the file became shorter while it was being sent" in answer.errors


# --- handlers that fork ---------------------------------------------------------------------------


@pytest.mark.parametrize(("leave", "status"), LEAVING)
def test_the_child_of_a_handler_sends_no_second_answer(
    tmp_path: Path, leave: str, status: int
) -> None:
    answer = run_script(tmp_path, FORKING + "run(page)", QUERY_STRING=f"leave={leave}")
    assert (answer.status, answer.page, answer.code) == (200, f"parent: {status}", 0)
    assert answer.output.count(b"Content-Type") == 1
    assert answer.errors.startswith("the child was here\n")


@pytest.mark.parametrize(("leave", "status"), LEAVING_PIECES)
def test_a_child_that_the_body_forks_sends_none_of_the_body(
    tmp_path: Path, leave: str, status: int
) -> None:
    variables = {"QUERY_STRING": f"leave={leave.replace(' ', '+')}", "PATH_INFO": "/pieces"}
    answer = run_script(tmp_path, FORKING + "run(page)", **variables)
    end = "" if leave == "last piece" else "."
    assert (answer.page, answer.code) == (f"parent: {status}{end}", 0)


def test_the_child_of_a_handler_leaves_the_session_and_the_uploads_alone(tmp_path: Path) -> None:
    body = multipart(file("f", "x", b"x" * 200_000))
    code = HELD + "run(page, sessions=FileStore('sessions'))"
    post = {
        "REQUEST_METHOD": "POST", "CONTENT_TYPE": MULTIPART, "CONTENT_LENGTH": str(len(body)),
    }  # fmt: skip
    first = run_script(tmp_path, code, stdin=body, **post)
    assert first.page == "1 200000"
    cookie = (first.field("Set-Cookie") or "").partition(";")[0]
    again = run_script(tmp_path, code, stdin=body, **post, HTTP_COOKIE=cookie)
    assert again.page == "2 200000"
    assert again.output.count(b"Content-Type") == 1
