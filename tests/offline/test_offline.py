"""The command line as a request: a server's request is never mixed in."""

import os
from pathlib import Path

import pytest
from child import run_script

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
