"""The kind: an error of cgikit's own that passes for an answer of the script's.

What the script raises as an `HTTPError` is its answer, and its session is saved. What cgikit raises
must save nothing, or a forged form would be stored by a handler that writes before it checks. So cgikit
never makes a plain `HTTPError`: every place that makes one of this kind is listed, with its class.
"""

import ast
from collections.abc import Iterator

import house
from house import Module

from cgikit import errors

#: Where, which class, and when.
PLACES = {
    "body.Body.open: LengthRequired": "411: a chunked body under CGI",
    "persistent.receivedbody.ReceivedBody._fail: BodyNotReceived": "507, 503: no room for the body",
    "persistent.receivedbody.ReceivedBody.give_up: BodyNotReceived": "408: the body came too slowly",
    "sessions.session.Session._refuse: SessionMoved": "503: a change under an id that was given up",
    "sessions.forms.check: FormExpired": "403: not a form of this session",
}

CLASSES = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.CGIError)
}
HTTP = {name for name, kind in CLASSES.items() if issubclass(kind, errors.HTTPError)}


def places(module: Module) -> Iterator[str]:
    """Every use of a class of HTTP errors that is more than its name, under whatever name it has."""
    names: dict[str, str] = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith("errors"):
            names.update({a.asname or a.name: a.name for a in node.names if a.name in HTTP})
    for place, node in house.nodes(module.tree, module.name):
        made = node.func if isinstance(node, ast.Call) else None
        if isinstance(node, ast.Raise):
            made = node.exc
        if isinstance(made, ast.Name) and made.id in names:
            yield f"{place}: {names[made.id]}"
        elif isinstance(made, ast.Attribute) and made.attr in HTTP:
            yield f"{place}: {made.attr}"


def test_every_http_error_of_cgikit_s_own_is_listed_and_saves_nothing() -> None:
    found = {place for module in house.read() for place in places(module)}
    assert found == set(PLACES)
    for place in found:
        assert not CLASSES[place.rpartition(" ")[2]].keeps_session


def test_only_what_scripts_raise_saves() -> None:
    assert {name for name, kind in CLASSES.items() if kind.keeps_session} == {"HTTPError"}
    assert HTTP - {"HTTPError"} == {
        name for name, kind in CLASSES.items() if issubclass(kind, errors.Refused)
    }


def test_a_new_place_is_found() -> None:
    source = (
        "from .errors import HTTPError as No\ndef f(errors):\n    raise No(404)\n"
        "def g(errors):\n    raise errors.HTTPError\n"
    )
    assert [*places(Module("page", source))] == ["page.f: HTTPError", "page.g: HTTPError"]
