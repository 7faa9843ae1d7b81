"""The kind: ordinary text that is refused because `str.isprintable` says that it does not print.

The name of each screenshot of macOS holds U+202F, names in Japanese U+3000, joined emoji U+200D: no
download could have such a name, and no redirect lead there. Every place that asks `isprintable` is
listed, with what it judges, and so is every place that takes names and locations by the rule for them.
"""

import ast
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import house
import pytest
from requirement import need
from serving import serve

from cgikit import Response
from cgikit.parameters import parse_header

ASCII = "beside isascii(): printable ASCII"
SHOWN = "for a log, a terminal or a developer: what does not print is escaped, not refused"
PRINTABLE = {
    "authorization._parameter": ASCII,
    "characters.printable": SHOWN,
    "characters.refused": "a quick yes; what does not print is looked at one by one",
    "compat.reading.valid_boundary": ASCII,
    "cli.config.quoting.refuse": "of a configuration, which people read",
    "cookies._attribute": ASCII,
    "cookies.parse": "a quick yes; then controls alone are looked for",
    "dates._in_words": ASCII,
    "fields.controls.escaped": "a quick yes; then what HTML forbids is replaced",
    "headers.check_field": ASCII,
    "bundle.interpreter._check": ASCII,
    "checking.firstline.check_first_line": SHOWN,
    "inspector.commands._line": "of a command, which people paste into a terminal",
    "inspector.commands._printf": "a quick yes; what does not print becomes an escape of printf",
    "multipart._boundary": ASCII,
    "nph.head": ASCII,
    "redirect.check_location": "a quick yes; then `refused`",
    "upload.safe_filename": "the name of a file on this machine: what does not print is left out",
}
REFUSING = {"filebody.sendfile_header", "parameters.disposition", "redirect.check_location"}

#: Names that people's machines give, and what each holds.
NAMES = {
    "macOS": "Screenshot 2026-11-26 at 9.41.00\u202fAM.png",
    "Japanese": "議事録\u3000第一回.pdf",
    "French": "Qu’est-ce que c’est\xa0?.txt",  # noqa: RUF001
    "emoji": "\U0001f469\u200d\U0001f469\u200d\U0001f467.jpg",
    "Persian": "نامه\u200cها.txt",  # noqa: RUF001
    "Hebrew": "\u200fמסמך.txt",  # noqa: RUF001
    "soft hyphen": "Donau\xaddampf.txt",
    "private": "\ue000 Apple \uf8ff.txt",
    "unassigned": "a\u0378b.txt",
    "percent": "100%25 100% %zz.txt",
    "quotes": "a \"b\" 'c'; d=e.txt",
}
ATTACKS = ["a\u202etxt.exe", "a\u2066b", "a\u2028b", "a\x85b", "a\x7fb", "a\nb", "a\0b", "a\ud800b"]


def calls(name: str) -> set[str]:
    return {
        place
        for module in house.read()
        for place, node in house.nodes(module.tree, module.name)
        if isinstance(node, ast.Call) and house.called(node) == name
    }


def test_every_place_that_asks_whether_text_prints_is_listed() -> None:
    assert calls("isprintable") == set(PRINTABLE)


def test_every_place_that_takes_a_name_or_a_location_is_listed() -> None:
    assert calls("refused") == REFUSING


def disposition(name: str, place: Path) -> str:
    response = Response("")
    response.attachment(name)
    _, parameters = parse_header(response.headers["Content-Disposition"])
    if "filename*" in parameters:
        return unquote(parameters["filename*"].removeprefix("UTF-8''"))
    return parameters["filename"]


def location(name: str, place: Path) -> str:
    made = Response.redirect("/files/" + name.replace("%", "%25").replace(" ", "%20"))
    assert made._redirect
    return unquote(made._redirect.location).removeprefix("/files/")


def sendfile(name: str, place: Path) -> str:
    path = place / name
    path.touch()
    return unquote(Response.file(path, x_sendfile=True).headers["X-Sendfile"]).rpartition("/")[2]


def accel(name: str, place: Path) -> str:
    made = Response.file(__file__, x_accel_redirect="/files/" + name.replace("%", "%25"))
    return unquote(made.headers["X-Accel-Redirect"]).rpartition("/")[2]


WAYS: dict[str, Callable[[str, Path], str]] = {
    "attachment": disposition, "redirect": location, "X-Sendfile": sendfile, "X-Accel": accel,
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", WAYS)
def test_a_name_that_people_give_arrives(tmp_path: Path, way: str, name: str) -> None:
    assert WAYS[way](NAMES[name], tmp_path) == NAMES[name]


@pytest.mark.parametrize("name", ATTACKS)
@pytest.mark.parametrize("way", WAYS)
def test_what_would_show_another_name_is_refused(tmp_path: Path, way: str, name: str) -> None:
    with pytest.raises(
        (ValueError, OSError), match=r"not a valid (file name|location|path)|null|surrogates"
    ):
        WAYS[way](name, tmp_path)


SCRIPT = """#!/usr/bin/env python3
from cgikit import Response, run
def page(request):
    response = Response(b"x", content_type="application/octet-stream")
    response.attachment(request.query["name"])
    return response
run(page)
"""


def test_curl_saves_a_screenshot(tmp_path: Path) -> None:
    """curl takes `filename` alone, without `filename*`: a stand-in in ASCII. At an escaped quote it
    gave up the name, and took that of the script.
    """
    scripts, here = tmp_path / "scripts", tmp_path / "here"
    scripts.mkdir()
    here.mkdir()
    (scripts / "get.py").write_text(SCRIPT)
    (scripts / "get.py").chmod(0o755)
    with serve(scripts) as server:
        for name in ("name=a%E2%80%AFb.txt", "name=plain.txt", "name=a%22b%5Cc.txt"):
            subprocess.run(
                [need("curl"), "-sfOJ", f"{server.url}get.py?{name}"], cwd=here, check=True
            )
    assert sorted(path.name for path in here.iterdir()) == ["a_b.txt", "a_b_c.txt", "plain.txt"]
