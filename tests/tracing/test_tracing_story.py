"""From times to steps: they follow each other without a gap, whatever an interpreter told."""

from itertools import pairwise
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from cgikit.tracing.step import Step
from cgikit.tracing.story import interpreter, site_time, steps, with_site

TOLD = (
    b"begin\t4000\nimport\t5000\t1\tsite_thing\t\nimported\t6000\t1\nmain\t7000\n"
    b"import\t8000\t1\ta\tx.py:3\nimport\t8500\t1\tb\ta.py:1\nimported\t9000\t1\nimported\t9500\t1\n"
)


def times(**changed: int) -> SimpleNamespace:
    seen = {"begin": 1000, "child": 2000, "executed": 3000, "first": 10_000, "header": 10_000}
    rest = {"last": 11_000, "ended": 12_000, "released": 12_000, "reaped": 13_000}
    return SimpleNamespace(**{**seen, **rest, **changed})


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


def test_the_end_of_site_is_told() -> None:
    found = steps(times(), TOLD.replace(b"main\t", b"site\t6500\nmain\t"))
    assert outer(found)[2:5] == [("interpreter", 2, 1), ("site", 3, 2.5), ("compile", 5.5, 0.5)]


def test_site_is_as_long_as_in_a_run_alone_and_says_so() -> None:
    found = steps(times(), TOLD.replace(b"main\t", b"site\t6500\nmain\t"))
    divided = with_site(found, 3.25)
    assert outer(divided)[2:5] == [
        ("interpreter", 2, 0.25),
        ("site", 2.25, 3.25),
        ("compile", 5.5, 0.5),
    ]
    by = {step.name: step.note for step in divided}
    assert by["site"] == "its length is that of a run alone, by -X importtime"
    assert by["interpreter"] == "what is left of the time until site"
    assert with_site(found, 2.0) == found  # less than what was seen
    assert with_site(found, 4.0) == found  # more than there was
    other = steps(times(), b"")
    assert with_site(other, 3.25) == other


def test_the_time_of_site_is_read() -> None:
    said = (
        "import time: self [us] | cumulative | imported package\n"
        "import time:       300 |        350 |     site_thing\n"
        "import time:       200 |       1234 | site\nnoise | site\n"
    )
    assert site_time(said) == 1234
    assert site_time("import time: x | y | site") is None
    assert site_time("") is None


def test_the_header_may_end_later_than_it_begins() -> None:
    found = {step.name: step.start for step in steps(times(header=10_500), TOLD)}
    assert (found["first byte"], found["header end"]) == (9, 9.5)


def test_what_a_process_that_was_left_held_open_is_a_step() -> None:
    found = outer(steps(times(released=7_012_000, reaped=7_013_000), TOLD))
    assert found[-2:] == [("held open", 11, 7_000), ("reaped", 7_011, 1)]


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
        header=first,
        last=last,
        ended=ended,
        released=ended,
        reaped=reaped,
    )
    found = steps(seen, b"begin\t%d\nmain\t%d\n" % (executed, executed) + told)
    tiled = [step for step in found if not step.depth and step.name != "first byte"]
    assert tiled[0].start == 0
    for before, after in pairwise(tiled):
        assert abs(before.end - after.start) < 1e-6
    assert all(step.duration >= 0 for step in tiled)
    assert abs(sum(step.duration for step in tiled) - (reaped - begin) / 1_000) < 1e-3


@given(st.text(max_size=300))
def test_whatever_is_said_of_imports_nothing_fails(said: str) -> None:
    site_time(said)
    site_time(f"import time: {said}| site")
    assert interpreter(b"begin\t1\t/x/python\n" + said.encode()) == "/x/python"


@given(st.binary(max_size=2_000))
def test_whatever_is_told_nothing_fails(told: bytes) -> None:
    for step in steps(times(), told):
        assert step.depth >= 0
