"""A long program takes linear time: the work is counted, see `work.py`, never timed.

Each family is a program that made the work on its imports quadratic, at sizes that double.
"""

from collections.abc import Callable

import pytest
from work import Work, growth, instrumented

SIZE = 20
RATIO = 2.5

WORK = Work()
*_, rewriting = instrumented(
    WORK,
    "cgikit.migrate.edits",
    "cgikit.migrate.source",
    "cgikit.migrate.code",
    "cgikit.migrate.contexts",
    "cgikit.migrate.bindings",
    "cgikit.migrate.hiding",
    "cgikit.migrate.work",
    "cgikit.migrate.spelling",
    "cgikit.migrate.unused",
    "cgikit.migrate.escape",
    "cgikit.migrate.imports",
    "cgikit.migrate.rewrite",
)

PROGRAMS: dict[str, Callable[[int], str]] = {
    "uses": lambda n: "import cgi\nx = [\n" + "cgi.escape('i'),  # one\n" * n + "]\n",
    "uses in f-strings": lambda n: "import cgi\n" + "f'{cgi.escape(1)=}'\n" * n,
    "functions": lambda n: "".join(
        f"def f{i}():\n import cgi\n return cgi.escape('i')\n" for i in range(n)
    ),
    "imports": lambda n: "import cgi\n" * n + "cgi.escape(1)\n" * n,
    "imports of html": lambda n: "import cgi\n" + "import html\n" * n + "cgi.escape(1)\n" * n,
    "parts": lambda n: "from cgi import " + ", ".join(f"a as a{i}" for i in range(n)) + "\n",
    "parts that are used": lambda n: (
        "from cgi import "
        + ", ".join(f"escape as a{i}" for i in range(n))
        + "\n"
        + "".join(f"a{i}(1)\n" for i in range(n))
    ),
    "imports in one line": lambda n: "import cgi; " * n + "x = 1\n",
    "tries": lambda n: "try:\n import cgi\nexcept ImportError: pass\n" * n,
}


@pytest.mark.parametrize("family", PROGRAMS)
def test_a_program(family: str) -> None:
    grown = growth(lambda n: rewriting.rewrite(PROGRAMS[family](n).encode()), WORK, SIZE)
    assert max(grown) <= RATIO, grown
