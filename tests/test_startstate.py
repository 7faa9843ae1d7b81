"""However a run is started, its tests start alike: shown by a run with the worst of starts."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "harness"

TEST = """
import os, resource, signal, time

import pytest
import startstate

def test_signals():
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_DFL
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()

def test_a_child_inherits_no_ignored_signal():
    ignored = [n for n in signal.valid_signals() if signal.getsignal(n) is signal.SIG_IGN]
    assert ignored == [signal.SIGPIPE, signal.SIGXFSZ]  # subprocess restores them

def test_modes_of_files_and_what_an_abort_leaves(tmp_path):
    assert os.umask(0o022) == 0o022
    assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0

def test_environment():
    assert os.environ["LC_ALL"] == "C.UTF-8"
    assert {"PATH", "HOME"} <= set(os.environ) and os.environ["CGIKIT_ANY"] == "kept"
    for name in os.environ:
        assert name in (*startstate.KEPT, "LC_ALL") or name.startswith(startstate.KEPT_PREFIXES)
    assert time.tzname[0] != "ELSEWHERE"
"""

#: What a shell, nohup, a service manager or an editor may leave behind; then pytest.
START = """
import os, resource, signal, sys
for number in (signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1):
    signal.signal(number, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})
os.umask(0o777)
os.close(0)
os.execv(sys.executable, [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *sys.argv[1:]])
"""
HOSTILE = {
    "CGIKIT_ANY": "kept",
    "COLUMNS": "20",
    "HTTP_PROXY": "http://192.0.2.1",
    "LC_ALL": "de_DE.ISO-8859-1",
    "PYTHONWARNINGS": "error",
    "REQUEST_METHOD": "GET",
    "TZ": "ELSEWHERE+7:30",
}


@pytest.mark.parametrize("options", [(), ("-p", "xdist.plugin", "-n", "2")])
def test_tests_start_alike(options: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(TEST)
    (tmp_path / "conftest.py").write_text("import startstate\nstartstate.begin()\n")
    base = tmp_path / "base"
    done = subprocess.run(
        [sys.executable, "-c", START, *options, "--basetemp", str(base), str(tmp_path)],
        env={
            **os.environ,
            **HOSTILE,
            "PYTHONPATH": str(HERE),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        },
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 passed" in done.stdout


def test_this_run_has_begun_alike() -> None:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert "LANG" not in os.environ
