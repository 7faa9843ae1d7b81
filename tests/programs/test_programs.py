"""Programs that others wrote answer in every way of serving them as they do under mod_cgid."""

import contextlib
import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from requirement import need
from servers.fixtures import readable_by_all
from servers.interpreter import make_interpreter, server_user
from servers.server import Server

from .differences import complaint, differences, listed
from .site import Program, Site, make_site
from .visit import Visit
from .ways import REFERENCE, WAYS, served

NAMES = (
    *("git", "hgweb", "fossil", "gitweb", "cgit", "trac", "cgipm", "cgisession", "awstats"),
    *("php", "ruby", "c", "shell"),
)
PROGRAMS: dict[str, Program] = {
    name: importlib.import_module(f"programs.{name}").PROGRAM for name in NAMES
}
OTHERS = [way for way in WAYS if way != REFERENCE]


class Served:
    """A site behind one server, and what each program has answered there, asked once."""

    def __init__(self, server: Server, site: Site) -> None:
        self.server = server
        self.site = site
        self._visits: dict[str, Visit] = {}

    def visit(self, program: Program) -> Visit:
        """What came of the visit to a program."""
        if program.name not in self._visits:
            directory = self.site.root / "visitors" / program.name
            directory.mkdir(parents=True)
            visit = Visit(self.server, self.site, directory, program.hide)
            self._visits[program.name] = visit
            program.visit(visit)
            shutil.rmtree(directory)
        return self._visits[program.name]


@pytest.fixture(scope="session")
def template(readable_directory: Path) -> Site:
    """The site that all are copied from, with the programs that this machine has."""
    with readable_by_all():
        # Mercurial is one of the distribution's packages
        interpreter = make_interpreter(
            readable_directory / "programs-python", "Trac", options=("--system-site-packages",)
        )
        site = make_site(readable_directory / "site-template", interpreter, server_user())
        for program in PROGRAMS.values():
            if not program.lacks():
                program.install(site)
    return site


@contextlib.contextmanager
def copied(way: str, template: Site) -> Iterator[Served]:
    """A copy of the site, served in one way, and removed afterwards."""
    for program in WAYS[way].needs:
        need(program)
    with readable_by_all():
        site = template.copy(template.root.parent / f"site-{way}")
        with served(way, site) as server:
            yield Served(server, site)
        shutil.rmtree(site.root)


@pytest.fixture(scope="session")
def reference(template: Site) -> Iterator[Served]:
    """The site under mod_cgid."""
    with copied(REFERENCE, template) as found:
        yield found


@pytest.fixture(scope="session", params=OTHERS)
def way(request: pytest.FixtureRequest, template: Site) -> Iterator[tuple[str, Served]]:
    """The site in each other way, in turn."""
    with copied(request.param, template) as found:
        yield request.param, found


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_right(name: str, reference: Served) -> None:
    PROGRAMS[name].need()
    visit = reference.visit(PROGRAMS[name])
    assert visit.seen
    assert visit.wrong == [], reference.server.error_log()[-4000:]


@pytest.mark.parametrize("name", NAMES)
def test_the_answers_are_those_of_mod_cgid(
    name: str, reference: Served, way: tuple[str, Served]
) -> None:
    program = PROGRAMS[name]
    program.need()
    here, there = way[1].visit(program), reference.visit(program)
    said = complaint(differences(there.seen, here.seen), listed(name, way[0]))
    assert not said, f"{said}\n\n{way[1].server.error_log()[-4000:]}"
    assert here.wrong == []


@pytest.mark.parametrize("name", [name for name in NAMES if PROGRAMS[name].beyond])
def test_what_mod_cgid_loses_arrives(name: str, way: tuple[str, Served]) -> None:
    program = PROGRAMS[name]
    program.need()
    assert program.beyond
    visit = Visit(way[1].server, way[1].site, way[1].site.root, program.hide)
    program.beyond(visit)
    assert visit.wrong == [], way[1].server.error_log()[-4000:]
