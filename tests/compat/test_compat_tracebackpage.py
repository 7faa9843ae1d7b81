"""compat.tracebackpage: frames, lines and the variables in them."""

import io
import sys
from typing import Any

import pytest

from cgikit.compat import tracebackpage
from cgikit.compat.tracebackpage import UNDEFINED, html, lookup, scanvars, text


class Thing:
    inner: Any = None

    @property
    def bad(self) -> object:
        raise RuntimeError("from a property")


GLOBAL = Thing()
GLOBAL.inner = Thing()


def scan(line: str, **names: object) -> list[tuple[str, str | None, object]]:
    return scanvars(io.StringIO(line).readline, sys._getframe(), names)


def test_names_are_looked_up_from_the_inside_out() -> None:
    frame = sys._getframe()
    assert lookup("frame", frame, locals()) == ("local", frame)
    assert lookup("GLOBAL", frame, {}) == ("global", GLOBAL)
    assert lookup("len", frame, {}) == ("builtin", len)
    assert lookup("nothing", frame, {}) == (None, UNDEFINED)


def test_the_variables_of_a_line_are_found() -> None:
    assert scan("a + GLOBAL\n", a=1) == [("a", "local", 1), ("GLOBAL", "global", GLOBAL)]
    assert scan("if a in b:\n", a=1) == [("a", "local", 1), ("b", None, UNDEFINED)]
    assert scan("f(\n a,\n 2)\nb\n", f=1, a=2)[-1] == ("a", "local", 2)
    assert scan("GLOBAL.inner.inner\n")[1:] == [
        ("GLOBAL.inner", "GLOBAL.", GLOBAL.inner),
        ("GLOBAL.inner.inner", "GLOBAL.inner.", None),
    ]
    assert scan("GLOBAL.bad.more\n")[1:] == [("GLOBAL.bad", "GLOBAL.", UNDEFINED)]
    assert scan("a[0].b\n", a=[1]) == [("a", "local", [1])]
    assert scan("a.b\n") == [("a", None, UNDEFINED)]


@pytest.mark.parametrize("line", ["", "'''open\n", "a = (\n", "  a\n b\n", "\0", "?!$ a\n"])
def test_lines_that_are_no_python_are_no_error(line: str) -> None:
    assert isinstance(scan(line), list)


def fail(value: object, *rest: object, **named: object) -> None:
    thing = GLOBAL
    raise ValueError(thing.inner, value, rest, named, UNKNOWN)  # noqa: F821


def info(*args: object, **named: object) -> Any:
    try:
        fail(*args, **named)
    except NameError:
        return sys.exc_info()


def test_a_page_has_places_lines_and_variables() -> None:
    page = html(info("<b>", 2, a=3), 5)
    assert "<h1>NameError</h1>" in page
    assert "<strong>fail</strong>(value=&#x27;&lt;b&gt;&#x27;, *rest=(2,), **named={" in page
    assert "<mark>" in page
    assert "    thing = GLOBAL" in page
    assert "<strong>UNKNOWN</strong> undefined" in page
    assert "builtin <strong>ValueError</strong>" in page
    assert "<b>" not in page


def test_a_text_has_the_same() -> None:
    page = text(info("<b>"), 3)
    assert "in fail(value='<b>', *rest=(), **named={})" in page
    assert "UNKNOWN undefined" in page
    assert "name = 'UNKNOWN'" in page
    assert page.count("NameError: name 'UNKNOWN' is not defined") == 2


def test_the_secrets_of_a_cause_are_hidden_too() -> None:
    """Its message and its lines are part of the traceback."""

    def login() -> None:
        password = "".join(["canary", "-4711"])
        raise OSError(f"login refused for admin/{password}")

    try:
        try:
            login()
        except OSError as error:
            raise RuntimeError("no page") from error
    except RuntimeError:
        found = sys.exc_info()
    for page in (html(found, 5), text(found, 5)):
        assert "login refused for admin/(hidden)" in page
        assert "canary-4711" not in page


def test_errors_of_all_kinds_have_a_page() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def deep(n: int) -> None:
        deep(n + 1)

    makers = [
        lambda: exec("a b"),
        lambda: exec("1/0"),
        lambda: deep(0),
        lambda: (_ for _ in ()).throw(Mute()),
        lambda: (_ for _ in ()).throw(ExceptionGroup("two", [ValueError("one"), KeyError(2)])),
        lambda: sys.exit(3),
    ]
    for make in makers:
        try:
            make()
        except BaseException:
            error = sys.exc_info()
        assert "</details>" in html(error, 5)
        assert "traceback" in text(error, 0)
        assert len(html(error, 5)) < 300_000
    assert "ValueError" in html((ValueError, ValueError("no traceback"), None), 5)


def test_secrets_in_lines_and_variables_are_hidden() -> None:
    def login(password: str) -> None:
        token = "hunter2"
        raise ValueError(token[:0], password[:0])

    try:
        login(password="hunter2")
    except ValueError:
        error = sys.exc_info()
    for page in (html(error, 5), text(error, 5)):
        assert "hunter2" not in page
        assert "(hidden)" in page


def test_what_is_public_is_that_of_the_old_module() -> None:
    assert tracebackpage.small("") == ""
    assert tracebackpage.strong("x") == "<strong>x</strong>"
