"""Old programs that import `cgi`: their own tests, with ours in its place.

`make programs` fetches them, in the versions of sources.txt and requirements.txt. Each is run by a
Python of its own, in which a `cgi.py` of three lines stands in front of the standard library's or
of legacy-cgi's.
"""

import os
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from house import ROOT
from requirement import lack

PROGRAMS = ROOT / ".programs"
PYTHON = PROGRAMS / "venv" / "bin" / "python"
STAND_IN = "import sys\nfrom cgikit.compat import {0}\nsys.modules[__name__] = {0}\n"


class Program(NamedTuple):
    """Where its tests are run, which they are, and how many pass at least."""

    directory: str
    tests: str
    passed: int
    runner: str = "pytest -p no:cacheprovider -q"


#: The numbers are pinned: `cgikit.compat` reaches them on Python 3.11.
ALL = {
    "WebOb": Program(
        "webob-1.8.11",
        "tests/test_request.py tests/test_multidict.py tests/test_compat.py"
        " tests/test_in_wsgiref.py",
        514,
    ),
    "Roundup": Program("roundup-2.6.0", "test/test_actions.py test/test_cgi.py", 154),
    # `test_suite` is for another runner.
    "zope.publisher": Program(
        ".",
        "--pyargs zope.publisher.tests.test_browserrequest zope.publisher.tests.test_http"
        " --deselect ::test_suite -k not\ttest_suite",
        215,
    ),
    "bottle": Program(
        "bottle-0.12.25",
        "test/test_environ.py test/test_fileupload.py test/test_formsdict.py test/test_mdict.py"
        " test/test_wsgi.py",
        120,
    ),
    "WebTest": Program("webtest-3.0.7", "tests/test_forms.py", 53),
    "Trac": Program("Trac-1.6", "trac.web.tests.api", 57, "unittest"),
}


@pytest.mark.parametrize("name", ALL)
def test_an_old_program_passes_its_own_tests(name: str, tmp_path: Path) -> None:
    program = ALL[name]
    directory = PROGRAMS / program.directory
    if not (PROGRAMS / ".made").exists():
        lack(f"{name} (make programs)")
    for module in ("cgi", "cgitb"):
        (tmp_path / f"{module}.py").write_text(STAND_IN.format(module))
    # Alone: beside it are packages called tests and docs.
    (tmp_path / "cgikit").symlink_to(ROOT / "cgikit")
    words = [*program.runner.split(), *program.tests.split(" ")]
    words = [word.replace("\t", " ") for word in words]
    paths = [str(tmp_path), str(directory)] if program.directory != "." else [str(tmp_path)]
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": ":".join(paths),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    done = subprocess.run(
        [PYTHON, "-m", *words], cwd=directory, env=environ, capture_output=True, text=True
    )
    written = done.stdout + done.stderr
    assert done.returncode == 0, written[-5_000:]
    passed = re.search(r"^(?:Ran (\d+) tests|.*?(\d+) passed)", written, re.MULTILINE)
    assert passed is not None, written[-5_000:]
    assert int(passed[1] or passed[2]) >= program.passed


def test_it_is_ours_that_the_programs_find(tmp_path: Path) -> None:
    if not PYTHON.exists():
        lack("a Python for old programs (make programs)")
    (tmp_path / "cgi.py").write_text(STAND_IN.format("cgi"))
    (tmp_path / "cgikit").symlink_to(ROOT / "cgikit")
    source = "import webob.compat; print(webob.compat.cgi_FieldStorage.__mro__[1].__module__)"
    done = subprocess.run(
        [PYTHON, "-c", source],
        env={"PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "cgikit.compat.cgi\n"
