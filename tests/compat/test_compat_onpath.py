"""What `--compat` puts on the path of scripts: it stands aside for others, and says what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hiding import HIDE

import cgikit

OTHER = "who = 'another'\nclass FieldStorage: pass\n"
ONPATH = Path(cgikit.__file__).parent / "compat" / "onpath"


def run(
    code: str, place: Path = ONPATH, *, hide: bool = True, isolated: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run code with the directory on PYTHONPATH; without site-packages if `isolated`."""
    return subprocess.run(
        [sys.executable, *["-S"] * isolated, "-W", "ignore", "-c", HIDE * hide + code],
        env={"PYTHONPATH": str(place), "PATH": os.defpath},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize("name", ["cgi", "cgitb"])
def test_where_there_is_none_it_is_ours(name: str) -> None:
    done = run(
        f"import {name}; print({name}.__name__, sys.modules['{name}'] is {name}, len(sys.path))"
    )
    assert done.stdout.startswith(f"cgikit.compat.{name} True"), done.stderr


def test_both_files_are_the_same() -> None:
    assert (ONPATH / "cgi.py").read_bytes() == (ONPATH / "cgitb.py").read_bytes()


def test_an_interpreter_that_has_one_gets_its_own(tmp_path: Path) -> None:
    (tmp_path / "cgi.py").write_text(OTHER)
    code = f"sys.path.append({str(tmp_path)!r}); before = list(sys.path)\n"
    done = run(code + "import cgi; print(cgi.who, sys.path == before)")
    assert done.stdout == "another True\n", done.stderr


@pytest.mark.parametrize("name", ["cgi", "cgitb"])
def test_a_directory_of_that_name_is_no_module(tmp_path: Path, name: str) -> None:
    """A folder cgi/ with scripts, beside the script: it had no FieldStorage."""
    (tmp_path / name).mkdir()
    code = f"sys.path.insert(0, {str(tmp_path)!r}); before = list(sys.path)\n"
    done = run(code + f"import {name}; print({name}.__name__, sys.path == before)")
    assert done.stdout == f"cgikit.compat.{name} True\n", done.stderr


def test_the_module_as_it_was_is_taken() -> None:
    """The standard library's own, and legacy-cgi's on Python 3.13."""
    assert run("import cgi; print(cgi.__name__)", hide=False).stdout == "cgi\n"


def test_an_interpreter_without_cgikit_is_told(tmp_path: Path) -> None:
    shutil.copytree(ONPATH, tmp_path / "onpath")
    done = run("import cgi", tmp_path / "onpath", isolated=True)
    assert done.returncode == 1
    assert f"{sys.executable} has no cgikit whose module could stand in" in done.stderr
    assert f"run {sys.executable} -m pip install cgikit" in done.stderr


def test_what_fails_inside_is_not_called_missing(tmp_path: Path) -> None:
    (tmp_path / "cgikit" / "compat").mkdir(parents=True)
    (tmp_path / "cgikit" / "__init__.py").write_text("")
    (tmp_path / "cgikit" / "compat" / "__init__.py").write_text("")
    (tmp_path / "cgikit" / "compat" / "cgi.py").write_text("import nothing_of_this_name\n")
    shutil.copytree(ONPATH, tmp_path / "onpath")
    done = run(
        f"sys.path.append({str(tmp_path)!r}); import cgi", tmp_path / "onpath", isolated=True
    )
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    )
