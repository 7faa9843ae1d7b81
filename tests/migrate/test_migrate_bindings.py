"""What a name means: aliases, shadows, fallbacks, and imports in any place."""

import pytest
from migrate.rewriting import migrated, reported

from cgikit.migrate.bindings import groups
from cgikit.migrate.code import Code


@pytest.mark.parametrize(
    ("program", "uses"),
    [
        ("import cgi\ncgi.a\ncgi.b()\ncgi\n", ["a", "b", ""]),
        ("import cgi as c\nc.a\ncgi.b\n", ["a"]),
        ("from cgi import a as b\nb()\na\n", ["a"]),
        ("import cgi\ndef f(cgi): return cgi.a\ndef g(): return cgi.b\n", ["b"]),
        ("import cgi\ndef f():\n cgi = 1\n return cgi.a\n", []),
        ("import cgi\nclass C:\n x = cgi.a\n def f(self, y=cgi.b): pass\n", ["a", "b"]),
        ("from cgikit.compat import cgi\ncgi.a\n", ["a"]),
        ("import cgikit.compat.cgi as cgi\ncgi.a\n", ["a"]),
        ("x = [cgi.a for cgi in y]\nimport cgi\n", []),
    ],
)
def test_the_uses_of_a_name_are_those_of_its_scope(program: str, uses: list[str]) -> None:
    (group,) = groups(Code(program))
    assert [use.member for use in group.uses] == uses


@pytest.mark.parametrize(
    "other", ["import cgiweb\n", "from .cgi import a\n", "from x import cgi\n"]
)
def test_other_modules_are_other_modules(other: str) -> None:
    assert groups(Code(other)) == []


@pytest.mark.parametrize(
    "again",
    ["cgi = None", "def cgi(): pass", "for cgi in (): pass", "import x as cgi", "class cgi: pass"],
)
def test_a_name_that_is_bound_twice_changes_at_its_import_only(again: str) -> None:
    program = f"import cgi\n{again}\ncgi.escape(x)\n"
    assert migrated(program) == program.replace(
        "import cgi\n", "from cgikit.compat import cgi\n", 1
    )
    assert reported(program)[0][1].startswith("'cgi' is bound to something else as well")


def test_a_name_in_a_pattern_is_bound_twice() -> None:
    program = "import cgi\nmatch x:\n    case [cgi]: pass\ncgi.escape(x)\n"
    assert "cgi.escape(x)" in migrated(program)


@pytest.mark.parametrize(
    "program",
    [
        "try:\n    import cgi\nexcept ImportError:\n    cgi = None\n",
        "try:\n    import cgi\n    x = cgi.escape\nexcept (ImportError, OSError):\n    pass\n",
        "try:\n    import cgi\nexcept:\n    pass\n",
        "try:\n    from html import escape\nexcept ImportError:\n    from cgi import escape\n",
        "import sys\nif sys.version_info[0] < 3:\n    import cgi\nelse:\n    import html as cgi\n",
        "if PYTHON2:\n    import cgi\n",
        "try:\n    from cgi import escape, parse_qs\nexcept ModuleNotFoundError:\n    pass\n",
    ],
)  # fmt: skip
def test_a_program_with_an_answer_of_its_own_is_left(program: str) -> None:
    program += "print(cgi.escape('<'))\n"
    assert migrated(program) == program
    assert any("look at it yourself" in text for _, text in reported(program))


def test_an_error_page_around_a_whole_script_is_no_fallback() -> None:
    program = (
        "try:\n    import cgi\n    print(cgi.escape('<'))\nexcept Exception:\n    print('sorry')\n"
    )
    assert "html.escape('<', quote=False)" in migrated(program)


def test_imports_in_functions_stay_there() -> None:
    program = "def f(x):\n    import cgi\n    return cgi.escape(x)\n"
    assert migrated(program) == (
        "def f(x):\n    import html\n    return html.escape(x, quote=False)\n"
    )
