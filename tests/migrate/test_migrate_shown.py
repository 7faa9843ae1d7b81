"""Rule `shown`: what a person has to decide."""

import pytest
from migrate.rewriting import migrated, reported


@pytest.mark.parametrize(
    ("program", "line", "text"),
    [
        ("class F(cgi.FieldStorage):\n pass", 2, "class F is a FieldStorage"),
        (
            "if isinstance(x, cgi.FieldStorage): pass",
            2,
            "tests whether something is a FieldStorage",
        ),
        ("isinstance(x, (str, cgi.MiniFieldStorage))", 2, "something is a MiniFieldStorage"),
        ("print('Content-type: text/html')", 2, "prints Content-type; with a handler it is"),
        ("print('Status: %s' % x)", 2, "raise HTTPError(404)"),
        ("print('Location: ' + x)", 2, "Response.redirect(url)"),
        ("print(f'Set-Cookie: {x}')", 2, "response.set_cookie(name, value)"),
        ("sys.stdout.write('Expires: 0')", 2, "response.expires"),
        ("sys.stdout.buffer.write(b'Content-Type: a/b\\n')", 2, "Response.html(page)"),
    ],
)
def test_it_is_shown_with_what_to_write(program: str, line: int, text: str) -> None:
    program = f"import cgi\n{program}\ncgi.test\n"
    assert [(n, text in said) for n, said in reported(program)] == [(line, True)]
    assert migrated(program).splitlines()[1:] == program.splitlines()[1:]


@pytest.mark.parametrize(
    "program", ["print('Hello: x')", "log('Status: x')", "print()", "print(x)"]
)
def test_other_lines_are_not(program: str) -> None:
    assert reported(f"import cgi\n{program}\ncgi.test\n") == []


def test_each_header_is_shown_once() -> None:
    assert len(reported("import cgi\nprint('Status: 1')\nprint('STATUS: 2')\ncgi.test\n")) == 1
