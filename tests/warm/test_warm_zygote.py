"""What a child does to itself does not reach the next one, and no child can hurt those who fork.

Out of scope: a script may send signals to the processes of its own user, the host's too. What happens
then is in `test_host_supervisor.py`.
"""

import mmap
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gatewayserving import HEAD, Gateway, children, gateway, seen_of
from serving import alive, until

from cgikit.host.guard import Guard
from cgikit.warm.slottable import SIZE, SlotTable
from cgikit.warm.zygoteclient import ZygoteClient

POISON = """
import sys, os, builtins, json, signal, threading, time, random, atexit, locale, decimal, gc
import warnings, resource, socket, logging, io, types, importlib, string
import cgikit, cgikit.request, cgikit.response, cgikit.html, cgikit.process
print("Content-Type: text/plain\\n", flush=True)
builtins.print_ = print
builtins.len = lambda x: 42
builtins.open = None
json.loads = json.dumps = lambda *a, **k: "poisoned"
sys.modules["string"] = types.ModuleType("string")
sys.modules["smuggled"] = types.ModuleType("smuggled")
del sys.modules["logging"]
cgikit.html.escape = cgikit.escape = lambda text: "poisoned"
cgikit.request.Request.query = "poisoned"
cgikit.response.Response.send = None
cgikit.smuggled = 1
os.environ["SMUGGLED"] = "1"
os.environ["PATH"] = "/nowhere"
del os.environ["SERVER_NAME"]
os.putenv("SMUGGLED_BY_C", "1")
random.seed(1)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
os.umask(0)
os.chdir("/")
os.nice(3)
sys.path.insert(0, "/nowhere")
sys.path_hooks.clear()
sys.meta_path.clear()
sys.path_importer_cache.clear()
sys.argv.append("smuggled")
sys.stdout = sys.stderr = io.StringIO()
sys.excepthook = lambda *a: None
sys.setrecursionlimit(100)
sys.setswitchinterval(1)
sys.dont_write_bytecode = not sys.dont_write_bytecode
sys.settrace(lambda *a: None)
threading.Thread(target=time.sleep, args=(0.2,), daemon=True).start()
signal.setitimer(signal.ITIMER_REAL, 100)
atexit.register(lambda: None)
locale.setlocale(locale.LC_ALL, "C")
decimal.getcontext().prec = 3
gc.disable()
gc.set_threshold(1)
warnings.simplefilter("error")
resource.setrlimit(resource.RLIMIT_NOFILE, (50, 50))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
files = [os.open("/dev/null", os.O_RDONLY) for _ in range(20)]
for file in files:
    os.set_inheritable(file, True)
server = socket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
for pid in (os.getpid(), 0):
    os.sched_setaffinity(pid, {min(os.sched_getaffinity(0))})
f = sys._getframe()
while f.f_back:  # whatever of the host's can be reached from here
    f = f.f_back
    for name, value in list(f.f_locals.items()):
        if isinstance(value, (dict, list)):
            try: value.clear()
            except Exception: pass
os._exit(0)
"""


def test_nothing_that_a_script_does_reaches_the_next(warm: Gateway, cold: Gateway) -> None:
    fresh = seen_of(cold)
    seen_of(warm)
    poison = warm.script("poison.py", POISON)
    for _ in range(3):
        assert warm.request(poison).text == ""
        after = seen_of(warm)
        assert "smuggled" not in after.pop("modules")
        for field in fresh.keys() - {"modules", "exit handlers"}:
            assert after[field] == fresh[field], field


def test_the_library_is_whole_after_it_was_poisoned(warm: Gateway) -> None:
    poison = warm.script("poison.py", POISON)
    path = warm.script(
        "whole.py",
        "import json, string, logging\n"
        "from cgikit import Response, escape, run\n"
        "run(lambda r: Response.text(f\"{escape('<')} {r.query['a']} {json.dumps(len([1]))} "
        '{string.digits} {logging.INFO}"))\n',
    )
    for _ in range(3):
        assert warm.request(poison).text == ""
        assert warm.request(path, QUERY_STRING="a=b").text == "&lt; b 1 0123456789 20"


RANDOM = f"""
import random, uuid, secrets, tempfile, os
{HEAD}
print(random.random(), random.getrandbits(64), random.SystemRandom().random())
print(uuid.uuid4(), uuid.uuid1().time, secrets.token_hex(), os.urandom(8).hex())
print(next(tempfile._get_candidate_names()), tempfile.mktemp())
from cgikit import Session
from cgikit.sessions.store import new_id
print(new_id())
"""


def test_chance_is_another_in_each_child(warm: Gateway) -> None:
    path = warm.script("chance.py", RANDOM)
    answers = [warm.request(path).text.split() for _ in range(40)]
    for column in zip(*answers, strict=True):
        assert len(set(column)) == 40, column


def test_the_host_is_not_to_be_found_in_a_child(warm: Gateway) -> None:
    """No socket of the host's, no request before it, and no way to the environment of the server."""
    answer = warm.run(f"""
import os, sys, gc
{HEAD}
for number in range(3, 1024):
    try:
        print(number, os.readlink(f"/proc/self/fd/{{number}}"))
    except OSError:
        pass
print(os.environ.get("HOME"), sorted(name for name in os.environ if name.startswith("CGIKIT")))
""")
    assert answer.text == "None []\n"


def test_a_secret_of_one_request_is_not_in_the_memory_of_the_next(warm: Gateway) -> None:
    """Not in the process that forks, which sees what is to be run."""
    secret = "kahP2iiG8" + "eith5Oo"
    path = warm.script("plain.py", HEAD)
    warm.request(path, HTTP_COOKIE=f"session={secret}")
    for _ in range(5):  # what was freed is not cleared, but written over by what follows
        warm.request(path, HTTP_COOKIE="session=" + "0" * len(secret))
    answer = warm.run(f"""
import gc, os
{HEAD}
secret = "kahP2iiG8" + "eith5Oo"
found = [o for o in gc.get_objects() if isinstance(o, dict) and secret in map(str, o.values())]
print(len([o for o in found if o is not globals()]))
print(secret in str(os.environ))
""")
    assert answer.text == "0\nFalse\n"


# --- children that end in other ways -------------------------------------------------------------


def test_no_child_is_left_unreaped(warm: Gateway) -> None:
    path = warm.script("quick.py", HEAD)
    for _ in range(100):
        assert warm.request(path).text == ""
    assert until(lambda: not warm.scripts())


@pytest.mark.parametrize("executor", ["warm", "cold"])
def test_the_group_of_a_script_ends_with_it(
    request: pytest.FixtureRequest, executor: str, tmp_path: Path
) -> None:
    server = request.getfixturevalue(executor)
    answer = server.run(f"""
import subprocess, sys, os
{HEAD}
for options in ({{}}, {{"start_new_session": True}}):
    child = subprocess.Popen(["sleep", "1000"], stdin=-3, stdout=-3, stderr=-3, **options)
    print(child.pid)
""")
    inside, outside = map(int, answer.text.split())
    try:
        assert until(lambda: not alive(inside))
        assert alive(outside)
    finally:
        os.kill(outside, 9)


def test_the_log_says_once_that_what_a_script_left_in_the_background_was_ended(
    tmp_path: Path,
) -> None:
    # Preloaded: a worker replaced for what the script imports would have a log of its own
    with gateway("fastcgi", tmp_path, "--workers", "1", "--preload", "subprocess") as server:
        path = server.script(
            "background.py",
            f"""
import subprocess
{HEAD}
print(subprocess.Popen(["sleep", "1000"], stdin=-3, stdout=-3, stderr=-3).pid)
""",
        )
        said = f"^{path}: it left processes in the background"

        def told() -> list[str]:
            return [line for line in server.lines if re.search(said, line)]

        assert until(lambda: server.request(path).text and told())
        for _ in range(3):
            pid = int(server.request(path).text)
            assert until(lambda pid=pid: not alive(pid))  # type: ignore[misc]
        assert len(told()) == 1, server.lines


CHOKING = {
    "a sum of 20,000 terms": b"x = " + b"1+" * 20_000 + b"1\n",
    "100,000 minus signs": b"x = " + b"-" * 100_000 + b"1\n",
    "3,000 brackets": b"x = " + b"(" * 3_000 + b")" * 3_000 + b"\n",
    "as many attributes": b"x = a" + b".a" * 50_000 + b"\n",
    "blocks in blocks": b"".join(b" " * depth + b"if 1:\n" for depth in range(150)),
    "a NUL": b"x = 1\0\n",
    "no text": b"\xff\xfe\x00",
    "a number of 5,000 digits": b"x = " + b"9" * 5_000 + b"\n",
}


@pytest.mark.parametrize("name", CHOKING)
def test_a_script_that_the_compiler_chokes_on_hurts_itself_only(warm: Gateway, name: str) -> None:
    hello = warm.script("hello.py", f"{HEAD}print('hello')")
    first = f"#!{sys.executable}\n".encode()
    path = warm.put(f"choking{list(CHOKING).index(name)}.py", first + CHOKING[name])
    seen = len(warm.lines)
    for _ in range(2):
        answer = warm.request(path)
        assert (answer.status, answer.ended) == (500, 0)  # it prints nothing, whatever it does
        assert warm.request(hello).text == "hello\n"
    assert not warm.deaths(seen)
    assert not [line for line in warm.lines[seen:] if "incident" in line]


def test_a_nul_in_the_first_line_hurts_nobody(warm: Gateway) -> None:
    seen = len(warm.lines)
    source = f"#!{sys.executable}\0x\n{HEAD}print('hello')".encode()
    path = warm.put("nul.py", source)
    for _ in range(2):
        answer = warm.request(path)
        assert (answer.status, answer.ended) == (500, 0)
        server_says = [line for line in warm.said(path, seen) if "null bytes" in line]
        assert server_says  # as its own interpreter says
    warm.wait_for("nul.py runs in an interpreter of its own: its first line has a NUL")
    assert not warm.deaths(seen)


def test_a_fork_by_hand_that_outlives_the_script_is_ended(warm: Gateway) -> None:
    answer = warm.run(f"""
import os, time
{HEAD}
if not os.fork():
    os.close(0); os.close(1); os.close(2)
    time.sleep(1000)
print(os.getpid())
""")
    group = int(answer.text)

    def members() -> list[int]:
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[2]) == group and fields[0] != "Z":
                found.append(int(entry.name))
        return found

    assert until(lambda: not members())


def test_many_scripts_that_are_silent_at_once(tmp_path: Path) -> None:
    """Orders and answers of so many fill both ends of the socket, which once made both wait."""
    with gateway("fastcgi", tmp_path, "--workers", "1", "--children", "1000") as server:
        path = server.script(
            "waits.py",
            f"{HEAD}import os, time\nwhile not os.path.exists('go'): time.sleep(0.2)",
        )
        quick = server.script("quick.py", HEAD)
        peers = [server.connect() for _ in range(700)]
        try:
            for peer in peers:
                peer.send(server.variables(path))
            assert until(lambda: len(server.scripts()) >= 700)
            begun = server.scripts()
            # Each of them is asked for after a second of silence, five times a second
            assert until(lambda: all(cpu_idle(pid) for pid in begun[:5]))
            for _ in range(5):
                assert server.request(quick).text == ""
            server.put("go", b"")
            assert [peer.answer().ended for peer in peers] == [0] * 700
        finally:
            for peer in peers:
                peer.socket.close()
        assert until(lambda: not server.scripts())


def cpu_idle(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def test_nothing_is_inherited_by_the_processes_of_the_host(warm: Gateway) -> None:
    """The supervisor's children hold the sockets they were given, and those of no other worker."""
    assert until(lambda: len(warm.zygotes()) == len(warm.workers()) == 1)  # none is being replaced
    (zygote,) = warm.zygotes()
    names = [os.readlink(entry) for entry in Path(f"/proc/{zygote}/fd").iterdir()]
    assert sum(name.startswith("socket:") for name in names) == 1, names
    assert not children(warm.workers()[0])
    assert sys.executable in Path(f"/proc/{zygote}/cmdline").read_text().split("\0")


def test_a_script_that_is_long_in_ending_is_asked_about_with_pauses(warm: Gateway) -> None:
    """Asked without a pause, worker and zygote took both processors, and the script could not end."""
    path = warm.script(
        "long-end.py",
        f"{HEAD}import os, sys, time\nsys.stdout.close()\nos.close(1)\ntime.sleep(1)",
    )
    (zygote,) = settled(warm)
    before = switches(zygote)
    warm.request(path)
    assert until(lambda: not warm.scripts())
    assert (
        switches(zygote) - before < 500
    )  # one for each question; without pauses some ten thousand


def settled(server: Gateway) -> list[int]:
    """The zygotes, once there is one for each worker."""
    assert until(lambda: len(server.zygotes()) == len(server.workers()) == 1)
    return server.zygotes()


def switches(pid: int) -> int:
    """How often a process has waited for something."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_a_request_that_no_file_can_be_made_for_takes_no_slot() -> None:
    """Its variables are handed over in a file, for which a descriptor may be missing."""
    ours, theirs = socket.socketpair()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    child: Any = SimpleNamespace(slot=-1, pid=0, done=False)
    with ours, theirs, mmap.mmap(-1, SIZE) as memory:
        children = ZygoteClient(ours, SlotTable(memory), print, Guard(print, print), 60.0)
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            with pytest.raises(OSError, match="Too many open files"):
                children.fork(child, "/script.py", None, [], {"A": "b"}, (0, 1, 2))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert len(children.children) == 0
        children.fork(child, "/script.py", None, [], {"A": "b"}, (0, 1, 2))
        assert len(children.children) == 1
        assert len(theirs.recv(4_096)) > 4
        for view in (children._table.pids, children._table.statuses):
            view.release()


def test_the_limit_of_memory_is_for_python_alone(tmp_path: Path) -> None:
    """Java and Node reserve address space that they never use; with a limit of it they do not start."""
    with gateway("fastcgi", tmp_path, "--workers", "1", "--memory", "512") as server:
        shell = "echo 'Content-Type: text/plain'\necho\nulimit -v\n"
        other = server.put("other.cgi", f"#!/bin/sh\n{shell}")
        looks = f"{HEAD}import resource\nprint(resource.getrlimit(resource.RLIMIT_AS)[0] >> 20)"
        cold = server.put("cold.py", f"#!{sys.executable} -I\n{looks}")
        assert server.request(other).text != f"{512 << 10}\n"
        assert server.request(cold).text == "512\n"
        assert server.request(server.script("warm.py", looks)).text == "512\n"


@pytest.mark.parametrize("error", ["OSError(5)", "Mute()"])
@pytest.mark.parametrize("after", ["os.close(2)", ""])
def test_a_child_that_cannot_start_ends_with_127_even_if_nobody_can_be_told(
    error: str, after: str
) -> None:
    """Otherwise it would go on as a second zygote."""
    code = f"""
import mmap, os, socket
from cgikit.warm.slottable import SIZE, SlotTable
from cgikit.warm.zygote import Zygote
class Mute(BaseException):
    def __str__(self):
        raise RuntimeError
class Failing(Zygote):
    def attend(self, *_):
        raise {error}
table = SlotTable(mmap.mmap(-1, SIZE))
zygote = Failing(socket.socket(), table, {{"memory": 0, "processes": 0, "total": 60}})
child = os.fork()
if not child:
    {after or "pass"}
    zygote._child(0, "/nowhere/script.py", None, [0, 1, 2, 0])
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "127\n", done.stderr


def test_an_error_of_one_script_is_no_reason_to_end_because_it_cannot_be_logged() -> None:
    code = """
import os
from cgikit.warm.zygote import _say
os.close(2)
_say(ValueError("x"))
print("goes on")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout == "goes on\n"
