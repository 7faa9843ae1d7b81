"""The front of a bundle, run as a web server does; `test_accelerate_carried.py` has the whole."""

import os
import subprocess
from pathlib import Path

import pytest
from accelerating import USER
from requirement import need
from servers.fixtures import fresh, readable_by_all

from cgikit.accelerate import carriedfront, machine, perlfront


def front(directory: Path, text: bytes, name: str = "it.cgi") -> Path:
    need("perl")
    script = directory / name.replace(".cgi", ".py")
    script.write_text("#!/bin/sh\necho direct $*\n")
    path = directory / name
    path.write_bytes(text)
    for each in (script, path):
        each.chmod(0o755)
    return path


def text(folder: str = "../own", depth: int = 0, python: str = "/usr/bin/python3") -> bytes:
    return carriedfront.text("it.py", folder, depth, python, "0123456789ab")


def test_it_has_the_rest_of_the_front_that_accelerate_makes() -> None:
    whole = text()
    assert whole.startswith(b"#!/usr/bin/perl\n")
    assert (
        whole.count(b"sub hand_over") == whole.count(b"my $why = find() ? hand_over() : 'd';") == 1
    )
    assert b"@USER@" not in whole
    assert b"@BASE@" not in whole
    assert perlfront.TEMPLATE.partition(b"sub hand_over")[2].partition(b"my $why")[0] in whole


@pytest.mark.parametrize("way", ["absolute", "relative", "elsewhere"])
def test_it_runs_the_script_beside_it(tmp_path: Path, way: str) -> None:
    path = front(tmp_path, text())
    named = {"absolute": str(path), "relative": "./it.cgi", "elsewhere": str(path)}[way]
    where = "/" if way == "elsewhere" else tmp_path
    done = subprocess.run([named, "a", "b"], cwd=where, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("direct a b\n", "", 0)


def test_perl_has_nothing_to_warn_of(tmp_path: Path) -> None:
    path = front(tmp_path, text(python="/opt/it's/python3"))
    done = subprocess.run(["perl", "-wc", path], capture_output=True, text=True)
    assert done.stderr == f"{path} syntax OK\n"


def test_on_an_unknown_machine_it_runs_the_script(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "own").mkdir(mode=0o700)
    whole = text()
    for name in machine.KNOWN:
        whole = whole.replace(f"'{name}'".encode(), b"'z80'")
    path = front(tmp_path / "site", whole)
    done = subprocess.run([path], cwd=tmp_path / "site", capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("direct\n", "")
    assert os.listdir(tmp_path / "own") == []


@pytest.mark.parametrize(("inner", "folder", "depth"), [("", "../own", 0), ("a/b", "../own", 2)])
def test_the_folder_is_found_from_the_top_of_the_bundle(
    readable_directory: Path, inner: str, folder: str, depth: int
) -> None:
    with readable_by_all():
        top = fresh(readable_directory, "front")
        directory = top / "site" / inner
        directory.mkdir(parents=True)
        path = front(directory, text(folder, depth))
    (top / "own").mkdir(mode=0o700)
    who = {} if USER is None else {"user": USER, "group": USER, "extra_groups": []}
    if USER is not None:  # root has no daemon
        os.chown(top / "own", USER, USER)
    done = subprocess.run([path], cwd=directory, capture_output=True, text=True, **who)  # type: ignore[call-overload]
    assert (done.stdout, done.stderr) == ("direct\n", "")
    (place,) = (top / "own").iterdir()
    user = os.geteuid() if USER is None else USER
    number = (top / "site").stat().st_ino
    assert place.name == f"{os.uname().nodename}-{user}-0123456789ab-{number}"
