"""What each common path may import: for a CGI script, importing is where the time goes.

Each path runs in a process of its own, started as a server starts a script; what that has imported
beyond a bare start of the same interpreter is compared with the table below. Whoever adds an import
to a path meets this test, and either imports where it is needed or changes the table, with a reason.
"""

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from posting import MULTIPART, URLENCODED, clean_environ, environ, field, file, multipart

#: Too dear for what every request needs. None may be in a bare start: a path could hide it there.
DEAR = """
    re enum json typing dataclasses html tempfile urllib.parse random http.cookies email datetime
    secrets threading logging subprocess collections functools contextlib traceback warnings inspect
    dateutil wsgiref hashlib types ctypes decimal fcntl select socket shutil pathlib
""".split()

HANDLER = """
from cgikit import run
def answer(request):
    {}
run(answer)
"""

REPORT = '\nimport sys\nsys.stderr.write(" ".join(sys.modules))\n'


class Case(NamedTuple):
    """A script's way through the library: `ours` is exact, of `others` there may be fewer."""

    script: str
    environ: dict[str, str]
    ours: str
    others: str = "atexit"
    body: bytes = b""


RUN = "cgikit request environ limits script response headers process"
FORM = multipart(field("a", b"1"), file("f", "x.txt", b"content"))

PATHS = {
    "GET with a query, HTML back": Case(
        HANDLER.format('from cgikit import escape; return escape(request.query["name"])'),
        environ(b"", "", "GET", QUERY_STRING="name=a%20b+%C3%A4", HTTP_HOST="h"),
        f"{RUN} querystring multidict html",
    ),
    "the same in the plain style": Case(
        """
from cgikit import Request, Response, escape
request = Request()
Response.html(f"<p>Hello, {escape(request.params.get('name', 'world'))}!</p>").send()
""",
        environ(b"", "", "GET", QUERY_STRING="name=a%20b"),
        "cgikit request environ limits response headers html process querystring multidict",
    ),
    "an old script": Case(
        """
from cgikit.compat import cgi, cgitb
cgitb.enable()
form = cgi.FieldStorage()
print("Content-Type: text/html\\n")
print(form.getvalue("name"), form["name"].value)
""",
        environ(b"", "", "GET", QUERY_STRING="name=a%20b"),
        "cgikit compat compat.cgi compat.cgitb compat.fields compat.limits compat.printed"
        " compat.urlencoded limits querystring multidict",
    ),
    "an old script, multipart": Case(
        """
from cgikit.compat import cgi
form = cgi.FieldStorage()
print("Content-Type: text/html\\n")
print(form.getvalue("a"), form["f"].file.read())
""",
        environ(FORM, MULTIPART),
        "cgikit compat compat.cgi compat.fields compat.limits compat.urlencoded compat.headers"
        " compat.reader compat.reading limits querystring multidict",
        body=FORM,
    ),
    "a typed field": Case(
        HANDLER.format('return str(request.query.getint("n", min=1, max=12))'),
        environ(b"", "", "GET", QUERY_STRING="n=6"),
        f"{RUN} querystring multidict",
    ),
    "POST, urlencoded": Case(
        HANDLER.format('return "<p>" + request.form["a"]'),
        environ(b"a=1%20&b=2", URLENCODED),
        f"{RUN} body querystring multidict",
        body=b"a=1%20&b=2",
    ),
    "a form that remembers": Case(
        HANDLER.format(
            "from cgikit import fields; return fields.form(request,"
            "fields.text(request, 'n', type='email'), fields.select(request, 'c', ['a']),"
            "fields.checkbox(request, 'k'))"
        ),
        environ(b"", "", "GET", QUERY_STRING="n=x", SCRIPT_NAME="/x.py"),
        f"{RUN} querystring multidict html fields fields.choices fields.controls fields.forms"
        " fields.inputs fields.inputtypes",
    ),
    "the counter": Case(
        HANDLER.format("from cgikit import Counter; return str(Counter('count.dat').increment())"),
        environ(b"", "", "GET"),
        f"{RUN} counters files locks regularfile",
        "atexit fcntl",
    ),
    "a session in files": Case(
        """
from cgikit import FileStore, run
def answer(request):
    request.session["n"] = 1
    return "x"
run(answer, sessions=FileStore("sessions", sweep_chance=0))
""",
        environ(b"", "", "GET"),
        f"{RUN} multidict regularfile cookies sessions sessions.cookie sessions.directory sessions.file"
        " sessions.payload sessions.session sessions.sessionfile sessions.store sessions.values",
        "atexit _json _sha2 _sha256 binascii",
    ),
    "cookies, read and set": Case(
        HANDLER.format(
            "from cgikit import Response; response = Response.html(request.cookies['a']);"
            "response.set_cookie('b', '2'); return response"
        ),
        environ(b"", "", "GET", HTTP_COOKIE="a=1; c=x"),
        f"{RUN} cookies multidict",
    ),
    "signed cookies, read and set": Case(
        HANDLER.format(
            "from cgikit import Response; response = Response.html('x');"
            "request.cookies.signed('a', 'k' * 32, max_age=60);"
            "response.set_cookie('a', '2', signed_with='k' * 32); return response"
        ),
        environ(b"", "", "GET", HTTP_COOKIE="a=1.1.0.x"),
        f"{RUN} cookies multidict signing",
        "atexit _sha2 _sha256 _operator",
    ),
    "a choice by Accept": Case(
        HANDLER.format("return str(request.accepts(['text/html']))"),
        environ(b"", "", "GET", HTTP_ACCEPT="text/html;q=0.5"),
        f"{RUN} accept parameters",
    ),
    "Basic authorization": Case(
        HANDLER.format("return str(request.authorization.username)"),
        environ(b"", "", "GET", HTTP_AUTHORIZATION="Basic YTpi"),
        f"{RUN} authorization errors parameters",
        "atexit binascii",
    ),
    "a redirect": Case(
        HANDLER.format("from cgikit import Response; return Response.redirect('/x')"),
        environ(b"", "", "GET", HTTP_HOST="h"),
        f"{RUN} redirect status url html",
    ),
    "a compressed page": Case(
        HANDLER.format(
            "from cgikit import Response; response = Response('x' * 2000);"
            "response.compressed = True; return response"
        ),
        environ(b"", "", "GET", HTTP_ACCEPT_ENCODING="gzip, deflate, br"),
        f"{RUN} accept compression parameters requestheaders",
        "atexit zlib",
    ),
    "server-sent events": Case(
        HANDLER.format("from cgikit import Response; return Response.events(['a'])"),
        environ(b"", "", "GET"),
        f"{RUN} events streamed",
    ),
    "a field that is missing": Case(
        HANDLER.format('return str(request.query.getint("n"))'),
        environ(b"", "", "GET"),
        f"{RUN} querystring multidict errors debug status html",
    ),
    "multipart with a file": Case(
        HANDLER.format('return request.form["a"] + request.files["f"].filename'),
        environ(FORM, MULTIPART),
        f"{RUN} body delimiters errors formparts multidict multipart parameters partheader pushparser"
        " upload",
        "atexit multipart",
        FORM,
    ),
}


def loaded(script: str, case_environ: dict[str, str], body: bytes, place: Path) -> set[str]:
    """The modules that a process with that script has loaded at its end."""
    (place / "script.py").write_text(script + REPORT)
    done = subprocess.run(
        [sys.executable, "script.py"],
        env={**clean_environ(), **case_environ},  # no PYTHON* variables: they load things, too
        input=body,
        capture_output=True,
        cwd=place,
    )
    assert done.returncode == 0, done.stderr.decode()
    *log, modules = done.stderr.decode().split("\n")
    assert not [line for line in log if "Traceback" in line], log
    return set(modules.split())


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """What a start of this interpreter loads anyhow, site-packages' .pth files included."""
    return loaded("", {}, b"", tmp_path_factory.mktemp("bare"))


def test_a_bare_start_hides_nothing(bare: set[str]) -> None:
    assert bare & set(DEAR) == set()
    assert not [name for name in bare if name.startswith("cgikit.")]


@pytest.mark.parametrize("name", PATHS)
def test_a_path_imports_what_it_may(name: str, bare: set[str], tmp_path: Path) -> None:
    case = PATHS[name]
    found = loaded(case.script, case.environ, case.body, tmp_path) - bare
    ours = {name for name in found if name.partition(".")[0] == "cgikit"}
    expected = {"cgikit" if one == "cgikit" else f"cgikit.{one}" for one in case.ours.split()}
    assert ours == expected
    assert found - ours - set(case.others.split()) == set()


@pytest.mark.parametrize("dear", ["re", "json", "typing", "enum"])
def test_a_new_import_would_be_seen(dear: str, bare: set[str], tmp_path: Path) -> None:
    case = PATHS["GET with a query, HTML back"]
    found = loaded(f"import {dear}\n{case.script}", case.environ, case.body, tmp_path) - bare
    assert dear in found - set(case.others.split())


def test_importing_the_package_loads_nothing_else(bare: set[str], tmp_path: Path) -> None:
    assert loaded("import cgikit", {}, b"", tmp_path) - bare == {"cgikit"}
