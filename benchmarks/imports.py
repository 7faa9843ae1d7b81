"""What each common path imports beyond a bare start, dearest first: a tool to find what got slow.

`python3 benchmarks/imports.py [work ...]` runs the cgikit scripts of the benchmarks with
`-X importtime` in .venv-bench (made by run.py; `--setup` makes it or installs this tree again) and
shows each module's self time. The times are those of one process with the tracing on: good for
comparing modules, not for adding up.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from contenders import SCRIPTS
from run import cgi_environ
from surroundings import VENV, prepare
from works import WORKS, Work

PATHS = ("get", "post", "counter", "file")
LINE = re.compile(r"import time: *(\d+) \| *(\d+) \| (\s*)(\S+)")
REPEATS = 15


def imports(argv: list[str], environ: dict[str, str], body: bytes, place: Path) -> dict[str, int]:
    """Return each module that a process imports, with its best self time in microseconds."""
    best: dict[str, int] = {}
    for _ in range(REPEATS):
        command = [str(VENV / "bin" / "python3"), "-X", "importtime", *argv]
        done = subprocess.run(command, env=environ, input=body, capture_output=True, cwd=place)
        if done.returncode:
            raise SystemExit(done.stderr.decode())
        for match in LINE.finditer(done.stderr.decode()):
            name, spent = match[4], int(match[1])
            best[name] = min(spent, best.get(name, spent))
    return best


def show(work: Work, place: Path) -> None:
    """Print the modules of one path that a bare start does not import."""
    environ = cgi_environ(work, len(work.body))
    bare = imports(["-c", "pass"], environ, b"", place)
    script = SCRIPTS / "cgikit" / f"{work.script}.py"
    found = imports([str(script)], environ, work.body, place)
    beyond = {name: spent for name, spent in found.items() if name not in bare}
    print(f"{work.title}: {len(beyond)} modules, {sum(beyond.values()):,} µs")
    for name, spent in sorted(beyond.items(), key=lambda item: -item[1]):
        print(f"  {spent:6,} µs  {name}")


def main() -> int:
    """Show the paths asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("works", nargs="*", metavar="work", help=f"of: {', '.join(PATHS)}")
    parser.add_argument("--setup", action="store_true", help="install this tree first")
    chosen = parser.parse_args()
    if chosen.setup or not VENV.exists():
        prepare(sys.executable)
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        (place / "data").mkdir()
        (place / "data" / "count.dat").write_text("41\n")
        for work in WORKS:
            if work.name in (chosen.works or PATHS):
                show(work, place)
    return 0


if __name__ == "__main__":
    sys.exit(main())
