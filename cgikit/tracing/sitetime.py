"""How long `site` takes in an interpreter alone: what `-X importtime` says of a run that does nothing.

In the run that is traced only the end of site is seen, since it loads what tells about it.
"""

import os
import statistics
import subprocess
import tempfile
from collections.abc import Mapping

from ..checking.account import Account
from .story import site_time

_RUNS = 3
_SECONDS = 20.0  # for one run
_MOST = 1 << 20  # bytes that are read


def measure_site(
    interpreter: str, environment: Mapping[str, str], user: Account | None = None
) -> float | None:
    """Return the median of three runs (float, microseconds); None if the interpreter does not say it.
    `user` is who runs it, if this process is root's.
    """
    found = [_run(interpreter, environment, user) for _ in range(_RUNS)]
    times = [each for each in found if each is not None]
    return statistics.median(times) if len(times) == _RUNS else None


def _run(interpreter: str, environment: Mapping[str, str], user: Account | None) -> float | None:
    account = user if not os.geteuid() else None
    with tempfile.TemporaryFile() as said:
        try:
            subprocess.run(  # noqa: S603 -- the interpreter of the script that is traced
                [interpreter, "-X", "importtime", "-c", ""],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=said,
                env=dict(environment),
                cwd="/",
                timeout=_SECONDS,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=sorted(account.groups) if account else None,
            )
        except (OSError, ValueError, subprocess.SubprocessError):
            return None
        said.seek(0)
        return site_time(said.read(_MOST).decode("utf-8", "replace"))
