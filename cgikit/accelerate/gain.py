"""What a front would save for a script on this machine, found out before there is one.

The script does not run: it might count a visitor. What is measured is what a front spares it, the start
of Python with the libraries that the script imports, and what the front itself takes.
"""

import ast
import os
import subprocess
import sys
from time import perf_counter

from ..bundling import imported_from
from ..files import read
from . import directory, installation, trial
from .directory import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_TIMES = 5  # of each, the least counts: a machine that is busy makes the others longer
_SECONDS = 60  # for the imports of a script
_WORTH = 0.8  # of the time without a front: with more than that there is little to be gained


def described(
    scripts: "Sequence[str]", base: str, kinds: "Sequence[str]", *, in_place: bool = False
) -> "list[str]":
    """Return what is to be said of scripts in one folder (list of lines, str). Nothing is left behind.

    `base` is where the directory would be made, `kinds` are the kinds of fronts that may be used,
    `in_place` has them keep their scripts. `Refusal` if there can be no such front here.
    """
    directory.check_user()
    files = [os.path.abspath(script) for script in scripts]
    for file in files:
        installation.check(file, in_place)
    directory.check_place(base, os.path.dirname(files[0]))
    made = not os.path.lexists(base)
    try:
        text = installation.working(kinds, base, installation.IDLE)
        kind = text("/script", "end").partition(b"\n")[0].rpartition(b"/")[2].split()[0].decode()
        front = _least(lambda: trial.why_not(text, base)) + _least(_fork)
    finally:
        if made and os.path.isdir(base):
            os.rmdir(base)
    lines = [f"this host: a front works, written in {'Perl' if 'perl' in kind else 'Python'}"]
    for file in files:
        lines += _of_script(file, front)
    return lines


def _of_script(file: str, front: float) -> "list[str]":
    names, code = libraries(file)
    start = _least(lambda: _run(["-c", code]))
    saved = start - front
    lines = [
        f"{os.path.basename(file)}: {start * 1000:.0f} ms for the start of Python"
        + (f" with {', '.join(names)}" if names else ""),
        f"  with a front: {front * 1000:.0f} ms",
    ]
    if front > _WORTH * start:
        return [*lines, "  little to be gained"]
    return [
        *lines,
        f"  saves about {saved * 1000:.0f} ms of each request that follows another soon",
    ]


def libraries(file: str) -> "tuple[list[str], str]":
    """Return the libraries that a script imports at once: their names (list of str), and the statements
    that import them (str). Modules beside the script are none: each request loads them anew. `Refusal`
    if it is not Python.
    """
    try:
        tree = ast.parse(read(file) or b"", file)
    except (SyntaxError, ValueError) as error:
        raise Refusal(
            f"{file} is not Python ({error}); run it by hand, and mend what that reports"
        ) from None
    names: dict[str, None] = {}
    code = []
    for node in tree.body:
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found = list(imported_from(node, ""))[:1]
        else:
            continue
        tops = [name.partition(".")[0] for name in found]
        if "__future__" in tops or any(_is_beside(file, top) for top in tops):
            continue
        names.update(dict.fromkeys(tops))
        code.append(f"try: {ast.unparse(node)}\nexcept ImportError: pass\n")
    return list(names), "".join(code)


def _is_beside(file: str, top: str) -> bool:
    path = os.path.join(os.path.dirname(os.path.realpath(file)), top)
    return os.path.exists(f"{path}.py") or os.path.isdir(path)


def _least(call: "Callable[[], object]") -> float:
    """Return the least time that a call takes, in seconds."""
    times = []
    for _ in range(_TIMES):
        began = perf_counter()
        call()
        times.append(perf_counter() - began)
    return min(times)


def _run(words: "list[str]") -> None:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "REQUEST_METHOD": "GET"}
    null = subprocess.DEVNULL
    subprocess.run(  # noqa: S603 -- this interpreter
        [sys.executable, *words], cwd="/", env=environment, stdin=null, stdout=null, stderr=null,
        timeout=_SECONDS, check=False,
    )  # fmt: skip


def _fork() -> None:
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
