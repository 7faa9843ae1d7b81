"""The waterfall: XML that is valid and bounded, whatever the steps are."""

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts

from cgikit.tracing.step import Step, Trace
from cgikit.tracing.svg import inline, milliseconds, percent, plain, waterfall

STEPS = [
    Step("fork", 0, 10_000),
    Step("script", 10_000, 30_000),
    Step("import decimal", 12_000, 20_000, 1, "/x/prices.py:3"),
    Step("import tiny", 33_000, 10, 1),
    Step("first byte", 40_000, 0),
]
times = st.floats(-1e9, 1e12)
steps = st.builds(
    Step,
    any_texts,
    times,
    st.one_of(st.just(0.0), times),
    st.integers(0, 9_999),
    any_texts,
)


def texts(svg: str) -> list[str]:
    root = ElementTree.fromstring(svg)
    return [one.text or "" for one in root.iter("{http://www.w3.org/2000/svg}text")]


def test_a_row_for_each_step_and_one_for_the_small() -> None:
    found = texts(waterfall([Trace("a.py", STEPS)]))
    assert found[:5] == ["0.0", "10.0", "20.0", "30.0", "40.0 ms"]
    assert found[5::2] == ["fork", "script", "import decimal", "first byte", "1 small import"]
    assert found[6::2] == ["10.00 ms", "30.00 ms", "20.00 ms", "at 40.00 ms", "0.01 ms"]


def test_a_bar_lies_where_its_step_lies() -> None:
    svg = waterfall([Trace("a.py", STEPS)])
    assert re.findall(
        r'class="(?:fork|script|import)" x="([\d.]+)%".*? width="([\d.]+)%"', svg
    ) == [
        ("0.000", "25.000"),
        ("25.000", "75.000"),
        ("30.000", "50.000"),
    ]


def test_who_asked_is_said() -> None:
    assert "import decimal: 20.00 ms, from 12.00 ms, by prices.py:3<" in waterfall(
        [Trace("a.py", STEPS)]
    )


def test_several_traces_have_one_scale() -> None:
    svg = waterfall([Trace("/x/cgi.py", STEPS), Trace("warm.py", [Step("fork", 0, 4_000)])])
    assert [text for text in texts(svg) if text.endswith(".py")] == ["cgi.py", "warm.py"]
    assert 'class="fork" x="0.000%" y="' in svg
    assert 'width="10.000%"' in svg


def test_nothing_was_measured() -> None:
    assert texts(waterfall([]))[-1] == "No step was measured."
    assert "No step was measured." in inline([Trace("a.py", [])])
    zero = waterfall([Trace("a.py", [Step("fork", 0, 0)])])
    assert texts(zero)[-2:] == ["fork", "at 0.00 ms"]


def test_it_stays_small() -> None:
    many = [Step(f"import {'m' * 9_999}{n}", n * 1_000, 1_000, n) for n in range(5_000)]
    assert len(waterfall([Trace("a.py", many)] * 50)) < 2_000_000


@given(any_texts, st.lists(steps, max_size=8), st.integers(0, 3))
def test_it_is_valid_whatever_the_steps_are(script: str, found: list[Step], count: int) -> None:
    svg = waterfall([Trace(script, found)] * count)
    svg.encode()
    root = ElementTree.fromstring(svg)
    assert {one.tag.rpartition("}")[2] for one in root.iter()} <= set(
        "svg g title desc style rect line text".split()
    )
    for one in root.iter():
        for name in ("x", "width"):
            value = one.get(name, "0%")
            assert not value.endswith("%") or 0 <= float(value[:-1]) <= 100


def test_small_parts() -> None:
    assert milliseconds(1_234_567) == "1,234.57 ms"
    assert (percent(1, 4), percent(9, 4), percent(-1, 4), percent(1, 0)) == (25, 100, 0, 0)
    assert plain("<\x1b\ud800>" + "a" * 9, 5) == "&lt;\\x1b\\ud800&gt;…"
