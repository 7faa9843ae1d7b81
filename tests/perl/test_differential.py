"""cgikit says what CGI.pm says, or differs in one of the ways that are on the list.

The same 20,000 cases in each run; CGIKIT_TORTURE=1 draws as many others, and prints their seed.
"""

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import ROOT
from requirement import need
from torture import TORTURE

from .comparing import ENOUGH, Comparison, cases
from .differences import ALL, Difference
from .oracle import Died, Oracle
from .subjects import SUBJECTS

CASES = 20_000
SEED = 20_151

#: Of a mutant: so many cases of its subject show it.
FEW = 400

#: Each compared function with a change in its source, and the subjects that must show it.
MUTANTS = (
    ("querystring.py", 'partition(_MARK_VALUE)', 'rpartition(_MARK_VALUE)', "query"),
    ("querystring.py", 'b" \\x1e\\x1f"', 'b"+\\x1e\\x1f"', "query"),
    ("querystring.py", 'raw.replace(b";", b"&")', 'raw.replace(b";", b";")', "semicolons"),
    ("querystring.py", 'raw.split(b"+") if word', 'raw.split(b" ") if word', "keywords"),
    ("querystring.py", '"+" if b == 0x20', '"-" if b == 0x20', "escape"),
    ("querystring.py", 'f"%{b:02X}" for b in raw', 'f"%{b:X}" for b in raw', "build"),
    ("querystring.py", 'b"%c" % mark, b"%"', 'b"%c" % mark, b"&"', "unescape"),
    ("request.py", 'return self._open().form()[0]', 'return self._open().form()[1]', "form"),
    ("request.py", 'return self._open().whole()', 'return self._open().whole().strip()', "body"),
    ("partheader.py", '.replace("%0A", "\\n")', "", "multipart"),
    ("cookies.py", 'header.split(";")', 'header.split("; ")', "cookies"),
    ("cookies.py", 'if "%" in value:', 'if "+" in value:', "cookies"),
    ("cookies.py", 'parts.append(f"Domain=', 'parts.append(f"Host=', "set-cookie"),
    ("cookies.py", 'if _OCTETS.issuperset(raw)', 'if raw.isascii()', "cookies read back"),
    ("dates.py", '"M": 30 * 86_400', '"M": 31 * 86_400', "expires"),
    ("dates.py", "{y:04d} {h:02d}", "{y:04d} {h:d}", "expires"),
    ("html.py", '.replace("<", "&lt;")', '.replace("<", "&gt;")', "html"),
    ("html.py", '.replace("&", "&amp;")', "", "html read back"),
    ("environ.py", 'or self.remote_addr', 'or ""', "environ"),
    ("environ.py", '{"on", "1", "yes", "true"}', '{"1", "yes", "true"}', "environ"),
    ("url.py", "port != _DEFAULT_PORT[scheme]", "port == _DEFAULT_PORT[scheme]", "url"),
    ("url.py", "if path_info else", "if not path_info else", "url"),
    ("headers.py", "Status: {status:d}", "Status: {status + 1:d}", "header"),
    ("parameters.py", 'format_header("attachment"', 'format_header("inline"', "header"),
    ("response.py", 'value += "; charset=utf-8"', 'value += "; charset=utf-16"', "header"),
    ("redirect.py", "status = 303", "status = 307", "redirect"),
)  # fmt: skip


@pytest.fixture
def oracle(tmp_path: Path) -> Iterator[Oracle]:
    for program in ("perl", "/usr/share/perl5/CGI.pm"):
        need(program)
    with Oracle(tmp_path) as running:
        yield running


def compared(oracle: Oracle, seed: int) -> Comparison:
    comparison = Comparison(oracle)
    for subject, case in cases(seed, CASES):
        comparison.compare(subject, case)
    shown = "\n".join(str(fault) for fault in comparison.faults[:5])
    assert not comparison.faults, f"seed {seed}: {len(comparison.faults)} faults, first\n{shown}"
    return comparison


def test_twenty_thousand_cases_are_answered_alike_or_differ_as_listed(oracle: Oracle) -> None:
    comparison = compared(oracle, SEED)
    assert sum(comparison.cases.values()) == CASES
    assert set(comparison.cases) == {subject.name for subject in SUBJECTS}
    assert min(comparison.cases.values()) > 100
    idle = [one.name for one in ALL if comparison.needed.get(one.name, 0) < ENOUGH]
    assert not idle, f"on the list, but without them the answers agree as well: {idle}"


if TORTURE:

    def test_as_many_cases_that_were_never_seen(oracle: Oracle) -> None:
        seed = random.SystemRandom().randrange(1 << 32)
        print(f"seed {seed}")
        compared(oracle, seed)


def test_every_difference_has_its_reason_and_its_subjects() -> None:
    names = [one.name for one in ALL]
    assert len(set(names)) == len(names)
    for one in ALL:
        assert len(one.reason) > 8, one
        assert set(one.of) <= {subject.name for subject in SUBJECTS}, one


def row(one: Difference) -> str:
    """The row of a difference on the page about them."""
    return f"| {one.name} | {', '.join(one.of)} | {one.reason} |"


def test_the_page_of_differences_has_each_of_them() -> None:
    page = (ROOT / "docs" / "from" / "cgi-pm-differences.md").read_text()
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert rows == [row(one) for one in ALL]


def test_the_same_seed_draws_the_same_cases() -> None:
    once, again = (list(map(repr, cases(SEED, 500))) for _ in range(2))
    assert once == again != list(map(repr, cases(SEED + 1, 500)))


def test_perl_dying_is_an_answer(oracle: Oracle) -> None:
    with pytest.raises(Died, match="newline"):
        oracle.ask(["header", "0"], ["-type", "a\nb"], [], [])
    assert oracle.ask(["escape", "a b"]) == [[b"escape", b"a%20b"]]


def test_every_subject_has_a_mutant() -> None:
    assert {subject for *_, subject in MUTANTS} == {subject.name for subject in SUBJECTS}


@pytest.mark.parametrize(
    ("module", "old", "new", "subject"), MUTANTS, ids=[f"{m[0]}-{m[3]}" for m in MUTANTS]
)
def test_a_mutant_of_a_compared_function_is_found(
    module: str, old: str, new: str, subject: str, tmp_path: Path
) -> None:
    need("/usr/share/perl5/CGI.pm")
    shutil.copytree(ROOT / "cgikit", tmp_path / "cgikit", ignore=shutil.ignore_patterns("*.pyc"))
    source = (tmp_path / "cgikit" / module).read_text()
    assert source.count(old) == 1, f"{module} has {source.count(old)} times {old}"
    (tmp_path / "cgikit" / module).write_text(source.replace(old, new))
    paths = (tmp_path, ROOT / "tests" / "harness", ROOT / "tests")
    done = subprocess.run(
        [sys.executable, "-m", "perl.mutant", str(FEW), subject, str(tmp_path)],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": ":".join(map(str, paths))},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found, where = done.stdout.split()
    assert Path(where).is_relative_to(tmp_path), "the mutant was not what was run"
    assert int(found) > 0, f"{subject}: {FEW} cases did not show {new} for {old}"
