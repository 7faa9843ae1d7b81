"""What a program needs is found in the sources, and written so that it runs without anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

from cgikit import bundling

MODULES = {
    "shelf/__init__.py": "",
    "shelf/book.py": "import json\nfrom . import page\nfrom .cover import colour\n",
    "shelf/page.py": "def lazy():\n    from shelf.ink import black\n    import lamp.bulb\n"
    "    return 'shelf.shade' in sys.modules\n",
    "shelf/cover.py": "colour = 'red'\nLATER = {'x': 'shelf.later', 'y': 'shelf.nowhere'}\n",
    "shelf/ink.py": "if TYPE_CHECKING:\n    from .author import Author\nelse:\n    import this\n",
    "shelf/later.py": "from .deep.deeper import x\n",
    "shelf/author.py": "",
    "shelf/dust.py": "",
    "shelf/shade.py": "",
    "shelf/deep/__init__.py": "",
    "shelf/deep/deeper.py": "from .. import book\nfrom ... import nothing\nx = 1\n",
    "lamp.py": "",
}


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with packages, on the path."""
    for name, source in MODULES.items():
        (tmp_path / "lib" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "lib" / name).write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    return tmp_path


def test_what_is_imported_is_needed_and_what_is_not_is_left_out(shelf: Path) -> None:
    found = bundling.needed(["shelf.book"], {"shelf"})
    assert set(found.modules) == {
        "shelf", "shelf.book", "shelf.cover", "shelf.deep", "shelf.deep.deeper", "shelf.ink",
        "shelf.later", "shelf.page",
    }  # fmt: skip
    assert found.others == ["lamp"]
    assert found.modules["shelf.book"] == str(shelf / "lib" / "shelf" / "book.py")


def test_a_name_that_is_not_there_is_an_error(shelf: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"shelf\.nothing"):
        bundling.needed(["shelf.nothing"], {"shelf"})


def test_the_folder_runs_by_itself(tmp_path: Path) -> None:
    modules = bundling.needed(["cgikit.script"], {"cgikit", "multipart"}).modules
    bundling.write(str(tmp_path / "carried"), modules)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from cgikit import Request, run\nimport cgikit, multipart\n"
        "run(lambda request: cgikit.__file__ + ' ' + multipart.__file__)\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(tmp_path / "carried")],
        capture_output=True,
        text=True,
        check=True,
        env={"REQUEST_METHOD": "GET"},
    )
    assert done.stdout.count(str(tmp_path / "carried")) == 2
    assert done.stderr == ""


def test_a_name_of_a_module_is_not_looked_for_beside_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with the name of a function that cgikit imports ended it with a `KeyError`."""
    (tmp_path / "escape").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "cgikit.html" in bundling.needed(["cgikit.debug"], {"cgikit"}).modules


def test_the_folder_has_licences_and_is_compiled(tmp_path: Path) -> None:
    modules = bundling.needed(["cgikit.multipart"], {"cgikit", "multipart"}).modules
    bundling.write(str(tmp_path / "carried"), modules)
    names = {path.name for path in (tmp_path / "carried").iterdir()}
    assert any(name.startswith("multipart-") for name in names)
    sources = list((tmp_path / "carried").rglob("*.py"))
    assert len(sources) == len(modules)
    assert len(list((tmp_path / "carried").rglob("*.pyc"))) == len(modules)
    assert [path.name for path in tmp_path.iterdir()] == ["carried"]


def test_it_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text("def:\n")
    with pytest.raises(Exception, match="invalid syntax"):
        bundling.write(str(tmp_path / "carried"), {"bad": str(tmp_path / "bad.py")})
    assert [path.name for path in tmp_path.iterdir()] == ["bad.py"]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "carried").mkdir()
    with pytest.raises(FileExistsError):
        bundling.write(str(tmp_path / "carried"), {})
