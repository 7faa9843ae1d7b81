"""Records are equal when they hold the same, and are shown by it."""

from cgikit.host.path import Directory, Script
from cgikit.host.value import Value


class Pair(Value):
    __slots__ = ("left", "right")

    def __init__(self, left: object, right: object) -> None:
        self.left = left
        self.right = right


class Other(Pair):
    __slots__ = ()


def test_equality() -> None:
    assert Pair(1, 2) == Pair(1, 2)
    assert Pair(1, 2) != Pair(2, 1)
    assert Pair(1, 2) != (1, 2)
    assert Script("/f", "/f") == Script("/f", "/f", "")
    assert Script("/f", "/f") != Directory("/f", "/f", False)


def test_records_of_two_classes_are_different() -> None:
    assert Pair(1, 2) != Other(1, 2)


def test_hash_and_shape() -> None:
    assert len({Pair(1, 2), Pair(1, 2), Pair(2, 1)}) == 2
    assert repr(Pair(1, "b")) == "Pair(1, 'b')"
