"""`cgikit.accelerate.likeness`: what must be as at the daemon's start, and what is taken over."""

import os
import resource
import subprocess
import sys

import pytest

from cgikit.accelerate import likeness

OWN = {b"PATH": b"/bin", b"LANG": b"C"}


@pytest.mark.parametrize(
    ("more", "found"),
    [
        ({}, ""),
        ({b"HTTP_COOKIE": b"a", b"LDAP": b"x", b"PATH_INFO": b"/", b"HOMEPAGE": b"x"}, ""),
        ({b"PATH": b"/usr/bin"}, "PATH"),
        ({b"HOME": b"/"}, "HOME"),
        ({b"LC_ALL": b"C"}, "LC_ALL"),
        ({b"LD_PRELOAD": b"x"}, "LD_PRELOAD"),
        ({b"PYTHONPATH": b"x"}, "PYTHONPATH"),
        ({b"TZ": b"x"}, "TZ"),
    ],
)
def test_what_is_read_at_the_start_must_be_the_same(more: dict[bytes, bytes], found: str) -> None:
    theirs = {**OWN, **more}
    assert likeness.difference(OWN, list(theirs), list(theirs.values())) == found


def test_a_variable_that_is_missing_differs_too() -> None:
    assert likeness.difference(OWN, [b"PATH"], [b"/bin"]) == "LANG"


def test_what_changes_the_way_python_starts_is_never_the_same() -> None:
    own = {**OWN, b"PYTHONSAFEPATH": b"1"}
    assert likeness.difference(own, list(own), list(own.values())) == "PYTHONSAFEPATH"


def test_what_the_interpreter_has_added_is_known() -> None:
    code = "from cgikit.accelerate.likeness import *; print(*of_this_process(), sep='|')"
    environment = {"PATH": "/bin", "LD_BIND_NOW": "1", "HTTP_X": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "{b'PATH': b'/bin'}|{b'LC_CTYPE': b'C.UTF-8'}\n"


def test_limits_and_niceness_are_taken_over() -> None:
    code = """
import os, resource, sys
from cgikit.accelerate.likeness import take_limits
take_limits(int(sys.argv[1]))
print(resource.getrlimit(resource.RLIMIT_NOFILE), os.getpriority(0, 0))
"""
    limits = (50, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    sleeper = subprocess.Popen(
        ["sleep", "600"],
        preexec_fn=lambda: (os.nice(4), resource.setrlimit(resource.RLIMIT_NOFILE, limits)),
    )
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, str(sleeper.pid)],
            capture_output=True,
            text=True,
            check=True,
        )
    finally:
        sleeper.kill()
        sleeper.wait()
    assert done.stdout == f"{limits} {os.getpriority(os.PRIO_PROCESS, 0) + 4}\n"


def test_a_process_that_is_gone_is_an_error() -> None:
    with subprocess.Popen(["true"]) as process:
        pass
    with pytest.raises(OSError, match="No such process"):
        likeness.take_limits(process.pid)
