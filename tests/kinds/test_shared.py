"""What two requests of one process share: nothing that either of them can change.

Everything that a script can reach from its request and from its answer is looked through, in two
requests that a process serves one after the other; what both reach, and what can be changed, is listed
here with its reason.
"""

import importlib
import inspect
import io
import pkgutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import pytest
from posting import MULTIPART, environ, field, file, multipart

import cgikit
from cgikit import WSGI, FileStore, Request, Response
from cgikit.cookies import parse as parse_cookies
from cgikit.querystring import parse as parse_query

#: What both may reach, by where the first one found it: and why that is no accident.
SHARED = {
    "request._sessions": "the store, which the script made for all requests",
}

PLAIN = (str, bytes, int, float, complex, bool, type(None), frozenset, range, slice)
NOT_LOOKED_INTO = (
    ModuleType, type, FunctionType, BuiltinFunctionType, MethodType, io.IOBase,
)  # fmt: skip


def can_be_changed(thing: object) -> bool:
    """Whether somebody who holds a thing can change it, without going behind its back."""
    if isinstance(thing, dict | list | set | bytearray):
        return True
    try:
        thing.probe = 1  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        return False
    del thing.probe  # type: ignore[attr-defined]
    return True


def reachable(thing: object, where: str, seen: dict[int, tuple[str, object]]) -> None:
    """Fill `seen` with all that can be reached from a thing: by id, where it is and what it is."""
    if isinstance(thing, PLAIN + NOT_LOOKED_INTO) or id(thing) in seen:
        return
    seen[id(thing)] = where, thing
    if where not in SHARED:
        for name, part in parts(thing):
            reachable(part, where + name, seen)


def parts(thing: object) -> Iterator[tuple[str, object]]:
    """What a thing holds: its items, its attributes, what its class and its properties give."""
    if isinstance(thing, dict):
        yield from ((f"[{name!r}]", value) for name, value in thing.items())
    elif isinstance(thing, list | tuple | set):
        yield from ((f"[{number}]", value) for number, value in enumerate(thing))
    if hasattr(thing, "__dict__"):
        yield from ((f".{name}", value) for name, value in vars(thing).items())
    for name, value in inspect.getmembers_static(type(thing)):
        if isinstance(value, property) and not name.startswith("_"):
            with suppress(Exception):  # it is not there for this request
                yield f".{name}", getattr(thing, name)
        elif not name.startswith("__") and isinstance(value, dict | list | set | bytearray):
            yield f".{name}", value


def served(application: WSGI) -> None:
    """Let an application answer one POST."""
    body = multipart(field("a", b"1"), file("f", "x.txt", b"content"))
    variables: dict[str, Any] = {
        **environ(body, MULTIPART),
        "QUERY_STRING": "q=1",
        "HTTP_COOKIE": "c=1",
        "HTTP_HOST": "h",
        "SERVER_NAME": "h",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    answer = application(variables, lambda status, headers, info=None: lambda data: None)
    b"".join(answer)
    getattr(answer, "close", lambda: None)()


def test_two_requests_share_nothing_that_can_be_changed(tmp_path: Path) -> None:
    found: list[dict[int, tuple[str, object]]] = []

    def handler(request: Request) -> Response:
        response = Response.html("x")
        request.session["a"] = [1]
        for name in ("query", "form", "files", "params", "cookies", "headers", "session"):
            getattr(request, name)
        seen: dict[int, tuple[str, object]] = {}
        reachable(request, "request", seen)
        reachable(response, "response", seen)
        found.append(seen)  # and so all of it lives on, and no id is given twice
        return response

    application = WSGI(handler, sessions=FileStore(tmp_path / "sessions"), debug=False)
    served(application)
    served(application)
    first, second = found
    places = {where for where, _ in first.values()}
    assert {"request.environ", "request.limits", "request._session", "response.headers"} <= places
    shared = {
        where for key, (where, thing) in first.items() if key in second and can_be_changed(thing)
    }
    assert shared == set(SHARED)


@pytest.mark.parametrize("thing", [{}, [], set(), bytearray(), type("Plain", (), {})()])
def test_what_can_be_changed_is_found(thing: object) -> None:
    assert can_be_changed(thing)


@pytest.mark.parametrize("thing", [(), frozenset(), object(), cgikit.Limits()])
def test_what_cannot_be_changed_is_told_apart(thing: object) -> None:
    assert not can_be_changed(thing)


def modules() -> Iterator[ModuleType]:
    """Every module of the library, imported."""
    for found in pkgutil.walk_packages(cgikit.__path__, "cgikit."):
        if not found.name.endswith("__main__"):
            yield importlib.import_module(found.name)


def classes(module: ModuleType) -> Iterator[tuple[str, type]]:
    """The classes that a module defines."""
    for name, value in vars(module).items():
        if inspect.isclass(value) and value.__module__ == module.__name__:
            yield name, value


def functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """The functions of a module and of its classes."""
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        for inner, part in [("", value), *(vars(value).items() if inspect.isclass(value) else ())]:
            function = getattr(part, "__func__", getattr(part, "fget", part))
            if isinstance(function, FunctionType):
                yield f"{module.__name__}.{name}{'.' + inner if inner else ''}", function


def test_no_default_of_a_function_can_be_changed() -> None:
    found = [
        f"{name}({default!r})"
        for module in modules()
        for name, function in functions(module)
        for default in [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
        if not isinstance(default, PLAIN + NOT_LOOKED_INTO) and can_be_changed(default)
    ]
    assert found == []


def test_no_public_name_of_a_module_or_class_can_be_changed_for_all() -> None:
    """Tables in capitals are for reading, and are no part of what a script is given."""
    found = []
    for module in modules():
        places = [(module.__name__, module)]
        places += [(f"{module.__name__}.{name}", holder) for name, holder in classes(module)]
        for place, holder in places:
            for name, value in vars(holder).items():
                if name.startswith("_") or name.isupper():
                    continue
                if isinstance(value, dict | list | set | bytearray):
                    found.append(f"{place}.{name}")
    assert found == []


def test_a_parser_takes_limits_that_it_cannot_change() -> None:
    for parse in (parse_query, parse_cookies):
        limits = inspect.signature(parse).parameters["limits"].default
        assert not can_be_changed(limits)
