"""What comes through one way against what comes through the reference, and what may differ.

The table is tests/data/programs/differences.toml: each entry names a program, the requests, the ways,
what differs and why. What is not in it fails a test, and so does what is in it and no longer occurs.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

from .visit import Seen

TABLE = Path(__file__).parents[1] / "data" / "programs" / "differences.toml"


@dataclass(frozen=True, order=True)
class Difference:
    """One part of the answer to one request that is another one than the reference's."""

    request: str
    what: str

    def __str__(self) -> str:
        return f"{self.request}: {self.what}"


def differences(expected: Mapping[str, Seen], found: Mapping[str, Seen]) -> set[Difference]:
    """What of `found` is not as `expected`."""
    result = set()
    for request in {*expected, *found}:
        before = expected[request].parts if request in expected else {}
        after = found[request].parts if request in found else {}
        if "curl" in after:  # none of the parts came
            before = {}
        for part in {*before, *after}:
            if (old := before.get(part)) != (new := after.get(part)):
                what = different_lines(old, new) if part == "body" else f"{new} instead of {old}"
                result.add(Difference(request, f"{part}: {what}"))
    return result


def different_lines(old: str | None, new: str | None) -> str:
    """The first line of a body that is not the reference's."""
    if not old or not new:
        return "none" if not new else "one where there is none"
    for number, (was, now) in enumerate(zip_longest(old.split("\n"), new.split("\n")), 1):
        if was != now:
            return f"line {number}: {shortened(now)} instead of {shortened(was)}"
    raise AssertionError("the same lines")


def shortened(line: str | None) -> str:
    """A line that fits into a message."""
    if line is None:
        return "the end"
    return repr(line if len(line) <= 120 else f"{line[:117]}...")


def listed(program: str, way: str, table: Path = TABLE) -> set[Difference]:
    """What the table allows to one program in one way."""
    return {
        Difference(request, what)
        for entry in tomllib.loads(table.read_text())["difference"]
        if entry["program"] == program and way in entry["ways"]
        for request in entry["requests"]
        for what in entry["what"]
    }


def complaint(found: set[Difference], allowed: set[Difference]) -> str:
    """What a test says; "" where all is as the table has it."""
    lines = [f"not listed: {one}" for one in sorted(found - allowed)]
    lines += [f"listed, but does not occur: {one}" for one in sorted(allowed - found)]
    return "\n".join(lines)
