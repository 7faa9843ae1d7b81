"""The scripts of the gallery for tests: as a module of this process, or as a script beside its data."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

from reading import elements

from .style import SCRIPTS


def load(name: str) -> Any:
    """Return a fresh module of the script. Its data is below the current directory: change it first."""
    spec = importlib.util.spec_from_file_location(f"gallery_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def copied(name: str, directory: Path) -> Path:
    """Return a copy of the script in a directory, to be run by this interpreter."""
    path = directory / f"{name}.py"
    _, _, rest = (SCRIPTS / path.name).read_text().partition("\n")
    path.write_text(f"#!{sys.executable}\n{rest}")
    path.chmod(0o755)
    return path


def token(page: str) -> str:
    """Return the token of the form in a page, which its POST must bring along."""
    return str(next(e["value"] for e in elements(page, "input") if e["name"] == "csrf"))
