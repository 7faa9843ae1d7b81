"""What a daemon writes down: its log, how many requests it had, which libraries its scripts import."""

import io
import os

from ..logfile import LogFile
from ..warm import preload
from . import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LOG = 1 << 18  # bytes
MAX_SAID = 200  # lines of which it is remembered that they were logged


class Nowhere(io.TextIOBase):
    """A stream that forgets what is written to it."""

    def write(self, text: str) -> int:
        """Forget a text."""
        return len(text)


class Ledger:
    """The ledger of the daemon of the directory `place`. `warm` and `refused` are the requests that are
    not in the file yet, `learnt` the libraries to load, `bad` those that cannot be loaded beforehand,
    with the reason.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        # Standard error is a pipe that nobody reads: one day it would be full
        self._log = LogFile(os.path.join(place, "log"), Nowhere(), LOG)  # type: ignore[arg-type]
        self._said: set[str] = set()
        self.warm = self.refused = self._served = 0
        self.learnt: dict[str, None] = {}
        self.bad: dict[str, str] = {}
        for name, state in records.read(os.path.join(place, "learnt")):
            if state == "ok":
                self.learnt[name] = None
            else:
                self.bad[name] = state

    # --- the log ------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Log a line."""
        self._log.write(text + "\n")

    def say_once(self, text: str) -> None:
        """Log what would come back with every request, the first time."""
        if text not in self._said and len(self._said) < MAX_SAID:
            self._said.add(text)
            self.say(text)

    # --- requests -----------------------------------------------------------------------------

    @property
    def served(self) -> int:
        """How many requests this daemon has served."""
        return self._served + self.warm

    def has_news(self) -> bool:
        """Whether requests are not in the file yet."""
        return bool(self.warm or self.refused)

    def write_counts(self) -> None:
        """Add the requests to those in the file. What cannot be written is logged."""
        path = os.path.join(self._place, "counts")
        try:
            known = dict(records.read(path))
            pairs = []
            for name, count in (("warm", self.warm), ("refused", self.refused)):
                former = known.get(name, "")
                is_number = former.isdigit() and len(former) < 13
                pairs.append((name, count + (int(former) if is_number else 0)))
            records.write(path, pairs)
            self._served += self.warm
            self.warm = self.refused = 0
        except OSError as error:
            self.say(f"counts cannot be written: {error.strerror}")

    # --- libraries ----------------------------------------------------------------------------

    def learn(self, names: "Iterable[str]") -> bool:
        """Keep the names of libraries that a script has imported; return whether one is new."""
        new = [name for name in names if name not in self.learnt and name not in self.bad]
        if not new or len(self.learnt) >= preload.MAX_LEARNT:
            return False
        self.learnt.update(dict.fromkeys(new))
        return True

    def unlearn(self, bad: "Mapping[str, str]") -> None:
        """Drop libraries, by name and reason, and write those that are left."""
        for name, why in bad.items():
            self.learnt.pop(name, None)
            self.bad[name] = why
        self.write_learnt()

    def write_learnt(self) -> None:
        """Write the libraries. What cannot be written is logged."""
        pairs = [(name, "ok") for name in self.learnt]
        try:
            records.write(os.path.join(self._place, "learnt"), [*pairs, *self.bad.items()])
        except OSError as error:
            self.say(f"what was learnt cannot be written: {error.strerror}")
