"""The kind: what a script has written and never closed. A plain Python writes it at its end, and so
must every way of ours to leave earlier: `run` and `Response.send` under CGI, and a forked child.

Each case is run three times in a directory of its own: it says what it finds there, then writes. So the
answers of the three runs say what was kept, and they must be those that Python itself gives.
"""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from posting import clean_environ
from serving import until

RAW = "print(open('kept', 'rb').read() if os.path.exists('kept') else None)\n"
COUNT = "number = int(db.get('n', b'0')) + 1\ndb['n'] = str(number)\nprint(number)\n"

#: What scripts write to and leave open. `{RAW}` says what is there.
CASES = {
    "text": f"{RAW}f = open('kept', 'a')\nf.write('text')",
    "bytes": f"{RAW}f = open('kept', 'ab')\nf.write(b'bytes')",
    "without a buffer": f"{RAW}f = open('kept', 'ab', 0)\nf.write(b'raw')",
    "for reading and writing": f"{RAW}f = open('kept', 'a+')\nf.write('both')",
    "a duplicate": f"""{RAW}
import io
number = os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
f = io.BufferedWriter(io.FileIO(os.dup(number), 'a'))
os.close(number)
f.write(b'dup')
""",
    "by descriptor": f"{RAW}f = os.fdopen(os.open('kept', 1025 | os.O_CREAT), 'w')\nf.write('x')",
    "gzip": f"{RAW}import gzip\nf = gzip.GzipFile('kept', 'ab', mtime=0)\nf.write(b'gz')",
    "gzip as text": """
import gzip
print(gzip.open('kept', 'rt').read() if os.path.exists('kept') else None)
f = gzip.open('kept', 'at')
f.write('text')
""",
    "bz2": f"{RAW}import bz2\nf = bz2.BZ2File('kept', 'a')\nf.write(b'bz')",
    "lzma": f"{RAW}import lzma\nf = lzma.LZMAFile('kept', 'a')\nf.write(b'xz')",
    "zipfile": f"""{RAW}
import zipfile
f = zipfile.ZipFile('kept', 'a')
f.writestr(zipfile.ZipInfo(str(len(f.namelist()))), 'z')
""",
    "tarfile": f"""{RAW}
import io, tarfile
f = tarfile.open('kept', 'w', fileobj=open('kept', 'ab'))
info = tarfile.TarInfo('a')
info.size = 3
f.addfile(info, io.BytesIO(b'tar'))
""",
    "shelve": """
import shelve
shelf = shelve.open('kept', writeback=True)
shelf.setdefault('list', []).append(1)
print(shelf['list'])
""",
    "dbm": f"import dbm\ndb = dbm.open('kept', 'c')\n{COUNT}",
    "dbm.dumb": f"import dbm.dumb\ndb = dbm.dumb.open('kept', 'c')\n{COUNT}",
    "sqlite3, committed": """
import sqlite3
base = sqlite3.connect('kept')
base.execute('create table if not exists t (x)')
print(base.execute('select count(*) from t').fetchone())
base.execute('insert into t values (1)')
base.commit()
""",
    "csv": f"{RAW}import csv\nrows = csv.writer(open('kept', 'a'))\nrows.writerow(['a', 1])",
    "mmap": f"""{RAW}
import mmap
f = open('kept', 'a+b')
f.write(b'mapped')
f.flush()
m = mmap.mmap(f.fileno(), 0)
m[0:1] = b'M'
""",
    "a temporary file, copied at its end": f"""{RAW}
import tempfile
class Kept:
    def __init__(self):
        self.file = tempfile.TemporaryFile('w+')
    def __del__(self):
        self.file.seek(0)
        os.write(number, self.file.read().encode())
number = os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
kept = Kept()
kept.file.write('temporary')
""",
    "a named temporary file": """
import tempfile
print(sorted(os.listdir()))
f = tempfile.NamedTemporaryFile(dir='.')
""",
    "a temporary directory": """
import tempfile
print(sorted(os.listdir()))
place = tempfile.TemporaryDirectory(dir='.')
""",
    "logging": f"{RAW}import logging\nlogging.basicConfig(filename='kept')\nlogging.error('logged')",
    "logging, in memory": f"""{RAW}
import logging.handlers
target = logging.FileHandler('kept')
logging.getLogger().addHandler(logging.handlers.MemoryHandler(99, target=target))
logging.error('logged')
""",
    "in a cycle": f"""{RAW}
f = open('kept', 'a')
cycle = [f]
cycle.append(cycle)
f.write('c')
del f, cycle
""",
    "in a cycle that is held": f"""{RAW}
cycle = [open('kept', 'a')]
cycle += [cycle]
cycle[0].write('c')
""",
    "in a container of C": f"""{RAW}
from collections import deque
queue = deque([open('kept', 'a')])
queue[0].write('queued')
""",
    "in another module": f"{RAW}import string\nstring.f = open('kept', 'a')\nstring.f.write('s')",
    "in a module of the script's": f"""{RAW}
open('beside.py', 'w').write("f = open('kept', 'a')\\nf.write('beside')")
import beside
""",
    "in a module's class": f"""{RAW}
import json
json.JSONEncoder.f = open('kept', 'a')
json.JSONEncoder.f.write('j')
""",
    "in builtins": f"{RAW}import builtins\nbuiltins.f = open('kept', 'a')\nbuiltins.f.write('b')",
    "in a default": f"{RAW}def f(x, file=open('kept', 'a')): file.write(x)\nf('default')",
    "in a closure": f"""{RAW}
def opened():
    file = open('kept', 'a')
    return lambda text: file.write(text)
write = opened()
write('closure')
""",
    "in a traceback": f"""{RAW}
def fails():
    file = open('kept', 'a')
    file.write('traceback')
    1 / 0
try:
    fails()
except ZeroDivisionError as error:
    kept = error
""",
    "gc.freeze": f"{RAW}import gc\nf = open('kept', 'a')\nf.write('frozen')\ngc.freeze()",
    "gc.freeze, then a cycle": f"""{RAW}
import gc
f = open('kept', 'a')
f.write('f')
x = [f]
x += [x]
gc.freeze()
""",
    "gc.freeze and a finaliser": f"""{RAW}
import gc
number = os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
class Saver:
    def __del__(self): os.write(number, b'saved')
saver = Saver()
gc.freeze()
""",
    "gc.freeze and unfreeze": f"""{RAW}
import gc
f = open('kept', 'a')
f.write('f')
gc.freeze()
gc.unfreeze()
""",
    "gc.disable": f"""{RAW}
import gc
gc.disable()
class Saver:
    def __init__(self):
        self.me, self.number = self, os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    def __del__(self):
        os.write(self.number, b'saved')
Saver()
""",
    "a finaliser": f"""{RAW}
number = os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
class Saver:
    def __del__(self): os.write(number, b'saved')
saver = Saver()
""",
    "a finaliser that uses other names": f"""{RAW}
import json
class Saver:
    def __del__(self):
        number = os.open('kept', os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.write(number, json.dumps(os.path.basename(os.getcwd())[:0] + 'ü').encode())
        os.close(number)
saver = Saver()
""",
    "a finaliser of what the collector does not see": """
print(sorted(os.listdir()))
class Saver:
    __slots__ = ()
    def __del__(self): os.close(os.open(f'kept{len(os.listdir())}', os.O_CREAT))
saver = Saver()
""",
    "a finaliser of a number": """
print(sorted(os.listdir()))
class Number(int):
    __slots__ = ()
    def __del__(self): os.close(os.open(f'kept{len(os.listdir())}', os.O_CREAT))
number = Number(7)
""",
    "weakref.finalize": f"""{RAW}
import weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, lambda: open('kept', 'a').write('finalized'))
""",
    "a generator": """
print(sorted(os.listdir()))
def steps():
    try:
        yield 1
    finally:
        os.close(os.open(f'kept{len(os.listdir())}', os.O_CREAT))
generator = steps()
next(generator)
""",
    "a context variable": f"""{RAW}
import contextvars
variable = contextvars.ContextVar('variable')
variable.set(open('kept', 'a'))
variable.get().write('context')
""",
    "of a thread": f"""{RAW}
import threading
local = threading.local()
local.f = open('kept', 'a')
local.f.write('main ')
def work():
    local.f = open('kept', 'a')
    local.f.write('thread ')
thread = threading.Thread(target=work)
thread.start()
""",
    "an exit handler": f"{RAW}import atexit\natexit.register(lambda: open('kept', 'a').write('exit'))",
    "an exit handler's file": f"""{RAW}
import atexit
@atexit.register
def leave():
    global f
    f = open('kept', 'a')
    f.write('exit')
""",
    "C's own output": """
import ctypes
libc = ctypes.CDLL(None)
sys.stdout.flush()
libc.printf(b'printed by C\\n')
print(1)
sys.stdout.flush()
""",
    "C's own file": f"""{RAW}
import ctypes
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
libc.fputs.argtypes = [ctypes.c_char_p, ctypes.c_void_p]
libc.fputs(b'by C', libc.fopen(b'kept', b'a'))
""",
    "standard output again": "f = open(1, 'w', closefd=False)\nf.write('again')",
    "standard output wrapped": "import io\nf = io.TextIOWrapper(sys.stdout.buffer)\nf.write('wrapped')",
}
if importlib.util.find_spec("_gdbm"):
    CASES["dbm.gnu"] = f"import dbm.gnu\ndb = dbm.gnu.open('kept', 'c')\n{COUNT}"
if importlib.util.find_spec("_dbm"):
    CASES["dbm.ndbm"] = f"import dbm.ndbm\ndb = dbm.ndbm.open('kept', 'c')\n{COUNT}"
if importlib.util.find_spec("dbm.sqlite3"):
    CASES["dbm.sqlite3"] = f"import dbm.sqlite3\ndb = dbm.sqlite3.open('kept', 'c')\n{COUNT}"
#: Those in which each run says the same: what they are about is in each answer, or in the directory.
ALIKE = {
    "a named temporary file", "a temporary directory", "C's own output",
    "standard output again", "standard output wrapped",
}  # fmt: skip

START = "import os, sys\n"
SENT = "from cgikit import Response\nResponse.text('').send()\n"


def by_python(place: Path, source: str) -> bytes:
    """What a script prints that Python runs as a CGI script."""
    (place / "script.py").write_text(source)
    variables = {"REQUEST_METHOD": "GET", "GATEWAY_INTERFACE": "CGI/1.1", "CONTENT_LENGTH": ""}
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=place,
        env={**clean_environ(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout.replace(b"\r\n", b"\n").partition(b"\n\n")[2]


def kept(place: Path) -> dict[str, int]:
    """The files that are left, with their sizes."""
    found = {path.name: path.stat().st_size for path in place.iterdir() if path.is_file()}
    found.pop("script.py")
    return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that runs scripts warm, in one worker."""
    with gateway("fastcgi", tmp_path_factory.mktemp("root"), "--workers", "1") as found:
        yield found


@pytest.mark.parametrize("case", CASES)
def test_what_was_never_closed_is_kept_as_python_keeps_it(
    server: Gateway, tmp_path: Path, case: str
) -> None:
    name = "".join(c if c.isalnum() else "-" for c in case)
    source = f"{START}{HEAD}{CASES[case]}\n"
    places = [tmp_path / "python", tmp_path / "cgi", server.root / name]
    for place in places:
        place.mkdir()
    path = server.script(f"{name}/script.py", source)
    wanted, sent, warm = [], [], []
    for _ in range(3):
        wanted.append(by_python(places[0], source))
        sent.append(by_python(places[1], f"{START}{SENT}{CASES[case]}\n"))
        answer = server.request(path)
        assert (answer.errors, answer.ended) == (b"", 0)
        warm.append(answer.body)
    assert wanted[0]
    assert (wanted[0] == wanted[2]) is (
        case in ALIKE
    )  # a case in which nothing is kept says nothing
    assert sent == wanted
    assert warm == wanted
    assert kept(places[1]) == kept(places[0])
    assert kept(places[2]) == kept(places[0])


#: Scripts after which nothing is left to do, or nothing once their own names are gone.
QUICK = {
    "prints": "print(1)",
    "sends": SENT,
    "runs": "from cgikit import run\nrun(lambda request: request.query.get('a', 'x'))",
    "reads a file": "print(len(open(__file__).read()))",
    "leaves a file": "f = open('left', 'w')\nf.write('x')",
    "leaves a file to read": "f = open(__file__)\nprint(f.readline())",
    "leaves a cycle": "class A: pass\na = A()\na.me = a",
    "has a finaliser": "class A:\n    def __del__(self): print('gone')\na = A()",
    "leaves a generator": "def steps():\n    yield 1\ng = steps()\nnext(g)",
    "imports": "import json, re, logging, subprocess, datetime, random, uuid, decimal",
    "brings a module": "open('own.py', 'w').write('a = 1')\nimport own",
}
SLOW = {
    "leaves a file elsewhere": "import string\nstring.f = open('left', 'w')",
    "freezes": "import gc\ngc.freeze()",
    "leaves a thread": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()",
    "leaves a descriptor": "number = os.open('left', os.O_RDWR | os.O_CREAT)",
}
#: Only who leaves fast calls it by that name. Without the script's own names, which it would keep.
TOLD = """
os._exit = eval("lambda status: leave((os.mkdir('fast'), status)[1])", {"leave": os._exit, "os": os})
"""


@pytest.mark.parametrize("case", [*QUICK, *SLOW])
def test_an_ordinary_script_is_not_taken_apart(server: Gateway, case: str) -> None:
    """By the rule above one could always take Python's own way, which costs several requests."""
    place = server.root / "quick"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    start = START if case in ("sends", "runs") else f"{START}{HEAD}"
    script = {**QUICK, **SLOW}[case]
    answer = server.request(server.script("quick/quick.py", f"{start}{TOLD}{script}\n"))
    assert (answer.errors, answer.ended) == (b"", 0)
    assert until(lambda: not server.scripts())
    assert (place / "fast").exists() is (case in QUICK)
