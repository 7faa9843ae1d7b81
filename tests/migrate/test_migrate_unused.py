"""Rule `unused`: an import goes only where no use can hide."""

import ast

import pytest
from migrate.answers import SCRIPTS
from migrate.rewriting import migrated

from cgikit.migrate import unused
from cgikit.migrate.bindings import Group
from cgikit.migrate.rewrite import rewrite
from cgikit.migrate.work import Work

ESCAPED = "print(cgi.escape('<'))\n"
#: Programs with a use of the name that is not an access to the variable, by what hides it.
HIDDEN = {
    "eval": ESCAPED + "print(eval('cgi.FieldStorage()'))\n",
    "eval of builtins": ESCAPED + "import builtins\nbuiltins.eval(x)\n",
    "eval by name": ESCAPED + "import builtins\ngetattr(builtins, 'eval')(x)\n",
    "__all__": "__all__ = ['cgi', 'page']\n" + ESCAPED,
    "globals": ESCAPED + "globals()['cgi'].test()\n",
    "vars": ESCAPED + "import sys\nvars(sys.modules[__name__])[x]\n",
    "locals": ESCAPED + "locals()['cgi'].test()\n",
    "getattr": ESCAPED + "import sys\ngetattr(sys.modules[x], 'cgi')\n",
    "an attribute of the module": ESCAPED + "import sys\nsys.modules[__name__].cgi.test()\n",
    "an attribute of anything": ESCAPED + "import page\npage.cgi.test()\n",
    "the module by a name": ESCAPED + "import sys\ngetattr(sys.modules[__name__], x)\n",
    "the main module": ESCAPED + "import __main__\ngetattr(__main__, x)\n",
    "the main module as a text": ESCAPED + "import sys\ngetattr(sys.modules['__main__'], x)\n",
    "__dict__": ESCAPED + "import page\npage.__dict__[x]\n",
    "__globals__": ESCAPED + "print.__globals__[x]\n",
    "a frame": ESCAPED + "import sys\nsys._getframe().f_globals[x]\n",
    "a type in a comment": ESCAPED + "x = None  # type: cgi.FieldStorage\n",
    "a doctest": ESCAPED + '"""\n>>> cgi.escape(1)\n"""\n',
}
#: Programs with an import that binds more than a local variable of its function.
SHARED = {
    "global": "def init():\n    global cgi\n    import cgi\ninit()\nprint(cgi.escape('<'))\n",
    "global, used in a function": (
        "cgi = None\ndef init():\n    global cgi\n    import cgi\ndef f(): return cgi.escape(x)\n"
    ),
    "global, used where it is bound": (
        "def init():\n    global cgi\n    import cgi\n    cgi.escape(x)\ndef f(): return cgi.test()\n"
    ),
    "nonlocal": (
        "def f():\n    cgi = None\n    def g():\n        nonlocal cgi\n        import cgi\n"
        "    g()\n    return cgi.escape(x)\n"
    ),
    "class": "class A:\n    import cgi\n    def f(self): return self.cgi.FieldStorage()\n",
    "class, by its type": "class A:\n    import cgi\n    def f(self): return type(self).cgi\n",
    "class, used in it": "class A:\n    import cgi\n    x = cgi.escape('<')\n",
}  # fmt: skip


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


@pytest.mark.parametrize("place", HIDDEN)
def test_an_import_with_a_hidden_use_stays_beside_the_new_one(place: str) -> None:
    after = migrated("import cgi\n" + HIDDEN[place])
    assert "import html\n" in after
    assert "html.escape('<', quote=False)" in after
    assert "from cgikit.compat import cgi\n" in after


def test_a_function_that_another_place_may_take_keeps_its_meaning() -> None:
    program = "from cgi import escape\n__all__ = ['escape']\nescape('<')\n"
    assert migrated(program) == program.replace("from cgi ", "from cgikit.compat.cgi ")


def test_what_another_file_takes_stays_where_all_uses_are_rewritten() -> None:
    after = migrated(f"import cgi\n{ESCAPED}", exported=True)
    assert after.startswith("import html\nfrom cgikit.compat import cgi\n")


@pytest.mark.parametrize("place", SHARED)
def test_an_import_that_binds_for_others_only_changes_its_origin(place: str) -> None:
    program = SHARED[place]
    assert migrated(program) == program.replace("import cgi", "from cgikit.compat import cgi")


@pytest.mark.parametrize(
    "rest",
    [
        "print('/cgi-bin/x.cgi')\n",
        "if __name__ == '__main__': pass\n",
        "import re\nre.escape(x)\n",
        "import logging\nlogging.getLogger(__name__)\n",
        "# a page by cgi\n",
    ],
)
def test_what_hides_no_use_does_not_keep_the_import(rest: str) -> None:
    after = migrated(f"import cgi\n{ESCAPED}{rest}")
    assert after == f"import html\nprint(html.escape('<', quote=False))\n{rest}"


def bound(program: bytes) -> set[str]:
    """The names that a program binds outside its functions and classes, or in them as global."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(program)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
            if not any(isinstance(one, ast.Global) for one in ast.walk(node)):
                continue
        waiting += ast.iter_child_nodes(node)
    return names


PROGRAMS = {
    **{script.stem: script.read_bytes() for script in SCRIPTS},
    **{place: f"import cgi\n{program}".encode() for place, program in HIDDEN.items()},
    **{place: program.encode() for place, program in SHARED.items()},
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_no_name_goes_but_by_the_one_decision(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    decide, gone = unused.goes, set()

    def goes(work: Work, group: Group) -> bool:
        decided = decide(work, group)
        if decided:
            gone.add(group.name)
        return decided

    monkeypatch.setattr(unused, "goes", goes)
    before = PROGRAMS[name]
    after = rewrite(before).data or before
    assert bound(before) - bound(after) <= gone
