"""compat.watched: a list that knows how often it was changed."""

import copy
import json
import pickle

from cgikit.compat.watched import WatchedList

#: Methods of `list` that change nothing.
READING = {
    "__add__", "__class_getitem__", "__contains__", "__doc__", "__eq__", "__ge__",
    "__getattribute__", "__getitem__", "__gt__", "__hash__", "__init__", "__iter__", "__le__",
    "__len__", "__lt__", "__mul__", "__ne__", "__new__", "__repr__", "__reversed__", "__rmul__",
    "__sizeof__", "copy", "count", "index",
}  # fmt: skip


def test_every_method_that_changes_a_list_is_counted() -> None:
    """A method of a later Python that is not in one of the tables fails here."""
    own = {name for name in vars(WatchedList) if name in vars(list)} - {"__doc__"}
    assert own == set(vars(list)) - READING


def test_it_is_a_list_otherwise() -> None:
    watched = WatchedList([3, 1])
    assert watched == [3, 1]
    watched += [2]
    watched.sort(reverse=True)
    assert (watched, watched.changes, type(watched)) == ([3, 2, 1], 2, WatchedList)
    assert pickle.loads(pickle.dumps(watched)) == copy.deepcopy(watched) == [3, 2, 1]
    assert json.dumps(watched) == "[3, 2, 1]"
