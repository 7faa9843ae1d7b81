"""Where a script in Python is while it runs: the line, asked of py-spy, which is an extra.

Up to Python 3.13 a process cannot be asked from outside where it is; py-spy reads its memory. That
needs the right to trace the process: that of its owner, unless the system restricts it (ptrace(2),
`kernel.yama.ptrace_scope`), or that of root. Where py-spy is not installed, may not look, or takes
long, there is no answer.
"""

import json
import os
import shutil
import subprocess
import sys

from cgikit.characters import printable

_SECONDS = 3.0  # for the answer, which usually takes some hundredths
_MAX_NAME = 200  # characters of a file's name


def whereabouts(pid: int, file: str) -> str:
    """Return where the process of a script is (str), such as "line 7 of hello.py"; "" if unknown.
    `file` is the path of the script.
    """
    tool = _tool()
    if not tool:
        return ""
    try:
        told = subprocess.run(  # noqa: S603 -- no shell; a program beside this interpreter or on the PATH
            [tool, "dump", "--pid", str(pid), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
        return in_words(json.loads(told.stdout), pid, file) if told.returncode == 0 else ""
    except (OSError, subprocess.TimeoutExpired, ValueError, RecursionError):
        return ""  # it is not allowed to look, or the script has ended


def in_words(threads: object, pid: int, file: str) -> str:
    """Return where the main thread is, from the answer of `py-spy dump --json` (str); "" if that has no
    such thing. The line of the script comes first, then the one that it led to in another file.
    """
    frames = _frames(threads, pid)
    own = next((frame for frame in frames if _is_same(frame[0], file)), None)
    if own is None:
        return ""
    words = f"line {own[1]} of {os.path.basename(file)}"
    name, line = frames[0]
    if frames[0] is own or not os.path.isabs(name):  # else a part of the interpreter
        return words
    return f"{words}, which led to line {line} of {printable(name)[:_MAX_NAME]}"


def _frames(threads: object, pid: int) -> list[tuple[str, int]]:
    """Return the file and the line of each frame of the main thread, the innermost first."""
    for thread in threads if isinstance(threads, list) else ():
        if isinstance(thread, dict) and thread.get("os_thread_id") in (pid, None):
            frames = thread.get("frames")
            found = [f for f in frames if isinstance(f, dict)] if isinstance(frames, list) else []
            places = [(f.get("filename"), f.get("line")) for f in found]
            return [(n, i) for n, i in places if isinstance(n, str) and isinstance(i, int)]
    return []


def _is_same(name: str, file: str) -> bool:
    return os.path.realpath(name) == os.path.realpath(file)


def _tool() -> str:
    """Return the path of py-spy, beside the interpreter or on the PATH (str); "" if there is none."""
    beside = os.path.join(os.path.dirname(sys.executable), "py-spy")
    return beside if os.access(beside, os.X_OK) else shutil.which("py-spy") or ""
