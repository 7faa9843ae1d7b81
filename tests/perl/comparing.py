"""Compares one case: equal, or different in a way that is on the list."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import differences
from .differences import Difference
from .oracle import Oracle
from .subjects import SUBJECTS, Case, Subject, ours, perl

#: So many cases show that a difference is needed.
ENOUGH = 2


@dataclass
class Fault:
    """Two answers that differ, and the case."""

    subject: Subject
    case: Case
    ours: Any
    perl: Any
    applied: list[Difference]

    def __str__(self) -> str:
        return (
            f"{self.subject.name}: {self.case!r}\n  cgikit: {self.ours!r}\n  CGI.pm: {self.perl!r}"
            f"\n  differences that apply: {self.applied}"
        )


@dataclass
class Answer:
    """What CGI.pm says, and whether cgikit agrees."""

    perl: Any
    agrees: bool


@dataclass
class Comparison:
    """What came of many cases: how many of each subject, the faults, and which differences applied."""

    oracle: Oracle
    cases: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    needed: dict[str, int] = field(default_factory=dict)

    def compare(self, subject: Subject, case: Case) -> None:
        self.cases[subject.name] = self.cases.get(subject.name, 0) + 1
        said = ours(subject, case)
        wanted = [one for one in differences.ALL if subject.name in one.of]
        answer, applied = self._answer(subject, case, said, wanted)
        if not answer.agrees:
            self.faults.append(Fault(subject, case, said, answer.perl, applied))
        for one in applied:
            if self.needed.get(one.name, 0) < ENOUGH:
                without = [other for other in wanted if other is not one]
                if not self._answer(subject, case, said, without)[0].agrees:
                    self.needed[one.name] = self.needed.get(one.name, 0) + 1

    def _answer(
        self, subject: Subject, case: Case, said: Any, wanted: list[Difference]
    ) -> tuple[Answer, list[Difference]]:
        """What CGI.pm says where these differences are allowed, and those that apply."""
        applied = []
        asked = case
        for difference in wanted:
            if difference.says("when", case=asked):
                applied.append(difference)
                if difference.has("ask"):
                    asked = difference.says("ask", case=asked)
        answer = perl(subject, self.oracle, asked)
        return Answer(answer, self._agree(said, answer, applied, asked)), applied

    def _agree(self, said: Any, answer: Any, applied: list[Difference], case: Case) -> bool:
        for difference in applied:
            if difference.has("same"):
                return bool(difference.says("same", ours=said, perl=answer, case=case))
            if difference.has("then"):
                answer = difference.says("then", perl=answer, case=case)
        return bool(said == answer)


def cases(seed: int, number: int, only: str = "") -> Iterator[tuple[Subject, Case]]:
    """So many cases, always the same for a seed, of all subjects by their shares."""
    rng = random.Random(seed)
    chosen = [subject for subject in SUBJECTS if not only or subject.name == only]
    shares = [subject.share for subject in chosen]
    for _ in range(number):
        (subject,) = rng.choices(chosen, shares)
        yield subject, subject.make(rng)
