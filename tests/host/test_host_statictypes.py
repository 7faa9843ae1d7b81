"""Which files beside the scripts are sent with --static, and which never are, whatever is asked for."""

from pathlib import Path

import pytest

from cgikit.host.path import Static, locate, locate_decoded
from cgikit.host.problem import Problem
from cgikit.host.rules import Rules
from cgikit.host.statictypes import TYPES

STATIC = Rules(static=True)
SENT = [f"a{extension}" for extension in TYPES] + [
    "A.CSS",
    "sub/a.png",
    "a.min.js",
    "database/a.css",
]
NEVER = [
    *("a.py", "a.pl", "a.cgi", "a.rb", "a.sh", "a.php", "a.pyc", "a"),
    *(
        "a.db",
        "a.sqlite",
        "a.sqlite3",
        "a.json",
        "a.lock",
        "a.css.lock",
        "a.log",
        "a.bak",
        "a.css~",
    ),
    *("data/a.css", "sub/data/a.txt", "Data/a.txt", "__pycache__/a.txt", "node_modules/a.js"),
]


def file(root: Path, name: str) -> Path:
    place = root / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text("x")
    return place


@pytest.mark.parametrize("name", SENT)
def test_what_belongs_to_a_page_is_sent_where_that_is_allowed(tmp_path: Path, name: str) -> None:
    file(tmp_path, name)
    assert locate(str(tmp_path), f"/{name}", STATIC) == Static(f"{tmp_path.resolve()}/{name}")
    with pytest.raises(Problem, match="not a script") as caught:
        locate(str(tmp_path), f"/{name}", Rules())
    assert "--static" in caught.value.fix
    assert "chmod" not in caught.value.fix


@pytest.mark.parametrize("name", NEVER)
def test_s25_what_scripts_are_and_keep_is_never_sent(tmp_path: Path, name: str) -> None:
    file(tmp_path, name)
    for rules in (Rules(), STATIC):
        with pytest.raises(Problem) as caught:
            locate(str(tmp_path), f"/{name}", rules)
        assert caught.value.status == 403
        assert ("chmod" in caught.value.fix) == caught.value.what.endswith("not executable.")


@pytest.mark.parametrize("name", [".a.css", ".git/a.css", "sub/.a.css"])
def test_dot_names_are_not_there(tmp_path: Path, name: str) -> None:
    file(tmp_path, name)
    with pytest.raises(Problem, match="Nothing is served"):
        locate(str(tmp_path), f"/{name}", STATIC)


def test_an_executable_file_is_a_script_whatever_its_name(tmp_path: Path) -> None:
    file(tmp_path, "a.css").chmod(0o755)
    assert not isinstance(locate(str(tmp_path), "/a.css", STATIC), Static)


def test_links_are_judged_by_where_they_lead(tmp_path: Path) -> None:
    root = tmp_path / "root"
    for name in ("a.css", "data/a.css", ".git/a.css", "a.db"):
        file(root, name)
    file(tmp_path, "outside.css")
    for link, target, status in (
        ("inside.css", "a.css", 0),
        ("kept.css", "data/a.css", 403),
        ("hidden.css", ".git/a.css", 403),
        ("renamed.css", "a.db", 403),
        ("outside.css", "../outside.css", 404),
        ("nothing.css", "none", 404),
    ):
        (root / link).symlink_to(target)
        if not status:
            assert isinstance(locate(str(root), f"/{link}", STATIC), Static)
            continue
        with pytest.raises(Problem) as caught:
            locate(str(root), f"/{link}", STATIC)
        assert caught.value.status == status, link


def test_a_worker_behind_a_web_server_offers_no_option_that_it_has_not(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    file(root, "a.css")
    (root / "away.py").symlink_to("/bin/sh")
    for path in ("/a.css", "/away.py"):
        with pytest.raises(Problem) as caught:
            locate_decoded(str(root), path)
        assert "--" not in caught.value.fix


def test_a_file_has_nothing_below_it(tmp_path: Path) -> None:
    file(tmp_path, "a.css")
    for path in ("/a.css/", "/a.css/x"):
        with pytest.raises(Problem) as caught:
            locate(str(tmp_path), path, STATIC)
        assert caught.value.status == 404
