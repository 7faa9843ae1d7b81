"""Ten scripts as Perl programmers wrote them, and their ports: the same requests, and answers that mean
the same, under httpd and `cgikit serve`.
"""

import contextlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from programs.site import make_site
from programs.ways import WAYS, served
from requirement import need
from servers.fixtures import fresh, readable_by_all
from servers.interpreter import Interpreter, server_user
from servers.server import Server

from . import visits
from .meaning import differences
from .served import ENDINGS, ROOT, SCRIPTS, fill, take_over
from .visitor import Parts, Visitor

PAGES = ROOT / "docs" / "from"
NAMES = sorted(path.stem for path in SCRIPTS.glob("*.pl"))


@pytest.fixture(scope="session", params=["apache-mod_cgid", "serve"])
def both(
    request: pytest.FixtureRequest, readable_directory: Path, script_interpreter: Interpreter
) -> Iterator[Server]:
    """Both versions of all scripts, behind one server."""
    need("perl")
    need("/usr/share/perl5/CGI/Session.pm")
    for program in WAYS[request.param].needs:
        need(program)
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            place = fresh(readable_directory, f"from-perl-{request.param}")
            site = make_site(place / "site", script_interpreter, server_user())
            fill(site)
            server = stack.enter_context(served(request.param, site))
        yield server


@cache
def visited(server: Server, name: str, place: str) -> dict[str, Parts]:
    """What a visit to one version brought."""
    visitor = Visitor(server, name, place)
    getattr(visits, name)(visitor)
    return visitor.seen


@pytest.mark.parametrize("name", NAMES)
def test_the_port_means_what_the_script_meant(both: Server, name: str) -> None:
    there, here = visited(both, name, "pl"), visited(both, name, "py")
    wrong = differences(name, there, here)
    assert wrong == [], both.error_log()[-3000:]


#: What a script in Perl keeps and its port reads, and what both show of it.
TAKEN_OVER = {
    "board": ("board", "Is <this> on?"),
    "counter": ("count.dat", "000003"),
    "guestbook": ("guestbook.txt", "Grüße 10"),
    "upload": ("pictures", "passwd.gif"),
}


@pytest.mark.parametrize("name", TAKEN_OVER)
def test_a_port_goes_on_with_the_files_of_the_script(both: Server, name: str) -> None:
    visited(both, name, "former")
    file, shown = TAKEN_OVER[name]
    take_over(both.directory, file)
    there, here = (Visitor(both, name, place) for place in ("former", "taken"))
    for visitor in (there, here):
        visitor.look("all")
        assert shown in " ".join(visitor.page.lines), both.error_log()[-3000:]
    assert differences(name, there.seen, here.seen) == []


#: Mistakes, one in each port, that its visit must notice: what stands there, and what would be wrong.
MISTAKES = {
    "board": ('        parent = ""\n', "        pass\n"),
    "cart": ("cart.clear()", "pass"),
    "counter": ("counter.value if seen", "counter.increment() if seen"),
    "formmail": ("if copy:", "if not copy:"),
    "guestbook": ("text=escape(text)", "text=text"),
    "login": ("session.destroy()", "pass"),
    "poll": (" and not voted", ""),
    "push": ("range(start, -1, -1)", "range(start, 0, -1)"),
    "search": ("re.escape(word)", "word"),
    "upload": ("DIRECTORY / name)", "DIRECTORY / name, overwrite=True)"),
}


@pytest.mark.parametrize("both", ["serve"], indirect=True)
@pytest.mark.parametrize("name", NAMES)
def test_a_mistake_in_a_port_is_noticed(both: Server, name: str) -> None:
    right, wrong = MISTAKES[name]
    source = (SCRIPTS / f"{name}.py").read_text()
    assert source.count(right) == 1
    (both.directory / "mutant" / f"{name}.py").write_text(source.replace(right, wrong))
    assert differences(name, visited(both, name, "pl"), visited(both, name, "mutant"))


def code_lines(path: Path) -> int:
    """The lines of a script that are neither blank nor a comment."""
    lines = map(str.strip, path.read_text().splitlines())
    return sum(1 for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", NAMES)
def test_a_port_is_no_longer_than_a_fifth_more(name: str) -> None:
    there, here = (code_lines(SCRIPTS / f"{name}.{ending}") for ending in ENDINGS)
    assert 25 <= there <= 90
    assert here <= 1.2 * there


@pytest.mark.parametrize("name", NAMES)
def test_the_page_shows_the_scripts_as_they_are(name: str) -> None:
    """Both versions on the page are those that the tests run: copy a script there after a change."""
    page = (PAGES / "perl" / f"{name}.pl.md").read_text()
    for ending, language in (("pl", "perl"), ("py", "python")):
        shown = re.findall(rf"^```{language}\n(.*?)^```$", page, re.M | re.S)
        assert shown == [(SCRIPTS / f"{name}.{ending}").read_text()]


@pytest.mark.parametrize("name", NAMES)
def test_the_page_of_all_counts_the_lines(name: str) -> None:
    [row] = re.findall(rf"^\| \[{name}\.pl\].*", (PAGES / "perl.md").read_text(), re.M)
    counted = [str(code_lines(SCRIPTS / f"{name}.{ending}")) for ending in ENDINGS]
    assert row.strip("| ").split(" | ")[2:] == counted
