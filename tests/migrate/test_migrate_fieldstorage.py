"""Rule `fieldstorage`: which forms become a `Request`."""

import pytest
from migrate.rewriting import migrated, reported

GET = "print(form.getfirst('a', ''))\n"


def test_without_unsafe_nothing_becomes_a_request() -> None:
    assert "Request" not in migrated(f"import cgi\nform = cgi.FieldStorage()\n{GET}")


@pytest.mark.parametrize(
    ("program", "after"),
    [
        (f"import cgi\nform = cgi.FieldStorage()\n{GET}",
         "from cgikit import Request\nform = Request().params\nprint(form.get('a', ''))\n"),
        (f"from cgi import FieldStorage as F\nform = F()\n{GET}",
         "from cgikit import Request\nform = Request().params\nprint(form.get('a', ''))\n"),
        ("import cgi\nform = cgi.FieldStorage()\nx = form['f'].file\n",
         "from cgikit import Request\nrequest = Request()\nx = request.files['f'].file\n"),
        (("import cgi\nform = cgi.FieldStorage(); x = form['f'].file, form['a'].value,"
          " '<input name=a>'\n"),
         ("from cgikit import Request\nrequest = Request(); form = request.params;"
         " x = request.files['f'].file, form['a'], '<input name=a>'\n")),
        (f"Request = 1\nimport cgi\nform = cgi.FieldStorage()\n{GET}",
         ("Request = 1\nfrom cgikit import Request as cgikit_Request\n"
         "form = cgikit_Request().params\nprint(form.get('a', ''))\n")),
        ("import cgi\nrequest = 1\nform = cgi.FieldStorage()\nx = form['f'].file\n",
         ("from cgikit import Request\nrequest = 1\ncgi_request = Request()\n"
         "x = cgi_request.files['f'].file\n")),
    ],
)  # fmt: skip
def test_a_form_becomes_a_request(program: str, after: str) -> None:
    assert migrated(program, unsafe=True) == after


@pytest.mark.parametrize(
    ("program", "why"),
    [
        (f"form = cgi.FieldStorage()\nform = 1\n{GET}", "binds 'form' more than once"),
        (f"form = cgi.FieldStorage()\ndef f():\n global form\n form = 1\n{GET}", "more than once"),
        (f"form = other = cgi.FieldStorage()\n{GET}", "does not keep it in one variable"),
        ("print(cgi.FieldStorage().getvalue('a'))\n", "does not keep it in one variable"),
        ("class C:\n form = cgi.FieldStorage()\n", "keeps it in a class"),
        ("self.form = cgi.FieldStorage()\n", "does not keep it in one variable"),
        (f"form = cgi.FieldStorage(environ=e)\n{GET}", "makes it with arguments (environ=e)"),
        (f"form = cgi.FieldStorage(keep_blank_values=x)\n{GET}", "makes it with arguments"),
        (f"form = cgi.FieldStorage()\nprint('%(form)s' % vars())\n{GET}", "may reach it by eval"),
        (f"cgi.maxlen = 9\nform = cgi.FieldStorage()\n{GET}", "sets cgi.maxlen"),
        (f"import sys\nx = sys.stdin.read()\nform = cgi.FieldStorage()\n{GET}", "reads standard input"),
        (f"from sys import stdin as s\nform = cgi.FieldStorage()\n{GET}", "reads standard input"),
        (f"from sys import *\nform = cgi.FieldStorage()\n{GET}", "reads standard input itself"),
        (f"form = cgi.FieldStorage()\nisinstance(x, list)\n{GET}", "tests whether a value is a list"),
        (f"form = cgi.FieldStorage()\nif type(x) == type([]): pass\n{GET}", "tests the type"),
    ],
)  # fmt: skip
def test_other_forms_stay_and_say_why(program: str, why: str) -> None:
    program = f"import cgi\n{program}"
    assert "Request" not in migrated(program, unsafe=True)
    assert any(why in text for _, text in reported(program, unsafe=True))


def test_a_form_that_another_file_uses_stays() -> None:
    program = f"import cgi\nform = cgi.FieldStorage()\n{GET}"
    assert "Request" not in migrated(program, unsafe=True, exported=True)
