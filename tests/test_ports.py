"""Two runs of the tests side by side start servers at the same moment, on ports of their own."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent / "harness"
SOURCE = "import ports\nprint(*(ports.free_port() for _ in range(200)), flush=True)\ninput()"


def test_no_port_is_given_twice() -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", f"import os\nos.getpid = lambda: 1\n{SOURCE}"],
            cwd=HERE,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    try:
        ports = [port for run in runs if run.stdout for port in run.stdout.readline().split()]
    finally:
        for run in runs:
            run.communicate("\n", timeout=60)
    assert len(ports) == len(set(ports)) == 600
