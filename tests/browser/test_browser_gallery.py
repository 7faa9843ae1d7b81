"""Every page of the gallery, with data, with errors and logged in: valid HTML, and readable by
everybody.

The rows are in tests/gallery/scenes, a module for each script.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gallery.style import names
from gallery.visitor import Visitor, scenes, visiting

from .checkers import DESKTOP, PHONE, axe_faults, html_faults, overflow, screen, source
from .chromium import Browser

ROWS = [(name, scene) for name in names() for scene in scenes(name)]
BOTH_SCHEMES = [(*PHONE[:2], "light"), (*PHONE[:2], "dark"), (*DESKTOP[:2], "light"), DESKTOP]


@pytest.fixture(scope="module")
def visitor(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    """A visitor of the gallery."""
    with visiting(browser, tmp_path_factory.mktemp("gallery")) as found:
        yield found


def test_every_page_is_valid_html(visitor: Visitor, tmp_path: Path) -> None:
    sources = {}
    for name, scene in ROWS:
        scenes(name)[scene](visitor)
        sources[f"{name}-{scene}"] = source(visitor.browser)
    assert html_faults(sources, tmp_path) == []


@pytest.mark.parametrize(("name", "scene"), ROWS)
def test_everybody_can_read_every_page(visitor: Visitor, name: str, scene: str) -> None:
    scenes(name)[scene](visitor)
    for size in BOTH_SCHEMES:
        with screen(visitor.browser, *size):
            assert axe_faults(visitor.browser) == []
            assert overflow(visitor.browser) == 0
