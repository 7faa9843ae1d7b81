"""Scripts that leave something behind when one process serves them again: the corpus, as data.

`corpus/KIND/NAME.cgi` is a case. What lies in `NAME.beside/` is put beside the script; what lies in
`NAME.installed/` is on the path, as an installed package is, and a server has it loaded before its
first visitor. The header says what the script is about, what two visitors send, and what the second one
must never see:

    # why: One sentence.
    # first: GET /?oak7731
    # second: GET /
    # never: oak7731

Requests are written as in `migrate/answers.py`. The kind `benign` has scripts that leave nothing behind
but caches that nobody can see. They have no `never` and should be served again.
"""

import shutil
from pathlib import Path
from typing import NamedTuple

from migrate.answers import Request, parse

CORPUS = Path(__file__).with_name("corpus")
#: What a script leaves behind, and how many scripts there are at least.
LEAKY = {"containers": 10, "attributes": 10, "closures": 10, "c_state": 10, "outside": 10}
BENIGN = "benign"
BESIDE, INSTALLED = ".beside", ".installed"
#: Cases whose packages hold memory that all forked processes share, so that a server must not load them
#: before its first visitor.
SHARED = frozenset({"c_state/installed_map"})


class Case(NamedTuple):
    """A script, the requests of two visitors, and what the second must not see."""

    path: Path
    kind: str
    why: str
    first: Request
    second: Request
    never: bytes

    @property
    def name(self) -> str:
        """What a test calls it."""
        return f"{self.kind}/{self.path.stem}"

    @property
    def installed(self) -> Path:
        """A directory for the path of modules; it may not exist."""
        return self.path.with_suffix(INSTALLED)

    @property
    def packages(self) -> list[str]:
        """The names of the modules in that directory."""
        return sorted(path.stem for path in self.installed.glob("*.py"))

    def put(self, directory: Path) -> Path:
        """Put the script, and what belongs to it, into a directory; return its path there."""
        beside = self.path.with_suffix(BESIDE)
        if beside.exists():
            shutil.copytree(beside, directory, dirs_exist_ok=True)
        directory.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(self.path, directory))


def read(path: Path) -> Case:
    """Return the case in a file; an error if its header is not complete."""
    head: dict[str, str] = {}
    for line in path.read_text("utf-8").splitlines()[1:]:
        if not line.startswith("# "):
            break
        name, _, value = line[2:].partition(": ")
        head[name] = value
    kind = path.parent.name
    wanted = {"why", "first", "second"} | (set() if kind == BENIGN else {"never"})
    assert set(head) == wanted, (path, sorted(head))
    never = head.get("never", "").encode()
    return Case(path, kind, head["why"], parse(head["first"]), parse(head["second"]), never)


CASES = [read(path) for path in sorted(CORPUS.glob("*/*.cgi"))]
LEAKS = [case for case in CASES if case.kind != BENIGN]
HARMLESS = [case for case in CASES if case.kind == BENIGN]
#: Leaky scripts with something installed for them, each of which needs a server of its own, and others.
ALONE = [case for case in LEAKS if case.installed.exists()]
TOGETHER = [case for case in LEAKS if not case.installed.exists()]
