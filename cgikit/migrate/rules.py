"""The rules, as a table: name, level, what each does, and why it is safe at that level.

The table is read from the rules' docstrings; a test compares docs/reference/migrate.md with it.
"""

import re
from typing import NamedTuple

from . import compat, escape, fieldstorage, hidden, parseheader, queries, shown, unused

MODULES = (unused, escape, queries, compat, parseheader, fieldstorage, shown, hidden)
_FIRST = re.compile(r"Rule `(\w+)` \((safe|--unsafe|only shown)\): (.*)", re.S)


class Rule(NamedTuple):
    """One row."""

    name: str
    level: str
    does: str
    safety: str


def rules() -> list[Rule]:
    """Return the table."""
    return [_rule(module.__doc__ or "") for module in MODULES]


def _rule(text: str) -> Rule:
    first, safety, *_ = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    found = _FIRST.fullmatch(first)
    if found is None:
        raise ValueError(f"the docstring of a rule begins with its name and level, not {first!r}")
    return Rule(found[1], found[2], found[3], safety)
