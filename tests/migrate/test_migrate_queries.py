"""Rule `queries`."""

from migrate.rewriting import migrated


def test_the_functions_are_those_of_urllib() -> None:
    program = "import cgi\nx = cgi.parse_qs(q, 1)\nmap(cgi.parse_qsl, y)\n"
    assert migrated(program) == (
        "import urllib.parse\nx = urllib.parse.parse_qs(q, 1)\nmap(urllib.parse.parse_qsl, y)\n"
    )


def test_a_name_that_was_imported_stays() -> None:
    program = "from cgi import parse_qs\nparse_qs(q)\n"
    assert migrated(program) == "from urllib.parse import parse_qs\nparse_qs(q)\n"
