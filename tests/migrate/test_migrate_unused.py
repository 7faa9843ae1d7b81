"""Rule `unused`: an import goes only where no use can hide."""

import pytest
from migrate.rewriting import migrated


@pytest.mark.parametrize(
    "rest",
    [
        "x = 1\n",
        "print('/cgi-bin/x.cgi')\n",
        "def f(cgi): return cgi.escape(x)\n",
        "# a cgi-bin script\n",
        "from cgitb import enable\n",
    ],
)
def test_what_nothing_uses_goes(rest: str) -> None:
    assert "import cgi" not in migrated(f"import cgi\n{rest}")


@pytest.mark.parametrize(
    "rest",
    [
        "exec(x)\n",
        "print('%(cgi)s' % globals())\n",
        "__all__ = ['cgi']\n",
        "x = None  # type: cgi.FieldStorage\n",
        '"""\n>>> cgi.escape("<")\n"""\n',
        "print(f'{x} cgi.escape')\n",
    ],
)
def test_where_a_use_can_hide_it_goes_to_compat(rest: str) -> None:
    assert migrated(f"import cgi\n{rest}") == f"from cgikit.compat import cgi\n{rest}"


@pytest.mark.parametrize(
    "statement",
    ["import cgi  # noqa: F401", "import cgi as cgi", "from cgi import cgi as x  # NOQA"],
)
def test_an_import_that_is_meant_stays(statement: str) -> None:
    assert "cgikit.compat" in migrated(f"{statement}\n")


def test_what_another_file_takes_from_this_one_stays() -> None:
    assert migrated("import cgi\n", exported=True) == "from cgikit.compat import cgi\n"
