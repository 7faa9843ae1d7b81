"""Records: plain values that compare by what they hold.

What a worker imports is memory that is copied for every request, and `dataclasses` brings 2 MB of
modules with it. Modules that only the HTTP front end loads use dataclasses; a worker's use this.
"""


class Record:
    """Base of classes whose state is their `__slots__`: equal, hashed and shown by them."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._values()!r}"

    def _values(self) -> tuple[object, ...]:
        names: tuple[str, ...] = type(self).__slots__
        return tuple([getattr(self, name) for name in names])
