"""What `cgikit check --reuse` finds out about a script, by running it with `--reuse`."""

import sys
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.probing.reuse import Reuse, try_reuse

HEAD = "print('Content-Type: text/plain\\n')\n"


def tried(place: Path, source: str) -> Reuse:
    script = place / "script.py"
    script.write_text(f"#!{sys.executable}\n{source}")
    script.chmod(0o755)
    return try_reuse(str(script), Account.current())


def test_a_script_that_leaves_nothing_is_reused(tmp_path: Path) -> None:
    seen = tried(tmp_path, HEAD)
    assert seen.is_reused
    assert seen.findings("x") == []


def test_what_a_script_leaves_is_named(tmp_path: Path) -> None:
    seen = tried(tmp_path, f"{HEAD}import json\njson.JSONEncoder.item_separator = 'x'\n")
    assert not seen.is_reused
    (finding,) = seen.findings("x")
    assert finding.kind == "not-reused"
    assert "json.encoder.JSONEncoder" in finding.what
    assert not finding.is_error


def test_what_only_the_first_import_of_a_module_changes_is_no_finding(tmp_path: Path) -> None:
    seen = tried(tmp_path, f"import html\n{HEAD}")
    assert seen.is_reused
    assert seen.findings("x") == []


@pytest.mark.parametrize(
    ("source", "fix"),
    [
        ("file = open('/dev/null')", "Close what it opens"),
        ("import ctypes; ctypes.CDLL(None).getpid()", "Run it without --reuse"),
    ],
)
def test_advice_is_about_what_was_seen(tmp_path: Path, source: str, fix: str) -> None:
    (finding,) = tried(tmp_path, f"{source}\n{HEAD}__import__('sys').keep = locals()\n").findings(
        "x"
    )
    assert finding.fix.startswith(fix)


def test_a_script_that_runs_cold_says_so(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"#!{sys.executable} -I\n{HEAD}")
    script.chmod(0o755)
    seen = try_reuse(str(script), Account.current())
    assert not seen.is_reused
    assert [finding.kind for finding in seen.findings("x")] == ["not-warm"]
