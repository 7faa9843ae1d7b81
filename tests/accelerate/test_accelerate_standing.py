"""`cgikit.accelerate.standing`: `--status`, `--stop` and `--undo`."""

import os
from pathlib import Path

from accelerating import Site
from serving import until

OK = "print('Content-Type: x/y\\n\\nhello')"


def said(site: Site, *words: str) -> str:
    done = site.accelerate(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def test_status_counts_what_ran_warm_and_directly(site: Site) -> None:
    site.script("hello.py", OK)
    said(site, "hello.py")
    first = said(site, "--status", "hello.py")
    assert "daemon: not running; it is started when two requests come" in first
    assert "No request has come here" in first
    pid = site.warm("hello.cgi")
    for _ in range(3):
        assert site.warm_request("hello.cgi").returncode == 0
    text = said(site, "--status", "hello.py")
    assert f"daemon: process {pid}\n" in text
    assert "\n  1: no daemon was running\n" in text
    assert until(lambda: "\nwarm: 3\n" in said(site, "--status", "hello.py"))


def test_stop_ends_the_daemon(site: Site) -> None:
    site.script("hello.py", OK)
    said(site, "hello.py")
    assert said(site, "--stop", "hello.py") == "no process was running\n"
    pid = site.warm("hello.cgi")
    assert said(site, "--stop", "hello.py") == "stopped\n"
    assert until(lambda: not Path(f"/proc/{pid}").exists())
    assert not site.daemon()
    assert site.request("hello.cgi").stdout.endswith(b"hello\n")


def test_undo_removes_the_front_and_with_the_last_one_the_rest(site: Site) -> None:
    site.script("a.py", OK)
    site.script("b.py", OK)
    said(site, "a.py", "b.py")
    pid = site.warm("a.cgi")
    place = site.place
    assert said(site, "--undo", "a.py") == f"removed {site.folder}/a.cgi\n"
    assert sorted(os.listdir(site.folder)) == ["a.py", "b.cgi", "b.py"]
    assert said(site, "--undo", "b.py") == f"removed {site.folder}/b.cgi\nremoved {place}\n"
    assert sorted(os.listdir(site.folder)) == ["a.py", "b.py"]
    assert os.listdir(site.base) == []
    assert until(lambda: not Path(f"/proc/{pid}").exists())


def test_a_folder_stands_for_the_scripts_that_have_fronts_in_it(site: Site) -> None:
    for name in ("a.py", "b.py", "c.py"):
        site.script(name, OK)
    said(site, "a.py", "b.py")
    site.warm("a.cgi")
    text = said(site, "--status", str(site.folder))
    assert text.startswith(f"{site.folder}/a.py:\n{site.folder}/b.py:\ndaemon: process ")
    assert text.count("warm: ") == 1
    assert said(site, "--stop", str(site.folder)) == "stopped\n"
    (site.folder / "a.py").write_text("#!/bin/sh\n")  # it could not have a front now
    (site.folder / "b.py").unlink()
    place = site.place
    removed = [f"{site.folder}/a.cgi", f"{site.folder}/b.cgi", str(place)]
    assert said(site, "--undo", str(site.folder)).splitlines() == [f"removed {p}" for p in removed]
    done = site.accelerate("--undo", str(site.folder))
    assert done.returncode == 1
    assert f"no script in {site.folder} has a front".encode() in done.stderr


def test_a_look_at_a_daemon_is_not_in_its_log(site: Site) -> None:
    site.script("hello.py", OK)
    said(site, "hello.py")
    site.warm("hello.cgi")
    for _ in range(3):
        said(site, "--status", "hello.py")
    assert site.warm_request("hello.cgi").returncode == 0
    _, _, log = said(site, "--status", "hello.py").partition(" ends with:\n")
    assert [line for line in log.splitlines() if "comes from user" not in line] == []


def test_a_script_without_a_front_is_told(site: Site) -> None:
    site.script("hello.py", OK)
    for option in ("--status", "--stop", "--undo"):
        done = site.accelerate(option, "hello.py")
        assert done.returncode == 1
        assert b"has no front that this command has made" in done.stderr


def test_what_is_not_ours_stays(site: Site) -> None:
    site.script("hello.py", OK)
    said(site, "hello.py")
    (site.folder / "hello.cgi").write_text("changed by somebody")
    (site.place / "mine").write_text("data")
    place = site.place
    assert said(site, "--undo", "hello.py") == ""
    assert (site.folder / "hello.cgi").read_text() == "changed by somebody"
    assert os.listdir(place) == ["mine"]
