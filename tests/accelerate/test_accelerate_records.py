"""`cgikit.accelerate.records`: the files of a daemon's directory."""

import os
import time
from pathlib import Path

import pytest

from cgikit.accelerate import records


def test_pairs_come_back_in_their_order(tmp_path: Path) -> None:
    path = str(tmp_path / "settings")
    pairs = [("script", "/a b/c.py"), ("script", "/\udcff"), ("idle", "3")]
    records.write(path, pairs)
    assert records.read(path) == pairs
    assert os.stat(path).st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["settings"]


def test_a_missing_file_has_none(tmp_path: Path) -> None:
    assert records.read(str(tmp_path / "none")) == []


def test_a_value_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="line end"):
        records.write(str(tmp_path / "settings"), [("script", "a\nidle 1")])
    assert os.listdir(tmp_path) == []


def test_each_daemon_that_is_not_of_use_doubles_the_wait(tmp_path: Path) -> None:
    place, path = str(tmp_path), tmp_path / "wait"
    before = time.time()
    assert records.begin_waiting(place) == 60
    assert before + 50 < path.stat().st_mtime < time.time() + 70
    assert records.begin_waiting(place) == 120
    for _ in range(20):
        seconds = records.begin_waiting(place)
    assert seconds == 86_400  # a day
    records.end_waiting(place, seconds)
    assert path.stat().st_mtime > before + 86_000
    records.end_waiting(place)
    assert path.stat().st_mtime <= time.time()
    assert records.begin_waiting(place) == 60


def test_what_no_daemon_wrote_is_not_a_wait(tmp_path: Path) -> None:
    (tmp_path / "wait").write_text("seconds nonsense\nmore\n")
    assert records.begin_waiting(str(tmp_path)) == 60
