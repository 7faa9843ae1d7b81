"""What is wrong with the source of a script and with its imports."""

import sys
from pathlib import Path

import pytest

from cgikit.checking.finding import Finding
from cgikit.checking.interpreter import Import, Told
from cgikit.checking.modules import check_modules

PYTHON = "/opt/other/bin/python3"
STDLIB = frozenset({"json", "email", "sys"})


def check(file: str, *imports: Import, error: tuple[int, str, str] | None = None) -> list[Finding]:
    told = Told("3.13.0", PYTHON, list(imports), STDLIB, error)
    return check_modules(file, told)


def test_imports_that_are_found_are_no_finding(tmp_path: Path) -> None:
    found = Import("json", 2, False, "/usr/lib/python3/json/__init__.py")
    assert check(str(tmp_path / "a.py"), found, Import("sys", 3, False, "built-in")) == []


@pytest.mark.parametrize("place", ["built-in", "frozen"])
def test_a_module_that_has_no_file_is_not_beside_the_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """In the directory of the script, `import sys` was said to find a file `built-in` there."""
    monkeypatch.chdir(tmp_path)
    assert check("a.py", Import("sys", 3, False, place)) == []


@pytest.mark.parametrize(
    ("name", "kind", "fix"),
    [
        ("cgi", "module-removed", "cgikit migrate --write"),
        ("cgitb", "module-removed", "cgikit vendor cgi"),
        ("telnetlib", "module-removed", "pip install standard-telnetlib"),
        ("distutils", "module-removed", "pip install setuptools"),
        ("legacy_cgi", "module-missing", "from cgikit.compat import cgi "),
        ("legacy_cgitb", "module-missing", "legacy-cgi itself is imported as cgitb"),
        ("cgikit", "module-missing", f"#!{sys.executable} "),
        ("cgikit", "module-missing", f"install cgikit for {PYTHON}"),
        ("nosuch", "module-missing", f"{PYTHON} -m pip install nosuch"),
    ],
)
def test_an_import_that_fails(tmp_path: Path, name: str, kind: str, fix: str) -> None:
    file = str(tmp_path / "a.py")
    (found,) = check(file, Import(name, 4, False, None), Import(name, 9, False, None))
    assert (found.kind, found.line, found.is_error) == (kind, 4, True)
    assert f"a.py, line 4: Python 3.13.0 ({PYTHON}) has no module {name}" in found.what
    assert fix in found.fix


def test_an_import_that_may_fail_is_no_finding(tmp_path: Path) -> None:
    assert check(str(tmp_path / "a.py"), Import("cgi", 4, True, None)) == []


def test_an_import_that_is_needed_elsewhere_is_one(tmp_path: Path) -> None:
    both = Import("cgi", 4, True, None), Import("cgi", 5, False, None)
    assert [each.kind for each in check(str(tmp_path / "a.py"), *both)] == ["module-removed"]


def test_an_import_that_a_run_may_find_is_advice(tmp_path: Path) -> None:
    """`sys.path.insert(0, os.environ["LIB"])`: the module was said to be missing."""
    told = Told("3.13.0", PYTHON, [Import("own", 4, False, None)], STDLIB, None, unsure=3)
    (found,) = check_modules(str(tmp_path / "a.py"), told)
    assert (found.kind, found.is_error, found.line) == ("module-missing", False, 4)
    assert "has no module own, unless line 3 " in found.what


def test_thousands_of_missing_modules_are_cut(tmp_path: Path) -> None:
    """Each was compared with all the others: 60,000 took minutes."""
    many = [Import(f"m{number}", number, False, None) for number in range(100_000)]
    assert len(check(str(tmp_path / "a.py"), *many)) == 50


def test_a_file_beside_the_script_in_the_place_of_python_s_own(tmp_path: Path) -> None:
    own = tmp_path / "json.py"
    own.write_text("")
    (found,) = check(str(tmp_path / "a.py"), Import("json", 2, False, str(own)))
    assert (found.kind, found.is_error, found.fix) == ("module-shadows", True, "Rename json.py.")


def test_one_that_only_others_could_import_is_advice(tmp_path: Path) -> None:
    (tmp_path / "email.py").write_text("")
    (found,) = check(str(tmp_path / "a.py"))
    assert (found.kind, found.is_error) == ("module-shadows", False)
    assert found.file == str(tmp_path / "email.py")


def test_a_second_module_cgi_is_advice(tmp_path: Path) -> None:
    place = "/usr/lib/python3/site-packages/cgi/__init__.py"
    (found,) = check(str(tmp_path / "a.py"), Import("cgi", 2, False, place))
    assert (found.kind, found.is_error) == ("other-cgi-module", False)
    assert place in found.what


def test_a_module_named_like_the_package_legacy_cgi_is_advice(tmp_path: Path) -> None:
    (found,) = check(str(tmp_path / "a.py"), Import("legacy_cgi", 2, False, "/x/legacy_cgi.py"))
    assert (found.kind, found.is_error, found.line) == ("legacy-cgi", False, 2)
    assert "from cgikit.compat import cgi " in found.fix


@pytest.mark.parametrize(
    ("error", "kind", "word"),
    [
        ((3, "'(' was never closed", "print(1\n"), "syntax-error", "a.py, line 3: Python 3.13.0"),
        ((0, "source code cannot contain null bytes", ""), "syntax-error", "a.py: Python"),
        ((1, "(unicode error) 'utf-8' codec can't decode byte 0xe9", ""), "encoding", "decode"),
    ],
)
def test_what_python_cannot_read(
    tmp_path: Path, error: tuple[int, str, str], kind: str, word: str
) -> None:
    (found,) = check(str(tmp_path / "a.py"), error=error)
    assert (found.kind, found.line, found.evidence) == (kind, error[0], found.evidence)
    assert word in found.what
    assert found.fix


def test_a_script_for_python_2_is_told_so(tmp_path: Path) -> None:
    error = (2, "Missing parentheses in call to 'print'. Did you mean print(...)?", "print 1")
    (found,) = check(str(tmp_path / "a.py"), error=error)
    assert "Python 2" in found.fix


def test_the_removed_modules_are_those_that_python_has_removed() -> None:
    from cgikit.checking.modules import _REMOVED

    gone = {name for name in _REMOVED if name not in sys.stdlib_module_names}
    expected = set(_REMOVED) if sys.version_info >= (3, 13) else gone
    assert gone == expected
