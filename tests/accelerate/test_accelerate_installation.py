"""`cgikit.accelerate.installation`: which scripts get a front, and what is written."""

import os

import pytest
from accelerating import USER, Site

OK = "print('Content-Type: x/y\\n\\nhello')"


def test_a_front_has_the_owner_and_the_mode_of_its_script(site: Site, kind: str) -> None:
    path = site.script("hello.py", OK)
    path.chmod(0o700)
    before = path.read_bytes()
    assert site.accelerate("--front", kind, "hello.py").returncode == 0
    front = (site.folder / "hello.cgi").stat()
    assert front.st_mode & 0o7777 == 0o700
    assert front.st_uid == (os.geteuid() if USER is None else USER)
    assert path.read_bytes() == before
    assert sorted(os.listdir(site.folder)) == ["hello.cgi", "hello.py"]


def test_all_scripts_of_a_directory(site: Site) -> None:
    site.script("b.py", OK)
    site.script("a.py", OK)
    site.script("module.py", "x = 1").chmod(0o644)
    done = site.accelerate(".")
    assert done.stdout.decode() == f"wrote {site.folder}/a.cgi\nwrote {site.folder}/b.cgi\n"
    settings = (site.place / "settings").read_text()
    assert f"script {site.folder}/a.py\nscript {site.folder}/b.py\n" in settings
    assert site.accelerate("a.py").returncode == 0  # again, and the other one stays
    assert f"script {site.folder}/b.py\n" in (site.place / "settings").read_text()


def test_a_script_of_a_directory_that_gets_no_front_is_named(site: Site) -> None:
    site.script("a.py", OK)
    site.script("module.py", "x = 1").chmod(0o644)
    site.give(site.script("other.py", OK))
    (site.folder / "other.py").write_text("#!/usr/bin/python3 -I\n")
    lines = site.accelerate(".").stdout.decode().splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(
        f"left out: {site.folder}/other.py cannot be accelerated: its first line"
    )
    assert lines[1] == f"wrote {site.folder}/a.cgi"


def test_a_directory_without_scripts_is_refused(site: Site) -> None:
    done = site.accelerate(".")
    assert done.returncode == 1
    assert b"has no script (*.py, executable) whose first line names" in done.stderr


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda path: path.unlink(), "does not exist; name a script"),
        (lambda path: path.chmod(0o644), "is not executable; make it so: chmod +x"),
        (lambda path: path.write_text("#!/bin/sh\n"), "it is not a Python script; write #!"),
        (lambda path: path.write_text("#!/usr/bin/python3 -I\n"), "gives Python the option -I"),
        (lambda path: path.with_suffix(".cgi").write_text("mine"), "is there, and is not a front"),
        (lambda path: path.rename(path.with_suffix(".x")) and path.symlink_to(path.with_suffix(".x")),
         "is not a regular file; name the script itself"),
    ],
)  # fmt: skip
def test_what_cannot_have_a_front_is_refused(site: Site, prepare: object, said: str) -> None:
    path = site.script("hello.py", OK)
    assert callable(prepare)
    prepare(path)
    if path.exists():
        site.give(path)
    before = sorted(os.listdir(site.folder))
    done = site.accelerate("hello.py")
    assert done.returncode == 1
    assert said in done.stderr.decode()
    assert sorted(os.listdir(site.folder)) == before
    assert not site.base.exists()


def test_a_front_gets_no_front(site: Site) -> None:
    site.script("hello.py", OK)
    assert site.accelerate("hello.py").returncode == 0
    done = site.accelerate("hello.cgi")
    assert done.returncode == 1
    assert b"is a front itself; name the script that it runs" in done.stderr


def test_one_refusal_writes_nothing(site: Site) -> None:
    site.script("hello.py", OK)
    done = site.accelerate("hello.py", "missing.py")
    assert done.returncode == 1
    assert os.listdir(site.folder) == ["hello.py"]
