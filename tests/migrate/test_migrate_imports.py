"""Import statements: each keeps its form as far as it can."""

import pytest
from migrate.rewriting import migrated

USES = "cgi.FieldStorage, cgitb.enable, c.test, FieldStorage, test, os, sys\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import cgi  # forms", "from cgikit.compat import cgi  # forms"),
        ("import cgi as c", "from cgikit.compat import cgi as c"),
        ("import cgi, cgitb", "from cgikit.compat import cgi, cgitb"),
        ("import cgi; import cgitb; cgitb.enable()",
         "from cgikit.compat import cgi; from cgikit.compat import cgitb; cgitb.enable()"),
        ("import cgi, os", "import os\nfrom cgikit.compat import cgi"),
        ("import os, cgi, sys", "import os, sys\nfrom cgikit.compat import cgi"),
        ("import os, cgi, cgitb", "import os\nfrom cgikit.compat import cgi, cgitb"),
        ("import os, \\\n   cgi", "import os\nfrom cgikit.compat import cgi"),
        ("import os, cgi; os.abort", "import os; from cgikit.compat import cgi; os.abort"),
        ("if 1:\n\timport os, cgi", "if 1:\n\timport os\n\tfrom cgikit.compat import cgi"),
        ("if 1: import os, cgi", "if 1: import os; from cgikit.compat import cgi"),
        ("from cgi import FieldStorage", "from cgikit.compat.cgi import FieldStorage"),
        ("from cgi import (FieldStorage, # a\n   test)",
         "from cgikit.compat.cgi import (FieldStorage, # a\n   test)"),
        ("from cgi import FieldStorage, parse", "from cgikit.compat.cgi import FieldStorage"),
        ("from cgi import parse, FieldStorage", "from cgikit.compat.cgi import FieldStorage"),
        ("from cgi import *", "from cgikit.compat.cgi import *"),
        ("from cgikit.compat import cgi", "from cgikit.compat import cgi"),
        ("import cgikit.compat.cgi as cgi", "import cgikit.compat.cgi as cgi"),
    ],
)  # fmt: skip
def test_a_statement_keeps_its_form(before: str, after: str) -> None:
    assert migrated(f"{before}\n{USES}") == f"{after}\n{USES}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import os\nimport cgi\nx = 1\n", "import os\nx = 1\n"),
        ("import cgi, os\n", "import os\n"),
        ("import cgi; x = 1\n", "x = 1\n"),
        ("x = 1; import cgi\n", "x = 1\n"),
        ("x = 1; import cgi; import cgitb; y = 2\n", "x = 1; y = 2\n"),
        ("import cgi; import cgitb\nx = 1\n", "x = 1\n"),
        ("def f():\n    import cgi\n", "def f():\n    pass\n"),
        ("def f():\n    import cgi\n    import cgitb  # b\n", "def f():\n    pass\n"),
        ("def f():\n    import cgi\n    return 1\n", "def f():\n    return 1\n"),
        ("if x: import cgi\n", "if x: pass\n"),
        ("# above\nimport cgi\n# below\n", "# above\n# below\n"),
        ("x = 1\nimport cgi", "x = 1\n"),
    ],
)
def test_what_goes_leaves_a_program(before: str, after: str) -> None:
    assert migrated(before) == after


def test_what_is_new_stands_before_what_stays() -> None:
    program = "import cgi\ncgi.test()\ncgi.escape(x)\ncgi.parse_qs(y)\n"
    assert migrated(program).splitlines()[:3] == [
        "import html", "import urllib.parse", "from cgikit.compat import cgi"
    ]  # fmt: skip


def test_a_comment_inside_an_import_is_kept() -> None:
    program = "from cgi import (escape,  # for html\n    parse_qs)\nescape(parse_qs(x))\n"
    assert migrated(program) == program.replace("from cgi ", "from cgikit.compat.cgi ")
