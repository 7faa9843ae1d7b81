"""`cgikit run`: the command itself; test_runner.py asks what becomes of a script."""

from pathlib import Path

import pytest

from cgikit.cli import main


def test_words_behind_the_script_are_the_script_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setattr(sys, "argv", ["cgikit"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    (tmp_path / "x.py").write_text("import sys\nprint(sys.argv)\n")
    assert main(["run", str(tmp_path / "x.py"), "--port", "a=b"]) == 0
    assert capsys.readouterr().out == f"['{tmp_path / 'x.py'}', '--port', 'a=b']\n"


def test_without_a_script_it_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run"])
    assert caught.value.code == 2
    assert "SCRIPT" in capsys.readouterr().err
