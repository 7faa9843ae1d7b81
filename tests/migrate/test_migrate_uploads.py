"""What tells that a program receives files, and which fields cannot be one."""

import pytest

from cgikit.migrate.code import Code
from cgikit.migrate.uploads import sign, text_fields


@pytest.mark.parametrize(
    ("program", "line", "seen"),
    [
        ("x = 1\n'<form enctype=multipart/form-data>'\n", 2, "multipart"),
        ("'<input type=\"file\">'\n", 1, 'type="file'),
        ('"<input type=\\"file\\">"\n', 1, 'type=\\"file'),
        ("'<input type=file>'\n", 1, "type=file"),
        ("f'<input {x} type = file>'\n", 1, "type = file"),
        ("tag('input', {'type': 'file'})\n", 1, "'type': 'file"),
        ("# é\nx = y.file\n", 2, ".file"),
        ("x = y.filename\n", 1, ".filename"),
        ("x = y.decode('utf-8')\n", 1, ".decode"),
        ("p.write_bytes(y)\n", 1, ".write_bytes"),
        ("BytesIO(y)\n", 1, "BytesIO"),
        ("UPLOAD_DIR = 'x'\n", 1, "UPLOAD_DIR"),
        ("open(p, 'wb')\n", 1, "'wb'"),
        ("open(p, mode='w+b')\n", 1, "mode='w+b'"),
        ("os.fdopen(n, 'ab')\n", 1, "'ab'"),
        ("path.open('xb')\n", 1, "'xb'"),
        ("sys.stdout.buffer.write(y)\n", 1, "stdout.buffer.write("),
    ],
)
def test_signs_of_a_file(program: str, line: int, seen: str) -> None:
    assert sign(Code(program), []) == (line, seen)


@pytest.mark.parametrize(
    "program",
    [
        "open(p, 'rb')\n",
        "open(p, 'w')\n",
        "x = profile\n",
        "sys.stdout.buffer.write(page.encode())\n",
        "'<input type=text name=a>'\n",
    ],
)
def test_what_is_no_sign(program: str) -> None:
    assert sign(Code(program), []) is None


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("<input name=a><INPUT TYPE=hidden NAME='b'>", {"a", "b"}),
        ("<textarea rows=2 name=c></textarea><select name=d>", {"c", "d"}),
        ("<input name=a type=file><input name=b type=new>", set()),
        ("<input name=a ", set()),
        ("<input name=a type=%s><input name=b {more}><input name=c type=>", set()),
        ("<input data-name=a><form name=b>", set()),
    ],
)
def test_fields_that_are_text(page: str, names: set[str]) -> None:
    assert text_fields(Code(f'x = """{page}"""\n')) == names


def test_a_tag_that_goes_on_behind_a_value_is_not_known() -> None:
    assert text_fields(Code("x = f'<input name=a {kind}><input name=b>'\n")) == {"b"}
