"""All that is done to check one script: it is looked at, mended if somebody agrees, then run.

What is found without running it is decided by `checking`, what a run shows by `judge`. Nothing is
printed here, and nobody is asked: the command does that.
"""

import contextlib
import os
import time
from collections.abc import Callable, Iterator

from ..checking import script
from ..checking.account import Account
from ..checking.finding import Finding
from ..checking.identity import who_runs
from ..checking.interpreter import python_of
from ..checking.mending import Mend, Refused, Tree, mends
from ..errors import reason_of
from .importtime import dearest
from .judge import judge
from .reuse import Reuse, try_reuse
from .sample import PATH, Sample, run_sample

SECONDS = 30.0  # for all scripts of a command
ONE_RUN = 10.0  # for each sample request
_SHARE = 3  # a script gets no more than this part of the time that is left, if others wait


class Checkup:
    """One script: `.file` (str), its `.findings` (list of `Finding`), the `.samples` of its runs (list
    of `Sample`), and what was `.mended`: (file, what) (list of tuples).
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.samples: list[Sample] = []
        self.mended: list[tuple[str, str]] = []

    def imports(self) -> list[tuple[str, float]]:
        """Return the dearest imports of the script: (name, milliseconds) (list of tuples)."""
        return dearest([line for sample in self.samples for line in sample.imports])

    def as_dict(self) -> dict[str, object]:
        """Return what JSON says of a script beside its findings (docs/reference/check.md)."""
        return {
            "runs": [
                {
                    "method": each.method,
                    "milliseconds": round(each.seconds * 1_000, 1),
                    "memory": each.memory,
                    "status": each.status,
                    "bytes": each.size,
                }
                for each in self.samples
            ],
            "imports": [{"name": name, "milliseconds": took} for name, took in self.imports()],
            "mended": [{"file": file, "what": what} for file, what in self.mended],
        }

    def measures(self) -> str:
        """Return what the runs took, in words; "" if there was none."""
        parts = []
        for each in self.samples:
            memory = "" if each.memory is None else f", {each.memory / 1_000_000:.0f} MB"
            parts.append(f"{each.method} {each.seconds * 1_000:.0f} ms{memory}")
        if imports := self.imports():
            parts.append("imports: " + ", ".join(f"{name} {took:.1f} ms" for name, took in imports))
        return "; ".join(parts)


class Checks:
    """How scripts are checked: as `user` (`Account`; None: who runs each is chosen), with `path` as
    their PATH, by sample requests with `methods`, all of them within `SECONDS`.
    With several scripts, `begin` gives each its share of that.

    `announce` is called before a script is run, with its path, who runs it, and why.
    """

    def __init__(
        self,
        user: Account | None = None,
        path: str = PATH,
        methods: tuple[str, ...] = ("GET", "HEAD"),
        announce: "Callable[[str, Account, str], object]" = lambda *_: None,
    ) -> None:
        self.user = user
        self.path = path
        self.methods = methods
        self.announce = announce
        self._deadline = self._until = time.monotonic() + SECONDS

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        """Let the time stand still, while somebody is asked."""
        began = time.monotonic()
        try:
            yield
        finally:
            waited = time.monotonic() - began
            self._deadline += waited
            self._until += waited

    def begin(self, waiting: int) -> None:
        """Start with the next script. `waiting` is how many there still are, with this one: of the time
        that is left, it gets the whole if it is the last, half if one more waits, else a third.
        """
        now = time.monotonic()
        self._until = now + (self._deadline - now) / max(1, min(waiting, _SHARE))

    def examine(self, file: str, *, may_run: bool) -> Checkup:
        """Return what is wrong with a script (`Checkup`). `may_run` tells whether it may be run."""
        checkup = self.look(file, may_run=may_run)
        if may_run:
            self.run(checkup)
        return checkup

    def look(self, file: str, *, may_run: bool) -> Checkup:
        """Return what is wrong with a script (`Checkup`) without running it. `may_run` tells whether it
        may be run later, which is also whether an interpreter of somebody else's may be.
        """
        checkup = Checkup(file)
        account, _ = self._account(file)
        checkup.findings = script.check_script(
            file, account, self.path, may_run=may_run, seconds=self._left()
        )
        return checkup

    def _account(self, file: str) -> tuple[Account, str]:
        return (self.user, "") if self.user else who_runs(file, self.path)

    def _left(self) -> float:
        return min(ONE_RUN, self._until - time.monotonic())

    def run(self, checkup: Checkup) -> None:
        """Add what sample runs show, each thing once; nothing if a script has an error already, which a
        run would show once more.
        """
        if any(finding.is_error for finding in checkup.findings):
            return
        file, name = checkup.file, os.path.basename(checkup.file)
        account, why = self._account(file)
        if self._left() > 0:
            self.announce(file, account, why)
        for method in self.methods:
            left = self._left()
            if left <= 0:
                what = f"There was no time left to run {name} for {method}."
                fix = f"Check it alone: all of a check takes at most {SECONDS:g} seconds."
                found = Finding("not-run", what, is_error=False, fix=fix, file=file)
                checkup.findings.append(found)
                return
            try:
                # Asked once, and not of the first run, which is as under a server
                imports = method == "HEAD" and bool(python_of(file))
                sample = run_sample(file, method, account, left, self.path, imports=imports)
            except OSError as error:
                what = f"{name} cannot be started: {error.strerror}."
                checkup.findings.append(Finding("not-started", what, file=file))
                return
            checkup.samples.append(sample)
            known = {finding.kind for finding in checkup.findings}
            found_now = judge(file, sample, is_cut_short=left < ONE_RUN)
            checkup.findings += [each for each in found_now if each.kind not in known]
            if sample.is_late:
                return

    def try_reuse(self, checkup: Checkup) -> Reuse | None:
        """Return what is seen of a script if one process may serve several requests, and add what keeps
        it from that; None if it was not tried, because the script has an error.
        """
        if any(finding.is_error for finding in checkup.findings):
            return None
        file = checkup.file
        account, _ = self._account(file)
        try:
            seen = try_reuse(file, account)
        except OSError as error:
            why = error.strerror or error
            what = f"Whether one process can serve several requests is not known: {why}."
            checkup.findings.append(Finding("not-reused", what, is_error=False, file=file))
            return None
        checkup.findings += seen.findings(file)
        return seen


def mend(
    checkup: Checkup,
    extra: list[Finding],
    tree: Tree,
    agrees: "Callable[[Mend], bool]",
    complain: "Callable[[Mend, str], object]",
) -> bool:
    """Mend what can be mended of a script and of `extra` findings, each change if `agrees` says so;
    return whether anything was changed. `complain` is called with the reason why one was not.
    """
    before = len(checkup.mended)
    for each in mends([*checkup.findings, *extra]):
        if not agrees(each):
            continue
        try:
            tree.apply(each)
            checkup.mended.append((each.file, each.what))
        except Refused as error:
            complain(each, str(error))
        except OSError as error:
            complain(each, reason_of(error))
    return len(checkup.mended) > before
