"""The process's own streams: one answer, nothing before it, nothing lost when it leaves."""

import os
import resource
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from child import DEADLINE, environment, run_script, start, write_script

from cgikit.process import CUT

PAGE = b"Content-Type: text/html; charset=utf-8\nContent-Length: 1\n\nx"
SEND = "Response('x').send()\n"


# --- output before the header -------------------------------------------------------------------

STRAY = {
    "print at the top": "print('stray')\nrun(lambda request: 'x')",
    "print in the handler": "def f(request):\n    print('stray')\n    return 'x'\nrun(f)",
    "writelines": "def f(request):\n    sys.stdout.writelines(['str', 'ay'])\n    return 'x'\nrun(f)",
    "bytes at the top": "sys.stdout.buffer.write(b'stray')\nrun(lambda request: 'x')",
    "real stdout in the handler": (
        "def f(request):\n    sys.__stdout__.write('stray')\n    return 'x'\nrun(f)"
    ),
    "before an error": "print('stray')\ndef f(request):\n    raise HTTPError(404)\nrun(f)",
    "a lot": "for _ in range(3000):\n    print('stray', end='')\nrun(lambda request: 'x')",
}


def well_formed(answer) -> bool:
    return (
        answer.output.startswith(b"Status: 500 Internal Server Error\nContent-Type: text/html")
        and answer.field("Content-Length") == str(len(answer.body))
        and answer.page.endswith("</html>\n")
    )


@pytest.mark.parametrize("case", STRAY)
def test_stray_output_is_shown_and_the_page_is_well_formed(tmp_path: Path, case: str) -> None:
    answer = run_script(tmp_path, STRAY[case])
    if case == "a lot":  # more than Python holds back: part of it is out, but the log says why
        assert answer.output.startswith(b"stray")
    else:
        assert well_formed(answer), answer
        assert b"stray" not in answer.output
    assert "StateError: " in answer.errors
    assert "stray" in answer.errors


@pytest.mark.parametrize("case", ["print in the handler", "writelines"])
def test_a_print_in_the_handler_without_a_buffer(tmp_path: Path, case: str) -> None:
    answer = run_script(tmp_path, STRAY[case], PYTHONUNBUFFERED="1")
    assert well_formed(answer), answer
    assert "StateError: the handler printed 'stray'" in answer.errors
    assert "line 4, in f" in answer.errors  # the line that did it


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_bytes_written_in_the_handler(tmp_path: Path, unbuffered: str) -> None:
    source = "def f(request):\n    sys.stdout.buffer.write(b'stray')\n    return 'x'\nrun(f)"
    answer = run_script(tmp_path, source, PYTHONUNBUFFERED=unbuffered)
    assert well_formed(answer), answer
    assert "StateError: the handler wrote to sys.stdout.buffer" in answer.errors


def test_printing_in_a_streamed_body_breaks_it_off(tmp_path: Path) -> None:
    source = """
def chunks():
    yield "a"
    print("stray")
    yield "b"
run(lambda request: Response.stream(chunks()))
"""
    answer = run_script(tmp_path, source)
    assert answer.body == b"a"
    assert "StateError: the handler printed 'stray'" in answer.errors
    assert answer.code == CUT


def test_stray_output_of_the_plain_style(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "print('stray')\n" + SEND)
    assert answer.output == b""
    assert "StateError: output was printed before the response: 'stray\\n'" in answer.errors
    assert answer.code == 1


def test_stray_output_more_than_a_pipe_holds(tmp_path: Path) -> None:
    # a file system with large blocks gives stdout a buffer that no pipe takes at once
    source = """
import io
sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False), 1 << 20))
sys.stdout.write("stray" * 40_000)
""" + STRAY["before an error"]
    answer = run_script(tmp_path, source)
    assert well_formed(answer), answer


def test_printing_to_standard_error_is_fine(tmp_path: Path) -> None:
    source = "def f(request):\n    print('note', file=sys.stderr)\n    return 'x'\nrun(f)"
    answer = run_script(tmp_path, source)
    assert (answer.output, answer.errors, answer.code) == (PAGE, "note\n", 0)


def test_sending_inside_the_handler(tmp_path: Path) -> None:
    source = "def f(request):\n    Response('x').send()\n    sys.exit(3)\nrun(f)"
    answer = run_script(tmp_path, source)
    assert (answer.output, answer.errors, answer.code) == (PAGE, "", 3)


def test_print_works_again_after_run(tmp_path: Path) -> None:
    for unbuffered in ("", "1"):
        answer = run_script(
            tmp_path, "run(lambda request: 'x')\nprint('end')", PYTHONUNBUFFERED=unbuffered
        )
        assert answer.output == PAGE + b"end\n"


# --- the client goes away -----------------------------------------------------------------------

ENDLESS = """
def chunks():
    try:
        while True:
            yield "x" * 10_000
    finally:
        print("closed", file=sys.stderr)
"""
LARGE = "'x' * 1_000_000"


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        (f"run(lambda request: {LARGE})", b""),
        (f"Response({LARGE}).send()", b""),
        (f"Response({LARGE}).send()\nprint('more')", b""),
        (f"Response({LARGE}).send()\nprint('more', flush=True)", b""),
        (ENDLESS + "run(lambda request: Response.stream(chunks()))", b"closed\n"),
        (ENDLESS + "print(Response.stream(chunks()).send(), file=sys.stderr)", b"closed\nFalse\n"),
    ],
)
def test_a_client_that_goes_away_leaves_no_trace(
    tmp_path: Path, source: str, said: bytes, unbuffered: str
) -> None:
    env = environment(PYTHONUNBUFFERED=unbuffered)
    with start(write_script(tmp_path, source), env) as process:
        assert process.stdout.read(10) == b"Content-Ty"
        process.stdout.close()
        assert process.stderr.read() == said
    assert process.returncode == 0


def test_a_client_that_is_gone_before_the_last_print(tmp_path: Path) -> None:
    source = SEND + "sys.stdin.read()\nprint('more')"
    with start(write_script(tmp_path, source), environment()) as process:
        assert process.stdout.read(len(PAGE)) == PAGE
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_pipe_of_the_scripts_own_that_breaks_is_its_error(tmp_path: Path) -> None:
    source = """
def chunks():
    yield "a"
    raise BrokenPipeError("the script's own")
run(lambda request: Response.stream(chunks()))
"""
    answer = run_script(tmp_path, source)
    assert answer.body == b"a"
    assert "BrokenPipeError: the script's own" in answer.errors
    assert answer.code == CUT


# --- streams that are closed or full ------------------------------------------------------------

RUN = "def f(request):\n    return str(len(request.body))\nrun(f)"


@pytest.mark.parametrize("source", [RUN.replace("str(len(request.body))", "'x'"), SEND])
@pytest.mark.parametrize("redirect", ["<&-", "2>&-", "<&- 2>&-"])
def test_r1_a_closed_stream_is_survived(tmp_path: Path, source: str, redirect: str) -> None:
    answer = run_script(tmp_path, source, redirect=redirect)
    assert (answer.output, answer.errors, answer.code) == (PAGE, "", 0)


@pytest.mark.parametrize("source", [RUN, SEND, "run(lambda request: 1 / 0)"])
@pytest.mark.parametrize("redirect", [">&-", "<&- >&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_r1_without_an_output(tmp_path: Path, source: str, redirect: str) -> None:
    answer = run_script(tmp_path, source, redirect=redirect)
    assert (answer.output, answer.code) == (b"", 0)
    assert ("ZeroDivisionError" in answer.errors) == ("/ 0" in source and "2>" not in redirect)


def test_a_body_that_was_announced_and_closed_is_a_bad_request(tmp_path: Path) -> None:
    answer = run_script(tmp_path, RUN, redirect="<&-", REQUEST_METHOD="POST", CONTENT_LENGTH="5")
    assert (answer.status, answer.errors) == (400, "")


def test_a_bug_with_standard_error_closed_is_still_a_page(tmp_path: Path) -> None:
    answer = run_script(tmp_path, "run(lambda request: 1 / 0)", redirect="2>&-")
    assert well_formed(answer)
    assert b"Traceback" not in answer.output


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("size", [1, 100_000])
def test_an_output_that_is_full_is_logged_once(tmp_path: Path, size: int, unbuffered: str) -> None:
    source = f"run(lambda request: 'x' * {size})"
    answer = run_script(tmp_path, source, redirect=">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert answer.errors.count("No space left on device") == 1
    assert "Exception ignored" not in answer.errors
    assert all(line.startswith("[incident ") for line in answer.errors.splitlines())
    assert answer.code == CUT


# --- leaving fast -------------------------------------------------------------------------------

# Each writes into the file "kept" what must be there in the end; {send} is where the answer goes out.
KEEPING = {
    "an exit handler from before": """
import atexit
atexit.register(lambda: open("kept", "w").write("all"))
{send}
""",
    "an exit handler from after": """
import atexit
{send}
atexit.register(lambda: open("kept", "w").write("all"))
""",
    "a thread": """
import threading
{send}
go = threading.Event()
def work():
    go.wait()
    with open("kept", "w") as file:
        file.write("all")
threading.Thread(target=work).start()
go.set()
""",
    "a file of the script's": """
kept = open("kept", "w")
kept.write("all")
{send}
""",
    "a file opened later": """
{send}
kept = open("kept", "w")
kept.write("all")
""",
    "a file in a cycle": """
class Holder: pass
a, b = Holder(), Holder()
a.b, b.a, a.file = b, a, open("kept", "w")
a.file.write("all")
{send}
""",
    "dbm.dumb": """
import dbm.dumb
db = dbm.dumb.open("db")
{send}
db["key"] = "all"
""",
    "dbm.dumb in an object": """
import dbm.dumb
class Holder: pass
holder = Holder()
holder.deep = [dbm.dumb.open("db")]
{send}
holder.deep[0]["key"] = "all"
""",
    "an object's __del__": """
class Saver:
    def __init__(self, open=open): self.open = open
    def __del__(self):
        with self.open("kept", "w") as file: file.write("all")
savers = [Saver()]
{send}
""",
    "a generator's finally": """
def saving(open=open):
    try: yield
    finally:
        with open("kept", "w") as file: file.write("all")
saver = saving()
next(saver)
{send}
""",
}


@pytest.mark.parametrize(
    "send", [SEND, "run(lambda request: 'x')", "run(lambda request: Response.stream(iter('x')))"]
)
@pytest.mark.parametrize("case", KEEPING)
def test_leaving_loses_nothing(tmp_path: Path, case: str, send: str) -> None:
    answer = run_script(tmp_path, KEEPING[case].format(send=send))
    assert (answer.body, answer.code) == (b"x", 0)
    if case.startswith("dbm"):
        import dbm.dumb

        with dbm.dumb.open(str(tmp_path / "db"), "r") as db:
            assert db["key"] == b"all"
    else:
        assert (tmp_path / "kept").read_text() == "all"


def test_leaving_flushes_what_was_printed_last(tmp_path: Path) -> None:
    answer = run_script(tmp_path, SEND + "print('end')\nprint('note', file=sys.stderr, end='')")
    assert (answer.output, answer.errors) == (PAGE + b"end\n", "note")


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "stream",
    [
        "open({}, 'w', closefd=False)",
        "__import__('os').fdopen({}, 'wb')",
        "__import__('io').TextIOWrapper((sys.stdout, sys.stderr)[{} - 1].buffer)",
    ],
)
def test_leaving_flushes_another_stream_of_the_same_file(
    tmp_path: Path, stream: str, number: int
) -> None:
    end = "b'end'" if "b'" in stream or "'wb'" in stream else "'end'"
    answer = run_script(tmp_path, f"{SEND}\nkept = [{stream.format(number)}]\nkept[0].write({end})")
    assert (answer.output + answer.errors.encode()).endswith(b"end"), answer


@pytest.mark.parametrize("number", [0, 1, 2])
def test_leaving_sees_a_file_where_a_standard_stream_was(tmp_path: Path, number: int) -> None:
    source = (
        f"{SEND}\nkept = open('kept', 'w')\nassert kept.fileno() == {number}\nkept.write('all')"
    )
    redirect = {0: "<&-", 1: ">&-", 2: "2>&-"}[number]
    run_script(tmp_path, source, redirect=redirect)
    assert (tmp_path / "kept").read_text() == "all"


def test_leaving_keeps_databases(tmp_path: Path) -> None:
    source = f"""
import shelve, sqlite3
shelf = shelve.open("shelf", writeback=True)
shelf["list"] = []
base = sqlite3.connect("base")
base.execute("create table t (x)")
base.execute("insert into t values (1)")
base.commit()
{SEND}
shelf["list"].append("all")
"""
    assert run_script(tmp_path, source).output == PAGE
    import shelve

    with shelve.open(str(tmp_path / "shelf")) as shelf:
        assert shelf["list"] == ["all"]
    base = sqlite3.connect(tmp_path / "base")
    assert base.execute("select x from t").fetchall() == [(1,)]
    base.close()


def test_leaving_removes_temporary_files(tmp_path: Path) -> None:
    source = f"""
import tempfile
before = [tempfile.NamedTemporaryFile(), tempfile.TemporaryDirectory()]
{SEND}
after = [tempfile.NamedTemporaryFile(), tempfile.TemporaryDirectory()]
"""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    assert run_script(tmp_path, source, TMPDIR=str(temporary)).output == PAGE
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("end", "code"),
    [
        ("sys.exit(3)", 3),
        ("raise SystemExit(3)", 3),
        ("exit(3)", 3),
        ("sys.exit('sorry')", 1),
        ("sys.exit()", 0),
        ("raise KeyError('bug')", 1),
        ("raise KeyboardInterrupt", -signal.SIGINT),
        ("import os; os.kill(os.getpid(), 15)", -signal.SIGTERM),
        ("import os; os._exit(5)", 5),
    ],
)
def test_leaving_keeps_the_exit_status(tmp_path: Path, end: str, code: int) -> None:
    for send in (SEND, "run(lambda request: 'x')\n"):
        answer = run_script(tmp_path, send + end)
        assert (answer.output, answer.code) == (PAGE, code)
        assert ("bug" in answer.errors) == ("bug" in end)
        assert ("sorry" in answer.errors) == ("sorry" in end)


def test_leaving_does_not_wait_for_children(tmp_path: Path) -> None:
    # nor does Python: the child has its own copy of the output
    source = f"import subprocess\nchild = subprocess.Popen(['cat'])\n{SEND}"
    with start(write_script(tmp_path, source), environment()) as process:
        try:
            assert process.wait(DEADLINE) == 0
        finally:
            process.stdin.close()
        assert process.stdout.read() == PAGE


TRACE = """
import atexit, os
def leave(status, leave=os._exit):
    os.write(2, b"fast")
    leave(status)
os._exit = leave
{}
"""


@pytest.mark.parametrize(
    ("source", "fast"),
    [
        (SEND, True),
        ("run(lambda request: 'x')", True),
        ("run(lambda request: str(Request().query.get('a', 'x')))", True),
        ("Counter('count').increment()\nrun(lambda request: 'x')", True),
        (SEND + "print('end')", True),
        ("run(lambda request: request.form['a'])", True),
        ("run(lambda request: str(len(request.files['f'].read())))", True),
        (SEND + "file = open(sys.argv[0])", False),
        (SEND + "os.open(sys.argv[0], os.O_RDONLY)", False),
    ],
)
def test_a_plain_script_does_leave_fast(tmp_path: Path, source: str, fast: bool) -> None:
    part = b'Content-Disposition: form-data; name="%s"%s\r\n\r\nx\r\n--B'
    body = b"--B\r\n" + part % (b"a", b"") + b"\r\n" + part % (b"f", b'; filename="n"') + b"--\r\n"
    answer = run_script(
        tmp_path,
        TRACE.format(source),
        stdin=body,
        REQUEST_METHOD="POST",
        CONTENT_LENGTH=str(len(body)),
        CONTENT_TYPE="multipart/form-data; boundary=B",
    )
    assert (answer.status, answer.errors) == (200, "fast" if fast else "")


def test_leaving_counts_a_descriptor_where_a_standard_stream_was(tmp_path: Path) -> None:
    source = TRACE.format(SEND + "assert os.open(sys.argv[0], os.O_RDONLY) == 0")
    assert run_script(tmp_path, source, redirect="<&-").errors == ""
    assert run_script(tmp_path, TRACE.format(SEND), redirect="<&-").errors == "fast"


def test_leaving_fast_is_for_cgi_alone(tmp_path: Path) -> None:
    answer = run_script(tmp_path, TRACE.format(SEND), env={"PATH": os.environ["PATH"]})
    assert (answer.output, answer.errors) == (PAGE, "")


def test_leaving_fast_is_for_scripts_alone() -> None:
    # with -c or -m nobody can tell sys.exit(3) from an end
    done = subprocess.run(
        [sys.executable, "-c", f"from cgikit import *\n{SEND}raise SystemExit(3)"],
        env=environment(),
        capture_output=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == (PAGE, 3)


def test_no_descriptor_is_left_behind(tmp_path: Path) -> None:
    source = "import os\nbefore = os.listdir('/proc/self/fd')\n" + SEND
    source += "assert os.listdir('/proc/self/fd') == before"
    assert run_script(tmp_path, source).code == 0


def test_sending_where_hardly_a_descriptor_is_left(tmp_path: Path) -> None:
    # the check for stray output takes three; without them it must fail as an error, not as half a page
    source = f"""
import resource

from cgikit.process import CUT
resource.setrlimit(resource.RLIMIT_NOFILE, (5, 5))
{SEND}
"""
    answer = run_script(tmp_path, source)
    assert answer.output in (b"", PAGE)
    assert ("Too many open files" in answer.errors) == (answer.output == b"")
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 5
