"""What every test starts from, however pytest was started: in the background, by cron, from an editor.

A shell ignores SIGINT for what it starts with `&`, nohup ignores SIGHUP, an editor brings a locale,
a service manager closes standard input. Processes inherit all of it, so that without this a test would
tell of its surroundings.
"""

import os
import resource
import signal
import time

#: What a run is told by its environment; all else goes.
KEPT = ("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "PYTHONPATH")
KEPT_PREFIXES = ("CGIKIT_", "PYTEST_", "PIP_", "PYENV_")


def begin() -> None:
    """Make this process what it would be if a login shell had started it in front of a terminal."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:  # or the first file that a test opens would be a standard stream
            os.open(os.devnull, os.O_RDWR)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    for number in signal.valid_signals():
        if signal.getsignal(number) is signal.SIG_IGN and number not in (
            signal.SIGPIPE,
            signal.SIGXFSZ,
        ):
            signal.signal(number, signal.SIG_DFL)  # Python itself ignores these two
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.umask(0o022)
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (0, hard))  # some tests abort a process on purpose
    for name in list(os.environ):
        if name not in KEPT and not name.startswith(KEPT_PREFIXES):
            del os.environ[name]
    os.environ["LC_ALL"] = "C.UTF-8"
    time.tzset()
