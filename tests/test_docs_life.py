"""docs/understand/life-of-a-request.md and life-warm.md: their scripts, their drawing, their tables."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from house import ROOT

UNDERSTAND = ROOT / "docs" / "understand"
FOLDER = UNDERSTAND / "life-of-a-request"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("page", "script"), [("life-of-a-request.md", "counter.py"), ("life-warm.md", "hits.py")]
)
def test_the_page_shows_the_script_that_is_run(page: str, script: str) -> None:
    assert f"```python\n{(FOLDER / script).read_text()}```" in (UNDERSTAND / page).read_text()


def test_the_files_are_as_the_commands_need_them() -> None:
    assert (FOLDER / "count.dat").read_text() == "41\n"
    for name in ("counter.py", "hits.py", "environment.sh", "two-visitors.sh"):
        assert (FOLDER / name).stat().st_mode & 0o111, name


def between(page: str, marker: str) -> str:
    text = (UNDERSTAND / page).read_text()
    found = re.search(rf"<!-- {marker}: begin -->(.*)<!-- {marker}: end -->", text, re.S)
    assert found is not None
    return found[1]


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each row of a table, by the first one."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| ")]
    return {cells[0].strip(): [c.strip() for c in cells[1:]] for cells in lines}


def test_the_tables_say_what_was_measured_where_and_when() -> None:
    for page, marker in (("life-of-a-request.md", "life"), ("life-warm.md", "ways")):
        text = between(page, marker)
        assert re.search(
            r"Measured by `cgikit trace .*` on 20\d\d-\d\d-\d\d .* cores, CPython", text
        )
        assert len(rows(text)) > 3


def test_what_is_taken_from_the_page_on_performance_is_what_that_says() -> None:
    """`make bench-gateways` writes that page anew, and `make life` has to be run after it."""
    there = rows((UNDERSTAND / "performance.md").read_text())
    ours = rows(between("life-of-a-request.md", "life"))
    a_script, a_file = "requests a second, a script that prints", "requests a second, a file"
    assert ours[a_script][1] == there["Python print, mod_cgid"][2]
    assert ours[a_file][1] == there["a static file, Apache"][2]
    claims = rows(between("life-of-a-request.md", "claims"))
    for name in ("mod_perl", "FastCGI", "PHP", "servlets", "ASP"):
        assert claims[name] == there[name]


def test_the_drawing_can_be_read_by_a_screen_reader_and_loads_nothing() -> None:
    path = Path(ROOT / "docs" / "img" / "life.svg")
    root = ElementTree.parse(path).getroot()
    named = (root.get("aria-labelledby") or "").split()
    assert [root.get("role"), len(named)] == ["img", 2]
    texts = {e.get("id"): e.text or "" for e in root.iter() if e.get("id") in named}
    assert all(texts[name] for name in named)
    assert all(f"{number}: " in texts["desc"] for number in range(1, 8))
    numbers = [e.text for e in root.iter(f"{SVG}text") if e.get("class") == "num"]
    assert numbers == [str(number) for number in range(1, 8)]
    assert "prefers-color-scheme: dark" in path.read_text()
    assert not re.search(r"<(script|image|use)\b|url\((?!#)|@import", path.read_text())
