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
        ("#!python\nimport cgi\nform = cgi.FieldStorage()\nx = form['f'].file\n",
         "#!python\nfrom cgikit import Request\nrequest = Request()\nx = request.files['f'].file\n"),
        (("#!python\nimport cgi\nform = cgi.FieldStorage(); x = form['f'].file, form['a'].value,"
          " '<input name=a>'\n"),
         ("#!python\nfrom cgikit import Request\nrequest = Request(); form = request.params;"
         " x = request.files['f'].file, form['a'], '<input name=a>'\n")),
        (f"Request = 1\nimport cgi\nform = cgi.FieldStorage()\n{GET}",
         ("Request = 1\nfrom cgikit import Request as cgikit_Request\n"
         "form = cgikit_Request().params\nprint(form.get('a', ''))\n")),
        ("#!python\nimport cgi\nrequest = 1\nform = cgi.FieldStorage()\nx = form['f'].file\n",
         ("#!python\nfrom cgikit import Request\nrequest = 1\ncgi_request = Request()\n"
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


@pytest.mark.parametrize(
    ("program", "moves"),
    [
        ("import cgi\nform = cgi.FieldStorage()\nname = form.getfirst('a', '')\n", False),
        ("import cgi\nform = cgi.FieldStorage()\ndef f(): print(form.getfirst('a', ''))\n", False),
        (
            "import cgi\ndef f():\n form = cgi.FieldStorage()\n return form.getfirst('a', '')\n",
            True,
        ),
        (
            "#!/usr/bin/python\nimport cgi\nform = cgi.FieldStorage()\nx = form.getfirst('a')\n",
            True,
        ),
        (f"import cgi\nform = cgi.FieldStorage()\n{GET}", True),
        (f"import cgi\nform = cgi.FieldStorage()\nif __name__ == '__main__':\n {GET}", True),
    ],
)
def test_the_form_of_a_module_stays_because_programs_elsewhere_may_take_it(
    program: str, moves: bool
) -> None:
    """`from library import form` in another directory got a Request's fields, and no `.value`."""
    assert ("Request" in migrated(program, unsafe=True)) is moves
    said = [text for _, text in reported(program, unsafe=True) if "other directories" in text]
    assert bool(said) is not moves


def test_fields_that_may_be_files_as_far_as_can_be_seen_are_named() -> None:
    """`.value` of an upload became a text that is not there, and the report said nothing."""
    program = (
        "import cgi\nform = cgi.FieldStorage()\nprint('<input name=b>', form['f'].value,\n"
        " form.getvalue('b'), form.getvalue(k), 'g' in form)\n"
    )
    said = "the form has text only now; if a page sends a file in 'f', 'g', k, read it from"
    assert reported(program, unsafe=True) == [(2, f"{said} request.files instead")]
    many = "".join(f"print(form.getvalue('{name}'))\n" for name in "abcdefgh")
    ((_, told),) = reported(f"import cgi\nform = cgi.FieldStorage()\n{many}", unsafe=True)
    assert "in 'a', 'b', 'c', 'd', 'e', 'f' and 2 more, read" in told
    assert reported("import cgi\nform = cgi.FieldStorage()\nprint('<input name=b>')\n"
                    "print(form.getvalue('b'))\n", unsafe=True) == []  # fmt: skip
    assert not any("request.files" in text for _, text in reported(program))
