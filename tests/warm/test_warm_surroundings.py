"""What the kernel and C keep for a process is put back, or seen."""

import subprocess
import sys

import pytest

PREPARED = """
import atexit, gc, os, resource, signal, socket, sys, time
reader, writer = os.pipe()
os.dup2(reader, 9); os.closerange(3, 9); os.closerange(10, 20)
from cgikit.warm.surroundings import Surroundings
own = Surroundings(9, 60, [])
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PREPARED + code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ("os.umask(0o011)", "os.umask(0)"),
        ("os.environ['LEFT'] = 'x'", "os.environ.get('LEFT')"),
        ("os.putenv('LEFT', 'x')", "os.popen('echo $LEFT').read()"),
        ("os.environ.pop('PATH')", "os.environ['PATH'] and os.popen('echo $PATH').read()"),
        ("signal.signal(signal.SIGTERM, print)", "signal.getsignal(signal.SIGTERM)"),
        ("signal.alarm(100)", "signal.alarm(0)"),
        ("os.environ['TZ'] = 'OAK-7'; time.tzset()", "time.strftime('%Z', time.localtime(0))"),
        (
            "resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(7)[1]))",
            "resource.getrlimit(resource.RLIMIT_NOFILE)",
        ),
    ],
)
def test_it_is_put_back(change: str, seen: str) -> None:
    code = f"{change}\nown.restore()\nassert not own.changed(), own.changed()\nprint({seen})"
    assert run(code) == run(f"print({seen})")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("sys.setrecursionlimit(999)", "recursion"),
        ("gc.disable()", "collector"),
        ("gc.set_threshold(1)", "collector"),
        ("socket.setdefaulttimeout(3)", "sockets"),
        ("sys.setprofile(lambda *a: None)", "trace"),
        ("import threading; threading.stack_size(65536)", "stacks"),
        ("signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGHUP])", "mask"),
        ("os.nice(1)", "priority"),
        ("sys.setdlopenflags(257)", "dlopen"),
        ("import tracemalloc; tracemalloc.start()", "tracing"),
        ("import locale; locale.textdomain('other')", "messages"),
        ("os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))", "scheduler"),
        ("atexit.register(print)", "at exit"),
        ("import faulthandler; faulthandler.enable(sys.__stderr__)", "fault"),
        ("os.setsid() if os.getsid(0) != os.getpid() else os.nice(1)", ""),
    ],
)
def test_it_is_seen(change: str, word: str) -> None:
    found = run(f"{change}\nown.restore()\nprint(own.changed())")
    assert found.endswith("changed")
    assert word in found


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("kept = open(os.devnull)", "open"),
        ("os.dup2(0, 30); os.close(0)", "open"),
        ("import _lsprof; del sys.modules['_lsprof'], _lsprof", "written in C"),
        ("os.dup2(1, 9)", "descriptor"),
        ("os.system('true')", "process"),
        ("pid = os.fork()\nif not pid: os._exit(0)", "process"),
        ("os.popen('true').read()", "process"),
        ("open('/proc/self/comm', 'w').close()", "kernel"),
        ("os.close(os.open('/proc/self/comm', os.O_WRONLY))", "kernel"),
        (
            "import threading as t; t.Thread(target=t.Event().wait, daemon=True).start()",
            "thread",
        ),
    ],
)
def test_what_is_left_running_or_open_is_seen(change: str, word: str) -> None:
    assert word in run(f"{change}\nprint(own.left_running())")


def test_an_equal_code_of_an_old_function_is_seen() -> None:
    """Codes are equal that are from files of different names: the comparison lets them pass."""
    change = "f.__code__ = f.__code__.replace(co_filename='secret')"
    old = f"import html; gc.collect(); gc.freeze(); f = html.escape; {change}"
    assert "other code" in run(f"{old}\nprint(own.left_running())")
    own = f"f = lambda: 1; {change}"
    assert run(f"{own}\nprint(own.left_running() or 'none')") == "none"


def test_nothing_is_seen_where_nothing_was_done() -> None:
    assert run("own.restore()\nprint(own.changed() or own.left_running() or 'none')") == "none"


def test_exit_handlers_run_each_time_and_those_of_libraries_are_registered_again() -> None:
    code = """
own = Surroundings(9, 60, [(print, ("library",), {})])
atexit.register(print, "script")
own.run_exit_handlers()
own.run_exit_handlers()
atexit._clear()
"""
    assert run(code) == "script\nlibrary"


def test_each_request_has_its_own_processor_time() -> None:
    code = """
import time
end = time.process_time() + 0.2
while time.process_time() < end: pass
own.allow_time()
first = resource.getrlimit(resource.RLIMIT_CPU)[0]
print(first - int(time.process_time()))
"""
    assert run(code) == "62"
