"""The file of counters that expire: where a counter is in it, and what its bytes mean. Internal to
`expiring.py`. Pure: bytes in, values out.

The file is text, in blocks of 4,096 bytes, so that one counter is found and changed without reading the
others. The first block has a line: "cgikit-expiring 2", a random key, and when the file was last
cleared of what has expired. Each of the other blocks has 32 slots of 128 bytes. A name has its slot in
the block that the name and the key select; without the key, nobody can choose names that fill a
block. A slot holds a line: when the counter expires (13 digits, milliseconds since the epoch), its
count (10 digits), and the name with backslash escapes. The rest of each slot and block is line ends.

Version 1 of the file, which is still read, had only the lines, after "cgikit-expiring 1".
"""

from .signing import hmac_sha256

TYPE_CHECKING = False
if TYPE_CHECKING:
    Table = dict[str, tuple[int, int]]  # name: end in milliseconds, count

BLOCK = 4_096
SLOT = 128  # no slot is in two pages of memory, or two sectors of a disk
SLOTS = BLOCK // SLOT
EMPTY = b"\n" * SLOT
HEAD = 65  # bytes of the first line
LAST = 9_999_999_999_999  # milliseconds: the year 2286
MAX_COUNT = 9_999_999_999  # the largest number of 10 digits
_OLD_MARK = b"cgikit-expiring 1"
_MARK = b"cgikit-expiring 2 "
_KEY = slice(len(_MARK), len(_MARK) + 32)
_MAX_NAME = SLOT - 26  # bytes of a name with its escapes
_NEW_FILL = 8  # names for each block of a new file, so that it is not soon made anew
_FULL_FILL = 16  # and where there are as many names as may be: a block with 32 is rare


class Layout:
    """Where the names of a file are: its random key, and how many blocks it has for counters. `cleared`
    is when it was last cleared (milliseconds).
    """

    def __init__(self, key: bytes, cleared: int, blocks: int) -> None:
        self.key = key
        self.cleared = cleared
        self.blocks = blocks

    def block_of(self, escaped: bytes) -> int:
        """Return the number of the block of a name (int, from 0)."""
        return int(hmac_sha256(self.key, escaped)[:8], 16) % self.blocks

    def place(self, escaped: bytes) -> int:
        """Return where the block of a name begins in the file (int, bytes)."""
        return BLOCK * (1 + self.block_of(escaped))


def read_layout(head: bytes, size: int) -> Layout | None:
    """Return the layout of a file of `size` bytes that begins with `head`; None if it has none."""
    key, cleared = head[_KEY], head[_KEY.stop + 1 : HEAD - 1]
    marks = head[: len(_MARK)] + head[_KEY.stop : _KEY.stop + 1] + head[HEAD - 1 : HEAD]
    if marks != _MARK + b" \n" or not (cleared.isdigit() and key.isalnum()):
        return None
    blocks, odd = divmod(size, BLOCK)
    return None if odd or blocks < 2 else Layout(key, int(cleared), blocks - 1)


def most_blocks(most: int) -> int:
    """Return how many blocks a file for `most` names may have (int)."""
    return 1 if most <= SLOTS else -(-most // _FULL_FILL)


def kept(name: str) -> str:
    """Return the name under which a counter is kept in the file: of a long one the beginning and the
    SHA-256.
    """
    if not isinstance(name, str):
        raise TypeError(f"the name of a counter must be a str, not {type(name).__name__}")
    if len(escape(name)) <= _MAX_NAME:
        return name
    from hashlib import sha256

    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    begin = name[:_MAX_NAME]  # each of its characters takes a byte or more
    while len(escape(begin)) + 1 + len(digest) > _MAX_NAME:
        begin = begin[:-1]
    return f"{begin} {digest}"


def escape(name: str) -> bytes:
    """Return a name as it is in the file (bytes, ASCII, without line ends)."""
    return name.encode("unicode_escape")


# --- slots ------------------------------------------------------------------------------------


def line(end: int, count: int, escaped: bytes) -> bytes:
    """Return the content of a slot (bytes); the inverse is `parse_line`."""
    return b"%013d %010d %b\n" % (end, count, escaped)


def find(block: bytes, escaped: bytes) -> int:
    """Return the slot of a name in its block (int, from 0); -1 if it has none."""
    wanted = b" %b\n" % escaped
    at = block.find(wanted)
    while at >= 0 and at % SLOT != 24:
        at = block.find(wanted, at + 1)  # this was the end of a longer name
    return at // SLOT


def read_slot(block: bytes, slot: int) -> tuple[int, int]:
    """Return when the counter in a slot expires, and its count; (0, 0) if the slot is empty."""
    raw = block[slot * SLOT : (slot + 1) * SLOT]
    if raw == EMPTY:
        return 0, 0
    _, end, count = parse_line(raw.rstrip(b"\n"))
    return end, count


def room(block: bytes, now: int, most: int) -> tuple[int, int]:
    """Return a slot for a new name, and the count that it continues: 0, or where `most` names are in
    the block, the lowest count, whose name has to go.

    A visitor who comes under many names, or under two in turn, must never be counted less often than
    they came.
    """
    free = -1
    live = []
    for slot in range(SLOTS):
        end, count = read_slot(block, slot)
        if end > now:
            live.append((count, end, slot))
        elif free < 0:
            free = slot
    if len(live) < most:
        return free, 0
    count, _, slot = min(live)
    return slot, count


def parse_line(raw: bytes) -> tuple[str, int, int]:
    """Parse the content of a slot without line ends: the name, when it expires, its count. Raises
    `ValueError`. The inverse is `line`.
    """
    end, count, escaped = raw[:13], raw[14:24], raw[25:]
    digits, spaces = end + count, raw[13:14] + raw[24:25]
    if not (len(digits) == 23 and digits.isdigit() and spaces == b"  " and escaped.isascii()):
        raise ValueError
    return escaped.decode("unicode_escape"), int(end), int(count)


# --- the whole file ---------------------------------------------------------------------------


def parse(path: str, raw: bytes) -> "Table":
    """Parse the content of the file `path`, those that expire first in front. The inverse is `build`.
    Anything else raises `StorageError`.
    """
    if raw.startswith(_OLD_MARK + b"\n") and raw.endswith(b"\n"):
        lines = raw.split(b"\n")[1:-1]
    elif read_layout(raw[:HEAD], len(raw)):
        slots = [raw[at : at + SLOT] for at in range(BLOCK, len(raw), SLOT)]
        lines = sorted([slot.rstrip(b"\n") for slot in slots if slot != EMPTY])
    else:
        raise foreign(path)
    table: Table = {}
    try:
        for each in lines:
            name, end, count = parse_line(each)
            table[kept(name)] = (end, count)
    except ValueError:
        raise foreign(path) from None
    return table


def build(
    table: "Table", key: bytes, cleared: int = 0, *, least: int = 1, most: int = 1 << 40
) -> bytes:
    """Return the content of a file with these counters (bytes), in at least `least` blocks. The inverse
    is `parse`.

    `key`, 32 letters or digits, is that of the former file. With another one, a name that had to go
    could come into a block with room for it, and would be counted anew. If there are too many for
    `most` names, those with the lowest counts are omitted.
    """
    limit = most_blocks(most)
    layout = Layout(key, cleared, min(limit, max(least, 1 + len(table) // _NEW_FILL)))
    names = {name: escape(name) for name in table}
    while True:
        blocks: list[list[str]] = [[] for _ in range(layout.blocks)]
        for name, escaped in names.items():
            blocks[layout.block_of(escaped)].append(name)
        if layout.blocks == limit or max(map(len, blocks)) <= SLOTS:
            break
        layout.blocks = min(limit, 2 * layout.blocks)
    out = [(_MARK + b"%b %013d\n" % (key, cleared)).ljust(BLOCK, b"\n")]
    for block in blocks:
        if len(block) > min(most, SLOTS):
            block = sorted(block, key=lambda name: table[name][::-1])[-min(most, SLOTS) :]
        slots = [line(*table[name], names[name]).ljust(SLOT, b"\n") for name in block]
        out.append(b"".join(slots).ljust(BLOCK, b"\n"))
    return b"".join(out)


def foreign(path: str) -> Exception:
    """Return the `StorageError` for a file that is of another kind."""
    from .errors import StorageError

    return StorageError(
        path, "is not a file of expiring counters; use another path, or move it away"
    )
