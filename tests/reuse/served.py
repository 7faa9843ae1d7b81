"""The corpus behind a real server with `--reuse`: what the second visitor gets, and from whom."""

import ast
import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from gatewayserving import Answer, Gateway, gateway
from migrate.answers import Request
from reuse.cases import CASES, SHARED, Case
from serving import state, until

from cgikit.warm.program import RACY

#: The process says who it is before the first line of a script, on standard error.
WHO = "__import__('os').write(2, b'process %d\\n' % __import__('os').getpid())\n"
#: Modules whose state in C nobody can see: a process that has one is not used again.
FOREIGN = {"ctypes", "readline"}
SAID = re.compile(r"/(.+)\.d/\S+: its process serves no other request: (.*)")
ATTEMPTS = 5  # of a case, while workers are replaced by others


class Outcome(NamedTuple):
    """What becomes of a script whose process might be used again.

    `word` is "used again" or "ended", `reason` what the log says of the process that has ended.
    `before` and `after` are the answers to one request, before and after the first visitor's.
    """

    word: str
    reason: str
    before: bytes
    after: bytes


class Served:
    """A server over the corpus, or other scripts."""

    def __init__(self, server: Gateway) -> None:
        self.server = server

    def ask(self, path: str, request: Request) -> Answer:
        """The answer to a request."""
        with self.server.connect() as peer:
            variables = {**request.environ, "SCRIPT_NAME": path, "REQUEST_URI": path}
            return peer.ask(variables, request.body)

    def is_kept(self, pid: int) -> bool:
        """Whether a process that has answered waits for another request. False once it has ended."""
        found: list[bool] = []

        def settled() -> bool:
            alive = pid in self.server.scripts()
            if not alive or state(pid) == "S":  # what it does after an answer needs the processor
                found.append(alive)
            return bool(found)

        assert until(settled), state(pid)
        return found[0]

    def outcome(self, case: Case) -> Outcome:
        """Ask as a visitor without a secret, as the first visitor, and as the second one."""
        path = f"/{case.name}.d/{case.path.name}"
        for _ in range(ATTEMPTS):
            workers = self.server.workers()
            start = len(self.server.lines)
            before = self.ask(path, case.second)
            self.is_kept(process(before))
            first = process(self.ask(path, case.first))
            kept = self.is_kept(first)
            answer = self.ask(path, case.second)
            if self.server.workers() == workers:
                break
        assert kept == (process(answer) == first), (kept, first, answer, self.server.lines[start:])
        if kept:
            return Outcome("used again", "", before.output, answer.output)
        return Outcome("ended", self.reason(case.name), before.output, answer.output)

    def reason(self, name: str) -> str:
        """What the log said last of why a process of the script serves no other request."""
        found = filter(None, map(SAID.search, self.server.lines))
        said = [match[2] for match in found if match[1] == name]
        return said[-1] if said else ""


def process(answer: Answer) -> int:
    """The process that has given an answer."""
    found = re.search(rb"^process (\d+)$", answer.errors, re.MULTILINE)
    assert found is not None, answer
    return int(found[1])


def modules() -> list[str]:
    """The modules of Python and of installed packages that the corpus imports."""
    found: set[str] = set()
    for case in CASES:
        for node in ast.walk(ast.parse(case.path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    installed = {*sys.stdlib_module_names, "cgikit", "dateutil"} - FOREIGN
    return sorted(name for name in found if name.partition(".")[0] in installed)


def says_who(script: Path) -> None:
    """Have a script say which process runs it."""
    _, _, rest = script.read_text("utf-8").partition("\n")
    script.write_text(f"#!{sys.executable}\n{WHO}{rest}", "utf-8")
    script.chmod(0o755)


@contextmanager
def served(root: Path, cases: list[Case], preloaded: list[str]) -> Iterator[Served]:
    """Serve scripts of the corpus from one worker, each from processes that may be used again.

    `preloaded` are modules that are there before the first visitor.
    """
    scripts = [case.put(root / f"{case.name}.d") for case in cases]
    for script in scripts:
        says_who(script)
    path = [str(case.installed) for case in cases if case.installed.exists()]
    environment = {"PYTHONPATH": os.pathsep.join([*path, os.environ.get("PYTHONPATH", "")])}
    words = ["--workers", "1", "--reuse", "*", "--stderr", "server", "--env", "PYTHONPATH"]
    for name in preloaded:
        words += ["--preload", name]
    with gateway("fastcgi", root, *words, environment=environment) as server:
        # A file that changed a moment ago might change again: no process is kept for it
        changed = max(script.stat().st_ctime_ns for script in scripts)
        assert until(lambda: time.time_ns() - changed > RACY)
        yield Served(server)


@contextmanager
def alone(root: Path, case: Case) -> Iterator[Served]:
    """Serve one script of the corpus and have what is installed for it loaded, if it may be."""
    is_shared = case.name in SHARED
    with served(root, [case], [] if is_shared else case.packages) as there:
        if is_shared:
            there.outcome(case)  # the server learns the package from it
            there.server.wait_for(f"not preloaded: .*{case.packages[0]}.*: its import maps memory")
        yield there
