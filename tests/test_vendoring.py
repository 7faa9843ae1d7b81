"""`cgikit vendor cgi`: what is written beside scripts works, harms nothing, and can be removed."""

import hashlib
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nobody import as_nobody

from cgikit import vendored, vendoring
from cgikit.cli import main

OLD = """import cgi, cgitb
cgitb.enable()
form = cgi.FieldStorage()
print("Content-Type: text/plain\\n")
print(form.getvalue("name"), cgi.__file__)
"""


def run(script: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    """Run a script as a server does."""
    return subprocess.run(
        [sys.executable, *options, str(script)],
        env={"REQUEST_METHOD": "GET", "QUERY_STRING": "name=Ada"},
        cwd=script.parent,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """A directory with an old script."""
    (tmp_path / "cgi-bin").mkdir()
    (tmp_path / "cgi-bin" / "old.py").write_text(OLD)
    return tmp_path / "cgi-bin"


def test_thin_modules_lead_to_the_installed_cgikit(scripts: Path) -> None:
    new = vendoring.write(str(scripts))
    assert new == [str(scripts / "cgi.py"), str(scripts / "cgitb.py")]
    done = run(scripts / "old.py")
    assert done.stderr == ""
    assert "Ada" in done.stdout
    assert "compat/cgi.py" in done.stdout


@pytest.mark.parametrize("name", vendoring.NAMES)
def test_a_thread_that_came_early_has_the_names_too(scripts: Path, name: str) -> None:
    """It keeps the module that was in `sys.modules` while the file ran."""
    vendoring.write(str(scripts))
    known = {"cgi": "FieldStorage parse_header escape", "cgitb": "enable handler"}[name].split()
    (scripts / "early.py").write_text(
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('{name}', '{name}.py')\n"
        "early = importlib.util.module_from_spec(spec)\n"
        f"sys.modules['{name}'] = early\nspec.loader.exec_module(early)\n"
        f"print(sys.modules['{name}'] is not early, [getattr(early, n) is not None for n in {known}])\n"
    )
    done = run(scripts / "early.py")
    assert done.stdout == f"True {[True] * len(known)}\n", done.stderr


def test_thin_modules_say_what_is_missing(scripts: Path) -> None:
    vendoring.write(str(scripts))
    done = run(scripts / "old.py", "-S")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        f"ImportError: cgi.py needs cgikit, and {sys.executable} has none that can be used: run "
        f"{sys.executable} -m pip install cgikit, or write cgi.py again with cgikit vendor cgi "
        "--self-contained"
    )


def test_self_contained_modules_need_nothing(scripts: Path) -> None:
    new = vendoring.write(str(scripts), self_contained=True)
    assert [Path(path).name for path in new] == [vendored.FOLDER, "cgi.py", "cgitb.py"]
    done = run(scripts / "old.py", "-S")
    assert done.stderr == ""
    assert done.stdout.startswith("Content-Type: text/plain\n\nAda ")
    assert str(scripts / vendored.FOLDER / "cgikit" / "compat" / "cgi.py") in done.stdout


def test_a_self_contained_upload_is_read(scripts: Path) -> None:
    vendoring.write(str(scripts), self_contained=True)
    (scripts / "up.py").write_text(
        "import cgi\nitem = cgi.FieldStorage()['u']\n"
        "print('Content-Type: text/plain\\n')\nprint(item.filename, item.file.read())\n"
    )
    body = (
        b'--x\r\nContent-Disposition: form-data; name="u"; filename="n.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\nhi\r\n--x--\r\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", str(scripts / "up.py")],
        env={
            "REQUEST_METHOD": "POST",
            "CONTENT_TYPE": "multipart/form-data; boundary=x",
            "CONTENT_LENGTH": str(len(body)),
        },
        input=body,
        capture_output=True,
        timeout=120,
    )
    assert done.stderr == b""
    assert done.stdout.endswith(b"n.txt b'hi'\n")


@pytest.mark.parametrize("self_contained", [False, True])
@pytest.mark.parametrize("force", [False, True])
def test_nothing_of_somebody_elses_is_overwritten(
    scripts: Path, self_contained: bool, force: bool
) -> None:
    (scripts / "cgitb.py").write_text("mine")
    with pytest.raises(FileExistsError, match="move it away"):
        vendoring.write(str(scripts), self_contained=self_contained, force=force)
    assert sorted(path.name for path in scripts.iterdir()) == ["cgitb.py", "old.py"]


@pytest.mark.parametrize("stubs", [False, True])
def test_a_written_file_that_was_changed_stays(
    scripts: Path, stubs: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    vendoring.write(str(scripts), stubs=stubs)
    changed = scripts / ("cgi.pyi" if stubs else "cgi.py")
    with changed.open("a") as file:
        file.write("def mine(): pass\n")
    with pytest.raises(FileExistsError, match="move it away"):
        vendoring.write(str(scripts), stubs=stubs, force=True)
    assert main(["vendor", "cgi", str(scripts), "--remove"]) == 1
    assert f"{changed}: kept" in capsys.readouterr().err
    assert "def mine" in changed.read_text()
    assert sorted(path.name for path in scripts.iterdir()) == [changed.name, "old.py"]


@pytest.mark.parametrize(
    "name", ["notes.txt", "cgikit/compat/cgi.py", "cgikit/__pycache__/mine.pyc"]
)
def test_a_folder_with_something_of_mine_stays(
    scripts: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vendoring.write(str(scripts), self_contained=True)
    mine = scripts / vendored.FOLDER / name
    mine.write_text("mine")
    with pytest.raises(FileExistsError, match="move it away"):
        vendoring.write(str(scripts), self_contained=True, force=True)
    assert main(["vendor", "cgi", str(scripts), "--remove"]) == 1
    assert f"{mine}: kept" in capsys.readouterr().err
    assert mine.read_text() == "mine"


def test_what_another_python_compiled_goes_with_the_folder(scripts: Path) -> None:
    vendoring.write(str(scripts), self_contained=True)
    cache = scripts / vendored.FOLDER / "cgikit" / "compat" / "__pycache__"
    (cache / "cgi.cpython-399.pyc").write_text("x")
    assert len(vendoring.remove(str(scripts))) == 3
    assert [path.name for path in scripts.iterdir()] == ["old.py"]


def test_a_folder_that_is_not_ours_is_never_overwritten(scripts: Path) -> None:
    (scripts / vendored.FOLDER).mkdir()
    for force in (False, True):
        with pytest.raises(FileExistsError, match="cgikit did not write this"):
            vendoring.write(str(scripts), self_contained=True, force=force)
    assert vendoring.remove(str(scripts)) == []
    assert (scripts / vendored.FOLDER).is_dir()


def test_twice_is_once(scripts: Path) -> None:
    vendoring.write(str(scripts))
    assert vendoring.write(str(scripts)) == []


def make_older(folder: Path) -> None:
    """Make it a folder that another version of cgikit wrote."""
    changed = folder / "cgikit" / "limits.py"
    changed.write_text(changed.read_text() + "# older\n")
    listed = folder / vendored.LIST
    lines = [
        line for line in listed.read_text().splitlines() if not line.endswith("cgikit/limits.py")
    ]
    now = hashlib.sha256(changed.read_bytes()).hexdigest()
    listed.write_text("\n".join([*lines, f"{now}  cgikit/limits.py", ""]))


def test_a_newer_folder_takes_the_place_of_the_old_one(scripts: Path) -> None:
    vendoring.write(str(scripts), self_contained=True)
    folder = scripts / vendored.FOLDER
    make_older(folder)
    with pytest.raises(vendoring.Replaceable, match="another version"):
        vendoring.write(str(scripts), self_contained=True)
    assert vendoring.write(str(scripts), self_contained=True, force=True) == [str(folder)]
    assert "# older" not in (folder / "cgikit" / "limits.py").read_text()
    assert sorted(path.name for path in scripts.iterdir()) == [
        "cgi.py", vendored.FOLDER, "cgitb.py", "old.py"
    ]  # fmt: skip


@pytest.mark.parametrize("left", ["new", "former"])
def test_what_a_killed_run_left_does_not_stop_the_next(scripts: Path, left: str) -> None:
    """`.former` from before did: "Directory not empty"."""
    vendoring.write(str(scripts), self_contained=True)
    folder = scripts / vendored.FOLDER
    shutil.copytree(folder, f"{folder}.{left}")
    make_older(folder)
    assert vendored.is_vendored(f"{folder}.{left}/cgikit/limits.py")
    assert vendoring.write(str(scripts), self_contained=True, force=True) == [str(folder)]
    assert not Path(f"{folder}.{left}").exists()
    shutil.copytree(folder, f"{folder}.{left}")
    assert f"{folder}.{left}" in vendoring.remove(str(scripts))


def test_a_run_that_fails_leaves_the_old_folder(
    scripts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was moved away first, and scripts that had worked broke when the disk was full."""
    vendoring.write(str(scripts), self_contained=True)
    make_older(scripts / vendored.FOLDER)
    modules = vendoring._needed()
    modules["cgikit.zz"] = str(scripts / "nowhere.py")  # fails at the last file
    monkeypatch.setattr(vendoring, "_needed", lambda: modules)
    monkeypatch.setattr(vendoring, "_is_current", lambda *args: False)
    with pytest.raises(FileNotFoundError):
        vendoring.write(str(scripts), self_contained=True, force=True)
    assert run(scripts / "old.py", "-S").stderr == ""
    assert not [path for path in scripts.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("self_contained", [False, True])
def test_the_other_kind_says_what_it_is_and_is_exchanged_on_request(
    scripts: Path, self_contained: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ["--self-contained"] * self_contained
    vendoring.write(str(scripts), self_contained=not self_contained)
    assert main(["vendor", "cgi", str(scripts), *wanted]) == 1
    assert capsys.readouterr().err == (
        f"cgikit vendor: {scripts}/cgi.py: this is the "
        + (
            "short one, which needs cgikit installed for the scripts' Python"
            if self_contained
            else "self-contained one, which takes cgikit from the folder cgikit_vendored"
        )
        + "; --force replaces it\n"
    )
    assert main(["vendor", "cgi", str(scripts), *wanted, "--force"]) == 0
    assert (scripts / vendored.FOLDER).exists() is self_contained
    assert run(scripts / "old.py").stderr == ""
    assert main(["vendor", "cgi", str(scripts), *wanted]) == 0


def test_a_folder_with_something_of_mine_is_not_exchanged_for_short_modules(scripts: Path) -> None:
    vendoring.write(str(scripts), self_contained=True)
    (scripts / vendored.FOLDER / "notes.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="move it away"):
        vendoring.write(str(scripts), force=True)
    assert vendored.is_self_contained(str(scripts / "cgi.py"))


@pytest.mark.parametrize("options", [[], ["--force"], ["--remove"]])
def test_a_directory_that_cannot_be_written_is_named_with_what_to_do(
    scripts: Path, options: list[str]
) -> None:
    """It was a traceback."""
    if options:
        vendoring.write(str(scripts))
    if options == ["--force"]:
        for name in vendoring.NAMES:
            (scripts / f"{name}.py").unlink()
    scripts.chmod(0o555)
    try:
        status, said = as_nobody(scripts.parent, "vendor", "cgi", "cgi-bin", *options)
    finally:
        scripts.chmod(0o755)
    assert status == 1
    (line,) = said.splitlines()
    assert line.startswith("cgikit vendor: ")
    assert "this command runs as user" in line


def test_a_module_that_cannot_be_read_is_not_said_to_be_changed(scripts: Path) -> None:
    vendoring.write(str(scripts))
    (scripts / "cgi.py").chmod(0)
    status, said = as_nobody(scripts.parent, "vendor", "cgi", "cgi-bin", "--force")
    assert status == 1
    assert said.startswith("cgikit vendor: cgi-bin/cgi.py: this user cannot read it, so ")


@pytest.mark.parametrize("options", [[], ["--self-contained"]])
def test_a_full_disk_is_said_of_the_directory(
    scripts: Path, options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """It was a traceback, or named a module of cgikit as full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))
        assert main(["vendor", "cgi", str(scripts), *options]) == 1
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"cgikit vendor: {scripts}")
    assert "File too large" in line
    assert [path.name for path in scripts.iterdir()] == ["old.py"]


@pytest.mark.parametrize("self_contained", [False, True])
def test_links_are_neither_followed_nor_replaced(scripts: Path, self_contained: bool) -> None:
    elsewhere = scripts.parent / "elsewhere"
    elsewhere.mkdir()
    vendoring.write(str(elsewhere), self_contained=True)
    with (elsewhere / "cgi.py").open("a") as file:
        file.write("# theirs\n")
    (scripts / "cgi.py").symlink_to(elsewhere / "cgi.py")
    (scripts / "cgitb.py").symlink_to("nowhere.py")
    (scripts / vendored.FOLDER).symlink_to(elsewhere / vendored.FOLDER)
    before = {path: path.stat().st_ino for path in elsewhere.rglob("*")}
    for force in (False, True):
        with pytest.raises(FileExistsError, match="move it away"):
            vendoring.write(str(scripts), self_contained=self_contained, force=force)
    assert vendoring.remove(str(scripts)) == []
    assert {path: path.stat().st_ino for path in elsewhere.rglob("*")} == before
    assert sum(path.is_symlink() for path in scripts.iterdir()) == 3


def test_what_was_written_can_be_removed(scripts: Path) -> None:
    vendoring.write(str(scripts), self_contained=True)
    vendoring.write(str(scripts), stubs=True)
    assert len(vendoring.remove(str(scripts))) == 5
    assert [path.name for path in scripts.iterdir()] == ["old.py"]


def test_a_type_checker_knows_the_names(scripts: Path) -> None:
    (scripts / "typed.py").write_text(
        "import cgi\nimport cgitb\ncgitb.enable()\n"
        "reveal_type(cgi.FieldStorage())\nreveal_type(cgi.parse_header('a'))\n"
    )
    for stubs in (True, False):
        vendoring.write(str(scripts), stubs=stubs)
        done = subprocess.run(
            [
                sys.executable, "-m", "mypy", "--python-version", "3.13", "--follow-imports=silent",
                "--cache-dir", str(scripts / "cache"), "typed.py",
            ],
            cwd=scripts, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert 'Revealed type is "cgikit.compat.cgi.FieldStorage"' in done.stdout, done.stdout
        assert "error:" not in done.stdout
        vendoring.remove(str(scripts))


# --- the command ------------------------------------------------------------------------------


def test_the_command_writes_and_removes(scripts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["vendor", "cgi", str(scripts)]) == 0
    assert main(["vendor", "cgi", str(scripts)]) == 0
    assert main(["vendor", "cgi", str(scripts), "--self-contained"]) == 1
    assert main(["vendor", "cgi", str(scripts), "--self-contained", "--force"]) == 0
    assert main(["vendor", "cgi", str(scripts), "--remove"]) == 0
    assert main(["vendor", "cgi", str(scripts), "--remove"]) == 1
    out, err = capsys.readouterr()
    assert f"wrote {scripts}/cgi.py" in out
    assert f"{scripts} has them already" in out
    assert f"removed {scripts}/{vendored.FOLDER}" in out
    first, last = err.splitlines()
    assert first.startswith(f"cgikit vendor: {scripts}/cgi.py: this is the short one")
    assert first.endswith("; --force replaces it")
    assert last == f"cgikit vendor: {scripts} has nothing that this command has written"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "name the directory"),
        (["x", "--site"], "not both"),
        (["/nowhere"], "/nowhere is not a directory"),
        (["/", "--stubs", "--self-contained"], "leave --self-contained out"),
    ],
)
def test_the_command_says_what_is_wrong(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["vendor", "cgi", *words]) == 1
    assert said in capsys.readouterr().err


def test_site_is_for_all_scripts_of_a_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    assert main(["vendor", "cgi", "--site"]) == 0
    assert (tmp_path / "cgi.py").exists()
    noted = "comes first until 3.13" in capsys.readouterr().out
    assert noted is (sys.version_info < (3, 13))


@pytest.mark.parametrize("self_contained", [False, True])
@pytest.mark.parametrize("name", vendoring.NAMES)
@pytest.mark.parametrize("version", [(3, 10), (3, 6), (2, 7)])
def test_an_older_python_is_told_its_version_and_what_is_needed(
    scripts: Path, name: str, version: tuple[int, int], self_contained: bool
) -> None:
    """Its advice was to write the files anew, which needs Python 3.11 too."""
    vendoring.write(str(scripts), self_contained=self_contained)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.version_info = {version}; import {name}"],
        cwd=scripts,
        capture_output=True,
        text=True,
        timeout=120,
    )
    shown = "{}.{}".format(*version)
    said = done.stderr.splitlines()[-1]
    assert f"needs Python 3.11 or later, but {sys.executable} is Python {shown}: " in said
    assert f"delete {name}.py" in said
    assert "again" not in said
