"""Requests, streams, limits and clocks that are not as usual: a script runs as without a front."""

import os
import resource
import signal
import subprocess
import time

import pytest
from accelerating import USER, Site
from serving import until

PLAIN = "print('Content-Type: text/plain\\n\\nhello')"


def both(
    site: Site, kind: str, code: str, **options: object
) -> "list[subprocess.CompletedProcess[bytes]]":
    """Run a script without a front, and then with one whose daemon waits for it."""
    site.script("some.py", code)
    assert site.accelerate("--front", kind, "some.py").returncode == 0
    direct = site.run([site.folder / "some.py"], **options)  # type: ignore[arg-type]
    site.warm("some.cgi")
    return [direct, site.request("some.cgi", **options)]  # type: ignore[arg-type]


def same(done: "list[subprocess.CompletedProcess[bytes]]") -> bool:
    first, second = [(one.returncode, one.stdout, one.stderr) for one in done]
    return first == second


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_stream_that_is_closed_stays_closed(site: Site, kind: str, number: int) -> None:
    seen = site.directory / "seen"
    seen.touch()
    site.give(seen)
    code = (
        "import sys\nclosed = [s is None for s in (sys.stdin, sys.stdout, sys.stderr)]\n"
        f"open({str(seen)!r}, 'a').write(f'{{closed}}\\n')\n{PLAIN}"
    )
    done = both(site, kind, code, preexec_fn=lambda: os.close(number))
    assert same(done), done
    lines = seen.read_text().splitlines()
    assert lines[-1] == lines[0] == str([one == number for one in range(3)])


@pytest.mark.parametrize("most", [8, 10, 200])
def test_a_script_that_may_open_few_files_gets_none_of_the_daemon(
    site: Site, kind: str, most: int
) -> None:
    code = (
        "import os\nprint('Content-Type: x/y\\n')\n"
        "print([os.readlink(f'/proc/self/fd/{n}')[:7] for n in range(3, 30)"
        " if os.path.exists(f'/proc/self/fd/{n}')])"
    )
    done = both(
        site,
        kind,
        code,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, 1_024)),
    )
    assert same(done), done
    assert done[0].stdout.endswith(b"[]\n")


@pytest.mark.parametrize("name", ["body", "/dev/null"])
def test_standard_input_that_can_be_read_twice(site: Site, kind: str, name: str) -> None:
    file = site.directory / name
    if name == "body":
        file.write_bytes(b"first\nsecond\n")
    code = (
        "import sys\nprint('Content-Type: x/y\\n')\nprint(sys.stdin, sys.stdin.seekable())\n"
        "print(repr(sys.stdin.read()), sys.stdin.seek(0), repr(sys.stdin.readline()), sys.stdin.tell())"
    )
    site.script("some.py", code)
    assert site.accelerate("--front", kind, "some.py").returncode == 0
    with file.open("rb") as stream:
        direct = site.request("some.cgi", body=b"", stdin=stream)
    site.warm("some.cgi")
    with file.open("rb") as stream:
        before = site.direct()
        warm = site.request("some.cgi", body=b"", stdin=stream)
    assert same([direct, warm]), [direct, warm]
    assert b"True" in direct.stdout
    assert site.direct() in (before, before + "l")


def test_a_script_that_is_no_longer_executable_is_not_run(site: Site, kind: str) -> None:
    done = both(site, kind, PLAIN)
    assert same(done)
    (site.folder / "some.py").chmod(0o644)
    assert site.request("some.cgi").returncode == 127


@pytest.mark.skipif(USER is None, reason="only root can set groups")
def test_a_script_is_in_the_groups_of_its_front(site: Site, kind: str) -> None:
    code = "import os; print('Content-Type: x/y\\n\\n', os.getgroups())"
    done = both(site, kind, code, extra_groups=[4, 777])
    assert same(done), done
    assert b"[4, 777]" in done[0].stdout


def test_signals_that_the_server_ignores_and_blocks(site: Site, kind: str) -> None:
    code = (
        "print('Content-Type: x/y\\n')\n"
        "print([line for line in open('/proc/self/status') if line[:6] in ('SigIgn', 'SigBlk')])"
    )

    def unusual() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD, signal.SIGUSR2])

    site.script("some.py", code)
    assert site.accelerate("--front", kind, "some.py").returncode == 0
    direct = site.run([site.folder / "some.py"], preexec_fn=unusual)
    site.warm("some.cgi", preexec_fn=unusual)
    warm = site.warm_request("some.cgi", preexec_fn=unusual)
    assert same([direct, warm]), [direct, warm]


def test_a_clock_that_was_wrong_delays_no_daemon(site: Site, kind: str) -> None:
    site.script("some.py", PLAIN)
    assert site.accelerate("--front", kind, "some.py").returncode == 0
    for name in ("wait", "asked"):
        (site.place / name).touch()
        site.give(site.place / name)
        os.utime(site.place / name, (time.time() + 10_000_000,) * 2)
    for _ in range(2):
        site.request("some.cgi")
    assert until((site.place / "s").exists)


def test_a_log_that_cannot_be_written_stops_no_daemon(site: Site) -> None:
    site.script("some.py", PLAIN)
    assert site.accelerate("some.py").returncode == 0
    (site.place / "log").mkdir()
    pid = site.warm("some.cgi")
    # Each request is refused for another reason, and each reason is longer than most
    for number in range(150):
        site.request("some.cgi", {f"PYTHON{'X' * 1_000}{number}": "1"})
    before = site.direct()
    assert site.warm_request("some.cgi").stdout.endswith(b"hello\n")
    assert site.daemon() == pid
    assert "r" in before


def test_a_daemon_that_takes_no_more_requests_does_not_keep_the_next_from_starting(
    site: Site,
) -> None:
    site.script("some.py", PLAIN)
    assert site.accelerate("some.py").returncode == 0
    site.warm("some.cgi")
    site.script("some.py", "import sys\nprint('started', flush=True)\nsys.stdin.read()")
    first = _slow(site)
    pid = site.daemon()
    with first:
        os.kill(pid, signal.SIGTERM)
        assert until(lambda: not (site.place / "s").exists())
        site.script("some.py", PLAIN)
        assert site.warm("some.cgi") != pid
        first.communicate(b"")
    assert first.returncode == 0


def _slow(site: Site) -> "subprocess.Popen[bytes]":
    """Start a request that runs warm and waits for its input."""
    for _ in range(100):
        before = site.direct()
        process = site.start([site.folder / "some.cgi"])
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        if site.direct() == before:
            return process
        with process:
            process.communicate(b"")
    raise AssertionError("it was late a hundred times")


def test_a_daemon_that_is_busy_sees_that_the_settings_have_changed(site: Site) -> None:
    site.script("some.py", PLAIN)
    assert site.accelerate("some.py").returncode == 0
    site.warm("some.cgi")
    site.script("some.py", "import sys\nprint('started', flush=True)\nsys.stdin.read()")
    with _slow(site) as first:
        assert site.accelerate("--idle", "20", "some.py").returncode == 0
        assert until(lambda: not (site.place / "s").exists())
        first.communicate(b"")
