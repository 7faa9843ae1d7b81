"""What a Python script's own interpreter says of it: whether it can read it, and what its imports find.

The interpreter reads the script as a tree and looks its modules up. It runs neither the script nor
any module of it.
"""

import contextlib
import json
import os
import re
import select
import shutil
import signal
import subprocess
import time

from .account import Account
from .firstline import first_line
from .question import QUESTION

_SECONDS = 20.0  # for one script
_MAX_ANSWER = 4_000_000  # bytes

_LOCKING = "O_EXCL F_SETLK portalocker"  # a script with one of these words locks something
_OPTIONS = re.compile(r"-[bBdEIOPsSuv]+")
_MAX_SOURCE = 2_000_000  # bytes of a script that are read


class Import:
    """An import of a script: the top-level module `.name` (str), the `.line` (int), whether it is
    `.optional` (bool; in a function, an `if` or a `try`), and the `.place` that it comes from (str), a
    file, a directory, or "built-in"; None if there is no such module.
    """

    def __init__(self, name: str, line: int, optional: bool, place: str | None) -> None:
        self.name = name
        self.line = line
        self.optional = optional
        self.place = place


class Told:
    """What an interpreter said: its `.version` and the path of its `.program` (str), the `.imports` of
    the script (list of `Import`), the names of its own modules `.stdlib` (frozenset of str; empty
    before Python 3.10), and the `.error` that keeps it from reading the script: (line, message, text
    of the line), or None. `.racing` is where a script that locks nothing writes a file that it also
    reads: (line, path as source), or None. `.uncompiled` are modules beside the script that it would
    have to compile: (name, source file, compiled file). `.unsure` is the first line that has modules
    looked for in places that only a run can tell (int; 0: there is none).
    """

    def __init__(
        self,
        version: str,
        program: str,
        imports: list[Import],
        stdlib: frozenset[str],
        error: tuple[int, str, str] | None,
        racing: tuple[int, str] | None = None,
        uncompiled: "list[tuple[str, str, str]] | None" = None,
        unsure: int = 0,
    ) -> None:
        self.version = version
        self.program = program
        self.imports = imports
        self.stdlib = stdlib
        self.error = error
        self.racing = racing
        self.uncompiled = uncompiled or []
        self.unsure = unsure


def python_of(file: str) -> list[str]:
    """Return the command that runs a script, if it is a Python (list of str), as its first line says;
    [] if it is not, or is named by a path that depends on the directory.

    Of its options those stay that take no argument. With `-c CODE` or a file, whoever wrote the script
    could have something else run than the question.
    """
    line = os.fsdecode(first_line(file) or b"")
    words = line[2:].split() if line.startswith("#!") else []
    if words and os.path.basename(words[0]) == "env":
        words = [word for word in words[1:] if word != "-S" and "=" not in word]
    if not words or not os.path.basename(words[0]).startswith(("python", "pypy")):
        return []
    if "/" in words[0] and not os.path.isabs(words[0]):
        return []
    options: list[str] = []
    for word in words[1:]:
        if not _OPTIONS.fullmatch(word):
            break
        options.append(word)
    return [words[0], *options]


def _program(command: list[str], path: str) -> str | None:
    """Return the absolute path of the program of a command, None if there is none."""
    found = shutil.which(command[0], path=path) if command else None
    return found if found and os.path.isabs(found) else None


def is_familiar(file: str, path: str, uid: int) -> bool:
    """Whether the Python of a script may be run although nobody allowed to run the script: it does not
    lie beside the script, and it and all directories above it belong to root or to the user who would
    run it (`uid`).

    Otherwise whoever wrote the script could have a program of their own run. True if there is none.
    """
    program = _program(python_of(file), path)
    if program is None:
        return True  # nothing can be run
    own = os.path.dirname(os.path.realpath(file)) + os.sep
    for whole in (program, os.path.realpath(program)):
        if os.path.join(os.path.realpath(os.path.dirname(whole)), "").startswith(own):
            return False
        parts = whole.split("/")
        for end in range(1, len(parts) + 1):
            try:
                owner = os.lstat("/".join(parts[:end]) or "/").st_uid
            except OSError:
                return False
            if owner not in (0, uid):
                return False
    return True


def ask(file: str, path: str, user: Account, seconds: float = _SECONDS) -> Told | None:
    """Ask the interpreter of a Python script about it, as a user of this machine if this is root's
    process; None if it cannot be asked: it is no Python, does not start, takes too long, or says
    something else.

    `path` is the PATH that the script gets, `seconds` the time limit.
    """
    command = python_of(file)
    program = _program(command, path)
    if program is None:
        return None
    whole = os.path.abspath(file)
    words = [
        program,
        *command[1:],
        "-c",
        QUESTION,
        os.path.dirname(whole),
        whole,
        str(_MAX_SOURCE),
        _LOCKING,
    ]
    try:
        answer = json.loads(_answer(words, path, user, seconds))
        error, racing = answer["error"], answer["racing"]
        return Told(
            ".".join(map(str, answer["version"])),
            answer["program"] or command[0],
            [Import(*each) for each in answer["imports"]],
            frozenset(answer["stdlib"]),
            (error[0], error[1], error[2]) if error else None,
            (racing[0], racing[1]) if racing else None,
            [(name, source, compiled) for name, source, compiled in answer["uncompiled"]],
            answer["unsure"],
        )
    except (
        OSError,
        subprocess.SubprocessError,
        ValueError,
        TypeError,
        LookupError,
        RecursionError,
    ):
        return None


def _answer(words: list[str], path: str, user: Account, seconds: float) -> bytes:
    """Return what a command prints (at most `_MAX_ANSWER` bytes), and end all that it has started."""
    other = os.geteuid() == 0 and user.uid != 0
    deadline = time.monotonic() + seconds
    process = subprocess.Popen(  # noqa: S603 -- the interpreter that the script names
        words,
        env={"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONIOENCODING": "utf-8"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # a group of its own to end, and no terminal of root's to type into
        user=user.uid if other else None,
        group=user.gid if other else None,
        extra_groups=sorted(user.groups) if other else None,
    )
    said = bytearray()
    try:
        assert process.stdout is not None  # noqa: S101 -- a pipe, as said above
        descriptor = process.stdout.fileno()
        while len(said) < _MAX_ANSWER:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                return b""
            chunk = os.read(descriptor, 65_536)
            if not chunk:
                return bytes(said)
            said += chunk
        return b""
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # not reaped yet: its number is its own
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
