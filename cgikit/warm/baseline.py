"""What a child held in memory before its first visitor, to compare with what it holds afterwards.

The child was forked from a process that never serves, so nothing in the baseline is a visitor's. After
each request, once the script's own objects are gone, two things are asked:

- Are there new objects? The garbage collector lists those that were made since the baseline, as the old
  ones are hidden from it (`gc.freeze`). None may be left: something old, or C code, holds them.
- Do the old objects hold the same ones as before? `gc.get_referents` gives what all of them refer to,
  in C and in one list: the entries of dicts, lists and sets, the attributes of instances and
  classes, the defaults and the closures of functions. It is compared item by item, by identity first.

Items that are equal without being the same are let pass where that makes no difference: strings.
Numbers, bytes and tuples with numbers are compared by identity as well, since `1 == True`. Keys are
compared on their own, since the collector passes over those of most dicts. The few kinds of objects
whose state C keeps to itself are in `HIDDEN`; `kinds.py` decides which have none.

Names are looked up only when a change was found.
"""

import gc
import sys
from _weakref import ref
from itertools import chain
from operator import attrgetter, is_not, itemgetter

from ..leaving import Mark

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a `class` statement, or able to change
_FUNCTION = type(lambda: None)
_CODE = type((lambda: None).__code__)
_MODULE = type(sys)
_FRAME = type(sys._getframe())
_CELL = type((lambda x: lambda: x)(0).__closure__[0])  # type: ignore[index]
_WEAK = type(ref(Mark))
#: Kinds that refer to the same objects as long as they live.
_FIXED = frozenset(
    (
        tuple,
        frozenset,
        type(object.__init__),
        type(str.join),
        type(type.__dict__["__mro__"]),
        type(type.__dict__["__dict__"]),
        type(dict.__dict__["fromkeys"]),
        type(type.__dict__),
        _FRAME,
        _WEAK,
    )
)


def _numbers(kind: "Any") -> "Callable[[Any], Any]":
    """Return what tells the state of a generator of random numbers. That of the module `random` gets a
    new seed for each request.
    """

    def state(thing: "Any") -> "Any":
        own = getattr(sys.modules.get("random"), "_inst", None)
        return None if thing is own else kind.getstate(thing)

    return state


def _count(kind: "Any") -> "Callable[[Any], str]":
    """Return what tells where a counter is. That of `weakref.finalize` only tells the order of its
    objects.
    """

    def shown(thing: "Any") -> str:
        finalize: Any = getattr(sys.modules.get("weakref"), "finalize", None)
        return "" if thing is getattr(finalize, "_index_iter", None) else kind.__repr__(thing)

    return shown


def _items(kind: "Any") -> "Callable[[Any], Any]":
    return lambda thing: tuple(kind.__iter__(thing))


def _file(kind: "Any") -> "Callable[[Any], Any]":
    is_closed = kind.closed.__get__
    return lambda thing: is_closed(thing) or (kind.getvalue(thing), kind.tell(thing))


_shown = attrgetter("__repr__")
_length = attrgetter("__length_hint__")

#: What tells the state of kinds that C keeps to itself, by module and name. It is given the kind: one
#: that a class is derived from, which may have methods of its own that say something else.
HIDDEN: "dict[tuple[str, str], Callable[[Any], Callable[[Any], Any]]]" = {
    ("builtins", "bytearray"): attrgetter("copy"),
    ("builtins", "memoryview"): _shown,  # released or not
    ("builtins", "BaseException"): lambda kind: kind.__suppress_context__.__get__,
    ("array", "array"): _shown,
    ("collections", "OrderedDict"): _items,
    ("collections", "deque"): _items,
    ("itertools", "count"): _count,
    ("_io", "StringIO"): _file,
    ("_io", "BytesIO"): _file,
    ("decimal", "Context"): _shown,
    ("_thread", "lock"): attrgetter("locked"),
    ("_thread", "RLock"): _shown,
    ("builtins", "list_iterator"): _length,
    ("builtins", "tuple_iterator"): _length,
    ("builtins", "generator"): lambda kind: lambda thing: thing.gi_frame and thing.gi_frame.f_lasti,
    ("functools", "_lru_cache_wrapper"): attrgetter("cache_info"),
    ("_random", "Random"): _numbers,
}
_SEPARATOR = (object(),)
MAX_DEPTH = 8  # names between a module and what changed


class Baseline:
    """The objects of this process as they are now. From now on they are hidden from the collector.

    `own` are objects that may change: those of the engine itself.
    """

    def __init__(self, own: "tuple[Any, ...]" = ()) -> None:
        collecting = gc.isenabled()
        gc.disable()
        gc.unfreeze()
        there: list[Any] = gc.get_objects()  # no name here may be one of an inner function
        self._take(there, {*map(id, (*own, self, vars(self), there))})
        del there
        self.modules = dict(sys.modules)
        self.hide()
        if collecting:
            gc.enable()

    def hide(self) -> None:
        """Hide all objects of this process from the collector."""
        gc.freeze()
        self.mark = Mark()

    def _take(self, there: "list[Any]", ignored: set[int]) -> None:
        # First, since asking for the frame of a generator makes one
        self._hidden = [(thing, state, state(thing)) for thing, state in _with_hidden_state(there)]
        self._abstract = [thing for thing in there if type(thing).__name__ == "_abc_data"]
        ignored |= {*map(id, self._abstract), *map(id, gc.get_referents(*self._abstract))}
        ignored -= {*map(id, _registries(there))}
        things = [thing for thing in _changeable(there) if id(thing) not in ignored]
        self._dicts = [each for each in things if type(each) is dict and _hides_keys(each)]
        # A derived kind refers to more, and may have an `__iter__` that says something else
        self._derived = [
            each for each in things if isinstance(each, dict) and type(each) is not dict
        ]
        functions = [thing for thing in things if type(thing) is _FUNCTION]
        others = [thing for thing in things if type(thing) is not _FUNCTION]
        # A separator after each object whose size can change: what leaves the end of one list must
        # not be taken for what is now at the beginning of the next
        apart = chain.from_iterable((thing, _SEPARATOR) for thing in others)
        self._functions = tuple(functions)
        self._asked = (*apart, *functions)
        self._referents: list[Any] = []
        self._look()

    def _look(self) -> None:
        """Note what the objects hold. Those that have twins are looked for again only if others are in
        their places: that takes longer than all the rest.
        """
        before, self._referents = self._referents, gc.get_referents(*self._asked)
        self._keys = self._keys_now()
        new = len(before) != len(self._referents) or any(
            _has_twins(this) != _has_twins(that)
            for this, that in zip(before, self._referents, strict=True)
            if this is not that
        )
        if new:
            # The codes of functions have no twins: see `surroundings.py`, which hears of a new one
            functions = len(self._referents) - len(gc.get_referents(*self._functions))
            picked = [
                at
                for at, thing in enumerate(self._referents)
                if _has_twins(thing) and not (at >= functions and type(thing) is _CODE)
            ]
            self._pick: Callable[[list[Any]], tuple[Any, ...]] = itemgetter(*picked, 0, 0)
        self._picked = self._pick(self._referents)

    def _keys_now(self) -> "list[Any]":
        return [
            *chain.from_iterable(self._dicts),
            *chain.from_iterable(map(dict.__iter__, self._derived)),
        ]

    def renew(self) -> None:
        """Note what the objects hold now, in a child of the process that has made the baseline: a fork
        changes some, such as the locks of `threading`. Call it before the first visitor.
        """
        self._look()
        self._hidden = [(thing, state, state(thing)) for thing, state, _ in self._hidden]
        self.hide()

    def new(self) -> "list[Any]":
        """Return the objects that were made since the baseline and are still there. Call it after
        `gc.collect()`.
        """
        # No comprehension: that, and a name that it uses, would be objects as well
        left: list[Any] = gc.get_objects()
        for at, thing in enumerate(left):
            if thing is self.mark:
                del left[at]
                break
        if left:
            left = self._unknown(left)
            if not left:
                self.hide()
        return left

    def _unknown(self, left: "list[Any]") -> "list[Any]":
        """Return those of new objects in which no abstract class notes which classes were compared with
        it. (What was registered with such a class is compared by `surroundings.py`.)
        """
        notes = {*map(id, gc.get_referents(*self._abstract))}
        return [
            thing
            for thing in left
            if id(thing) not in notes
            and type(thing) is not _WEAK
            and not (type(thing) is type(len) and thing.__name__ == "_destroy")
        ]

    def has_changed(self) -> bool:
        """Return whether an object of the baseline holds something else than it held then."""
        try:
            now = gc.get_referents(*self._asked)
            return (
                now != self._referents
                or any(map(is_not, self._pick(now), self._picked))
                or self._keys_now() != self._keys
                or any(state(thing) != before for thing, state, before in self._hidden)
            )
        except Exception:  # of a comparison that a script has made possible
            return True

    def changed(self) -> str:
        """Return the name of one object that has changed, such as `email.charset.ALIASES`."""
        thing = self._culprit()
        if thing is None:
            return "an object that has no name"
        return self._named(thing)

    def _culprit(self) -> "Any":
        at, last = 0, None
        for asked in self._asked:
            held = gc.get_referents(asked)
            before = self._referents[at : at + len(held)]
            if len(before) != len(held) or any(map(is_not, held, before)):
                return last if asked is _SEPARATOR else asked
            at += len(held)
            last = asked
        at = 0
        for each in (*self._dicts, *self._derived):
            keys = list(dict.__iter__(each))
            if keys != self._keys[at : at + len(keys)]:
                return each
            at += len(keys)
        for thing, state, before in self._hidden:
            if state(thing) != before:
                return thing
        return None

    def _named(self, wanted: "Any") -> str:
        """Return where an object is, from a module down; its kind if no module leads to it."""
        seen: set[int] = {id(self), id(vars(self))}
        there: list[tuple[str, Any]] = [(name, module) for name, module in self.modules.items()]
        for _ in range(MAX_DEPTH):
            found: list[tuple[str, Any]] = []
            for path, thing in there:
                if thing is wanted:
                    return path
                if id(thing) not in seen:
                    seen.add(id(thing))
                    found += [(path + label, below) for label, below in _labelled(thing)]
            there = found
        return f"an object of {type(wanted).__module__}.{type(wanted).__qualname__}"


def _changeable(there: "list[Any]") -> "Iterator[Any]":
    """Yield the objects that can refer to others than before. Dicts that hold nothing but strings and
    numbers are not listed by the collector; others refer to them.
    """
    seen = {id(thing) for thing in there}
    for thing in there:
        kind = type(thing)
        if kind in _FIXED or (kind is type and not thing.__flags__ & _HEAP_TYPE):
            continue
        if kind is not _FUNCTION and kind is not _MODULE and kind.__flags__ & _HEAP_TYPE:
            # Attributes without a dict of their own have no keys to compare: give it one
            inner = _own_dict(thing)
            if inner is not None and id(inner) not in seen:
                seen.add(id(inner))
                yield inner
        yield thing
    for thing in gc.get_referents(*there):
        if isinstance(thing, dict) and id(thing) not in seen:
            seen.add(id(thing))
            yield thing


def _own_dict(thing: "Any") -> "dict[str, Any] | None":
    try:
        found = object.__getattribute__(thing, "__dict__")
    except Exception:  # it has none
        return None
    return found if type(found) is dict else None


def _hides_keys(table: "dict[Any, Any]") -> bool:
    """Whether a dict has keys that the collector passes over. It lists them all as soon as one of them
    is no string; if that changes, it lists only half as many objects.
    """
    return len(gc.get_referents(table)) < 2 * dict.__len__(table)


def _registries(there: "list[Any]") -> "Iterator[Any]":
    """Yield the sets of what was registered with abstract classes, as far as there is something in
    them. What is registered later is told by a number: see `surroundings.py`.
    """
    abc: Any = sys.modules["_abc"]
    for thing in there:
        data = vars(thing).get("_abc_impl") if isinstance(thing, type) else None
        registered = abc._get_dump(thing)[0] if type(data).__name__ == "_abc_data" else None
        if registered:
            # The first one: those of the caches, which may be equal, come later
            yield next(each for each in gc.get_referents(data) if each == registered)


def _has_twins(thing: "Any") -> bool:
    """Whether another object can be equal to this one and still be told apart: one of a kind that is
    not equal to True, or a list that others hold as well.
    """
    kind = type(thing)
    if kind in _SINGLE or thing is _SEPARATOR[0]:
        return False
    if kind is tuple:
        return not gc.is_tracked(thing) and any(map(_has_twins, thing))
    if kind in _SHARED:
        # Functions refer to their module's, and to that of `builtins`
        return not (kind is dict and ("__builtins__" in thing or "__build_class__" in thing))
    return not gc.is_tracked(thing)


#: Kinds that are tracked, are compared by what they hold, and may be held by several objects.
_SHARED = frozenset((list, dict, set))
#: Kinds of which an equal one is as good. (Codes are equal that are from files of different names.)
_SINGLE = frozenset((str, type, type(None)))


def _with_hidden_state(there: "list[Any]") -> "Iterator[tuple[Any, Callable[[Any], Any]]]":
    """Yield the objects whose state C keeps to itself, with the function that tells it."""
    seen: set[int] = set()
    states: dict[type, Callable[[Any], Any] | None] = {}
    found: list[Any] = there
    while found:
        new = []
        for thing in found:
            if id(thing) in seen:
                continue
            seen.add(id(thing))
            new.append(thing)
            kind = type(thing)
            if kind not in states:
                states[kind] = _state_of(kind)
            state = states[kind]
            if state is not None:
                yield thing, state
        # Once more from what the collector does not list, such as a tuple that holds a bytearray
        found = [thing for thing in gc.get_referents(*new) if not gc.is_tracked(thing)]


def _state_of(kind: type) -> "Callable[[Any], Any] | None":
    for each in kind.__mro__:
        tell = HIDDEN.get((each.__module__, each.__qualname__))
        if tell is not None:
            return tell(each)
    return None


def _labelled(thing: "Any") -> "list[tuple[str, Any]]":
    """Return what an object refers to, with what is written behind its own name to get there."""
    if isinstance(thing, _MODULE):
        space = vars(thing)
        return [("", space), *((f".{name}", below) for name, below in space.items())]
    if isinstance(thing, dict):
        return [("[…]", below) for below in thing.values()]
    if isinstance(thing, type):
        return [("", below) for below in gc.get_referents(thing)[:1]] + [
            (f".{name}", below) for name, below in vars(thing).items()
        ]
    if type(thing) is _FUNCTION:
        names = ("__defaults__", "__kwdefaults__", "__closure__", "__dict__")
        return [(f".{name}", getattr(thing, name)) for name in names]
    if type(thing) is _CELL:
        return [("", below) for below in gc.get_referents(thing)]
    inner = _own_dict(thing)
    if inner is not None:
        return [("", inner), *((f".{name}", below) for name, below in inner.items())]
    return [("[…]", below) for below in gc.get_referents(thing)]
