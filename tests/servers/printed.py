"""A server from what `cgikit config` prints: its first lines say what to do, and that is done here.

Nothing is put in or taken out: the tests choose by options only, as a user does.
"""

import contextlib
import re
import shlex
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ports import free_port
from requirement import need

from .guarded import Guard
from .interpreter import Interpreter, server_user
from .rows import Row
from .server import (
    LOOPBACK,
    NotStarted,
    Server,
    as_user,
    listens,
    running,
    wait_until,
)

#: What an ordinary user's PATH has: no sbin.
ENVIRONMENT = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C"}
ADDRESS_IN_USE = re.compile("address already in use|cannot bind", re.IGNORECASE)

Steps = dict[str, list[str]]


@contextlib.contextmanager
def printed(
    name: str,
    row: Row,
    root: Path,
    scripts: Path,
    interpreter: Interpreter,
    state: str = "state",
    listen: str = LOOPBACK,
    guard: Guard | None = None,
    options: Sequence[str] = (),
    change: Callable[[str], str] | None = None,
) -> Iterator[Server]:
    """Run the server of a row over `scripts` until the block ends; all it makes is below `root`.

    `guard` makes a file of users, and `options` are more options of `cgikit config`. `change` changes
    the text as a user does after it was saved.
    """
    for program in row.needs:
        need(program)
    user = server_user()
    caller = None if row.by_root else user

    home = root / "home"
    home.mkdir()
    if caller:
        shutil.chown(home, caller, caller)
    for attempt in (1, 2, 3):
        port = free_port(listen)
        log = root / f"server-{attempt}.log"
        command = [
            str(interpreter.directory / "bin" / "cgikit"),
            "config",
            row.config,
            str(scripts),
        ]
        command += ["--port", str(port), "--listen", listen, "--state", str(home / state)]
        command += ["--prefix", row.prefix, *options, *(guard(root, scripts) if guard else [])]
        steps = read_steps(run(command, caller))
        with contextlib.ExitStack() as stack:
            try:
                start(stack, steps, (listen, port), root, log, caller, change)
            except NotStarted as error:
                if attempt < 3 and ADDRESS_IN_USE.search(str(error)):
                    continue
                raise
            logs = [home / state / file for file in row.logs]
            host = f"[{listen}]" if ":" in listen else listen
            base_url = f"http://{host}:{port}{row.prefix}"
            yield Server(name, base_url, scripts, log, (root / "scripts.log", *logs), user)
            return


def start(
    stack: contextlib.ExitStack,
    steps: Steps,
    address: tuple[str, int],
    root: Path,
    log: Path,
    user: str | None,
    change: Callable[[str], str] | None,
) -> None:
    """Do what the text says, up to a server that answers at `address`."""
    for command in (*steps["Prepare"], *steps["Save"]):
        run(["sh", "-c", command], user)
    saved = Path(shlex.split(steps["Save"][-1])[-1])
    if change:
        saved.write_text(change(saved.read_text()))
    for command in steps.get("Scripts", ()):
        words = shlex.split(command)
        path = words[next(n for n, word in enumerate(words) if word in {"--socket", "-s"}) + 1]
        gateway_log = root / "scripts.log"
        process = stack.enter_context(serving(command, gateway_log, user))
        wait_until(partial(accepts, path), process, gateway_log)
    for command in steps.get("Check", ()):
        run(["sh", "-c", command], user)
    process = stack.enter_context(serving(steps["Start"][0], log, user))
    wait_until(partial(listens, *address), process, log)


def read_steps(text: str) -> Steps:
    """The commands in the comments of a printed configuration, by their labels."""
    steps: Steps = {}
    label = ""
    for line in text.splitlines():
        if found := re.fullmatch(r"# (\w+):", line):
            label = found[1]
        elif label and line.startswith("#     "):
            steps.setdefault(label, []).append(line.removeprefix("#     "))
        else:
            label = ""
    return steps


def run(command: list[str], user: str | None) -> str:
    """Run a command that ends, as `user`; return its output."""
    switch = ["setpriv", *as_user(user), "--"] if user else []
    done = subprocess.run(
        [*switch, *command],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd="/",
    )
    if done.returncode:
        raise AssertionError(
            f"{command} exited with {done.returncode}:\n{done.stdout}{done.stderr}"
        )
    return done.stdout


def serving(
    command: str, log: Path, user: str | None
) -> "contextlib.AbstractContextManager[subprocess.Popen[bytes]]":
    """A process that a printed command line starts."""
    # The guard against orphans belongs into the call that changes the user: see `running`.
    command = re.sub("^setpriv ", "setpriv --pdeathsig TERM ", command)
    leaves = "fcgiwrap" in command  # its prefork children do not end with it
    shell = ["sh", "-c", f"exec {command}"]
    return running(shell, log, ENVIRONMENT, signal.SIGTERM, user, leaves)


def accepts(path: str) -> bool | None:
    """True when a UNIX socket accepts connections, None when not."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return None
    return True
