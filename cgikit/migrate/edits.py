"""Changes to a text: which bytes are replaced, and by what. The rest stays the same, byte for byte."""

from collections.abc import Iterable
from typing import NamedTuple


class Edit(NamedTuple):
    """`text` in place of the bytes from `start` to `end`; where both are one, it is put in between."""

    start: int
    end: int
    text: str


class Overlap(Exception):
    """Two edits that want the same bytes: the rules contradict each other."""


def apply(data: bytes, edits: Iterable[Edit]) -> bytes:
    """Return `data` with all edits made. Raises `Overlap` where two of them meet.

    What several edits put in at one place comes in the order in which they were given.
    """
    out, position = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        if edit.start < position:
            raise Overlap(f"bytes {edit.start} to {edit.end} are changed twice")
        out += [data[position : edit.start], edit.text.encode()]
        position = edit.end
    return b"".join([*out, data[position:]])
