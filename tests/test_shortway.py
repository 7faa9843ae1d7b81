"""The short way to cgikit's own modules (`cgikit._load_directly`), for processes of a web server.

It must give what an import gives, take itself out of the way in any doubt, and be taken otherwise: an
audit hook sees every import, and not the short way.
"""

import json
import os
import py_compile
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from posting import clean_environ

import cgikit
from cgikit import _LONGEST, _WITH

PACKAGE = Path(cgikit.__file__).parent
#: Notes the modules of cgikit that the import system imports, and those that are loaded at the end.
WATCH = """
import json, os, sys
imported = []
def hook(event, arguments):
    if event == "import" and arguments[0].startswith("cgikit."):
        imported.append(arguments[0])
sys.addaudithook(hook)
import cgikit
"""
TELL = """
loaded = sorted(name for name in sys.modules if name.startswith("cgikit."))
print(json.dumps([sorted(set(imported)), loaded]))
"""
CGI = {"REQUEST_METHOD": "GET"}
#: What is loaded with a module because it is certain to be needed when that is used.
USED = {"sessions.session": {"sessions.cookie"}}
PARTS = {"sessions.session": "Session", "sessions.file": "FileStore"}


def python(source: str, environ: dict[str, str], *options: str, path: str = "") -> str:
    """What a process prints."""
    environ = {**clean_environ(), **environ}  # -c looks in the working directory first
    command = [sys.executable, *options, "-c", source]
    done = subprocess.run(
        command, env=environ, cwd=path or PACKAGE.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def watched(source: str, environ: dict[str, str], *options: str, path: str = "") -> list[list[str]]:
    """The modules of cgikit that were imported, and those that were loaded, by either way."""
    found: list[list[str]] = json.loads(python(WATCH + source + TELL, environ, *options, path=path))
    return found


def name_of(module: str) -> str:
    """How a module of the table is asked for: by its own name, or by a public one."""
    return PARTS.get(module, module)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package in a directory of its own, compiled."""
    for path in PACKAGE.glob("*.py"):
        target = tmp_path / "cgikit" / path.name
        target.parent.mkdir(exist_ok=True)
        shutil.copy(path, target)
        py_compile.compile(str(target))
    return tmp_path


@pytest.mark.parametrize("module", _WITH)
def test_it_is_taken_and_loads_what_an_import_loads(module: str) -> None:
    ask = f"cgikit.{name_of(module)}\n"
    used = "".join(f"import cgikit.{name}\n" for name in USED.get(module, ()))
    python(f"import cgikit\n{used}{ask}", {})  # compiles what is not compiled
    imported, loaded = watched(ask, CGI)
    assert set(imported) <= {"cgikit.sessions"}  # a package is imported as usual
    usual_imported, usual = watched(ask, {})
    assert usual_imported
    assert set(loaded) - {f"cgikit.{name}" for name in USED.get(module, ())} == set(usual)


LOOK = """
import sys
for name in {modules!r}:
    getattr(cgikit, name)
def shown(module):
    spec = module.__spec__
    names = {{name: repr(value) for name, value in vars(module).items()
             if isinstance(value, (str, int, bytes, type(None)))}}
    return [names, sorted(set(vars(module)) - {{"__annotations__"}}), type(module.__loader__).__name__,
            module.__loader__ is spec.loader, spec.loader.path, spec.loader.name, spec.parent,
            spec.cached, spec.has_location, spec.submodule_search_locations,
            getattr(sys.modules[spec.name.rpartition(".")[0]], spec.name.rpartition(".")[2]) is module]
loaded = {{name: shown(module) for name, module in sys.modules.items()
          if name.startswith("cgikit.") and name not in ("cgikit.sessions", "cgikit.sessions.cookie")}}
print(json.dumps([loaded, imported]))
"""


def test_a_module_has_the_attributes_that_an_import_gives() -> None:
    look = WATCH + LOOK.format(modules=[name_of(module) for module in _WITH])
    (usual, _), (short, imported) = (json.loads(python(look, e)) for e in ({}, CGI))
    assert "cgikit.request" not in imported
    assert len(short) > 20
    assert sorted(short) == sorted(usual)
    for name in usual:
        assert short[name] == usual[name], name


def test_source_reload_and_pickle_work() -> None:
    source = """
import cgikit, importlib, inspect, pickle
kind = cgikit.MultiDict
assert inspect.getsource(kind).startswith("class MultiDict(")
assert inspect.getsource(cgikit.multidict) == open(cgikit.multidict.__file__).read()
assert pickle.loads(pickle.dumps(kind)) is kind
again = importlib.reload(cgikit.multidict)
assert again is cgikit.multidict and again.MultiDict is not kind
import cgikit.multidict as module
from cgikit.multidict import MultiDict
assert module is again and MultiDict is again.MultiDict
"""
    python(source, CGI)


def test_a_traceback_shows_the_line_wherever_the_module_was_compiled(copy: Path) -> None:
    py_compile.compile(str(copy / "cgikit" / "multidict.py"), dfile="/elsewhere/multidict.py")
    source = "import cgikit; cgikit.MultiDict([('n', 'x')]).getint('n')"
    done = subprocess.run(
        [sys.executable, "-c", source],
        env={**clean_environ(), **CGI},
        cwd=copy,
        capture_output=True,
        text=True,
    )
    assert f'File "{copy}/cgikit/multidict.py", line ' in done.stderr
    assert 'raise self._invalid(name, text, "is not a whole number")' in done.stderr


@pytest.mark.parametrize("same_size", [True, False])
def test_a_changed_source_is_what_runs(copy: Path, same_size: bool) -> None:
    html = copy / "cgikit" / "html.py"
    (imported, _) = watched("cgikit.escape\n", CGI, path=str(copy))
    assert imported == []
    text = html.read_text()
    html.write_text(text.replace("&lt;", "&LT;" if same_size else "&#60;"))
    before = os.stat(html)
    os.utime(html, (before.st_atime, before.st_mtime + (10 if same_size else 0)))
    shown = python("import cgikit; print(cgikit.escape('<'))", CGI, path=str(copy))
    assert shown == ("&LT;\n" if same_size else "&#60;\n")


DOUBTS = {
    "no compiled file": lambda file: file.unlink(),
    "an empty file": lambda file: file.write_bytes(b""),
    "another Python's": lambda file: file.write_bytes(b"\0" + file.read_bytes()[1:]),
    "a large file": lambda file: file.write_bytes(file.read_bytes() + b"\0" * _LONGEST),
    "checked by a hash": lambda file: py_compile.compile(
        str(file.parents[1] / "html.py"),
        invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH,
    ),
}


@pytest.mark.parametrize("doubt", DOUBTS)
def test_in_doubt_about_the_file_the_module_is_imported(copy: Path, doubt: str) -> None:
    (file,) = (copy / "cgikit" / "__pycache__").glob("html.*")
    DOUBTS[doubt](file)
    imported, loaded = watched("assert cgikit.escape('<') == '&lt;'\n", CGI, path=str(copy))
    assert "cgikit.html" in imported
    assert "cgikit.html" in loaded


MEASURED = """
import importlib._bootstrap as bootstrap
load = bootstrap._find_and_load
def mine(*given): return load(*given)
bootstrap._find_and_load = mine
"""

OF_A_LATER_PYTHON = """
import types
usual = sys.modules["_frozen_importlib_external"]
sys.modules["_frozen_importlib_external"] = types.SimpleNamespace(
    _bootstrap=usual._bootstrap,
    SourceFileLoader=usual.SourceFileLoader,
    MAGIC_NUMBER=usual.MAGIC_NUMBER,
)
"""


@pytest.mark.parametrize(
    ("environ", "before", "options"),
    [
        ({}, "", []),
        ({"REQUEST_METHOD": ""}, "", []),
        ({**CGI, "PYTHONPROFILEIMPORTTIME": "1"}, "", []),
        (CGI, "", ["-X", "importtime"]),
        (CGI, "", ["-v"]),
        (CGI, "", ["-X", "pycache_prefix=/nonexistent/cache", "-B"]),
        (CGI, "import threading; threading.Thread(target=sys.stdin.read, daemon=True).start()", []),
        (CGI, MEASURED, []),
        (CGI, OF_A_LATER_PYTHON, []),
        (CGI, "del sys.modules['_frozen_importlib_external']", []),
    ],
)  # fmt: skip
def test_it_is_not_taken(environ: dict[str, str], before: str, options: list[str]) -> None:
    read, write = os.pipe()  # so that the thread does not end
    try:
        done = subprocess.run(
            [sys.executable, *options, "-c", f"{WATCH}\n{before}\ncgikit.escape\n{TELL}"],
            env={**clean_environ(), **environ},
            stdin=read,
            capture_output=True,
            text=True,
        )
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 0, done.stderr
    assert "cgikit.html" in json.loads(done.stdout)[0]


def test_no_module_is_near_the_longest_file() -> None:
    for module in _WITH:
        files = (PACKAGE / f"{module.replace('.', '/')}.py").parent.glob("__pycache__/*.pyc")
        assert max(file.stat().st_size for file in files if "pytest" not in file.name) < _LONGEST


def test_a_module_that_fails_is_not_left_half_loaded(copy: Path) -> None:
    html = copy / "cgikit" / "html.py"
    html.write_text(html.read_text() + "\nraise LookupError('broken')\n")
    py_compile.compile(str(html))
    source = """
import sys, cgikit
for _ in range(2):
    try:
        cgikit.escape
    except LookupError as error:
        print(error, "cgikit.html" in sys.modules, hasattr(cgikit, "_html"))
"""
    assert python(source, CGI, path=str(copy)) == "broken False False\n" * 2
