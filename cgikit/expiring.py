"""Counters that expire by themselves, for rate limits: how often a name came in the last minutes.

A count begins with the first increment of its name and expires a fixed time later. This module decides
when a counter is changed and expires. What the file looks like is in `expiringfile`; counters that do
not expire are in `counters`, and how files are replaced is in `files`.

A counter is changed in place, by one write of 128 bytes within one page of memory: a process that is
killed has changed it, or not. The file is replaced when it has to grow, and from time to time, to clear
it of what has expired.
"""

import os
import time

from .expiringfile import (
    BLOCK,
    EMPTY,
    HEAD,
    LAST,
    MAX_COUNT,
    SLOT,
    SLOTS,
    build,
    escape,
    find,
    foreign,
    kept,
    line,
    most_blocks,
    parse,
    read_layout,
    read_slot,
    room,
)
from .files import read, replace
from .locks import lock, storage_error
from .process import absolute
from .regularfile import close_quietly, open_regular, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .expiringfile import Layout, Table

    # Given a block, a name with its escapes, the time, and whether the file may grow: the slot to
    # change, its new content, and the count; None if the file has to grow.
    Change = Callable[[bytes, bytes, int, bool], tuple[int, bytes, int] | None]

_LEAST = 1_000  # milliseconds between two times that a file is cleared


class ExpiringCounters:
    """Many named counters in one file, each of which expires `seconds` after it began.

        guesses = ExpiringCounters("data/guesses", seconds=900)
        if guesses[request.remote_addr].increment() > 5: ...

    `seconds` is more than 0. About `most` names are kept, and never more than twice as many; 32 or less
    are kept exactly. One more takes the place of a name with a low count, and continues from that
    count. `timeout`, `durable` and the errors are those of `Counter`; a file of another kind raises
    `StorageError` and is never overwritten. `clock` returns seconds since the epoch. `in`, `len` and
    iteration cover the names that have not expired; `del` removes one (`KeyError` if there is none).
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
        return ExpiringCounter(self, kept(name))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._one(kept(name)) != (0, 0)

    def __iter__(self) -> "Iterator[str]":
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        # Always true, so `if counters:` reads no file.
        return True

    def __delitem__(self, name: str) -> None:
        def remove(
            block: bytes, escaped: bytes, now: int, may_grow: bool
        ) -> tuple[int, bytes, int]:
            slot = find(block, escaped)
            if slot < 0 or read_slot(block, slot)[0] <= now:
                raise KeyError(name)
            return slot, EMPTY, 0

        self._change(kept(name), remove)

    def all(self) -> dict[str, int]:
        """Return all counts by name (dict of str to int), those that began first in front."""
        if not os.path.lexists(self.path):
            return {}
        # They may be changed in place at this moment: only under the lock are they sure to be complete.
        with lock(self.path, shared=True, timeout=self.timeout):
            return {
                name: count for name, (_, count) in self._live(read(self.path), self._now()).items()
            }

    def _one(self, name: str) -> tuple[int, int]:
        """Return when a counter expires, and its count; (0, 0) if there is none."""
        if not os.path.lexists(self.path):
            return 0, 0
        with lock(self.path, shared=True, timeout=self.timeout):
            now = self._now()
            found = self._look(escape(name))
            if found is None:
                return self._live(read(self.path), now).get(name, (0, 0))
            end, count = found
            return (min(end, now + self._span()), count) if end > now else (0, 0)

    def _look(self, escaped: bytes) -> tuple[int, int] | None:
        """Return what the slot of a name holds, (0, 0) if there is none; None if the whole file has to
        be read.
        """
        fd = self._open(os.O_RDONLY)
        try:
            layout = self._layout(fd)
            if layout is None:
                return None
            block = os.pread(fd, BLOCK, layout.place(escaped))
            slot = find(block, escaped)
            return read_slot(block, slot) if slot >= 0 else (0, 0)
        except ValueError:
            raise foreign(self.path) from None
        except OSError as error:
            raise storage_error(self.path, "cannot read the counters", error) from error
        finally:
            if fd >= 0:
                close_quietly(fd)

    def _now(self) -> int:
        return int(self.clock() * 1_000)

    def _span(self) -> int:
        return max(1, int(self.seconds * 1_000))

    def _live(self, raw: bytes | None, now: int) -> "Table":
        """Return the counters that have not expired, of the whole file."""
        # A clock that was ahead for a while must not lock anybody out for as long.
        latest = now + self._span()
        table = {} if raw is None else parse(self.path, raw)
        return {
            name: (min(end, latest), count) for name, (end, count) in table.items() if end > now
        }

    def _add(self, name: str, by: int) -> int:
        def add(
            block: bytes, escaped: bytes, now: int, may_grow: bool
        ) -> tuple[int, bytes, int] | None:
            end = latest = min(now + self._span(), LAST)
            slot, count = find(block, escaped), 0
            if slot < 0:
                slot, count = room(block, now, min(self.most, SLOTS))
                if count and may_grow:
                    return None
            else:
                found = read_slot(block, slot)
                if found[0] > now:
                    end, count = min(found[0], latest), found[1]
            count = min(count + by, MAX_COUNT)
            return slot, line(end, count, escaped).ljust(SLOT, b"\n"), count

        return self._change(name, add)

    def _change(self, name: str, change: "Change") -> int:
        escaped = escape(name)
        with lock(self.path, timeout=self.timeout):
            now = self._now()
            count = self._change_in_place(escaped, now, change)
            return self._change_all(escaped, now, change) if count is None else count

    def _change_in_place(self, escaped: bytes, now: int, change: "Change") -> int | None:
        """Change one slot; return None if the file has to be replaced."""
        fd = self._open(os.O_RDWR)
        try:
            layout = self._layout(fd)
            if layout is None or not 0 <= now - layout.cleared < max(self._span(), _LEAST):
                return None
            at = layout.place(escaped)
            block = os.pread(fd, BLOCK, at)
            changed = change(block, escaped, now, layout.blocks < most_blocks(self.most))
            if changed is None:
                return None
            slot, content, count = changed
            _overwrite(fd, content, block[slot * SLOT : (slot + 1) * SLOT], at + slot * SLOT)
            if self.durable:
                os.fdatasync(fd)
            # Network file systems report a full disk when the file is closed.
            closing, fd = fd, -1
            os.close(closing)
            return count
        except ValueError:
            raise foreign(self.path) from None
        except OSError as error:
            raise storage_error(self.path, "cannot write the counters", error) from error
        finally:
            if fd >= 0:
                close_quietly(fd)

    def _change_all(self, escaped: bytes, now: int, change: "Change") -> int:
        """Replace the file by one with the change, as large as it has to be, and cleared."""
        old = read(self.path)
        table = self._live(old, now)
        layout = read_layout(old[:HEAD], len(old)) if old else None
        key = layout.key if layout else os.urandom(16).hex().encode()
        blocks = 1
        while True:
            raw = build(table, key, now, least=blocks, most=self.most)
            layout = read_layout(raw[:HEAD], len(raw))
            if layout is None:
                raise AssertionError("a file that was just built has no layout")
            at = layout.place(escaped)
            may_grow = layout.blocks < most_blocks(self.most)
            changed = change(raw[at : at + BLOCK], escaped, now, may_grow)
            if changed is not None:
                break
            blocks = 2 * layout.blocks
        slot, content, count = changed
        at += slot * SLOT
        raw = raw[:at] + content + raw[at + SLOT :]
        what = "cannot write the counters"
        replace(self.path, raw, what, durable=self.durable, timeout=self.timeout)
        return count

    def _open(self, flags: int) -> int:
        """Open the file; return its descriptor (int), -1 if it is missing or cannot be written to."""
        try:
            return open_regular(self.path, flags)
        except FileNotFoundError:
            return -1
        except PermissionError as error:
            if flags == os.O_RDWR:
                return -1  # it can be replaced, perhaps
            raise storage_error(self.path, "cannot read the counters", error) from error
        except OSError as error:
            raise storage_error(self.path, "cannot open the counters", error) from error

    def _layout(self, fd: int) -> "Layout | None":
        """Return the layout of an open file; None if it has none, or a second name: that may belong to
        something else, and nothing is written into it.
        """
        if fd < 0:
            return None
        found = os.fstat(fd)
        return read_layout(os.pread(fd, HEAD, 0), found.st_size) if found.st_nlink == 1 else None


class ExpiringCounter:
    """One of the counters in a file: what `ExpiringCounters` returns for a name."""

    def __init__(self, counters: ExpiringCounters, name: str) -> None:
        self.counters = counters
        self.name = name

    @property
    def value(self) -> int:
        """The count now (int); 0 if there is none, or if it has expired."""
        return self.counters._one(self.name)[1]

    @property
    def left(self) -> int:
        """In how many seconds the count expires (int, rounded up), for Retry-After; 0 if there is
        none.
        """
        end, _ = self.counters._one(self.name)
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


def _overwrite(fd: int, data: bytes, old: bytes, at: int) -> None:
    """Write `data` over `old`, which has the same length and is at the offset `at` of an open file."""
    try:
        write_all(fd, data, at=at)
    except OSError:
        write_all(fd, old, at=at)
        raise
