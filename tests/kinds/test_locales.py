"""What comes from a browser is read in one way, whatever locale the server was started in.

Under `LC_ALL=de_DE.ISO-8859-1`, or in plain C without Python's UTF-8 mode, Python decodes the
environment by the locale: PATH_INFO, cookies and URLs were mojibake. The kind: text of the environment
that reaches a request as Python has decoded it. So each place that makes a request of variables is
listed here, and scripts are run under such locales.
"""

import ast
import gzip
import json
import os
import subprocess
from pathlib import Path

import house
import pytest
from child import environment, run_script
from hypothesis import given
from hypothesis import strategies as st
from persisting import application
from requirement import need

from cgikit import process

MODULES = house.read()

#: Every place that makes a request, and where its variables come from.
REQUESTS = {
    "crash.answer": "the process's own, by `process.environ`",
    "persistent.answer.Answerer.__call__": "from the wire, by `request_text`",
    "push._part": "of no client: only the method, for a page that is a part of an answer",
    "response.Response.send": "the process's own, by `process.environ`",
    "script.run": "the process's own, by `process.environ` in Request, or from `offline`",
    "testing.client.Client.session": "of a test, by `ServerRequest`",
    "testing.client.Client.session_transaction": "of a test, by `ServerRequest`",
    "testing.handlers.HandlerTarget.ask": "of a test, by `request_text`",
    "wsgi.WSGI.__call__": "from WSGI, made UTF-8 in `meta_variables`",
}


def requests_made(module: house.Module) -> set[str]:
    """The functions that make a request."""
    names = {"Request", "_Request", "MetaVariables"}
    return {
        place
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.Call) and house.called(node) in names
    }


def test_every_place_that_makes_a_request_is_in_the_table() -> None:
    assert {place for module in MODULES for place in requests_made(module)} == set(REQUESTS)


def test_a_place_is_found() -> None:
    assert requests_made(house.Module("m", "def f(): Request({})")) == {"m.f"}


def test_only_one_module_hands_the_environment_over() -> None:
    """`process.environ` is where it is made text: nothing else passes `os.environ` on as a whole."""
    found = set()
    for module in MODULES:
        if module.name.partition(".")[0] in {
            "host",
            "warm",
            "cli",
            "gateway",
            "testing",
            "tracing",
        }:
            continue  # they hand on what they got, as bytes
        for place, node in house.nodes(module.tree, module.name):
            if isinstance(node, ast.Return | ast.Call):
                parts = [node.value] if isinstance(node, ast.Return) else node.args
                if any(part is not None and ast.unparse(part) == "os.environ" for part in parts):
                    found.add(place)
    # The other one is a server, which hands on what it got, too
    assert found == {"process.environ", "compat.httpserver.CGIHTTPRequestHandler._start"}


# --- the text -------------------------------------------------------------------------------------

ENCODINGS = ["iso8859-1", "iso8859-15", "ascii", "utf-8"]


@pytest.mark.parametrize("encoding", ENCODINGS)
@given(raw=st.binary().map(lambda raw: raw.replace(b"\0", b"")))
def test_any_bytes_are_utf_8_text_by_any_locale(encoding: str, raw: bytes) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process.sys, "getfilesystemencoding", lambda: encoding)
        patch.setattr(process.os, "fsencode", lambda text: text.encode(encoding, "surrogateescape"))
        native = raw.decode(encoding, "surrogateescape")
        given = {"PATH_INFO": native, "SCRIPT_FILENAME": native, "REDIRECT_REMOTE_USER": native}
        found = process.request_text(given)
    text = raw.decode("utf-8", "surrogateescape")
    assert dict(found) == {**given, "PATH_INFO": text, "REDIRECT_REMOTE_USER": text}


# --- real scripts under real locales --------------------------------------------------------------

SHOW = """
def show(request):
    return Response.json({
        "path": request.path_info, "query": request.query.pairs(), "user": request.remote_user,
        "cookies": request.cookies.pairs(), "url": request.url(), "own": sys.getfilesystemencoding(),
        "header": request.headers["X-Name"],
    })
run(show)
"""
SENT = {
    "PATH_INFO": "/ü/€",
    "QUERY_STRING": "ä=%C3%9F",
    "REMOTE_USER": "Jürgen",
    "HTTP_COOKIE": "c=ö",
    "HTTP_X_NAME": "ï",
    "HTTP_HOST": "a.example",
}
PLAIN_C = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module", params=["C", "de_DE.ISO-8859-1", "C.UTF-8"])
def locale(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Variables that choose a locale; that of Latin-1 is made here: few machines still have one."""
    if request.param == "C":
        return PLAIN_C
    if request.param == "C.UTF-8":
        return {"LC_ALL": "C.UTF-8"}
    place = tmp_path_factory.mktemp("locales")
    charmap = Path("/usr/share/i18n/charmaps/ISO-8859-1.gz")
    need(str(charmap))  # the package "locales"
    (place / "ISO-8859-1").write_bytes(gzip.decompress(charmap.read_bytes()))
    made = [need("localedef"), "-c", "-i", "de_DE", "-f", str(place / "ISO-8859-1")]
    subprocess.run([*made, str(place / request.param)], check=False, capture_output=True)
    assert (place / request.param / "LC_CTYPE").exists()
    return {"LOCPATH": str(place), "LC_ALL": request.param, "PYTHONUTF8": "0"}


def check(shown: dict, locale: dict) -> None:
    expected = {"C": "ascii", "C.UTF-8": "utf-8"}.get(locale["LC_ALL"], "iso8859-1")
    assert shown.pop("own") == expected
    assert shown == {
        "path": "/ü/€",
        "query": [["ä", "ß"]],
        "user": "Jürgen",
        "cookies": [["c", "ö"]],
        "url": "http://a.example/cgi-bin/script.py/%C3%BC/%E2%82%AC?%C3%A4=%C3%9F",
        "header": "ï",
    }


def test_3_7_a_script_reads_utf_8_in_every_locale(tmp_path: Path, locale: dict) -> None:
    answer = run_script(tmp_path, SHOW, env={**environment(**SENT), **locale})
    assert answer.errors == ""
    check(json.loads(answer.body), locale)


def test_3_7_a_persistent_script_reads_utf_8_in_every_locale(tmp_path: Path, locale: dict) -> None:
    with application(tmp_path, SHOW, **locale) as app:
        check(json.loads(app.ask(**SENT).body), locale)


def test_the_locale_of_these_tests_can_say_what_is_sent() -> None:
    assert all(os.fsencode(text).decode() == text for text in SENT.values())
