"""Findings for people and for programs."""

import json

from cgikit.checking.finding import Finding
from cgikit.checking.report import as_json, summary, text

WRONG = Finding("a", "It is wrong.", evidence="x\ny\x1b[2J", fix="Mend it.", rule="RFC 1")
ADVICE = Finding("b", "It could be better.", is_error=False)


def test_the_text_says_what_shows_it_and_what_to_do() -> None:
    lines = text([WRONG, ADVICE])
    assert lines == [
        "  error   It is wrong.  [RFC 1]",
        "          > x",
        "          > y\\x1b[2J",
        "          Mend it.",
        "  advice  It could be better.",
    ]


def test_the_summary_counts() -> None:
    assert summary(2, [WRONG, ADVICE]) == "2 scripts: 1 error, 1 advice"
    assert summary(1, []) == "1 script: 0 errors, 0 advice"


def test_the_json_has_all_of_it() -> None:
    whole = json.loads(as_json({"a.py": [WRONG], "b.py": [ADVICE], "c.py": []}))
    assert (whole["errors"], whole["advice"]) == (1, 1)
    assert [each["file"] for each in whole["scripts"]] == ["a.py", "b.py", "c.py"]
    assert whole["scripts"][0]["findings"][0]["kind"] == "a"
