"""Form fields in a real browser: valid, readable by everybody, and as the visitor has left them."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from urllib.request import urlopen

import pytest
from serving import Server, serve

from cgikit.fields.declared import TYPES
from cgikit.fields.inputs import _KEYBOARDS

from .checkers import DESKTOP, PHONE, axe_faults, html_faults, screen, source
from .chromium import Browser

#: A form with a field of each kind, each type and each function.
SCRIPT = """#!/usr/bin/env python3
from cgikit import fields, run

LINES = ["str", "email", "url", "int", "float", "decimal", "date", "datetime"]
ONE = {"": "", "Group": ["a", "b"], "c": "C"}
DECLARED = [fields.declare(kind, kind, label=kind, required=True) for kind in KINDS]
DECLARED += [
    fields.declare("one", label="one", choices=ONE, required=True),
    fields.declare("always", label="always", choices=["a", "b"], required=True),
    fields.declare("many", label="many", choices=["a", "b"], multiple=True, required=True, default="b"),
    fields.declare("radio", label="radio", choices=["a", "b"], required=True),
]

def show(request):
    _, errors = fields.check(request, DECLARED)
    shown = [fields.text(errors, kind, hint="Hint") for kind in LINES]
    shown += [fields.text(request, f"of-{kind}", type=kind, label=kind) for kind in INPUTS]
    shown += [fields.text(request, "item", label="item", index=n) for n in range(3)]
    shown += [
        fields.textarea(errors, "text", hint="Hint"), fields.password(errors, "password", hint="Hint"),
        fields.checkbox(errors, "bool", hint="Hint"), fields.file(errors, "file", hint="Hint"),
        fields.checkbox(request, "likes", value="a b", label="a b", checked=True),
        fields.checkbox(request, "likes", value="a-b", label="a-b", checked=True),
        fields.select(errors, "one", hint="Hint"), fields.select(errors, "always"),
        fields.select(errors, "many", hint="Hint", id="second-many"),
        fields.checkboxes(errors, "many", hint="Hint"), fields.radios(errors, "radio", hint="Hint"),
        fields.radios(request, "grouped[]", {"A": ["x"], "B": {"y": "Y"}}, label="grouped"),
        fields.button(request, label="Go"), fields.hidden(request, "hidden", "a\\nb"),
    ]
    form = fields.form(errors, *(f"<div>{each}</div>" for each in shown), novalidate=True)
    head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
    return f"{head}<title>Fields</title><main><h1>Fields</h1>{form}</main>"

run(show)
"""
JUNK = "\"'><x>\r\n\0\x01\x85\ufffe " + "x" * 200


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory = tmp_path_factory.mktemp("fields")
    kinds = f"KINDS = {list(TYPES)!r}\nINPUTS = {list(_KEYBOARDS)!r}\n"
    script = directory / "fields-of-all-kinds.py"
    script.write_text(SCRIPT.replace("\nLINES", f"\n{kinds}LINES", 1))
    script.chmod(0o755)
    with serve(directory) as started:
        yield started


def url(server: Server) -> str:
    return f"{server.url}fields-of-all-kinds.py"


def test_every_field_is_valid_html_at_first_and_after_whatever_was_sent(
    browser: Browser, server: Server, tmp_path: Path
) -> None:
    browser.open(url(server))
    pages = {"first": source(browser)}
    names = [*TYPES, *(f"of-{kind}" for kind in _KEYBOARDS), "item", "item", "one", "many", "radio"]
    for name, value in {"blank": "", "junk": JUNK}.items():
        body = "&".join(f"{each}={quote(value)}" for each in names).encode()
        with urlopen(url(server), data=body, timeout=60) as answer:
            pages[name] = answer.read().decode()
    assert 'aria-invalid="true"' in pages["junk"]
    assert html_faults(pages, tmp_path) == []


def test_everybody_can_use_every_field(browser: Browser, server: Server) -> None:
    browser.open(url(server))
    for is_wrong in (False, True):
        if is_wrong:
            browser.submit("form")
        assert ("Please fill in this field." in browser.text) is is_wrong
        for size in (PHONE, DESKTOP):
            with screen(browser, *size):
                assert axe_faults(browser) == []


def test_everything_stays_as_the_visitor_has_left_it(browser: Browser, server: Server) -> None:
    """Twice: the first page has the defaults, the second one what was sent."""
    browser.open(url(server))
    driver = browser.driver
    text = '\n\n  first </textarea> & "x"\'\nlast\n'
    driver.execute_script(
        "document.querySelector('[name=text]').value = arguments[0];"
        "document.querySelectorAll('[name=item]').forEach((each, n) => each.value = ['1', '', '3'][n]);"
        "document.querySelectorAll('[name=likes], [name=many]').forEach(each => each.checked = false);"
        "document.querySelector('#second-many').selectedIndex = -1;"
        "document.querySelector('[name=radio][value=b]').checked = true;"
        "document.querySelector('[name=of-week]').value = '2030-W05';"
        "document.querySelector('[name=password]').value = 'secret';",
        text,
    )
    for _ in range(2):
        browser.submit("form")
        found = driver.execute_script(
            "const values = name => [...document.getElementsByName(name)].map(each => each.value);"
            "return [values('text'), values('item'), values('of-week'), values('password'),"
            "values('hidden'), document.querySelectorAll('[type=checkbox]:checked').length,"
            "document.querySelector('#second-many').selectedOptions.length,"
            "document.querySelector('[name=radio]:checked').value]"
        )
        assert found == [[text], ["1", "", "3"], ["2030-W05"], [""], ["a\nb"], 0, 0, "b"]
