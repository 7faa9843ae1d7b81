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

_SECONDS = 20.0  # for one script
_MAX_ANSWER = 4_000_000  # bytes

# Also for old Pythons, which scripts may name. Nothing may be imported from the script's directory, so
# that is not on sys.path until all that this program needs is there. A tree is walked in a loop:
# the sum of a thousand strings is a deep one.
_QUESTION = r"""
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
    local = [sys.argv[1]]
else:
    local = []  # -I or -P
import ast, json, os, struct, warnings
warnings.simplefilter("ignore")
try:
    from importlib.machinery import PathFinder
except ImportError:
    PathFinder = None
try:
    import resource
    if sys.implementation.name == "cpython":  # others reserve more than they use
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
except (ImportError, AttributeError, ValueError, OSError):
    pass
told = {"version": list(sys.version_info[:3]), "program": sys.executable, "error": None, "imports": [],
        "stdlib": sorted(getattr(sys, "stdlib_module_names", ())), "racing": None,
        "uncompiled": []}
def modules(tree):
    # (top-level name, line, whether a failure is expected)
    waiting = [(tree, False)]
    while waiting:
        node, guarded = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node.lineno, guarded
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module:
                yield node.module.split(".")[0], node.lineno, guarded
        later = isinstance(node, (ast.FunctionDef, ast.Lambda, ast.If)) or (
            type(node).__name__ in ("AsyncFunctionDef", "Try", "TryExcept", "TryStar"))
        below = [(child, guarded or later) for child in ast.iter_child_nodes(node)]
        waiting.extend(reversed(below))
def place(name):
    if name in sys.builtin_module_names:
        return "built-in"
    if PathFinder is None:
        import imp
        try:
            return imp.find_module(name, local + sys.path)[1] or "built-in"
        except ImportError:
            return None
    spec = PathFinder.find_spec(name, local + sys.path)
    if spec is None:
        return "frozen" if name in sys.modules else None
    if spec.origin:
        return spec.origin
    return list(spec.submodule_search_locations or [""])[0]
def uncompiled(name, source):
    # (name, source, compiled file) of a module beside the script, unless it is compiled and fresh
    from importlib.util import MAGIC_NUMBER, cache_from_source
    folder = os.path.realpath(sys.argv[1]) + os.sep
    if not (source.endswith(".py") and os.path.realpath(source).startswith(folder)):
        return
    status, compiled = os.stat(source), cache_from_source(source)
    try:
        with open(compiled, "rb") as stream:
            head = stream.read(16)
    except EnvironmentError:
        head = b""
    of_source = struct.pack("<LL", int(status.st_mtime) & 0xFFFFFFFF, status.st_size & 0xFFFFFFFF)
    by_hash = head[4:5] in (b"\x01", b"\x03")  # PEP 552
    if head[:4] != MAGIC_NUMBER or not (by_hash or head[8:] == of_source):
        told["uncompiled"].append([name, source, compiled])
LOCKING = ("flock", "lockf", "lock", "FileLock", "SoftFileLock")
OF_PATHS = {"read_text": "r", "read_bytes": "r", "write_text": "w", "write_bytes": "w"}
def opened(tree):
    # (line, path as a tree, mode) of calls of open and of the methods of a Path; mode "" for a lock
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", "")
        method = getattr(node.func, "attr", "")
        if name in LOCKING or method in LOCKING:
            yield node.lineno, node.func, ""
        elif method in OF_PATHS:
            yield node.lineno, node.func.value, OF_PATHS[method]
        elif name == "open" and node.args:
            given = node.args[1:2] + [word.value for word in node.keywords if word.arg == "mode"]
            mode = getattr(given[0], "value", getattr(given[0], "s", "")) if given else "r"
            yield node.lineno, node.args[0], mode if isinstance(mode, type("")) and mode else "r"
def racing(tree):
    # (line, path as source) of the first file that is written and, by the same expression, read
    calls = sorted(((line, ast.dump(path), mode, path) for line, path, mode in opened(tree)),
                   key=lambda call: call[0])
    if not all(mode for _, _, mode, _ in calls):
        return None
    read = set(path for _, path, mode, _ in calls if mode[:1] == "r")
    for line, path, mode, node in calls:
        if (mode[:1] == "w" and path in read) or (mode[:1] == "r" and "+" in mode):
            return line, ast.unparse(node)[:200] if hasattr(ast, "unparse") else "a file"
try:
    with open(sys.argv[2], "rb") as stream:
        source = stream.read(int(sys.argv[3]) + 1)
    if len(source) > int(sys.argv[3]):
        sys.exit(1)
    compile(source, sys.argv[2], "exec", 0, True)
    tree = compile(source, sys.argv[2], "exec", ast.PyCF_ONLY_AST, True)
    for name, line, guarded in modules(tree):
        told["imports"].append([name, line, guarded, place(name)])
    try:
        for name, where in sorted(set((each[0], each[3]) for each in told["imports"] if each[3])):
            uncompiled(name, where)
    except (ImportError, NotImplementedError, EnvironmentError):
        pass  # an old Python, or one that keeps nothing compiled
    try:
        if not any(word.encode("ascii") in source for word in sys.argv[4].split()):
            told["racing"] = racing(tree)
    except (RuntimeError, MemoryError, ValueError):
        pass  # nested too deeply
except SyntaxError as error:
    told["error"] = [error.lineno or 0, error.msg or str(error), error.text or ""]
except MemoryError:
    sys.exit(1)  # the limit above, perhaps: that says nothing of the script
except (ValueError, UnicodeError, RuntimeError, TypeError) as error:
    told["error"] = [0, str(error) or type(error).__name__, ""]
out = json.dumps(told)
sys.stdout.write(out)
"""
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
    have to compile: (name, source file, compiled file).
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
    ) -> None:
        self.version = version
        self.program = program
        self.imports = imports
        self.stdlib = stdlib
        self.error = error
        self.racing = racing
        self.uncompiled = uncompiled or []


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
        _QUESTION,
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
