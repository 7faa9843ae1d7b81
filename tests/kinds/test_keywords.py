"""Keyword arguments that are not spelled out, and descriptors: what is asked for must be there.

`Settings(childern=3)` was taken, and did nothing. The kind: a function with `**values` takes any name,
so each one is listed here with what becomes of a name that nobody knows. And `Request.path_info`, of
the class, raised an AttributeError: a descriptor is asked for by its class too, so each one is tried.
"""

import ast
import importlib
import inspect
from pathlib import Path

import house
import pytest

import cgikit
from cgikit import FileStore, Limits, RedisStore, SQLiteStore
from cgikit.warm.settings import Settings

MODULES = house.read()

REFUSED = "an unknown name is a TypeError: tried below"
PASSED = "the function that they are passed on to refuses what it does not know"

ATTRIBUTES = (
    "they are attributes of HTML; the tests of `fields.controls` try names that are not valid"
)

INPUTS = ("checkbox", "file", "hidden", "password", "text", "textarea")
METHODS = ("delete", "get", "head", "options", "patch", "post", "put")

#: Every function that takes keyword arguments by `**`, and what becomes of an unknown name.
ANY_KEYWORD = {
    "cli.commandline.Parser.__init__": PASSED,
    "cli.commandline.Parser.add_subparsers": PASSED,
    **{f"fields.choices.{name}": ATTRIBUTES for name in ("checkboxes", "radios", "select")},
    **{f"fields.forms.{name}": ATTRIBUTES for name in ("button", "form")},
    **{f"fields.inputs.{name}": ATTRIBUTES for name in INPUTS},
    "warm.settings.Settings.__init__": REFUSED,
    "warm.preload.Recording._recorded": PASSED,
    "limits.Limits.__init__": REFUSED,
    "pushparser._later.forward": PASSED,
    "sessions.file.FileStore.__init__": REFUSED,
    "sessions.redis.RedisStore.__init__": REFUSED,
    "sessions.sqlite.SQLiteStore.__init__": REFUSED,
    "testing.client.Client.__init__": REFUSED,
    **{f"testing.client.Client.{method}": PASSED for method in METHODS},
    "compat.watched._counting.changed": PASSED,
    "testing.plugin.cgi_client.make": PASSED,
}

#: Every class with a `__get__` of its own.
DESCRIPTORS = {"environ.Variable", "pushparser._CachedProperty"}


def any_keyword(module: house.Module) -> set[str]:
    """The functions of a module that take any keyword argument."""
    return {
        f"{place}"
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        and node.args.kwarg is not None
    }


def descriptors(module: house.Module) -> set[str]:
    """The classes of a module that define `__get__`."""
    return {
        f"{module.name}.{node.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        and any(isinstance(n, ast.FunctionDef) and n.name == "__get__" for n in node.body)
    }


def test_every_function_that_takes_any_keyword_is_in_the_table() -> None:
    assert {place for module in MODULES for place in any_keyword(module)} == set(ANY_KEYWORD)


def test_such_a_function_is_found() -> None:
    assert any_keyword(house.Module("m", "def f(**values): ...")) == {"m.f"}
    assert any_keyword(house.Module("m", "def f(a=1, *, b=2): ...")) == set()


@pytest.mark.parametrize("make", [Limits, Settings], ids=["Limits", "Settings"])
def test_3_9_a_misspelt_name_is_a_type_error(make: type) -> None:
    given = {"root": "/", "protocol": "scgi"} if make is Settings else {}
    with pytest.raises(TypeError, match="named 'childern'"):
        make(**given, childern=3)


@pytest.mark.parametrize("store", [FileStore, SQLiteStore, RedisStore], ids=lambda s: s.__name__)
def test_3_9_a_misspelt_option_of_a_store_is_a_type_error(store: type, tmp_path: Path) -> None:
    place = "redis://127.0.0.1:1/0" if store is RedisStore else str(tmp_path / "store")
    with pytest.raises(TypeError, match="childern"):
        store(place, childern=3)
    assert list(tmp_path.iterdir()) == []


def test_every_descriptor_is_in_the_table() -> None:
    assert {name for module in MODULES for name in descriptors(module)} == DESCRIPTORS


def test_a_descriptor_is_found() -> None:
    source = "class D:\n def __get__(self, one, owner): ..."
    assert descriptors(house.Module("m", source)) == {"m.D"}


@pytest.mark.parametrize("name", cgikit.__all__)
def test_3_9_every_public_class_can_be_looked_through(name: str) -> None:
    value = getattr(cgikit, name)
    for attribute in dir(value):
        getattr(value, attribute)
    inspect.getmembers(value)


def test_3_9_a_descriptor_of_the_class_is_itself() -> None:
    module, _, name = sorted(DESCRIPTORS)[0].rpartition(".")
    found = getattr(importlib.import_module(f"cgikit.{module}"), name)
    assert isinstance(cgikit.Request.path_info, found)
