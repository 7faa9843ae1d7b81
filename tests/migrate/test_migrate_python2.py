"""Programs of Python 2: known as such, with the tool that comes first."""

import pytest

from cgikit.migrate.python2 import TOOL, check
from cgikit.migrate.rewrite import rewrite
from cgikit.migrate.source import NotMigrated


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("print 'Content-Type: text/html'", "a print statement"),
        ("print", ""),
        ("if x: print 'a'; print 'b'", "a print statement"),
        ("try:\n    pass\nexcept IOError, error:\n    pass", "except X, name"),
        ("raise ValueError, 'no'", "raise X, text"),
        ("exec 'x = 1'", "an exec statement"),
        ("if a <> b: pass", "<>"),
        ("x = `y`", "backticks"),
        ("os.chmod(p, 0644)", "an octal number"),
        ("x = ur'a'", "a ur'' string"),
        ("x = 10L", "a long number"),
        ("if x:\n        a = 1\n\tb = 2", "tabs mixed with spaces"),
        ("import Cookie", "import Cookie"),
        ("import os, urllib2", "import urllib2"),
        ("from StringIO import StringIO", "from StringIO import"),
        ("print >>sys.stderr, 'x'", "print >>file"),
    ],
)
def test_python_2_is_named_with_the_line_and_the_tool(line: str, what: str) -> None:
    program = f"import cgi\n{line}\n"
    if not what:
        check(program)  # both have that
        return
    with pytest.raises(NotMigrated) as caught:
        rewrite(program.encode())
    assert caught.value.reason == f"Python 2 ({what}): {TOOL}"
    assert 2 <= caught.value.line <= 4


def test_the_first_line_says_so() -> None:
    with pytest.raises(NotMigrated, match="Python 2") as caught:
        rewrite(b"#!/usr/bin/env python2.7\nimport cgi\nprint(cgi.test)\n")
    assert caught.value.line == 1


@pytest.mark.parametrize(
    "program",
    [
        "try:\n    import Cookie\nexcept ImportError:\n    import http.cookies as Cookie\n",
        "import sys\nif sys.version_info < (3,):\n    import urllib2\n",
        "print('x')\nprint >= 1\n",
        "from .StringIO import x\n",
    ],
)
def test_a_program_of_both_is_none(program: str) -> None:
    check(program)


def test_what_is_no_python_at_all_is_said() -> None:
    with pytest.raises(NotMigrated, match="it is not valid Python 3: "):
        check("use strict;\nmy $x = 1;\n")
