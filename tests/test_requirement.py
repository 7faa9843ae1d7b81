"""The skip rules are rules of their own: each is shown at work in a pytest run of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "harness"

NEEDS_NOTHING_THERE = """
from requirement import need
def test_it():
    need("no-such-program")
"""
SKIPS_BY_ITSELF = """
import pytest
def test_it():
    pytest.skip("not today")
"""
SKIPS_THE_MODULE = """
import pytest
pytest.importorskip("no_such_module")
def test_it(): pass
"""
PASSES = """
from requirement import need
def test_it():
    assert need("sh").endswith("/sh")
"""

#: Plugins that are merely installed take longer to load than the test takes to run.
QUICK = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


#: In one process, and in several as `make test` does.
WAYS = [(), ("-p", "xdist.plugin", "-n", "2")]


def pytest_run(source: str, directory: Path, *options: str, **environment: str) -> tuple[int, str]:
    """Run `source` as a test module in a process of its own; return exit code and output."""
    (directory / "test_it.py").write_text(source)
    (directory / "test_beside.py").write_text("def test_that_passes(): pass")
    (directory / "pytest.ini").write_text("[pytest]\naddopts = -ra -p requirement\n")
    clean = {k: v for k, v in os.environ.items() if k != "CGIKIT_REQUIRE"}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(directory)],
        env={**clean, "PYTHONPATH": str(HERE), **QUICK, **environment},
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_missing_program_is_skipped_by_name(tmp_path: Path) -> None:
    code, output = pytest_run(NEEDS_NOTHING_THERE, tmp_path)
    assert code == 0, output
    assert "needs no-such-program (apt-get install no-such-program)" in output


@pytest.mark.parametrize("options", WAYS)
@pytest.mark.parametrize("source", [NEEDS_NOTHING_THERE, SKIPS_BY_ITSELF, SKIPS_THE_MODULE])
def test_require_all_allows_no_skip(source: str, options: tuple[str, ...], tmp_path: Path) -> None:
    code, output = pytest_run(source, tmp_path, *options, CGIKIT_REQUIRE="all")
    assert code == 1, output


@pytest.mark.parametrize("options", WAYS)
def test_require_all_passes_what_is_there(options: tuple[str, ...], tmp_path: Path) -> None:
    code, output = pytest_run(PASSES, tmp_path, *options, CGIKIT_REQUIRE="all")
    assert code == 0, output
