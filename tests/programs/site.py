"""A directory of programs as an administrator would set it up, and what a program has to say of itself.

A site is filled once a run, and copied for each way of serving it, so that what programs make up when
they are set up (hashes, dates, passwords) is the same everywhere.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from requirement import find, need
from servers.interpreter import Interpreter

if TYPE_CHECKING:
    from .visit import Visit

#: The moment of all commits.
MOMENT = "2024-02-03T04:05:06+00:00"

#: Files of programs that name the site's own directory.
NAMING = {".cgi", ".conf", ".ini", ".rc", ".php", ".pl", ".py", ".rb", ".sh", ".tcl", ".hgrc"}


@dataclass(frozen=True)
class Program:
    """A program: what it needs of the machine, how it is set up, what is asked of it.

    `hide` are patterns of what differs from one answer to the next, such as the time that a page took;
    each match, or each of its groups, becomes "…".
    """

    name: str
    needs: tuple[str, ...]  # programs, for `requirement.need`, by name or by path
    install: Callable[["Site"], None]
    visit: Callable[["Visit"], None]
    hide: tuple[str, ...] = ()
    #: What httpd's mod_cgid gets wrong, so that it cannot be the reference: asked of the others only.
    beyond: Callable[["Visit"], None] | None = None

    def need(self) -> None:
        """Skip the test, or fail it, where the machine lacks something."""
        for name in self.needs:
            need(name)

    def lacks(self) -> bool:
        """Whether the machine lacks something."""
        return any(find(name) is None for name in self.needs)


@dataclass(frozen=True)
class Site:
    """Where programs are set up. All of it belongs to whom the scripts run as."""

    root: Path
    interpreter: Interpreter
    user: str | None

    @property
    def scripts(self) -> Path:
        """What is served."""
        return self.root / "cgi-bin"

    @property
    def state(self) -> Path:
        """What the programs keep, out of the reach of URLs."""
        return self.root / "state"

    def script(self, name: str, text: str) -> Path:
        """Put a script into the served directory."""
        path = self.scripts / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def wrapper(self, name: str, program: str, **variables: str) -> Path:
        """Put a script of the shell there that becomes an installed program, with an environment."""
        lines = [f"export {key}='{value}'\n" for key, value in variables.items()]
        return self.script(name, f"#!/bin/sh\n{''.join(lines)}exec {program}\n")

    def keep(self, name: str, content: str | bytes | None = None) -> Path:
        """A file of the programs' state, or, without a content, a directory."""
        path = self.state / name
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        if self.user:
            shutil.chown(path, self.user, self.user)
        return path

    def run(self, *command: str | Path, cwd: Path | None = None, stdin: bytes = b"") -> str:
        """Run a command as the scripts' user; return its output."""
        return run(*command, cwd=cwd or self.state, home=self.state, user=self.user, stdin=stdin)

    def copy(self, root: Path) -> "Site":
        """The same site in another directory."""
        subprocess.run(["cp", "-a", "--", self.root, root], check=True)
        for path in root.rglob("*"):
            if path.suffix in NAMING and path.is_file() and not path.is_symlink():
                before = path.read_bytes()
                after = before.replace(os.fsencode(self.root), os.fsencode(root))
                if before != after:
                    path.write_bytes(after)
        return Site(root, self.interpreter, self.user)


def make_site(root: Path, interpreter: Interpreter, user: str | None) -> Site:
    """An empty site."""
    site = Site(root, interpreter, user)
    for directory in (site.root, site.scripts, site.state):
        directory.mkdir()
        if user:
            shutil.chown(directory, user, user)
    return site


def run(
    *command: str | Path, cwd: Path, home: Path, user: str | None = None, stdin: bytes = b""
) -> str:
    """Run a command that ends well, with an environment that is the same on every machine."""
    done = attempt(*command, cwd=cwd, home=home, user=user, stdin=stdin)
    output = done.stdout.decode(errors="replace")
    if done.returncode:
        shown = " ".join(map(str, command))
        raise AssertionError(f"{shown} exited with {done.returncode}:\n{output}")
    return output


def attempt(
    *command: str | Path, cwd: Path, home: Path, user: str | None = None, stdin: bytes = b""
) -> "subprocess.CompletedProcess[bytes]":
    """Run a command, which may fail; its errors are in its output."""
    environ = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "HOME": str(home),
        "USER": "ada",
        "no_proxy": "*",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "HGRCPATH": "",
        "TZ": "UTC",
    }
    for role in ("AUTHOR", "COMMITTER"):
        environ |= {f"GIT_{role}_NAME": "Ada", f"GIT_{role}_EMAIL": "ada@example.org"}
        environ[f"GIT_{role}_DATE"] = MOMENT
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environ,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=user,
        group=user,
        extra_groups=[] if user else None,
        umask=0o022,
        timeout=300,
    )


def last_line(text: str) -> str:
    """What a command said last, without addresses."""
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return re.sub(r"http://\S+", "URL", lines[-1]) if lines else ""
