"""Every kind of save and load that the library does on files, in one table.

All tests of faults go through it. A save changes the file `state` of a directory once, from the
content `old` (None: there is none) to `new`. Imports little: tests start many processes with it.
"""

import os

NAME = "state"


class Kind:
    """`save(path, timeout)` changes the file from `old` to `new`, and makes the `subdirectory`."""

    def __init__(self, old, new, save, *, subdirectory="", orphan=False):
        self.old = old
        self.new = new
        self.save = save
        self.subdirectory = subdirectory
        self.orphan = orphan

    def is_whole(self, found):
        """Whether a file that holds `found` (None: is not there) may be left after a failure."""
        # Adding a line first makes the file, and one without lines says no less than none.
        empty = self.old is None and self.new == b"two\n"
        return found in (self.old, self.new) or (empty and found == b"")

    def prepare(self, directory):
        """Put the old content into an empty directory, and return the path of the file."""
        from cgikit.files import temporary_name

        path = os.path.join(directory, self.subdirectory, NAME)
        orphan = b"left by a killed writer" if self.orphan else None
        for name, content in ((path, self.old), (temporary_name(path), orphan)):
            if content is not None:
                with open(name, "wb") as file:
                    file.write(content)
        return path


def content(path):
    """What is in a file; None if it is not there. The key of counters that expire, which is random, is
    shown as zeros.
    """
    try:
        with open(path, "rb") as file:
            found = file.read()
            mark = b"cgikit-expiring 2 "
            return mark + b"0" * 32 + found[50:] if found.startswith(mark) else found
    except FileNotFoundError:
        return None


def write(data, **options):
    def save(path, timeout=10.0):
        from cgikit import atomic_write

        atomic_write(path, data, timeout=timeout, **options)

    return save


def in_pieces(file):
    for _ in range(3):
        file.write(b"x" * 70_000)


def append(line, **options):
    def save(path, timeout=10.0):
        from cgikit import append_line

        append_line(path, line, timeout=timeout, **options)

    return save


def update(**options):
    def save(path, timeout=10.0):
        from cgikit import update_json

        with update_json(path, timeout=timeout, **options) as found:
            found["n"] = found.get("n", 0) + 1

    return save


def count(**options):
    def save(path, timeout=10.0):
        from cgikit import Counter

        Counter(path, timeout, **options).increment()

    return save


def reset(path, timeout=10.0):
    from cgikit import Counter

    Counter(path, timeout).reset(7)


def count_named(path, timeout=10.0):
    from cgikit import Counters

    Counters(path, timeout)["n"].increment()


def hot(number):
    return b"%16d   \n" % number


def ending(number):
    head = b"cgikit-expiring 2 " + b"0" * 32 + b" 0001000000000\n"
    line = b"0001000060000 %010d n\n" % number
    return head.ljust(4_096, b"\n") + line.ljust(4_096, b"\n")


def count_for_a_while(**options):
    def save(path, timeout=10.0):
        from cgikit import ExpiringCounters

        clock = {"clock": lambda: 1_000_000.0}
        ExpiringCounters(path, 60, timeout=timeout, **clock, **options)["n"].increment()

    return save


def take(**options):
    def save(path, timeout=10.0):
        from cgikit import take_lines

        with take_lines(path, timeout=timeout, **options):
            pass

    return save


SAVES = {
    "write a new file": Kind(None, b"new", write(b"new")),
    "write over a file": Kind(b"old", b"new", write("new")),
    "write durably": Kind(b"old", b"new", write(b"new", durable=True)),
    "write with a mode": Kind(b"old", b"new", write(b"new", mode=0o600)),
    "write in pieces": Kind(b"old", b"x" * 210_000, write(in_pieces)),
    "write beside an orphan": Kind(b"old", b"new", write(b"new"), orphan=True),
    "append to nothing": Kind(None, b"two\n", append("two")),
    "append": Kind(b"one\n", b"one\ntwo\n", append("two")),
    "append to a cut line": Kind(b"one", b"one\ntwo\n", append("two")),
    "append durably": Kind(None, b"two\n", append("two", durable=True)),
    "append a long line": Kind(b"one\n", b"one\n" + b"x" * 9_000 + b"\n", append("x" * 9_000)),
    "update no JSON": Kind(None, b'{"n": 1}\n', update()),
    "update JSON": Kind(b'{"n": 1}', b'{"n": 2}\n', update()),
    "update JSON durably": Kind(b'{"n": 1}', b'{"n": 2}\n', update(durable=True)),
    "count from nothing": Kind(None, b"1\n", count()),
    "count": Kind(b"41\n", b"42\n", count()),
    "count durably": Kind(b"41\n", b"42\n", count(durable=True)),
    "count beside an orphan": Kind(b"41\n", b"42\n", count(), orphan=True),
    "count in a new directory": Kind(None, b"1\n", count(), subdirectory="data"),
    "reset": Kind(b"41\n", b"7\n", reset),
    "count hot": Kind(hot(41), hot(42), count(hot=True)),
    "count hot from nothing": Kind(None, hot(1), count(hot=True)),
    "count hot from an old file": Kind(b"41\n", hot(42), count(hot=True)),
    "count hot and durably": Kind(hot(41), hot(42), count(hot=True, durable=True)),
    "count for a while": Kind(ending(41), ending(42), count_for_a_while()),
    "count for a while from nothing": Kind(None, ending(1), count_for_a_while()),
    "count for a while from an old file": Kind(
        b"cgikit-expiring 1\n0001000060000 0000000041 n\n", ending(42), count_for_a_while()
    ),
    "count for a while and durably": Kind(ending(41), ending(42), count_for_a_while(durable=True)),
    "take lines": Kind(b"one\ntwo\n", b"", take()),
    "take lines durably": Kind(b"one\ntwo\n", b"", take(durable=True)),
    "count by name": Kind(b'{"n": 1}\n', b'{"n": 2}\n', count_named),
}


def value(path, timeout=10.0):
    from cgikit import Counter

    return Counter(path, timeout).value


def all_named(path, timeout=10.0):
    from cgikit import Counters

    return Counters(path, timeout).all()


def look(path, timeout=10.0):
    from cgikit import update_json

    with update_json(path, timeout=timeout) as found:
        return dict(found)


#: Content, what a load of it gives, how.
LOADS = {
    "the value of a counter": (b"41\n", 41, value),
    "the value of a hot counter": (hot(41), 41, value),
    "the values of counters": (b'{"n": 1}\n', {"n": 1}, all_named),
    "JSON, left as it is": (b'{"n": 1}\n', {"n": 1}, look),
}
