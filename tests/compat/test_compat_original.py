"""compat beside the original: the same answers to 20,000 requests, its own tests, and not its code.

What differs is in the table of docs/from/differences.md; each test that finds a difference names
the row.
"""

import importlib.util
import io
import random
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from compat.generated import Made, request
from compat.original import LEGACY, original, source
from house import ROOT
from requirement import lack

from cgikit.compat import cgi

DIFFERENCES = (ROOT / "docs" / "from" / "differences.md").read_text()
REQUESTS = 20_000
BLOCKS = 20

Answer = tuple[Any, ...]


def ask(module: Any, made: Made) -> Answer:
    """What a module makes of a request: the fields and the names, or what kind of error."""
    try:
        form = module.FieldStorage(
            io.BytesIO(made.body), environ=dict(made.environ), **made.arguments
        )
        names = None if form.list is None else sorted(map(str, form.keys()))
        return "read", described(form), names
    except ValueError as error:
        return "ValueError", str(error)
    except Exception as error:
        return type(error).__name__, str(error)


def described(form: Any) -> Any:
    if form.list is None:
        return form.type, form.value
    return [
        (
            item.name,
            item.filename,
            item.type,
            dict(item.disposition_options),
            described(item) if isinstance(item.value, list) else item.value,
        )
        for item in form.list
    ]


def has(made: Made, pattern: bytes) -> bool:
    """Whether there is a part with such a header line."""
    is_multipart = made.kind.lower().startswith("multipart/")
    return is_multipart and bool(re.search(pattern, made.body, re.IGNORECASE))


FORMS = ("", "application/x-www-form-urlencoded")
INNER = rb"content-type: (multipart/mixed|application/x-www-form-urlencoded)"

#: Row of the table, and when it may be the reason: of the request, the old answer and the new one.
MENDED: dict[str, Callable[[Made, Answer, Answer], bool]] = {
    "a body that is not a form": lambda made, old, new: (
        "CONTENT_TYPE" in made.environ
        and not made.kind.lower().startswith("multipart/")
        and made.kind != FORMS[1]
    ),
    "a type with capitals": lambda made, old, new: made.kind.startswith("Multipart/"),
    "a body that was cut off": lambda made, old, new: (
        "cut off" in new[1] and made.length > len(made.body)
    ),
    "an uploaded file whose type is that of a form": lambda made, old, new: has(
        made, rb"filename=[^\n]*\r?\n" + INNER
    ),
    "fields after a nested part": lambda made, old, new: has(made, rb"content-type: multipart/"),
    "an urlencoded part": lambda made, old, new: has(made, INNER),
    "a body and a query together": lambda made, old, new: (
        bool(made.environ["QUERY_STRING"])
        and made.kind in FORMS
        and (made.arguments.get("separator") == ";" or not made.body)
    ),
}


@pytest.mark.parametrize("block", range(BLOCKS))
def test_requests_are_answered_as_the_original_answers_them(block: int) -> None:
    old_module, pick = original(), random.Random(block)
    unexplained = []
    for _ in range(REQUESTS // BLOCKS):
        made = request(pick)
        old, new = ask(old_module, made), ask(cgi, made)
        # The words of an error may differ.
        if old == new or (old[0] == new[0] == "ValueError"):
            continue
        if not any(reason(made, old, new) for reason in MENDED.values()):
            unexplained.append((made, old, new))
    assert unexplained == []


def test_every_row_that_explains_a_difference_is_on_the_page_and_is_needed() -> None:
    old_module, pick = original(), random.Random("rows")
    used: set[str] = set()
    for _ in range(4_000):
        made = request(pick)
        old, new = ask(old_module, made), ask(cgi, made)
        if old != new and not (old[0] == new[0] == "ValueError"):
            used |= {row for row, reason in MENDED.items() if reason(made, old, new)}
    assert used == set(MENDED)
    assert [row for row in MENDED if row not in DIFFERENCES.lower()] == []


@pytest.mark.parametrize(
    "line",
    [
        *("text/plain", "", ";", "a;;b=c", 'a; b="c;d"; e=f', "a; b='c'", 'a; b="c\\"d"', "a=b; c"),
        *(
            'a; b="\\\\"; c="d"',
            'a; b="c',
            "a; B = c ",
            'a; b=""',
            'f; filename="C:\\x\\y"',
            "a; =b",
        ),
    ],
)
def test_header_values_are_taken_apart_as_the_original_does(line: str) -> None:
    assert cgi.parse_header(line) == original().parse_header(line)


def test_random_header_values_are_taken_apart_as_the_original_does() -> None:
    old, pick = original(), random.Random(7)
    for _ in range(5_000):
        line = "".join(pick.choice("ab;;=\"\\ '") for _ in range(pick.randrange(25)))
        assert cgi.parse_header(line) == old.parse_header(line), line


# --- it is no copy ------------------------------------------------------------------------------


def tokens(text: str) -> list[str]:
    """The tokens of a source, without comments, docstrings, layout and string contents."""
    layout = {tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT}
    found = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.STRING:
            if not token.string.endswith('"""'):
                found.append(token.string.strip("rbuf\"'"))
        elif token.type not in layout:
            found.append(token.string)
    return found


def longest_run(one: list[str], other: list[str], least: int) -> int:
    """The length of the longest run of tokens that both have; 0 below `least`."""
    runs = {tuple(other[i : i + least]) for i in range(len(other) - least)}
    longest = current = 0
    for i in range(len(one) - least):
        current = current + 1 if tuple(one[i : i + least]) in runs else 0
        longest = max(longest, current)
    return longest + least - 1 if longest else 0


#: The arguments of `FieldStorage` and of `parse` have to be what they were, name by name.
LONGEST = 45


@pytest.mark.parametrize("name", ["cgi", "cgitb"])
def test_no_code_of_the_original_is_in_it(name: str) -> None:
    theirs = tokens(source(name))
    for path in sorted((ROOT / "cgikit" / "compat").glob("*.py")):
        assert longest_run(tokens(path.read_text()), theirs, 20) <= LONGEST, path.name


def test_a_copy_would_be_seen() -> None:
    theirs = tokens(source("cgi"))
    assert longest_run(theirs[300:400], theirs, 20) > LONGEST


# --- the original's own tests -------------------------------------------------------------------

#: Tests that fail with ours in place of the original, and the row of the table that says why.
FAIL = {
    "test_fieldstorage_multipart_non_ascii": "a body that was cut off",
    "test_fieldstorage_invalid": "`bool`, `in` and `keys()` of a body",
    "test_log": "no warning; the file is utf-8",
}
OF_LEGACY = {*FAIL}
OF_PYTHON = {"test_fieldstorage_multipart_non_ascii", "test_fieldstorage_invalid"}

STAND_IN = "import sys\nfrom cgikit.compat import {0}\nsys.modules[__name__] = {0}\n"


@pytest.fixture
def stand_ins(tmp_path: Path) -> dict[str, str]:
    """The environment of a Python that takes ours for `cgi` and `cgitb`, in child processes too."""
    for name in ("cgi", "cgitb"):
        (tmp_path / f"{name}.py").write_text(STAND_IN.format(name))
    return {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}


def outcomes(command: list[str], environ: dict[str, str], directory: Path) -> tuple[int, set[str]]:
    """How many tests ran, and which of them failed."""
    done = subprocess.run(
        [sys.executable, *command], env=environ, cwd=directory, capture_output=True, text=True
    )
    written = done.stdout + done.stderr
    ran = re.search(r"^Ran (\d+) tests", written, re.MULTILINE)
    counts = re.findall(r"(\d+) (?:passed|failed)", written)
    number = int(ran[1]) if ran else sum(map(int, counts))
    failed = re.findall(r"^(?:FAIL|ERROR): (\w+)", written, re.MULTILINE)
    failed += re.findall(r"^FAILED \S+::(\w+)", written, re.MULTILINE)
    assert number, written
    return number, set(failed)


if sys.version_info < (3, 13):  # which has removed them with the modules

    @pytest.mark.parametrize(("name", "number"), [("test_cgi", 23), ("test_cgitb", 6)])
    def test_the_tests_of_python_pass(
        name: str, number: int, stand_ins: dict[str, str], tmp_path: Path
    ) -> None:
        if importlib.util.find_spec("test.test_cgi") is None:
            lack("the tests of Python itself (libpython3-testsuite)")
        ran, failed = outcomes(["-m", "unittest", f"test.{name}"], stand_ins, tmp_path)
        assert ran == number
        assert failed == (OF_PYTHON if name == "test_cgi" else set())


def test_the_tests_of_legacy_cgi_pass(stand_ins: dict[str, str], tmp_path: Path) -> None:
    tests = LEGACY / "tests"
    if not tests.exists():
        lack("legacy-cgi (make programs)")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    options = ["-q", "-rf", "-p", "no:cacheprovider", "-c", str(tmp_path / "pytest.ini")]
    command = ["-m", "pytest", *options, str(tests)]
    ran, failed = outcomes(command, stand_ins, tmp_path)
    assert ran == 47
    assert failed == OF_LEGACY


def test_the_reasons_are_on_the_page() -> None:
    assert [row for row in FAIL.values() if row not in DIFFERENCES.lower()] == []
