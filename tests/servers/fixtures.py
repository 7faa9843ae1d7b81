"""Fixtures that hand a running server to a test; each server is started once a run."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from requirement import need

from .apache import apache
from .interpreter import ROOT, Interpreter, make_interpreter, server_user
from .serve import cgikit_serve
from .server import Server

SCRIPT_DIRECTORIES = (ROOT / "examples" / "cgi-bin", ROOT / "tests" / "servers" / "scripts")

SERVERS = ("cgikit-serve", "apache-mod_cgid", "apache-mod_cgi")


@pytest.fixture(scope="session")
def readable_directory() -> Iterator[Path]:
    """A temporary directory that the server's user can enter; pytest's own are 0700."""
    parent = "/tmp" if os.geteuid() == 0 else None  # TMPDIR may be private to root
    with tempfile.TemporaryDirectory(prefix="cgikit-servers-", dir=parent) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def script_interpreter(readable_directory: Path) -> Interpreter:
    """The Python that scripts run on under Apache."""
    return make_interpreter(readable_directory / "python")


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, readable_directory: Path) -> Iterator[Server]:
    """Each server in turn, over a copy of the examples and of the tests' own scripts."""
    name = request.param
    root = readable_directory / name
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root.mkdir()
            if name == "cgikit-serve":
                started = cgikit_serve(root, copy_scripts(root, user=None))
            else:
                need("apache2")  # before the interpreter is made, which takes seconds
                interpreter = request.getfixturevalue("script_interpreter")
                scripts = copy_scripts(root, user=server_user())
                started = apache(name.removeprefix("apache-"), root, scripts, interpreter)
            running = stack.enter_context(started)
        yield running


@contextlib.contextmanager
def readable_by_all() -> Iterator[None]:
    """Make files that the server's user can read, whatever umask the tests are run with."""
    before = os.umask(0o022)
    try:
        yield
    finally:
        os.umask(before)


def copy_scripts(root: Path, user: str | None) -> Path:
    """Copy what is served to `root`; only its `data` directory belongs to the scripts' user."""
    scripts = root / "cgi-bin"
    for source in SCRIPT_DIRECTORIES:
        ignored = shutil.ignore_patterns("data", "__pycache__")
        shutil.copytree(source, scripts, dirs_exist_ok=True, ignore=ignored)
    subprocess.run(["chmod", "-R", "u=rwX,go=rX", scripts], check=True)
    data = scripts / "data"
    data.mkdir()
    if user:
        shutil.chown(data, user, user)
    return scripts
