"""The browser as a fixture; only here, because loading WebDriver takes longer than most tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from .chromium import Browser, chromium


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for the whole run; a test starts by opening its page."""
    with (
        # Chromium writes a moment longer than it runs.
        tempfile.TemporaryDirectory(
            prefix="cgikit-browser-", ignore_cleanup_errors=True
        ) as profile,
        chromium(Path(profile)) as started,
    ):
        yield started
