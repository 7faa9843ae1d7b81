"""The table that several processes share: what each of its parts holds, and what cannot mix in it."""

import mmap
import os
from collections.abc import Iterator

import pytest

from cgikit.warm import slottable
from cgikit.warm.slottable import NAMES_SIZE, SIZE, SLOTS, SlotTable


@pytest.fixture
def memory() -> mmap.mmap:
    return mmap.mmap(-1, SIZE)


def test_each_slot_has_two_numbers_of_its_own(memory: mmap.mmap) -> None:
    table, other = SlotTable(memory), SlotTable(memory)
    assert len(table.pids) == len(table.statuses) == SLOTS
    for slot in range(SLOTS):
        table.pids[slot], table.statuses[slot] = slot + 1, -slot
    table.write_names(7, ["json"])
    assert list(other.pids) == list(range(1, SLOTS + 1))
    assert list(other.statuses) == [-slot for slot in range(SLOTS)]


def test_names_go_from_a_child_to_its_worker_once(memory: mmap.mmap) -> None:
    table = SlotTable(memory)
    pid = os.fork()
    if not pid:
        try:
            SlotTable(memory).write_names(os.getpid(), ["json", "json.decoder", "ä"])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert table.take_names(pid + 1) == []  # another child's
    assert table.take_names(pid) == ["json", "json.decoder", "ä"]
    assert table.take_names(pid) == []


def test_no_names_are_no_message(memory: mmap.mmap) -> None:
    table = SlotTable(memory)
    table.write_names(1, ["json"])
    table.write_names(2, [])
    assert table.take_names(1) == ["json"]


def test_names_that_do_not_fit_are_not_written(memory: mmap.mmap) -> None:
    table = SlotTable(memory)
    table.write_names(1, ["x" * NAMES_SIZE])
    assert table.take_names(1) == []
    table.write_names(1, ["x" * (NAMES_SIZE - 16)])
    assert table.take_names(1) == ["x" * (NAMES_SIZE - 16)]


def halves(first: list[str], second: list[str]) -> Iterator[tuple[bytes, bytes]]:
    """What two children would have written, in the room for names."""
    found = []
    for pid, names in ((1, first), (2, second)):
        memory = mmap.mmap(-1, SIZE)
        SlotTable(memory).write_names(pid, names)
        found.append(memory[slottable._NAMES : slottable._NAMES + 64])
    yield found[0], found[1]


def test_names_of_two_children_do_not_mix(memory: mmap.mmap) -> None:
    """Two that ended at once wrote over each other: names of modules came out that nobody has."""
    at = slottable._NAMES
    table = SlotTable(memory)
    ((one, other),) = halves(["json", "decimal"], ["email.policy", "x"])
    for cut in range(65):
        for mixed in (one[:cut] + other[cut:], other[:cut] + one[cut:]):
            for pid in (1, 2):
                memory[at : at + 64] = mixed
                whole = {1: one, 2: other}[pid]
                names = table.take_names(pid)
                length = 16 + int.from_bytes(whole[4:8], "big")
                if mixed[:length] == whole[:length]:
                    assert names
                else:
                    assert names == []
