"""The imports below each other, and what each took by itself."""

import re

from hypothesis import given
from hypothesis import strategies as st

from cgikit.tracing.icicle import imports_of, inline
from cgikit.tracing.step import Step, Trace

STEPS = [
    Step("script", 0, 1_000),
    Step("import a", 0, 600, 1, "/x/s.py:1"),
    Step("import b", 100, 400, 2, "/x/a.py:2"),
    Step("import c", 150, 100, 3),
    Step("first byte", 650, 0),
    Step("import d", 700, 200, 1, "/x/s.py:9"),
    Step("import e", 700, 1, 2),
]


def cells(svg: str) -> list[tuple[str, str, str, str]]:
    pattern = r'<svg x="([\d.]+)%" y="(\d+)" width="([\d.]+)%" height="24"><title>(.*?)</title>'
    return sorted((t, x, y, w) for x, y, w, t in re.findall(pattern, svg))


def test_what_an_import_took_by_itself() -> None:
    outer, every = imports_of(Trace("a.py", STEPS))
    assert [one.module for one in outer] == ["a", "d"]
    assert {one.module: one.own for one in every} == {
        "a": 200,
        "b": 300,
        "c": 100,
        "d": 199,
        "e": 1,
    }


def test_a_box_lies_below_the_one_that_asked() -> None:
    outer, _ = imports_of(Trace("a.py", STEPS))
    assert cells(inline(outer)) == [
        ("a: 0.60 ms, by itself 0.20 ms, by s.py:1", "0.000", "0", "75.000"),
        ("b: 0.40 ms, by itself 0.30 ms, by a.py:2", "0.000", "24", "50.000"),
        ("c: 0.10 ms, by itself 0.10 ms", "0.000", "48", "12.500"),
        ("d: 0.20 ms, by itself 0.20 ms, by s.py:9", "75.000", "0", "25.000"),
    ]


def test_small_imports_share_a_box() -> None:
    small = [Step(f"import m{n}", n, 1, 1) for n in range(400)]
    outer, every = imports_of(Trace("a.py", small))
    assert len(every) == 400
    assert cells(inline(outer)) == [("400 small imports: 0.40 ms", "0.000", "0", "100.000")]


def test_no_time_and_no_imports_have_no_picture() -> None:
    assert inline([]) == ""
    assert inline(imports_of(Trace("a.py", [Step("import a", 0, 0, 1)]))[0]) == ""


def test_very_many_and_very_deep_ones_stay_small() -> None:
    deep = [Step(f"import m{n}", n, 10_000 - 2 * n, 1 + n) for n in range(5_000)]
    outer, every = imports_of(Trace("a.py", deep))
    assert (len(outer), len(every)) == (1, 5_000)
    assert len(cells(inline(outer))) == 24
    flat = [Step(f"import m{n}", n * 10, 10, 1) for n in range(5_000)]
    assert len(cells(inline(imports_of(Trace("a.py", flat))[0]))) == 1


@given(
    st.lists(
        st.builds(
            Step,
            st.just("import a"),
            st.floats(0, 1e9),
            st.floats(0, 1e9),
            st.integers(1, 6),
        ),
        max_size=30,
    )
)
def test_no_box_leaves_the_picture(found: list[Step]) -> None:
    outer, every = imports_of(Trace("a.py", found))
    assert len(every) == len(found)
    assert all(0 <= one.own <= one.step.duration for one in every)
    for _, x, _, width in cells(inline(outer)):
        assert float(x) + float(width) <= 100.1
