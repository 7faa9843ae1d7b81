"""How a bundle's library begins: its modules are those of cgikit, and `os` comes when needed."""

import glob
import os
import subprocess
import sys
from pathlib import Path

import pytest
from posting import clean_environ

from cgikit.bundle import boot, library
from cgikit.bundle.target import target

NAMES = {"run", "escape", "query", "session"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library folder."""
    place = tmp_path_factory.mktemp("library")
    for path, data in library.files(library.modules(NAMES), NAMES, target()).items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)
    return place


def run(place: Path, code: str, *options: str, **variables: str) -> str:
    """What some code prints that has the library on its path."""
    begin = "import sys; sys.path.insert(0, sys.argv[1])\n"
    done = subprocess.run(
        [sys.executable, *(options or ("-IS",)), "-c", begin + code, str(place)],
        env={**clean_environ(), **variables},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "name", ["script", "process", "html", "debug", "multipart", "sessions", "sessions.session"]
)
def test_a_module_is_what_it_is_elsewhere(name: str, place: Path) -> None:
    """In the order of a request, in the first file, compressed, a package, below a package."""
    code = f"""
import cgikit, importlib, inspect, pickle
module = importlib.import_module("cgikit.{name}")
assert module is sys.modules["cgikit.{name}"]
assert module.__name__ == "cgikit.{name}" and module.__spec__.name == "cgikit.{name}"
path = "cgikit." + "{name}"
assert module.__package__ == (path if hasattr(module, "__path__") else path.rpartition(".")[0])
print(module.__file__, inspect.getsource(module).count("\\n") > 2)
"""
    end = "/__init__.py" if name == "sessions" else ".py"
    path = place / "cgikit" / (name.replace(".", "/") + end)
    assert run(place, code) == f"{path} True\n"


def test_public_names_lead_to_their_modules(place: Path) -> None:
    code = """
import cgikit
from cgikit import BadRequest, Request, Response, escape, run
assert run is cgikit.script.run and Request is cgikit.request.Request
assert escape is cgikit.html.escape and BadRequest is cgikit.errors.BadRequest
try: cgikit.nothing
except AttributeError: pass
try: from cgikit import cli
except ImportError: print("as it should be")
"""
    assert run(place, code) == "as it should be\n"


def test_a_traceback_names_the_lines_of_the_source(place: Path) -> None:
    code = """
import traceback
from cgikit import Response
try: Response.html("x").headers["a b"] = "c"
except ValueError: print(traceback.format_exc())
"""
    text = run(place, code)
    assert f'File "{place}/cgikit/headers.py", line ' in text
    assert "check_field(name, value)" in text


def test_os_is_not_imported_for_an_ordinary_request(place: Path) -> None:
    code = """
from cgikit import Request, Response
request = Request()
Response.html(request.path_info + request.environ["REQUEST_METHOD"]).send(request=request)
print("os" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {str(place)!r})\n{code}"],
        env={**clean_environ(), "REQUEST_METHOD": "GET", "PATH_INFO": "/ü"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.endswith("\n\n/üGET")
    assert done.stderr == "False\n"


def test_the_environment_is_that_of_os(place: Path) -> None:
    """What stands for `os.environ` while `os` is not imported gives what that would give."""
    code = """
from cgikit import Request
request = Request()
early = request.environ
assert early.get("A") == "1" and early["B"] == "\\xfc" and early.get("NO", 7) == 7
assert "A" in early and "NO" not in early and "os" not in sys.modules
try: early["NO"]
except KeyError as error: assert error.args == ("NO",)
import os
os.environ["A"] = "2"
assert early["A"] == "2" and early.get("A") == "2" and {**early}["A"] == "2"
assert early == os.environ and dict(early) == dict(os.environ) and len(early) == len(os.environ)
assert list(early) == list(os.environ) and sorted(early.items()) == sorted(os.environ.items())
assert (early | {"C": "3"})["C"] == ({"C": "3"} | early)["C"] == "3" and repr(early) == repr(os.environ)
early["D"] = "4"
assert os.environ["D"] == "4"
del early["D"]
assert "D" not in os.environ and early.copy() == os.environ.copy()
import collections.abc
assert isinstance(early, collections.abc.Mapping)
print("the same")
"""
    assert run(place, code, A="1", B="ü") == "the same\n"


def test_what_is_not_posix_imports_os(place: Path) -> None:
    code = """
import cgikit
late = cgikit._os
assert late.getpid is __import__("posix").getpid and "os" not in sys.modules
assert late.path.join("/a", "b") == "/a/b" and late.path.join("/a/", "/b") == "/b"
assert late.path.join("", "b") == "b" and late.path.samefile("/", "/.") and "os" not in sys.modules
assert late.sep == "/" and "os" in sys.modules
import os
assert late.path is os.path and late.environ is os.environ and late.getpid is os.getpid
os.getpid = lambda: 7
assert late.getpid() == 7
try: late.nothing
except AttributeError: print("as os")
"""
    assert run(place, code) == "as os\n"


def test_a_path_is_joined_as_os_does_it(place: Path) -> None:
    pairs = [(a, b) for a in ("", "/", "a", "a/", "/a") for b in ("", ".", "b", "/b")]
    code = f"import cgikit\nprint([cgikit._os.path.join(*pair) for pair in {pairs}])"
    assert run(place, code) == f"{[os.path.join(*pair) for pair in pairs]}\n"


def test_another_python_uses_the_sources(place: Path, tmp_path: Path) -> None:
    """What was compiled for 3.11 has another number than what 3.13 can load."""
    cache = place / "cgikit" / "__pycache__"
    (compiled,) = cache.iterdir()
    data = compiled.read_bytes()
    code = "from cgikit import escape, run\nimport cgikit.sessions.session\nprint(escape('<'))\n"
    try:
        compiled.write_bytes(b"\0\0\r\n" + data[4:])
        assert run(place, code, "-IS", "-B") == "&lt;\n"
        compiled.unlink()
        assert run(place, code, "-IS", "-B") == "&lt;\n"
    finally:
        compiled.write_bytes(data)


def test_a_python_that_is_too_old_is_named_in_a_page(tmp_path: Path) -> None:
    before = boot.BEFORE.replace("sys.version_info <", "(3, 6) <")
    (tmp_path / "cgikit.py").write_text(before)
    done = subprocess.run(
        [sys.executable, "-c", "import cgikit"],
        env={"REQUEST_METHOD": "GET"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    head, _, page = done.stdout.partition("\n\n")
    assert head.splitlines()[0] == "Status: 500 Internal Server Error"
    assert sys.executable in page
    assert "cgikit bundle --interpreter" in page


def test_old_pythons_can_compile_it(place: Path) -> None:
    """Or they report a mistake in the syntax, and not which Python is needed."""
    source = (place / "cgikit" / "__init__.py").read_text()
    for found in sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python"))):
        check = "import sys; compile(sys.stdin.read(), 'x', 'exec')"
        done = subprocess.run([found, "-c", check], input=source, capture_output=True, text=True)
        assert done.returncode == 0 or "pyenv" in done.stderr, (found, done.stderr)
