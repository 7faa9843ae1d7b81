"""Corpora: cases that are data. Two files with one stem in a directory of `tests/data` are one case.

`NAME.in` holds the input, `NAME.json` what is expected of it. One line end at the very end of the
input, which editors add, is no part of it; a case that needs one ends in two. Every case may have a
"why" that says where it comes from.
"""

import json
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[1] / "data"


def cases(name: str) -> list[Any]:
    """The cases below `tests/data/NAME` as pytest parameters: (input in bytes, expectation)."""
    found = []
    for path in sorted((DATA / name).glob("*.in")):
        raw = path.read_bytes()
        expected = json.loads(path.with_suffix(".json").read_text("utf-8"))
        found.append(pytest.param(raw.removesuffix(b"\n"), expected, id=path.stem))
    assert found, f"no cases in {DATA / name}"
    return found


def strays(name: str) -> list[str]:
    """Files of a corpus whose other half is missing."""
    stems = {
        suffix: {p.stem for p in (DATA / name).glob(f"*{suffix}")} for suffix in (".in", ".json")
    }
    return sorted(stems[".in"] ^ stems[".json"])
