"""`cgikit.accelerate.pythonfront`: a front in Python, with any path in it, and little to import."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit.accelerate import pythonfront

VALUES = dict.fromkeys((b"BASE", b"TAIL", b"CODE", b"PACKAGE", b"SHOWN", b"SCRIPT"), b"x") | {
    b"USER": b"1",
    b"IDLE": b"2",
    b"PYTHON": sys.executable.encode(),
}


@pytest.mark.parametrize("script", [b"a'b\\", b'"""', b"\xff\\'", b"' + x + '"])
def test_any_path_is_a_text(script: bytes) -> None:
    tree = ast.parse(pythonfront.text({**VALUES, b"SCRIPT": script}))
    values = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    assert ast.literal_eval(values["SCRIPT"]) == script


def test_it_imports_what_an_interpreter_has_anyway(tmp_path: Path) -> None:
    """Each module would cost all requests its import."""
    front = tmp_path / "front.cgi"
    front.write_bytes(pythonfront.text({**VALUES, b"USER": b"%d" % (1 << 30)}))
    script = tmp_path / "script"
    code = (
        "import sys; before = set(sys.modules); import posix; posix.execve = lambda *given: None\n"
        f"exec(open({str(front)!r}).read()); print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
    assert not script.exists()


def test_it_says_what_it_is() -> None:
    made = pythonfront.text({**VALUES, b"SHOWN": b"guestbook.py"})
    assert made.startswith(
        b"#!" + sys.executable.encode() + b" -IS\n# Runs the script guestbook.py"
    )
    assert b'"cgikit accelerate --undo" removes it' in made
