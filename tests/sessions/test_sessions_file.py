"""FileStore: the contract, and what only files have: modes, links, owners, processes that die."""

from pathlib import Path
from typing import Any

import pytest
from sessions.contract import StoreContract
from sessions.visiting import Opener

from cgikit import FileStore


class TestFileStore(StoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        def opened(**policy: Any) -> FileStore:
            return FileStore(tmp_path / "data" / "sessions", **policy)

        return opened
