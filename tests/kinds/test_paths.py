"""The kind: a relative path. It means one file for as long as a process lives, wherever a handler goes.

`FileStore("data/sessions")`, a load, `os.chdir("pages")` in the handler, the save: the session went
into another directory, and the visitor was a new one with each request. The guard is
`process.absolute`. Every public function that takes a path is listed here, with its way to that guard,
or why it needs none; each is tried in a script of its own, which leaves its directory before and after.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import house
import pytest
from gatewayserving import gateway

GUARDED = "calls process.absolute"
LOG = "LogFile does"
#: Every function that takes a path from a script, and what becomes of it.
PLACES = {
    "counters.Counter.__init__": GUARDED,
    "counters.Counters.__init__": GUARDED,
    "expiring.ExpiringCounters.__init__": GUARDED,
    "filebody.FileBody.__init__": GUARDED,
    "filebody._open": "internal: what calls it has made it absolute",
    "filebody.opened": "FileBody and sendfile_header do",
    "filebody.sendfile_header": GUARDED,
    "filebody.guess_type": "looks at the end of the name only",
    "files.atomic_write": GUARDED,
    "htpasswd.Htpasswd.__init__": GUARDED,
    "jsonfile.update_json": GUARDED,
    "lines.append_line": GUARDED,
    "lines.read_lines": GUARDED,
    "lines.take_lines": GUARDED,
    "logfile.LogFile.__init__": GUARDED,
    "locks.FileLock.__init__": GUARDED,
    "locks.lock": GUARDED,
    "debug.enable": LOG,
    "script._logged": LOG,
    "script.run": LOG,
    "uncaught.install": LOG,
    "wsgi.WSGI.__init__": GUARDED,
    "process.absolute": "the guard itself",
    "regularfile._open_otherwise": "internal: its callers have made it absolute, or give a descriptor",
    "regularfile.open_regular": "internal: its callers have made it absolute, or give a descriptor",
    "response.Response.file": "FileBody and sendfile_header do",
    "sessions.file.FileStore.__init__": GUARDED,
    "sessions.sqlite.SQLiteStore.__init__": GUARDED,
    "upload.Upload.save": GUARDED,
}
#: Directories that are given as text, and environment variables.
DIRECTORIES = {
    "compat.temporary.temporary_file",
    "persistent.connection.PersistentConnection.begin",
    "upload.Upload._spool_directory",
}

MODULES = [
    module
    for module in house.read()
    if house.room(module.name) not in {"cli", "host", "testing", "warm"}
]


def takers(module: house.Module) -> Iterator[tuple[str, bool]]:
    """Each function that takes a path, and whether it calls the guard."""
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            kinds = [ast.unparse(each.annotation) for each in given if each.annotation]
            if any("PathLike" in kind for kind in kinds):
                yield place, guarded(node)


def guarded(node: ast.AST) -> bool:
    """Whether a function calls the guard."""
    calls = (each for each in ast.walk(node) if isinstance(each, ast.Call))
    return any(ast.unparse(call.func).rpartition(".")[2] == "absolute" for call in calls)


def functions() -> dict[str, bool]:
    return dict(found for module in MODULES for found in takers(module))


def test_every_function_that_takes_a_path_is_in_the_table() -> None:
    assert set(functions()) == set(PLACES)


@pytest.mark.parametrize("place", [place for place, why in PLACES.items() if why == GUARDED])
def test_what_is_said_to_be_guarded_is(place: str) -> None:
    assert functions()[place]


def test_a_directory_that_is_only_text_is_guarded() -> None:
    """They are found by what they fall back on."""
    found = {
        place: guarded(node)
        for module in MODULES
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(x, ast.Constant) and x.value == "TMPDIR" for x in ast.walk(node))
    }
    assert found == dict.fromkeys(DIRECTORIES, True)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('def f(path: "str | os.PathLike[str]"): open(path)', [("m.f", False)]),
        ('def f(*, to: "os.PathLike[str]"): open(absolute(to))', [("m.f", True)]),
        ("def f(path: str): open(path)", []),
    ],
)
def test_a_new_place_is_seen(source: str, found: list[tuple[str, bool]]) -> None:
    assert list(takers(house.Module("m", source))) == found


# --- each is tried ----------------------------------------------------------------------------

SESSION = """
from cgikit.sessions.store import Record
import time
key = "ab" * 32
def save(store):
    store.save(key, Record(b'{"v":1,"created":1,"data":{}}', time.time(), time.time() + 99), new=True)
    return store.load(key) is not None
"""
UPLOAD = "from cgikit.upload import Upload\nu = Upload('a', '', 'data')\n"

#: What a script makes before it leaves its directory, what it does after it, which file must be there.
USES = {
    "Counter": ("c = cgikit.Counter('data/n')", "c.increment()", "data/n"),
    "Counter, hot": ("c = cgikit.Counter('data/n', hot=True)", "c.increment()", "data/n"),
    "Counters": ("c = cgikit.Counters('data/n')", "c['a'].increment()", "data/n"),
    "ExpiringCounters": (
        "c = cgikit.ExpiringCounters('data/n', 9)",
        "c['a'].increment()",
        "data/n",
    ),
    "atomic_write": ("", "cgikit.atomic_write('data/n', 'x')", "data/n"),
    "append_line": ("", "cgikit.append_line('data/n', 'x')", "data/n"),
    "read_lines": (
        "cgikit.append_line('data/n', 'x')",
        "from cgikit.lines import read_lines; assert read_lines('data/n', last=1) == ['x']",
        "data/n",
    ),
    "take_lines": (
        "import cgikit.lines; s = cgikit.lines.take_lines('data/n'); cgikit.append_line('data/n', 'x')",
        "with s as found: assert found == ['x']",
        "data/n",
    ),
    "update_json": (
        "u = cgikit.update_json('data/n')",
        "with u as found: found['a'] = 1",
        "data/n",
    ),
    "lock": ("held = cgikit.lock('data/n')", "with held: pass", "data/n.lock"),
    "FileLock": (
        "from cgikit.locks import FileLock; held = FileLock('data/n')",
        "with held: pass",
        "data/n",
    ),
    "LogFile": (
        "from cgikit.logfile import LogFile; c = LogFile('data/n')",
        "c.write('x\\n')",
        "data/n",
    ),
    "Upload.save": (UPLOAD + "u.write(b'x' * 100_000)", "u.save('data/n')", "data/n"),
    "an upload that waits": (
        UPLOAD + "os.O_TMPFILE = 0",
        "u.write(b'x' * 100_000); os.rename(u._path, here + '/data/n'); u.close()",
        "data/n",
    ),
    "FileStore": (
        SESSION + "s = cgikit.FileStore('data/s')",
        "assert save(s)",
        "data/s/ab/" + "ab" * 32,
    ),
    "SQLiteStore": (SESSION + "s = cgikit.SQLiteStore('data/s')", "assert save(s)", "data/s"),
    "Response.file": (
        "open('data/n', 'w').write('x')",
        "cgikit.Response.file('data/n').body",
        "data/n",
    ),
    "X-Sendfile": (
        "open('data/n', 'w').write('x')",
        "f = cgikit.Response.file('data/n', x_sendfile=True); assert str(f.headers).count(here) == 1",
        "data/n",
    ),
}

SCRIPT = """
import os, sys
import cgikit
here = os.getcwd()
def make():
    {}
def use():
    {}
"""

#: Where the path is given, and where it is used.
WAYS = {
    "made at import, used in a handler": """
make()
def handler(request):
    os.chdir("pages")
    use()
    return "done"
cgikit.run(handler)
""",
    "all in a handler that has left": """
def handler(request):
    os.chdir("pages")
    make()
    use()
    return "done"
cgikit.run(handler)
""",
    "in a second handler of one process": """
from cgikit.wsgi import WSGI
def handler(request):
    os.chdir(here + "/pages")
    make()
    use()
    return "done"
application = WSGI(handler, debug=True)
environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "",
    "SERVER_NAME": "h", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.input": sys.stdin.buffer, "wsgi.errors": sys.stderr, "wsgi.url_scheme": "http"}
print(b"".join(application(environ, lambda status, headers: None)).decode())
""",
}


def indented(code: str) -> str:
    return "\n    ".join(["global c, u, held, s, save, key", *code.splitlines(), "pass"])


def ran(place: Path, source: str, **options: object) -> str:
    """Run a script in a directory; return what it printed."""
    (place / "script.py").write_text(source)
    done = subprocess.run(
        [sys.executable, str(place / "script.py")],
        **{"cwd": place, "capture_output": True, "text": True, "timeout": 60, **options},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names(place: Path) -> set[str]:
    return {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("use", USES)
def test_a_chdir_changes_nothing(tmp_path: Path, use: str, way: str) -> None:
    for name in ("data", "pages/data"):
        (tmp_path / name).mkdir(parents=True)
    if use in {"Response.file", "X-Sendfile"}:  # made by plain Python, which follows the chdir
        (tmp_path / "data/n").write_text("x")
    before, after, file = USES[use]
    out = ran(tmp_path, SCRIPT.format(indented(before), indented(after)) + WAYS[way])
    assert "done" in out, out
    assert file in names(tmp_path)
    assert {name for name in names(tmp_path) if name.startswith("pages/")} <= {"pages/data/n"}
    if use not in {"Response.file", "X-Sendfile"}:
        assert not (tmp_path / "pages/data/n").exists()


def test_a_chdir_at_the_top_of_a_script_counts_as_its_start(tmp_path: Path) -> None:
    """The habit of scripts that run below servers which change no directory for them."""
    (tmp_path / "site").mkdir()
    source = (
        "import os\nfrom cgikit import Counter, run\nos.chdir('site')\n"
        "run(lambda request: str(Counter('n').increment()))\n"
    )
    ran(tmp_path, source)
    assert (tmp_path / "site/n").read_text() == "1\n"


def test_a_session_lives_though_its_handler_leaves(tmp_path: Path) -> None:
    """9/2.1: each request had a new session."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "script.py").write_text(
        "import os\nfrom cgikit import FileStore, run\n"
        "def handler(request):\n"
        "    request.session['n'] = request.session.get('n', 0) + 1\n"
        "    os.chdir('pages')\n"
        "    return f\"n={request.session['n']}\"\n"
        "run(handler, sessions=FileStore('data/sessions'))\n"
    )
    cookie, counts = "", []
    for _ in range(3):
        variables = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": cookie, "QUERY_STRING": ""}
        done = subprocess.run(
            [sys.executable, "script.py"],
            cwd=tmp_path,
            env={**os.environ, **variables, "SERVER_NAME": "h", "SERVER_PORT": "80"},
            capture_output=True,
            text=True,
            timeout=60,
        )
        head, _, body = done.stdout.partition("\n\n")
        counts.append(body)
        for line in head.splitlines():
            if line.lower().startswith("set-cookie:"):
                cookie = line.partition(": ")[2].partition(";")[0]
    assert counts == ["n=1", "n=2", "n=3"]
    assert not (tmp_path / "pages/data").exists()


def test_a_script_that_is_started_in_the_root_works_beside_itself(tmp_path: Path) -> None:
    source = "from cgikit.process import absolute\nprint(absolute('data/n'))"
    assert ran(tmp_path, source, cwd="/") == f"{tmp_path}/data/n\n"


@pytest.mark.parametrize("words", [["bin/server"], ["-m", "server"]], ids=["bin", "module"])
def test_a_server_s_own_program_is_not_the_script(tmp_path: Path, words: list[str]) -> None:
    source = "from cgikit.process import absolute\nprint(absolute('data/n'))"
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/server").write_text(source)
    (tmp_path / "server.py").write_text(source)
    words = [str(tmp_path / word) if "/" in word else word for word in words]
    done = subprocess.run(
        [sys.executable, *words],
        cwd="/",
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout == "/data/n\n", done.stderr


def test_where_the_directory_was_removed_a_relative_path_stays_as_it_is(tmp_path: Path) -> None:
    source = (
        "import os\nos.mkdir('a'); os.chdir('a'); os.rmdir('../a')\n"
        "from cgikit.process import absolute\nprint(absolute('n'))"
    )
    assert ran(tmp_path, source) == "n\n"


def test_each_script_of_a_warm_worker_has_its_own_directory(tmp_path: Path) -> None:
    """What forks them answers requests itself before, and knows a directory of its own by then."""
    source = (
        "import os\nfrom cgikit import Counter, run\n"
        "def hits(request):\n"
        "    os.chdir('/')\n"
        "    return str(Counter('n').increment())\n"
        "run(hits)\n"
    )
    root = tmp_path / "root"
    for name in ("one", "two"):
        (root / name).mkdir(parents=True)
    with gateway("fastcgi", root, "--workers", "1") as server:
        paths = [
            server.put(f"{name}/hits.py", f"#!/usr/bin/env python3\n{source}")
            for name in ("one", "two")
        ]
        answers = [server.request(path).text for path in (*paths, *paths, paths[0])]
    assert answers == ["1", "1", "2", "2", "3"]
    assert [(root / name / "n").read_text() for name in ("one", "two")] == ["3\n", "2\n"]
