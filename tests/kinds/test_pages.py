"""Every page of ours, wherever its markup stands: a language, a title, and a width that phones know.

Of thirteen examples none had a viewport, and three had no language: each was written as its
author remembered. All strings that begin a page are found, in the library and in the examples.
"""

import ast
import re
from pathlib import Path

import house
import pytest

ROOT = Path(__file__).parents[2]

#: By what each page must have: how its markup says it.
NEEDED = {
    "doctype": r"<!doctype html>",
    "language": r'<html lang="[a-z]{2}">',
    "viewport": r'<meta name="viewport" content="width=device-width\b',
    "title": r"<title>",
    "main": r"<main>",
    "scheme": r"color-scheme:\s*light dark[;}\s].*background:|^(?!.*color-scheme)",
}

#: Files of ours that send pages; a new one is looked at in tests/browser/test_browser_pages.py too.
WITH_PAGES = """
cgikit/debug.py cgikit/host/page.py cgikit/inspector/markup.py cgikit/tracing/html.py
examples/cgi-bin/anatomy.py
examples/cgi-bin/board.py
examples/cgi-bin/clock.py examples/cgi-bin/contact.py examples/cgi-bin/cookies.py
examples/cgi-bin/counter.py
examples/cgi-bin/environment.py examples/cgi-bin/form.py examples/cgi-bin/gallery.py
examples/cgi-bin/guestbook.py
examples/cgi-bin/hello.py examples/cgi-bin/hits.py examples/cgi-bin/login.py
examples/cgi-bin/machine.py
examples/cgi-bin/members.py
examples/cgi-bin/photos.py
examples/cgi-bin/poll.py examples/cgi-bin/progress.py examples/cgi-bin/redirect.py
examples/cgi-bin/search.py
examples/cgi-bin/signup.py
examples/cgi-bin/todo.py
examples/cgi-bin/upload.py
examples/cgi-bin/uploads.py
examples/from-perl/board.py
examples/from-perl/cart.py
examples/from-perl/counter.py examples/from-perl/formmail.py examples/from-perl/guestbook.py
examples/from-perl/login.py examples/from-perl/poll.py examples/from-perl/search.py
examples/from-perl/upload.py
examples/tutorial/1-form/guestbook.py examples/tutorial/2-escape/guestbook.py
examples/tutorial/3-file/guestbook.py examples/tutorial/4-pages/guestbook.py
examples/tutorial/5-log-in/guestbook.py examples/tutorial/6-picture/guestbook.py
examples/tutorial/7-test/guestbook.py examples/tutorial/8-deploy/guestbook.py
""".split()


def texts(tree: ast.AST) -> list[str]:
    """The literal strings of a source; of one with values in it, the literal parts joined."""
    found, parts = [], set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            literal = [part for part in node.values if isinstance(part, ast.Constant)]
            parts.update(map(id, literal))
            found.append("".join(str(part.value) for part in literal))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            found.append(node.value)
    return found


def pages(source: str) -> list[str]:
    """The markup of the pages in a source."""
    return [text for text in texts(ast.parse(source)) if re.search("<!doctype|<html", text, re.I)]


def lacking(page: str) -> list[str]:
    """What a page does not have."""
    return [what for what, sign in NEEDED.items() if not re.search(sign, page, re.I | re.S)]


def sources() -> list[Path]:
    """Every module of ours and every example."""
    return sorted([*(ROOT / "cgikit").rglob("*.py"), *(ROOT / "examples").rglob("*.py")])


def test_every_file_with_a_page_is_listed() -> None:
    found = [path for path in sources() if pages(path.read_text())]
    assert [str(path.relative_to(ROOT)) for path in found] == WITH_PAGES


@pytest.mark.parametrize("name", WITH_PAGES)
def test_every_page_has_what_readers_need(name: str) -> None:
    for page in pages((ROOT / name).read_text()):
        assert lacking(page) == []


def test_a_page_that_lacks_something_is_found() -> None:
    (old,) = pages('PAGE = "<!DOCTYPE html><title>Hello</title><h1>Hello, {}</h1>"')
    assert lacking(old) == ["language", "viewport", "main"]
    (dark,) = pages('f"<html lang=en><style>:root {{ color-scheme: light dark }}</style>{1}"')
    assert {"doctype", "language", "title", "scheme"} <= set(lacking(dark))


# --- what visitors read ------------------------------------------------------------------------

MODULES = house.read()

#: Errors whose message a visitor reads, where no `.message` of its own stands in front of it.
TOLD = re.compile(
    r"^(BadRequest|HTTPError|Refused|FormExpired|SessionMoved|LengthRequired|BodyNotReceived"
    r"|UnsupportedMediaType|InvalidField)$"
)
#: What is a name of ours, or of the system's, and no word: CONTENT_LENGTH, body=1048576, [Errno 13].
NAMES = re.compile(r"\b[A-Z]+_[A-Z_]+\b|\b[a-z_]+=|\[?Errno|\b\w+\(\)")


def named(module: house.Module) -> set[str]:
    """The functions that tell a visitor a name, with the text."""
    found = set()
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, ast.Call) and TOLD.match(ast.unparse(node.func).rpartition(".")[2]):
            for argument in node.args:
                found.update(f"{place}: {text}" for text in texts(argument) if NAMES.search(text))
    return found


def test_visitors_are_told_no_names() -> None:
    """A body of a wrong length was answered with the name of a meta-variable, CONTENT_LENGTH."""
    assert {text for module in MODULES for text in named(module)} == set()


@pytest.mark.parametrize(
    "message",
    ["CONTENT_LENGTH is odd", "over body=5", "[Errno 13] Permission denied", "call run()"],
)
def test_a_name_is_found(message: str) -> None:
    source = f"def f():\n    raise BadRequest(f'{{x}}: {message}')"
    assert named(house.Module("m", source)) == {f"m.f: : {message}"}
