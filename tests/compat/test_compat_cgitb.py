"""compat.cgitb: the page of an error that nobody caught, as servers take it, and without secrets."""

import io
import os
import subprocess
import sys
import traceback
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cgikit.compat import cgitb
from cgikit.host.output import OutputParser

FAILS = "def fail(value):\n    raise ValueError(f'it was {value}')\n"


def run(source: str, tmp_path: Path, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run a script that ends with an error."""
    script = tmp_path / "script.py"
    script.write_text(f"from cgikit.compat import cgitb\n{source}")
    return subprocess.run(
        [sys.executable, str(script)], env=variables, capture_output=True, cwd=tmp_path
    )


def failed(error: BaseException) -> Any:
    try:
        raise error
    except BaseException:
        return sys.exc_info()


def test_the_first_bytes_were_refused_as_a_header(tmp_path: Path) -> None:
    done = run("cgitb.enable()\n" + FAILS + "fail('<b>')", tmp_path, REQUEST_METHOD="GET")
    assert done.returncode == 1
    parser = OutputParser()
    parser.feed(done.stdout)
    head, _, page = done.stdout.partition(b"\n\n")
    assert head == b"Content-Type: text/html; charset=utf-8"
    assert b"ValueError</strong>: it was &lt;b&gt;" in page
    assert b"<strong>fail</strong>(value=&#x27;&lt;b&gt;&#x27;)" in page
    assert b"<mark>" in page


def test_a_text_had_no_header_under_cgi(tmp_path: Path) -> None:
    source = "cgitb.enable(format='text')\n" + FAILS + "fail('x')"
    served = run(source, tmp_path, REQUEST_METHOD="GET").stdout
    assert served.startswith(b"Content-Type: text/plain; charset=utf-8\n\nValueError\n")
    assert run(source, tmp_path).stdout.startswith(b"ValueError\nPython ")
    assert b"<p>" not in served


def test_a_page_is_ascii_whatever_standard_output_takes(tmp_path: Path) -> None:
    for form in ("html", "text"):
        source = f"cgitb.enable(format={form!r})\n" + FAILS + "fail('ü日\\udcff')"
        done = run(source, tmp_path, PYTHONIOENCODING="ascii")
        assert done.stdout.isascii()
        assert done.stderr == b""
        assert (b"&#252;" if form == "html" else b"\\xfc") in done.stdout


def test_what_the_script_was_printing_is_ended(tmp_path: Path) -> None:
    source = "cgitb.enable()\nprint('Content-Type: text/html\\n\\n<!-- <script><table>')\nx"
    page = run(source, tmp_path).stdout
    assert page.index(b"</script>") < page.index(b"<h1>NameError")


@pytest.mark.parametrize(
    "begun", ["", '<p title="a', "<p title='a", "<!-- a", "<script>a", "<title>a"]
)
def test_the_page_is_seen_wherever_the_script_broke_off(tmp_path: Path, begun: str) -> None:
    """In the value of an attribute in quotes, the whole page was a part of that value."""
    source = f"cgitb.enable()\nprint('Content-Type: text/html\\n')\nprint({begun!r})\nx"
    seen = Tags()
    seen.feed(run(source, tmp_path).stdout.decode())
    assert "h1" in seen.found


class Tags(HTMLParser):
    """The names of the elements that begin in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)


BEFORE = {
    "print": "print('Content-Type: text/html\\n\\n<p>begun')\n",
    "print and flush": "print('Content-Type: text/html\\n\\n<p>begun', flush=True)\n",
    "bytes": "sys.stdout.buffer.write(b'Content-Type: text/html\\n\\n<p>begun')\n",
    "another": (
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding='utf-8')\n"
        "print('Content-Type: text/html\\n\\n<p>begun')\n"
    ),
    "detached": (
        "sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding='utf-8')\n"
        "print('Content-Type: text/html\\n\\n<p>begun')\n"
    ),
    "no empty line": "print('Content-Type: text/html')\n",
    "nothing": "",
}


@pytest.mark.parametrize("options", ["", "display=0, logdir='.'", "display=0, format='text'"])
@pytest.mark.parametrize("before", BEFORE)
def test_a_header_was_shown_in_the_page_after_that_of_the_script(
    before: str, options: str, tmp_path: Path
) -> None:
    for unbuffered in ("", "1"):
        source = f"import io, sys\ncgitb.enable({options})\n{BEFORE[before]}{FAILS}fail('x')"
        done = run(source, tmp_path, REQUEST_METHOD="GET", PYTHONUNBUFFERED=unbuffered)
        head, end, page = done.stdout.partition(b"\n\n")
        assert head.startswith(b"Content-Type: text/")
        assert end
        assert b"\nContent-Type" not in done.stdout
        assert (b"it was x" in page) is not bool(options)
        assert b"roblem" in page


def test_variables_leaked(tmp_path: Path) -> None:
    source = """
import os
cgitb.enable()
class Config: api_key = "s3cret-1"
def connect(host, password="s3cret-2"):
    config, environ, url = Config(), os.environ, "mysql://u:s3cret-3@host/db"
    raise KeyError(config.api_key and str, environ and url, {"token": "s3cret-4"} and 1, password)
connect("h", password="s3cret-5")
"""
    done = run(source.replace(", password)", ")"), tmp_path, HTTP_COOKIE="id=s3cret-6")
    assert b"s3cret" not in done.stdout
    assert b"(hidden)" in done.stdout
    assert b"HTTP_COOKIE" in done.stdout


def test_methods_pairs_and_messages_leaked(tmp_path: Path) -> None:
    source = """
import os
from http.cookies import SimpleCookie
from cgikit.compat import cgi
cgitb.enable(format=FORMAT)
class Loud:
    def __repr__(self): return f"<Loud {vars(self)!s} {self.form.getvalue('password')}>"
form, C, loud = cgi.FieldStorage(), SimpleCookie("sid=s3cret-cookie"), Loud()
loud.form = form
items = [(name, form.getvalue(name)) for name in form]
def fail(*args): raise ValueError(form.getvalue("n"), form.getvalue("password"), loud)
fail(form.getvalue, os.environ.get, C, C.output, items, form.list, loud)
"""
    for form in ("html", "text"):
        done = run(
            source.replace("FORMAT", repr(form)),
            tmp_path,
            REQUEST_METHOD="GET",
            QUERY_STRING="n=abc&password=s3cret%2Dform&token=s3cret-token",
            MY_SECRET_KEY="s3cret-key",
            HTTP_COOKIE="a=s3cret-sent",
        )
        assert b"s3cret" not in done.stdout
        assert b"bound method FieldStorage.getvalue" in done.stdout
        assert b"abc" in done.stdout


def test_a_page_can_be_kept_and_not_displayed(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    done = run(f"cgitb.enable(display=0, logdir={str(logs)!r})\n{FAILS}fail('x')", tmp_path)
    (kept,) = os.listdir(logs)
    assert kept.endswith(".html")
    assert "it was x" in (logs / kept).read_text()
    assert (logs / kept).stat().st_mode & 0o077 == 0
    assert b"it was" not in done.stdout
    assert f"<p>{kept} contains the description of this error.</p>".encode() in done.stdout
    assert str(logs).encode() not in done.stdout


def test_an_error_that_cannot_be_kept_is_said_in_the_log(tmp_path: Path) -> None:
    done = run(f"cgitb.enable(logdir={str(tmp_path / 'none')!r})\n{FAILS}fail('x')", tmp_path)
    assert b"it was x" in done.stdout
    assert b"failed; the reason is in the server's log" in done.stdout
    assert b"none: No such file or directory" in done.stderr


@pytest.mark.parametrize("kind", ["full", "file", "gone", "link"])
def test_no_half_page_is_kept(tmp_path: Path, kind: str) -> None:
    """On a full disk the file stayed, empty, and the page named it in vain."""
    logs = tmp_path / "logs"
    if kind in ("full", "link"):
        (tmp_path / "real").mkdir()
    if kind in ("full", "link"):
        logs.symlink_to("real")
    elif kind == "file":
        logs.write_text("")
    limit = (
        "import resource, signal\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))\n"
    )
    done = subprocess.run(
        [
            sys.executable, "-c",
            "from cgikit.compat import cgitb, tracebackpage\n" + limit * (kind == "full")
            + f"cgitb.enable(display=0, logdir={str(logs)!r})\n1/0\n",
        ],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    kept = list((tmp_path / "real").iterdir()) if kind in ("full", "link") else []
    if kind == "link":
        (path,) = kept
        assert path.stat().st_mode & 0o777 == 0o600
        assert f"{path.name} contains the description" in done.stdout
        assert "ZeroDivisionError" in path.read_text()
    else:
        assert kept == []
        assert "Tried to save the traceback, but failed" in done.stdout
        why = {"full": "File too large", "file": "Not a directory", "gone": "No such file"}[kind]
        assert f"cannot write to {logs}: {why}" in done.stderr
        assert "ZeroDivisionError" in done.stderr


def test_an_error_that_was_neither_displayed_nor_kept_was_lost(tmp_path: Path) -> None:
    done = run(f"cgitb.enable(display=0)\n{FAILS}fail('x')", tmp_path)
    assert b"A problem occurred" in done.stdout
    assert b"it was" not in done.stdout
    assert b"ValueError: it was x" in done.stderr


def test_handler_shows_the_error_that_is_handled() -> None:
    file = io.StringIO()
    try:
        raise ValueError("here")
    except ValueError:
        cgitb.Hook(file=file).handle()
    assert "here" in file.getvalue()
    file = io.StringIO()
    cgitb.Hook(1, None, 1, file, "text")(*failed(KeyError("there")))
    assert "KeyError: 'there'" in file.getvalue()
    assert callable(cgitb.handler)


def test_a_page_that_cannot_be_made_is_a_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> str:
        raise RuntimeError

    for form, name in (("html", "html"), ("text", "text")):
        file = io.StringIO()
        monkeypatch.setattr(cgitb, name, fail)
        cgitb.Hook(file=file, format=form).handle(failed(ValueError("<password='x'>")))
        shown = file.getvalue()
        assert ("&lt;password" if form == "html" else "<password") in shown
        assert "'x'" not in shown


def test_an_output_that_is_gone_is_no_second_error(capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    file.close()
    cgitb.Hook(file=file).handle(failed(ValueError("x")))
    assert "cannot write the error page" in capsys.readouterr().err


def test_the_names_of_the_old_module_are_there() -> None:
    assert cgitb.small("x") == "<small>x</small>"
    assert cgitb.strong("") == cgitb.grey("") == ""
    assert cgitb.grey("x") == '<font color="#909090">x</font>'
    assert "x" in cgitb.html(failed(ValueError("x")))
    assert "x" in cgitb.text(failed(ValueError("x")), 1)
    assert {"enable", "scanvars", "lookup", "handler"} <= set(dir(cgitb))
    assert cgitb.__UNDEF__ is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = cgitb.nothing


def test_enable_and_a_script_that_does_not_fail_load_no_page() -> None:
    source = """
import sys
from cgikit.compat import cgitb
cgitb.enable()
print(sorted({"inspect", "traceback", "tokenize", "re", "tempfile"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-I", "-c", source], capture_output=True, text=True)
    bare = subprocess.run(
        [sys.executable, "-I", "-c", source.replace("cgitb.enable()", "").replace(
            "from cgikit.compat import cgitb", "import cgikit.compat"
        )],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.stdout == bare.stdout
    assert traceback.__name__ == "traceback"
