"""Internal. The form as a mapping: how `FieldStorage` of `cgikit.compat.cgi` returns its fields.

The fields are in `list`, which scripts may read and change. Other modules fill it.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, Self

_MANY = 100  # fields, below which a list is compared faster than a module is loaded

#: A read-only empty mapping, made without importing `types`.
EMPTY: "Mapping[str, str]" = type(object.__dict__)({})


def load_submodules() -> None:
    """Load what the old module loaded of the packages that a script imports by their bare names.

    `import cgi, urllib` was enough for `urllib.parse.quote`.
    """
    if "urllib" in sys.modules and "urllib.parse" not in sys.modules:
        import urllib.parse  # noqa: F401 -- for the script
    if "email" in sys.modules and "email.parser" not in sys.modules:
        import email.parser  # noqa: F401 -- for the script


def watched(items: "Any") -> "Any":
    """Return the list of a form's fields; one that is large enough to matter counts its changes."""
    if type(items) is not list or len(items) < _MANY:
        return items
    from cgikit.compat.watched import WatchedList

    return WatchedList(items)


class Fields:
    """Names to fields: one object, or a list of them if the name was sent more than once."""

    # For subclasses whose __init__ does not call that of FieldStorage.
    name: "Any" = None
    filename: "Any" = None
    list: "Any" = None
    file: "Any" = None
    _index: "Any" = None

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *args: object) -> None:
        for item in (self, *(self.list or ())):
            if item.file is not None:
                item.file.close()

    def __repr__(self) -> str:
        return f"FieldStorage({self.name!r}, {self.filename!r}, {self.value!r})"

    def __iter__(self) -> "Iterator[Any]":
        return iter(self.keys())

    def __getattr__(self, name: str) -> "Any":
        if name != "value":
            raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
        if self.file is None:
            return self.list
        self.file.seek(0)
        value = self.file.read()
        self.file.seek(0)
        return value

    def __getitem__(self, key: "Any") -> "Any":
        found = self._named(key)
        if not found:
            raise KeyError(key)
        return found[0] if len(found) == 1 else found

    def getvalue(self, key: "Any", default: "Any" = None) -> "Any":
        """Return the value of a name, a list if it was sent more than once, or `default`."""
        found = self.getlist(key)
        if not found:
            return default
        return found[0] if len(found) == 1 else found

    def getfirst(self, key: "Any", default: "Any" = None) -> "Any":
        """Return the first value of a name, or `default`."""
        found = self._named(key)
        return found[0].value if found else default

    def getlist(self, key: "Any") -> "Any":
        """Return a list of all values of a name, or [] if there is none."""
        return [item.value for item in self._named(key)]

    def keys(self) -> "Any":
        """Return a list of the names, each once, in the order in which they were sent."""
        return [*dict.fromkeys([item.name for item in self.list or ()])]

    def __contains__(self, key: object) -> bool:
        return bool(self._named(key))

    def __len__(self) -> int:
        return len(self.keys())

    def __bool__(self) -> bool:
        """Whether it has fields or, if it is a single value, whether that is not empty."""
        if self.list is not None or self.file is None:
            return bool(self.list)
        self.file.seek(0)
        begins = self.file.read(1)
        self.file.seek(0)
        return bool(self.filename or begins)

    def _named(self, key: "Any") -> "Any":
        """Return the items of a name. `list` is public, so its index is rebuilt when it has changed."""
        changes = getattr(self.list, "changes", None)
        items = (self.list or []) if changes is None else self.list
        index: dict[Any, list[Any]]
        seen, counted, index = self._index or (None, None, {})
        is_same = seen == items if changes is None else seen is items
        if not is_same or counted != changes:
            index = {}
            for item in items:
                index.setdefault(item.name, []).append(item)
            self._index = [*items] if changes is None else items, changes, index
        return [*index.get(key, ())]
