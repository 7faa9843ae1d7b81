"""Which script a request is for: a file below the root, whatever the peer says."""

from pathlib import Path

import pytest

from cgikit.host.problem import Problem
from cgikit.warm.settings import Settings
from cgikit.warm.target import is_below, script_for


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with two scripts."""
    (tmp_path / "sub").mkdir()
    for name in ("a.py", "sub/b.py"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return tmp_path


def settings(root: Path, **more: str) -> Settings:
    return Settings(root=str(root), protocol="fastcgi", **more)


@pytest.mark.parametrize(
    ("name", "info", "file", "rest"),
    [
        ("/a.py", "", "a.py", ""),
        ("", "/a.py/more", "a.py", "/more"),
        ("/sub/b.py", "/x/y", "sub/b.py", "/x/y"),
        ("/a.py/x", "/y", "a.py", "/x/y"),
    ],
)
def test_a_script_is_found_below_the_root(
    root: Path, name: str, info: str, file: str, rest: str
) -> None:
    variables = {"SCRIPT_NAME": name, "PATH_INFO": info, "SCRIPT_FILENAME": "/bin/sh"}
    script = script_for(variables, settings(root), single=False)
    assert (script.file, script.path_info) == (str(root / file), rest)
    assert script.script_name == f"/{file}"


def test_a_prefix_is_taken_off_the_path_and_stays_in_the_name(root: Path) -> None:
    within = settings(root, prefix="/cgi-bin")
    script = script_for({"SCRIPT_NAME": "/cgi-bin/a.py"}, within, single=False)
    assert (script.file, script.script_name) == (str(root / "a.py"), "/cgi-bin/a.py")
    for path in ("/a.py", "/cgi-binary/a.py", "/cgi-bin"):
        with pytest.raises(Problem, match="which --prefix names") as error:
            script_for({"SCRIPT_NAME": path}, within, single=False)
        assert error.value.status == 404


def test_a_directory_is_no_script(root: Path) -> None:
    with pytest.raises(Problem, match="is a directory") as error:
        script_for({"SCRIPT_NAME": "/sub/"}, settings(root), single=False)
    assert error.value.status == 404


def test_a_single_script_answers_every_path(root: Path) -> None:
    only = settings(root / "a.py", mount="/app")
    for path, rest in (("/app/x", "/x"), ("/app", "")):
        script = script_for({"SCRIPT_NAME": path}, only, single=True)
        assert (script.file, script.script_name) == (str(root / "a.py"), "/app")
        assert script.path_info == rest


@pytest.mark.parametrize(
    ("location", "prefix", "ours"),
    [
        ("/b.py?x=/", "", True),
        ("/cgi-bin/b.py", "/cgi-bin", True),
        ("/cgi-binary/b.py", "/cgi-bin", False),
        ("/other?to=/cgi-bin/b.py", "/cgi-bin", False),
        ("//host/b.py", "", False),
        ("http://host/b.py", "", False),
    ],
)
def test_a_location_below_the_prefix_is_ours(location: str, prefix: str, ours: bool) -> None:
    assert is_below(location, prefix) is ours
