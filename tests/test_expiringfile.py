"""expiringfile: where a counter is in its file, and what the bytes mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts

from cgikit import StorageError
from cgikit.expiringfile import (
    BLOCK,
    EMPTY,
    HEAD,
    SLOT,
    SLOTS,
    Layout,
    build,
    escape,
    find,
    kept,
    line,
    parse,
    parse_line,
    read_layout,
    read_slot,
    room,
)

KEY = b"0f" * 16

pairs = st.tuples(st.integers(1, 10**13 - 1), st.integers(0, 10**10 - 1))
tables = st.dictionaries(any_texts.map(kept), pairs)


def blocks(raw: bytes) -> list[bytes]:
    return [raw[at : at + BLOCK] for at in range(BLOCK, len(raw), BLOCK)]


def layout_of(raw: bytes) -> Layout:
    layout = read_layout(raw[:HEAD], len(raw))
    assert layout is not None
    return layout


def test_the_file_is_as_it_is_described() -> None:
    raw = build({"größe\n\\": (1_000_060_000, 7)}, KEY, 1_000_000_000)
    head = b"cgikit-expiring 2 " + KEY + b" 0001000000000\n"
    slot = b"0001000060000 0000000007 gr\\xf6\\xdfe\\n\\\\\n"
    assert raw == head.ljust(4_096, b"\n") + slot.ljust(4_096, b"\n")


@given(tables, st.integers(1, 9))
def test_each_name_is_found_where_it_is_looked_for(
    table: dict[str, tuple[int, int]], least: int
) -> None:
    raw = build(table, KEY, 5, least=least)
    layout = layout_of(raw)
    assert (layout.cleared, layout.blocks) == (5, len(raw) // BLOCK - 1)
    for name, pair in table.items():
        at = layout.place(escape(name))
        block = raw[at : at + BLOCK]
        assert read_slot(block, find(block, escape(name))) == pair


@given(any_texts.map(kept), pairs)
def test_a_line_fits_its_slot_and_is_parsed_again(name: str, pair: tuple[int, int]) -> None:
    raw = line(*pair, escape(name))
    assert len(raw) <= SLOT
    assert parse_line(raw[:-1]) == (name, *pair)


def test_a_name_is_not_taken_for_the_end_of_another() -> None:
    block = b"".join(
        line(9, number, escape(name)).ljust(SLOT, b"\n")
        for number, name in enumerate(["x a b", "a b", "", "b", " "])
    ).ljust(BLOCK, b"\n")
    assert [find(block, escape(name)) for name in ["x a b", "a b", "", "b", " ", "a"]] == [
        *range(5),
        -1,
    ]


@pytest.mark.parametrize("character", ["x", "ü", "東", "\udc80", "😀", "\n"])
def test_a_long_name_is_kept_by_its_beginning_and_its_digest(character: str) -> None:
    names = {kept(character * length) for length in range(1, 300)}
    assert len(names) == 299
    assert all(len(line(0, 0, escape(name))) <= SLOT for name in names)


def test_no_name_is_where_others_would_expect_it_by_another_key() -> None:
    """Nobody can choose names that fill one block."""
    names = [escape(f"192.0.2.{number}") for number in range(64)]
    places = [[Layout(key * 16, 0, 256).block_of(name) for name in names] for key in (b"1", b"2")]
    assert places[0] != places[1]
    assert len(set(places[0])) > 32


def test_room_is_a_slot_that_is_free_or_expired_or_has_the_lowest_count() -> None:
    slots = [line(50, 5, b"a"), line(10, 1, b"b"), line(40, 3, b"c"), line(30, 3, b"d")]
    block = b"".join([slot.ljust(SLOT, b"\n") for slot in slots]).ljust(BLOCK, b"\n")
    assert room(block, 5, SLOTS) == (4, 0)
    assert room(block, 10, SLOTS) == (1, 0)
    assert room(block, 5, 4) == (1, 1)
    assert room(block, 10, 3) == (3, 3)
    assert room(EMPTY * SLOTS, 0, SLOTS) == (0, 0)


def test_of_too_many_names_those_with_the_highest_counts_stay() -> None:
    table = {f"{number}": (99, number) for number in range(100)}
    assert sorted(parse("x", build(table, KEY, most=10)).values()) == [
        (99, n) for n in range(90, 100)
    ]
    raw = build(table, KEY, most=33)
    assert len(blocks(raw)) == 3
    for block in blocks(raw):
        assert block.count(b" ") <= 2 * SLOTS


@given(st.binary(max_size=300), st.integers(0, 20_000))
def test_any_head_is_a_layout_or_none(raw: bytes, size: int) -> None:
    for head in (raw, b"cgikit-expiring 2 " + raw, build({}, KEY)[:40] + raw):
        layout = read_layout(head[:HEAD], size)
        assert layout is None or (size % BLOCK == 0 and layout.blocks > 0)


@given(st.binary(max_size=SLOT), st.integers(0, SLOTS - 1))
def test_any_slot_is_a_counter_or_a_storage_error(content: bytes, slot: int) -> None:
    at = BLOCK + slot * SLOT
    raw = build({}, KEY)
    raw = raw[:at] + content.ljust(SLOT, b"\n") + raw[at + SLOT :]
    try:
        table = parse("x", raw)
    except StorageError:
        return
    assert len(table) == bool(content.strip(b"\n"))
