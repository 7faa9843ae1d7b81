"""Which kinds of objects show all that they hold, so that a change of it can be seen.

The garbage collector tells what an object refers to, and `baseline.py` compares that. Some kinds of
objects, written in C, hold more: what a digest or a compressor has taken in, how far an iterator is,
the memory behind a map. A process in which such an object was made before its first visitor serves one
request only: what a visitor has done to that object, the next one would find. Kinds are known here by
name, and every other one that is written in C counts as one that hides something.
"""

import gc

from .baseline import HIDDEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made while Python runs, by a `class` statement or by C
#: Kinds that hold nothing but what they refer to, or what never changes; by module.
_OPEN = {
    "builtins": """
        object int float complex bool str bytes tuple list dict set frozenset slice code function
        builtin_function_or_method builtin_method method method-wrapper cell type module property
        classmethod staticmethod classmethod_descriptor getset_descriptor member_descriptor
        method_descriptor wrapper_descriptor mappingproxy traceback frame memoryview managedbuffer
        NoneType NotImplementedType NoDefaultType ellipsis PyCapsule stderrprinter super
        moduledef StgDict hamt hamt_bitmap_node hamt_array_node hamt_collision_node
    """,
    "weakref": "ReferenceType ProxyType CallableProxyType",
    "types": "SimpleNamespace GenericAlias UnionType",
    "typing": """
        TypeVar ParamSpec ParamSpecArgs ParamSpecKwargs TypeVarTuple TypeAliasType Generic Union
    """,
    "_abc": "_abc_data",
    "_collections": "_tuplegetter",
    "collections": "_tuplegetter defaultdict",
    "functools": "partial",
    "_functools": "partial",
    "re": "Pattern",
    "ast": "AST",
    "datetime": "date time datetime timedelta tzinfo timezone",
    "operator": "attrgetter itemgetter methodcaller",
    "_struct": "Struct",
    "_json": "Scanner Encoder",
    "_csv": "Dialect",
    "_multibytecodec": "MultibyteCodec",
    "unicodedata": "UCD",
    "_contextvars": "Context ContextVar",
    "Token": "MISSING",
    "_thread": "_local _ThreadHandle",
    "decimal": "Decimal SignalDictMixin",
    # Classes, and functions of C: what they are is settled, and calls are heard
    "_ctypes": """
        CFuncPtr CType_Type PyCArrayType PyCFuncPtrType PyCPointerType PyCSimpleType PyCStructType
        UnionType
    """,
    # Files other than the standard streams are not open in a child; those are made anew each time
    "_io": """
        _IOBase _RawIOBase _BufferedIOBase _TextIOBase FileIO BufferedReader BufferedWriter
        BufferedRandom TextIOWrapper
    """,
}
_KNOWN = frozenset((module, name) for module, names in _OPEN.items() for name in names.split())
_FUNCTION_OF_C = "_ctypes", "CFuncPtr"
#: Exceptions with numbers that only C sees.
_NUMBERED = (OSError, UnicodeError)
_DESCRIPTORS = (
    type(object.__init__),
    type(str.join),
    type(dict.__dict__["fromkeys"]),
)
_ATTRIBUTE = type(type.__dict__["__dict__"])
_NEW: "Any" = type(len)


def obstacle(own: "Iterable[Any]" = ()) -> str:
    """Return which object of this process, if any, holds something that nobody can see from Python, in
    words, or "". `own` are objects that may. Each object is looked at: that is for the zygote to do,
    not for its children.
    """
    seen = set(map(id, own))
    judged: dict[type, bool] = {}
    found: list[Any] = gc.get_objects()
    while found:
        new = []
        for thing in found:
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            new.append(thing)
            kind = type(thing)
            if kind not in judged:
                judged[kind] = hides(kind)
            if judged[kind]:
                return f"an object of {kind.__module__}.{kind.__qualname__} may hide a change"
        found = gc.get_referents(*new)
    return ""


def hides(kind: type) -> bool:
    """Whether objects of a kind hold something, apart from what they refer to, that can change."""
    for each in kind.__mro__:
        if (each.__module__, each.__qualname__) == _FUNCTION_OF_C:
            return False  # it would be data of C otherwise
        if is_made_in_c(each) and _is_closed(each):
            return True
    return False


def _is_closed(kind: type) -> bool:
    name = kind.__module__, kind.__qualname__
    if name in _KNOWN or name in HIDDEN:
        return False
    if issubclass(kind, BaseException):
        return kind.__module__ != "builtins" or issubclass(kind, _NUMBERED)
    return kind.__base__ is not tuple  # a tuple with names


def is_made_in_c(kind: type) -> bool:
    """Whether a class was not made by a `class` statement: it has methods or attributes in C."""
    if not kind.__flags__ & _HEAP_TYPE:
        return True
    space = vars(kind)
    for name, value in space.items():
        if type(value) in _DESCRIPTORS and value.__objclass__ is kind:
            return True
        if type(value) is _ATTRIBUTE and name not in ("__dict__", "__weakref__"):
            return True
    new: Any = space.get("__new__")
    return type(new) is _NEW and new.__self__ is kind
