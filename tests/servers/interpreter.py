"""The Python that scripts run on under a server with a user of its own.

A web server that root starts runs scripts as `www-data`, who can neither enter root's home, where
an interpreter may live, nor write compiled modules. So: a virtual environment from an interpreter
that everybody can run, in a directory that everybody can read, cgikit installed into it the way a
user installs it, everything compiled.
"""

import contextlib
import os
import pwd
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from requirement import lack

ROOT = Path(__file__).parents[2]
CHECK = "import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))"
SERVER_USER = "www-data"


@dataclass(frozen=True)
class Interpreter:
    """A virtual environment with cgikit in it."""

    directory: Path

    @property
    def python(self) -> Path:
        """The interpreter's path."""
        return self.directory / "bin" / "python3"

    @property
    def path(self) -> str:
        """PATH for scripts, such that `#!/usr/bin/env python3` finds this interpreter."""
        return f"{self.directory / 'bin'}:/usr/local/bin:/usr/bin:/bin"


def server_user() -> str | None:
    """The user that scripts run as: www-data if root starts the server, else None, ourselves."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(SERVER_USER)
    except KeyError:
        lack(f"a user named {SERVER_USER} (apt-get install base-passwd)")
    return SERVER_USER


def base_interpreter() -> str:
    """An installed Python, 3.11 or later, that the server's user can run; else skip the test."""
    user = server_user()
    candidates = ("/usr/bin/python3", sys.executable, shutil.which("python3"))
    found = next((c for c in candidates if c and runs(c, user)), None)
    return found or lack(f"a Python 3.11 for {user or 'you'} (apt-get install python3-venv)")


def runs(python: str, user: str | None) -> bool:
    """Whether `user` can start this interpreter, and it can make virtual environments."""
    with contextlib.suppress(OSError):
        check = [python, "-c", CHECK]
        return subprocess.run(check, user=user, cwd="/", capture_output=True).returncode == 0
    return False


def make_interpreter(directory: Path, *packages: str, options: tuple[str, ...] = ()) -> Interpreter:
    """Make the virtual environment in `directory` and install this working tree into it.

    `packages` are installed as well; `options` are those of venv.
    """
    made = Interpreter(directory)
    base = base_interpreter()
    call([base, "-m", "venv", *options, str(directory)])
    packages = (f"{ROOT}[serve]", *packages)
    call([str(made.python), "-m", "pip", "install", "--quiet", "--no-cache-dir", *packages])
    call([str(made.python), "-m", "compileall", "-q", str(directory / "lib")])
    return made


def call(command: list[str]) -> None:
    """Run a step of the set-up, readable by everybody; show its output if it fails."""
    environ = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    done = subprocess.run(
        command,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        umask=0o022,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} exited with {done.returncode}:\n{done.stdout}")
