"""The forms for issues: what a forge reads of them is there, and what they name exists."""

import re
from pathlib import Path

import pytest
import yaml
from house import ROOT

from cgikit import cli

FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
QUESTIONS = [form for form in FORMS if form.stem != "config"]


@pytest.mark.parametrize("form", QUESTIONS, ids=lambda form: form.stem)
def test_a_form_has_what_the_forge_needs(form: Path) -> None:
    """Without a name, a description and a body with one input at least, it is not offered at all."""
    read = yaml.safe_load(form.read_text())
    assert set(read) == {"name", "description", "labels", "body"}
    inputs = [part for part in read["body"] if part["type"] != "markdown"]
    assert inputs
    assert {part["type"] for part in inputs} <= {"textarea", "input", "dropdown", "checkboxes"}
    assert all(part["attributes"]["label"] for part in inputs)
    identifiers = [part["id"] for part in inputs]
    assert len(set(identifiers)) == len(identifiers)


def test_the_commands_that_the_forms_name_exist() -> None:
    text = " ".join(form.read_text() for form in FORMS)
    named = set(re.findall(r"cgikit ([a-z]+) ?[A-Z\"]", text))
    assert "check" in named
    assert all(f" {name} " in cli.parser().format_help() for name in named)
