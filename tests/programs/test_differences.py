"""The comparison sees what is lost or changed, and the table allows nothing else than it says."""

import re
import tomllib
from pathlib import Path

import pytest
from servers.interpreter import ROOT

from .differences import TABLE, Difference, complaint, differences, listed
from .test_programs import NAMES, OTHERS
from .visit import Seen, hidden

RIGHT = {"page": Seen({"status": "200", "content-type": "text/plain", "body": "a\nb\nc"})}


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"status": "500"}, "status: 500 instead of 200"),
        ({"content-type": "text/html"}, "content-type: text/html instead of text/plain"),
        ({"set-cookie": "a=b"}, "set-cookie: a=b instead of None"),
        ({"body": "a\nB\nc"}, "body: line 2: 'B' instead of 'b'"),
        ({"body": "a\nb"}, "body: line 3: the end instead of 'c'"),
        ({"body": "a\nb\nc\nd"}, "body: line 4: 'd' instead of the end"),
        ({"body": ""}, "body: none"),
    ],
)
def test_each_part_that_changed_is_seen(changed: dict[str, str], what: str) -> None:
    found = {"page": Seen(RIGHT["page"].parts | changed)}
    assert differences(RIGHT, found) == {Difference("page", what)}


def test_a_request_that_was_not_made_is_seen() -> None:
    assert {one.what for one in differences(RIGHT, {})} == {
        "status: None instead of 200",
        "content-type: None instead of text/plain",
        "body: none",
    }


def test_no_answer_at_all_is_one_difference() -> None:
    found = {"page": Seen({"curl": "(52) Empty reply from server"})}
    assert differences(RIGHT, found) == {
        Difference("page", "curl: (52) Empty reply from server instead of None")
    }


def test_what_is_not_listed_and_what_no_longer_occurs_are_complaints(tmp_path: Path) -> None:
    table = tmp_path / "table.toml"
    table.write_text(
        '[[difference]]\nprogram = "p"\nrequests = ["a", "b"]\nways = ["w"]\nwhat = ["x"]\nwhy = "?"'
    )
    allowed = listed("p", "w", table)
    assert allowed == {Difference("a", "x"), Difference("b", "x")}
    assert listed("p", "other", table) == listed("other", "w", table) == set()
    assert complaint(allowed, allowed) == ""
    found = {Difference("a", "x"), Difference("c", "y")}
    assert complaint(found, allowed) == "not listed: c: y\nlisted, but does not occur: b: x"


def test_what_is_hidden_is_a_group_of_the_match_or_all_of_it() -> None:
    assert hidden("id=12; at 34", [r"id=(\d+)"]) == "id=…; at 34"
    assert hidden("id=12; at 34", [r"\d+"]) == "id=…; at …"
    assert hidden("12 34", [r"(\d)\d (\d)\d"]) == "…2 …4"


def test_every_entry_is_of_a_program_and_a_way_and_has_its_cause() -> None:
    for entry in read_table():
        assert set(entry) == {"program", "requests", "ways", "what", "why"}
        assert entry["program"] in NAMES
        assert set(entry["ways"]) <= set(OTHERS)
        assert entry["requests"]
        assert entry["what"]
        assert len(entry["why"]) > 10


def test_the_page_has_the_programs_of_the_table() -> None:
    page = (ROOT / "docs" / "deploy" / "programs.md").read_text()
    section = page.partition("## What differs from mod_cgid")[2].partition("\n## ")[0]
    shown = re.findall(r"^\| (\w+) \|", section, re.MULTILINE)[1:]
    assert shown == list(dict.fromkeys(e["program"] for e in read_table()))
    assert len(NAMES) == 13
    assert page.partition("\n\n")[2].startswith("Thirteen ")


def read_table() -> list[dict[str, str]]:
    """The entries of the table."""
    found: list[dict[str, str]] = tomllib.loads(TABLE.read_text())["difference"]
    return found
