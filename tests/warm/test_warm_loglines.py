"""Lines of a log: whole, in order, and without a wait for who does not read."""

import os
import select

from cgikit.warm.loglines import LogLines


def read(fd: int) -> bytes:
    """All that is in a pipe now."""
    os.set_blocking(fd, False)
    found = b""
    try:
        while data := os.read(fd, 1 << 16):
            found += data
    except BlockingIOError:
        pass
    return found


def test_lines_come_as_they_are() -> None:
    reader, writer = os.pipe()
    log = LogLines(writer)
    long = "x" * (3 * select.PIPE_BUF)
    for line in ("ä", "\udce4", long):
        log(line)
    assert read(reader).decode().split("\n") == ["ä", "\\udce4", long, ""]
    os.close(reader)
    os.close(writer)


def test_nobody_waits_for_a_reader_who_has_stopped_and_the_lost_are_counted() -> None:
    reader, writer = os.pipe()
    log = LogLines(writer)
    for number in range(300):  # a plain write would wait for ever
        log(f"{number} " + "x" * 1_000)
    first = read(reader)
    kept = first.count(b"\n")
    assert first.startswith(b"0 x")
    log("again")
    told, line, rest = read(reader).decode().split("\n")
    assert told == f"{300 - kept} lines of the log were lost: nobody read them"
    assert (line, rest) == ("again", "")
    log("and again")
    assert read(reader) == b"and again\n"
    os.close(reader)
    os.close(writer)


def test_a_log_that_is_closed_raises_nothing() -> None:
    reader, writer = os.pipe()
    log = LogLines(writer)
    os.close(reader)
    log("lost")
    os.close(writer)
    log("lost")
