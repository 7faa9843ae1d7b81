"""docs/understand/safety.md: each hole is open in the bad script, and closed in the good one."""

import re
from pathlib import Path

import pytest
from house import ROOT
from test_docs import EXAMPLES, Block, as_cgi, matches, script_name

PAGE = ROOT / "docs" / "understand" / "safety.md"
HERE = [(script, proofs) for script, proofs in EXAMPLES if script.page == PAGE]
PAIRS = list(zip(HERE[::2], HERE[1::2], strict=True))

#: Sections whose two sides are in one program or doctest, which `test_docs.py` runs.
TOGETHER = {
    "Forms of other sites, and what SameSite does",
    "Passwords",
    "Files that the server hands out",
}


def test_each_section_has_a_hole_and_its_cure() -> None:
    sections = re.split(r"^## ", PAGE.read_text(), flags=re.M)[1:]
    assert len(sections) == len(PAIRS) + len(TOGETHER)
    assert {section.splitlines()[0] for section in sections} >= TOGETHER
    for section in sections:
        assert section.count("The hole: ") == 1, section[:40]
        assert re.search(r"The cure(:| is) ", section), section[:40]


@pytest.mark.parametrize(("bad", "good"), PAIRS, ids=[str(bad[0]) for bad, _ in PAIRS])
def test_the_good_script_withstands_what_the_bad_one_does_not(
    bad: tuple[Block, list[Block]], good: tuple[Block, list[Block]], tmp_path: Path
) -> None:
    """That each answers as shown, test_docs.py tests; here, that the cure cures that very hole."""
    attack, damage = bad[1]
    got = {}
    for kind, (script, _) in (("bad", bad), ("good", good)):
        folder = tmp_path / kind
        folder.mkdir()
        (folder / script_name(bad[1])).write_text(script.text)
        got[kind] = as_cgi(folder, attack.text)
    assert matches(damage.text, got["bad"])
    assert not matches(damage.text, got["good"]), got["good"]
