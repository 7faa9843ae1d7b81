"""Words on the command line are the query of a request."""

import os
from pathlib import Path

import pytest
from child import Answer, run_script

from cgikit import Request
from cgikit.offline import request

SHOW = """
def show(request):
    return Response.json({
        "query": request.query.pairs(), "keywords": request.keywords, "path": request.path_info,
        "method": request.method, "script": request.script_name, "argv": sys.argv[1:],
        "body": len(request.body), "url": request.url(),
    })
run(show)
"""


def offline(tmp_path: Path, *words: str, source: str = SHOW, **variables: str) -> Answer:
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **variables}
    return run_script(tmp_path, source, *words, env=env)


@pytest.mark.parametrize(
    ("words", "query", "keywords", "path"),
    [
        ([], [], [], ""),
        (["a=1"], [["a", "1"]], [], ""),
        (["a=1", "b=x y&z=ü+%41", "a=2"], [["a", "1"], ["b", "x y&z=ü+%41"], ["a", "2"]], [], ""),
        (["a=1", "word"], [["a", "1"], ["word", ""]], [], ""),
        (["a="], [["a", ""]], [], ""),
        (["/path?x=1"], [["x", "1"]], [], "/path"),
        (["/p%20q/?x=%C3%BC&y"], [["x", "ü"], ["y", ""]], [], "/p q/"),
        (["/path"], [], [], "/path"),
        (["/?x=1", "y=2"], [["x", "1"], ["y", "2"]], [], "/"),
        (["/?x=1", "word"], [["x", "1"], ["word", ""]], [], "/"),
        (["/?"], [], [], "/"),
        (["/x?a=1", "-v"], [["a", "1"], ["-v", ""]], [], "/x"),
        (["-x=1", "--long=2"], [["-x", "1"], ["--long", "2"]], [], ""),
    ],
)
def test_words_are_a_request(
    tmp_path: Path, words: list[str], query: list, keywords: list[str], path: str
) -> None:
    import json

    answer = offline(tmp_path, *words)
    assert (answer.errors, answer.code) == ("", 0)
    shown = json.loads(answer.body)
    assert shown["query"] == query
    assert shown["path"] == path
    if not query:
        assert shown["keywords"] == keywords
    assert (shown["method"], shown["script"], shown["body"]) == ("GET", "/script.py", 0)
    assert shown["argv"] == words  # for the script's own options


@pytest.mark.parametrize(
    "words",
    [
        ["one"],
        ["two", "words"],
        ["a b", "ü", "c+d", "-v", "%41"],
        ["post", "office"],
        ["get"],
        ["post", "office", "/x"],
        ["propfind", "/x"],
        ["A", "/b"],
        ["GET2", "/b"],
        ["post", "-v"],
        ["post", "-v", "office"],
        ["word", "--help"],
        ["word", "--debug"],
        ["-h"],
        ["--", "a"],
        ["../x", "/y"],
    ],
)
def test_r41_words_alone_are_keywords(words: list[str]) -> None:
    assert Request(*request(["/dir/x.py", *words])).keywords == words


def test_the_answer_is_printed(tmp_path: Path) -> None:
    answer = offline(tmp_path, "a=1", source="run(lambda request: request.query['a'])")
    assert answer.output == b"Content-Type: text/html; charset=utf-8\nContent-Length: 1\n\n1"


def test_a_body_in_the_environment_is_not_waited_for(tmp_path: Path) -> None:
    assert b'"body":0' in offline(tmp_path, CONTENT_LENGTH="5").body


def test_an_empty_request_method_is_none(tmp_path: Path) -> None:
    # R2: empty and unset are the same
    assert b'"query":[["a","1"]]' in offline(tmp_path, "a=1", REQUEST_METHOD="").body


def test_a_bug_is_shown_like_any_other(tmp_path: Path) -> None:
    answer = offline(tmp_path, source="run(lambda request: 1 / 0)")
    assert answer.status == 500
    assert "ZeroDivisionError" in answer.errors


def test_nothing_is_left_of_a_path_in_the_environment(tmp_path: Path) -> None:
    answer = offline(tmp_path, QUERY_STRING="a=1", PATH_INFO="/left", CONTENT_LENGTH="4")
    assert b"left" not in answer.body
    answer = offline(tmp_path, "b=2", QUERY_STRING="left=over", PATH_INFO="/left")
    assert b"left" not in answer.body


def test_variables_that_no_word_describes_are_those_of_the_environment(tmp_path: Path) -> None:
    """SCRIPT_NAME was made from the file, whatever the environment said."""
    import json

    given = {"SCRIPT_NAME": "/z y.py", "SERVER_NAME": "tea.example", "SERVER_PORT": "8080"}
    for words in (["a=1"], ["get", "/p", "a=1"]):
        shown = json.loads(offline(tmp_path, *words, **given).body)
        assert shown["script"] == "/z y.py"
        assert shown["url"].startswith("http://tea.example:8080/z%20y.py")


@pytest.mark.parametrize(
    "words", [["post", "a=1"], ["Post"], ["get", "well"], ["put", "-v", "a=1"], ["GET", "a=1"]]
)
def test_a_method_without_a_path_is_a_word_and_a_line_says_so(
    tmp_path: Path, words: list[str]
) -> None:
    import json

    answer = offline(tmp_path, *words)
    assert json.loads(answer.body)["method"] == "GET"
    script = tmp_path / "script.py"
    assert answer.errors == (
        f"{script}: {words[0]!r} is taken for a word of a GET request, since no path follows it; for "
        f"the method write {script} {words[0]} / and then the rest\n"
    )
    assert answer.code == 0


def test_words_that_are_not_utf_8() -> None:
    environ, _ = request(["x", "a=\udcff"])
    assert environ["QUERY_STRING"] == "a=%FF"


def test_no_words_at_all() -> None:
    environ, stdin = request([])
    assert environ["SCRIPT_NAME"] == "/"
    assert stdin.read() == b""


def test_3_8_a_query_string_without_words_is_the_query(tmp_path: Path) -> None:
    import json

    def shown(*words: str, query: str) -> tuple[list, list[str]]:
        answer = json.loads(offline(tmp_path, *words, QUERY_STRING=query).body)
        assert answer["method"] == "GET"
        return answer["query"], answer["keywords"]

    assert shown(query="a=1&b=%C3%BC") == ([["a", "1"], ["b", "ü"]], [])
    assert shown(query="two+words")[1] == ["two", "words"]
    assert shown("c=2", query="a=1")[0] == [["c", "2"]]  # the words are the request
    assert shown("/path", query="a=1")[0] == []
