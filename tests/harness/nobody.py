"""The command line of cgikit, run as somebody who is not root: what is closed to others is closed."""

import subprocess
import sys
from pathlib import Path

#: Becomes nobody once all is loaded: Python itself may lie where nobody may go.
AS_NOBODY = """
import os, sys
import cgikit.cli.httpserver
if not os.geteuid():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(cgikit.cli.main(sys.argv[1:]))
"""


def as_nobody(directory: Path, *words: str) -> tuple[int, str]:
    """Run a command that ends, in a directory that is opened for it; the status, standard error."""
    directory.chmod(0o755)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *words],
        cwd=directory,  # those above it are closed to others
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr
