"""`cgikit serve`, started the way a user starts it, and stopped with Ctrl-C's signal."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from .server import LOOPBACK, Server, running, wait_until

#: The line that tells the user where to look.
ANNOUNCED = re.compile(r"^Serving .* at (http://\S+/) ", re.MULTILINE)


@contextlib.contextmanager
def cgikit_serve(root: Path, scripts: Path, *options: str) -> Iterator[Server]:
    """Run `cgikit serve` over `scripts`, on the Python that runs the tests."""
    bin_directory = Path(sys.executable).parent
    command = [str(bin_directory / "cgikit"), "serve", str(scripts)]
    command += ["--host", LOOPBACK, "--port", "0", *options]
    log = root / "serve.log"
    with running(command, log, environment(bin_directory), signal.SIGINT) as process:

        def announced() -> str | None:
            found = ANNOUNCED.search(log.read_text(errors="replace"))
            return found.group(1) if found else None

        base_url = wait_until(announced, process, log)
        yield Server("cgikit-serve", base_url, scripts, log)


def environment(bin_directory: Path) -> dict[str, str]:
    """The user's environment with the scripts' interpreter first on the PATH."""
    # Unbuffered output would hide that the announcement was not flushed; no bytecode would make
    # every request slow.
    hidden = {"PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"}
    kept = {name: value for name, value in os.environ.items() if name not in hidden}
    return {**kept, "PATH": f"{bin_directory}:{os.environ.get('PATH', os.defpath)}"}
