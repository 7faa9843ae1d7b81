"""What is around an expression."""

import libcst as cst
import pytest

from cgikit.migrate import contexts
from cgikit.migrate.code import Code


def call_in(program: str) -> tuple[Code, cst.Call]:
    code = Code(program)
    return code, next(c for c in code.each(cst.Call) if code.source(c.func) == "f")


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("if f(): pass", True),
        ("while not (f()): pass", True),
        ("if a and (b or f()): pass", True),
        ("x = 1 if f() else 2", True),
        ("[a for a in b if f()]", True),
        ("assert f(), x", True),
        ("assert x, f()", False),
        ("x = f() or 1", False),
        ("x = f() if a else 2", False),
        ("if f() == 1: pass", False),
        ("if g(f()): pass", False),
        ("x = -f()", False),
    ],
)
def test_whether_only_the_truth_counts(program: str, expected: bool) -> None:
    assert contexts.is_test(*call_in(program)) is expected


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("f() == 'a'", True),
        ("'a' != f()", True),
        ("f() in ('a', 'b')", True),
        ("f() == ''", False),
        ("f() == None", False),
        ("f() == x", False),
        ("f() in ('a', '')", False),
        ("f() in x", False),
        ("f() < 'a'", False),
        ("'a' == f() == 'b'", False),
    ],
)
def test_whether_blank_and_absent_compare_alike(program: str, expected: bool) -> None:
    assert contexts.is_compared_with_text(*call_in(program)) is expected


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("x = f()", False),
        ("g(f(), y=f())", False),
        ("return_ = (f())", False),
        ("x = f() or 1", False),
        ("f'{f()}'", False),
        ("x[f()]", False),
        ("x = f() and 1", True),
        ("f().upper()", True),
        ("f() + 1", True),
        ("f() % 2", True),
        ("f()[0]", True),
        ("g(*f())", True),
        ("x = f() == 1", True),
        ("x = not f()", True),
    ],
)
def test_whether_an_or_in_its_place_needs_parentheses(program: str, expected: bool) -> None:
    assert contexts.needs_parentheses(*call_in(program)) is expected


@pytest.mark.parametrize(
    ("handler", "expected"),
    [("except KeyError", True), ("except", True), ("except (OSError, LookupError)", True),
     ("except ValueError", False)],
)  # fmt: skip
def test_whether_a_key_error_is_caught(handler: str, expected: bool) -> None:
    program = f"try:\n    f()\n{handler}:\n    pass\n"
    assert contexts.misses_are_caught(*call_in(program)) is expected
