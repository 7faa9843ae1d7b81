"""Whether the machine is idle: figures of a busy one measure its other work too."""

import argparse
import os
import sys
import time
from pathlib import Path

MAX_BUSY = 0.05  # share of the processors' time that others may have
WINDOW = 5.0  # seconds over which it is measured
PATIENCE = 30.0  # minutes


class Busy(Exception):
    """The machine did not become idle in time."""


def busy(seconds: float = WINDOW) -> float:
    """Return the share of all processors' time that was used in the next `seconds` (0.0 to 1.0). This
    process sleeps meanwhile.
    """
    before = _times()
    time.sleep(seconds)
    idle, total = (after - then for after, then in zip(_times(), before, strict=True))
    return 1 - idle / total if total else 0.0


def wait(minutes: float = PATIENCE) -> float:
    """Wait until the machine is idle, and return the share that was in use then. Raises `Busy` if it is
    not idle within `minutes`.
    """
    end = time.monotonic() + minutes * 60
    while (share := busy()) > MAX_BUSY:
        if time.monotonic() > end:
            raise Busy(
                f"The machine is busy: other programs used {share:.0%} of the processors' time in the "
                f"last {WINDOW:g} s, and figures are published of one where they use {MAX_BUSY:.0%} at "
                "most. Close them, or measure with --busy, which writes nothing."
            )
        if sys.stderr.isatty():
            print(f"\r\033[K{share:.0%} busy, waiting", end="", file=sys.stderr, flush=True)
    return share


def wait_for(chosen: argparse.Namespace) -> None:
    """Wait, as the command line says: not with --busy, nor with --quick, unless results are written all
    the same. Raises `Busy`.
    """
    if not chosen.busy and (chosen.write or not chosen.quick):
        wait()


def _times() -> tuple[int, int]:
    """Return what the processors have spent idle, and in all, in ticks (proc(5), /proc/stat). Waiting
    for a disk counts as idle; what the hypervisor took for others counts as used.
    """
    if not os.path.exists("/proc/stat"):
        sys.exit("Whether this machine is idle cannot be told: it has no /proc/stat (use --busy)")
    fields = [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return fields[3] + fields[4], sum(fields)
