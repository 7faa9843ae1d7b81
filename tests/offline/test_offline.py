"""The command line as a request: a server's request is never mixed in."""

import os
from pathlib import Path

import pytest
from child import environment, run_script

COMMAND_LINES = [
    ("a=1",),
    ("--help",),
    ("--debug",),
    ("post", "/x", "-b", "@secret"),
    ("post", "/x", "-F", "f=@secret"),
    ("get", "/x", "-v"),
    ("post", "/x", "-z"),
]


@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_s27_with_a_request_method_words_mean_nothing(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    (tmp_path / "secret").write_text("a canary")
    source = """
def show(request):
    ours = sorted(name for name in sys.modules if "offline" in name)
    return Response.json([request.query.pairs(), request.method, len(request.body), ours])
run(show)
"""
    answer = run_script(tmp_path, source, *words, stdin=b"b=3", QUERY_STRING="b=2")
    assert (answer.code, answer.errors) == (0, "")
    assert answer.body == b'[[["b","2"]],"GET",0,[]]'


@pytest.mark.parametrize("variables", [{"REQUEST_METHOD": ""}, {}], ids=["empty", "missing"])
@pytest.mark.parametrize("words", COMMAND_LINES, ids=" ".join)
def test_s27_a_server_that_sets_no_method_does_not_make_words_mean_something(
    tmp_path: Path, words: tuple[str, ...], variables: dict[str, str]
) -> None:
    (tmp_path / "secret").write_text("a canary")
    env = environment(**variables)
    if not variables:
        del env["REQUEST_METHOD"]
    source = "run(lambda request: request.body.decode() + repr(request.query.pairs()))"
    answer = run_script(tmp_path, source, *words, stdin=b"b=3", env=env)
    assert (answer.code, answer.status) == (0, 500)
    assert "canary" not in answer.page + answer.errors
    assert (
        "GATEWAY_INTERFACE='CGI/1.1' is set, as by a web server, but REQUEST_METHOD is not, so the "
        "command line is not read; let the server set REQUEST_METHOD, or unset GATEWAY_INTERFACE to "
        "start the script by hand"
    ) in answer.errors


def test_the_words_are_still_the_script_s(tmp_path: Path) -> None:
    source = "run(lambda request: ' '.join(sys.argv[1:]))"
    env = {"PATH": os.environ["PATH"]}
    words = ("post", "/x", "-C", "a=1", "b=2")
    assert run_script(tmp_path, source, *words, env=env).page == " ".join(words)


def test_an_answer_by_hand_leaves_standard_input_alone(tmp_path: Path) -> None:
    """A loop of a shell, `while read line`, has its own lines there."""
    env = {"PATH": os.environ["PATH"]}
    source = (
        "run(lambda request: request.body.decode() + '.')\nprint(sys.stdin.read(), file=sys.stderr)"
    )
    for words in ((), ("a=1",), ("post", "/x", "a=1"), ("post", "/x")):
        answer = run_script(tmp_path, source, *words, stdin=b"the shell's", env=env)
        assert answer.errors == "the shell's\n"
