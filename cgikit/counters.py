"""Counters: numbers in files, counted up by many processes at once, none of them lost.

A counter file holds a number and a newline, so that old scripts and people can read it; many named
counters together are a JSON object. What a number in a file looks like is decided here, and nothing
of how files are locked (`locks`) and replaced (`files`).
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

_LONGEST = 4_300  # digits; Python's own limit for converting them


class Counter:
    """A number in a file, safe to count up from many processes at once.

    A relative `path` begins in the directory that the process was started in, whatever `os.chdir`
    does later (docs/files.md); `.path` is the whole. A file that does not exist counts as 0; its
    directory is made, if that is missing. One that holds something else than a number raises
    `StorageError` and is never overwritten, and so does a symbolic link. The file keeps its mode, and
    its owner where the system permits. `timeout` is how many seconds to wait for other processes
    (`LockTimeout`). With `durable` a number that was returned survives a power failure.

    With `hot` the file keeps 20 bytes (the number, padded with spaces), which are changed in place by
    one write: some ten times as fast. A process that is killed leaves a whole number in this case,
    too. Without `durable` a power failure may leave what was there some seconds before; and a reader
    that takes no lock, as old scripts do, may see digits of two numbers when the ninth digit from
    the right changes. Both kinds of counting may be mixed.
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
            # Changed in place, perhaps at this very moment: only those who hold the lock see it whole.
            with lock(self.path, shared=True, timeout=self.timeout):
                raw = self._read()
        return self._number(raw)

    def increment(self, by: int = 1) -> int:
        """Add `by`, which may be negative, and return the new number (int). Nothing is lost, whoever
        else counts. Anything but an int raises `TypeError`, more than 4,300 digits `ValueError`.
        """
        _check_int(by)
        return self._change(by, keep=1)

    def reset(self, to: int = 0) -> None:
        """Set the number. A file that holds something else than a number stays as it is here, too."""
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
        """Do it by one write of the same length; None where that cannot be."""
        try:
            fd = open_regular(self.path, os.O_RDWR)
        except (FileNotFoundError, PermissionError):
            return None  # it will be made, or replaced
        except OSError as error:
            raise storage_error(self.path, "cannot open the counter", error) from error
        try:
            raw = os.read(fd, _LONGEST_HOT + 1)
            if len(raw) > _LONGEST_HOT:
                return None
            number += keep * self._number(raw)
            data = _padded(number)
            # A file with a second name is no place to write into: it may be somebody else's.
            if len(raw) != len(data) or os.fstat(fd).st_nlink != 1:
                return None
            _overwrite(fd, data, raw)
            if self.durable:
                os.fdatasync(fd)
            # Network file systems report a full disk at a close.
            closing, fd = fd, -1
            os.close(closing)
            return number
        except OSError as error:
            if hasattr(error, "status"):  # of our own tree
                raise
            raise storage_error(self.path, "cannot write the counter", error) from error
        finally:
            if fd >= 0:
                close_quietly(fd)

    def _read(self) -> bytes:
        raw = read(self.path, "cannot read the counter", _LONGEST + 10)
        return b"0" if raw is None else raw

    def _number(self, raw: bytes) -> int:
        text = raw.strip()
        if not text.removeprefix(b"-").isdigit() or len(text) > _LONGEST:
            from .errors import StorageError

            raise StorageError(
                self.path,
                f"holds {repr(raw[:40])[1:]}, which is not a number{_number_advice(text, self.path)}",
            )
        return int(text)


class Counters:
    """Many named counters in one file: `Counters("pages.json")["/about"].increment()`.

    The file is a JSON object of whole numbers. Names are any text without line ends. `timeout` and
    `durable` are those of `Counter`, and so are the errors. `in`, `len` and iteration tell which names
    were counted, each as of one moment; `del` forgets one (`KeyError` if it was never counted).
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
        # Not whether there are names: `if counters:` reads no file.
        return True

    def __delitem__(self, name: str) -> None:
        check_name(name)
        with self._update() as found:
            del self._check(found)[name]

    def all(self) -> dict[str, int]:
        """All numbers now, by name, in the order in which they were first counted."""
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

        raise StorageError(self.path, "is not an object of whole numbers; mend it, or move it away")


class NamedCounter:
    """One of the counters in a file: what `Counters` gives for a name."""

    def __init__(self, counters: Counters, name: str) -> None:
        self.counters = counters
        self.name = name

    @property
    def value(self) -> int:
        """The number now (int); 0 if it was never counted."""
        return self.counters.all().get(self.name, 0)

    def increment(self, by: int = 1) -> int:
        """Add `by`, which may be negative, and return the new number; otherwise as `Counter` does."""
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
    # The digits that change end at the 16th byte: machines copy memory by words of eight, so that
    # readers without a lock see the last eight digits change at once.
    return (b"%16d" % number).ljust(_HOT - 1) + b"\n"


_HOT = 20  # bytes of a file whose number is changed in place
_LONGEST_HOT = 40  # one that has grown longer is renamed at every change: nobody counts that far


def _overwrite(fd: int, data: bytes, old: bytes) -> None:
    """Write `data` over `old`, which is as long, from the beginning of an open file."""
    try:
        write_all(fd, data, at=0)
    except OSError:
        write_all(fd, old, at=0)
        raise


def _number_advice(text: bytes, path: str) -> str:
    """Return what to do about a file that is not a counter. Nothing that would lose the number in it,
    or overwrite something else.
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
        return f"; write its number into it, 0 to begin anew: echo 0 > {quote(path)}"
    return (
        f"; see whether it is a counter's file at all: name another one, or move {quote(path)} away"
    )


def check_name(name: object) -> None:
    """Raise `TypeError` or `ValueError` for what cannot name a counter."""
    if not isinstance(name, str):
        raise TypeError(f"a counter's name is a str, not {type(name).__name__}")
    if "\n" in name or "\r" in name:
        raise ValueError("a counter's name holds no line ends")


def _check_int(number: object) -> None:
    if not isinstance(number, int):
        raise TypeError(f"a counter counts in ints, not by {type(number).__name__}")
