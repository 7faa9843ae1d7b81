"""What is served beside executable files, where it was asked for; and never more than that."""

import os
from pathlib import Path

import pytest

from cgikit.host.listing import entries
from cgikit.host.path import Directory, Script, Static, locate
from cgikit.host.problem import Problem
from cgikit.host.rules import Rules


def script(path: Path, text: str = "#!/bin/sh\n# Says hello.\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Programs of the machine, with links that lead further out."""
    place = tmp_path.resolve() / "outside"
    script(place / "tool.cgi", "#!/bin/sh\n# Secret of the machine.\n")
    script(place / "lib/inner.sh")
    (place / "lib/style.css").write_text("b{}")
    script(tmp_path / "further/away.sh")
    (place / "lib/away.sh").symlink_to(tmp_path / "further/away.sh")
    (place / "lib/root").symlink_to("/")
    return place


@pytest.fixture
def root(tmp_path: Path, outside: Path) -> Path:
    place = tmp_path.resolve() / "root"
    script(place / "a.py")
    (place / "tool.cgi").symlink_to(outside / "tool.cgi")
    (place / "lib").symlink_to(outside / "lib")
    (place / "sub").mkdir()
    (place / "sub/tool.cgi").symlink_to(outside / "tool.cgi")
    return place


def test_a_link_that_is_followed_by_name_leads_out(root: Path) -> None:
    rules = Rules(follow=["tool.cgi", "/lib/"])
    found = locate(str(root), "/tool.cgi/x", rules)
    assert found == Script(f"{root}/tool.cgi", "/tool.cgi", "/x", outside=True)
    assert locate(str(root), "/lib/inner.sh", rules) == Script(
        f"{root}/lib/inner.sh", "/lib/inner.sh", outside=True
    )
    assert locate(str(root), "/a.py", rules) == Script(f"{root}/a.py", "/a.py")


@pytest.mark.parametrize(
    "path", ["/sub/tool.cgi", "/lib/away.sh", "/lib/root/bin/sh", "/lib/root", "/lib/../tool.cgi"]
)
def test_s25_no_other_link_does(root: Path, path: str) -> None:
    with pytest.raises(Problem, match="leads out") as caught:
        locate(str(root), path, Rules(follow=["lib"]))
    assert caught.value.status == 404
    assert "--follow" in caught.value.fix


def test_the_listing_tells_nothing_of_what_lies_outside(root: Path) -> None:
    """It showed the first comment of any executable file that a link led to."""
    place = Directory(str(root), "/", True)
    assert [entry.name for entry in entries(str(root), place)] == ["sub/", "a.py"]
    place = Directory(f"{root}/sub", "/sub/", True)
    assert entries(str(root), place) == []
    (root / "off.py").symlink_to("/etc/hostname")
    (root / "gone.py").symlink_to("/no/such/file")
    place = Directory(str(root), "/", True)
    shown = entries(str(root), place, Rules(follow=["tool.cgi"]))
    assert [(entry.name, entry.about) for entry in shown] == [
        ("sub/", ""),
        ("a.py", "Says hello."),
        ("tool.cgi", "Secret of the machine."),
    ]


def test_an_index_answers_for_its_directory(root: Path) -> None:
    script(root / "sub/index.cgi")
    rules = Rules(index="index.cgi")
    found = locate(str(root), "/sub/", rules)
    assert found == Script(f"{root}/sub/index.cgi", "/sub/index.cgi")
    assert locate(str(root), "/sub", rules) == Directory(f"{root}/sub", "/sub/", False)
    assert locate(str(root), "/", rules) == Directory(str(root), "/", True)
    script(root / "index.cgi")
    assert locate(str(root), "/", rules) == Script(f"{root}/index.cgi", "/index.cgi")


def test_an_index_that_cannot_run_says_so(root: Path) -> None:
    (root / "index.cgi").write_text("#!/bin/sh\n")
    with pytest.raises(Problem, match="not executable"):
        locate(str(root), "/", Rules(index="index.cgi"))


def test_an_index_may_be_a_file_that_is_sent(root: Path) -> None:
    (root / "index.html").write_text("hello")
    rules = Rules(index="index.html", static=True)
    assert locate(str(root), "/", rules) == Static(f"{root}/index.html")


def test_an_index_that_leads_out_is_none(root: Path, outside: Path) -> None:
    (root / "sub/index.cgi").symlink_to(outside / "tool.cgi")
    assert isinstance(locate(str(root), "/sub/", Rules(index="index.cgi")), Directory)


def test_an_interpreter_by_extension(root: Path) -> None:
    (root / "page.PHP").write_text("<?php")
    rules = Rules(interpreters={".php": "/usr/bin/php-cgi"})
    found = locate(str(root), "/page.PHP/x", rules)
    assert found == Script(f"{root}/page.PHP", "/page.PHP", "/x", "/usr/bin/php-cgi")
    place = Directory(str(root), "/", True)
    assert [entry.fix for entry in entries(str(root), place, rules) if "PHP" in entry.name] == [""]


def test_a_single_script_gets_every_path(root: Path) -> None:
    found = locate(f"{root}/a.py", "/b%20c/../d/")
    assert found == Script(os.path.realpath(root / "a.py"), "", "/d/")
    assert locate(f"{root}/a.py", "/") == Script(str(root / "a.py"), "", "/")
    assert locate(f"{root}/a.py", "/.x").path_info == "/.x"  # type: ignore[union-attr]
