"""Scripts with fronts of `cgikit accelerate` under servers that know CGI alone.

Each case of RFC 3875 is sent to the front in the place of the script, and has to end as it does for the
script itself: what is recorded for the server is expected, no more and no less. Each answer has to come
from the daemon.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from accelerating import COMMAND, Site
from requirement import need
from serving import DEADLINE, until

from .curl import curl
from .fixtures import copy_scripts, fresh, readable_by_all
from .interpreter import Interpreter, server_user
from .printed import printed
from .rfc3875 import Case, install, load
from .rows import ROWS
from .server import Server
from .test_conformance import check

#: The server, and the kind of front. `cgikit serve --warm` runs a front as any other program.
FRONTED = (
    ("apache-mod_cgid", "perl"),
    ("apache-mod_cgid", "python"),
    ("apache-mod_cgi", "perl"),
    ("lighttpd-cgi", "perl"),
    ("busybox-httpd", "perl"),
    ("cgikit-serve-warm", "perl"),
)
NAMED = [f"{name}-{kind}" for name, kind in FRONTED]
#: The command, but for www-data, as whom scripts run where root runs the tests, and with its directory
#: below /tmp.
ALLOWED = COMMAND.replace("_TEMPORARY = ()", "_TEMPORARY = (); directory.SHARED = frozenset()")
#: BusyBox has 9 places for connections that it has not accepted; to a client beyond them the system
#: says that it is connected, and forgets it.
AT_ONCE = {"busybox-httpd": 9}
TIMES = 20  # a busy machine is late now and then, and what was learnt makes a new daemon
PARENT = """\
#!/usr/bin/env python3
import os
print("Content-Type: text/plain\\n")
print(os.getppid())
"""
COUNTED = """\
import fcntl, os, sys
print("Content-Type: text/plain\\n")
with open("runs", "a") as runs:
    fcntl.flock(runs, fcntl.LOCK_EX)
    print(os.environ["QUERY_STRING"], os.getppid(), file=runs, flush=True)
print(f"answer {os.environ['QUERY_STRING']}")
"""


class Fronts(Site):
    """The fronts in one folder of a server, for the user that its scripts run as."""

    def __init__(self, root: Path, folder: Path, interpreter: Interpreter, kind: str) -> None:
        self.directory = root
        self.folder = folder
        self.base = root / "daemons"
        self.python = interpreter.python
        self.path = interpreter.path
        self.kind = kind
        self.user = server_user()
        if self.user:
            self.give(root)  # that is where the directory is made

    def give(self, path: Path) -> None:
        if self.user:
            shutil.chown(path, self.user, self.user)

    def start(self, words: Any, environment: Any = None, **options: Any) -> Any:
        if self.user:
            options = {"user": self.user, "group": self.user, "extra_groups": [], **options}
        return super().start(words, {"PATH": self.path}, **options)

    def make(self, *names: str) -> None:
        """Give each script a front, or those that are named, with options of the command."""
        for path in self.folder.iterdir():
            self.give(path)
        self.give(self.folder)
        words = ["--directory", str(self.base), "--front", self.kind]
        files = [name for name in names if not name.startswith("-")]
        words += [name for name in names if name.startswith("-")]
        scripts = [str(self.folder / name) for name in files] or [str(self.folder)]
        done = self.run([self.python, "-c", ALLOWED, *words, *scripts])
        assert done.returncode == 0, done.stderr.decode()

    def begin(self, url: str) -> None:
        """Have two requests start a daemon."""
        curl(url)
        curl(url)
        assert until((self.place / "s").exists), self.log()


@pytest.fixture(scope="session", params=FRONTED, ids=NAMED)
def fronted(
    request: pytest.FixtureRequest, readable_directory: Path, script_interpreter: Interpreter
) -> Iterator[tuple[Server, Fronts]]:
    """Each server in turn, with the fronts of all cases and their daemon."""
    name, kind = request.param
    with serving(name, kind, readable_directory, script_interpreter) as (server, root):
        install([in_front(case) for case in CASES], server)
        parent = server.directory / "rfc3875" / "parent.py"
        parent.write_text(PARENT)
        parent.chmod(0o755)
        fronts = Fronts(root, server.directory / "rfc3875", script_interpreter, kind)
        fronts.make()
        try:
            fronts.begin(server.url("rfc3875/seen.cgi"))
            yield server, fronts
        finally:
            fronts.stop()


@contextlib.contextmanager
def serving(
    name: str, kind: str, parent: Path, interpreter: Interpreter
) -> Iterator[tuple[Server, Path]]:
    """A server of the matrix, and a directory for its fronts' daemons."""
    for program in (*ROWS[name].needs, *(["perl"] if kind == "perl" else [])):
        need(program)
    with contextlib.ExitStack() as stack:
        with readable_by_all():
            root = fresh(parent, f"accelerated-{name}")
            scripts = copy_scripts(root, user=server_user())
            own = root / "own"
            own.mkdir()
            started = printed(name, ROWS[name], root, scripts, interpreter)
            server = stack.enter_context(started)
        yield server, own


def in_front(case: Case) -> Case:
    """The case with the fronts of all Python scripts in the place of these."""
    script = case.script_file
    if script.endswith(".py"):
        case = swapped(case, re.escape("{script}"), f"{{dir}}{script}")
    return dataclasses.replace(swapped(case, r"\.py\b", ".cgi"), script=script)


def swapped(case: Case, pattern: str, new: str) -> Case:
    """The case with something else in its texts."""

    def change(value: Any) -> Any:
        if isinstance(value, str):
            return re.sub(pattern, lambda found: new, value)
        if isinstance(value, dict):
            return {key: change(inner) for key, inner in value.items()}
        return [change(inner) for inner in value] if isinstance(value, list) else value

    names = ("request", "expect", "output", "before", "then")
    return dataclasses.replace(case, **{name: change(getattr(case, name)) for name in names})


CASES = load()


@pytest.mark.skipif(bool(os.environ.get("CGIKIT_RECORD")), reason="these rows are not recorded")
@pytest.mark.parametrize("case", [c for c in CASES if not c.guarded], ids=lambda c: c.name)
def test_a_case_ends_as_without_a_front(fronted: tuple[Server, Fronts], case: Case) -> None:
    server, fronts = fronted
    letters = []
    for _ in range(TIMES):
        before = fronts.direct()
        check(in_front(case), server)
        letters.append(fronts.direct().removeprefix(before))
        if not letters[-1]:
            return
        until(lambda: fronts.daemon() != 0)
    raise AssertionError(f"it never ran warm: {letters}\n{fronts.log()}")


def test_a_script_is_a_child_of_the_daemon(fronted: tuple[Server, Fronts]) -> None:
    """As seen from the script, and not from what the fronts have written."""
    server, fronts = fronted
    for _ in range(TIMES):
        daemon = fronts.daemon()
        if int(curl(server.url("rfc3875/parent.cgi")).text) == daemon != 0:
            return
    raise AssertionError(f"{fronts.direct()}\n{fronts.log()}")


@pytest.mark.parametrize(("name", "kind"), FRONTED, ids=NAMED)
def test_of_200_requests_at_once_from_nothing_each_runs_once(
    name: str, kind: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    with serving(name, kind, readable_directory, script_interpreter) as (server, root):
        folder = server.directory / "crowd"
        folder.mkdir()
        (folder / "counted.py").write_text(f"#!{script_interpreter.python}\n{COUNTED}")
        (folder / "counted.py").chmod(0o755)
        fronts = Fronts(root, folder, script_interpreter, kind)
        fronts.make("counted.py")
        try:
            answers = crowd(server, 200)
            assert answers == [f"answer {number}" for number in range(200)]
            runs = [line.split() for line in (folder / "runs").read_text().splitlines()]
            assert sorted(int(number) for number, _ in runs) == list(range(200))
            # And the daemon that they have started serves
            assert until((fronts.place / "s").exists), fronts.log()
            for number in range(200, 200 + TIMES):
                curl(server.url(f"crowd/counted.cgi?{number}"))
            last = (folder / "runs").read_text().splitlines()[-TIMES:]
            assert [line.split()[0] for line in last] == [str(200 + n) for n in range(TIMES)]
            assert len({line.split()[1] for line in last}) < TIMES  # a daemon is their parent
        finally:
            fronts.stop()


def crowd(server: Server, size: int) -> list[str]:
    """Send requests at once, each with its number; return the bodies, in their order."""
    path = urlsplit(server.url("crowd/counted.cgi")).path
    queue = threading.Semaphore(AT_ONCE.get(server.name, size))
    bodies = [""] * size
    go = threading.Barrier(size)

    def one(number: int) -> None:
        go.wait()
        head = f"GET {path}?{number} HTTP/1.0\r\nHost: localhost\r\n\r\n"
        with queue:
            said = server.raw(head.encode(), more=True, seconds=DEADLINE).decode()
        bodies[number] = said.replace("\r\n", "\n").partition("\n\n")[2].strip()

    threads = [threading.Thread(target=one, args=(number,)) for number in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return bodies


SECRET = """\
#!/usr/bin/env python3
import os
SECRET = "the source"
print("Content-Type: text/plain\\n")
print("ran", os.getppid())
"""


@pytest.mark.parametrize(
    "name",
    ["apache-mod_cgid", "lighttpd-cgi", "busybox-httpd", "nginx-fastcgi", "cgikit-serve-warm"],
)
def test_a_script_that_its_front_keeps_is_neither_sent_nor_run(
    name: str, readable_directory: Path, script_interpreter: Interpreter
) -> None:
    with serving(name, "python", readable_directory, script_interpreter) as (server, root):
        folder = server.directory / "kept"
        folder.mkdir()
        script = folder / "kept.py"
        script.write_text(SECRET)
        script.chmod(0o755)
        fronts = Fronts(root, folder, script_interpreter, "python")
        fronts.make("kept.py", "--in-place")
        try:
            assert os.listdir(folder) == ["kept.py"]  # no other file that a URL could name
            fronts.begin(server.url("kept/kept.py"))
            for path in ("kept.py", "kept.py/x", "kept.py?x", ".", ""):
                assert "SECRET" not in curl(server.url(f"kept/{path}")).text
            for _ in range(TIMES):
                text = curl(server.url("kept/kept.py")).text
                assert text.startswith("ran ")
                if int(text.split()[1]) == fronts.daemon() != 0:
                    return
            raise AssertionError(f"{fronts.direct()}\n{fronts.log()}")
        finally:
            fronts.stop()
