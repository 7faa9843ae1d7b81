"""Rule `escape`."""

import pytest
from migrate.rewriting import migrated, reported


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("cgi.escape(x)", "html.escape(x, quote=False)"),
        ("cgi.escape(x,)", "html.escape(x, quote=False,)"),
        ("cgi.escape( x )", "html.escape( x, quote=False )"),
        ("cgi.escape((x))", "html.escape((x), quote=False)"),
        ("cgi.escape(x, True)", "html.escape(x, True)"),
        ("cgi.escape(x, quote=1)", "html.escape(x, quote=1)"),
        ("cgi.escape(s=x)", "html.escape(s=x, quote=False)"),
        ("cgi.escape(\n  x  # the text\n)", "html.escape(\n  x, quote=False  # the text\n)"),
        ("cgi.escape(cgi.escape(x))", "html.escape(html.escape(x, quote=False), quote=False)"),
    ],
)
def test_the_quotes_stay_what_they_were(before: str, after: str) -> None:
    assert migrated(f"import cgi\n{before}\n") == f"import html\n{after}\n"


@pytest.mark.parametrize(
    "use",
    [
        "(cgi  # why\n  .escape(x))",
        "map(cgi.escape, x)",
        "cgi.escape(*x)",
        "cgi.escape(**x)",
        "cgi.escape()",
        "cgi.escape(a for a in b)",
    ],
)
def test_what_is_not_sure_goes_to_compat(use: str) -> None:
    assert migrated(f"import cgi\n{use}\n") == f"from cgikit.compat import cgi\n{use}\n"


def test_a_name_that_is_called_here_and_passed_on_there_is_one_thing() -> None:
    program = "from cgi import escape\nescape(x)\nmap(escape, y)\n"
    assert migrated(program) == program.replace("from cgi", "from cgikit.compat.cgi")


@pytest.mark.parametrize("printed", ["{cgi.escape('<')=}", "{ [cgi.escape('<')] = !s:>9}"])
def test_an_expression_that_is_printed_as_written_stays_and_is_reported(printed: str) -> None:
    rest = f'print(f"{printed}")\n'
    assert migrated(f"import cgi\n{rest}") == f"from cgikit.compat import cgi\n{rest}"
    assert any("as it is written" in text for _, text in reported(f"import cgi\n{rest}"))
