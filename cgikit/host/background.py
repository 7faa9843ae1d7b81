"""Finds scripts that leave processes running in their process group, so that the log can name them.

No standard covers this. mod_cgi lets such processes live; cgikit ends them with the script, so the log
has to say why a process has disappeared. Processes that have ended but are not reaped, or that are
about to end (as those of multiprocessing), do not count. Finding the others means looking at all
processes of the machine, so that is done only for scripts that have left a process before, shortly
after their end, and a few times. `zygote.py` and `spawn.py` end the processes.
"""

import os

LEFT = "it left processes in the background; what still ran has been ended with the script"
GRACE = 0.2  # seconds for processes that end by themselves after the script
_MAX_LOOKS = 20  # times that all processes are examined, for each script
_MAX_SCRIPTS = 1_000  # scripts


class Background:
    """The scripts that may leave processes running."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = {}  # by script: how many looks are left

    def suspect(self, script: str) -> None:
        """Examine a script from now on: its group still had another process after its end."""
        if script not in self._looks and len(self._looks) < _MAX_SCRIPTS:
            self._looks[script] = _MAX_LOOKS

    @property
    def suspects(self) -> bool:
        """Whether any script is, or was, to be examined."""
        return bool(self._looks)

    def is_suspect(self, script: str) -> bool:
        """Whether the script is to be examined."""
        return self._looks.get(script, 0) > 0

    def settle(self, script: str) -> None:
        """Stop examining a script: the log has named it."""
        self._looks[script] = 0

    def look(self, script: str, group: int) -> bool | None:
        """Return whether another process runs in the group of the script, which has ended and is not
        reaped; None while the script itself runs. False if the system cannot say.
        """
        self._looks[script] = self._looks.get(script, 0) - 1
        return _others(group)


def _others(group: int) -> bool | None:
    try:
        if _runs(group, group):
            return None
        numbers = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return False
    return any(_runs(pid, group) for pid in numbers)


def _runs(pid: int, group: int) -> bool:
    """Whether a process is of the group and has not ended (proc_pid_stat(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as stream:
            state, _, found = stream.read(4_096).rpartition(b")")[2].split()[:3]
    except (OSError, ValueError):  # it has been reaped
        return False
    return int(found) == group and state not in b"ZX"
