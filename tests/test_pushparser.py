"""The import of the `multipart` package without what it imports: nobody else may notice."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from posting import MULTIPART, child, clean_environ, field, file, multipart

import cgikit

READ = f"""
import io, sys
from cgikit import Request
body = {multipart(field("a", b"1"), file("f", "x", b"2"))!r}
environ = {{"REQUEST_METHOD": "POST", "CONTENT_TYPE": {MULTIPART!r}, "CONTENT_LENGTH": str(len(body))}}
def read():
    request = Request(environ, io.BytesIO(body))
    print(request.form["a"], request.files["f"].read())
    request.close()
"""
USE = """
with tempfile.TemporaryDirectory() as name:
    with tempfile.NamedTemporaryFile(dir=name) as file:
        file.write(b"x")
assert tempfile.__spec__.name == "tempfile" and tempfile.gettempdir()
assert parse.__spec__.name == "urllib.parse" and parse.urlsplit("http://h/p").netloc == "h"
"""
TAKEN = "tempfile urllib.parse wsgiref.headers collections.abc functools re typing math".split()
IMPORTS = "import tempfile\nfrom urllib import parse\nimport urllib.parse\n"


@pytest.mark.parametrize(
    "code",
    [
        f"{IMPORTS}{USE}{READ}read()\n{USE}",
        f"{READ}read()\n{IMPORTS}{USE}read()\n{USE}",
        f"{READ}{IMPORTS}read()\n{USE}",
        f"import tempfile\n{READ}read()\nfrom urllib import parse\n{USE}",
        f"import urllib.parse\n{READ}read()\nimport tempfile\nfrom urllib import parse\n{USE}",
        f"import multipart\n{READ}read()\n{IMPORTS}{USE}",
        f"import urllib\n{READ}read()\nassert not hasattr(urllib, 'parse')\n{IMPORTS}{USE}",
        f"{READ}read()\nassert not {{*{TAKEN!r}}} & {{*sys.modules}}",
    ],
)
def test_nobody_else_sees_the_stand_ins(code: str) -> None:
    assert set(child(code).splitlines()) == {"1 b'2'"}


def test_the_package_works_for_others_after_us() -> None:
    code = f"""{READ}
read()
import multipart
form, files = multipart.parse_form_data({{**environ, "wsgi.input": io.BytesIO(body)}}, strict=True)
print(form["a"], files["f"].raw)
big = body.replace(b"2", bytes(200_000))
environ["CONTENT_LENGTH"] = str(len(big))
form, files = multipart.parse_form_data({{**environ, "wsgi.input": io.BytesIO(big)}}, strict=True)
print(files["f"].size, files["f"].is_buffered())
files["f"].close()
form, files = multipart.parse_form_data({{"REQUEST_METHOD": "POST", "CONTENT_LENGTH": "7",
    "CONTENT_TYPE": "application/x-www-form-urlencoded", "wsgi.input": io.BytesIO(b"a=%C3%A4")}})
print(form["a"])
print(multipart.parse_options_header("text/plain; charset=x; y"), multipart.header_quote("a b"))
part = next(iter(multipart.MultipartParser(io.BytesIO(body), body.split(b"\\r")[0][2:])))
print(part.headers["content-disposition"], part.size, type(part.headers).__module__)
parser = multipart.PushMultipartParser("b", strict=True)
event = next(parser.parse(b"--b\\r\\nX-A: 1\\r\\nContent-Disposition: form-data; name=a\\r\\n\\r\\n"))
print(event.header("X-A"), event.name)
"""
    code = code.replace('"7"', '"8"')
    assert child(code).splitlines() == [
        "1 b'2'",
        "1 b'2'",
        "200000 False",
        "ä",
        "('text/plain', {'charset': 'x'}) \"a b\"",
        'form-data; name="a" 1 wsgiref.headers',
        "1 a",
    ]


@pytest.mark.parametrize("kind", ["package", "module", "bare directory"])
def test_another_package_of_that_name_is_named(kind: str, tmp_path: Path) -> None:
    if kind == "module":
        (tmp_path / "multipart.py").write_text("class MultipartParser: pass\n")
    else:
        (tmp_path / "multipart").mkdir()
        if kind == "package":
            (tmp_path / "multipart" / "__init__.py").write_text("from .multipart import *\n")
            (tmp_path / "multipart" / "multipart.py").write_text("class MultipartParser: pass\n")
    # A directory without __init__.py gives way to any real package: only one without ours sees it.
    paths = [str(tmp_path), str(Path(cgikit.__file__).parents[1])]
    isolated = ["-S"] if kind == "bare directory" else []
    done = subprocess.run(
        [sys.executable, *isolated, "-c", f"import sys\nsys.path[:0] = {paths}\n{READ}read()"],
        env=clean_environ(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert last.startswith("ImportError: the module 'multipart' at ")
    assert str(tmp_path / "multipart") in last
    assert "python-multipart" in last
    assert "pip install 'multipart>=2'" in last


def test_no_stand_in_is_seen_by_another_thread() -> None:
    """A thread that imported tempfile meanwhile kept it: TemporaryDirectory was a function."""
    code = """
        import sys, threading
        entered, leave = threading.Event(), threading.Event()
        seen = []

        class Watch:  # stands in the way of the import of multipart, as long as we like
            def find_spec(self, name, path=None, target=None):
                if name == "multipart":
                    seen.append("tempfile" in sys.modules)

        sys.meta_path.insert(0, Watch())
        other = threading.Thread(target=leave.wait)
        other.start()
        from cgikit.pushparser import library
        library()
        leave.set()
        other.join()
        import tempfile
        print(seen, isinstance(tempfile.TemporaryDirectory, type))
    """
    assert child(textwrap.dedent(code)).split() == ["[False]", "True"]


@pytest.mark.parametrize("name", ["re", "typing", "functools", "collections.abc", "math"])
def test_a_module_is_the_real_one_for_who_imports_it_later(name: str) -> None:
    code = f"""{READ}
read()
import {name}
import importlib
print(sys.modules[{name!r}].__spec__.name, {name}.__doc__ is not None or {name!r} == "collections.abc")
import multipart, functools, collections.abc, re, typing
assert isinstance(multipart.MultiDict(), collections.abc.MutableMapping)
assert re.compile("a").fullmatch("a") and typing.Union[int, str] and functools.cached_property
"""
    assert child(code).splitlines()[1].endswith(" True")


def test_a_package_that_needs_more_gets_the_real_modules(tmp_path: Path) -> None:
    """A later version may take other names; one that fails fails by itself."""
    (tmp_path / "multipart.py").write_text(
        "from typing import NamedTuple\nimport re\nclass PushMultipartParser(NamedTuple): pass\n"
        "assert re.escape('a')\n"
    )
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from cgikit.pushparser import library
print(library().__file__, sys.modules["typing"].__spec__.name)
"""
    assert child(code) == f"{tmp_path}/multipart.py typing\n"
    (tmp_path / "multipart.py").write_text("raise OSError('broken')\n")
    with pytest.raises(AssertionError, match="OSError: broken"):
        child(code)
