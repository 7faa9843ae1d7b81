"""The trace that docs/reference/trace.md shows, and its picture, made anew: `make trace-sample`.

Runs `cgikit trace -n 20` on the example hello.py and puts what it prints between the markers of the
page, with the machine's load. Choose an idle moment.
"""

import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "trace.md"
PICTURE = ROOT / "docs" / "img" / "trace.svg"
WORDS = ["trace", "-n", "20", "hello.py", "name=Ada"]
BEGIN, END = "<!-- sample: begin -->\n", "<!-- sample: end -->\n"


def main() -> None:
    """Trace, and write the page and the picture."""
    load = os.getloadavg()[0]
    told = cgikit(*WORDS).rstrip()
    cgikit("trace", "-n", "20", "--svg", str(PICTURE), "hello.py", "name=Ada")
    day = f"{datetime.now(UTC):%Y-%m-%d}"
    cores = os.cpu_count()
    words = (
        f"This is `cgikit {' '.join(WORDS)}` with the script of that name in `examples/cgi-bin`, on "
        f"{day} with\nCPython {platform.python_version()}, {cores} cores, and a load of {load:.1f} "
        "before it:"
    )
    text = PAGE.read_text(encoding="utf-8")
    sample = f"{BEGIN}{words}\n\n```text\n{told}\n```\n{END}"
    changed, count = re.subn(f"{BEGIN}.*?{END}", lambda _: sample, text, flags=re.S)
    if count != 1:
        raise SystemExit(
            f"{PAGE} does not have the markers {BEGIN.strip()} and {END.strip()} once each"
        )
    PAGE.write_text(changed, encoding="utf-8")


def cgikit(*words: str) -> str:
    """Return what a command of cgikit prints in the directory of the examples (str)."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "cgikit", *words],
        cwd=ROOT / "examples" / "cgi-bin",
        env={**os.environ, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1"},
        stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return done.stdout


if __name__ == "__main__":
    main()
