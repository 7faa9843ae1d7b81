"""Every file that is opened: a FIFO, socket, directory or dangling link in its place never holds
anybody up, and the error says what is there.

`regularfile.open_regular` is the guard. The tables list each place that opens files without it, with
the reason, and each place that opens with it, with what it is to say; a new one fails here.
"""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import house
import pytest
from requirement import lack

from cgikit import regularfile

#: What opens a file by its name.
OPENERS = {
    "open", "io.open", "io.FileIO", "FileIO", "os.open", "sqlite3.connect", "shutil.copy",
    "shutil.copyfile", "runpy.run_path", "tokenize.open",
}  # fmt: skip
METHODS = {"read_text", "read_bytes", "write_text", "write_bytes"}  # of pathlib

DIRECTORY = "O_DIRECTORY: anything but a directory is refused before it is opened"
NEW = "O_EXCL: nothing that is there already is opened"
SOURCE = "an installed package's own file, found as Python finds it; copied into a new folder"
DESCRIPTOR = "a descriptor that is open already"

#: Functions that open without the guard, and why they may.
UNGUARDED = {
    "_compiled": "the compiled file that an import would open",
    "accelerate.child._new_stdin": DESCRIPTOR,
    "accelerate.installation._write": NEW,
    "accelerate.likeness.of_this_process": "a file of the kernel's below /proc",
    "accelerate.trial.why_not": NEW,
    "cli.trace._write": "a file that the command line names, as a shell's > opens it",
    "cli.streams._opened": "the null device; then a descriptor that is open already",
    "tracing.measure._prepare": "a file of this package",
    "starters._fill": "a new file in a new directory",
    "starters._text": "a file of this package",
    "bundle.library._read": SOURCE,
    "bundle.writing._create": NEW,
    "bundling._copy": SOURCE,
    "bundling._copy_licenses": SOURCE,
    "bundling._imports": SOURCE,
    "checking.mending.Tree._open": DIRECTORY,
    "checking.mending._change_content": DESCRIPTOR,
    "checking.mending._change_mode_of": DIRECTORY,
    "checking.mending._write_new": NEW,
    "compat.__main__.main": "the script of the command line, as Python opens it; /dev/stdin is one",
    "compat.cgi.initlog": "the log that the script itself names; /dev/null is one",
    "compat.temporary.temporary_file": "a file that has no name",
    "filebody.FileBody.__init__": DESCRIPTOR,
    "files._clear": "opened without waiting, then removed; nothing is read from it or written to it",
    "files._create": NEW,
    "gateway.listener._Locked.__enter__": DIRECTORY,
    "host.background._runs": "a file of the kernel's below /proc",
    "host.spawn._processor_time": "a file of the kernel's below /proc",
    "locks._holder": "a file of the kernel's",
    "locks.open_directory": DIRECTORY,
    "offline.typed.of_file": "a file that the command line names; @<(command) of a shell is a pipe",
    "probing.reuse._children": "a file of the kernel's below /proc",
    "probing.reuse._forked": "a file of the kernel's below /proc",
    "probing.reuse._lives": "a file of the kernel's below /proc",
    "probing.sample._waits_for_input": "a file of the kernel's below /proc",
    "regularfile._open_otherwise.attempt": "the guard itself",
    "regularfile.open_regular": "the guard itself",
    "warm.trial.shared_maps": "a file of the kernel's below /proc",
    "sessions.directory.SessionDirectory.open_base": DIRECTORY,
    "sessions.directory.SessionDirectory.open_shard": DIRECTORY,
    "sessions.file._create": NEW,
    "sessions.sessionfile.glance": "opened without waiting, and read only if it is a regular file",
    "gateway.spool._unnamed": NEW + "; or a file that has no name",
    "sessions.sqlite.SQLiteStore._make": NEW,
    "sessions.sqlite.SQLiteStore._open": "looked at before, by lstat; only its user can change it",
    "runner._source": "the script of the command line, as Python opens it",
    "inspector.saving._write": NEW,
    "warm.streams.Streams.renew": DESCRIPTOR,
    "upload.Upload.file": DESCRIPTOR,
    "upload._open_spool": NEW + "; or a file that has no name",
    "upload._umask": "a file of the kernel's",
}


class Call(NamedTuple):
    """A call that opens a file, and the function it stands in."""

    place: str
    guarded: bool


def calls(module: house.Module) -> list[Call]:
    """All calls that open files in a module."""
    found = []
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, ast.Call):
            name = house.written(node.func)
            first = house.written(node.args[0]) if node.args else ""
            if name.rpartition(".")[2] == "open_regular":
                found.append(Call(place, True))
            elif first == "os.devnull" or first.startswith("open_regular("):
                pass  # the system's own device; or guarded
            elif name in OPENERS or (
                isinstance(node.func, ast.Attribute) and node.func.attr in METHODS
            ):
                found.append(Call(place, False))
    return found


CALLS = [call for module in house.read() for call in calls(module)]


def test_every_open_is_guarded_or_has_a_reason() -> None:
    assert {call.place for call in CALLS if not call.guarded} == set(UNGUARDED)


@pytest.mark.parametrize(
    "source",
    [
        "def f(): os.open(name, 0)",
        "def f():\n with open(name) as file: pass",
        "class f:\n x = Path(name).read_text()",
        "def f(): sqlite3.connect(name)",
        "def f(): open(name, opener=open_regular)",
    ],
)
def test_an_open_without_the_guard_is_found(source: str) -> None:
    assert calls(house.Module("m", source)) == [Call("m.f", False)]


def test_an_open_with_the_guard_is_told_apart() -> None:
    source = "def f(): open(open_regular(name), 'rb')"
    assert calls(house.Module("m", source)) == [Call("m.f", True)]


# --- what each of them says -------------------------------------------------------------------


class Case(NamedTuple):
    """A way to an open. `code` is run where `file` is what it must not be."""

    opens: tuple[str, ...]
    file: str
    code: str
    before: str = ""  # run first, while nothing is in the way
    follows: bool = False  # links are followed: a dangling one is a file that is missing
    kinds: tuple[str, ...] = ("FIFO", "socket", "directory", "dangling link")


STORE = """
from cgikit.sessions.file import FileStore
from cgikit.sessions.store import Record
import os, time
store = FileStore("sessions", sweep_chance=0)
key = "ab" * 32
record = Record(b'{"v":1,"created":1,"data":{}}', time.time(), time.time() + 1_000)
"""
SQLITE = STORE.replace("file import FileStore", "sqlite import SQLiteStore").replace(
    'FileStore("sessions"', 'SQLiteStore("sessions"'
)
SCRIPT = "#!/usr/bin/env python3\\n# about\\n"

#: What an error must say, by what is in the way.
WORDS = {
    "FIFO": "is a FIFO",
    "socket": "is a socket",
    "directory": "is a directory",
    "dangling link": "symbolic link",
}

CASES = {
    "lock": Case(("locks.FileLock._open",), "x.lock", "with cgikit.lock('x', timeout=0): pass"),
    "lock in a directory that is missing": Case(
        ("locks.FileLock._open_otherwise",),
        "x.lock",
        "cgikit.locks.make_directory = lambda path: None\n"
        "with cgikit.locks.Typed('x.lock', 'no'):"
        " cgikit.locks.FileLock('x.lock')._open_otherwise(FileNotFoundError())",
        "import cgikit.locks",
    ),
    "a lock beside a file": Case(
        ("locks._LockBeside._open",), "x.lock", "with cgikit.lock('x', timeout=0): pass"
    ),
    "append_line": Case(("lines.append_line",), "x", "cgikit.append_line('x', 'line')"),
    "read_lines": Case(
        ("lines._ending",), "x", "cgikit.lines.read_lines('x')", "import cgikit.lines"
    ),
    "take_lines": Case(
        ("lines.TakenLines._begin",),
        "x",
        "with cgikit.lines.take_lines('x'): pass",
        "import cgikit.lines",
    ),
    "read_lines, a line without an end": Case(
        ("lines._settled_ending",),
        "x.lock",
        "cgikit.lines.read_lines('x')",
        "import cgikit.lines; open('x', 'w').write('no end')",
    ),
    "update_json": Case(
        ("files.read",), "x", "with cgikit.update_json('x') as value: value['a'] = 1"
    ),
    "counter": Case(("files.read",), "x", "cgikit.Counter('x').increment()"),
    "a counter's value": Case(("files.read",), "x", "cgikit.Counter('x').value"),
    "hot counter": Case(
        ("counters.Counter._change_in_place",), "x", "cgikit.Counter('x', hot=True).increment()"
    ),
    "counters that expire": Case(
        ("expiring.ExpiringCounters._open",),
        "x",
        "cgikit.ExpiringCounters('x', 9)['a'].increment()",
    ),
    "counters": Case(("files.read",), "x", "cgikit.Counters('x')['a'].increment()"),
    "atomic_write": Case((), "x", "cgikit.atomic_write('x', 'data')"),
    "a password file": Case(
        ("htpasswd.Htpasswd._read",),
        "x",
        "cgikit.htpasswd.Htpasswd('x').check('a', 'b')",
        "import cgikit.htpasswd",
        kinds=("FIFO", "socket", "directory"),  # links are followed
    ),
    "Response.file": Case(("filebody._open",), "x", "cgikit.Response.file('x')", follows=True),
    "a purge's stamp": Case(
        ("sessions.directory.SessionDirectory._set_stamp",),
        "sessions/purged",
        "store.purge_stamp(renew=True)",
        STORE + "store.save(key, record, new=True); os.unlink('sessions/purged')",
    ),
    "a sweep": Case(
        ("sessions.directory.SessionDirectory._set_stamp",),
        "sessions/purged",
        "store.sweep()",
        STORE + "store.save(key, record, new=True); os.unlink('sessions/purged')",
    ),
    "a session": Case(
        ("sessions.directory.Shard.open",),
        f"sessions/ab/{'ab' * 32}",
        "store.load(key)",
        STORE + "store.save(key, record, new=True); store.delete(key)",
    ),
    "a session's lock": Case(
        ("sessions.directory.Shard.open",),
        f"sessions/ab/{'ab' * 32}",
        "with store.lock(key, 0): pass",
        STORE + "store.save(key, record, new=True); store.delete(key)",
    ),
    "a purge of sessions": Case(
        ("sessions.file.FileStore._in_time",),
        f"sessions/ab/{'ab' * 32}",
        "store.purge(force=True)",
        STORE + "store.save(key, record, new=True); store.delete(key)",
    ),
    "a directory of sessions": Case(
        (),
        "sessions/ab",
        "store.load(key)",
        STORE + "os.mkdir('sessions', 0o700)",
        kinds=("FIFO", "socket", "dangling link"),
    ),
    "the sessions": Case(
        (), "sessions", "store.load(key)", STORE, kinds=("FIFO", "socket", "dangling link")
    ),
    "sessions in SQLite": Case((), "sessions", "store.load(key)", SQLITE),
    "SQLite's journal": Case(
        (),
        "sessions-journal",
        "store.load(key)",
        SQLITE + "store.save(key, record, new=True); store.close()",
    ),
    "SQLite's log": Case(
        (),
        "sessions-wal",
        "store.load(key)",
        SQLITE + "store.save(key, record, new=True); store.close()\n"
        "for end in 'wal', 'shm':\n if os.path.exists('sessions-' + end): os.unlink('sessions-' + end)",
    ),
    "a lock of SQLite's": Case(
        ("sessions.sqlitelock.take",),
        f"sessions-locks/{'ab' * 32}",
        "with store.lock(key, 0): pass",
        SQLITE + "store.save(key, record, new=True)",
    ),
}

#: The same for the host, whose functions answer instead of raising.
LOOKS = {
    "accelerate.installation._content": (
        "from cgikit.accelerate.installation import is_front; is_front('x'); raise OSError('None')"
    ),
    "accelerate.records.text": (
        "from cgikit.accelerate.records import text; text('x'); raise OSError('None')"
    ),
    "accelerate.records.write": (
        "from cgikit.accelerate.records import write; os.rename('x', f'x.{os.getpid()}');"
        " write('x', []); raise OSError('None')"
    ),
    "accelerate.scripts.Scripts.code": (
        "from cgikit.accelerate.scripts import Scripts; Scripts(frozenset(), {}, [], '').code('x');"
        " raise OSError('None')"
    ),
    "accelerate.scripts._front_in": (
        "from cgikit.accelerate.scripts import _front_in; assert _front_in('x') == b'';"
        " raise OSError('None')"
    ),
    "upload._clear": (
        "os.rename('x', '.' + 24 * 'a' + '.waiting');"
        " from cgikit.upload import _clear_orphans; _clear_orphans('.');"
        " assert os.path.lexists('.' + 24 * 'a' + '.waiting'); raise OSError('None')"
    ),
    "sessions.sqlite._is_other": (
        "from cgikit.sessions.sqlite import _is_other; assert not _is_other('x'); raise OSError('None')"
    ),
    "tracing.comparison._source": (
        "from cgikit.tracing.comparison import _source; assert _source('x') == b'';"
        " raise OSError('None')"
    ),
    "vendored._begin": (
        "from cgikit.vendored import _begin; assert _begin('x') == b''; raise OSError('None')"
    ),
    "logfile.LogFile._open": (
        "from cgikit.logfile import LogFile; from io import StringIO; own = StringIO();"
        " LogFile('x', own).write('a\\n'); assert own.getvalue().endswith('a\\n');"
        " raise OSError('None')"
    ),
    "inspector.sourcepage._read": (
        "from cgikit.inspector.sourcepage import _read; from cgikit.host.problem import Problem\n"
        "try:\n    _read('x')\nexcept Problem as problem:\n    raise OSError(problem.what)"
    ),
    "host.listing._about": "from cgikit.host.listing import _about; _about('x')",
    "warm.program._first_line": (
        "from cgikit.warm.program import Programs; raise OSError(Programs('')._why_not('x'))"
    ),
    "forgotten.forgotten_handler": (
        "from cgikit.forgotten import advice; assert advice('x') == ('', ''); raise OSError('None')"
    ),
    "probing.judge._printing_line": (
        "from cgikit.probing.judge import _printing_line; assert not _printing_line('x', 'text');"
        " raise OSError('None')"
    ),
    "checking.mending._change_content": (
        "import os; from cgikit.checking.mending import _change_content;"
        " _change_content(os.open('.', os.O_DIRECTORY), 'x')"
    ),
    "checking.mending._change_mode_of": (
        "import os; from cgikit.checking.mending import _change_mode_of;"
        " os.path.isdir('x') or _change_mode_of(os.open('.', os.O_DIRECTORY), 'x', 'not-readable');"
        " raise OSError('None')"
    ),
    "checking.htaccess._lines": (
        "import os; os.makedirs('d'); os.rename('x', 'd/.htaccess');"
        " from cgikit.checking.htaccess import Denied; assert not Denied('d').everything;"
        " os.rename('d/.htaccess', 'x'); raise OSError('None')"
    ),
    "checking.firstline.first_line": (
        "from cgikit.checking.firstline import first_line; assert first_line('x') is None;"
        " raise OSError('None')"
    ),
    "warm.compiling._compile": (
        "from cgikit.warm.compiling import compiled; assert compiled('x', []) is None;"
        " raise OSError('None')"
    ),
}

RUNNER = """
import json, os, socket, sys, time
import cgikit
before, code, file, kind = sys.argv[1:]
exec(before)
if kind == "FIFO":
    os.mkfifo(file)
elif kind == "socket":
    socket.socket(socket.AF_UNIX).bind(file)
elif kind == "directory":
    os.mkdir(file)
else:
    os.symlink("nowhere", file)
try:
    exec(code)
except OSError as error:
    print(json.dumps([type(error).__name__, str(error), os.path.lexists("nowhere")]))
else:
    print(json.dumps(["none", "", os.path.lexists("nowhere")]))
"""


def run(place: Path, before: str, code: str, file: str, kind: str) -> tuple[str, str]:
    """Run `code` where `file` is of `kind`; return the error's type and message."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUNNER, before, code, file, kind],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=60,  # it hangs
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stderr
    error, message, made = json.loads(done.stdout)
    assert not made, "it followed the link, and made a file"
    return error, message


def test_every_place_with_the_guard_is_tried() -> None:
    tried = {place for case in CASES.values() for place in case.opens} | set(LOOKS)
    assert tried == {call.place for call in CALLS if call.guarded}


@pytest.mark.parametrize(
    ("name", "kind"), [(name, kind) for name, case in CASES.items() for kind in case.kinds]
)
def test_what_is_no_file_is_a_typed_error_at_once(tmp_path: Path, name: str, kind: str) -> None:
    case = CASES[name]
    error, message = run(tmp_path, case.before, case.code, case.file, kind)
    if case.follows and kind == "dangling link":
        assert error == "MissingFile"
        return
    # A visitor may have given a file's name that is a directory's.
    followed = "MissingFile" if kind == "directory" else "NotRegular"
    assert error == (followed if case.follows else "StorageError"), message
    assert case.file in message
    if case.opens:
        assert WORDS[kind] in message
    assert any(word in message for word in ("remove", "name the", "see what")), message


@pytest.mark.parametrize("kind", WORDS)
@pytest.mark.parametrize("name", LOOKS)
def test_the_host_is_not_held_up_by_what_is_no_file(tmp_path: Path, name: str, kind: str) -> None:
    error, message = run(tmp_path, "", LOOKS[name], "x", kind)
    assert error in {"OSError", "NotRegular", "FileNotFoundError"}, message


# --- leases -----------------------------------------------------------------------------------

HOLDER = """
import fcntl, os, signal, sys
fd = os.open("x", os.O_RDWR)
def asked(*_):
    print("asked", flush=True)
signal.signal(signal.SIGIO, asked)
try:
    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
except OSError as error:
    sys.exit(f"no leases: {error}")
print("held", flush=True)
sys.stdin.readline()
fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a lease on the file `x`, as Samba does, and lets go when told."""
    (tmp_path / "x").write_text("41\n")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if process.stdout.readline() != "held\n":
            lack(f"a file system with leases ({process.stderr.read().strip()})")
        try:
            yield process
        finally:
            process.communicate("let go\n", timeout=60)


@pytest.mark.parametrize(
    "code",
    [
        "print(open(cgikit.regularfile.open_regular('x')).read())",
        "print(cgikit.Response.file('x')._file.file.read().decode())",
        "print(cgikit.Counter('x').value)",
    ],
)
def test_a_file_that_samba_has_leased_is_read_once_it_lets_go(
    tmp_path: Path, holder: subprocess.Popen[str], code: str
) -> None:
    assert holder.stdin is not None
    assert holder.stdout is not None
    with subprocess.Popen(
        [sys.executable, "-c", f"import cgikit, cgikit.regularfile\n{code}"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as reader:
        assert holder.stdout.readline() == "asked\n"
        holder.stdin.write("let go\n")
        holder.stdin.flush()
        out, errors = reader.communicate(timeout=60)
    assert (out.strip(), errors) == ("41", "")


@pytest.mark.usefixtures("holder")
def test_without_patience_a_leased_file_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(BlockingIOError, match="holds a lease"):
        regularfile.open_regular(tmp_path / "x", patience=0)
