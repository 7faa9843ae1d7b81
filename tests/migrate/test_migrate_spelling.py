"""How a function is named: an import that is there, a new one, never a name that is taken."""

import pytest
from migrate.rewriting import migrated

USE = "print(cgi.escape(x))\n"


@pytest.mark.parametrize(
    ("program", "line", "call"),
    [
        (USE, "import html", "html.escape"),
        ("html = '<p>'\n" + USE, "from html import escape", "escape"),
        ("def f(html): pass\n" + USE, "from html import escape", "escape"),
        ("html = escape = 1\n" + USE, "from html import escape as html_escape", "html_escape"),
        ("from x import *\n" + USE, "from html import escape as html_escape", "html_escape"),
        ("html = escape = html_escape = 1\n" + USE, "from cgikit.compat import cgi", "cgi.escape"),
        ("import html\n" + USE, "import html", "html.escape"),
        ("from html import escape\n" + USE, "from html import escape", "escape"),
        (USE + "import html\n", "import html", "html.escape"),
        ("import lxml.html as html\n" + USE, "from html import escape", "escape"),
        ("if x:\n    import html\n" + USE, "from html import escape", "escape"),
        ("from x import html\n" + USE, "from html import escape", "escape"),
        ("import html\ndef f(): html = 1\n" + USE, "from html import escape", "escape"),
    ],
)
def test_a_name_that_is_taken_is_left_alone(program: str, line: str, call: str) -> None:
    after = migrated(f"import cgi\n{program}")
    assert line in after.splitlines()
    assert f"print({call}(x" in after


@pytest.mark.parametrize(
    ("program", "line", "call"),
    [
        ("", "import urllib.parse", "urllib.parse.parse_qs"),
        ("import urllib.parse\n", "import urllib.parse", "urllib.parse.parse_qs"),
        ("import urllib.request\n", "import urllib.parse", "urllib.parse.parse_qs"),
        ("urllib = 1\n", "from urllib.parse import parse_qs", "parse_qs"),
    ],
)
def test_a_package_that_is_imported_takes_another_part(program: str, line: str, call: str) -> None:
    after = migrated(f"import cgi\n{program}print(cgi.parse_qs(x))\n")
    assert line in after.splitlines()
    assert f"print({call}(x))" in after


def test_a_name_that_was_imported_by_itself_is_kept() -> None:
    assert migrated("from cgi import escape as e\ne(x)\n") == (
        "from html import escape as e\ne(x, quote=False)\n"
    )
