"""A trace for people."""

from cgikit.tracing.step import Step, Trace
from cgikit.tracing.text import dearest, rows, spread, tree, verdict
from cgikit.tracing.way import Way


def example(factor: float = 1.0) -> Trace:
    trace = Trace(
        "a.py",
        [
            Step("fork", 0, 1_000 * factor),
            Step("exec", 1_000 * factor, 1_000),
            Step("interpreter", 2_000, 8_000),
            Step("script", 10_000, 40_000),
            Step("import decimal", 11_000, 30_000, 1, "/x/prices.py:3"),
            Step("import tiny", 42_000, 100, 1, "/x/a.py:2"),
            Step("import small", 43_000, 200, 1, "/x/a.py:3"),
            Step("first byte", 50_000, 0),
            Step("exit", 50_000, 10_000),
        ],
    )
    trace.is_inside = True
    return trace


def test_the_tree_has_a_line_and_a_bar_for_each_step() -> None:
    lines = tree(example(), 80)
    assert all(len(line) <= 80 for line in lines)
    assert [line.split("  ")[0] or line.split()[0] for line in lines if line[0] != " "] == [
        "fork",
        "exec",
        "interpreter",
        "script",
        "first byte",
        "exit",
        "whole",
    ]
    assert "  import decimal" in lines[4]
    assert lines[4].count("█") == 17
    assert "2 small imports" in lines[5]
    assert "60.00 ms" in lines[-1]


def test_small_imports_have_no_bar_over_what_lies_between_them() -> None:
    trace = example()
    trace.steps.insert(-2, Step("import late", 49_000, 500, 1, "/x/a.py:9"))
    (line,) = [line for line in tree(trace) if "small imports" in line]
    assert line == f"{'  3 small imports':34}{'0.80 ms':>10}"


def test_a_narrow_terminal_and_an_empty_trace() -> None:
    assert tree(example(), 10)
    assert tree(Trace("a.py", [])) == [f"{'whole':34}{'0.00 ms':>10}"]


def test_names_cannot_move_the_cursor() -> None:
    trace = Trace("a.py", [Step("import \x1b[2J", 0, 10)])
    assert "\x1b" not in "".join(tree(trace))


def test_the_verdict_names_the_dearest_import_and_who_asked() -> None:
    lines = verdict(example(), 1_500)
    assert (
        lines[0] == "30.3 of 60.0 ms are imports; the dearest is decimal (30.0 ms), by prices.py:3."
    )
    assert lines[1].startswith("10.0 ms pass before the script is read.")
    assert lines[2].startswith("Asking the interpreter took 1.5 ms")
    assert "less than the spread" in verdict(example(), -1)[2]
    assert len(verdict(example())) == 2


def test_each_row_has_a_kind_for_its_colour() -> None:
    found = rows(example(), 80, ways())
    assert [row.kind for row in found] == [
        "fork", "exec", "interpreter", "script", "import", "2 small imports", "first byte", "exit",
        "", "", "", "way", "way",
    ]  # fmt: skip
    assert str(found[0]) == found[0].words + found[0].bar


def test_the_dearest_imports_are_listed_by_their_own_time() -> None:
    trace = example()
    trace.steps.insert(5, Step("import _decimal\x1b", 12_000, 20_000, 2, "/x/decimal.py:1"))
    lines = dearest(trace, 3)
    assert lines[0] == f"{'import':34}{'by itself':>10}{'in all':>10}   of 4, in ms"
    assert [line.split() for line in lines[1:]] == [
        ["_decimal\\x1b", "20.00", "20.00", "by", "decimal.py:1"],
        ["decimal", "10.00", "30.00", "by", "prices.py:3"],
        ["small", "0.20", "0.20", "by", "a.py:3"],
    ]
    assert dearest(Trace("a.sh", [])) == []


def ways() -> list[Way]:
    made = [Way("CGI"), Way("warm"), Way("persistent", "it does not call cgikit's run()")]
    made[0].requests = [(59_000, 60_000)]
    made[1].requests = [(2_000, 6_000), (2_000, 6_000)]
    return made


def test_other_ways_stand_below_on_the_same_scale() -> None:
    lines = tree(example(), 80, ways())
    assert lines[-4:] == [
        "",
        "The same request, without asking the interpreter:",
        f"{'CGI, median of 1':34}{'60.00 ms':>10}  {'█' * 34}",
        f"{'warm, median of 2':34}{'6.00 ms':>10}  {'█' * 3}",
    ]
    assert tree(example(), 80, [Way("warm", "no")]) == tree(example(), 80)
    slow = ways()
    slow[0].requests = [(0, 120_000)]
    assert tree(example(), 80, slow)[0].count("█") == 1
    assert tree(example(), 80, slow)[4].count("█") == 8


def test_the_verdict_says_what_other_ways_skip() -> None:
    lines = verdict(example(), None, ways())
    assert "Warm skips 54.0 of 60.0 ms (differences of medians of 1 requests or more)." in lines
    assert "Not measured persistent: it does not call cgikit's run()." in lines
    assert not [line for line in lines if "docs/reference/warm.md" in line]
    assert "\\x1b" in verdict(example(), None, [Way("warm", "\x1b[2J")])[-1]


def test_a_program_that_does_not_tell_is_said_not_to() -> None:
    trace = Trace("a.pl", [Step("program", 0, 10)])
    assert "does not tell about itself" in verdict(trace)[0]


def test_the_spread_is_of_the_outer_steps() -> None:
    lines = spread([example(1), example(2), example(3)])
    assert lines[0].endswith("of 3, in ms")
    assert [line.split()[0] for line in lines[1:]] == [
        "fork",
        "exec",
        "interpreter",
        "script",
        "exit",
        "whole",
    ]
    assert lines[1].split()[1:] == ["2.00", "1.00", "3.00"]
