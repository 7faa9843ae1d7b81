"""The table of the rules, which is that of the documentation."""

import re
from pathlib import Path

from house import ROOT

from cgikit.migrate.rules import MODULES, rules


def test_the_page_has_each_rule_with_its_safety() -> None:
    page = (ROOT / "docs" / "reference" / "migrate.md").read_text()
    for rule in rules():
        assert f"| `{rule.name}` | {rule.level} | {rule.does} | {rule.safety} |" in page
    assert len(re.findall(r"^\| `\w+` \| (?:safe|--unsafe|only shown) \|", page, re.M)) == len(
        rules()
    )


def test_every_module_of_a_rule_is_in_the_table() -> None:
    package = ROOT / "cgikit" / "migrate"
    found = {path.stem for path in package.glob("*.py") if path.read_text().startswith('"""Rule ')}
    assert found == {Path(module.__file__ or "").stem for module in MODULES}
