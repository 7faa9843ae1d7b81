"""The kind: what is used of others that they promise nobody. A new version may take it away.

Of waitress that is most of what `cli.channel` and `cli.httpserver` do: every attribute that they use or
set, and every method that they override, is looked for in the version that is installed.
Of the standard library it is a table: a new place fails until it is in there.
"""

import ast
import inspect
import os
import textwrap
import tomllib
from collections.abc import Iterator
from functools import cache

import house
import pytest
from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.receiver import ChunkedReceiver
from waitress.server import TcpWSGIServer
from waitress.task import ErrorTask, ThreadedTaskDispatcher, WSGITask

from cgikit.cli import channel, httpserver

#: What our classes add to those of waitress, by class: it must not be there already.
ADDED = {
    "Threads": "_spare stand_in step_back",
    "_Task": "",
    "_Parser": "_server _limit _refuse",
    "_Refusal": "",
    "Channel": "reset deaf trim drop _drained",
    "_Listening": "log_line guard _go_on ends _host _room _arrived _turned_away _told _told_disk linger"
    " page no_disk has_room",
    "_TurnedAway": "until",
}
#: What the other names in the two modules stand for.
OWNERS = {
    "buffer": OverflowableBuffer,
    "channel": channel.Channel,
    "request": HTTPRequestParser,
    "self._server": httpserver._Listening,
    "self.adj": Adjustments,
    "self.body_rcv": ChunkedReceiver,
    "self.channel": channel.Channel,
    "self.channel.server": httpserver._Listening,
    "self.request": HTTPRequestParser,
    "self.server": httpserver._Listening,
    "threads": channel.Threads,
    "wasyncore": wasyncore,
}
#: Whose attributes are no business of waitress.
OTHERS = set(
    "_CONTROL _NOT_ASCII _TOKEN _VERSION _WORDS coding connection contextlib error found head "
    "header_plus line listener logger logging name one page problem re record refused room socket "
    "struct tempfile time value why".split()
)


def classes() -> Iterator[tuple[type, ast.ClassDef]]:
    """Our classes that extend one of waitress, with their source."""
    for module in (channel, httpserver):
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                found = getattr(module, node.name)
                if any(base.__module__.startswith("waitress.") for base in found.__mro__):
                    yield found, node


OURS = {found.__name__: (found, node) for found, node in classes()}


def base_of(found: type) -> type:
    """The class of waitress that ours extends."""
    return next(base for base in found.__mro__ if base.__module__.startswith("waitress."))


@cache
def attributes(owner: type) -> frozenset[str]:
    """What a class has, or sets in one of its methods."""
    names = set(dir(owner))
    for base in owner.__mro__[:-1]:
        for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(base)))):
            stored = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
            if stored and house.written(node.value) == "self":
                names.add(node.attr)
    return frozenset(names)


def has(owner: object, name: str) -> bool:
    """Whether a class, or a module, has an attribute."""
    return name in attributes(owner) if isinstance(owner, type) else hasattr(owner, name)


def root(node: ast.expr) -> str:
    """The name that an expression begins with, "" if it is none."""
    while not isinstance(node, ast.Name):
        inner = getattr(node, "func", None) or getattr(node, "value", None)
        if not isinstance(inner, ast.expr):
            return ""
        node = inner
    return node.id


def used(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Every attribute in a piece of source: of what, and its name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield house.written(node.value), node.attr


def test_every_class_of_ours_is_in_the_table() -> None:
    assert set(OURS) == set(ADDED)


@pytest.mark.parametrize("name", ADDED)
def test_what_a_class_uses_and_sets_is_there(name: str) -> None:
    found, tree = OURS[name]
    base, added = base_of(found), set(ADDED[name].split())
    names = {attribute for of, attribute in used(tree) if of in {"self", "super()"}}
    names |= {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    names |= {house.written(n.target) for n in tree.body if isinstance(n, ast.AnnAssign)}
    names |= {house.written(n.targets[0]) for n in tree.body if isinstance(n, ast.Assign)}
    assert {missing for missing in names - added if not has(base, missing)} == set()
    assert {new for new in added if has(base, new)} == set()
    assert added <= names


@pytest.mark.parametrize("name", ADDED)
def test_what_a_class_overrides_takes_what_it_took(name: str) -> None:
    found, tree = OURS[name]
    for node in tree.body:
        theirs = getattr(base_of(found), getattr(node, "name", ""), None)
        if isinstance(node, ast.FunctionDef) and inspect.isfunction(theirs):
            ours = inspect.signature(getattr(found, node.name)).parameters
            if node.name != "__init__":
                assert list(ours) == list(inspect.signature(theirs).parameters), node.name


@pytest.mark.parametrize("module", [channel, httpserver])
def test_what_is_used_of_other_objects_is_there(module: object) -> None:
    known = OTHERS | {"", "self", "super", "getattr", "type"} | set(OWNERS)
    for node in ast.walk(ast.parse(inspect.getsource(module))):  # type: ignore[arg-type]
        if isinstance(node, ast.Attribute):
            of = house.written(node.value)
            assert of not in OWNERS or has(OWNERS[of], node.attr), house.written(node)
            assert root(node) in known, f"{house.written(node)}: whose is it?"


def test_what_is_called_takes_what_it_is_given() -> None:
    inspect.signature(wasyncore.readwrite).bind(None, 0)
    inspect.signature(wasyncore.dispatcher.__init__).bind(None, None, {})
    inspect.signature(HTTPChannel._flush_exception).bind(None, None, do_close=False)
    inspect.signature(ThreadedTaskDispatcher.start_new_thread).bind(None, None, 1)
    inspect.signature(TcpWSGIServer.__init__).bind(
        *(None, None, {}), _sock=0, dispatcher=0, adj=0, sockinfo=0, bind_socket=False
    )
    (call,) = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(httpserver)))
        if isinstance(node, ast.Call) and house.written(node.func) == "Adjustments"
    )
    given = {keyword.arg for keyword in call.keywords}
    assert given - {"sockets"} <= {name for name, _ in Adjustments._params}
    assert issubclass(ErrorTask, object)
    assert WSGITask.execute is not ErrorTask.execute


def test_waitress_has_a_floor_and_a_ceiling() -> None:
    """3.0.0 has CVE-2024-49768 and CVE-2024-49769; a later minor may change what is used of it."""
    project = tomllib.loads((house.ROOT / "pyproject.toml").read_text())["project"]
    assert project["optional-dependencies"]["serve"] == ["waitress>=3.0.1,<3.1"]


# --- the standard library -----------------------------------------------------------------------------

#: module, place: what becomes of us without it, or why it is sure to be there.
PRIVATE = {
    (
        "masking",
        "getattr(kind, '_fields', None)",
    ): "the documented name of a named tuple's fields",
    ("cli.httpserver", "self._server._map"): "a class of waitress, looked for above",
    ("warm.trial", "getattr(os.environ, '_data', None)"): "nothing is watched without it",
    (
        "warm.baseline",
        "getattr(finalize, '_index_iter', None)",
    ): "a process of a script that uses `weakref.finalize` ends with its first request without it",
    (
        "warm.trial",
        "setattr(os.environ, '_data', Watched(data))",
    ): "nothing is watched without it",
    (
        "warm.state",
        "getattr(sys.modules.get('random'), '_inst', None)",
    ): "modules that use it are not preloaded without it",
    (
        "warm.state",
        "getattr(sys.modules.get('numpy.random.mtrand'), '_rand', None)",
    ): "modules that use it are not preloaded without it",
    (
        "warm.state",
        "getattr(numpy, '_bit_generator', None)",
    ): "modules that use it are not preloaded without it",
    (
        "warm.interpreter",
        "getattr(os.environ, '_data', None)",
    ): "the environment is set the long way",
    ("accelerate.daemon", "self._listener._accept"): "3.11 to 3.13 have it, for socket.accept",
    ("warm.interpreter", "atexit._run_exitfuncs"): "3.11 to 3.13 have it",
    ("warm.interpreter", "threading._shutdown"): "3.11 to 3.13 have it",
    ("warm.interpreter", "threading.main_thread()._native_id"): "only set",
    ("warm.baseline", "sys._getframe"): "for the kind of a frame: 3.11 to 3.13 have it",
    (
        "warm.baseline",
        "abc._get_dump",
    ): "what was registered with abstract classes: 3.11 to 3.13 have it",
    (
        "warm.baseline",
        "getattr(sys.modules.get('random'), '_inst', None)",
    ): "its state is compared instead",
    ("warm.reuse", "sys._getframe"): "3.11 to 3.13 have it",
    ("warm.caches", "struct._clearcache"): "3.11 to 3.13 have it",
    ("warm.surroundings", "_thread._count"): "3.11 to 3.13 have it",
    ("warm.surroundings", "atexit._clear"): "3.11 to 3.13 have it",
    ("warm.surroundings", "atexit._run_exitfuncs"): "3.11 to 3.13 have it",
    ("warm.surroundings", "os.environ._data"): "3.11 to 3.13 have it",
    ("warm.surroundings", "random._inst"): "3.11 to 3.13 have it",
    ("warm.surroundings", "sys.modules['threading']._shutdown"): "3.11 to 3.13 have it",
    ("leaving", "_thread._count"): "3.11 to 3.13 have it",
    ("sessions.redisconnection", "kind._connect"): "redis 5.2 to 7; without it no save works",
    (
        "uncaught",
        "sys._getframe",
    ): "3.11 to 3.13 have it; it tells Python's own flush from a script's",
    ("process", "getattr(atexit, '_ncallbacks', None)"): "Python's own way out is taken",
    ("", "sys._xoptions"): "3.11 to 3.13 have it, and its documentation",
    ("", "importing._bootstrap"): "3.11 to 3.13 have it",
    ("", "importing._compile_bytecode"): "3.11 to 3.13 have it",
    ("", "importing._bootstrap._find_and_load"): "modules are imported as usual",
}
#: Modules that C brings, under the names that the public ones take them from.
PRIVATE_MODULES = {
    "_collections_abc",
    "_contextvars",
    "_ctypes",  # a build without it lacks that file: the import is in a try
    "_frozen_importlib_external",
    "_json",
    "_locale",
    "_operator",
    "_sha2",  # 3.12
    "_sha256",  # 3.11
    "_signal",
    "_socket",
    "_thread",
    "_tracemalloc",
    "_warnings",
    "_weakref",
}
#: Modules that use private names of another module of cgikit, and whose.
NEIGHBOURS = {
    "compat.reading": "the methods of FieldStorage, whose private names old subclasses know",
    "gateway.fastcgiclient": "gateway.fastcgi",
    "sessions.redislock": "sessions.redis",
    "sessions.sqlitelock": "sessions.sqlite",
}
#: Objects of the library itself; private between its own modules.
FRIENDS = set(
    "self.counters listener other following request response self._store store storage os"
    " super()".split()
)


def places(tree: ast.AST) -> Iterator[str]:
    """Every use of a private name of another object."""

    def is_private(name: str) -> bool:
        return name.startswith("_") and not name.startswith("__")

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if house.written(node.value) not in FRIENDS | {"self", "cls"}:
                yield house.written(node)
        elif isinstance(node, ast.Call) and house.written(node.func) in {"getattr", "setattr"}:
            name = node.args[1]
            if isinstance(name, ast.Constant) and is_private(name.value):
                yield house.written(node)


def test_every_private_name_of_others_is_in_the_table() -> None:
    found = {(module.name, place) for module in house.read() for place in places(module.tree)}
    assert found - set(PRIVATE) == set()


def own_names(tree: ast.AST) -> set[str]:
    """What a module defines: functions, classes, variables, attributes of its own objects."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if house.written(node.value) in {"self", "cls"}:
                found.add(node.attr)
        elif isinstance(node, ast.Call) and house.written(node.func) == "setattr":
            found.add(house.written(node.args[1]).strip("'"))
    return found


def borrowed(tree: ast.AST) -> list[str]:
    """Private names of the objects in `FRIENDS` that the module does not define itself, and private
    names imported from another module.
    """
    found = [
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
        if alias.name.startswith("_")
    ]
    own = own_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or node.attr in own:
            continue
        if node.attr.startswith("_") and not node.attr.startswith("__"):
            found += [house.written(node)] * (house.written(node.value) in FRIENDS - {"os"})
    return found


def test_no_module_uses_the_private_parts_of_another() -> None:
    """WSGI and persistent scripts set `_sent` and `_of` in a `Response` and imported its `_head`."""
    found = {module.name for module in house.read() if borrowed(module.tree)}
    assert found - set(NEIGHBOURS) == set()


@pytest.mark.parametrize(
    "source", ["response._sent = True", "from ..response import _head", "x = request._handler"]
)
def test_a_private_part_of_another_module_is_found(source: str) -> None:
    assert borrowed(ast.parse(source))


def test_every_private_module_is_in_the_table() -> None:
    found = set()
    for module in house.read():
        for node in ast.walk(module.tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            found |= {name for name in names if name.startswith("_") and name != "__future__"}
    assert found - PRIVATE_MODULES == set()


def test_what_is_used_of_the_standard_library_is_there() -> None:
    import _thread
    import atexit
    import threading

    from redis.connection import Connection

    assert isinstance(os.environ._data, dict)  # type: ignore[attr-defined]
    assert callable(_thread._count)
    assert callable(atexit._ncallbacks)
    assert callable(atexit._run_exitfuncs)
    assert callable(threading._shutdown)  # type: ignore[attr-defined]
    assert isinstance(threading.main_thread()._native_id, int)  # type: ignore[attr-defined]
    assert callable(Connection._connect)
