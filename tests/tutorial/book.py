"""Somebody who visits the guestbook of any step, and the owner of it."""

import hashlib
import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

from cgikit import FileStore
from cgikit.testing import Answer, Client

from .steps import NAMES, STEPS

PASSWORD = "open sesame"
PNG = b"\x89PNG\r\n\x1a\n and what else is in a picture"

#: The first step in which there is a session, in which entries wait, and in which haste is noticed.
WITH_SESSIONS, WITH_HASTE = 5, 8


def number(name: str) -> int:
    """Which step it is: 1 to 8."""
    return NAMES.index(name) + 1


def copy(name: str, to: Path) -> Path:
    """A copy of a step's script, with the data of an owner, in a directory of its own."""
    place = to / name
    (place / "data").mkdir(parents=True)
    script = place / "guestbook.py"
    first = "#!/usr/bin/env python3\n"
    source = (STEPS / name / "guestbook.py").read_text()
    assert source.startswith(first)
    script.write_text(f"#!{sys.executable}\n{source.removeprefix(first)}")
    script.chmod(0o755)
    salt = "00" * 16
    key = hashlib.scrypt(PASSWORD.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1)
    (place / "data" / "guestbook-owner.txt").write_text(f"{salt}:{key.hex()}\n")
    return script


class Visitor:
    """A browser at one script. `step` is its number."""

    def __init__(self, script: Path) -> None:
        self.step = number(script.parent.name)
        self.data = script.parent / "data"
        self.client = Client(script, sessions=FileStore(self.data / "sessions"))

    def look(self, path: str = "") -> str:
        """The page at a path, which must be there."""
        answer = self.client.get(path)
        assert answer.status == 200
        return answer.text

    def send(self, path: str = "", files: Any = None, **values: str) -> Answer:
        """Send the form of a page."""
        page = self.look(path)
        if token := re.search('name="csrf" value="([^"]+)"', page):
            values["csrf"] = token[1]
        if path == "" and self.step >= WITH_HASTE:
            with self.client.session_transaction() as session:
                session["begun"] = 0
        return self.client.post(path, data=values, files=files)

    def sign(self, name: str, text: str, home: str = "", files: Any = None) -> None:
        """Sign, which must succeed."""
        answer = self.send(name=name, text=text, home=home, files=files)
        assert answer.status in {200, 303}, answer.text

    def waiting(self) -> dict[str, str]:
        """The lines that wait, by key."""
        path = self.data / "guestbook-waiting.json"
        found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return found


def show_all(script: Path) -> None:
    """Log in as the owner, and let everything be shown that waits."""
    if number(script.parent.name) < WITH_SESSIONS:
        return
    owner = Visitor(script)
    assert owner.send("/owner", password=PASSWORD).status == 303
    for key in owner.waiting():
        assert owner.send("/owner", approve=key).status == 303


def hand_on(former: Path, script: Path) -> None:
    """Give a step the entries of another one."""
    shutil.copy(former.parent / "data" / "guestbook.txt", script.parent / "data")


def environment() -> dict[str, str]:
    """In which `#!/usr/bin/env python3` is the Python of this test."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
