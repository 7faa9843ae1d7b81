"""A finding is a value: text, JSON and pages are printed from it."""

import json

from cgikit.checking.finding import Finding


def test_a_finding_is_an_error_unless_it_is_advice() -> None:
    assert Finding("no-blank-line", "There is no blank line.").is_error
    assert not Finding("no-charset", "There is no charset.", is_error=False).is_error


def test_all_of_it_goes_into_json() -> None:
    found = Finding(
        "windows-line-ends",
        "a.py has Windows line ends.",
        evidence="#!/bin/sh\r",
        fix="Save it with Unix line ends.",
        rule="execve(2)",
        file="a.py",
        line=1,
        command="sed …",
    )
    assert json.loads(json.dumps(found.as_dict())) == {
        "kind": "windows-line-ends",
        "error": True,
        "file": "a.py",
        "line": 1,
        "what": "a.py has Windows line ends.",
        "evidence": "#!/bin/sh\r",
        "fix": "Save it with Unix line ends.",
        "command": "sed …",
        "rule": "execve(2)",
    }


def test_findings_are_compared_by_all_that_they_say() -> None:
    assert Finding("a", "x") == Finding("a", "x")
    assert Finding("a", "x") != Finding("a", "x", line=2)
    assert Finding("a", "x") != ("a", "x")


def test_its_place_is_in_its_repr() -> None:
    assert repr(Finding("a", "x", file="f.py", line=2)) == "<Finding a f.py:2: x>"
    assert repr(Finding("a", "x", file="f.py")) == "<Finding a f.py: x>"
    assert repr(Finding("a", "x")) == "<Finding a: x>"
