"""What an `.htaccess` keeps from visitors."""

import os
from pathlib import Path

import pytest

from cgikit.checking.htaccess import Denied

EVERYTHING = {
    "now": "Require all denied\n",
    "before 2.4": "Order deny,allow\n  Deny  from   all\n",
    "both": "<IfModule mod_authz_core.c>\n  require ALL denied\n</IfModule>\n",
    "required": "<RequireAll>\nRequire all denied\n</RequireAll>\n",
    "a section before": '<Files "x.html">\nRequire all granted\n</Files>\nRequire all denied\n',
}
FILES = {
    "a pattern": '<FilesMatch "\\.(db|sqlite3?|bak)$|~$">\nRequire all denied\n</FilesMatch>\n',
    "for all": '<Files ~ "\\.(db|sqlite3?|bak)$|~$">\nDeny from all\n</Files>\n',
    "paths": 'RedirectMatch 404 "\\.(db|sqlite3?|bak)$|~$"\n',
    "rewritten": 'RewriteRule "\\.(db|sqlite3?|bak)$|~$" - [NC,F]\n',
    "in two lines": '<FilesMatch \\\n"\\.(db|sqlite3?|bak)$|~$">\nRequire all denied\n</FilesMatch>\n',
}
NOTHING = {
    "nothing": "",
    "granted": "Require all granted\n",
    "a comment": "# Require all denied\n",
    "others": '<FilesMatch "\\.html$">\nRequire all denied\n</FilesMatch>\n',
    "some visitors": "<Limit PUT>\nRequire all denied\n</Limit>\n",
    "a rewrite": 'RewriteRule "\\.db$" /x [L]\n',
    "one that leads elsewhere": 'RedirectMatch 301 "\\.db$" /x\n',
    "no text": "\x00\xff<<<>>>[[[",
}


def denied(place: Path, text: str) -> Denied:
    (place / ".htaccess").write_text(text)
    return Denied(str(place))


@pytest.mark.parametrize("name", EVERYTHING)
def test_everything(tmp_path: Path, name: str) -> None:
    found = denied(tmp_path, EVERYTHING[name])
    assert found.everything
    assert found.denies("users.db")
    assert found.denies("data", is_directory=True)


@pytest.mark.parametrize("name", FILES)
def test_files_by_a_pattern(tmp_path: Path, name: str) -> None:
    found = denied(tmp_path, FILES[name])
    assert not found.everything
    for file in ("a.db", "a.sqlite", "a.sqlite3", "a.bak", "a.py~"):
        assert found.denies(file), file
    for file in ("a.log", ".env", "db.html", "backup"):
        assert not found.denies(file), file


@pytest.mark.parametrize("name", NOTHING)
def test_nothing(tmp_path: Path, name: str) -> None:
    found = denied(tmp_path, NOTHING[name])
    assert not found.everything
    assert not found.denies("a.db")


@pytest.mark.parametrize("pattern", ['<FilesMatch "^\\.">', "<Files ~ ^\\.>"])
def test_hidden_files(tmp_path: Path, pattern: str) -> None:
    found = denied(tmp_path, f"{pattern}\nRequire all denied\n</{pattern[1:].split()[0]}>\n")
    assert found.denies(".env")
    assert not found.denies("env")


def test_a_section_for_files_says_nothing_of_what_a_directory_contains(tmp_path: Path) -> None:
    found = denied(tmp_path, '<FilesMatch "data|git">\nRequire all denied\n</FilesMatch>\n')
    assert not found.denies("data", is_directory=True)
    found = denied(tmp_path, 'RedirectMatch 404 "/(\\.git|data)(/|$)"\n')
    assert found.denies("data", is_directory=True)
    assert found.denies(".git", is_directory=True)


@pytest.mark.parametrize(
    "hostile", ["<" + " " * 90_000, "[" * 90_000, "\\" * 90_000, "a?" * 45_000]
)
def test_hostile_lines_take_no_time(tmp_path: Path, hostile: str) -> None:
    for before in ("", "RewriteRule ", "<FilesMatch "):
        assert not denied(tmp_path, f"{before}{hostile}\n" * 3).denies("x.db")


def test_what_is_no_file_denies_nothing(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".htaccess")
    assert not Denied(str(tmp_path)).everything
    assert not Denied(str(tmp_path / "none")).denies("a.db")
