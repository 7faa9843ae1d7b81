"""What lies beside scripts and would be handed out to visitors."""

import os
import subprocess
from pathlib import Path

import pytest
from nobody import forked_as_nobody

from cgikit.checking.exposed import DENY, check_exposed


def fill(place: Path, *names: str) -> None:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("x")


def test_files_are_named_together(tmp_path: Path) -> None:
    fill(tmp_path, "a.py", "users.db", ".env", "a.py~", "index.html", "b.sqlite3")
    (found,) = check_exposed(str(tmp_path))
    assert (found.kind, found.is_error, found.file) == ("exposed", False, str(tmp_path))
    assert found.what.startswith(".env, a.py~, b.sqlite3, users.db lie beside the scripts")
    assert r"(\.db$|\.sqlite3$|~$|^\.env$)" in found.fix
    assert "In a cgi-bin" in found.evidence


def test_the_fix_ends_the_advice(tmp_path: Path) -> None:
    fill(tmp_path, "users.db", ".env", ".htpasswd", "a.py~", "id_rsa", "x.bak")
    (found,) = check_exposed(str(tmp_path))
    section = found.fix.partition("In .htaccess: ")[2].partition(", on three")[0]
    (tmp_path / ".htaccess").write_text(
        section.replace("> Require", ">\nRequire").replace("denied <", "denied\n<")
    )
    assert check_exposed(str(tmp_path)) == []


def test_the_command_for_a_directory_ends_the_advice(tmp_path: Path) -> None:
    fill(tmp_path, "data/x", ".git/config", "sessions/1", "public/x")
    (tmp_path / "private").mkdir()  # empty
    found = check_exposed(str(tmp_path))
    assert [each.what.split()[0] for each in found] == [".git/", "data/", "sessions/"]
    for each in found:
        subprocess.run(["/bin/sh", "-c", each.command], check=True)
    assert (tmp_path / "data" / ".htaccess").read_text() == DENY
    assert check_exposed(str(tmp_path)) == []


def test_an_htaccess_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    fill(tmp_path, "data/x", "data/.htaccess")
    (found,) = check_exposed(str(tmp_path))
    assert found.command == ""
    assert "Write into data/.htaccess: Require all denied" in found.fix


def test_one_above_counts(tmp_path: Path) -> None:
    fill(tmp_path, "cgi-bin/data/x", "cgi-bin/users.db")
    (tmp_path / ".htaccess").write_text(DENY)
    assert check_exposed(str(tmp_path / "cgi-bin")) == []


def test_a_closed_directory_hides_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of the directory was not looked at."""
    fill(tmp_path, ".env", "dump.sql")
    (tmp_path / "data").mkdir(mode=0)

    def look() -> None:
        found = "\n".join(each.what for each in check_exposed("."))
        assert ".env" in found, found
        assert "dump.sql" in found, found
        assert "data/" in found, found

    if os.geteuid() == 0:
        tmp_path.chmod(0o755)
        names = {"look": look}
        assert forked_as_nobody(tmp_path, "look()", names) == "done"
    else:
        monkeypatch.chdir(tmp_path)
        look()


def test_links_and_what_is_not_there_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/etc")
    (tmp_path / "passwd.db").symlink_to("/etc/passwd")
    assert check_exposed(str(tmp_path)) == []
    assert check_exposed(str(tmp_path / "none")) == []


def test_names_with_quotes_are_quoted_in_the_command(tmp_path: Path) -> None:
    place = tmp_path / "it's; touch ran"
    place.mkdir()
    fill(place, "data/x")
    (found,) = check_exposed(str(place))
    subprocess.run(["/bin/sh", "-c", found.command], check=True, cwd=tmp_path)
    assert os.listdir(tmp_path) == ["it's; touch ran"]
    assert check_exposed(str(place)) == []
