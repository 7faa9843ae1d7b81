"""The modules that Python removed, where they still are: in the standard library of 3.11 and 3.12,
and for later Pythons in `legacy-cgi`, which `make programs` puts where no `import cgi` of another
test finds it.
"""

import importlib
import sys
import warnings
from pathlib import Path
from types import ModuleType

from house import ROOT
from requirement import lack

#: Where `make programs` puts them: see tests/migration.
PROGRAMS = ROOT / ".programs"
LEGACY = PROGRAMS / "legacy-cgi"


def directory() -> Path | None:
    """The directory with the original `cgi.py`; None if that is the standard library's own."""
    if sys.version_info < (3, 13):
        return None
    if not (LEGACY / "cgi.py").exists():
        lack("legacy-cgi (make programs)")
    return LEGACY


def original(name: str = "cgi") -> ModuleType:
    """The original module, without the warning that it gives, and without leaving it in
    `sys.modules`.
    """
    found = directory()
    before = sys.modules.pop(name, None)
    if found is not None:
        sys.path.insert(0, str(found))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(name)
    finally:
        if found is not None:
            sys.path.remove(str(found))
        sys.modules.pop(name, None)
        if before is not None:
            sys.modules[name] = before


def source(name: str) -> str:
    """The source of an original module."""
    file = original(name).__file__
    assert file is not None
    return Path(file).read_text()
