"""The Tab key, in real shells on a terminal: what `cgikit completion` prints is put where it says."""

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from requirement import need

from cgikit.cli import main

START = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
STARTUP = {
    "bash": (".bashrc", "source ~/.local/share/bash-completion/completions/cgikit\n"),
    "zsh": (".zshrc", "fpath=(~/.zfunc $fpath); autoload -Uz compinit; compinit -u\n"),
    "fish": (".config/fish/config.fish", ""),
}
LIMIT = 60.0  # seconds, for a busy machine


def installed(shell: str, home: Path) -> dict[str, str]:
    """The environment of a home where completion was installed as the printed notes say."""
    (home / "bin").mkdir()
    command = home / "bin" / "cgikit"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m cgikit "$@"\n')
    command.chmod(0o755)
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    environ = {**kept, "HOME": str(home), "PATH": f"{home}/bin:{os.environ['PATH']}"}
    environ["TERM"] = "xterm"
    printed = subprocess.run(
        ["cgikit", "completion", shell], capture_output=True, text=True, env=environ, check=True
    ).stdout
    (line,) = re.findall(r"^#   (mkdir -p .*)$", printed, re.MULTILINE)
    subprocess.run(["sh", "-c", line], env=environ, check=True)
    name, text = STARTUP[shell]
    (home / name).parent.mkdir(parents=True, exist_ok=True)
    (home / name).write_text(text)
    return environ


def typed(shell: str, environ: dict[str, str], keys: str, result: Path) -> str:
    """What is in a file after these keys were typed on the terminal of a shell."""
    main, terminal = pty.openpty()
    done = result.with_suffix(".done")
    with subprocess.Popen(
        ["setsid", "-c", *START[shell]], stdin=terminal, stdout=terminal, stderr=terminal,
        env=environ, cwd=environ["HOME"],
    ) as process:  # fmt: skip
        os.close(terminal)
        shown = b""
        os.write(main, f"{keys} >{result}; echo >{done}\n".encode())
        end = time.monotonic() + LIMIT
        try:
            while not done.exists():
                assert time.monotonic() < end, f"the shell did nothing, and showed {shown!r}"
                if select.select([main], [], [], 0.1)[0]:
                    shown += os.read(main, 10_000)
        finally:
            process.kill()
            with contextlib.suppress(OSError):  # how a terminal ends
                while os.read(main, 10_000):
                    pass
            os.close(main)
    return result.read_text() if result.exists() else ""


@pytest.mark.parametrize("shell", START)
def test_tab_completes_what_would_be_wrong_without_it(shell: str, tmp_path: Path) -> None:
    need(shell)
    environ = installed(shell, tmp_path)
    shown = typed(shell, environ, "cgikit compl\tzs\t", tmp_path / "result")
    assert shown.startswith("#compdef cgikit\n"), shown


@pytest.mark.parametrize(
    ("keys", "printed"),
    [
        ("cgikit bu\t--help", "usage: cgikit bundle "),
        ("cgikit che\t--help", "usage: cgikit check "),
        ("cgikit tr\t--help", "usage: cgikit trace "),
        ("cgikit n\tpage --kind up\t", "page/cgi-bin/page.py\n"),
    ],
)
@pytest.mark.parametrize("shell", START)
def test_tab_completes_each_of_the_tools(
    shell: str, keys: str, printed: str, tmp_path: Path
) -> None:
    """None of these lines is a valid command as it was typed."""
    need(shell)
    environ = installed(shell, tmp_path)
    shown = typed(shell, environ, keys, tmp_path / "result")
    assert shown.startswith(printed), shown


def test_without_argcomplete_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    assert main(["completion", "bash"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("cgikit completion: argcomplete is not installed")
    assert err.endswith("(the extra cgikit[completion]): pip install argcomplete\n")


def test_without_argcomplete_a_question_of_the_shell_is_not_answered(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "argcomplete", None)
    monkeypatch.setenv("_ARGCOMPLETE", "1")
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: cgikit ")
