"""A bundle really runs: moved, in a folder that it cannot write, as nobody, without an environment."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bundled import ask, bundled, files
from nobody import NOBODY
from posting import MULTIPART, URLENCODED, field, file, multipart
from requirement import lack
from servers.interpreter import runs

from cgikit.bundle.making import Refused, make
from cgikit.bundle.target import target

SCRIPT = '''#!/usr/bin/env python3
"""A shop."""

import os

from cgikit import FileStore, Response, escape, run

import shelf
from own.words import WELCOME


def answer(request):
    if request.files:
        upload = request.files["f"]
        return f"{escape(request.form['a'])} {upload.filename} {upload.size}"
    if request.method == "POST":
        request.session["name"] = request.form["name"]
        return Response.redirect(request.url())
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "pages/top.html"), encoding="utf-8") as page:
        top = page.read()
    seen = request.cookies.get("seen", "")
    name = escape(request.session.get("name", "-"))
    response = Response.html(f"{top} {WELCOME} {shelf.X} {name} {seen}")
    response.set_cookie("seen", "yes")
    if request.query.get("fail"):
        raise RuntimeError("boom")
    return response


run(answer, sessions=FileStore(os.environ["STORE"]))
'''


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A script with modules of its own, a page, a package, and data of visitors."""
    site, packages = tmp_path / "site", tmp_path / "packages"
    for directory in (site / "own", site / "pages", site / "data", packages / "shelf"):
        directory.mkdir(parents=True)
    (site / "shop.py").write_text(SCRIPT)
    (site / "own" / "__init__.py").write_text("")
    (site / "own" / "words.py").write_text("WELCOME = 'Grüß Gott'\n")
    (site / "pages" / "top.html").write_text("<h1>Shop</h1>")
    (site / "data" / "guests.json").write_text('{"password": "secret"}')
    (site / "unused.py").write_text("")
    (packages / "shelf" / "__init__.py").write_text("from .book import X\n")
    (packages / "shelf" / "book.py").write_text("X = 42\n")
    (packages / "shelf" / "table.txt").write_text("")
    monkeypatch.syspath_prepend(str(packages))
    return site


def visit(script: Path, store: Path, python: str = "", user: int | None = None) -> None:
    """Take a bundled shop through its requests."""

    def shop(body: bytes = b"", **variables: str) -> tuple[str, str]:
        answer = ask(script, body, python=python, user=user, STORE=str(store), **variables)
        assert (answer.errors, answer.status) == ("", 0)
        return answer.head, answer.body

    head, page = shop(HTTP_COOKIE="seen=before")
    assert page == "<h1>Shop</h1> Grüß Gott 42 - before"
    assert "Set-Cookie: seen=yes" in head
    head, _ = shop(b"name=J%C3%BCrgen", CONTENT_TYPE=URLENCODED)
    cookie = re.findall("Set-Cookie: ([^;]+)", head)[0]
    assert shop(HTTP_COOKIE=cookie)[1].strip() == "<h1>Shop</h1> Grüß Gott 42 Jürgen"
    form = multipart(field("a", b"<1>"), file("f", "x.txt", b"content"))
    assert shop(form, CONTENT_TYPE=MULTIPART)[1] == "&lt;1&gt; x.txt 7"


def test_it_runs_where_it_was_moved_to(site: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = bundled(site / "shop.py", out)
    assert made.packages == ["shelf"]
    moved = tmp_path / "public html" / "cgi-bin"
    moved.parent.mkdir()
    out.rename(moved)
    shutil.rmtree(site)
    before = files(moved)
    assert {path for path in before if "/" not in path or path.startswith(("own", "pages"))} >= {
        "shop.py", "own/__init__.py", "own/words.py", "pages/top.html",
    }  # fmt: skip
    assert not [path for path in before if "guests" in path or "unused" in path]
    visit(moved / "shop.py", tmp_path / "store")
    assert files(moved) == before


def test_it_runs_as_nobody_in_a_folder_that_nobody_can_write(site: Path) -> None:
    """Also under an interpreter that was not the one that it was compiled for."""
    user = NOBODY if os.geteuid() == 0 else None  # others cannot become nobody
    python = "/usr/bin/python3"
    if not runs(python, user and "nobody"):
        lack("a Python for nobody (apt-get install python3-venv)")
    place = Path("/tmp", f"cgikit-bundle-{os.getpid()}-{time.monotonic_ns()}")  # all can enter it
    place.mkdir(mode=0o755)
    try:
        bundled(site / "shop.py", place / "out", python)
        for path in [place / "out", *(place / "out").rglob("*")]:
            path.chmod(0o555 if path.is_dir() or path.name == "shop.py" else 0o444)
        store = place / "store"
        store.mkdir()
        if user:
            os.chown(store, user, user)
        store.chmod(0o700)
        visit(place / "out" / "shop.py", store, user=user)
    finally:
        for path in [place, *place.rglob("*")]:
            path.chmod(0o700)
        shutil.rmtree(place)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_it_runs_on_each_python(version: str, site: Path, tmp_path: Path) -> None:
    """Compiled for it, and with what was compiled for another one."""
    chosen = target(version)
    if not chosen.python:
        if f"{sys.version_info[0]}.{sys.version_info[1]}" == version:
            raise AssertionError("the one that runs this was not found")
        pytest.xfail(f"no Python {version} is here")
    bundled(site / "shop.py", tmp_path / "out", chosen.python)
    visit(tmp_path / "out" / "shop.py", tmp_path / "store")
    bundled(site / "shop.py", tmp_path / "other", sys.executable)
    visit(tmp_path / "other" / "shop.py", tmp_path / "store", python=chosen.python)


def test_an_error_is_a_page_with_the_line_of_the_script(site: Path, tmp_path: Path) -> None:
    bundled(site / "shop.py", tmp_path / "out")
    script = tmp_path / "out" / "shop.py"
    answer = ask(script, QUERY_STRING="fail=1", STORE=str(tmp_path / "store"))
    assert answer.head.startswith("Status: 500")
    line = SCRIPT.splitlines().index('        raise RuntimeError("boom")') + 1
    assert f'File "{script}", line {line}, in answer' in answer.errors
    assert ask(script, QUERY_STRING="fail=1", STORE="/proc/no").head.startswith("Status: 500")


def test_by_hand_it_answers_too(site: Path, tmp_path: Path) -> None:
    bundled(site / "shop.py", tmp_path / "out")
    script = str(tmp_path / "out" / "shop.py")
    done = subprocess.run(
        [script, "name=x"],
        env={"STORE": str(tmp_path / "store")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert "Grüß Gott" in done.stdout, done.stderr


def test_two_bundles_are_the_same_to_the_byte(site: Path, tmp_path: Path) -> None:
    bundled(site / "shop.py", tmp_path / "out")
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(site, copy)
    for path in copy.rglob("*"):
        os.utime(path, (1, 1))
    bundled(copy / "shop.py", tmp_path / "second")
    assert files(tmp_path / "out") == files(tmp_path / "second")


def test_the_licences_come_along(site: Path, tmp_path: Path) -> None:
    bundled(site / "shop.py", tmp_path / "out")
    carried = {path.name for path in (tmp_path / "out" / "cgikit_bundle" / "licenses").iterdir()}
    assert {"cgikit-LICENSE", "multipart-LICENSE"} <= carried


def test_scripts_of_a_directory_share_one_library(site: Path, tmp_path: Path) -> None:
    (site / "admin").mkdir()
    (site / "admin" / "list.py").write_text(
        "#!/usr/bin/python3\nfrom cgikit import run\nimport near\nrun(lambda request: near.X)\n"
    )
    (site / "admin" / "near.py").write_text("X = 'near'\n")
    (site / "old.pl").write_text("#!/usr/bin/perl\n")
    (site / "old.pl").chmod(0o755)
    made = bundled(site, tmp_path / "out")
    assert made.bundle.scripts == {"shop.py", "admin/list.py", "old.pl"}
    assert ("data/", "data that scripts keep stays here") in made.left
    libraries = list((tmp_path / "out").rglob("library.bin"))
    assert libraries == [tmp_path / "out" / "cgikit_bundle" / "library.bin"]
    assert ask(tmp_path / "out" / "admin" / "list.py").body == "near"
    visit(tmp_path / "out" / "shop.py", tmp_path / "store")


def test_data_goes_along_on_request_only(site: Path, tmp_path: Path) -> None:
    made = make(str(site), target(), data=True)
    assert "data/guests.json" in made.bundle.files
    assert made.left == []


def test_a_module_that_was_changed_on_the_server_is_used(site: Path, tmp_path: Path) -> None:
    """Its compiled file is still the old one."""
    bundled(site / "shop.py", tmp_path / "out")
    (tmp_path / "out" / "own" / "words.py").write_text("WELCOME = 'Servus'\n")
    answer = ask(tmp_path / "out" / "shop.py", STORE=str(tmp_path / "store"))
    assert "Servus" in answer.body


def test_without_that_python_it_has_sources_alone(site: Path, tmp_path: Path) -> None:
    made = make(str(site / "shop.py"), target("3.99"))
    assert not [path for path in made.bundle.files if path.endswith(".pyc")]


def test_what_cannot_be_carried_is_named(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("#!/usr/bin/python3\nimport nowhere\n")
    (tmp_path / "y.py").write_text("#!/usr/bin/python3\nprint 'old'\n")
    with pytest.raises(Refused, match=r"x\.py:2: nowhere is not found"):
        make(str(tmp_path / "x.py"), target())
    with pytest.raises(Refused, match=r"y\.py:2: "):
        make(str(tmp_path / "y.py"), target())
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match="no script"):
        make(str(tmp_path / "empty"), target())


@pytest.mark.parametrize("whole", [False, True])
def test_a_module_of_ones_own_named_like_a_dependency_wins_as_at_home(
    whole: bool, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "dateutil").mkdir(parents=True)
    (site / "dateutil" / "__init__.py").write_text("MINE = 'date'\n")
    (site / "multipart.py").write_text("#!/usr/bin/env python3\nMINE = 'part'\n")
    (site / "shop.py").write_text(
        "#!/usr/bin/env python3\nfrom cgikit import run\nimport dateutil, multipart\n"
        "run(lambda request: dateutil.MINE + multipart.MINE)\n"
    )
    bundled(site if whole else site / "shop.py", tmp_path / "out")
    answer = ask(tmp_path / "out" / "shop.py")
    assert (answer.body, answer.errors) == ("datepart", "")


def test_modules_get_the_names_of_site_and_tests_stay(tmp_path: Path) -> None:
    """`exit()` in a module beside the script was a `NameError`; so was an import of tests left out."""
    site = tmp_path / "site"
    for name in ("tests", "old/tests", "env"):
        (site / name).mkdir(parents=True)
    (site / "env" / "pyvenv.cfg").touch()
    (site / "old" / "tests" / "x.py").touch()
    (site / "tests" / "__init__.py").write_text("def end(): exit(3)\n")
    (site / "shop.py").write_text("#!/usr/bin/env python3\nimport tests\ntests.end()\n")
    made = bundled(site, tmp_path / "out")
    assert made.left == [
        ("env/", "a virtual environment"),
        ("old/tests/", "tests, which no visitor needs"),
    ]
    answer = ask(tmp_path / "out" / "shop.py")
    assert (answer.status, answer.errors) == (3, "")


def test_a_bundle_is_not_bundled_again(site: Path, tmp_path: Path) -> None:
    bundled(site / "shop.py", tmp_path / "out")
    with pytest.raises(Refused, match="a bundle already"):
        make(str(tmp_path / "out"), target())


def linked(place: Path) -> Path:
    """A script with a module of its own, and a link to it in another directory."""
    for name in ("app", "cgi-bin"):
        (place / name).mkdir()
    script = place / "app" / "real.py"
    script.write_text(
        "#!/usr/bin/env python3\nimport mine\nfrom cgikit import run\nrun(lambda request: mine.WORD)\n"
    )
    script.chmod(0o755)
    (place / "app" / "mine.py").write_text("WORD = 'beside the file'\n")
    link = place / "cgi-bin" / "linked.py"
    link.symlink_to("../app/real.py")
    return link


def test_a_link_to_a_script_is_bundled_with_what_is_beside_the_file(tmp_path: Path) -> None:
    """It was refused: "Too many levels of symbolic links"."""
    bundled(linked(tmp_path), tmp_path / "out")
    assert ask(tmp_path / "out" / "linked.py").body == "beside the file"
    assert not (tmp_path / "out" / "linked.py").is_symlink()
    assert not (tmp_path / "out" / "real.py").exists()


def test_a_link_in_a_directory_to_a_file_in_it_is_a_file_of_the_bundle(tmp_path: Path) -> None:
    """One such link, and the whole directory was refused."""
    linked(tmp_path)
    (tmp_path / "app" / "alias.py").symlink_to("real.py")
    bundled(tmp_path / "app", tmp_path / "out")
    for name in ("alias.py", "real.py"):
        assert ask(tmp_path / "out" / name).body == "beside the file"


def test_a_link_named_like_another_file_there_is_refused(tmp_path: Path) -> None:
    link = linked(tmp_path)
    (tmp_path / "app" / "linked.py").write_text("WORD = 1\n")
    with pytest.raises(Refused, match=r"beside which is another linked\.py: rename the link"):
        make(str(link), target(sys.executable))


@pytest.mark.parametrize("to", ["nowhere.py", "linked.py"])
def test_a_link_to_nothing_is_an_error_with_its_name(tmp_path: Path, to: str) -> None:
    (tmp_path / "linked.py").symlink_to(to)
    with pytest.raises(OSError, match=r"linked\.py"):
        make(str(tmp_path / "linked.py"), target(sys.executable))


def test_a_script_with_a_form_and_an_upload_takes_no_more_than_the_page_says(
    tmp_path: Path,
) -> None:
    source = "from cgikit import run, escape\nrun(lambda r: escape(r.form['a']) + str(r.files))\n"
    (tmp_path / "form.py").write_text(f"#!/usr/bin/env python3\n{source}")
    made = make(str(tmp_path / "form.py"), target())
    assert sum(map(len, made.bundle.files.values())) <= 400_000


def test_how_far_it_is_is_told(site: Path) -> None:
    told: list[tuple[int, int]] = []
    make(str(site), target(sys.executable), tell=lambda done, total: told.append((done, total)))
    assert told
    assert all(0 <= done < total for done, total in told)
    assert max(total for _, total in told) > 3


def test_more_files_than_a_bundle_can_have_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hello.py").write_text("#!/usr/bin/env python3\n")
    for number in range(9):
        (tmp_path / f"{number}.log").touch()  # they stay, and are looked at all the same
    monkeypatch.setattr("cgikit.bundle.making._MAX_SEEN", 9)
    with pytest.raises(ValueError, match="has more than"):
        make(str(tmp_path), target(sys.executable))
