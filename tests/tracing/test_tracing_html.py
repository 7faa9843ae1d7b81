"""The page: it stands alone, and is whole whatever was traced."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts

from cgikit.tracing.dialogue import Dialogue
from cgikit.tracing.html import page
from cgikit.tracing.step import Step, Trace
from cgikit.tracing.way import Way


def example(factor: float = 1) -> Trace:
    trace = Trace(
        "/x/a.py",
        [
            Step("fork", 0, 1_000 * factor),
            Step("script", 1_000 * factor, 40_000, 0, "a note"),
            Step("import decimal", 11_000, 30_000, 1, "/x/prices.py:3"),
            Step("first byte", 41_000, 0),
        ],
    )
    trace.is_inside = True
    trace.size = 26
    trace.dialogue = Dialogue({"REQUEST_METHOD": "GET"}, stdout=b"Content-Type: text/plain\n\n")
    return trace


class Reader(HTMLParser):
    """The tags, the attributes with addresses, and that each element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)
        self.addresses += [n for n, _ in attrs if n in ("src", "href", "style") or n[:2] == "on"]
        self.ids += [str(value) for name, value in attrs if name == "id"]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check(markup: str) -> None:
    markup.encode()
    reader = Reader()
    reader.feed(markup)
    reader.close()
    assert reader.open == []
    assert reader.addresses == []
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.tags.count("style") == 1
    assert not {"script", "link", "img", "iframe", "a"} & set(reader.tags)


def test_everything_of_a_trace_is_there() -> None:
    found = page([example()])
    check(found)
    for words in (
        "<title>a.py · cgikit trace</title>",
        "exit status 0</b> · 41.00 ms · 26 bytes of output</p>",
        "30.0 of 41.0 ms are imports; the dearest is decimal (30.0 ms), by prices.py:3.",
        "<td>a note</td>",
        '<th scope="row" class="name mono">decimal</th><td class="number">30.00 ms</td>',
        "the blank line",
    ):
        assert words in found


def test_several_runs_have_a_spread_and_the_page_of_the_middle_one() -> None:
    found = page([example(3), example(1), example(2)], 1_500)
    check(found)
    assert '<b class="ok">exit status 0</b> · 42.00 ms' in found
    assert "the run with the median time, of 3" in found
    cells = "".join(f'<td class="number">{number}</td>' for number in ("2.00", "1.00", "3.00"))
    assert f'<th scope="row" class="name mono">fork</th>{cells}' in found
    assert "Asking the interpreter took 1.5 ms" in found


def test_other_ways_are_in_the_picture_in_a_table_and_in_words() -> None:
    ways = [Way("CGI"), Way("warm"), Way("persistent", "it is <odd>")]
    ways[0].requests = [(39_000, 40_000)]
    ways[1].requests = [(2_000, 4_000), (2_000, 6_000), (2_000, 5_000)]
    found = page([example()], None, ways)
    check(found)
    for words in (
        "<title>warm, median of 3: 5.00 ms, from 0.00 ms</title>",
        'warm, 3</th><td class="number">5.00</td><td class="number">4.00</td><td class="number">6.00<',
        "Warm skips 35.0 of 40.0 ms",
        "Not measured persistent: it is &lt;odd&gt;.",
    ):
        assert words in found
    assert "Warm and persistent</h2>" not in page([example()], None, ways[:1])


def test_nothing_was_traced() -> None:
    check(page([]))
    assert "Nothing was traced" in page([])
    check(page([Trace("", [])]))


def test_one_without_a_dialogue_has_its_errors() -> None:
    trace = Trace("a.sh", [Step("program", 0, 10)])
    trace.errors = ["<oops>\x1b"] * 50
    trace.status = -9
    found = page([trace])
    check(found)
    assert found.count("&lt;oops&gt;\\x1b") == 20
    assert "killed by signal 9" in found


def test_a_large_trace_has_a_page_that_is_not() -> None:
    trace = example()
    trace.steps += [Step(f"import {'m' * 999}{n}", n, 4_000, 1, "f" * 9_999) for n in range(5_000)]
    trace.dialogue = Dialogue({}, stdout=b"x" * 65_536, stdout_length=10_000_000)
    found = page([trace])
    check(found)
    assert len(found) < 500_000
    assert "4901 more, each shorter" in found


@given(
    any_texts,
    st.lists(
        st.builds(
            Step,
            st.one_of(any_texts, any_texts.map(lambda name: f"import {name}")),
            st.floats(0, 1e12),
            st.floats(0, 1e12),
            st.integers(0, 50),
            any_texts,
        ),
        max_size=8,
    ),
    any_texts,
    st.binary(max_size=100),
)
def test_it_is_whole_whatever_was_traced(
    script: str, steps: list[Step], value: str, output: bytes
) -> None:
    trace = Trace(script, steps)
    trace.is_inside = True
    trace.dialogue = Dialogue({value: value}, stdout=output)
    check(page([trace, trace]))
