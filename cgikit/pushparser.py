"""Internal. The `multipart` package, imported without most of what it imports.

Importing the package takes longer than bare Python needs to start, mainly for modules that only its own
form parser calls, and those that type hints name. While it loads in a process without threads, small
modules stand in for these. This module decides which, and what they do; `multipart.py` uses the parser.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

#: Functions and classes that the package calls after it was imported, if at all.
_CALLED_LATER = {
    "tempfile": "TemporaryFile",
    "urllib.parse": "unquote_plus",
    "wsgiref.headers": "Headers",
}
_TYPES = "AsyncGenerator Awaitable Callable Generator List Optional Tuple Union"


def library() -> "ModuleType":
    """Import the `multipart` package (2.0 or later) and return it.

    In a process with threads the real modules are imported with it: another thread could get a
    stand-in, and start-up time does not matter. The same is done for a version of the package that
    needs more than the stand-ins have. Raises `ImportError` if it is not installed, or if the module of
    that name is not this package.
    """
    multipart = _imported()
    if not hasattr(multipart, "PushMultipartParser"):
        place = getattr(multipart, "__file__", None) or list(multipart.__path__)
        raise ImportError(
            f"the module 'multipart' at {place} is not the package that cgikit needs, but probably "
            "python-multipart, which has a module of the same name: "
            "pip uninstall python-multipart; pip install 'multipart>=2'"
        )
    return multipart


def _imported() -> "ModuleType":
    threading = sys.modules.get("threading")
    # The threads of a WSGI server that is written in C are not in the count.
    served = "cgikit.wsgi" in sys.modules
    alone = not served and (threading is None or threading.active_count() == 1)
    if alone and "multipart" not in sys.modules:
        try:
            return _imported_with({n: m for n, m in _stand_ins().items() if n not in sys.modules})
        except Exception:  # noqa: S110 -- whatever a stand-in lacks; a real cause is raised below
            pass
    return _imported_with({})


def _imported_with(stand_ins: "dict[str, ModuleType]") -> "ModuleType":
    sys.modules.update(stand_ins)
    try:
        import multipart
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    found: ModuleType = multipart
    return found


def _stand_ins() -> "dict[str, ModuleType]":
    """Return what stands in for modules, by name. None has more than the package takes from it."""
    from _collections_abc import MutableMapping

    given: dict[str, dict[str, object]] = {
        "collections.abc": {"MutableMapping": MutableMapping},
        "functools": {"cached_property": _CachedProperty},
        "math": {"inf": float("inf")},
        "re": {"compile": _Pattern, "ASCII": 256},
        "typing": {name: _Type() for name in _TYPES.split()},
    }
    for module, name in _CALLED_LATER.items():
        given[module] = {name: _later(module, name)}
    found = {}
    for module, attributes in given.items():
        found[module] = type(sys)(module)
        vars(found[module]).update(attributes)
    return found


def _later(module: str, name: str) -> "Callable[..., object]":
    """Return a function that calls the one of the real module."""

    def forward(*args: object, **kwargs: object) -> object:
        return getattr(__import__(module, fromlist=(name,)), name)(*args, **kwargs)

    return forward


class _Pattern:
    """A regular expression that is compiled when it is first used: bodies are parsed without."""

    def __init__(self, *arguments: "Any") -> None:
        self._arguments = arguments

    def __getattr__(self, name: str) -> object:
        return getattr(_later("re", "compile")(*self._arguments), name)


class _Type:
    """A type in a hint, whatever its parameters."""

    def __getitem__(self, parameters: object) -> "_Type":
        return self


class _CachedProperty:
    """`functools.cached_property`."""

    def __init__(self, function: "Callable[[Any], object]") -> None:
        self.__doc__ = function.__doc__
        self._function = function

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: object, owner: type | None = None) -> object:
        if instance is None:
            return self
        # From now on the attribute of the object comes first.
        value = vars(instance)[self._name] = self._function(instance)
        return value
