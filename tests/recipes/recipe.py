"""The scripts of docs/recipes, as files in a folder, for the tests that attack them.

A block of Python that begins with `# name.py`, after the line `#!…` if it has one, is that file.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from house import ROOT

from cgikit.testing import Client

RECIPES = ROOT / "docs" / "recipes"


def sources() -> dict[str, str]:
    """All named scripts of all recipes: the text, by the name."""
    found: dict[str, str] = {}
    for page in sorted(RECIPES.glob("*.md")):
        for text in re.findall(r"^```python\n(.*?)^```$", page.read_text(), re.M | re.S):
            if name := re.match(r"(?:#!.*\n)?# ([\w-]+\.py)\n", text):
                assert name[1] not in found, f"{page.name}: another recipe has a {name[1]}"
                found[name[1]] = text
    return found


def put(folder: Path, name: str, changes: Mapping[str, str] | None = None) -> Path:
    """Write a script of a recipe into a folder, with settings changed as its reader changes them.

    It is executable if it is for the server: if it begins with `#!`.
    """
    text = sources()[name]
    for old, new in (changes or {}).items():
        assert text.count(old) == 1, f"{name} has {old!r} {text.count(old)} times"
        text = text.replace(old, new)
    script = folder / name
    script.write_text(text.replace("#!/usr/bin/env python3", f"#!{sys.executable}"))
    script.chmod(0o755 if text.startswith("#!") else 0o644)
    return script


def visitor(script: Path, address: str = "192.0.2.7") -> Client:
    """A browser's worth of cookies, for one script."""
    return Client(script, environ={"REMOTE_ADDR": address})


def token(client: Client, path: str = "") -> str:
    """The token in the form that a page shows."""
    found = re.search('name="csrf" value="([^"]+)"', client.get(path).text)
    assert found
    return found[1]


def run_program(program: Path, *words: str, said: str = "") -> "subprocess.CompletedProcess[str]":
    """Run a program of a recipe in its folder, as cron or a person does."""
    return subprocess.run(
        [sys.executable, program.name, *words], cwd=program.parent, input=said,
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


MAILER = """#!{python}
import json, os, sys
text = sys.stdin.buffer.read().decode()
with open({folder!r} + "/" + os.urandom(8).hex(), "w") as file:
    json.dump([sys.argv[1:], text], file)
sys.exit({status})
"""


def mailer(folder: Path, status: int = 0) -> Path:
    """A program in place of sendmail, which keeps its arguments and its input in a folder `mails`."""
    (folder / "mails").mkdir(exist_ok=True)
    program = folder / "sendmail"
    program.write_text(
        MAILER.format(python=sys.executable, folder=str(folder / "mails"), status=status)
    )
    program.chmod(0o755)
    return program
