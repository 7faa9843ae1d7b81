"""What a problem says: all of it to the owner of the scripts, nothing about files to visitors (S4)."""

import pytest

from cgikit.errors import CGIError
from cgikit.host.problem import Problem

SECRET = "/srv/secret.py is broken."


def test_the_log_gets_what_is_wrong_the_fix_and_the_evidence() -> None:
    problem = Problem(500, "What.", "Fix.", evidence="line 1: x", headers=(("A", "b"),))
    assert problem.log_text == "What. Fix. (line 1: x)"
    assert (problem.status, problem.what, problem.fix) == (500, "What.", "Fix.")
    assert (problem.evidence, problem.headers) == ("line 1: x", (("A", "b"),))
    assert str(problem) == "What."
    assert isinstance(problem, CGIError)


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem(500, "What."), "What."),
        (Problem(500, "What.", "Fix."), "What. Fix."),
        (Problem(500, "What.", evidence="x"), "What. (x)"),
    ],
)
def test_the_log_gets_no_empty_parts(problem: Problem, text: str) -> None:
    assert problem.log_text == text
    assert problem.headers == ()


@pytest.mark.parametrize(
    ("status", "message"),
    [
        (400, "The server refused this request."),
        (403, "The server refused this request."),
        (404, "There is nothing at this address."),
        (405, "The server refused this request."),
        (413, "What you sent is too large for this server."),
        (414, "The address of this page is too long for this server."),
        (431, "What your browser sends with a request is too large for this server."),
        (500, "The script did not answer. The server's log says why."),
        (503, "The server is busy. Try again in a moment."),
        (504, "The script did not answer. The server's log says why."),
        (507, "The server has no room for what was sent. Try again later."),
    ],
)
def test_s4_a_visitor_reads_a_sentence_without_names(status: int, message: str) -> None:
    problem = Problem(status, SECRET, f"chmod {SECRET}", evidence=SECRET)
    assert problem.message == message
    assert "secret" not in problem.message
