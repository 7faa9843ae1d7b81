"""The pages for people who come from Perl have a row for everything that its CGI modules document, and
every row's line runs.

What is documented is read from the installed modules. A name without a row fails, and so does a row
that names what no module documents.
"""

from pathlib import Path

import pytest
from requirement import need

from .documented import PERL, POD_OF, named
from .prepared import bodies, executed, fault, prepare, space
from .tables import FROM, MODULES, PAGES, ROWS, Row, answered, cells, unanswered

LINES = [row for row in ROWS if row.python]
GONE = [row for row in ROWS if not row.python]


@pytest.fixture(autouse=True)
def _perl() -> None:
    for program in ("perl", *(str(PERL / path) for paths in POD_OF.values() for path in paths)):
        need(program)


@pytest.mark.parametrize("module", MODULES)
def test_every_documented_name_has_a_row(module: str) -> None:
    assert len(answered(module)) > 4
    assert sorted(unanswered(module)) == []


def test_what_a_newer_version_documents_would_be_missed_in_the_tables() -> None:
    text = "=head1 METHODS\n\n=item B<brand_new()>\n\n    $q->brand_new( -colour => 1 );\n"
    text += "Set C<$CGI::BRAND_NEW>, or say\n\n    use CGI qw(:brand -brandish);\n"
    found = named("CGI", text, ["brand_new", "undocumented", ":brand", ":other"])
    assert found == {"brand_new", "-colour", "$CGI::BRAND_NEW", ":brand", "-brandish"}
    assert not found & answered("CGI")


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row_names_what_is_documented(row: Row) -> None:
    assert row.names(), f"{row}: names nothing that {row.module} documents: {row.perl}"
    assert row.unknown() == set()


@pytest.mark.parametrize("row", LINES, ids=str)
def test_the_line_of_a_row_runs(row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    assert fault(row.python, tmp_path) == "", f"{row}: {row.python}"


@pytest.mark.parametrize("row", GONE, ids=str)
def test_what_has_no_line_has_a_reason(row: Row) -> None:
    assert len(row.remark.split()) > 5, f"{row}: {row.remark}"


def test_few_rows_are_without_a_line() -> None:
    assert len(GONE) * 10 < len(LINES)


@pytest.mark.parametrize("page", PAGES)
def test_every_line_of_a_table_has_three_cells(page: str) -> None:
    for line in (FROM / page).read_text().splitlines():
        if line.startswith("|"):
            assert len(cells(line)) == 3, line


@pytest.mark.parametrize(
    "line",
    [
        "request.nowhere",
        "request.params.get('nowhere')",
        "response.set_cookie",
        "response.status = response.status",
        "fields.nowhere(request)",
        "Response(",
        "raise HTTPError",
        "run(nowhere)",
        "./nowhere.py",
        "cgikit fastcgi --bind run.sock script.py",
        "cgikit fastcgi --socket run.sock --nowhere script.py",
        "cgikit sessions list nowhere",
    ],
)
def test_a_line_that_is_of_no_use_is_found(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    prepare(tmp_path)
    assert fault(line, tmp_path) != ""


#: What lines give that have to mean what stands left of them: a part of the Perl, and the value for a
#: request that has everything (`prepared.VARIABLES`).
MEANT = {
    "`$q->https('SSL_CIPHER')`": "TLS_AES_128_GCM_SHA256",
    "`$q->url(-base => 1)`": "https://www.example.com",
    "`$q->url(-relative => 1)`": "nph-script.py",
    "`$q->url(-absolute => 1)`": "/cgi-bin/nph-script.py",
    "`$q->url(-path => 1)`": "https://www.example.com/cgi-bin/nph-script.py/extra",
    "`$q->url(-query => 1)`": "https://www.example.com/cgi-bin/nph-script.py?a=query&b=2",
    "`$q->self_url`": "https://www.example.com/cgi-bin/nph-script.py/extra?a=query&b=2",
    "`$q->query_string`": "a=one&a=two&h=h&a=query&b=2",
    "`$q->env_query_string`": "a=query&b=2",
    "`escapeHTML($text)`": "&lt;b&gt;",
    "`unescapeHTML($text)`": "<b>",
}


@pytest.mark.parametrize("perl", MEANT)
def test_a_line_gives_what_the_perl_beside_it_gave(
    perl: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    [line] = {row.python for row in LINES if row.page.name == "cgi-pm.md" and perl in row.perl}
    names = space(next(bodies()))
    assert executed(line, names) == (MEANT[perl], "")
    names["request"].drop_session()
    names["request"].close()


def test_no_line_only_reads_what_the_perl_beside_it_set() -> None:
    """`header(-nph => 1)` had the line `nph = request.is_nph`, which changes nothing."""
    assert [str(row) for row in LINES if row.python.endswith("= request.is_nph")] == []
