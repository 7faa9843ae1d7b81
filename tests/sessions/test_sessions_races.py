"""Links that come and go under a session in use: nothing outside its directory is ever touched."""

import contextlib
import os
import random
from pathlib import Path

import pytest
from sessions.forked import Forked, Line
from sessions.visiting import Visitor, put
from torture import size

from cgikit import CGIError, FileStore


def visits(store: FileStore, cookie: str, line: Line) -> None:
    """Change the session over and over; say "+" for each time it worked, "-" for each it did not."""
    visitor = Visitor(store, cookie)
    while True:
        try:
            visitor.cookie = cookie
            visitor.visit(put("n", os.urandom(4).hex()))
            line.tell("+")
        except CGIError:
            line.tell("-")


def swap(way: Path, chance: random.Random, targets: list[Path], real: Path) -> None:
    """Put a link, or what was there, in the way; the other's move may come first each time."""
    other = real.parent / f"other-{way.name}"
    if chance.random() < 0.5:
        other.symlink_to(chance.choice(targets))
    elif real.is_dir():
        other.mkdir(mode=0o700)
    else:
        other.write_bytes(real.read_bytes())
        other.chmod(0o600)
    with contextlib.suppress(OSError):  # a directory that is not empty is not replaced
        if way.is_dir() and not way.is_symlink():
            way.rename(real.parent / f"aside-{chance.getrandbits(64):x}")
        elif way.is_symlink() and other.is_dir() and not other.is_symlink():
            way.unlink()
        other.rename(way)
    if other.is_symlink() or other.is_file():
        other.unlink()
    elif other.exists():
        other.rmdir()


@pytest.mark.parametrize("place", ["file", "directory"])
def test_s7_links_swapped_under_a_session_lead_nowhere(tmp_path: Path, place: str) -> None:
    """By chance, a few thousand times, the session's file or its directory becomes a link and back."""
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    store = FileStore(tmp_path / "sessions", lock_timeout=0.2, sweep_chance=0)
    visitor = Visitor(store)
    visitor.visit(put("n", "kept"))
    (file,) = [path for path in (tmp_path / "sessions").glob("??/*") if path.is_file()]
    content = file.read_bytes()
    precious = outside / file.name  # a session file like any other, but not in here
    precious.write_bytes(content)
    precious.chmod(0o600)
    keep = tmp_path / "keep"
    keep.mkdir(mode=0o700)
    real = keep / file.name
    if place == "file":
        way, targets = file, [precious, outside / "made"]
        real.write_bytes(content)
    else:
        way, targets = file.parent, [outside]
        real.mkdir(mode=0o700)
    chance = random.Random(7)
    with Forked(lambda line: visits(store, visitor.cookie, line)) as child:
        told = {child.hear()}
        for _ in range(size("swaps of links under sessions") // 2):
            swap(way, chance, targets, real)
            told.add(child.hear())
        child.kill()
    assert os.listdir(outside) == [file.name]
    assert precious.read_bytes() == content
    assert told == {"+", "-"}  # it met links, and it met none
