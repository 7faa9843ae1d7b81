"""Which steps are shown, and which are put together."""

from cgikit.tracing.folding import asked_by, fold, is_import, middle
from cgikit.tracing.step import Step, Trace

LARGE = [Step("fork", 0, 10), Step("script", 10, 990), Step("import a", 20, 500, 1)]


def test_small_imports_are_put_together_once() -> None:
    small = [Step("import b", 530, 5, 1), Step("import c", 531, 1, 2), Step("import d", 540, 2, 1)]
    folded = fold(Trace("a.py", [*LARGE, *small]))
    assert folded.steps == LARGE
    assert [step.name for step in folded.small] == ["import b", "import d"]
    assert (folded.small_name, folded.small_time) == ("2 small imports", 7)


def test_a_step_that_is_no_import_is_never_small() -> None:
    trace = Trace("a.py", [*LARGE, Step("first byte", 900, 0), Step("exit", 1000, 0.1)])
    assert fold(trace).steps == trace.steps
    assert fold(trace).small == []


def test_few_steps_are_shown_of_very_many() -> None:
    deep = [Step(f"import m{n}", 10 + n / 1_000, 900 - n / 500, 1 + n) for n in range(5_000)]
    folded = fold(Trace("a.py", [*LARGE[:2], *deep]), 20)
    assert len(folded.steps) == 20
    assert folded.steps[0].name == "fork"
    assert any(step.name == "import m0" for step in folded.steps)
    assert len(folded.small) == 1  # all others lie within the first of them
    flat = [Step("fork", n, 1) for n in range(5_000)]
    folded = fold(Trace("a.py", flat), 20)
    assert (len(folded.steps), folded.small_name) == (20, "4980 small steps")


def test_who_asked_for_an_import() -> None:
    assert asked_by(Step("import a", 0, 1, 1, "/x/prices.py:3")) == "prices.py:3"
    assert asked_by(Step("import a", 0, 1, 1, "<frozen importlib>:3")) == ""
    assert asked_by(Step("script", 0, 1, 0, "/x/prices.py:3")) == ""
    assert asked_by(Step("import a", 0, 1, 1, "/x/a\n.py:3")) == "a\\n.py:3"
    assert is_import(Step("import a", 0, 1))
    assert not is_import(Step("important", 0, 1))


def test_the_middle_of_several_runs() -> None:
    runs = [Trace("a.py", [Step("fork", 0, took)]) for took in (30, 10, 20)]
    assert middle(runs).total == 20
    assert middle(runs[:2]).total == 30
