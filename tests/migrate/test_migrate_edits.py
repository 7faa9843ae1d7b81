"""Changes of a text, put together."""

import pytest

from cgikit.migrate.edits import Edit, Overlap, apply


def test_what_is_not_changed_stays() -> None:
    assert (
        apply(b"abc\r\ndef", [Edit(5, 6, "X"), Edit(0, 1, "\u00e9")]) == "\u00e9bc\r\nXef".encode()
    )


def test_what_is_put_in_at_one_place_keeps_its_order() -> None:
    assert apply(b"ab", [Edit(1, 1, "1"), Edit(1, 1, "2"), Edit(1, 2, "B")]) == b"a12B"


def test_two_edits_of_the_same_bytes_are_refused() -> None:
    with pytest.raises(Overlap, match="bytes 1 to 3 are changed twice"):
        apply(b"abcd", [Edit(0, 2, ""), Edit(1, 3, "")])
