"""The face, cgikit/__init__.py: every name leads somewhere, and costs nothing until it is used."""

import subprocess
import sys

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
