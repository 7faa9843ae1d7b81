"""A folder of scripts with fronts, as `cgikit accelerate` makes them, and requests to them.

site = Site(directory, python)
site.script("hello.py", "print('Content-Type: text/plain\\n\\nhello')")
site.accelerate("hello.py")
site.warm("hello.cgi")
assert site.request("hello.cgi").stdout.endswith(b"hello")
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from serving import DEADLINE, until

#: Whom scripts run as where root runs the tests: a user of its own, since root is refused.
USER = 12_345 if os.geteuid() == 0 else None
#: The command, but it may keep its directory below /tmp, where tests have theirs.
COMMAND = """
import sys
from cgikit.accelerate import directory
from cgikit.cli import main
directory._TEMPORARY = ()
sys.exit(main(["accelerate", *sys.argv[1:]]))
"""
#: The same, killed before a script is replaced (1), or after it (2).
KILLED = """
import os, signal, sys
when, replace = int(sys.argv.pop(1)), os.replace
def killed(old, new):
    if new.endswith(".py"):
        if when == 2:
            replace(old, new)
        os.kill(os.getpid(), signal.SIGKILL)
    replace(old, new)
os.replace = killed
"""
ENVIRONMENT = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "QUERY_STRING": ""}


class Site:
    """A site below `directory`, whose scripts run on the interpreter `python`."""

    def __init__(self, directory: Path, python: Path) -> None:
        self.directory = directory
        self.python = python
        self.folder = directory / "site"
        self.base = directory / "state"
        self.folder.mkdir(mode=0o755)
        self.give(self.folder)
        directory.chmod(0o755)
        if USER is not None:
            os.chown(directory, USER, USER)

    def give(self, path: Path) -> None:
        """Let a file belong to the scripts' user."""
        if USER is not None:
            os.chown(path, USER, USER)

    def script(self, name: str, code: str) -> Path:
        """Write a script, or replace it."""
        path = self.folder / name
        temporary = self.folder / f"{name}.new"
        temporary.write_text(f"#!{self.python}\n{code}")
        temporary.chmod(0o755)
        self.give(temporary)
        temporary.replace(path)
        return path

    def start(
        self,
        words: list[str | Path],
        environment: Mapping[str, str] | None = None,
        **options: object,
    ) -> "subprocess.Popen[bytes]":
        """Start a program as the scripts' user, with pipes."""
        if USER is not None:
            options = {"user": USER, "group": USER, "extra_groups": [], **options}
        given = {"PATH": "/usr/bin:/bin", **(environment or {})}
        values = {"cwd": self.folder, "env": given, "umask": 0o022, **options}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen(words, **{**pipes, **values})  # type: ignore[call-overload,no-any-return]

    def run(
        self,
        words: list[str | Path],
        environment: Mapping[str, str] | None = None,
        body: bytes = b"",
        **options: object,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a program to its end, as the scripts' user."""
        with self.start(words, environment, **options) as process:
            out, err = process.communicate(body, timeout=DEADLINE)
        return subprocess.CompletedProcess(words, process.returncode, out, err)

    def accelerate(self, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """Run the command, with the directory of this site."""
        given = ["--directory", str(self.base), *words]
        return self.run([self.python, "-c", COMMAND, *given])

    def accelerate_killed(self, when: int, *words: str) -> "subprocess.CompletedProcess[bytes]":
        """The same, killed before (1) or after (2) a script is replaced."""
        given = [str(when), "--directory", str(self.base), *words]
        return self.run([self.python, "-c", KILLED + COMMAND, *given])

    def request(
        self,
        front: str,
        environment: Mapping[str, str] | None = None,
        body: bytes = b"",
        arguments: tuple[str, ...] = (),
        **options: object,
    ) -> "subprocess.CompletedProcess[bytes]":
        """Run a front as a web server does."""
        given = {**ENVIRONMENT, **(environment or {})}
        return self.run([self.folder / front, *arguments], given, body, **options)

    def warm_request(
        self, front: str, *words: object, **options: object
    ) -> "subprocess.CompletedProcess[bytes]":
        """The same, where it must run warm. On a busy machine the daemon may be late now and then."""
        for _ in range(100):
            before = self.direct()
            done = self.request(front, *words, **options)  # type: ignore[arg-type]
            after = self.direct()
            if after == before:
                return done
            assert after == before + "l", f"{after}\n{self.log()}"
        raise AssertionError("it was late a hundred times")

    @property
    def place(self) -> Path:
        """The directory of the daemon."""
        (found,) = self.base.iterdir()
        return found

    def wake(
        self, front: str, environment: Mapping[str, str] | None = None, **options: object
    ) -> None:
        """Have a daemon started, as two requests would."""
        for name in ("wait", "asked"):
            path = self.place / name
            path.touch()
            self.give(path)
            moment = time.time() - (1 if name == "asked" else 10)
            os.utime(path, (moment, moment))
        self.request(front, environment, **options)  # type: ignore[arg-type]

    def warm(self, front: str, *words: object, **options: object) -> int:
        """The same, and wait for it; return its process id."""
        self.wake(front, *words, **options)  # type: ignore[arg-type]
        assert until(lambda: self.daemon() != 0), self.log()
        return self.daemon()

    def daemon(self) -> int:
        """The process id of the daemon that listens, 0 if none does."""
        with socket.socket(socket.AF_UNIX) as sock:
            try:
                sock.connect(str(self.place / "s"))
            except OSError:
                return 0
            found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid: int = struct.unpack("iii", found)[0]
            return pid

    def log(self) -> str:
        """What the daemon has logged."""
        with contextlib.suppress(FileNotFoundError):
            return (self.place / "log").read_text()
        return "no log"

    def direct(self) -> str:
        """The letters of the requests that ran directly."""
        with contextlib.suppress(FileNotFoundError):
            return (self.place / "direct").read_text()
        return ""

    def stop(self) -> None:
        """End the daemon, if there is one."""
        with contextlib.suppress(ValueError, FileNotFoundError):
            while pid := self.daemon():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    os.kill(pid, signal.SIGCONT)
                assert until(lambda it=pid: not os.path.exists(f"/proc/{it}"))
