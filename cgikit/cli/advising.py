"""What `cgikit serve` says of a script that works, and yet loses something: a file that two requests
change at once.

`cgikit.checking` finds that in the source. Here it is asked once for each version of a script, after
the script was started, in a thread of its own.
"""

import os
import threading
from collections.abc import Callable, Mapping
from queue import SimpleQueue

from cgikit.checking.account import Account
from cgikit.checking.interpreter import ask
from cgikit.checking.racing import check_racing
from cgikit.host.executor import Executor, Job, Run
from cgikit.host.logtext import one_line

_SCRIPTS = 1_000  # that are remembered
_SECONDS = 10.0  # for one script


class Advising:
    """An executor that does the same as another one. `log` gets a line of advice about its scripts."""

    def __init__(self, executor: Executor, log: Callable[[str], None]) -> None:
        self._executor = executor
        self._log = log
        self._seen: dict[str, tuple[int, int]] = {}
        self._waiting: SimpleQueue[tuple[str, str, str]] = SimpleQueue()
        threading.Thread(target=self._advise, daemon=True).start()

    def start(self, job: Job) -> Run:
        """Start the script, as the executor inside does."""
        run = self._executor.start(job)
        self._look(job.file, job.environment)
        return run

    def close(self) -> None:
        """End all running scripts, as the executor inside does."""
        self._executor.close()

    def _look(self, file: str, environment: Mapping[str, str]) -> None:
        try:
            status = os.stat(file)
        except OSError:  # it was removed in the meantime
            return
        version = status.st_mtime_ns, status.st_size
        if self._seen.get(file) == version or len(self._seen) >= _SCRIPTS:
            return
        self._seen[file] = version
        name = environment.get("SCRIPT_NAME", file)
        self._waiting.put((file, name, environment.get("PATH", "")))

    def _advise(self) -> None:
        while True:
            file, name, path = self._waiting.get()
            told = ask(file, path, Account.current(), _SECONDS)
            for finding in check_racing(file, told) if told is not None else ():
                self._log(one_line(f"{name}: {finding.what} {finding.fix}"))
