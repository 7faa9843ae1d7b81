"""Which refusals the log has: those that somebody can mend, each once, and no flood of them."""

import pytest

from cgikit.host.problem import Problem
from cgikit.host.refusals import MAX_LINES, MAX_SAME_FIX, Refusals

OFF = Problem(403, "off.py is not executable.", "chmod +x off.py")


def missing(number: int) -> Problem:
    return Problem(404, f"Nothing is served at /{number}.", "Check the spelling.")


def test_a_fault_is_logged_with_its_fix_and_once() -> None:
    refusals = Refusals()
    assert refusals.line("/off.py/a", OFF) == "/off.py/a: off.py is not executable. chmod +x off.py"
    assert refusals.line("/off.py/b", OFF) == ""


@pytest.mark.parametrize(
    "problem",
    [Problem(403, "It is what it is."), Problem(400, "what", "fix"), Problem(500, "x", "y")],
)
def test_other_problems_are_not_told_here(problem: Problem) -> None:
    assert Refusals().line("/a", problem) == ""


def test_paths_that_visitors_invent_do_not_fill_the_log_nor_hide_a_fault() -> None:
    refusals = Refusals()
    lines = [refusals.line(f"/{number}", missing(number)) for number in range(10 * MAX_SAME_FIX)]
    told = [line for line in lines if line]
    assert len(told) == MAX_SAME_FIX
    assert told[-1].endswith("More of this kind are not logged.")
    assert refusals.line("/off.py", OFF)


def test_there_is_an_end_to_all_of_them() -> None:
    refusals = Refusals()
    lines = [refusals.line("/x", Problem(403, "x", f"chmod +x {n}")) for n in range(2 * MAX_LINES)]
    assert len(list(filter(None, lines))) == MAX_LINES


def test_the_line_is_one_line() -> None:
    assert "\n" not in Refusals().line("/a\nb", Problem(404, "c\nd", "e\nf"))
