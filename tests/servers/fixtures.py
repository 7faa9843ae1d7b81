"""Fixtures that hand a running server to a test; each server is started once a run."""

import contextlib
import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from requirement import need

from .deviations import DEVIATIONS
from .guarded import GUARDS
from .interpreter import ROOT, Interpreter, make_interpreter, server_user
from .printed import printed
from .rows import ROWS
from .serve import cgikit_serve
from .server import Server

SCRIPT_DIRECTORIES = (ROOT / "examples" / "cgi-bin", ROOT / "tests" / "servers" / "scripts")

#: How a test sees a deviation: an answer that is another one, or is none that could be read.
SEEN = (AssertionError, KeyError, ValueError)

SERVERS = ("cgikit-serve", *ROWS)


@pytest.fixture(scope="session")
def readable_directory() -> Iterator[Path]:
    """A temporary directory that the server's user can enter; pytest's own are 0700."""
    parent = "/tmp" if os.geteuid() == 0 else None  # TMPDIR may be private to root
    with tempfile.TemporaryDirectory(prefix="cgikit-servers-", dir=parent) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="session")
def script_interpreter(readable_directory: Path) -> Interpreter:
    """The Python that scripts run on, all but those of `cgikit serve`."""
    return make_interpreter(readable_directory / "python", "gunicorn")


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest, readable_directory: Path) -> Iterator[Server]:
    """Each server in turn, over a copy of the examples and of the tests' own scripts."""
    name = request.param
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root = fresh(readable_directory, name)
            if name == "cgikit-serve":
                started = cgikit_serve(root, copy_scripts(root, user=None))
            else:
                for program in ROWS[name].needs:  # before the interpreter, which takes seconds
                    need(program)
                interpreter = request.getfixturevalue("script_interpreter")
                scripts = copy_scripts(root, user=server_user())
                if ROWS[name].named_interpreter:
                    name_interpreter(scripts, interpreter)
                started = printed(name, ROWS[name], root, scripts, interpreter)
            running = stack.enter_context(started)
        yield running


@pytest.fixture(scope="session", params=GUARDS)
def guarded(
    request: pytest.FixtureRequest, readable_directory: Path, script_interpreter: Interpreter
) -> Iterator[Server]:
    """Each server that can ask for a password, in turn, with the addition of docs/deploy/config.md
    for it.
    """
    name = request.param
    for program in ROWS[name].needs:
        need(program)
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root = fresh(readable_directory, f"guarded-{name}")
            scripts = copy_scripts(root, user=server_user())
            if ROWS[name].named_interpreter:
                name_interpreter(scripts, script_interpreter)
            started = printed(
                name,
                ROWS[name],
                root,
                scripts,
                script_interpreter,
                guard=GUARDS[name],
            )
            running = stack.enter_context(started)
        yield running


def fresh(parent: Path, name: str) -> Path:
    """Make a directory for a server, which may be started more than once in one process of tests."""
    for number in itertools.count():
        with contextlib.suppress(FileExistsError):
            root = parent / (f"{name}-{number}" if number else name)
            root.mkdir()
            return root
    raise AssertionError


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


def name_interpreter(scripts: Path, interpreter: Interpreter) -> None:
    """Put the interpreter into the first line of every script, in place of env's search."""
    for script in scripts.rglob("*.py"):
        text = script.read_text()
        script.write_text(text.replace("#!/usr/bin/env python3", f"#!{interpreter.python}", 1))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Expect each failure that is a server's own deviation; that it no longer occurs is a failure."""
    for item in items:
        call = getattr(item, "callspec", None)
        name = call.params.get("server") if call else None
        for deviation in DEVIATIONS:
            if name not in deviation.servers:
                continue
            if (always := deviation.breaks(item.name)) or deviation.may_break(item.name):
                mark = pytest.mark.xfail(strict=always, raises=SEEN, reason=deviation.what)
                item.add_marker(mark)
