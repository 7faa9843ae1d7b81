"""Rule `parse_header`."""

import warnings

import pytest
from migrate.rewriting import migrated

from cgikit import parse_header

PROGRAM = "import cgi\nkind, rest = cgi.parse_header(line)\n"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import cgi


def test_without_unsafe_it_goes_to_compat() -> None:
    assert migrated(PROGRAM) == PROGRAM.replace("import cgi", "from cgikit.compat import cgi")


def test_with_unsafe_it_is_cgikits() -> None:
    assert migrated(PROGRAM, unsafe=True) == (
        "from cgikit import parse_header\nkind, rest = parse_header(line)\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "",
        "text/html",
        "text/html; charset=utf-8",
        'form-data; name="a b"; filename="x;y\\".txt"',
        'attachment ; FileName = "a" ; size=3',
        "a; b; c=d",
        'a; b="c\\\\d"',
    ],
)
def test_what_follows_the_rfc_is_read_alike(line: str) -> None:
    assert parse_header(line) == cgi.parse_header(line)


@pytest.mark.parametrize("line", ["a; b=1; b=2", 'a; b="c'])
def test_what_the_safety_names_is_all_that_differs(line: str) -> None:
    assert parse_header(line) != cgi.parse_header(line)
