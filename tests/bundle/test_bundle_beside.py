"""What visitors have left and what is secret stays; the rest goes along."""

import os
from pathlib import Path

import pytest

from cgikit.bundle import beside
from cgikit.checking import exposed


@pytest.mark.parametrize(
    "path",
    [
        "data", "data/x.json", "pages/data/x", "count.dat", "shop.sqlite3", "a/site.db", "error.log",
        "x.lock", ".htpasswd", ".env", "server.key", "cert.pem", ".git", ".git/config", "__pycache__",
        "m.pyc", "page.html~", "page.html.bak", ".page.html.swp", "sessions", "a\nb",
        "private/p.txt", "dump.sql", "config.py.old", "guest.db-wal", "guest.db-shm",
        "guest.db-journal",
        "x.db3", "id_ecdsa", "id_dsa", "cert.p12", "cert.pfx", "a.py.swo", "hidden.php.save",
        "a\udcffb", "tests", "tests/x.py", "conftest.py", "own/tests", "#page.html#",
        "x.py.rej", "a.tmp",
    ],
)  # fmt: skip
def test_it_stays(path: str) -> None:
    assert beside.why_not(path)


@pytest.mark.parametrize(
    "path",
    ["9.41\u202fAM.png", "style.css", "pages/a b.html", "menü.txt", ".htaccess", "database.py"],
)
def test_it_goes_along(path: str) -> None:
    assert beside.why_not(path) == ""


@pytest.mark.parametrize("name", [*exposed._DIRECTORIES, *exposed._FILES])
def test_what_check_calls_exposed_stays(name: str) -> None:
    assert beside.why_not(name)


@pytest.mark.parametrize("end", exposed._ENDS)
def test_what_check_calls_exposed_by_its_end_stays(end: str) -> None:
    assert beside.why_not(f"a{end}")


def test_a_memory_image_stays_and_a_package_of_that_name_does_not(tmp_path: Path) -> None:
    (tmp_path / "a" / "core").mkdir(parents=True)
    (tmp_path / "a" / "core" / "x.py").touch()
    (tmp_path / "core").touch()
    found = dict(beside.files(str(tmp_path)))
    assert found == {"a/core/x.py": "", "core": "made by other programs"}


def test_data_goes_along_when_it_is_asked_for() -> None:
    kept = ["data/x", ".htpasswd", "count.dat"]
    assert [beside.why_not(path, data=True) for path in kept] == ["", "", ""]
    assert beside.why_not(".git", data=True)
    assert beside.why_not("m.pyc", data=True)


def test_a_virtual_environment_and_a_copy_of_cgikit_stay(tmp_path: Path) -> None:
    for name in ("env/pyvenv.cfg", "env/lib/x.py", "cgikit/__init__.py", "pages/cgikit/x.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert dict(beside.files(str(tmp_path))) == {
        "cgikit/": "the bundle has its own",
        "env/": "a virtual environment",
        "pages/cgikit/x.html": "",
    }


def test_tests_that_a_script_imports_go_along() -> None:
    assert beside.why_not("tests/x.py", imported=True) == ""
    assert beside.why_not("tests/x.pyc", imported=True)
    assert beside.why_not("tests/x.py", data=True)


def test_nothing_outside_of_the_directory_is_read(tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "pages").mkdir(parents=True)
    (site / "pages" / "a.html").touch()
    (tmp_path / "secret").write_text("x")
    (site / "out").symlink_to(tmp_path / "secret")
    (site / "up").symlink_to(tmp_path)
    (site / "again").symlink_to("pages")
    (site / "same.html").symlink_to("pages/a.html")
    (site / "nowhere").symlink_to("gone")
    os.mkfifo(site / "fifo")
    found = dict(beside.files(str(site)))
    assert [path for path, reason in found.items() if not reason] == ["pages/a.html", "same.html"]
    assert found["out"] == found["up/"] == "leads out of the directory"
    assert found["fifo"] == found["nowhere"] == "not a regular file"
    assert found["again/"] == "a link to a directory"
    assert list(found) == sorted(found, key=lambda path: path.rstrip("/"))
    assert dict(beside.files(str(site), "pages")) == {"pages/a.html": ""}
