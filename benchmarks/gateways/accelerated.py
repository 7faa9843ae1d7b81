"""Fronts of `cgikit accelerate` for what is measured: made as a site makes them, their daemons started
and ended.

The command refuses www-data and directories below /tmp, with good reason; here both are this
measurement's own, so the refusals are lifted.
"""

import os
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from gateways.processes import PATIENCE, NotStarted, clean_environ

COMMAND = """
import sys
from cgikit.accelerate import directory
from cgikit.cli import main
directory._TEMPORARY = ()
directory.SHARED = frozenset()
sys.exit(main(["accelerate", "--idle", "86400", *sys.argv[1:]]))
"""


class Fronts:
    """The fronts of the scripts in one folder, which belongs to `user`, a number, or None: to us."""

    def __init__(self, folder: Path, base: Path, kind: str, python: Path, user: int | None) -> None:
        self.folder, self.base, self.user = folder, base, user
        if user is not None:
            for path in [folder, *folder.iterdir()]:
                os.chown(path, user, user)
        done = subprocess.run(
            [python, "-c", COMMAND, "--directory", base, "--front", kind, folder],
            env=clean_environ(),
            cwd="/",
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise NotStarted(done.stderr)

    @property
    def place(self) -> Path:
        """Return the daemon's directory."""
        (found,) = self.base.iterdir()
        return found

    def begin(self, ask: Callable[[], object]) -> None:
        """Have requests start the daemon, and wait until it has loaded what the script uses."""
        for _ in range(2):
            ask()
        self._wait_for(lambda: self.daemon() != 0)
        before = self.daemon()
        for _ in range(20):
            ask()
        try:  # another daemon takes its place when it has learnt something; here it has 3 s for that
            self._wait_for(lambda: self.daemon() not in {0, before}, 3)
        except NotStarted:
            pass
        self._wait_for(lambda: self.daemon() != 0)

    def _wait_for(self, done: Callable[[], bool], seconds: float = PATIENCE) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                log = self.place / "log"
                raise NotStarted(log.read_text() if log.exists() else "there is no daemon")
            time.sleep(0.05)

    def daemon(self) -> int:
        """Return the process id of the daemon, 0 if there is none."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.place / "s"))
            except OSError:
                return 0
            found = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            pid: int = struct.unpack("iii", found)[0]
            return pid

    def direct(self) -> int:
        """Return how many requests the fronts have not handed over, so far."""
        try:
            return (self.place / "direct").stat().st_size
        except FileNotFoundError:
            return 0

    def stop(self) -> None:
        """End the daemon, and wait for it: it writes its counts."""
        if pid := self.daemon():
            os.kill(pid, signal.SIGTERM)
            self._wait_for(lambda: not os.path.exists(f"/proc/{pid}"))


def copied(source: Path, folder: Path, python: Path) -> Path:
    """Copy one script into a new folder, executable by `python`; return the folder."""
    folder.mkdir(mode=0o755)
    script = folder / source.name
    text = source.read_text()
    script.write_text(f"#!{python}\n{text.partition(chr(10))[2] if text[:2] == '#!' else text}")
    script.chmod(0o755)
    return folder
