"""The documentation built as a site, for tests: as `make docs` does, into a folder of the test."""

import subprocess
import sys
from pathlib import Path

from house import ROOT

BUILD_LIMIT = 240  # seconds; it takes some ten on an idle machine


def build(directory: Path) -> Path:
    """Build the site below `directory` and return its folder; any warning is an AssertionError."""
    made = directory / "site"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-E", "-W", "--keep-going", "-b", "html",
         "-d", str(directory / "doctrees"), str(ROOT / "docs"), str(made)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BUILD_LIMIT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return made
