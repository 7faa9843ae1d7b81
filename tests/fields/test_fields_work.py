"""Fields and their check take time in proportion to what was sent (S16, S17): see `work.py`."""

from collections.abc import Callable
from contextlib import suppress
from types import ModuleType

import pytest
from fields.asking import by_post
from work import Work, growth, instrumented

from cgikit import CGIError, Limits, fields
from cgikit.fields import declare
from cgikit.fields.declared import TYPES

WORK = Work()
NAMES = ("inputtypes", "controls", "choices", "inputs", "conversion", "checking")
MODULES: dict[str, ModuleType] = dict(
    zip(
        NAMES,
        instrumented(WORK, *(f"cgikit.fields.{name}" for name in NAMES), "cgikit.multidict"),
        strict=False,
    )
)

PIECES = ["a", "@", "a@", ".", "a.", "-", "9", "+", "1e", "\r", "\r\n", "\n", " ", "\t", "\0", "\ufffe",
          "https://", "/", ":", "T", "<", "&", "é", "2030-01-01 ", "W"]  # fmt: skip


def check(run: Callable[[int], object]) -> None:
    def attempt(n: int) -> None:
        with suppress(CGIError):
            run(n)

    ratios = growth(attempt, WORK, 512)
    assert max(ratios) <= 2.5, f"work grows by {ratios} when the input doubles"


@pytest.mark.parametrize("kind", [kind for kind in TYPES if kind != "file"])
@pytest.mark.parametrize("piece", PIECES)
def test_one_long_value(kind: str, piece: str) -> None:
    field = declare("a", kind)
    check(lambda n: MODULES["checking"].check(by_post(("a", piece * n)), [field]))


@pytest.mark.parametrize("piece", PIECES)
def test_a_page_with_a_long_value(piece: str) -> None:
    inputs = MODULES["inputs"]

    def show(n: int) -> None:
        request = by_post(("a", piece * n))
        inputs.textarea(request, "a")
        for kind in ("email", "url", "number", "date", "time", "datetime-local", "week", "color"):
            inputs.text(request, "a", type=kind)

    check(show)


def test_many_values_and_many_choices() -> None:
    def run(n: int) -> None:
        names = [str(number) for number in range(n)]
        request = by_post(*(("a", name) for name in names), limits=Limits(fields=10**9))
        field = declare("a", choices=names, multiple=True)
        _, errors = MODULES["checking"].check(request, [field])
        assert not errors
        MODULES["choices"].select(request, "a", names, multiple=True)
        MODULES["choices"].checkboxes(request, "a", names)

    check(run)


def test_the_modules_counted_are_those_that_are_used() -> None:
    WORK.done = 0
    MODULES["checking"].check(by_post(("a", "x" * 100)), [declare("a", "email")])
    assert WORK.done > 100
    assert fields.check is not MODULES["checking"].check
