"""The report: a diff that `patch` takes, and lines with numbers."""

import subprocess
from pathlib import Path

import pytest
from requirement import need

from cgikit.migrate.report import diff, lines, summary
from cgikit.migrate.work import Note


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a\nb\nc\n", b"a\nB\nc\n"),
        (b"a\nb", b"a\nB"),
        (b"a\n\xe4\r\nc\r\n", b"a\n\xe4\r\nC\r\n"),
        (b"a\n", b"a\nb"),
    ],
)
def test_patch_takes_the_diff(old: bytes, new: bytes, tmp_path: Path) -> None:
    patch = need("patch")
    (tmp_path / "s.py").write_bytes(old)
    subprocess.run(
        [patch, "-p1", "--binary"], input=diff("s.py", old, new), cwd=tmp_path, check=True
    )
    assert (tmp_path / "s.py").read_bytes() == new


def test_a_note_is_a_line_as_compilers_write_them() -> None:
    notes = [Note(3, "imports", "left"), Note(9, "shown", "seen")]
    assert lines("a.py", notes) == ["a.py:3: left [not touched]", "a.py:9: seen [only shown]"]


@pytest.mark.parametrize(
    ("numbers", "written", "text"),
    [
        ((0, 0), False, "0 files would change"),
        ((1, 0), False, "1 file would change; --write changes them"),
        ((2, 1), True, "2 files changed; 1 left as a whole"),
    ],
)
def test_the_last_line_counts(numbers: tuple[int, int], written: bool, text: str) -> None:
    assert summary(*numbers, written=written) == text
