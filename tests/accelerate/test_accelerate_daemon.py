"""`cgikit.accelerate.daemon`: requests through a front, warm and direct, with what a script can see."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from accelerating import Site
from serving import DEADLINE, until

SEEN = """
import json, os, resource, sys
os.write(1, b"Content-Type: application/json\\n\\n")
print(json.dumps({
    "parent": os.getppid(), "argv": sys.argv, "orig_argv": sys.orig_argv, "path": sys.path,
    "file": __file__, "name": __name__, "cwd": os.getcwd(), "umask": os.umask(0),
    "environ": [[k.decode("latin-1"), v.decode("latin-1")] for k, v in os.environb.items()],
    "limits": [resource.getrlimit(n) for n in range(16)], "nice": os.getpriority(0, 0),
    "uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(),
    "stdin": sys.stdin.read(), "executable": sys.executable, "encoding": sys.stdout.encoding,
    "fds": sorted(int(n) for n in os.listdir("/proc/self/fd"))[:3],
}))
"""


def counted(site: Site, code: str = "print('Content-Type: text/plain\\n\\ndone')") -> str:
    """A script that leaves a line in a file each time it runs."""
    runs = site.directory / "runs"
    runs.touch()
    site.give(runs)
    line = f"import os; os.write(os.open({str(runs)!r}, os.O_WRONLY | os.O_APPEND), b'run\\n')\n"
    return line + code


def runs(site: Site) -> int:
    """How often the script has run."""
    return (site.directory / "runs").read_text().count("run\n")


def body(done: "subprocess.CompletedProcess[bytes]") -> dict[str, object]:
    found: dict[str, object] = json.loads(done.stdout.partition(b"\n\n")[2])
    return found


def test_the_first_request_runs_directly_and_the_second_starts_a_daemon(
    site: Site, kind: str
) -> None:
    site.script("seen.py", SEEN)
    done = site.accelerate("--front", kind, "seen.py")
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode() == f"wrote {site.folder}/seen.cgi\n"
    assert body(site.request("seen.cgi"))["parent"] == os.getpid()
    assert not (site.place / "s").exists()
    assert body(site.request("seen.cgi"))["parent"] == os.getpid()  # beside its answer
    assert until((site.place / "s").exists)
    assert site.direct() == "nn"
    assert body(site.warm_request("seen.cgi"))["parent"] == site.daemon()


def test_a_script_sees_the_same_warm_and_directly(site: Site, kind: str) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("--front", kind, "seen.py").returncode == 0
    environment = {"HTTP_COOKIE": "a=b\udcff", "ODD": "x\ny", "EMPTY": "", "HTTP_PROXY": "p"}

    def ask(request: Callable[..., "subprocess.CompletedProcess[bytes]"]) -> dict[str, object]:
        return body(
            request(
                "seen.cgi", environment, b"a=1", ("word", "\udcff"), umask=0o031,
                preexec_fn=lambda: os.nice(3),
            )
        )  # fmt: skip

    direct = ask(site.request)
    pid = site.warm("seen.cgi")
    warm = ask(site.warm_request)
    assert warm["parent"] == pid != direct["parent"]
    assert warm.pop("parent") != direct.pop("parent")
    assert direct["stdin"] == "a=1"
    assert direct["umask"] == 0o031
    assert direct["nice"] == min(os.getpriority(os.PRIO_PROCESS, 0) + 3, 19)
    assert warm == direct


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("pass", 0, b""),
        ("import sys; sys.exit(3)", 3, b""),
        ("import sys; sys.exit('why')", 1, b"why\n"),
        ("1 / 0", 1, b"ZeroDivisionError"),
        ("import os; os._exit(5)", 5, b""),
        ("import os; os.kill(os.getpid(), 9)", -9, b""),
        ("import os; os.kill(os.getpid(), 15)", -15, b""),
        ("import os; os.execv('/bin/sh', ['sh', '-c', 'echo out; exit 6'])", 6, b""),
        ("import threading as t; t.Thread(target=lambda: print('late')).start()", 0, b""),
        ("import os\nif os.fork(): os.wait()\nelse: raise SystemExit(9)", 0, b""),
        ("import os; os.closerange(3, 300); f = open('/dev/null')", 0, b""),
    ],
)
def test_a_front_ends_as_its_script_ends(
    site: Site, kind: str, code: str, status: int, said: bytes
) -> None:
    site.script("end.py", code)
    assert site.accelerate("--front", kind, "end.py").returncode == 0
    direct = site.request("end.cgi")
    site.warm("end.cgi")
    done = site.warm_request("end.cgi")
    assert (done.returncode, done.stdout) == (direct.returncode, direct.stdout)
    assert done.returncode == status
    assert said in done.stderr
    assert said in direct.stderr


def test_a_body_and_an_answer_of_8_mib_pass_at_once(site: Site, kind: str) -> None:
    site.script(
        "echo.py",
        "import sys\nprint('Content-Type: x/y\\n', flush=True)\n"
        "while data := sys.stdin.buffer.read1(1 << 16):\n"
        "    sys.stdout.buffer.write(data); sys.stdout.buffer.flush()\n"
        "    sys.stderr.buffer.write(data); sys.stderr.buffer.flush()\n",
    )
    assert site.accelerate("--front", kind, "echo.py").returncode == 0
    site.warm("echo.cgi")
    data = os.urandom(8 << 20)
    done = site.warm_request("echo.cgi", {"REQUEST_METHOD": "POST"}, data)
    assert done.stdout.partition(b"\n\n")[2] == data
    assert done.stderr == data
    assert done.returncode == 0


# --- once, and only once ----------------------------------------------------------------------


def test_a_stopped_daemon_costs_a_wait_and_no_second_run(site: Site, kind: str) -> None:
    site.script("count.py", counted(site))
    assert site.accelerate("--front", kind, "count.py").returncode == 0
    pid = site.warm("count.cgi")
    before = runs(site)
    os.kill(pid, signal.SIGSTOP)
    try:
        done = site.request("count.cgi", {"REQUEST_METHOD": "POST"}, b"x" * 1_000)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert done.stdout.endswith(b"done\n")
    assert site.direct().endswith("l")
    assert site.request("count.cgi").stdout.endswith(b"done\n")  # it has dealt with the former now
    assert runs(site) == before + 2


def test_a_killed_daemon_is_replaced_and_no_request_lost(site: Site, kind: str) -> None:
    site.script("count.py", counted(site))
    assert site.accelerate("--front", kind, "count.py").returncode == 0
    pid = site.warm("count.cgi")
    os.kill(pid, signal.SIGKILL)
    assert until(lambda: not site.daemon())
    before = runs(site)
    assert site.request("count.cgi").stdout.endswith(b"done\n")
    assert runs(site) == before + 1
    assert site.warm("count.cgi") != pid


WAITING = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (os.write(1, b"ended\\n"), sys.exit(4)))
print("Content-Type: text/plain\\n", flush=True)
print(os.getpid(), flush=True)
while True: time.sleep(60)
"""


def started(site: Site, front: str) -> "tuple[subprocess.Popen[bytes], int]":
    """Start a request to WAITING; the front's process, and the script's process id."""
    process = site.start([site.folder / front])
    assert process.stdout is not None
    for _ in range(2):
        process.stdout.readline()
    return process, int(process.stdout.readline())


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


@pytest.fixture
def waiting(site: Site, kind: str) -> Site:
    """A site whose script waits for a signal."""
    site.script("wait.py", WAITING)
    assert site.accelerate("--front", kind, "wait.py").returncode == 0
    site.script("wait.py", "pass")
    site.warm("wait.cgi")
    site.script("wait.py", WAITING)
    return site


def test_a_front_passes_on_that_it_is_to_end(waiting: Site) -> None:
    process, pid = started(waiting, "wait.cgi")
    with process:
        process.terminate()
        out, _ = process.communicate(timeout=DEADLINE)
    assert (out, process.returncode) == (b"ended\n", 4)
    assert until(lambda: gone(pid))


def test_a_script_ends_with_its_front(waiting: Site) -> None:
    process, pid = started(waiting, "wait.cgi")
    with process:
        process.kill()
        process.communicate(timeout=DEADLINE)
    assert until(lambda: gone(pid))


def test_a_front_ends_as_its_killed_script(waiting: Site) -> None:
    process, pid = started(waiting, "wait.cgi")
    with process:
        os.kill(pid, signal.SIGKILL)
        process.communicate(timeout=DEADLINE)
    assert process.returncode == -signal.SIGKILL


def test_a_script_outlives_a_killed_daemon(waiting: Site) -> None:
    process, _pid = started(waiting, "wait.cgi")
    with process:
        os.kill(waiting.daemon(), signal.SIGKILL)
        assert until(lambda: not waiting.daemon())
        process.terminate()
        out, _ = process.communicate(timeout=DEADLINE)
    assert (out, process.returncode) == (b"ended\n", 4)


def test_a_stopped_daemon_holds_up_no_script(waiting: Site) -> None:
    process, _pid = started(waiting, "wait.cgi")
    daemon = waiting.daemon()
    with process:
        os.kill(daemon, signal.SIGSTOP)
        try:
            process.terminate()
            out, _ = process.communicate(timeout=DEADLINE)
        finally:
            os.kill(daemon, signal.SIGCONT)
    assert (out, process.returncode) == (b"ended\n", 4)


# --- never out of date ------------------------------------------------------------------------


def test_a_changed_script_is_seen_at_once(site: Site, kind: str) -> None:
    site.script("text.py", "print('Content-Type: x/y\\n\\n0')")
    assert site.accelerate("--front", kind, "text.py").returncode == 0
    site.warm("text.cgi")
    for number in range(10):
        site.script("text.py", f"print('Content-Type: x/y\\n\\n{number}')")
        assert site.warm_request("text.cgi").stdout.endswith(b"%d\n" % number)


def test_a_script_that_cannot_be_compiled_reports_it_itself(site: Site, kind: str) -> None:
    site.script("text.py", "pass")
    assert site.accelerate("--front", kind, "text.py").returncode == 0
    site.warm("text.cgi")
    site.script("text.py", "1 +")
    done = site.request("text.cgi")
    assert done.returncode == 1
    assert b"SyntaxError" in done.stderr


@pytest.mark.parametrize(
    "name", ["PYTHONPATH", "LD_LIBRARY_PATH", "LC_ALL", "HOME", "PYTHONSAFEPATH"]
)
def test_what_an_interpreter_reads_at_its_start_must_be_the_same(site: Site, name: str) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("seen.py").returncode == 0
    pid = site.warm("seen.cgi")
    assert body(site.warm_request("seen.cgi"))["parent"] == pid

    def is_refused() -> bool:
        assert body(site.request("seen.cgi", {name: "/nowhere"}))["parent"] == os.getpid()
        return site.direct().endswith("r")  # or it was late

    assert until(is_refused)
    assert until(lambda: name in site.log()), site.log()


def test_a_daemon_knows_nothing_of_the_request_that_started_it(site: Site, kind: str) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("--front", kind, "seen.py").returncode == 0
    variables = {"HTTP_COOKIE": "secret=1", "QUERY_STRING": "secret=2", "LANG": "C.UTF-8"}
    pid = site.warm("seen.cgi", variables)
    shown = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"secret" not in shown
    assert b"LANG=C.UTF-8" in shown
    assert os.getsid(pid) == pid
    assert body(site.warm_request("seen.cgi", variables))["parent"] == pid


# --- its life ---------------------------------------------------------------------------------


def test_a_daemon_ends_when_idle(site: Site) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("--idle", "10", "seen.py").returncode == 0
    settings = site.place / "settings"
    settings.write_text(settings.read_text().replace("idle 10", "idle 1"))
    pid = site.warm("seen.cgi")
    assert until(lambda: gone(pid))
    assert not (site.place / "s").exists()
    assert (site.place / "wait").stat().st_mtime > time.time()  # it was not of use


def test_a_daemon_ends_when_the_settings_change(site: Site) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("seen.py").returncode == 0
    pid = site.warm("seen.cgi")
    assert site.accelerate("--idle", "20", "seen.py").returncode == 0
    assert until(lambda: gone(pid))


def test_200_requests_at_once_from_nothing(site: Site, kind: str) -> None:
    site.script("count.py", counted(site))
    assert site.accelerate("--front", kind, "count.py").returncode == 0
    processes = [site.start([site.folder / "count.cgi"]) for _ in range(200)]
    answers = []
    for process in processes:
        with process:
            answers.append(process.communicate(timeout=DEADLINE)[0])
            assert process.returncode == 0
    assert answers == [b"Content-Type: text/plain\n\ndone\n"] * 200
    assert runs(site) == 200
