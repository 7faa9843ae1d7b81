"""What a real browser sends from a page that is not in UTF-8, and what `charset` makes of it."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import serve

from .chromium import Browser

PAGE = """#!{python}
from cgikit import Response, escape, run

FORM = '''<!doctype html><title>Fräge</title>
<form id="{{0}}" method="{{1}}" enctype="{{2}}" action="old.py">
<input name="näme"><input name="datei" type="file"><button>Los</button></form>'''
WAYS = {{
    "get": ("get", ""),
    "post": ("post", "application/x-www-form-urlencoded"),
    "multipart": ("post", "multipart/form-data"),
}}


def show(request):
    if request.method == "GET" and "way" in request.query:
        way = request.query["way"]
        return Response(FORM.format(way, *WAYS[way]), content_type="text/html; charset={charset}")
    files = [(name, file.client_filename) for name, file in request.files.pairs()]
    found = (request.query.pairs(), request.form.pairs(), files)
    return f"<p>{{escape(ascii(found))}}"


run(show, charset="{charset}")
"""
#: What each charset has letters for; "€" is no letter of ISO 8859-1, but browsers take it for one.
TYPED = {"iso-8859-1": "Grüße € & 100%", "koi8-r": "Привет & 100%", "shift_jis": "ソ表 ①&%"}
#: The names of the form are letters of ISO 8859-1: others send them as a number.
NAME = {"iso-8859-1": "näme", "koi8-r": "n&#228;me", "shift_jis": "n&#228;me"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A folder of pages for each charset, served; the URL of it, with a slash at its end."""
    root = tmp_path_factory.mktemp("charsets")
    for charset in TYPED:
        script = root / charset / "old.py"
        script.parent.mkdir()
        source = PAGE.format(python=sys.executable, charset=charset)
        if charset != "iso-8859-1":  # what the page itself cannot say in letters
            source = source.replace('name="näme"', 'name="n&#228;me"').replace("Fräge", "x")
        script.write_text(source)
        script.chmod(0o755)
    with serve(root) as server:
        yield server.url


@pytest.mark.parametrize("charset", list(TYPED))
@pytest.mark.parametrize("way", ["get", "post", "multipart"])
def test_3_7_a_page_in_another_charset(
    browser: Browser, site: str, charset: str, way: str, tmp_path: Path
) -> None:
    typed, name = TYPED[charset], NAME[charset]
    file = tmp_path / f"{typed.split()[0]}.txt"
    file.write_bytes(b"x")
    browser.open(f"{site}{charset}/old.py?way={way}")
    browser.fill(f"#{way}", näme=typed, datei=str(file))
    browser.submit(f"#{way}")
    query, form, files = ast.literal_eval(browser.text)
    sent = [(name, typed)]
    if way == "multipart":
        assert (query, form, files) == ([], sent, [("datei", file.name)])
    else:
        sent.append(("datei", file.name))
        assert (query, form, files) == ((sent, [], []) if way == "get" else ([], sent, []))
