"""What a measurement stands on: the virtual environment with the peers, and the machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-bench"
PEERS = ("legacy-cgi", "bottle", "werkzeug")


def prepare(python: str, venv: Path = VENV, peers: tuple[str, ...] = PEERS) -> Path:
    """Make the virtual environment from `python`, install this tree and the peers, compile all.

    The tree is installed anew each time, and not editable: an editable install is another way to
    import, and what users get is this one. Everything is compiled first, because a module without
    its .pyc costs several times as much and servers rarely may write one.
    """
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    inside = venv / "bin" / "python3"

    def run(*command: str) -> None:
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)

    if _base(str(inside)) != _base(python):
        run(python, "-m", "venv", "--clear", str(venv))
    pip = (str(inside), "-m", "pip", "-qq", "--disable-pip-version-check")
    run(*pip, "install", str(ROOT), *peers)
    run(*pip, "install", "--force-reinstall", "--no-deps", str(ROOT))
    # setuptools brings .pth files, which every start would read: 1.2 times a bare start.
    run(*pip, "uninstall", "--yes", "setuptools")
    run(str(inside), "-m", "compileall", "-q", str(venv / "lib"))
    return venv


def _base(python: str) -> str:
    """Return the installation and version behind a python; "" where it does not run."""
    code = "import sys; print(sys.base_prefix, sys.version)"
    try:
        return subprocess.run(
            [python, "-I", "-c", code], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def facts(command: str) -> list[tuple[str, str]]:
    """List the machine, the date and the command, as (name, value) pairs for the results."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return [
        ("date", datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")),
        ("command", f"`{command}`"),
        ("commit", _commit()),
        ("processor", f"{_processor()}, {len(os.sched_getaffinity(0))} cores"),
        ("memory", f"{memory:.0f} GiB"),
        (
            "system",
            f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {os.uname().release}",
        ),
        ("load when it began", f"{os.getloadavg()[0]:.2f} (1-minute average)"),
        ("interpreter of the harness", f"CPython {platform.python_version()}"),
    ]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _commit() -> str:
    """Return the commit measured, and whether the tree differed from it."""

    def git(*words: str) -> str:
        return subprocess.run(
            ["git", "-C", str(ROOT), *words], capture_output=True, text=True
        ).stdout.strip()

    if not (commit := git("rev-parse", "--short", "HEAD")):
        return "not a git checkout"
    return commit + (" with changes" if git("status", "--porcelain", "--", "cgikit") else "")
