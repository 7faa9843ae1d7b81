"""Counters that expire by themselves, for rate limits: how often a name came in the last minutes.

A count begins with the first increment of its name and expires a fixed time later. This module decides
what such a file looks like; counters that do not expire are in `counters`, and how files are replaced
is in `files`.

The file is text: a line "cgikit-expiring 1", then one line for each name: when it expires (13 digits,
milliseconds since the epoch), its count (10 digits), and the name with backslash escapes.
"""

import os
import time

from .files import read, replace
from .locks import lock
from .process import absolute

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Table = dict[str, tuple[int, int]]  # name: end in milliseconds, count

_HEAD = b"cgikit-expiring 1"
_MAX_COUNT = 9_999_999_999  # the largest number of 10 digits; counting stops there
_MAX_NAME = 200  # characters; of a longer name the beginning and the SHA-256 are kept
_LAST = 9_999_999_999_999  # milliseconds: the year 2286


class ExpiringCounters:
    """Many named counters in one file, each of which expires `seconds` after it began.

        guesses = ExpiringCounters("data/guesses", seconds=900)
        if guesses[request.remote_addr].increment() > 5: ...

    `seconds` is more than 0. At most `most` names are kept: one more takes the place of the name with
    the lowest count, and continues from that count. `timeout`, `durable` and the errors are those of
    `Counter`; a file of another kind raises `StorageError` and is never overwritten. `clock` returns
    seconds since the epoch. `in`, `len` and iteration cover the names that have not expired; `del`
    removes one (`KeyError` if there is none).
    """

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        seconds: float,
        *,
        most: int = 10_000,
        timeout: float = 10.0,
        durable: bool = False,
        clock: "Callable[[], float]" = time.time,
    ) -> None:
        if not 0 < seconds <= 1e9:  # NaN as well
            raise ValueError(
                f"seconds={seconds!r} is not a valid lifetime; give more than 0, and at most 1e9"
            )
        if most < 1:
            raise ValueError(f"most={most} is not a valid number of names; give 1 or more")
        self.path = absolute(path)
        self.seconds = seconds
        self.most = most
        self.timeout = timeout
        self.durable = durable
        self.clock = clock

    def __getitem__(self, name: str) -> "ExpiringCounter":
        return ExpiringCounter(self, _kept(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _kept(name) in self._now()

    def __iter__(self) -> "Iterator[str]":
        return iter(self._now())

    def __len__(self) -> int:
        return len(self._now())

    def __bool__(self) -> bool:
        # Always true, so `if counters:` reads no file.
        return True

    def __delitem__(self, name: str) -> None:
        with lock(self.path, timeout=self.timeout):
            table = self._now()
            del table[_kept(name)]
            self._save(table)

    def all(self) -> dict[str, int]:
        """Return all counts by name (dict of str to int), those that began first in front."""
        return {name: count for name, (_, count) in self._now().items()}

    def _now(self) -> "Table":
        """Return the counters that have not expired."""
        raw = read(self.path)
        now = int(self.clock() * 1_000)
        # A clock that was ahead for a while must not lock anybody out for as long.
        latest = now + self._span()
        table = {} if raw is None else parse(self.path, raw)
        return {
            name: (min(end, latest), count) for name, (end, count) in table.items() if end > now
        }

    def _span(self) -> int:
        return max(1, int(self.seconds * 1_000))

    def _add(self, name: str, by: int) -> int:
        with lock(self.path, timeout=self.timeout):
            table = self._now()
            if name not in table:
                known = 0
                while len(table) >= self.most:
                    # The new name continues the count: a visitor who comes under many names, or under
                    # two in turn, must never be counted less often than they came.
                    out = min(table, key=lambda each: (table[each][1], table[each][0]))
                    known = table.pop(out)[1]
                table[name] = (min(int(self.clock() * 1_000) + self._span(), _LAST), known)
            end, count = table[name]
            count = min(count + by, _MAX_COUNT)
            table[name] = (end, count)
            self._save(table)
            return count

    def _save(self, table: "Table") -> None:
        what = "cannot write the counters"
        replace(self.path, build(table), what, durable=self.durable, timeout=self.timeout)


class ExpiringCounter:
    """One of the counters in a file: what `ExpiringCounters` returns for a name."""

    def __init__(self, counters: ExpiringCounters, name: str) -> None:
        self.counters = counters
        self.name = name

    @property
    def value(self) -> int:
        """The count now (int); 0 if there is none, or if it has expired."""
        return self.counters.all().get(self.name, 0)

    @property
    def left(self) -> int:
        """In how many seconds the count expires (int, rounded up), for Retry-After; 0 if there is
        none.
        """
        end, _ = self.counters._now().get(self.name, (0, 0))
        return max(0, -int(-(end - self.counters.clock() * 1_000) // 1_000)) if end else 0

    def increment(self, by: int = 1) -> int:
        """Add `by`, which is 1 or more, and return the new count (int). The first increment begins the
        count. No count is lost, whatever other processes do. Counting stops at 9,999,999,999.
        """
        if not isinstance(by, int):
            raise TypeError(f"a counter takes an int, not {type(by).__name__}")
        if by < 1:
            raise ValueError(f"a counter that expires only counts up; give 1 or more, not {by}")
        return self.counters._add(self.name, by)


def parse(path: str, raw: bytes) -> "Table":
    """Parse the content of the file `path`; the inverse is `build`. Anything else raises
    `StorageError`.
    """
    lines = raw.split(b"\n")
    if lines[0] == _HEAD and not lines[-1]:
        table: Table = {}
        for line in lines[1:-1]:
            end, count, name = line[:13], line[14:24], line[25:]
            spaces = line[13:14] + line[24:25]
            if not (len(end + count) == 23 and (end + count).isdigit() and spaces == b"  "):
                break
            if not name.isascii():
                break
            try:
                table[name.decode("unicode_escape")] = (int(end), int(count))
            except ValueError:
                break
        else:
            return table
    from .errors import StorageError

    raise StorageError(
        path, "is not a file of expiring counters; use another path, or move it away"
    )


def build(table: "Table") -> bytes:
    """Return the content of a file with these counters (bytes); the inverse is `parse`."""
    lines = [
        b"%013d %010d %b\n" % (end, count, name.encode("unicode_escape"))
        for name, (end, count) in table.items()
    ]
    return b"".join([_HEAD, b"\n", *lines])


def _kept(name: str) -> str:
    """Return the name under which a counter is kept in the file."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a counter must be a str, not {type(name).__name__}")
    if len(name) <= _MAX_NAME:
        return name
    from hashlib import sha256

    return name[:100] + " " + sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
