"""Where the modules of a script are found, if the script itself says where to look."""

import sys
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.checking.interpreter import Told, ask

KNOWN = {
    "constant": 'sys.path.insert(0, "{lib}")',
    "relative": 'sys.path.append("lib")',
    "beside the script": 'sys.path.insert(0, os.path.join(os.path.dirname(__file__), "lib"))',
    "absolute": "sys.path.append(os.path.dirname(os.path.abspath(__file__)) + '/lib')",
    "by a name": "here = os.path.dirname(os.path.realpath(__file__))\n"
    "sys.path[:0] = [os.path.join(here, 'lib')]",
    "from above": 'sys.path.insert(1, os.path.join(os.path.dirname(__file__), "..", "cgi", "lib"))',
    "Path": "sys.path.insert(0, str(Path(__file__).resolve().parent / 'lib'))",
    "parents": "sys.path.insert(0, str(Path(__file__).parents[1].joinpath('cgi', 'lib')))",
    "f-string": "sys.path.append(f'{os.getcwd()}/lib')",
    "split": "sys.path.append(os.path.split(__file__)[0] + '/lib')",
    "extended": "sys.path.extend(['/nowhere', sys.path[0] + '/lib'])",
    "added": "sys.path += ['lib']",
    "a new list": "sys.path = ['lib'] + sys.path",
    "imported": "from sys import path\npath.append('lib')",
}
UNKNOWN = {
    "environment": "sys.path.insert(0, os.environ['LIB'])",
    "home": "sys.path.insert(0, os.path.expanduser('~/lib'))",
    "loop": "for each in ('a', 'lib'):\n    sys.path.append(each)",
    "a list": "sys.path.extend(found())",
    "by site": "site.addsitedir('lib')",
    "by hand": "sys.modules['own'] = sys",
    "given two values": "x = 'a'\nx = 'lib'\nsys.path.append(x)",
    "too long": f"sys.path.append({' + '.join(['x'] * 100)})",
}


def told_of(tmp_path: Path, source: str) -> Told:
    """Ask about a script in `cgi` that has a module in `cgi/lib`."""
    library = tmp_path / "cgi" / "lib"
    library.mkdir(parents=True)
    (library / "own.py").write_text("")
    file = tmp_path / "cgi" / "a.py"
    file.write_text(f"#!{sys.executable}\n{source.replace('{lib}', str(library))}\nimport own\n")
    told = ask(str(file), "/usr/bin:/bin", Account.current(), 60)
    assert told is not None
    assert told.error is None
    return told


def place(told: Told) -> str | None:
    return {each.name: each.place for each in told.imports}["own"]


@pytest.mark.parametrize("name", KNOWN)
def test_a_module_is_found_where_the_script_looks(tmp_path: Path, name: str) -> None:
    """It was said to be missing, and the script not to work."""
    told = told_of(tmp_path, KNOWN[name])
    assert place(told) == str(tmp_path / "cgi/lib/own.py")
    assert told.unsure == 0


@pytest.mark.parametrize("name", UNKNOWN)
def test_where_only_a_run_can_tell_it_says_so(tmp_path: Path, name: str) -> None:
    told = told_of(tmp_path, UNKNOWN[name])
    assert place(told) is None
    assert told.unsure == 2 + UNKNOWN[name].count("\n")


def test_a_module_beside_the_script_may_change_where_to_look(tmp_path: Path) -> None:
    (tmp_path / "cgi").mkdir()
    (tmp_path / "cgi" / "setup_path.py").write_text("import sys\nsys.path.append('lib')\n")
    (tmp_path / "cgi" / "plain.py").write_text("")
    file = tmp_path / "cgi" / "a.py"
    for module, line in (("setup_path", 2), ("plain", 0)):
        file.write_text(f"#!{sys.executable}\nimport {module}\nimport own\n")
        told = ask(str(file), "/usr/bin:/bin", Account.current(), 60)
        assert told is not None
        assert told.unsure == line


def test_what_is_only_read_of_sys_path_changes_nothing(tmp_path: Path) -> None:
    told = told_of(tmp_path, "print(sys.path[0], 'x' in sys.path)")
    assert (place(told), told.unsure) == (None, 0)


@pytest.mark.parametrize("word", ["suppress", "contextlib.suppress"])
def test_an_import_that_is_suppressed_is_optional(tmp_path: Path, word: str) -> None:
    told = told_of(tmp_path, f"with {word}(ImportError):\n    import nowhere")
    optional = [(each.name, each.optional) for each in told.imports]
    assert optional == [("nowhere", True), ("own", False)]
