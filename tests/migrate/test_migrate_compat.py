"""Rule `compat`."""

import pytest
from migrate.rewriting import migrated


@pytest.mark.parametrize(
    "use",
    [
        "cgi.FieldStorage()",
        "cgi.maxlen = 1",
        "class F(cgi.FieldStorage): pass",
        "reload(cgi)",
        "getattr(cgi, 'parse')",
        "def f(x: 'cgi.FieldStorage'): pass",
        "del cgi",
        "x = cgi.parse_header",
    ],
)
def test_every_other_use_keeps_its_name(use: str) -> None:
    assert migrated(f"import cgi\n{use}\n") == f"from cgikit.compat import cgi\n{use}\n"


def test_a_star_import_comes_from_compat() -> None:
    program = "from cgi import *\nfrom cgitb import *\n"
    after = migrated(program)
    assert after == "from cgikit.compat.cgi import *\nfrom cgikit.compat.cgitb import *\n"
    assert migrated(after) == after
