"""Internal. A list that knows how often it was changed: the fields of a large form.

`FieldStorage.list` is public, and scripts change it. An index of it is right as long as the number of
changes is the same; to compare the whole list at each look-up made 10,000 look-ups quadratic. Only
large forms load this module.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_CHANGES = (
    "append extend insert remove pop clear sort reverse"
    " __setitem__ __delitem__ __iadd__ __imul__"
).split()  # fmt: skip


class WatchedList(list):  # type: ignore[type-arg]  # of whatever a subclass of FieldStorage makes
    """A list; `changes` counts the calls that may have changed it."""

    changes = 0


def _counting(name: str) -> "Callable[..., Any]":
    change: Callable[..., Any] = getattr(list, name)

    def changed(self: WatchedList, *args: "Any", **words: "Any") -> "Any":
        self.changes += 1
        return change(self, *args, **words)

    return changed


for _name in _CHANGES:
    setattr(WatchedList, _name, _counting(_name))
