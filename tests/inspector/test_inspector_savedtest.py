"""The source of a saved test: valid, and nothing of a request is code in it."""

import ast

import pytest
from inspecting import inspected

from cgikit.inspector.savedtest import file_name, source

EVIL = "'''\"\"\"\\\n\r\0{x}#\u2028\udcff); import os; os.system('id')"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    "given",
    [
        {"target": f"/x?{EVIL}={EVIL}"},
        {"headers": (("User-Agent", EVIL), ("Accept", EVIL), ("X-Y", EVIL))},
        {"method": EVIL},
        {"body": EVIL.encode("utf-8", "surrogateescape"), "content_type": EVIL},
        {"body": b"a%27=%22%0A%00", "content_type": FORM},
        {"file": f"/srv/{EVIL.replace('/', '')}"},
        {"environment": {"PATH_INFO": EVIL}},
        {"stdout": b"Location: /" + EVIL[:8].encode() + b"\n\n"},
    ],
    ids=lambda given: next(iter(given)),
)
def test_whatever_comes_in_is_a_literal(given) -> None:  # type: ignore[no-untyped-def]
    exchange = inspected(**given)
    exchange.headers = (("Content-Type", EVIL),)
    tree = ast.parse(source(exchange))
    calls = {ast.unparse(n.func) for n in ast.walk(tree) if isinstance(n, ast.Call)}
    assert calls <= {"Path", "Client", "client.request", "pytest.mark.skip", "shutil.copytree"}
    imports = [ast.unparse(n) for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    assert set(imports) <= {
        "import pytest",
        "import shutil",
        "from pathlib import Path",
        "from cgikit.testing import Client",
    }


def test_no_secret_is_saved_and_the_test_waits_for_it() -> None:
    for given in (
        {"target": "/x?token=abcdefg"},
        {"body": b"password=abcdefg", "content_type": FORM},
        {"headers": (("Cookie", "sid=abcdefg"),)},
        {"headers": (("Authorization", "Basic abcdefg"),)},
        {"headers": (("X-Key", "abcdefg"),)},
    ):
        text = source(inspected(**given))
        assert "abcdefg" not in text
        assert "@pytest.mark.skip" in text
    assert "skip" not in source(inspected("/x?name=Ada"))


def test_what_is_new_in_each_session_is_said() -> None:
    text = source(
        inspected(
            headers=(("Cookie", "sid=abcdefg"),), body=b"csrf_token=abcdefg", content_type=FORM
        )
    )
    assert "# It had cookies: a session in them ends." in text
    assert "# It had a token against forgery" in text
    assert "# It had" not in source(inspected("/x?name=Ada"))


@pytest.mark.parametrize(
    ("length", "raises"), [(5, True), (4, False), (6, False)], ids=["right", "short", "long"]
)
def test_a_wrong_length_is_expected(length: int, raises: bool) -> None:
    printed = f"Content-Type: text/plain\nContent-Length: {length}\n\nhello".encode()
    assert ("raise_errors=False" not in source(inspected(stdout=printed))) == raises


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("hello.py", "test_hello_get"),
        ("a b-c.cgi", "test_a_b_c_get"),
        ("../x.py", "test_x_get"),
        ("é.py", "test_x_get"),
        ("class.py", "test_class__get"),
        (".py", "test_py_get"),
        ("x" * 300, f"test_{'x' * 60}_get"),
    ],
)
def test_the_name_is_one_of_python(file: str, name: str) -> None:
    found = file_name(inspected(file=f"/srv/{file}").runs[0], "GET")
    assert found == name
    assert found.isidentifier()
