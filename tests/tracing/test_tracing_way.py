"""The ways to run a script: what they skip, in words."""

from cgikit.tracing.way import Way, measured, scale, skipped


def way(name: str, *totals: float) -> Way:
    made = Way(name)
    made.requests = [(total / 2, total) for total in totals]
    return made


def test_the_words_are_differences_of_medians() -> None:
    ways = [way("CGI", 20_000, 60_000, 61_000), way("warm", 8_000, 3_000, 9_000)]
    assert skipped(ways) == ["Warm skips 52.0 of 60.0 ms (differences of medians of 3 requests)."]
    ways.append(way("persistent", 1_000))
    assert skipped(ways) == [
        "Warm skips 52.0 of 60.0 ms, persistent 59.0 (differences of medians of 1 requests or more)."
    ]


def test_one_that_is_slower_skips_nothing() -> None:
    assert skipped([way("CGI", 5), way("warm", 6)])[0].startswith("Warm skips nothing (")


def test_what_was_not_measured_has_its_reason_once() -> None:
    why = "it is not a Python script"
    ways = [way("CGI", 5), Way("warm", why), Way("persistent", why)]
    assert skipped(ways) == [f"Not measured warm or persistent: {why}."]
    assert measured(ways) == []
    assert skipped([]) == []


def test_the_scale_has_room_for_the_longest() -> None:
    assert scale(10, []) == 10
    assert scale(10, [way("CGI", 5, 15, 15), way("warm", 1)]) == 15
    assert scale(10, [way("CGI", 15)]) == 10  # it is not shown alone
    assert way("CGI").median == 0
