"""Processes that a measurement starts: as whom they run, how they end, and what they hold.

Everything started here is a process group of its own and is ended by its id. What a process holds
(memory, descriptors, children) is read from /proc, so this is for Linux.
"""

import os
import pwd
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 20.0  # seconds until something that should have started, or ended, is given up


class NotStarted(Exception):
    """A server did not come up; the message has the end of what it said."""


def server_user() -> str | None:
    """Return whom servers and scripts run as: www-data where root starts them, else ourselves."""
    return "www-data" if os.geteuid() == 0 else None


def give(path: Path) -> None:
    """Hand a file to the servers' user."""
    if user := server_user():
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def clean_environ(**more: str) -> dict[str, str]:
    """Return the environment of what is measured: no PYTHON* variable, which slow it or change it."""
    return {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", **more}


def listening_socket(path: Path) -> socket.socket:
    """Make a listening UNIX socket that the servers' user may connect to, as spawn-fcgi does."""
    made = socket.socket(socket.AF_UNIX)
    made.bind(str(path))
    made.listen(1024)
    path.chmod(0o600)
    give(path)
    return made


def free_ports(count: int) -> list[int]:
    """Return ports of loopback on which nobody listens now, all different."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


class Running:
    """One started program. `log` holds what it wrote to standard output and standard error."""

    def __init__(
        self,
        argv: list[str],
        log: Path,
        environ: dict[str, str],
        *,
        stdin: socket.socket | None = None,
        as_server: bool = True,
    ) -> None:
        user = server_user() if as_server else None
        self.argv, self.log = argv, log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                argv,
                stdin=stdin if stdin else subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environ,
                cwd=log.parent,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
            )
        self.pid = self.process.pid

    def wait_for(self, address: Path | int) -> None:
        """Wait until somebody accepts connections at a UNIX socket or a port of loopback."""
        deadline = time.monotonic() + PATIENCE
        while not _accepts(address):
            if self.process.poll() is not None or time.monotonic() > deadline:
                said = self.log.read_text(errors="replace")[-3000:]
                raise NotStarted(f"{' '.join(self.argv)} does not listen at {address}:\n{said}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it: TERM to the program, and KILL to its whole group for what is left of it."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()


def _accepts(address: Path | int) -> bool:
    kind = socket.AF_INET if isinstance(address, int) else socket.AF_UNIX
    with socket.socket(kind) as probe:
        try:
            probe.connect(("127.0.0.1", address) if isinstance(address, int) else str(address))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Held:
    """What a tree of processes holds at one moment; the sums are over the processes that stay."""

    processes: int
    zombies: int
    descriptors: int
    memory: int  # bytes that no file backs: what grows when something is never let go


def tree(root: int) -> dict[int, str]:
    """Return the state (a letter of proc(5)) of a process and of all below it, by id."""
    parents: dict[int, tuple[int, str]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                stat = Path("/proc", name, "stat").read_text(errors="replace")  # any program's name
                fields = stat.rpartition(")")[2].split()
            except OSError:
                continue  # it ended while we looked
            parents[int(name)] = (int(fields[1]), fields[0])
    found: dict[int, str] = {}
    pending = [root]
    while pending:
        pid = pending.pop()
        if pid in parents:
            found[pid] = parents[pid][1]
            pending += [child for child, (parent, _) in parents.items() if parent == pid]
    return found


def held(roots: list[int]) -> Held:
    """Read what the processes at and below `roots` hold."""
    states = {pid: state for root in roots for pid, state in tree(root).items()}
    living = [pid for pid, state in states.items() if state not in "ZX"]
    return Held(
        len(living),
        len(states) - len(living),
        sum(_descriptors(pid) for pid in living),
        sum(memory(pid, "Anonymous") for pid in living),
    )


def settled(roots: list[int]) -> Held:
    """Look when the last children have gone: eight looks in two seconds that count the same."""
    seen: list[tuple[int, int, int]] = []
    for _ in range(80):
        now = held(roots)
        seen.append((now.processes, now.zombies, now.descriptors))
        if len(seen) >= 8 and len(set(seen[-8:])) == 1:
            break
        time.sleep(0.25)
    return now


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0


def memory(pid: int, field: str = "Pss") -> int:
    """Return a process's proportional set size, or another sum, in bytes; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    found = (line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(next(found, "0")) * 1024


class Peak:
    """The highest memory of a tree of processes, sampled. `only`: those that name it in argv."""

    def __init__(self, roots: list[int], only: str = "") -> None:
        self.roots, self.only = roots, only.encode()
        self.bytes = 0
        self._ended = threading.Event()

    def _sample(self) -> None:
        while not self._ended.wait(0.01):
            pids = [pid for root in self.roots for pid in tree(root)]
            self.bytes = max(self.bytes, sum(memory(pid) for pid in pids if self._counts(pid)))

    def _counts(self, pid: int) -> bool:
        if not self.only:
            return True
        try:
            return self.only in Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return False

    @contextmanager
    def watch(self) -> Iterator["Peak"]:
        """Sample until the block ends."""
        thread = threading.Thread(target=self._sample)
        thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            thread.join()
