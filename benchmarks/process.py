"""One CGI request to one program, as a web server makes it: spawn, feed, read, wait (RFC 3875).

Only the clock and the process live here. What is asked stands in works.py, who answers in
contenders.py.
"""

import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

PEAK = Path(__file__).with_name("peak.py")


@dataclass
class Run:
    """What one process did: wall-clock seconds from spawn to reaped, exit code, output."""

    seconds: float
    exit_code: int
    output: bytes
    errors: str


@dataclass
class Place:
    """Where a request runs: the working directory, and the file that takes standard error."""

    directory: Path
    errors: Path


def seal() -> None:
    """Let no descriptor of this process's own parent pass on to what is measured.

    Web servers hand a script 0, 1 and 2 and nothing else; a shell or a terminal may leave others
    open, and a script that finds them leaves more slowly (`cgikit/process.py`, `_leave_fast`).
    """
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2:
                os.set_inheritable(int(name), False)
        except OSError:
            pass  # the listing's own descriptor, closed by now


def request(
    argv: list[str],
    environ: dict[str, str],
    place: Place,
    body: Path,
    *,
    piped: bool = False,
    output: Path | None = None,
) -> Run:
    """Run `argv` once and time it.

    Standard input is the file `body`, or with `piped` a pipe that is filled from it, as httpd does.
    Standard output is a pipe that is read to its end, or the file `output`.

    The spawn is glibc's posix_spawn (vfork), whose cost does not grow with this process. SIGPIPE
    gets its default action back: Python ignores it, and an ignored signal stays so over exec.
    """
    os.chdir(place.directory)
    read_end, write_end = os.pipe()
    feed_read, feed_write = os.pipe() if piped else (-1, -1)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions: list[tuple[object, ...]] = [
        (os.POSIX_SPAWN_DUP2, feed_read, 0)
        if piped
        else (os.POSIX_SPAWN_OPEN, 0, str(body), os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, str(output), flags, 0o644)
        if output
        else (os.POSIX_SPAWN_DUP2, write_end, 1),
        (os.POSIX_SPAWN_OPEN, 2, str(place.errors), flags, 0o644),
    ]
    start = perf_counter_ns()
    pid = os.posix_spawn(argv[0], argv, environ, file_actions=actions, setsigdef=[signal.SIGPIPE])
    os.close(write_end)
    if piped:
        os.close(feed_read)
        _feed(body, feed_write)
    chunks = []
    while chunk := os.read(read_end, 65536):
        chunks.append(chunk)
    _, status = os.waitpid(pid, 0)
    stop = perf_counter_ns()
    os.close(read_end)
    return Run(
        (stop - start) / 1e9,
        os.waitstatus_to_exitcode(status),
        b"".join(chunks),
        place.errors.read_text(errors="replace"),
    )


def _feed(body: Path, descriptor: int) -> None:
    """Write the file to the pipe in pieces of a pipe's size, and close it."""
    try:
        with body.open("rb", buffering=0) as source:
            while chunk := source.read(65536):
                os.write(descriptor, chunk)
    except BrokenPipeError:
        pass  # it stopped reading; its answer tells why
    finally:
        os.close(descriptor)


def peak_memory(
    argv: list[str], environ: dict[str, str], place: Place, body: Path, *, piped: bool = False
) -> tuple[Run, int]:
    """Run `argv` once through peak.py and return its run and its peak resident memory in bytes.

    Linux carries the peak of the process that spawned into the child's own ru_maxrss, exec or not:
    measured from here, /bin/true would seem to take as much as this program. peak.py is smaller
    than any Python script, so what it reports is the script's own (never less than peak.py's own).
    """
    run = request([sys.executable, "-I", "-S", str(PEAK), *argv], environ, place, body, piped=piped)
    last = run.errors.rsplit("\n", 2)[-2] if "\n" in run.errors else ""
    if not last.startswith("peak "):
        raise RuntimeError(f"peak.py did not report: {run.errors}")
    return run, int(last.removeprefix("peak ")) * 1024
