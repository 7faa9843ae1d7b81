"""`cgikit.accelerate.scripts`: a script's code is never out of date, and only allowed scripts run."""

import os
import sys
import time
from pathlib import Path

import pytest

from cgikit.accelerate import inplace
from cgikit.accelerate.scripts import Fronts, Refused, Scripts
from cgikit.warm import program


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a file that was just written count as one that is old."""
    monkeypatch.setattr(program, "RACY", 0)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.py"
    write(path, "x = 1")
    return path


def write(path: Path, code: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(f"#!{sys.executable}\n{code}\n")
    new.chmod(0o755)
    new.replace(path)


def scripts(*allowed: Path) -> Scripts:
    return Scripts(frozenset(map(str, allowed)), {}, [], os.defpath)


def value(of: Scripts, path: Path) -> object:
    found: dict[str, object] = {}
    exec(of.code(str(path)), found)
    return found["x"]


def test_code_is_compiled_and_kept(script: Path) -> None:
    some = scripts(script)
    assert not some.is_known(str(script))
    assert value(some, script) == 1
    some.keep(str(script))
    assert some.is_known(str(script))
    assert some.code(str(script)) is some.code(str(script))
    assert some.directory(str(script)) == os.path.realpath(script.parent)


def test_changed_code_is_never_run_from_memory(script: Path) -> None:
    some = scripts(script)
    some.keep(str(script))
    for number in range(5):
        write(script, f"x = {number}")
        assert not some.is_known(str(script))
        assert value(some, script) == number


def test_only_allowed_scripts_run(script: Path) -> None:
    with pytest.raises(Refused, match="not among the scripts"):
        scripts().directory(str(script))


def test_a_file_that_hides_a_module_is_refused(script: Path) -> None:
    held = {"json": ("/lib/json.py", (0, 0, 0, 0, 0), True)}
    some = Scripts(frozenset([str(script)]), held, [], os.defpath)
    assert some.directory(str(script))
    (script.parent / "json.py").touch()
    with pytest.raises(Refused, match=r"json\.py hides a module"):
        some.directory(str(script))


def test_another_interpreter_is_refused(script: Path) -> None:
    script.write_text("#!/bin/sh\n")
    with pytest.raises(Refused, match="not a Python script"):
        scripts(script).directory(str(script))


def test_what_cannot_be_compiled_is_left_to_its_own_interpreter(script: Path) -> None:
    write(script, "1 +")
    some = scripts(script)
    with pytest.raises(Refused, match="cannot be compiled: SyntaxError"):
        some.code(str(script))
    some.keep(str(script))
    assert some.is_known(str(script))  # and is not compiled again for each request
    with pytest.raises(Refused, match="cannot be compiled"):
        some.code(str(script))


def test_code_of_a_file_that_could_change_unnoticed_is_not_kept(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "RACY", 10**18)
    some = scripts(script)
    some.keep(str(script))
    assert not some.is_known(str(script))
    assert value(some, script) == 1


def test_a_script_that_is_not_executable_is_refused(script: Path) -> None:
    script.chmod(0o644)
    with pytest.raises(Refused, match="not executable"):
        scripts(script).directory(str(script))


def test_a_pth_file_that_is_added_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "site-packages"
    place.mkdir()
    some = Scripts(frozenset(), {}, [str(place)], os.defpath)
    monkeypatch.setattr("cgikit.accelerate.scripts.EVERY", 0)
    assert some.stale() == ""
    (place / "more.pth").write_text("/nowhere\n")
    assert some.stale() == str(place / "more.pth")


def test_a_changed_library_is_stale(tmp_path: Path) -> None:
    from cgikit.warm.program import stamp_of

    library = tmp_path / "library.py"
    library.touch()
    past = time.time() - 100
    os.utime(library, (past, past))
    held = {"library": (str(library), stamp_of(library.stat()), False)}
    some = Scripts(frozenset(), held, [str(tmp_path)], os.defpath)
    assert some.stale() == ""
    library.write_text("x = 1")
    assert some.stale() == str(library)


def test_a_folder_is_looked_at_again_so_that_no_child_has_to(
    script: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed: list[str] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path) or real(path))
    some = scripts(script)
    some.keep(str(script))
    (script.parent / "new").touch()  # the folder is another one
    some.remember()
    assert listed.count(str(script.parent)) == 2
    some.directory(str(script))
    assert listed.count(str(script.parent)) == 2


def test_a_script_that_is_gone_is_no_error_where_all_are_looked_at(script: Path) -> None:
    some = scripts(script)
    some.keep(str(script))
    script.unlink()
    some.remember()


def test_a_front_that_is_changed_removed_or_made_is_seen(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.cgi").write_text("front")
    beside = [str(tmp_path / f"{name}.py") for name in ("one", "two", "three")]
    assert Fronts(beside, []).changed() == ""
    fronts = Fronts(beside, [])
    (tmp_path / "one.cgi").write_text("another")
    assert fronts.changed() == str(tmp_path / "one.cgi")
    fronts = Fronts(beside, [])
    (tmp_path / "two.cgi").unlink()
    assert fronts.changed() == str(tmp_path / "two.cgi")
    fronts = Fronts(beside, [])
    (tmp_path / "three.cgi").write_text("front")
    assert fronts.changed() == str(tmp_path / "three.cgi")


def test_a_script_may_change_in_its_front(tmp_path: Path) -> None:
    file, front = tmp_path / "kept.py", b"#!/p -IS\n# the front\n"
    whole = inplace.together(front, inplace.Kept(b"#!/p\nx = 1\n", 0o755, 1))
    file.write_bytes(whole)
    fronts = Fronts([], [str(file)])
    file.write_bytes(whole.replace(b"#|x = 1", b"#|x = 2\n#|y = 3"))
    assert fronts.changed() == ""
    for other in (whole.replace(b"# the front", b"# another"), b"#!/p\nx = 1\n"):
        file.write_bytes(other)
        assert fronts.changed() == str(file)
    file.unlink()
    assert fronts.changed() == str(file)
