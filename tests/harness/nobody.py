"""The library and its commands, used by somebody who is not root."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

NOBODY = 65_534  # the number of the user, and of the group

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


def forked_as_nobody(
    place: str | Path,
    code: str,
    names: dict[str, object],
    told: Callable[[BaseException], str] = lambda error: f"{type(error).__name__}: {error}",
) -> str:
    """Run code with these names as nobody, in `place`, in a process of its own; return "done", or what
    is `told` of the error. A fork: an interpreter of its own may lie where nobody cannot read it.
    """
    reader, report = os.pipe()
    pid = os.fork()
    if not pid:
        said = "nothing"
        try:
            os.chdir(place)
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            exec(code, names)
            said = "done"
        except BaseException as error:  # it would go on as a second pytest
            said = told(error)
        finally:
            os.write(report, said.encode())
            os._exit(0)
    os.close(report)
    os.waitpid(pid, 0)
    with open(reader, encoding="utf-8") as file:
        return file.read()
