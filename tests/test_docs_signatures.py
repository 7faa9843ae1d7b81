"""The signatures in the headings of the reference are those of the code.

A heading such as "### `Response.redirect(location, status=None, *, local=False)`" names the arguments
in their order. It may leave out a default; one that it shows is the code's. "…" and "**name" stand for
more.
"""

import ast
import contextlib
import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_docs import REFERENCE

import cgikit

#: The module of what a page has beside its own module, and what ".url" belongs to.
ALSO = {
    "authorization.md": "cgikit.htpasswd",
    "environ.md": "cgikit.environ.MetaVariables",
    "sessions.md": "cgikit.sessions",
}


def shown() -> Iterator[tuple[Path, str, str]]:
    """Each signature in a heading: the page, the dotted name, the arguments."""
    for page in sorted(REFERENCE.glob("*.md")):
        for heading in re.findall(r"^#+ (.*`.*\(.*)$", page.read_text(), re.M):
            for name, arguments in re.findall(r"`([\w.]+)\((.*?)\)`", heading):
                yield page, name, arguments


SHOWN = list(shown())


def found(page: Path, name: str) -> Callable[..., object]:
    """The function or class that a heading is about."""
    module = f"cgikit.{page.stem}"
    for start in ("cgikit", module, ALSO.get(page.name, module)):
        thing: object = cgikit
        dotted = ""
        for part in [*start.split("."), *name.removeprefix(".").split(".")][1:]:
            dotted += f".{part}"
            if not hasattr(thing, part) and inspect.ismodule(thing):
                with contextlib.suppress(ModuleNotFoundError):
                    importlib.import_module(f"cgikit{dotted}")
            thing = getattr(thing, part, None)
        if callable(thing):
            return thing
    raise AssertionError(f"{page.name} has a heading for {name}, which does not exist")


def parsed(arguments: str) -> ast.arguments:
    tree = ast.parse(f"lambda {arguments}: 0", mode="eval").body
    assert isinstance(tree, ast.Lambda)
    return tree.args


def names(function: Callable[..., object]) -> list[inspect.Parameter]:
    parameters = inspect.signature(function).parameters.values()
    named = [p for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    return [p for p in named if p.name != "self"]


def defaults(given: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*given.posonlyargs, *given.args]
    yield from ((a.arg, d) for a, d in zip(positional[::-1], given.defaults[::-1], strict=False))
    yield from ((a.arg, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d)


def test_headings_are_found() -> None:
    assert len(SHOWN) > 50


@pytest.mark.parametrize(("page", "name", "arguments"), SHOWN, ids=[f"{n}" for _, n, _ in SHOWN])
def test_a_heading_has_the_arguments_of_the_code(page: Path, name: str, arguments: str) -> None:
    more = "…" in arguments
    given = parsed(re.sub(r",? ?…", "", arguments))
    code = names(found(page, name))
    in_order = [a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs)]
    expected = [p.name for p in code]
    assert in_order == expected[: len(in_order)] if more or given.kwarg else in_order == expected
    keyword_only = {a.arg for a in given.kwonlyargs}
    assert keyword_only == {p.name for p in code if p.kind is p.KEYWORD_ONLY and p.name in in_order}
    of = {p.name: p.default for p in code}
    for argument, default in defaults(given):
        words = ast.unparse(default)
        if isinstance(default, ast.Constant | ast.Tuple):
            assert ast.literal_eval(default) == of[argument], argument
        else:  # a name: DEFAULT_LIMITS, time.time
            assert of[argument] is not inspect.Parameter.empty, f"{argument}={words}"


def test_a_wrong_heading_would_be_seen() -> None:
    code = names(found(REFERENCE / "response.md", "Response.redirect"))
    assert [p.name for p in code] == ["location", "status", "local"]
    assert dict(defaults(parsed('a, b=1, *, c="x", d'))).keys() == {"b", "c"}
