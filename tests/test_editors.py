"""What editors know of the public names, through jedi: it reads the source and never imports it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import jedi  # type: ignore[import-untyped]
import pytest
from house import ROOT
from test_docs import ALL

import cgikit
from cgikit import _MODULE_OF

PROJECT = jedi.Project(ROOT)


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give jedi a cache of its own: in its usual one, in the home of the user, a process may read what
    another one has only half written.
    """
    with pytest.MonkeyPatch.context() as patched:
        place = str(tmp_path_factory.mktemp("jedi"))
        patched.setattr(jedi.settings, "cache_directory", place)
        yield


@pytest.mark.parametrize("name", cgikit.__all__)
def test_jedi_completes_a_public_name_and_leads_to_it(name: str) -> None:
    source = f"from cgikit import {name}"
    begun = jedi.Script(source[:-1], project=PROJECT)
    assert name in {each.name for each in begun.complete()}
    (found,) = jedi.Script(source, project=PROJECT).goto(1, len(source), follow_imports=True)
    assert found.module_name == f"cgikit.{_MODULE_OF[name]}"
    assert found.line > 1


def test_jedi_knows_what_a_request_has() -> None:
    source = "from cgikit import Request\ndef page(request: Request):\n    request.for"
    assert "form" in {each.name for each in jedi.Script(source, project=PROJECT).complete()}


# --- the examples -------------------------------------------------------------------------------

#: The scripts: those that can be executed. Tests beside them, and other programs, take no request.
FILES = sorted(p for p in (ROOT / "examples").rglob("*.py") if p.stat().st_mode & 0o100)
SOURCES = {str(file.relative_to(ROOT)): file.read_text() for file in FILES} | {
    str(block): block.text
    for block in ALL
    if block.language == "python" and not block.is_doctest and "cgikit" in block.text
}


def requests(source: str) -> list[tuple[str, str]]:
    """The functions that take a request: what `run` is given, and all with a parameter of that name;
    each with the type of the request.
    """
    tree = ast.parse(source)
    given = {
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "run" and node.args
        if isinstance(node.args[0], ast.Name)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            of = [each for each in node.args.args if each.arg == "request"]
            of = of or (node.args.args[:1] if node.name in given else [])
            found += [(node.name, ast.unparse(a.annotation) if a.annotation else "") for a in of]
    return found


def test_the_handlers_are_found() -> None:
    assert requests("def f(request): pass\ndef g(a: Request): pass\nrun(g)") == [
        ("f", ""),
        ("g", "Request"),
    ]
    assert sum(len(requests(source)) for source in SOURCES.values()) > 100


@pytest.mark.parametrize("name", SOURCES)
def test_every_handler_that_is_shown_says_what_a_request_is(name: str) -> None:
    """An editor knew nothing about `request.` in a script that was begun as a copy of an example."""
    found = requests(SOURCES[name])
    assert [function for function, kind in found if kind != "Request"] == []
    if found:
        names = re.findall(
            r"^\s*from cgikit(?:\.request)? import [^#]*?\bRequest\b", SOURCES[name], re.M
        )
        assert names, f"{name} does not import Request"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_jedi_completes_a_request_in_every_example(file: Path) -> None:
    lines = file.read_text().splitlines()
    number = next(
        n for n, line in enumerate(lines, 1) if re.match(r"def .*\brequest: Request", line)
    )
    while not lines[number - 1].endswith(":"):
        number += 1
    begun = "\n".join([*lines[:number], "    request."])
    names = {each.name for each in jedi.Script(begun, project=PROJECT).complete()}
    assert {"query", "form", "files", "cookies", "session", "method"} <= names
