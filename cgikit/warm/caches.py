"""Objects of the standard library that requests may change: caches, and tables that fill on first use.

They are known by name, each with its reason, and a child that serves several requests puts them back
between two of them. To put back is always right where an object holds nothing but references: it is
then what a process that was forked anew would have. What else changes is not put back: the child ends.
"""

import gc
import sys
from operator import is_not

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE
#: Modules whose names are put back: most are tables that are made on first use.
NAMESPACES = (
    "cgikit",  # names are looked up on first use
    "_strptime",  # formats that were read
    "time",  # tzset() makes new values of the same time zone
    "mimetypes",  # the tables are read on first use
    "tempfile",  # the directory and the sequence of names are chosen on first use
    "uuid",  # the last time stamp, the node
    "locale",
    "gettext",
    "getpass",
    "random",
    "sysconfig",
    "urllib.request",  # the opener that is made on first use
    "logging",  # the root's level
    "http.client",
    "decimal",
    "calendar",
    "webbrowser",
)
#: Dicts, lists and sets that are put back.
CONTAINERS = (
    ("re", "_cache"),
    ("_strptime", "_regex_cache"),
    ("re", "_cache2"),
    ("linecache", "cache"),
    ("encodings", "_cache"),
    ("sys", "path_importer_cache"),
    ("sys", "argv"),
    ("sys", "orig_argv"),
    ("sys", "path"),
    ("sys", "meta_path"),
    ("sys", "path_hooks"),
    ("sys", "warnoptions"),
    ("sys", "_xoptions"),
    ("warnings", "filters"),
    ("warnings", "onceregistry"),
    ("_warnings", "_onceregistry"),
    ("_warnings", "filters"),
    ("copyreg", "_extension_cache"),
    ("fnmatch", "_cache"),
    ("mimetypes", "knownfiles"),
    ("logging", "_handlerList"),
    ("tokenize", "_cache"),
)
#: Attributes of objects that are put back.
INSTANCES = (
    ("logging", "root"),
    ("logging", "lastResort"),
    ("logging", "Logger", "manager"),
    ("random", "_inst"),
)
#: Attributes of classes that are put back: exit handlers of `weakref.finalize` have run.
ATTRIBUTES = (
    ("weakref", "finalize", "_shutdown"),
    ("weakref", "finalize", "_dirty"),
)


class Caches:
    """The known caches of this process as they are now; those without a content of their own are
    emptied first.
    """

    def __init__(self) -> None:
        _fill()
        self._emptied = [thing for thing in gc.get_objects() if _is_library_cache(thing)]
        self._empty()
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = []
        self._lists: list[tuple[list[Any], list[Any]]] = []
        self._sets: list[tuple[set[Any], set[Any]]] = []
        for thing in _named():
            if isinstance(thing, dict):
                self._dicts.append((thing, dict(thing)))
            elif isinstance(thing, list):
                self._lists.append((thing, [*thing]))
            elif isinstance(thing, set):
                self._sets.append((thing, {*thing}))
        self._spaces = [
            space
            for module in list(sys.modules.values())
            if isinstance(space := getattr(module, "__dict__", None), dict)
        ]
        self._attributes: list[tuple[Any, str, Any]] = []
        for *place, name in ATTRIBUTES:
            owner = _found(tuple(place))
            if owner is not None:
                self._attributes.append((owner, name, getattr(owner, name)))
        self._plain = [thing for thing in gc.get_objects() if _has_no_slots_noted(thing)]
        self._forget_warnings()

    def _empty(self) -> None:
        for thing in self._emptied:
            thing.cache_clear()
        struct = sys.modules.get("_struct")
        if struct is not None:
            struct._clearcache()

    def own(self) -> "Iterator[Any]":
        """Yield the objects that this one is made of."""
        yield from (self._emptied, self._dicts, self._lists, self._sets, self._spaces)
        yield from (self._attributes, self._plain)
        for each in (self._dicts, self._lists, self._sets):
            for _, before in each:
                yield before

    def restore(self) -> None:
        """Put everything back."""
        self._empty()
        old: list[Any] = []
        for thing, before in self._dicts:
            if len(thing) != len(before) or not _are_same(thing, before):
                old.append({**thing})  # what it holds must not end while it is empty
                thing.clear()
                thing.update(before)
        for each, items in self._lists:
            if len(each) != len(items) or any(map(is_not, each, items)):
                old.append([*each])
                each[:] = items
        for group, members in self._sets:
            if group != members:
                old.append({*group})
                group.clear()
                group.update(members)
        for owner, name, value in self._attributes:
            if getattr(owner, name) is not value:
                setattr(owner, name, value)
        self._forget_warnings()

    def restore_rare(self) -> None:
        """Put back what changes rarely and takes longer to look for: what `copyreg` has noted in old
        classes of whose objects copies were made, and what finalizers have changed since `restore`.
        """
        self.restore()
        for each in self._plain:
            if "__slotnames__" in each.__dict__:
                del each.__slotnames__

    def _forget_warnings(self) -> None:
        for space in self._spaces:
            if "__warningregistry__" in space:
                del space["__warningregistry__"]


def _fill() -> None:
    """Make tables that are made on first use, and are the same for everybody."""
    repr([[]])  # notes, in a dict of the thread, which lists it is in
    parse = sys.modules.get("urllib.parse")
    if parse is not None:
        parse.unquote_to_bytes("%41")


def _are_same(now: "dict[Any, Any]", before: "dict[Any, Any]") -> bool:
    return [*now] == [*before] and not any(map(is_not, now.values(), before.values()))


def _has_no_slots_noted(thing: "Any") -> bool:
    """Whether a thing is a class, made by a `class` statement, of which `copyreg` has noted nothing."""
    return (
        isinstance(thing, type)
        and bool(thing.__flags__ & _HEAP_TYPE)
        and "__slotnames__" not in thing.__dict__
    )


def _is_library_cache(thing: "Any") -> bool:
    if type(thing).__name__ != "_lru_cache_wrapper":
        return False
    owner = str(getattr(thing, "__module__", "")).partition(".")[0]
    return owner in sys.stdlib_module_names or owner == "cgikit"


def _named() -> "Iterator[Any]":
    modules = sys.modules
    yield vars(sys)
    yield modules
    for name in NAMESPACES:
        if name in modules:
            yield vars(modules[name])
    for path in CONTAINERS:
        yield _found(path)
    for names in INSTANCES:
        thing = _found(names)
        if thing is not None:
            yield vars(thing)
            yield from (v for v in vars(thing).values() if type(v) in (dict, list, set))
    for thing in gc.get_objects():
        kind = type(thing)
        if kind.__name__ == "FileFinder" and kind.__module__.startswith("_frozen_importlib"):
            yield vars(thing)
        elif isinstance(thing, type) and "_value2member_map_" in thing.__dict__:
            # Combinations of flags are made members on first use
            yield thing.__dict__["_value2member_map_"]
        elif kind is dict and thing and _is_codecs(thing):
            yield thing


def _is_codecs(thing: "dict[Any, Any]") -> bool:
    """Whether this is the interpreter's table of codecs that were looked up."""
    return (
        type(next(iter(thing.values()))).__name__ == "CodecInfo" and type(next(iter(thing))) is str
    )


def _found(path: "tuple[str, ...]") -> "Any":
    thing = sys.modules.get(path[0])
    for name in path[1:]:
        thing = getattr(thing, name, None)
    return thing
