"""What scripts leave running in their process group when they end, as far as the log should name it.

No standard has this; mod_cgi lets such processes live, and cgikit ends them with the script, so whoever
wonders where a process is must be told. A process that has ended and is not reaped, or is about to end
(multiprocessing has such), is not meant. Who that is, only a look at all processes of the machine
tells, so it is taken for scripts alone that have left something before, a moment after their end, and
a few times. How the processes are ended is in `zygote.py` and `spawn.py`.
"""

import os

LEFT = "it left processes in the background; what still ran has been ended with the script"
GRACE = 0.2  # seconds for what ends by itself when the script has ended
_MAX_LOOKS = 20  # at the processes of the machine, for each script
_MAX_SCRIPTS = 1_000  # scripts


class Background:
    """Which scripts are suspected to leave processes running."""

    def __init__(self) -> None:
        self._looks: dict[str, int] = {}  # by script, how many are left

    def suspect(self, script: str) -> None:
        """Have a script looked at from now on: another process was in its group when it had ended."""
        if script not in self._looks and len(self._looks) < _MAX_SCRIPTS:
            self._looks[script] = _MAX_LOOKS

    @property
    def suspects(self) -> bool:
        """Whether any script is, or was, to be looked at."""
        return bool(self._looks)

    def is_suspect(self, script: str) -> bool:
        """Whether the script is to be looked at."""
        return self._looks.get(script, 0) > 0

    def settle(self, script: str) -> None:
        """Look at a script no more: it has been named."""
        self._looks[script] = 0

    def look(self, script: str, group: int) -> bool | None:
        """Return whether a process runs in the script's group beside the script, which has ended and is
        not reaped; None while the script itself runs. False where the system does not tell.
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
