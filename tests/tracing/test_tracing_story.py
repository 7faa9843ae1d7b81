"""From times to steps: they follow each other without a gap, whatever an interpreter told."""

from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from cgikit.tracing.step import Step
from cgikit.tracing.story import steps

TOLD = (
    b"begin\t4000\nimport\t5000\t1\tsite_thing\t\nimported\t6000\t1\nmain\t7000\n"
    b"import\t8000\t1\ta\tx.py:3\nimport\t8500\t1\tb\ta.py:1\nimported\t9000\t1\nimported\t9500\t1\n"
)


def times(**changed: int) -> SimpleNamespace:
    seen = {"begin": 1000, "child": 2000, "executed": 3000, "first": 10_000, "last": 11_000}
    return SimpleNamespace(**{**seen, "ended": 12_000, "reaped": 13_000, **changed})


def outer(found: list[Step]) -> list[tuple[str, float, float]]:
    return [(step.name, step.start, step.duration) for step in found if not step.depth]


def test_a_python_tells_about_itself() -> None:
    found = steps(times(), TOLD)
    assert outer(found) == [
        ("fork", 0, 1),
        ("exec", 1, 1),
        ("interpreter", 2, 1),
        ("compile", 3, 3),
        ("script", 6, 4),
        ("first byte", 9, 0),
        ("exit", 10, 1),
        ("reaped", 11, 1),
    ]
    imports = [(s.name, s.start, s.duration, s.depth, s.note) for s in found if s.depth]
    assert imports == [
        ("import site_thing", 4, 1, 1, ""),
        ("import a", 7, 1.5, 1, "x.py:3"),
        ("import b", 7.5, 0.5, 2, "a.py:1"),
    ]


def test_another_program_does_not() -> None:
    names = [step.name for step in steps(times(), b"")]
    assert names == ["fork", "exec", "program", "first byte", "exit", "reaped"]


def test_one_that_prints_nothing_has_no_first_byte() -> None:
    found = steps(times(first=0, last=0), b"begin\t4000\n")
    assert [step.name for step in found] == [
        "fork",
        "exec",
        "interpreter",
        "compile",
        "exit",
        "reaped",
    ]


def test_an_import_that_did_not_end_is_left_out() -> None:
    assert not [s for s in steps(times(), b"begin\t4000\nimport\t5000\t1\ta\t\n") if s.depth]


def test_imports_of_two_threads_are_not_mixed_up() -> None:
    told = (
        b"begin\t4000\nimport\t5000\t1\ta\tx:1\nimport\t5500\t2\tb\tx:2\n"
        b"imported\t6000\t1\nimported\t6500\t2\nimport\t7000\t1\tc\tx:3\nimported\t7500\t1\n"
    )
    found = [(s.name, s.start, s.duration, s.depth) for s in steps(times(), told) if s.depth]
    assert found == [("import a", 4, 1, 1), ("import b", 4.5, 1, 1), ("import c", 6, 0.5, 1)]


@given(st.binary(max_size=300), st.lists(st.integers(0, 10**6), min_size=7, max_size=7))
def test_the_steps_follow_each_other_without_a_gap(told: bytes, numbers: list[int]) -> None:
    begin, child, executed, first, last, ended, reaped = sorted(numbers)
    seen = times(
        begin=begin,
        child=child,
        executed=executed,
        first=first,
        last=last,
        ended=ended,
        reaped=reaped,
    )
    found = steps(seen, b"begin\t%d\nmain\t%d\n" % (executed, executed) + told)
    tiled = [step for step in found if not step.depth and step.name != "first byte"]
    assert tiled[0].start == 0
    for before, after in pairwise(tiled):
        assert abs(before.end - after.start) < 1e-6
    assert all(step.duration >= 0 for step in tiled)
    assert abs(sum(step.duration for step in tiled) - (reaped - begin) / 1_000) < 1e-3


@given(st.binary(max_size=2_000))
def test_whatever_is_told_nothing_fails(told: bytes) -> None:
    for step in steps(times(), told):
        assert step.depth >= 0
