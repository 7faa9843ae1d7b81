"""Values: plain objects that compare by what they hold.

Not dataclasses, because every warm worker loads these modules: `import dataclasses` loads eleven
modules and takes some 10 ms. Modules that only the HTTP front end loads use dataclasses.
"""


class Value:
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
