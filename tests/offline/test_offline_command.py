"""A method with a path and options on the command line is that request."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from child import run_script, write_script
from hypothesis import given
from hypothesis import strategies as st

from cgikit import Request
from cgikit.offline import request
from cgikit.offline.command import is_one

FORM = "application/x-www-form-urlencoded"


def asked(*words: str) -> Request:
    return Request(*request(["/dir/x.py", *words]))


# --- which words are a request ----------------------------------------------------------------


@pytest.mark.parametrize(
    "method", ["get", "GET", "Get", "head", "post", "put", "patch", "delete", "options"]
)
def test_a_method_before_a_path(method: str) -> None:
    found = asked(method, "/p%20q/?x=%C3%BC&y")
    assert (found.method, found.path_info) == (method.upper(), "/p q/")
    assert found.query.pairs() == [("x", "ü"), ("y", "")]
    assert (found.script_name, found.content_length, found.body) == ("/x.py", 0, b"")


def test_a_method_that_is_not_known_is_in_capitals() -> None:
    assert asked("PROPFIND", "/x").method == "PROPFIND"
    assert not is_one(["propfind", "/x"])
    assert not is_one(["A", "/x"])
    assert not is_one(["POST", "office"])
    assert not is_one(["POST"])
    assert not is_one([])


def test_fields_are_the_query_or_the_form() -> None:
    for method in ("get", "head", "delete", "options"):
        found = asked(method, "/x?a=1", "b=x y&", "word")
        assert found.query.pairs() == [("a", "1"), ("b", "x y&"), ("word", "")]
        assert found.body == b""
    for method in ("post", "put", "patch", "REPORT"):
        found = asked(method, "/x?a=1", "b=x y&", "word")
        assert (found.query.pairs(), found.content_type) == ([("a", "1")], FORM)
        assert found.form.pairs() == [("b", "x y&"), ("word", "")]
        assert found.content_length == len(found.body)
    assert asked("get", "/x", "two", "w ords").keywords == ["two", "w ords"]


# --- options ----------------------------------------------------------------------------------


def test_header_fields() -> None:
    found = asked(
        "get", "/x", "-H", "Accept: a", "--header", "accept:b ", "-HX-Y:c", "--header=Host: h:81"
    )
    assert dict(found.headers) == {"Accept": "a, b", "X-Y": "c", "Host": "h:81"}
    assert found.url() == "http://h:81/x.py/x"


def test_a_type_and_a_length_of_the_body() -> None:
    found = asked("put", "/x", "-H", "content-type: application/json", "-b", "[1]")
    assert (found.json(), found.content_length) == ([1], 3)
    # To try what a script does with a body that is cut
    assert asked("put", "/x", "-b", "a", "-H", "Content-Length: 3").content_length == 3


def test_cookies() -> None:
    found = asked("get", "/x", "-C", "a=1", "--cookie", "b=x=y", "-H", "Cookie: c=3")
    assert found.cookies.pairs() == [("c", "3"), ("a", "1"), ("b", "x=y")]


def test_a_body_that_is_given(tmp_path: Path) -> None:
    assert asked("post", "/x", "-b", "a=1&b=%C3%BC").form.pairs() == [("a", "1"), ("b", "ü")]
    (tmp_path / "body").write_bytes(b"\xff\r\n")
    found = asked("post", "/x", "--body", f"@{tmp_path}/body")
    assert (found.body, found.content_type) == (b"\xff\r\n", FORM)
    assert asked("get", "/x?q=1", "-b", "text", "c=2").query.pairs() == [("q", "1"), ("c", "2")]
    assert asked("post", "/x", "-b", "\udcff").body == b"\xff"


def test_a_multipart_form(tmp_path: Path) -> None:
    (tmp_path / "ä cat.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty").touch()
    found = asked(
        "post", "/x", "-F", f"f=@{tmp_path}/ä cat.png", "-F", "t=one\ntwo", "w=a=b",
        "-F", f"f=@{tmp_path}/empty",
    )  # fmt: skip
    assert found.form.pairs() == [("w", "a=b"), ("t", "one\r\ntwo")]
    first, second = found.files.getlist("f")
    assert (first.filename, first.content_type, first.read()) == (
        "ä cat.png",
        "image/png",
        b"\x89PNG",
    )
    assert (second.filename, second.read()) == ("empty", b"")
    found.close()


def test_a_pipe_is_a_file(tmp_path: Path) -> None:
    """`@<(command)` of bash."""
    read, write = os.pipe()
    os.write(write, b"x" * 10)
    os.close(write)
    assert asked("post", "/x", "-b", f"@/dev/fd/{read}").body == b"x" * 10
    os.close(read)


def test_options_stand_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POSIXLY_CORRECT", "1")
    for words in (("-C", "a=1", "/x", "f=1"), ("/x", "f=1", "-C", "a=1"), ("/x", "-Ca=1", "f=1")):
        found = asked("post", *words)
        assert (found.path_info, found.cookies["a"], found.form["f"]) == ("/x", "1", "1")
    assert asked("get", "/x", "--", "-C=1", "--").query.pairs() == [("-C", "1"), ("--", "")]


def test_the_environment_is_part_of_the_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REMOTE_USER", "ada")
    monkeypatch.setenv("HTTP_COOKIE", "old=1")
    monkeypatch.setenv("QUERY_STRING", "left=over")
    monkeypatch.setenv("CONTENT_TYPE", "left/over")
    found = asked("get", "/x", "-C", "a=1")
    assert found.remote_user == "ada"
    assert (found.cookies.pairs(), found.query_string, found.content_type) == ([("a", "1")], "", "")


# --- what is no request -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["post", "-v", "word", "/x"], "'word' is not a path; write post /PATH first, then fields"),
        (["post", "-C", "/x"], "the path is missing; write post /PATH first"),
        (["get", "/x", "-z"], "option -z not recognized; a field that begins with - comes after --"),
        (["get", "/x", "--nope"], "option --nope not recognized; a field that begins"),
        (["get", "/x", "-H"], "option -H requires an argument; write it after the option"),
        (["get", "/x", "-H", "word"], "-H 'word' is not a header field; write it as 'NAME: VALUE'"),
        (["get", "/x", "-H", "a b: c"], "-H 'a b: c' is not a header field"),
        (["get", "/x", "-H", "X_Y: c"], "-H 'X_Y: c' is not a header field"),
        (["get", "/x", "-H", "X: a\nY: b"], r"-H 'X: a\nY: b' is not a header field"),
        (["get", "/x", "-C", "word"], "-C 'word' is not a cookie; write it as NAME=VALUE"),
        (["get", "/x", "-C", "a=\n"], r"-C 'a=\n' is not a cookie"),
        (["post", "/x", "-b", "1", "-b", "2"], "-b '1' and another -b are two bodies; give one"),
        (["post", "/x", "-b", "1", "-F", "a=1"], "-b '1' and another -F are two bodies"),
        (["post", "/x", "-b", "1", "a=2"], "-b is the whole body, so it cannot have the field 'a=2'"),
        (["post", "/x", "-F", "word"], "-F 'word' has no value; write NAME=VALUE, or NAME=@FILE"),
        (["get", "/x", "-F", "a=1"], "-F 'a=1': GET sends no form; use post"),
        (["post", "/x", "-F", "a=@/nope"], "'/nope' cannot be read: no such file or directory; give a"),
        (["post", "/x", "-b", "@/"], "'/' cannot be read: is a directory"),
        (["post", "/x", "-b", "@"], "'' cannot be read: no such file"),
        (["post", "/x", "--debug", "-b", "@-"], "--debug and -b @- both read standard input"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(words: list[str], message: str, capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        asked(*words)
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith(f"/dir/x.py: {message}")
    assert said.endswith("; see /dir/x.py --help\n")
    assert said.count("\n") == 1


@given(
    st.lists(
        st.sampled_from(
            ["post", "get", "/x", "-v", "-b", "-F", "a=1", "--", "-C", "-H", "@", "-zz", "A: b"]
        )
    )
)
def test_any_words_are_a_request_or_an_error(words: list[str]) -> None:
    """Nothing but the end of the process comes out, never a traceback."""
    try:
        asked(*words).params.pairs()
    except SystemExit:
        pass


# --- by hand ----------------------------------------------------------------------------------

SHOW = """
def show(request):
    return f"{request.method} {request.path_info} {request.form.pairs()} {request.cookies.pairs()}"
run(show)
"""


def test_the_script_answers(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    answer = run_script(tmp_path, SHOW, "post", "/form", "a=ü", "-C", "theme=dark", env=env)
    assert (answer.errors, answer.code) == ("", 0)
    assert answer.page == "POST /form [('a', 'ü')] [('theme', 'dark')]"
    answer = run_script(tmp_path, SHOW, "head", "/form", env=env)
    assert (answer.page, answer.field("Content-Length")) == ("", "16")
    answer = run_script(tmp_path, SHOW, "post", "/form", "-z", env=env)
    assert (answer.output, answer.code) == (b"", 2)


def test_verbose_shows_the_variables_on_standard_error(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "SECRET": "canary"}
    answer = run_script(tmp_path, SHOW, "post", "/f\n", "a=1", "-H", "X: y", "--verbose", env=env)
    lines = answer.errors.splitlines()
    assert lines == sorted(lines)
    assert {"CONTENT_LENGTH='3'", "HTTP_X='y'", r"PATH_INFO='/f\n'", "REQUEST_METHOD='POST'"} < {
        *lines
    }
    assert "canary" not in answer.errors
    assert answer.page == "POST /f\n [('a', '1')] []"


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_a_script_of_a_shell(shell: str, tmp_path: Path) -> None:
    from requirement import need

    script = write_script(tmp_path, SHOW)
    lines = f"""
run() {{ '{sys.executable}' '{script.name}' "$@"; echo " [$?]"; }}
run get '/a b' 2>&1 | tail -1
run post /x -C theme=dark name='two words' | tail -1
printf 'a=1' | run post /x -b @- | tail -1
printf 'a=1\\nb=2 3' | run --debug post /x | tail -1
run post /x </dev/null | tail -1
run post /x -b 2>/dev/null </dev/null
"""
    done = subprocess.run(
        [need(shell), "-c", lines], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "GET /a b [] [] [0]",
        "POST /x [('name', 'two words')] [('theme', 'dark')] [0]",
        "POST /x [('a', '1')] [] [0]",
        "POST /x [('a', '1'), ('b', '2 3')] [] [0]",
        "POST /x [] [] [0]",
        " [2]",
    ]
