"""Which extension modules a process that serves several requests may have loaded."""

import json
import sys
from types import ModuleType

from cgikit.warm import extensions


def test_modules_of_python_are_no_extensions() -> None:
    assert not extensions.is_extension(json)
    assert not extensions.is_extension(sys)
    assert not extensions.is_extension(None)
    assert extensions.unknown([json, sys, None]) == ""


def test_an_extension_that_nobody_has_looked_at_is_named() -> None:
    class ExtensionFileLoader:
        pass

    module = ModuleType("strange")
    module.__loader__ = ExtensionFileLoader()  # type: ignore[assignment]
    assert extensions.is_extension(module)
    assert extensions.unknown([module]).startswith("strange is loaded")


def test_those_of_ctypes_are_not_known() -> None:
    assert not {"_ctypes", "_curses", "_tkinter", "readline"} & extensions.KNOWN
