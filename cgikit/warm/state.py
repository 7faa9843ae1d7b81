"""State that an import creates and that differs between processes: chance, the time, process ids.

In a fresh interpreter each request has its own; with a preloaded module all requests would share one.
So two processes import the module, and this module compares what they hold, by value. A state that is
equal in both, such as that of `Random(42)`, is intended. `trial.py` decides what becomes of a module
that differs.

Three things are not seen: what C code keeps to itself, a date without a time of day, and objects more
than a few steps away from a module's names.
"""

import gc
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import ModuleType
    from typing import Any

#: How many objects are looked at in one module, and how deep; larger structures are tables.
MAX_OBJECTS, MAX_DEPTH = 50_000, 10
_PLAIN = (int, float, complex, str, bytes, bool, type(None))
#: What Python itself stores in every module.
_OWN = {"__builtins__", "__cached__", "__doc__", "__file__", "__loader__", "__path__", "__spec__"}
_SHOWN = {"array", "datetime", "decimal", "fractions", "itertools", "uuid"}  # in full by `repr`
_SKIPPED = {"_frozen_importlib", "_frozen_importlib_external", "_thread", "importlib", "threading"}


def digests(modules: "Mapping[str, ModuleType]") -> dict[str, int]:
    """Return a number for each module, by name, that stands for what its names hold. Compare it between
    processes that were forked from the same one.
    """
    return {name: _digest(name, module) for name, module in modules.items()}


def _digest(name: str, module: "ModuleType") -> int:
    namespace = getattr(module, "__dict__", {})
    left = [(value, 0) for key, value in list(namespace.items()) if key not in _OWN]
    seen = {id(namespace), *map(id, _reseeded())}
    found: list[int] = []
    while left and len(seen) < MAX_OBJECTS:
        thing, depth = left.pop()
        if isinstance(thing, _PLAIN):
            found.append(hash((type(thing).__name__, thing)))
        elif id(thing) not in seen and not isinstance(thing, type(sys)):
            seen.add(id(thing))
            shown = _shown(thing)
            if shown:
                found.append(hash(shown))
            elif depth < MAX_DEPTH:
                left += [(below, depth + 1) for below in _below(name, thing)]
    return hash(tuple(sorted(found)))


def _reseeded() -> "list[Any]":
    """Return the generators that are reseeded after each fork: see `interpreter.run`."""
    found = [getattr(sys.modules.get("random"), "_inst", None)]
    numpy = getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None)
    found += [numpy, getattr(numpy, "_bit_generator", None)]
    return [generator for generator in found if generator is not None]


def _shown(thing: "Any") -> str:
    """Return the state of an object whose parts do not show it, or "" for all others."""
    kind = type(thing)
    module = str(kind.__module__)
    try:
        if isinstance(thing, bytearray) or module in _SHOWN:
            return repr(thing)
        if module.startswith("numpy.random"):
            return repr(getattr(thing, "bit_generator", thing).state)
        if hasattr(thing, "getstate") and hasattr(thing, "getrandbits"):
            return repr(thing.getstate())
    except Exception:  # of any kind: its state cannot be known
        return ""
    return ""


def _below(name: str, thing: "Any") -> "list[Any]":
    """Return what an object holds, as far as it belongs to the module."""
    kind = type(thing)
    if isinstance(thing, type):
        return list(vars(thing).values()) if thing.__module__ == name else []
    if isinstance(thing, dict):
        return [*thing, *thing.values()]
    if kind.__module__.partition(".")[0] in _SKIPPED:
        return []
    if kind.__name__ == "function":
        if thing.__module__ != name:
            return []
        return [thing.__defaults__, thing.__kwdefaults__, thing.__closure__, thing.__dict__]
    if kind.__name__ == "builtin_function_or_method":
        return [thing.__self__]
    if kind.__name__ in ("code", "frame", "wrapper_descriptor"):
        return []
    return gc.get_referents(thing)


def shift_clock(seconds: int) -> None:
    """Shift the clock for everything that this process imports from now on. Otherwise two imports a
    moment apart would often read the same time.
    """
    now, now_ns = time.time, time.time_ns

    def shifted(function: "Any", place: int) -> "Any":
        def asked(*given: "Any") -> "Any":
            return function(*given) if len(given) > place else function(*given, default())

        return asked

    def default() -> "Any":
        return now() + seconds

    named = {name: shifted(getattr(time, name), 0) for name in ("gmtime", "localtime", "ctime")}
    local, form = named["localtime"], time.strftime
    named["strftime"] = lambda text, *given: form(text, *(given or (local(),)))
    named["time"] = lambda: now() + seconds
    named["time_ns"] = lambda: now_ns() + seconds * 1_000_000_000
    vars(time).update(named)
