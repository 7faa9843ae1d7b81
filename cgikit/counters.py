"""Counters: numbers in files that many processes increment at the same time, without losing a count.

A counter file holds a number and a newline, so old scripts and people can read it. A file of many
named counters holds a JSON object. This module decides what a number looks like in a file; how files
are locked and replaced belongs to `locks` and `files`.
"""

import os

from .files import read, replace
from .locks import lock, storage_error
from .process import absolute
from .regularfile import close_quietly, open_regular, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .jsonfile import JSONUpdate

_MAX_DIGITS = 4_300  # digits; Python's own limit for converting them


class Counter:
    """A number in a file that many processes can safely increment at the same time.

    A relative `path` is taken from the directory that the process was started in, whatever `os.chdir`
    does later (docs/reference/files.md); `.path` is the absolute path. A missing file counts as 0,
    and a missing directory is made. A file that holds anything but a number raises `StorageError`
    and is never overwritten; so does a symbolic link. The file keeps its mode, and its owner if the
    system permits. `timeout` is how many seconds to wait for other processes (`LockTimeout`). With
    `durable`, a number that was returned survives a power failure.

    With `hot` the file has 20 bytes (the number, padded with spaces), and they are changed in place by
    one write: about ten times as fast. A process that is killed leaves a complete number in this case
    too. Without `durable`, a power failure may leave the number of some seconds before. A reader that
    takes no lock, as in old scripts, may see digits of two numbers when the ninth digit from the right
    changes. Both kinds of counting may be mixed.
    """

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        timeout: float = 10.0,
        *,
        hot: bool = False,
        durable: bool = False,
    ) -> None:
        self.path = absolute(path)
        self.timeout = timeout
        self.hot = hot
        self.durable = durable

    @property
    def value(self) -> int:
        """The number now (int)."""
        raw = self._read()
        if len(raw) >= _HOT:
            # It may be changed in place at this moment: only under the lock is it sure to be complete.
            with lock(self.path, shared=True, timeout=self.timeout):
                raw = self._read()
        return self._number(raw)

    def increment(self, by: int = 1) -> int:
        """Add `by`, which may be negative, and return the new number (int). No count is lost,
        whatever other processes do. Anything but an int raises `TypeError`, and a number of more than
        4,300 digits `ValueError`.
        """
        _check_int(by)
        return self._change(by, keep=1)

    def reset(self, to: int = 0) -> None:
        """Set the number. A file that holds anything but a number is not overwritten here either."""
        _check_int(to)
        self._change(to, keep=0)

    def _change(self, number: int, keep: int) -> int:
        """Replace the number by `number` + `keep` times itself."""
        with lock(self.path, timeout=self.timeout):
            if self.hot:
                changed = self._change_in_place(number, keep)
                if changed is not None:
                    return changed
            number += keep * self._number(self._read())
            data = _padded(number) if self.hot else b"%d\n" % number
            what = "cannot write the counter"
            replace(self.path, data, what, durable=self.durable, timeout=self.timeout)
            return number

    def _change_in_place(self, number: int, keep: int) -> int | None:
        """Change the number by one write of the same length; return None if that is not possible."""
        try:
            fd = open_regular(self.path, os.O_RDWR)
        except (FileNotFoundError, PermissionError):
            return None  # the caller makes it, or replaces it
        except OSError as error:
            raise storage_error(self.path, "cannot open the counter", error) from error
        try:
            raw = os.read(fd, _MAX_HOT + 1)
            if len(raw) > _MAX_HOT:
                return None
            number += keep * self._number(raw)
            data = _padded(number)
            # A file with a second name may belong to something else: nothing is written into it.
            if len(raw) != len(data) or os.fstat(fd).st_nlink != 1:
                return None
            _overwrite(fd, data, raw)
            if self.durable:
                os.fdatasync(fd)
            # Network file systems report a full disk when the file is closed.
            closing, fd = fd, -1
            os.close(closing)
            return number
        except OSError as error:
            if hasattr(error, "status"):  # one of cgikit's own
                raise
            raise storage_error(self.path, "cannot write the counter", error) from error
        finally:
            if fd >= 0:
                close_quietly(fd)

    def _read(self) -> bytes:
        raw = read(self.path, "cannot read the counter", _MAX_DIGITS + 10)
        return b"0" if raw is None else raw

    def _number(self, raw: bytes) -> int:
        text = raw.strip()
        if not text.removeprefix(b"-").isdigit() or len(text) > _MAX_DIGITS:
            from .errors import StorageError

            raise StorageError(
                self.path,
                f"holds {repr(raw[:40])[1:]}, which is not a number{_number_advice(text, self.path)}",
            )
        return int(text)


class Counters:
    """Many named counters in one file: `Counters("pages.json")["/about"].increment()`.

    The file is a JSON object of whole numbers. Names are any text without line ends. `timeout`,
    `durable` and the errors are those of `Counter`. `in`, `len` and iteration cover the names that were
    counted, as of one moment; `del` removes one (`KeyError` if it was never counted).
    """

    def __init__(
        self, path: "str | os.PathLike[str]", timeout: float = 10.0, *, durable: bool = False
    ) -> None:
        self.path = absolute(path)
        self.timeout = timeout
        self.durable = durable

    def __getitem__(self, name: str) -> "NamedCounter":
        check_name(name)
        return NamedCounter(self, name)

    def __contains__(self, name: object) -> bool:
        return name in self.all()

    def __iter__(self) -> "Iterator[str]":
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        # Always true, so `if counters:` reads no file.
        return True

    def __delitem__(self, name: str) -> None:
        check_name(name)
        with self._update() as found:
            del self._check(found)[name]

    def all(self) -> dict[str, int]:
        """Return all numbers by name (dict of str to int), in the order in which they were first
        counted.
        """
        from .jsonfile import parse_json

        raw = read(self.path)
        return {} if raw is None else self._check(parse_json(self.path, raw))

    def _update(self) -> "JSONUpdate":
        from .jsonfile import update_json

        return update_json(self.path, durable=self.durable, timeout=self.timeout)

    def _check(self, found: object) -> dict[str, int]:
        if isinstance(found, dict) and all(type(number) is int for number in found.values()):
            return found
        from .errors import StorageError

        raise StorageError(
            self.path, "is not a JSON object of whole numbers; correct it, or move it away"
        )


class NamedCounter:
    """One of the counters in a file: what `Counters` returns for a name."""

    def __init__(self, counters: Counters, name: str) -> None:
        self.counters = counters
        self.name = name

    @property
    def value(self) -> int:
        """The number now (int); 0 if it was never counted."""
        return self.counters.all().get(self.name, 0)

    def increment(self, by: int = 1) -> int:
        """Add `by`, which may be negative, and return the new number (int): see `Counter.increment`."""
        _check_int(by)
        return self._change(by, keep=1)

    def reset(self, to: int = 0) -> None:
        """Set the number."""
        _check_int(to)
        self._change(to, keep=0)

    def _change(self, number: int, keep: int) -> int:
        with self.counters._update() as found:
            numbers = self.counters._check(found)
            number += keep * numbers.get(self.name, 0)
            numbers[self.name] = number
            return number


def _padded(number: int) -> bytes:
    # The last digit is the 16th byte. Machines copy memory in words of eight bytes, so readers without
    # a lock see the last eight digits change at once.
    return (b"%16d" % number).ljust(_HOT - 1) + b"\n"


_HOT = 20  # bytes of a file whose number is changed in place
_MAX_HOT = 40  # a longer file is replaced at every change: nobody counts that far


def _overwrite(fd: int, data: bytes, old: bytes) -> None:
    """Write `data` over `old`, which has the same length, at the beginning of an open file."""
    try:
        write_all(fd, data, at=0)
    except OSError:
        write_all(fd, old, at=0)
        raise


def _number_advice(text: bytes, path: str) -> str:
    """Return what to do about a file that is not a counter. The advice must not lose the number in it,
    or overwrite a file of another kind.
    """
    from shlex import quote

    sign = "-" if text.startswith(b"-") else ""
    for separator in (b",", b".", b"'", b"_", b" ", b"\xc2\xa0", b"\xe2\x80\xaf"):
        first, *rest = text.removeprefix(b"-").split(separator)
        digits = b"".join([first, *rest])
        thousands = 1 <= len(first) <= 3 and all(len(three) == 3 for three in rest)
        if rest and thousands and digits.isdigit():
            number = sign + digits.decode()
            return f"; if it is {number}, write it so: echo {number} > {quote(path)}"
    if not text:
        return f"; it is empty: write the number into it, 0 to start again: echo 0 > {quote(path)}"
    return (
        f"; check whether it is a counter file at all: use another path, or move {quote(path)} away"
    )


def check_name(name: object) -> None:
    """Raise `TypeError` or `ValueError` if this is not a valid name of a counter."""
    if not isinstance(name, str):
        raise TypeError(f"the name of a counter must be a str, not {type(name).__name__}")
    if "\n" in name or "\r" in name:
        raise ValueError("the name of a counter cannot contain line ends")


def _check_int(number: object) -> None:
    if not isinstance(number, int):
        raise TypeError(f"a counter takes an int, not {type(number).__name__}")
