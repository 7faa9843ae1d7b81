"""The corpus behind a real server with `--reuse`: no second visitor sees what the first one sent.

A process that has served the first one either ends, or has been put into the state that it had before.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from reuse.cases import ALONE, HARMLESS, TOGETHER, Case
from reuse.served import Outcome, Served, alone, modules, served
from serving import until

#: Who answers otherwise each time.
RANDOM = {"c_state/random_seed"}


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that has loaded what the corpus imports: what a script does to that would stay."""
    with served(tmp_path_factory.mktemp("loaded"), TOGETHER, modules()) as there:
        yield there


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that learns by itself which modules to load."""
    with served(tmp_path_factory.mktemp("usual"), HARMLESS, []) as there:
        yield there


def expect_no_leak(case: Case, outcome: Outcome) -> None:
    assert b"\r\n\r\n" in outcome.after, outcome
    assert case.never not in outcome.after, outcome
    assert outcome.word == "used again" or outcome.reason, outcome
    if outcome.word == "used again" and case.name not in RANDOM:
        assert outcome.after == outcome.before


@pytest.mark.parametrize("case", TOGETHER, ids=lambda case: case.name)
def test_the_second_visitor_does_not_see_what_the_first_one_sent(
    case: Case, loaded: Served
) -> None:
    expect_no_leak(case, loaded.outcome(case))


# Each on a server of its own: what one package holds may be a reason against all scripts
@pytest.mark.parametrize("case", ALONE, ids=lambda case: case.name)
def test_nor_what_an_installed_package_holds(case: Case, tmp_path: Path) -> None:
    with alone(tmp_path, case) as there:
        expect_no_leak(case, there.outcome(case))


@pytest.mark.parametrize("case", HARMLESS, ids=lambda case: case.name)
def test_a_script_that_leaves_nothing_behind_is_used_again(case: Case, usual: Served) -> None:
    seen: list[Outcome] = []

    def used_again() -> bool:  # not at once: its file is new, and modules are still to be learnt
        seen.append(usual.outcome(case))
        return seen[-1].word == "used again"

    assert until(used_again), seen[-1]
