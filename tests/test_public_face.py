"""The face, cgikit/__init__.py: every name leads somewhere, and costs nothing until it is used."""

import ast
import glob
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import cgikit
from cgikit import _MODULE_OF


def python(source: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, check=True, text=True
    )
    return done.stdout


@pytest.mark.parametrize("name", cgikit.__all__)
def test_a_name_leads_to_its_module(name: str) -> None:
    value = getattr(cgikit, name)
    assert value.__name__ == name
    assert value.__module__ == f"cgikit.{_MODULE_OF[name]}"
    assert getattr(cgikit, name) is value
    assert python(f"from cgikit import {name}; print({name}.__name__)") == name + "\n"


def test_star_brings_exactly_the_names() -> None:
    names: dict[str, object] = {}
    exec("from cgikit import *", names)
    assert set(names) - {"__builtins__"} == set(cgikit.__all__)


def test_dir_shows_all_names_before_they_are_used() -> None:
    assert python("import cgikit; print(set(cgikit.__all__) <= set(dir(cgikit)))") == "True\n"
    assert dir(cgikit) == sorted(dir(cgikit))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'cgikit' has no attribute 'FieldStorage'"):
        _ = cgikit.FieldStorage
    with pytest.raises(ImportError, match="FieldStorage"):
        exec("from cgikit import FieldStorage")
    assert not hasattr(cgikit, "_MODULE_OF_")


def test_a_module_can_be_imported_as_well_as_a_name() -> None:
    assert python(
        "from cgikit import response, Response; print(response.Response is Response)"
    ) == ("True\n")


def test_importing_the_package_imports_nothing_else() -> None:
    source = (
        "import sys; before = set(sys.modules); import cgikit; print(set(sys.modules) - before)"
    )
    assert python(source) == "{'cgikit'}\n"


def test_a_name_is_looked_up_once() -> None:
    source = "import cgikit; cgikit.escape; print('escape' in vars(cgikit))"
    assert python(source) == "True\n"


def test_the_version_is_the_packages() -> None:
    from importlib.metadata import version

    assert cgikit.__version__ == version("cgikit")


# --- other Pythons ------------------------------------------------------------------------------

FACE = Path(cgikit.__file__)
NEEDS = "ImportError: cgikit needs Python 3.11 or later, but this is Python "


def test_3_10_an_older_python_is_told_which_one_it_takes() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.version_info = (3, 10, 4); import cgikit.request"],
        capture_output=True,
        text=True,
    )
    assert done.stderr.splitlines()[-1].startswith(f"{NEEDS}3.10 ({sys.executable}); ")


def test_3_10_older_pythons_can_compile_the_face() -> None:
    """Nothing in it that Python 2.7 has no words for; what it would say of those is a SyntaxError."""
    source = FACE.read_bytes()
    assert source.isascii()
    new = (
        ast.JoinedStr,
        ast.AnnAssign,
        ast.NamedExpr,
        ast.Starred,
        ast.Await,
        ast.AsyncFunctionDef,
    )
    for node in ast.walk(ast.parse(source)):
        assert not isinstance(node, (*new, ast.Match, ast.Nonlocal)), ast.unparse(node)
        if isinstance(node, ast.FunctionDef):
            every = [*node.args.args, *node.args.posonlyargs, *node.args.kwonlyargs]
            assert not node.returns, node.name
            assert not any(argument.annotation for argument in every), node.name
            assert not node.args.posonlyargs, node.name
            assert not node.args.kwonlyargs, node.name
        if isinstance(node, ast.Raise):
            assert node.cause is None, ast.unparse(node)


def test_3_10_the_older_pythons_of_this_machine_say_so(tmp_path: Path) -> None:
    """Where there are none, the two tests before this one are what there is."""
    for python in older_pythons():
        done = subprocess.run(
            [python, "-c", "import cgikit"],
            cwd=tmp_path,
            env={"PYTHONPATH": str(FACE.parents[1]), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].startswith(NEEDS)


def older_pythons() -> list[Path]:
    """The interpreters older than 3.11 that are in PATH, or where pyenv keeps them."""
    names = ["python2.7", *[f"python3.{minor}" for minor in range(11)]]
    found = [Path(path) for name in names if (path := shutil.which(name))]
    for name in sorted(glob.glob(str(Path.home() / ".pyenv/versions/*/bin/python"))):
        version = Path(name).parents[1].name.split(".")[:2]
        if [int(part) if part.isdigit() else 99 for part in version] < [3, 11]:
            found.append(Path(name))
    return [python for python in found if "shims" not in python.parts]
