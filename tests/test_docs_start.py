"""docs/start/first-page.md: what its reader does, in the order in which it is told."""

import html
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from house import ROOT
from serving import DEADLINE, Server, serve

START = ROOT / "docs" / "start"
FOLDER = START / "first-page"


@pytest.mark.parametrize("name", ["hello.py", "form.py"])
def test_the_page_shows_the_script_that_is_run(name: str) -> None:
    assert f"```python\n{(FOLDER / name).read_text()}```" in (START / "first-page.md").read_text()
    assert (FOLDER / name).stat().st_mode & 0o111


def get(url: str, data: bytes | None = None) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, data, timeout=DEADLINE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def mistaken(server: Server, folder: Path) -> str:
    """Make the mistake of the page in hello.py, and return what is seen."""
    script = folder / "hello.py"
    script.write_text(script.read_text().replace("escape(name)", "escape(nmae)"))
    status, page = get(server.url + "hello.py?name=Ada")
    assert status == 500
    return html.unescape(page)


def test_the_check_of_the_page_finds_the_python_of_the_terminal(tmp_path: Path) -> None:
    """On the PATH of a web server there may be another one, which has no cgikit."""
    folder = tmp_path / "first"
    shutil.copytree(FOLDER, folder)
    said = re.search(r"`(cgikit check [^`]*)`", (START / "first-page.md").read_text())
    assert said is not None
    done = subprocess.run(
        ["sh", "-c", said[1]], cwd=folder, env=environment(), stdin=subprocess.DEVNULL,
        text=True, capture_output=True, timeout=DEADLINE,
    )  # fmt: skip
    assert "has no module" not in done.stdout
    assert "0 errors" in done.stdout, done.stdout + done.stderr


def environment() -> dict[str, str]:
    """In which `cgikit` and `python3` are those of this test."""
    return {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def test_the_first_five_minutes(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    shutil.copytree(FOLDER, folder)
    with serve(folder) as server:
        assert all(name in get(server.url)[1] for name in ("hello.py", "form.py", "Says hello."))
        assert get(server.url + "hello.py?name=Ada") == (200, "<h1>Hello, Ada!</h1>")
        assert "<form method" in get(server.url + "form.py")[1]
        posted = urllib.parse.urlencode({"name": "Ada"}).encode()
        assert get(server.url + "form.py", posted) == (200, "<h1>Hello, Ada!</h1>")
        page = mistaken(server, folder)
        shown = re.search(r"```text\n(.*?)```", (START / "first-page.md").read_text(), re.S)
        assert shown is not None
        for line in shown[1].splitlines():
            assert line in page
        assert any("NameError" in line for line in server.lines)
        assert "hello.py" in get(server.url + "_cgikit/")[1]
