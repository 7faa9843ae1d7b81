"""Where a use of a name can hide."""

import pytest

from cgikit.migrate.code import Code
from cgikit.migrate.hiding import Hiding


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('a b.c d-e')", {"a", "b"}),
        ("print(f'a {b} c')", {"a", "c"}),
        ("x = 1  # a comment", set()),
        ("x = None  # type: a", {"type", "a"}),
        ("self.cgi", {"cgi"}),
        ("page.lib.cgi", {"lib", "cgi"}),
        ("import re\nre.escape", set()),
        ("re = 1\nre.escape", {"escape"}),
        ("import urllib.parse\nurllib.parse.quote", set()),
        ("import sys\nsys.modules", {"modules"}),
    ],
)
def test_words_are_those_of_texts_and_attributes(program: str, words: set[str]) -> None:
    assert Hiding(Code(program)).words == words


@pytest.mark.parametrize(
    ("program", "reflects"),
    [
        ("eval(x)", True),
        ("a.f_globals", True),
        ("import __main__", True),
        ("sys.modules[__name__]", True),
        ("import_module(__name__)", True),
        ("if __name__ == '__main__': pass", False),
        ("getLogger(__name__)", False),
        ("print('eval it')", False),
    ],
)
def test_a_program_that_reaches_any_name_reflects(program: str, reflects: bool) -> None:
    assert Hiding(Code(program)).reflects is reflects
