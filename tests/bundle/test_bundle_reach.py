"""What a script uses is read from its source; what cannot be carried is found before it is uploaded."""

import ast
import sysconfig
from pathlib import Path

import pytest

from cgikit.bundle.reach import Reached, imports

SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


def reached(directory: Path, source: str) -> Reached:
    """What a script in a directory reaches."""
    found = Reached(str(directory))
    found.add(str(directory / "script.py"), source.encode())
    return found


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with installed packages, on the path."""
    site = tmp_path / "site"
    (site / "shelf").mkdir(parents=True)
    (site / "shelf" / "__init__.py").write_text("from . import book\n")
    (site / "shelf" / "book.py").write_text("import lamp\n")
    (site / "shelf" / f"fast{SUFFIX}").touch()
    (site / "lamp.py").write_text("")
    (site / f"stone{SUFFIX}").touch()
    monkeypatch.syspath_prepend(str(site))
    return site


def test_modules_beside_a_script_and_packages_are_followed(site: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "__init__.py").write_text("from .inner import x\nfrom . import y\n")
    (tmp_path / "own" / "inner.py").write_text("import shelf\nx = 'templates/page.html'\n")
    (tmp_path / "json.py").write_text("")  # hides the standard library's
    found = reached(tmp_path, "import own, os\nfrom json import loads\nrun(limits=Limits())\n")
    assert set(found.own) == {"own", "own.inner", "json"}
    assert found.packages == {"shelf": str(site / "shelf"), "lamp": str(site / "lamp.py")}
    assert {"run", "limits", "Limits"} <= found.names
    assert "templates/page.html" in found.texts
    assert found.problems == found.without == []


def test_an_extension_is_refused_by_name(site: Path, tmp_path: Path) -> None:
    found = reached(tmp_path, "\nimport stone\nimport shelf.fast\n")
    assert [one.split(":")[:2] for one in found.problems] == [
        ["script.py", "2"],
        ["script.py", "3"],
    ]
    assert "stone is a compiled extension" in found.problems[0]
    assert "shelf.fast is a compiled extension" in found.problems[1]


@pytest.mark.parametrize(
    "caught", ["ImportError", "(ValueError, ModuleNotFoundError)", "Exception", ""]
)
def test_what_a_script_can_do_without_is_no_problem(
    site: Path, tmp_path: Path, caught: str
) -> None:
    found = reached(tmp_path, f"try:\n import stone, nowhere\nexcept {caught}:\n stone = None\n")
    assert found.problems == []
    assert [one.partition(":")[0] for one in found.without] == ["stone", "nowhere"]


def test_what_is_nowhere_is_a_problem(tmp_path: Path) -> None:
    assert reached(tmp_path, "import nowhere.at_all\n").problems == [
        "script.py:1: nowhere is not found"
    ]
    other = "try:\n import nowhere\nexcept KeyError:\n pass\n"
    assert len(reached(tmp_path, other).problems) == 1


def test_a_module_that_no_source_names_can_be_included(site: Path, tmp_path: Path) -> None:
    found = reached(tmp_path, "")
    found.include("lamp")
    found.include("nowhere")
    assert list(found.packages) == ["lamp"]
    assert found.problems == ["--include: nowhere is not found"]


def test_imports_are_found_wherever_they_are() -> None:
    source = (
        "import a.b\ndef f():\n  from c import d\nif TYPE_CHECKING:\n  import e\nelse:\n  import g\n"
        "from . import h\nimportlib.import_module('i')\n__import__('j')\n__import__(name)\n"
    )
    found = {name for name, _, _ in imports(ast.parse(source), "pack")}
    assert found == {"a.b", "c", "c.d", "g", "pack", "pack.h", "i", "j"}
