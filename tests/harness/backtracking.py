"""The steps that a regular expression takes, counted: a match that backtracks does its work in C.

`Counted(pattern, work)` stands in for a compiled pattern. Before each match it runs the same pattern,
from the tree that `re` itself makes of it, in the same order of attempts, and adds a step for each.
"""

import re
from collections.abc import Callable, Sequence
from re import _constants as names  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from work import Work

Next = Callable[[int], bool]
Matcher = Callable[[int, Next], bool]


class Counted:
    """A compiled pattern (bytes) whose attempts are counted into `work`."""

    def __init__(self, pattern: "re.Pattern[bytes]", work: Work) -> None:
        self._pattern = pattern
        self._work = work
        self._tree = parser.parse(pattern.pattern, pattern.flags)

    def match(self, text: bytes) -> Any:
        Steps(text, self._work).sequence(self._tree)(0, lambda at: True)
        return self._pattern.match(text)

    def fullmatch(self, text: bytes) -> Any:
        Steps(text, self._work).sequence(self._tree)(0, lambda at: at == len(text))
        return self._pattern.fullmatch(text)

    def search(self, text: bytes) -> Any:
        matcher = Steps(text, self._work).sequence(self._tree)
        any(matcher(start, lambda at: True) for start in range(len(text) + 1))
        return self._pattern.search(text)

    def sub(self, by: Any, text: bytes) -> bytes:
        matcher = Steps(text, self._work).sequence(self._tree)
        for start in range(len(text)):
            matcher(start, lambda at: True)
        return self._pattern.sub(by, text)


class Steps:
    """Matchers of one text: each tries what comes next from every place where it can end."""

    def __init__(self, text: bytes, work: Work) -> None:
        self._text = text
        self._work = work

    def sequence(self, nodes: Sequence[Any]) -> Matcher:
        matchers = [self.node(*node) for node in nodes]

        def match(at: int, then: Next, index: int = 0) -> bool:
            if index == len(matchers):
                return then(at)
            return matchers[index](at, lambda end: match(end, then, index + 1))

        return match

    def node(self, kind: Any, value: Any) -> Matcher:
        if kind in (names.MAX_REPEAT, names.MIN_REPEAT):
            return self.repeat(kind is names.MAX_REPEAT, *value)
        if kind is names.SUBPATTERN:
            return self.sequence(value[-1])
        if kind is names.BRANCH:
            branches = [self.sequence(branch) for branch in value[1]]
            return lambda at, then: any(branch(at, then) for branch in branches)
        if kind is names.AT:
            place = 0 if value in (names.AT_BEGINNING, names.AT_BEGINNING_STRING) else None
            return lambda at, then: at == (len(self._text) if place is None else 0) and then(at)
        return self.one(kind, value)

    def one(self, kind: Any, value: Any) -> Matcher:
        """A single byte."""
        accepted = frozenset(byte for byte in range(256) if is_in(byte, kind, value))

        def match(at: int, then: Next) -> bool:
            self._work.done += 1
            return at < len(self._text) and self._text[at] in accepted and then(at + 1)

        return match

    def repeat(self, greedy: bool, least: int, most: int, nodes: Sequence[Any]) -> Matcher:
        inner = self.sequence(nodes)
        bound = len(self._text) + 1 if most is names.MAXREPEAT else most

        def match(at: int, then: Next) -> bool:
            return attempt(at, then, 0)

        def attempt(at: int, then: Next, count: int) -> bool:
            self._work.done += 1

            def again() -> bool:
                return count < bound and inner(
                    at, lambda end: (end > at or count < least) and attempt(end, then, count + 1)
                )

            if count < least:
                return again()
            return again() or then(at) if greedy else then(at) or again()

        return match


def is_in(byte: int, kind: Any, value: Any) -> bool:
    if kind is names.LITERAL:
        return bool(byte == value)
    if kind is names.NOT_LITERAL:
        return bool(byte != value)
    if kind is names.RANGE:
        return bool(value[0] <= byte <= value[1])
    if kind is names.IN:
        negated = value[0][0] is names.NEGATE
        return negated != any(is_in(byte, *item) for item in value[negated:])
    raise NotImplementedError(f"{kind} in a pattern: count it here")
