"""Rule `hidden`: names in texts."""

import pytest
from migrate.rewriting import migrated, reported


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("cgi = __import__('cgi')", "names 'cgi' in a string; it is cgikit.compat.cgi now"),
        ("importlib.import_module('cgitb')", "it is cgikit.compat.cgitb now"),
        ("sys.modules['cgi'].escape", "names 'cgi' in a string"),
        ("sys.modules.get('cgi')", "names 'cgi' in a string"),
        ("if 'cgi' in sys.modules: pass", "names 'cgi' in a string"),
        ("mock.patch('cgi.FieldStorage.__init__')", "it is cgikit.compat.cgi.FieldStorage"),
        ("exec('import cgi; cgi.test()')", "holds a program that imports cgi"),
        ("run(['python', '-c', 'from cgi import test'])", "holds a program that imports cgi"),
        ("SCRIPT = '''#!/usr/bin/python\nimport os, cgi\n'''", "holds a program"),
    ],
)
def test_it_is_shown(program: str, text: str) -> None:
    assert [(n, text in said) for n, said in reported(f"{program}\n")] == [(1, True)]
    assert migrated(f"{program}\n") == f"{program}\n"


@pytest.mark.parametrize(
    "program",
    ["print('cgi')", "x['cgi']", "'''Use: import cgi'''", "f('cgi-bin')", "f('import cgixy')"],
)
def test_other_texts_are_not(program: str) -> None:
    assert reported(f"{program}\n") == []
