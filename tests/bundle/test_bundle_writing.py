"""A bundle appears whole or not at all, and nothing of others is ever replaced."""

import os
import subprocess
from pathlib import Path

import pytest
from requirement import need

from cgikit.bundle.writing import LIST, Bundle, write

ODD = "9.41\u202fAM \u2028\x85.png"  # a screenshot of macOS, and what some take for ends of lines


@pytest.fixture
def bundle() -> Bundle:
    made = Bundle()
    made.files = {"hello.py": b"#!/bin/x\n", "cgikit_bundle/library.bin": b"\0", "a/b c.txt": b"x"}
    made.files[ODD] = b""
    made.scripts = {"hello.py"}
    return made


def everything(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_it_can_be_read_and_run_by_the_server(bundle: Bundle, tmp_path: Path) -> None:
    former = os.umask(0o077)
    try:
        write(bundle, str(tmp_path / "out"))
    finally:
        os.umask(former)
    modes = {
        str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o7777)
        for path in tmp_path.rglob("*")
    }
    assert {path for path, mode in modes.items() if mode == "0o644"} == {
        "out/a/b c.txt", f"out/{ODD}", "out/cgikit_bundle/library.bin", f"out/{LIST}",
    }  # fmt: skip
    assert {mode for path, mode in modes.items() if "." not in path} == {"0o755"}
    assert modes["out/hello.py"] == "0o755"
    assert os.listdir(tmp_path) == ["out"]


def test_the_list_tells_whether_an_upload_is_whole(bundle: Bundle, tmp_path: Path) -> None:
    write(bundle, str(tmp_path / "out"))
    check = [need("sha256sum"), "--check", "--strict", LIST]
    assert subprocess.run(check, cwd=tmp_path / "out").returncode == 0
    (tmp_path / "out" / "hello.py").write_bytes(b"#!/bin/x\r\n")
    assert subprocess.run(check, cwd=tmp_path / "out").returncode == 1


def test_a_bundle_is_replaced_on_request(bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(bundle, str(out))
    with pytest.raises(FileExistsError, match="--force"):
        write(bundle, str(out))
    bundle.files["hello.py"] = b"new"
    del bundle.files["a/b c.txt"]
    (out / "a" / "__pycache__").mkdir()
    write(bundle, str(out), force=True)
    assert set(everything(out)) == {"hello.py", "cgikit_bundle/library.bin", LIST, ODD}
    assert (out / "hello.py").read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda out: (out / "hello.py").write_text("mine"), "hello.py was changed since"),
        (
            lambda out: (out / "data").mkdir() or (out / "data" / "x").touch(),
            "data/ was not written",
        ),
        (lambda out: (out / LIST).unlink(), "no bundle"),
    ],
)
def test_what_others_have_put_there_stays(
    change, said: str, bundle: Bundle, tmp_path: Path
) -> None:
    """A guest book's data lay in the folder that was bundled into again."""
    out = tmp_path / "out"
    write(bundle, str(out))
    change(out)
    before = everything(out)
    with pytest.raises(FileExistsError, match=said):
        write(bundle, str(out), force=True)
    assert everything(out) == before
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_another_thing_of_that_name_stays(kind: str, bundle: Bundle, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if kind == "file":
        out.touch()
    elif kind == "folder":
        out.mkdir()
    else:
        out.symlink_to("elsewhere")
    with pytest.raises(FileExistsError):
        write(bundle, str(out), force=True)
    assert os.listdir(tmp_path) == ["out"]


def test_nothing_is_left_of_one_that_cannot_be_written(bundle: Bundle, tmp_path: Path) -> None:
    bundle.files["hello.py/below"] = b""  # below a file
    with pytest.raises(OSError, match="hello"):
        write(bundle, str(tmp_path / "out"))
    assert os.listdir(tmp_path) == []


def test_a_folder_that_others_made_stays_even_if_nobody_can_look_into_it(
    bundle: Bundle, tmp_path: Path
) -> None:
    write(bundle, str(tmp_path / "out"))
    kept = tmp_path / "out" / "data"
    kept.mkdir(mode=0)
    with pytest.raises(FileExistsError, match="data/ was not written by cgikit bundle"):
        write(bundle, str(tmp_path / "out"), force=True)
    assert kept.is_dir()
