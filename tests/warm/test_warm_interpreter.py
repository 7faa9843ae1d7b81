"""A forked child against a fresh interpreter: what a script can see, and every way to end it."""

import re
import subprocess
import sys

import pytest
from gatewayserving import HEAD, Gateway, seen_of


def test_a_script_sees_what_a_fresh_interpreter_would_show_it(warm: Gateway, cold: Gateway) -> None:
    seen, fresh = seen_of(warm), seen_of(cold)
    # The one permitted difference: what is there already, such as `logging` and its exit handler
    assert seen.pop("exit handlers") >= fresh.pop("exit handlers")
    modules, own = set(seen.pop("modules")), set(fresh.pop("modules"))
    assert own <= modules
    assert not {name for name in modules - own if name.startswith("test")}
    assert fresh["argv"] == [str(warm.root / "look.py"), "a", "b"]
    assert seen["leads"] == [True, True]  # a session and a process group of its own
    assert list(seen["descriptors"]) == ["0", "1", "2"]  # S24
    assert seen["directory"] == str(warm.root)  # R49
    assert seen.keys() == fresh.keys()
    for field, value in fresh.items():
        assert seen[field] == value, field


# --- ways of working, each as a fresh interpreter does it ------------------------------------------

WAYS = {
    "print": "print('one'); print('two', end='')",
    "binary": "sys.stdout.flush(); sys.stdout.buffer.write(bytes(range(256)))",
    "descriptor": "sys.stdout.flush(); os.write(1, b'raw'); os.write(2, b'err\\n')",
    "subprocess between prints": """
import subprocess
print("before", flush=True)
subprocess.run(["/bin/echo", "inside"])
print("after")
""",
    "input": "print(input(), input('? '), sys.stdin.read())",
    "stdin as bytes": "print(sys.stdin.buffer.read())",
    "stdin by descriptor": "print(os.read(0, 5), os.read(0, 100))",
    "stdin by lines": "print([line for line in sys.stdin])",
    "exit": "print('a'); sys.exit()",
    "exit with a number": "print('a'); sys.exit(3)",
    "exit with a large number": "print('a'); sys.exit(259)",
    "exit with a text": "print('a'); sys.exit('no more')",
    "exit by quit": "print('a'); quit(4)",
    "exit at once": "print('lost'); os._exit(5)",
    "SystemExit subclass": """
class Leaving(SystemExit): pass
print('a')
raise Leaving(6)
""",
    "an error": "print('a')\ndef f(x):\n    return 1 / x\nf(0)",
    "an error with a cause": """
try:
    {}["missing"]
except KeyError as error:
    raise ValueError("größe") from error
""",
    "an error in a group": "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])",
    "too deep": "def f(): f()\nf()",
    "a hook for errors": """
sys.excepthook = lambda kind, value, tb: print("caught", kind.__name__, tb.tb_frame.f_code.co_name)
1 / 0
""",
    "KeyboardInterrupt": "print('a', flush=True)\nraise KeyboardInterrupt",
    "killed by itself": "import signal\nprint('a', flush=True)\nos.kill(os.getpid(), signal.SIGKILL)",
    "a broken signal": "import signal\nprint('a', flush=True)\nos.abort()",
    "exit handlers": """
import atexit
atexit.register(print, "first registered, last run")
atexit.register(print, "last registered, first run")
print("body")
""",
    "an exit handler that fails": """
import atexit
@atexit.register
def fails():
    raise ValueError("at exit")
atexit.register(print, "another")
""",
    "an exit handler that exits": """
import atexit
@atexit.register
def leave():
    sys.exit(7)
print("body")
""",
    "a thread that goes on": """
import threading, time
def work():
    time.sleep(0.05)
    print("from the thread")
threading.Thread(target=work).start()
print("main ends")
""",
    "a daemon thread": """
import threading, time
threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
print("main ends")
""",
    "an error in a thread": """
import threading
thread = threading.Thread(target=lambda: 1 / 0, name="worker")
thread.start()
thread.join()
""",
    "a pool of threads": """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(3) as pool:
    print(list(pool.map(str, range(5))))
pool = ThreadPoolExecutor(1)
pool.submit(print, "late")
""",
    "fork, and both go on": """
import time
print("before", flush=True)
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
    print("parent")
else:
    print("child")
""",
    "fork, and the child exits": """
print("before", flush=True)
pid = os.fork()
if not pid:
    print("child")
    sys.exit(8)
print("child's status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "fork, and the child fails": """
print("before", flush=True)
pid = os.fork()
if not pid:
    1 / 0
print("child's status", os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
""",
    "a file never closed": """
stream = open("never-closed", "w")
stream.write("kept")
print("written")
""",
    "a cycle with a finaliser": """
class Loud:
    def __init__(self): self.me = self
    def __del__(self): print("finalised")
Loud()
loud = Loud()
print("body")
""",
    "a generator with finally": """
def steps():
    try:
        yield 1
    finally:
        print("finally")
generator = steps()
next(generator)
print("body")
""",
    "a finaliser by weakref": """
import weakref
class Thing: pass
thing = Thing()
weakref.finalize(thing, print, "finalised")
print("body")
""",
    "a temporary directory": """
import tempfile
place = tempfile.TemporaryDirectory()
open(place.name + "/x", "w").close()
os.environ["PLACE"] = place.name
import subprocess
print(os.path.exists(place.name))
del place
print(os.path.exists(os.environ["PLACE"]))
""",
    "a replaced stdout": """
import io
sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "latin-1")
print("größe")
""",
    "a redirected stdout": """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as caught:
    print("caught")
print(repr(caught.getvalue()))
""",
    "a reconfigured stdout": "sys.stdout.reconfigure(encoding='utf-16-le'); print('ü')",
    "a closed stdout": "sys.stdout.write('a'); sys.stdout.close()",
    "a closed descriptor": "sys.stdout.flush(); os.close(1); print('lost')",
    "another program": "sys.stdout.flush(); os.execv('/bin/echo', ['echo', 'execed'])",
    "a shell": "sys.stdout.flush(); print(os.system('echo from the shell; exit 3'))",
    "popen": "print(os.popen('echo popen; cat').read())",
    "pickle of a class of its own": """
import pickle
class Point:
    def __init__(self, x): self.x = x
print(pickle.loads(pickle.dumps(Point(4))).x)
""",
    "multiprocessing by fork": """
import multiprocessing
def double(x): return 2 * x
with multiprocessing.get_context("fork").Pool(2) as pool:
    print(pool.map(double, range(5)))
""",
    "multiprocessing by spawn": """
import multiprocessing
def double(x): return 2 * x
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(double, range(5)))
""",
    "multiprocessing by forkserver": """
import multiprocessing
def double(x): return 2 * x
if __name__ == "__main__":
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        print(pool.map(double, range(5)))
""",
    "asyncio": """
import asyncio
async def main():
    process = await asyncio.create_subprocess_exec("/bin/echo", "sub", stdout=-1)
    return (await process.communicate())[0]
print(asyncio.run(main()))
""",
    "an alarm": """
import signal, time
seen = []
signal.signal(signal.SIGALRM, lambda *_: seen.append("alarm"))
signal.setitimer(signal.ITIMER_REAL, 0.01)
while not seen: time.sleep(0.005)  # pause() would wait for the next one where this has come already
print(seen)
""",
    "a handled signal": """
import signal
signal.signal(signal.SIGTERM, lambda *_: print("term"))
os.kill(os.getpid(), signal.SIGTERM)
""",
    "its own file": "print(open(__file__).readline()[:2], sys.modules['__main__'].sys is sys)",
    "dataclasses and annotations": """
from dataclasses import dataclass
import typing
@dataclass
class Point:
    x: int
    y: "float" = 2
number: int = 3
print(Point(1), typing.get_type_hints(Point), __annotations__)
""",
    "a future import in a script": """
def f(x: undefined) -> also: pass
print(f.__annotations__)
""",
    "warnings": "import warnings\nwarnings.warn('careful')\nwarnings.warn('old', DeprecationWarning)",
    "doctest": '"""\n>>> 1 + 1\n3\n"""\nimport doctest\nprint(doctest.testmod())',
    "inspect": """
import inspect
def f():
    return 1
print(inspect.getsource(f), inspect.stack()[0].filename == __file__)
""",
    "logging": "import logging\nlogging.basicConfig()\nlogging.warning('logged %s', 1)",
    "logging at the end": """
import logging, logging.handlers
target = logging.StreamHandler(sys.stdout)
memory = logging.handlers.MemoryHandler(100, target=target)
logging.getLogger().addHandler(memory)
logging.error("kept until the end")
""",
    "many prints": "for number in range(5000): print(number)",
    "nothing at all": "",
}
#: How those end that do not end with status 0, as the log has it.
ENDS = {
    "exit with a number": "exited with status 3",
    "exit with a large number": "exited with status 3",
    "exit with a text": "exited with status 1",
    "exit by quit": "exited with status 4",
    "exit at once": "exited with status 5",
    "SystemExit subclass": "exited with status 6",
    "an error": "exited with status 1",
    "an error with a cause": "exited with status 1",
    "an error in a group": "exited with status 1",
    "too deep": "exited with status 1",
    "a hook for errors": "exited with status 1",
    "KeyboardInterrupt": "The script was killed by signal 2 in mid-answer.",
    "killed by itself": "The script was killed by signal 9 in mid-answer.",
    "a broken signal": "The script was killed by signal 6 in mid-answer.",
    "a closed descriptor": "exited with status 120",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_way_of_working(warm: Gateway, cold: Gateway, way: str) -> None:
    name = "way-" + "".join(c if c.isalnum() else "-" for c in way) + ".py"
    first = "from __future__ import annotations\n" if "future" in way else "import os, sys\n"
    path = warm.script(name, f"{first}{HEAD}{WAYS[way]}\n")
    body = b"one\ntwo\nthree\n"
    (warm.root / "never-closed").unlink(missing_ok=True)
    seen = len(cold.lines), len(warm.lines)
    fresh, forked = (
        server.request(path, body, CONTENT_TYPE="text/plain") for server in (cold, warm)
    )
    if "killed" not in ENDS.get(way, ""):  # of those a part is not taken for the whole
        assert forked.output == fresh.output
    assert (fresh.errors, forked.errors) == (b"", b"")
    # An answer may end before its script does (KeyboardInterrupt: that lost the traceback once)
    said = [server.said(path, start) for server, start in zip((cold, warm), seen, strict=True)]
    assert anonymous(said[1]) == anonymous(said[0])
    ends = [line for line in said[0] if re.match("exited|(The script )?was killed", line)]
    assert ends == ([ENDS[way]] if way in ENDS else [])
    if way == "a file never closed":
        assert (warm.root / "never-closed").read_text() == "kept"


def anonymous(lines: list[str]) -> list[str]:
    """Standard error without what differs between any two processes."""
    # The host's own frames are below the script's, so a little less deep is too deep
    return [re.sub(r"0x[0-9a-f]+|repeated \d+ more times", "", line) for line in lines]


# --- an error that cannot be said ----------------------------------------------------------------

CLOSED = "import os; os.close(2)"
UNREAD = "import os; reader, writer = os.pipe(); os.dup2(writer, 2); os.close(reader)"


@pytest.mark.parametrize("stderr", [CLOSED, UNREAD], ids=["closed", "unread"])
@pytest.mark.parametrize("file", ["/nowhere/script", "/dev/null"])
def test_a_program_that_cannot_be_started_ends_with_127_even_if_nobody_can_be_told(
    stderr: str, file: str
) -> None:
    code = f"""
from cgikit.warm import interpreter
{stderr}
interpreter.execute({file!r}, [], {{}})
"""
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 127
