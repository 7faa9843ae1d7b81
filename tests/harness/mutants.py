"""Mutants of the modules that must not be wrong: how many do their own tests notice?

`make mutants` changes one operator, number or condition at a time in a copy of the tree, by cosmic-ray,
and runs the test file that mirrors the module. A mutant that passes has survived: a test is missing, or
nothing that can be seen depends on the place. Not a test itself, since it takes half an hour.
"""

import argparse
import hashlib
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

ROOT = Path(__file__).parents[2]

#: The core: what parses, what is sent, what is locked, what is kept.
MODULES = (
    "querystring", "multipart", "delimiters", "partheader", "parameters", "headers", "cookies", "dates",
    "url", "response", "locks", "files", "sessions.session", "sessions.file", "sessions.payload",
)  # fmt: skip

#: Operators that say nothing about tests: `int | None` with another operator is an error when the
#: module is imported, and one replacement of an arithmetic operator stands for the eleven others.
DULL = ("BitOr_", "_Pow", "_Mod", "_LShift", "_RShift", "_BitXor", "_BitAnd", "_FloorDiv", "_Div")

SETTINGS = """
[cosmic-ray]
module-path = "{path}"
timeout = {timeout}
excluded-modules = []
test-command = "{python} -m pytest -x -q -p no:cacheprovider -p no:randomly -n 0 {tests}"
[cosmic-ray.distributor]
name = "local"
"""


class Survivor(NamedTuple):
    """A mutant that no test noticed."""

    function: str
    line: int
    diff: str


class Found(NamedTuple):
    """What became of the mutants of one module."""

    module: str
    made: int
    tried: int
    survivors: list[Survivor]


def copied(target: Path) -> Path:
    """The tree as it is, without what git does not know."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    there = b"\0".join(name for name in names.split(b"\0") if (ROOT / name.decode()).is_file())
    unpack = ["tar", "--null", "--files-from=-", "--create", "--file=-"]
    packed = subprocess.run(unpack, cwd=ROOT, input=there, capture_output=True, check=True).stdout
    subprocess.run(["tar", "--extract", "--file=-"], cwd=target, input=packed, check=True)
    return target


def mirror(tree: Path, module: str) -> str:
    """The test file of a module, from the root of the tree."""
    (found,) = tree.joinpath("tests").rglob(f"test_{module.replace('.', '_')}.py")
    return str(found.relative_to(tree))


def sampled(session: Path, most: int) -> int:
    """Leave at most `most` mutants in a session, the same each time; return how many there were."""
    with sqlite3.connect(session) as database:
        rows = database.execute(
            "SELECT job_id, operator_name, operator_args, definition_name, occurrence"
            " FROM mutation_specs"
        ).fetchall()
        sharp = [row for row in rows if not any(word in row[1] for word in DULL)]
        kept = sorted(sharp, key=lambda row: hashlib.sha256(repr(row[1:]).encode()).digest())[:most]
        names = [(row[0],) for row in rows if row not in kept]
        for table in ("mutation_specs", "work_items"):
            database.executemany(f"DELETE FROM {table} WHERE job_id = ?", names)
    return len(sharp)


def results(session: Path) -> Iterator[tuple[str, Survivor]]:
    """The outcome of each mutant, and what it was."""
    with sqlite3.connect(session) as database:
        yield from (
            (outcome, Survivor(function or "", line, diff or ""))
            for outcome, function, line, diff in database.execute(
                "SELECT r.test_outcome, s.definition_name, s.start_pos_row, r.diff"
                " FROM work_results r JOIN mutation_specs s USING (job_id)"
                " ORDER BY s.start_pos_row, s.start_pos_col"
            )
        )


def tried(tree: Path, scratch: Path, module: str, most: int, timeout: int) -> Found:
    """Make the mutants of a module and run its tests on each."""
    settings, session = scratch / f"{module}.toml", scratch / f"{module}.sqlite"
    tests = mirror(tree, module)
    path = f"cgikit/{module.replace('.', '/')}.py"
    settings.write_text(
        SETTINGS.format(path=path, timeout=timeout, python=sys.executable, tests=tests)
    )
    tool = [str(Path(sys.executable).with_name("cosmic-ray"))]
    environ = {"PATH": "/usr/local/bin:/usr/bin:/bin", "PYTHONPATH": str(tree)}
    environ |= {
        "PYTHONDONTWRITEBYTECODE": "1"
    }  # or a mutant of the same size and second is not seen

    def run(*command: str) -> None:
        subprocess.run([*tool, *command], cwd=tree, env=environ, check=True)

    run("init", str(settings), str(session))
    made = sampled(session, most)
    run("baseline", str(settings))
    run("exec", str(settings), str(session))
    outcomes = list(results(session))
    lived = [mutant for outcome, mutant in outcomes if outcome == "SURVIVED"]
    return Found(module, made, len(outcomes), lived)


def main() -> int:
    """Print a row for each module, and what has survived."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("modules", nargs="*", default=MODULES, metavar="MODULE")
    parser.add_argument("--most", type=int, default=25, help="mutants of each module (25)")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one of them (120)")
    parser.add_argument("--json", type=Path, help="write all that was found to this file as well")
    options = parser.parse_args()
    found = []
    with TemporaryDirectory(prefix="cgikit-mutants-") as scratch:
        tree = Path(scratch, "tree")
        tree.mkdir()
        copied(tree)
        for module in options.modules:
            found.append(tried(tree, Path(scratch), module, options.most, options.timeout))
            print(
                f"{module}: {found[-1].tried - len(found[-1].survivors)} of {found[-1].tried}",
                flush=True,
            )
            for function, line, diff in found[-1].survivors:
                changed = [
                    x for x in diff.splitlines() if x[:1] in "+-" and x[:3] not in ("+++", "---")
                ]
                print(f"  survived: line {line}, in {function}", *changed, sep="\n    ", flush=True)
    print("| module | mutants | tried | noticed |", "|---|---|---|---|", sep="\n")
    for module, made, tries, lived in found:
        print(f"| `{module}` | {made} | {tries} | {tries - len(lived)} |")
    if options.json:
        options.json.write_text(json.dumps([row._asdict() for row in found], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
