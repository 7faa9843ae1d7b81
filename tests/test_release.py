"""`make release`, as far as it runs without an index: built the same twice, and the wheel is whole."""

import os
import tarfile
from pathlib import Path

import pytest
import release
from house import ROOT


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return release.build(tmp_path_factory.mktemp("built"))


def test_two_builds_are_the_same_to_the_byte(built: list[Path], tmp_path: Path) -> None:
    assert [file.suffix for file in built] == [".gz", ".whl"]
    release.compare(built, release.build(tmp_path))


def test_two_builds_that_differ_are_an_error(
    built: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with pytest.raises(release.Failed, match="two builds differ"):
        release.compare(built, release.build(tmp_path))


def test_the_wheel_has_the_command_the_manual_and_the_starters(
    built: list[Path], tmp_path: Path
) -> None:
    """Without an index, so without its dependencies: none of these needs one."""
    release.check_wheel(built[1], tmp_path, "--no-deps", "--no-index")


def test_the_sdist_has_what_the_two_commands_need(built: list[Path]) -> None:
    with tarfile.open(built[0]) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    needed = {
        "Makefile",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "CHANGELOG.md",
        "tests/conftest.py",
    }
    assert needed <= names
    scripts = {f"examples/cgi-bin/{each}" for each in os.listdir(ROOT / "examples" / "cgi-bin")}
    assert {each for each in scripts if each.endswith(".py")} <= names
    assert not [name for name in names if name.startswith((".venv", ".npm", "dist"))]


def test_a_command_that_fails_is_shown_with_its_errors() -> None:
    with pytest.raises(release.Failed, match=r"sh -c .* ended with status 3:\nwhy"):
        release.run(["sh", "-c", "echo why >&2; exit 3"])
